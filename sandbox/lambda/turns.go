package lambda

import (
	"fmt"
	"slices"
	"time"

	"arc/sandbox/invoke"
)

// Turns are each function's own: what one function does or fails to do holds up
// no other's events. An event goes to an idle worker of its function at once;
// else a worker is started for it, in step with what the machine can start and
// as long as the workers' memory allows.

// startSlot is how long a worker that starts holds back others that want to. One
// that takes longer waits for something; the processors are free.
const startSlot = time.Second

// patience is how long an event waits for a worker when the machine has no room
// for another one and none of its function's gets done.
const patience = time.Second

// dispatch gives waiting events to idle workers and starts workers for the
// rest. The caller holds the lock.
func (s *Service) dispatch() {
	if s.closed {
		return
	}
	for i := 0; i < len(s.waiting); {
		f := s.waiting[i]
		for len(f.queue) > 0 && len(f.idle) > 0 {
			s.deliver(f.takeIdle(), s.pop(f))
		}
		if len(f.queue) > 0 {
			i++ // else it has left the list
		}
	}
	now := time.Now()
	for f := s.next(now); f != nil && s.room(f); f = s.next(now) {
		s.start(f)
	}
}

// takeIdle takes the worker that was used last off the idle ones: the one that
// runs at full priority, if it is there.
func (f *function) takeIdle() *worker {
	i := len(f.idle) - 1
	if first := slices.IndexFunc(f.idle, func(w *worker) bool { return !w.further }); first >= 0 {
		i = first
	}
	w := f.idle[i]
	f.idle = slices.Delete(f.idle, i, i+1)
	return w
}

// next is the function that a worker is to be started for, if any: of those that
// want one, the one with the fewest starting, so that one whose workers never
// get ready does not stand in the others' way; then the one that waits longest.
func (s *Service) next(now time.Time) *function {
	var best *function
	for _, f := range s.waiting {
		switch {
		case !s.wants(f, now):
		case f.live > 0 && s.slots[1] >= s.options.cores, f.live == 0 && s.slots[0] >= 2*s.options.cores:
		case best == nil, f.starting < best.starting,
			f.starting == best.starting && f.queue[0].arrived.Before(best.queue[0].arrived):
			best = f
		}
	}
	return best
}

// returnTime is how long a worker that has answered is given to ask for its next
// event, before another one is started for it.
const returnTime = 20 * time.Millisecond

// wants reports whether one more worker would do the function's events good.
// Two for each processor's worth of work do; beyond that only when those there
// do not get the queue done by themselves in less than a start takes.
func (s *Service) wants(f *function, now time.Time) bool {
	if f.debugger != 0 && len(f.workers) > 0 {
		return false // a debugger has its eye on that one, and the port
	}
	waiting := len(f.queue) - f.starting
	if now.Sub(f.answered) < returnTime {
		waiting -= f.returning
	}
	return waiting > 0 && (f.live < s.options.cores || waiting > f.answers.recent(now))
}

// tally counts answers of the last tenth to fifth of a second.
type tally struct {
	period      int64
	now, before int
}

func (t *tally) turn(now time.Time) {
	switch period := now.UnixMilli() / 100; period - t.period {
	case 0:
	case 1:
		t.period, t.before, t.now = period, t.now, 0
	default:
		t.period, t.before, t.now = period, 0, 0
	}
}

func (t *tally) add(now time.Time) {
	t.turn(now)
	t.now++
}

func (t *tally) recent(now time.Time) int {
	t.turn(now)
	return t.before + t.now
}

// room reports whether the machine has room for one more worker of the
// function, and makes some by ending workers that have been idle longest. The
// caller holds the lock.
func (s *Service) room(f *function) bool {
	for s.full() {
		oldest := s.oldestIdle()
		if oldest == nil {
			return s.processes == 0
		}
		s.retire(oldest)
		if s.options.Workers > 0 {
			return true // its end is under way
		}
	}
	return true
}

// full reports whether the workers there hold all that workers may.
func (s *Service) full() bool {
	if s.options.Workers > 0 {
		return s.processes >= s.options.Workers
	}
	return s.processes >= AccountConcurrency || s.held()+newcomer > s.options.memory
}

// newcomer is what a worker counts for until its memory has been looked at.
const newcomer = 32 << 20

// held is the memory of all workers that are to stay.
func (s *Service) held() (bytes int64) {
	for w := range s.workers {
		if !w.retired || w.state == busy {
			bytes += w.memory
		}
	}
	return bytes
}

// oldestIdle is the worker that has been idle longest.
func (s *Service) oldestIdle() *worker {
	var oldest *worker
	for _, f := range s.functions {
		for _, w := range f.idle {
			if oldest == nil || w.idleSince.Before(oldest.idleSince) {
				oldest = w
			}
		}
	}
	return oldest
}

// relieve refuses events that wait although nothing moves: the machine has no
// room for another worker, and those of the function do not get done. The
// caller holds the lock.
func (s *Service) relieve(now time.Time) {
	for _, f := range slices.Clone(s.waiting) {
		if f.starved() {
			continue
		}
		for f.debugger == 0 && len(f.queue) > 0 && f.starting == 0 && now.Sub(f.queue[0].arrived) > patience && now.Sub(f.answered) > patience {
			inv := s.pop(f)
			inv.waited = now.Sub(inv.arrived)
			s.settleWith(f, inv, outcome{err: fmt.Errorf("function %s: %w: %s; none of this function's came to its end in %s", f.Name, invoke.ErrThrottled, s.why(), patience)})
		}
	}
}

// starved reports whether one of the function's workers would get on if the
// machine had a processor for it.
func (f *function) starved() bool {
	for w := range f.workers {
		if w.current != nil && w.starving {
			return true
		}
	}
	return false
}

// why says what keeps more workers from being started.
func (s *Service) why() string {
	if s.options.Workers > 0 {
		return fmt.Sprintf("%d workers run, and --max-workers allows no more", s.processes)
	}
	return fmt.Sprintf("%d workers run and hold %d of the %d MB that all may have, half of what was free at the start; --max-workers N allows N whatever they hold",
		s.processes, s.held()>>20, s.options.memory>>20)
}
