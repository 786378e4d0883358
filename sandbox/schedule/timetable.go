package schedule

import (
	"context"
	"sync"
	"time"
)

// Clock is the time that a timetable goes by: invoke.Clock.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// look is how long a timetable sleeps at most: a machine that was suspended, or
// whose clock was set, is noticed then.
const look = 30 * time.Second

// Timetable calls at the times of its entries. Times that pass while the
// machine sleeps are made up for once, not one by one.
type Timetable struct {
	clock   Clock
	changed chan struct{}
	end     context.CancelFunc
	ctx     context.Context
	running sync.WaitGroup

	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	times Times
	fire  func(ctx context.Context, at time.Time)
	next  time.Time // zero = never again
}

// NewTimetable gives a timetable without entries. Close it to end it.
func NewTimetable(clock Clock) *Timetable {
	t := &Timetable{clock: clock, changed: make(chan struct{}, 1), entries: map[string]*entry{}}
	t.ctx, t.end = context.WithCancel(context.Background())
	t.running.Go(t.run)
	return t
}

// Set has fire called at each of times from now on, with the time that was
// meant, in a goroutine of its own. It replaces the entry of that name, and
// gives the first time; zero when there is none.
func (t *Timetable) Set(name string, times Times, fire func(ctx context.Context, at time.Time)) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := times.Next(t.clock.Now())
	t.entries[name] = &entry{times, fire, next}
	t.wake()
	return next
}

// Remove takes an entry out.
func (t *Timetable) Remove(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.entries, name)
	t.wake()
}

func (t *Timetable) wake() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// Close ends the timetable, and returns when what it called has returned.
func (t *Timetable) Close() {
	t.end()
	t.running.Wait()
}

func (t *Timetable) run() {
	for {
		var wait <-chan time.Time
		if d, any := t.due(); any {
			wait = t.clock.After(min(d, look))
		}
		select {
		case <-t.ctx.Done():
			return
		case <-t.changed:
		case <-wait:
		}
	}
}

// due calls what is due, and tells how long it is until something will be.
func (t *Timetable) due() (wait time.Duration, any bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	var next time.Time
	for _, e := range t.entries {
		if !e.next.IsZero() && !e.next.After(now) {
			at, fire := e.next, e.fire
			t.running.Go(func() { fire(t.ctx, at) })
			e.next = e.times.Next(now)
		}
		if !e.next.IsZero() && (next.IsZero() || e.next.Before(next)) {
			next = e.next
		}
	}
	return next.Sub(now), !next.IsZero()
}
