package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"arc/sandbox/door"
	"arc/sandbox/invoke"
)

// invocation is one event on its way.
type invocation struct {
	id        string
	event     []byte
	arrived   time.Time
	delivered time.Time     // to the worker that took it
	deadline  time.Time     // set when a worker takes it
	answered  bool          // guarded by the service's lock
	end       func(outcome) // takes one, and waits for nobody
	timer     *time.Timer
	starved   time.Duration // the worker's starvation when it got the event, and what has been made up for since

	function  *function // whose queue it was put into; nil = into none
	qualifier string    // ":live", by which the function was called; "" = by none

	to     *door.Talk     // of the worker that took it: where it asked
	stream *invoke.Stream // takes the response while it is made; nil = it is kept whole

	waited time.Duration // for a worker, its start not counted
	init   time.Duration // of the worker, when this is its first event
}

type outcome struct {
	result invoke.Result
	err    error
}

// Invoke runs a function and returns what came of it. name is a name, an ARN,
// or either with an alias or version behind it. The event waits for a free
// worker of its function, behind those that came before; that time is not the
// function's. An event beyond the function's reserved concurrency is refused
// with invoke.ErrThrottled at once, as on AWS.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
//
// When ctx ends Invoke returns its error. An event that has reached a worker is
// handled to its end all the same, as on AWS.
func (s *Service) Invoke(ctx context.Context, name string, event []byte) (invoke.Result, error) {
	done := make(chan outcome, 1)
	inv := newInvocation(ctx, event, func(out outcome) { done <- out })
	if err := s.begin(name, inv); err != nil {
		return invoke.Result{}, err
	}
	select {
	case out := <-done:
		return s.counted(inv, out)
	case <-ctx.Done():
		s.abandon(inv)
		return invoke.Result{}, fmt.Errorf("function %s: %w", name, context.Cause(ctx))
	}
}

// Begin is Invoke for who does not wait for the end: then is told of it, once, perhaps
// before Begin returns, and after limit, if that is not 0, of context.DeadlineExceeded.
// It holds up a worker meanwhile, so it does nothing that takes long. The event goes out
// on the caller's goroutine, and its end is told on the worker's: waking up another for
// either takes longer than what there is to do.
func (s *Service) Begin(ctx context.Context, name string, event []byte, limit time.Duration, then func(invoke.Result, error)) {
	var told atomic.Bool
	var late *time.Timer
	inv := newInvocation(ctx, event, nil)
	inv.end = func(out outcome) {
		if late != nil {
			late.Stop()
		}
		if !told.Swap(true) {
			then(s.counted(inv, out))
		}
	}
	if limit > 0 {
		late = time.AfterFunc(limit, func() {
			if !told.Swap(true) {
				s.abandon(inv)
				then(invoke.Result{}, fmt.Errorf("function %s: %w", name, context.DeadlineExceeded))
			}
		})
	}
	if err := s.begin(name, inv); err != nil {
		inv.end(outcome{err: err})
	}
}

func newInvocation(ctx context.Context, event []byte, end func(outcome)) *invocation {
	if len(event) == 0 {
		event = []byte("{}")
	}
	id := invoke.RequestID(ctx)
	if id == "" {
		id = newRequestID()
	}
	return &invocation{id: id, event: event, arrived: time.Now(), end: end, stream: invoke.StreamOf(ctx)}
}

// begin puts an event before its function; an error says why its end is not told.
func (s *Service) begin(name string, inv *invocation) error {
	if len(inv.event) > maxPayload {
		return fmt.Errorf("function %s: %w: it has %d bytes", name, invoke.ErrTooLarge, len(inv.event))
	}
	s.freshen(name)
	err := s.enqueue(name, inv)
	if err != nil {
		s.mu.Lock()
		named := s.resolve(name)
		s.mu.Unlock()
		if named != nil {
			s.count(named.Name, outcome{err: err})
		}
	}
	return err
}

// counted is what came of an event that was begun, which it notes.
func (s *Service) counted(inv *invocation, out outcome) (invoke.Result, error) {
	if inv.function == nil {
		return invoke.Result{}, out.err // it was not begun
	}
	s.count(inv.function.Name, out)
	out.result.Version = inv.function.version()
	out.result.RequestID, out.result.Waited, out.result.Init = inv.id, inv.waited, inv.init
	return out.result, out.err
}

// count tells the figures of an invocation that came to its end.
func (s *Service) count(function string, out outcome) {
	if s.options.Count == nil {
		return
	}
	throttled := errors.Is(out.err, invoke.ErrThrottled)
	if throttled || out.err == nil {
		s.options.Count(function, out.result.Failed != "", throttled)
	}
}

// freshen has a live function looked at before its event comes to a worker.
func (s *Service) freshen(name string) {
	if s.options.Fresh == nil {
		return
	}
	s.mu.Lock()
	var ref liveRef
	live := false
	if f := s.resolve(name); f != nil {
		ref, live = s.resources.live[f.Name]
	}
	s.mu.Unlock()
	if live {
		s.options.Fresh(ref.stack, ref.logicalID)
	}
}

func (s *Service) enqueue(name string, inv *invocation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("function %s: %w", name, invoke.ErrClosed)
	}
	f := s.resolve(name)
	if f == nil {
		return fmt.Errorf("function %s: %w", name, invoke.ErrNotFound)
	}
	most := AccountConcurrency
	open := f.open
	if of := s.functions[f.Name]; of != nil && of.Reserved != nil {
		// All versions of a function have its concurrency together.
		most, open = min(most, *of.Reserved), 0
		for _, other := range s.functions {
			if other.Name == f.Name {
				open += other.open
			}
		}
	}
	if open >= most {
		return f.throttle(most)
	}
	f.open++
	inv.function = f
	if _, qualifier := splitName(name); qualifier != "" {
		inv.qualifier = ":" + qualifier
	}
	s.push(f, len(f.queue), inv)
	s.dispatch()
	if len(f.queue) > 0 {
		s.stir()
	}
	return nil
}

// AccountConcurrency is how many events an account handles at once by default.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const AccountConcurrency = 1000

// throttle is the refusal of an event beyond what the function handles at once.
func (f *function) throttle(most int) error {
	switch {
	case most == 0:
		return fmt.Errorf("function %s: %w: its concurrency is 0, which switches it off", f.Name, invoke.ErrThrottled)
	case f.Reserved == nil:
		return fmt.Errorf("function %s: %w: %d events are under way, as many as an AWS account handles at once by default", f.Name, invoke.ErrThrottled, most)
	}
	return fmt.Errorf("function %s: %w: its concurrency is %d, and so many events are under way", f.Name, invoke.ErrThrottled, most)
}

// push puts an event into its function's queue. The caller holds the lock.
func (s *Service) push(f *function, at int, inv *invocation) {
	if len(f.queue) == 0 {
		s.waiting = append(s.waiting, f)
	}
	f.queue = slices.Insert(f.queue, at, inv)
}

// abandon takes an event whose caller has gone out of the queue.
func (s *Service) abandon(inv *invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := inv.function
	if f == nil {
		return // not yet
	}
	if i := slices.Index(f.queue, inv); i >= 0 {
		f.queue = slices.Delete(f.queue, i, i+1)
		f.open--
		s.unqueue(f)
	}
}

// unqueue takes a function without a queue off the list of those with one.
func (s *Service) unqueue(f *function) {
	if len(f.queue) > 0 {
		return
	}
	if i := slices.Index(s.waiting, f); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
}

// pop takes the oldest event that waits for the function; nil when none does.
func (s *Service) pop(f *function) *invocation {
	if len(f.queue) == 0 {
		return nil
	}
	inv := f.queue[0]
	f.queue = f.queue[1:]
	s.unqueue(f)
	return inv
}

// settleWith ends an event that no worker has, or that has none any more. The
// caller holds the lock.
func (s *Service) settleWith(f *function, inv *invocation, out outcome) {
	inv.answered = true
	f.open--
	go inv.end(out)
}

// refuseAll ends the wait of everything that waits for the function.
func (s *Service) refuseAll(f *function, err error) {
	for inv := s.pop(f); inv != nil; inv = s.pop(f) {
		s.settleWith(f, inv, outcome{err: err})
	}
}
