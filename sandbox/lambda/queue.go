package lambda

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// stallAfter is how long no event may come to its end before one more worker
// than Options.Busy is let in. Functions that wait for each other over HTTP
// would else wait for ever.
const stallAfter = time.Second

// invocation is one event on its way.
type invocation struct {
	sequence uint64
	id       string
	event    []byte
	deadline time.Time    // set when a worker takes it
	answered bool         // guarded by the service's lock
	done     chan outcome // takes one
	timer    *time.Timer
}

type outcome struct {
	result Result
	err    error
}

// Invoke runs a function and returns what came of it. name is a name, an ARN,
// or either with an alias or version behind it. The event waits for a free
// worker, behind those that came before; that time is not the function's.
//
// When ctx ends Invoke returns its error. An event that has reached a worker is
// handled to its end all the same, as on AWS.
func (s *Service) Invoke(ctx context.Context, name string, event []byte) (Result, error) {
	if len(event) == 0 {
		event = []byte("{}")
	}
	if len(event) > maxPayload {
		return Result{}, fmt.Errorf("function %s: %w: it has %d bytes", name, ErrTooLarge, len(event))
	}
	inv := &invocation{id: newRequestID(), event: event, done: make(chan outcome, 1)}
	f, err := s.enqueue(name, inv)
	if err != nil {
		return Result{}, err
	}
	select {
	case out := <-inv.done:
		out.result.RequestID = inv.id
		return out.result, out.err
	case <-ctx.Done():
		s.abandon(f, inv)
		return Result{}, fmt.Errorf("function %s: %w", name, context.Cause(ctx))
	}
}

func (s *Service) enqueue(name string, inv *invocation) (*function, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("function %s: %w", name, ErrClosed)
	}
	f := s.resolve(name)
	if f == nil {
		return nil, fmt.Errorf("function %s: %w", name, ErrNotFound)
	}
	if f.Reserved != nil && *f.Reserved == 0 {
		return nil, fmt.Errorf("function %s: %w", name, ErrThrottled)
	}
	s.sequence++
	inv.sequence = s.sequence
	if len(f.queue) == 0 {
		s.waiting = append(s.waiting, f)
	}
	f.queue = append(f.queue, inv)
	s.dispatch()
	return f, nil
}

// abandon takes an event whose caller has gone out of the queue.
func (s *Service) abandon(f *function, inv *invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(f.queue, inv); i >= 0 {
		f.queue = slices.Delete(f.queue, i, i+1)
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

// refuseAll ends the wait of everything that waits for the function.
func (s *Service) refuseAll(f *function, err error) {
	for inv := s.pop(f); inv != nil; inv = s.pop(f) {
		inv.done <- outcome{err: err}
	}
}

// dispatch gives waiting events to workers, the oldest first, and starts
// workers for them, as far as the limits allow. The caller holds the lock.
func (s *Service) dispatch() {
	if s.closed {
		return
	}
	for s.busy < s.options.Busy+s.extra {
		f := s.next()
		if f == nil {
			break
		}
		if last := len(f.idle) - 1; last >= 0 {
			w := f.idle[last]
			f.idle = f.idle[:last]
			s.deliver(w, s.pop(f))
			continue
		}
		if s.processes >= s.options.Processes && !s.makeRoom() {
			break
		}
		s.start(f)
	}
	if len(s.waiting) == 0 {
		s.extra = 0
	} else if s.stall == nil && s.busy >= s.options.Busy+s.extra {
		s.stall = time.AfterFunc(stallAfter, s.stalled)
	}
}

// next is the function whose oldest event has waited longest, among those
// that may take on another one.
func (s *Service) next() *function {
	var best *function
	for _, f := range s.waiting {
		if f.busy >= s.limit(f) || len(f.idle) == 0 && f.starting >= len(f.queue) {
			continue
		}
		if best == nil || f.queue[0].sequence < best.queue[0].sequence {
			best = f
		}
	}
	return best
}

// limit is how many events the function may handle at once. One function never
// takes all workers: it may be waiting for another.
func (s *Service) limit(f *function) int {
	most := max(1, s.options.Processes/2)
	if f.Reserved != nil {
		return min(*f.Reserved, most)
	}
	return most
}

// makeRoom ends the worker that has been idle longest.
func (s *Service) makeRoom() bool {
	var oldest *worker
	for _, f := range s.functions {
		if len(f.idle) > 0 && (oldest == nil || f.idle[0].idleSince.Before(oldest.idleSince)) {
			oldest = f.idle[0]
		}
	}
	if oldest == nil {
		return false
	}
	s.retire(oldest)
	return true
}

// stalled lets one more worker in when nothing has come to its end for a
// while. Handlers that merely compute are done sooner; those that wait, be it
// for another function that has no worker, do no harm to the others.
func (s *Service) stalled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stall = nil
	if time.Since(s.answered) >= stallAfter && s.busy < s.options.Processes {
		s.extra++
	}
	s.dispatch()
}
