package logs

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/smithy-go"
)

// Times of following.
const (
	// An event is found by a search a little after it came.
	settle = 3 * time.Second
	// Programs send events late: this long before a gap is searched as well.
	lateness = 2 * time.Minute
	// How often groups are searched where there is no live stream.
	pollEvery = 2 * time.Second
	// How long a session that could not be started is let be.
	retryFirst, retryMost = time.Second, 30 * time.Second
	// So many events of a search are told at once.
	maxTold = 1000
)

// searches are how long after a gap it is searched: what was not to be found at
// first is later.
func searches() []time.Duration {
	return []time.Duration{settle, 10 * time.Second, 30 * time.Second}
}

// Follower follows groups as their events come, none left out and none told
// twice. A live stream tells events within a second or two, but leaves some out
// when there are more than 500 a second, and all that come while it is broken;
// such gaps are searched once it is known where they are. Live events have no
// ID, so an event is known by its group, stream, time and text; of those that
// are the same in all, as many are told as the search finds.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatchLogs_LiveTail.html
type Follower struct {
	API     API
	Groups  []string // names
	ARNs    []string // of the same groups, in the same order
	Pattern string
	// Tell is told events, one call at a time: those that came together in the
	// order of their times.
	Tell func([]Event) error
	// Note is told what the user has to know, in a sentence.
	Note func(format string, args ...any)
}

// Follow begins with the events from a time on, and ends with the context, or an
// error that another try would not mend.
func (f *Follower) Follow(ctx context.Context, from time.Time) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &following{Follower: f, begin: from, cancel: cancel, told: map[key]int{}, live: map[key]int{}, windows: map[int]int64{}}
	for at := 0; at < len(f.Groups); at += MaxLive {
		end := min(at+MaxLive, len(f.Groups))
		r.work.Go(func() { r.session(ctx, f.Groups[at:end], f.ARNs[at:end], from) })
	}
	r.work.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// key is what an event is known by.
type key struct {
	group, stream string
	at            int64
	message       string
}

type following struct {
	*Follower
	begin  time.Time // nothing from before it is searched
	cancel context.CancelCauseFunc
	work   sync.WaitGroup
	once   sync.Once

	mu      sync.Mutex
	told    map[key]int   // how often
	live    map[key]int   // how often the live stream brought it
	windows map[int]int64 // where searches that are to come begin
	next    int           // number of the next window
}

// session keeps live sessions on some groups, one after the other, and has
// searched what came before the first and between two.
func (r *following) session(ctx context.Context, groups, arns []string, from time.Time) {
	gap, pause := from, retryFirst
	for ctx.Err() == nil {
		live, err := r.API.Live(ctx, arns, r.Pattern)
		if err != nil {
			if noLive(err) {
				r.once.Do(func() {
					r.Note("there is no live stream of these logs (%s): they are looked at every %s", codeOf(err), pollEvery)
				})
				r.poll(ctx, groups, gap)
				return
			}
			if isFinal(err) {
				r.cancel(err)
				return
			}
			r.search(ctx, groups, gap, time.Now())
			sleep(ctx, pause)
			pause = min(2*pause, retryMost)
			continue
		}
		begun := time.Now()
		pause = retryFirst
		r.search(ctx, groups, gap, begun)
		// The stream does not wait for long for one who reads what was before.
		r.fill(ctx, groups, begun.Add(-lateness), time.Now())
		gap = r.listen(ctx, live, groups).Add(-lateness)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// listen tells what a session brings until it ends, and gives the time up to
// which it is known to have brought all.
func (r *following) listen(ctx context.Context, live Session, groups []string) time.Time {
	stop := context.AfterFunc(ctx, func() { live.Close() })
	defer stop()
	defer live.Close()
	last := time.Now()
	var flood *flood
	for {
		update, err := live.Next()
		if err != nil {
			return last
		}
		r.tell(update.Events, r.live)
		now := time.Now()
		if update.Sampled && !flood.goesOn(now) {
			flood = r.flooded(ctx, groups, last, now)
		}
		last = now
	}
}

// flood is a time in which there is more than a stream takes.
type flood struct {
	mu       sync.Mutex
	from, to time.Time
	over     bool
}

// longestFlood is from when on the rest of a flood is one of its own, so that
// what was searched for long can be let go.
const longestFlood = time.Minute

// goesOn lengthens a flood up to a time; false = it is over.
func (f *flood) goesOn(to time.Time) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return false
	}
	f.to = to
	return true
}

// end is how long the flood goes so far. It is over when nothing came after the
// last question, or after longestFlood.
func (f *flood) end(asked time.Time) (to time.Time, over bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = !f.to.After(asked) || f.to.Sub(f.from) >= longestFlood
	return f.to, f.over
}

// flooded begins a flood, which is searched every few seconds while it lasts,
// and as a whole when it is over.
func (r *following) flooded(ctx context.Context, groups []string, from, to time.Time) *flood {
	f := &flood{from: from, to: to}
	window := r.open(from.Add(-lateness))
	r.work.Go(func() {
		defer r.shut(window)
		done, over := from, false
		for !over && ctx.Err() == nil {
			sleep(ctx, settle)
			to, over = f.end(done)
			r.search(ctx, groups, done.Add(-2*settle), to.Add(settle))
			done = to
		}
		r.fill(ctx, groups, from.Add(-lateness), to)
	})
	return f
}

// fill has a gap searched, and again when what was late has come.
func (r *following) fill(ctx context.Context, groups []string, from, to time.Time) {
	window := r.open(from)
	r.work.Go(func() {
		defer r.shut(window)
		begun := time.Now()
		for _, after := range searches() {
			sleep(ctx, time.Until(begun.Add(after)))
			if ctx.Err() != nil {
				return
			}
			r.search(ctx, groups, from, to.Add(settle))
		}
	})
}

// open keeps events from a time on in memory, until shut.
func (r *following) open(from time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	r.windows[r.next] = from.UnixMilli()
	return r.next
}

func (r *following) shut(window int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.windows, window)
	r.forget()
}

// search tells what a time holds and was not told yet.
func (r *following) search(ctx context.Context, groups []string, from, to time.Time) {
	from = later(from, r.begin)
	window := r.open(from)
	defer r.shut(window)
	found, ids := map[key]int{}, map[string]bool{}
	var some []Event
	for e, err := range Read(ctx, r.API, groups, from.UnixMilli(), to.UnixMilli(), r.Pattern) {
		if err != nil {
			if ctx.Err() == nil && isFinal(err) {
				r.cancel(err)
			}
			break // the next search has the rest
		}
		if ids[e.ID] {
			continue // a page may repeat what the one before it ended with
		}
		ids[e.ID] = true
		if some = append(some, e); len(some) == maxTold {
			r.tell(some, found)
			some = nil
		}
	}
	r.tell(some, found)
}

// poll follows by searches alone.
func (r *following) poll(ctx context.Context, groups []string, from time.Time) {
	for ctx.Err() == nil {
		now := time.Now()
		r.search(ctx, groups, from, now.Add(settle))
		if late := now.Add(-lateness); late.After(from) {
			from = late
		}
		sleep(ctx, pollEvery)
	}
}

// tell tells events that were not told yet. seen counts those that a search has
// found, or that the stream has brought: what looks the same in all is told as
// often as the one of them that has seen it most often.
func (r *following) tell(events []Event, seen map[key]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var fresh []Event
	for _, e := range events {
		k := key{e.Group, e.Stream, e.At, e.Message}
		if seen[k]++; seen[k] > r.told[k] {
			r.told[k] = seen[k]
			fresh = append(fresh, e)
		}
	}
	if len(fresh) == 0 {
		return
	}
	slices.SortStableFunc(fresh, func(a, b Event) int { return int(a.At - b.At) })
	if err := r.Tell(fresh); err != nil {
		r.cancel(err)
	}
	r.forget()
}

// forget lets go of events that no search can find again. The caller holds the
// lock.
func (r *following) forget() {
	oldest := time.Now().Add(-2 * lateness).UnixMilli()
	for _, from := range r.windows {
		oldest = min(oldest, from)
	}
	if len(r.told) < 10_000 {
		return
	}
	for k := range r.told {
		if k.at < oldest {
			delete(r.told, k)
			delete(r.live, k)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return err.Error()
}

// noLive tells that there will be no live stream: the caller may not have one, a
// group is not there yet, the groups are of a class without, all that an account may have are in use, or
// the endpoint knows none.
func noLive(err error) bool {
	switch codeOf(err) {
	case "AccessDeniedException", "InvalidOperationException", "LimitExceededException", "ResourceNotFoundException", "UnknownOperationException", "UnknownOperation", "NotImplemented", "Not Implemented":
		return true
	}
	return false
}

// isFinal tells an error that another try would not mend.
func isFinal(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "ThrottlingException", "ServiceUnavailableException", "InternalFailure", "ServiceUnavailable", "LimitExceededException", "ResourceNotFoundException":
		return false
	}
	return api.ErrorFault() != smithy.FaultServer
}
