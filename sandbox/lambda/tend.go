package lambda

import (
	"fmt"
	"slices"
	"time"

	"arc/sandbox/invoke"
)

// idleFor is how long a worker is kept without an event when its function has
// another one.
const idleFor = time.Minute

// measureEvery is how often the memory of workers at work is looked at, and
// answerEvery how often that of one at its answers.
const (
	measureEvery = 100 * time.Millisecond
	answerEvery  = 20 * time.Millisecond
)

// tend looks after the workers until the service is closed: how much memory
// they take, which are not needed any more, and whether those that wait are to
// have more of them.
func (s *Service) tend() {
	defer close(s.tended)
	timer := time.NewTimer(0)
	var measured time.Time
	for {
		select {
		case <-s.closing:
			return
		case <-s.wake:
		case <-timer.C:
		}
		if now := time.Now(); now.Sub(measured) >= measureEvery {
			measured = now
			s.measure()
		}
		timer.Reset(s.look())
	}
}

// stir makes sure that tend looks again soon. The caller holds the lock.
func (s *Service) stir() {
	if s.resting {
		s.resting = false
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// look lets workers go that are not needed, goes on with what waits, and says
// when to look again.
func (s *Service) look() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, f := range s.functions {
		s.lapse(f, now)
	}
	s.dispatch()
	switch {
	case len(s.waiting) > 0:
		if f := s.next(now); f != nil { // there is no room for it
			s.relieve(now)
		}
		s.resting = false
		return 20 * time.Millisecond
	case s.busy > 0:
		s.resting = true // for those that wait, a tenth of a second is long
		return 100 * time.Millisecond
	case s.processes > 0:
		s.resting = true
		return time.Second
	}
	s.resting = true
	return time.Hour
}

// lapse ends the workers of a function that have been idle for long, but one.
func (s *Service) lapse(f *function, now time.Time) {
	for _, w := range slices.Clone(f.idle) {
		if f.live > 1 && now.Sub(w.idleSince) > s.options.idleFor && (w.further || len(f.idle) == 1) {
			s.retire(w)
		}
	}
}

// measure looks at the memory of workers that are at work, and ends those that
// take more than their function may have.
func (s *Service) measure() {
	s.mu.Lock()
	var all []*worker
	for w := range s.workers {
		if w.pid != 0 && (w.state == busy || w.state == starting || w.memory == newcomer) {
			all = append(all, w)
		}
	}
	s.mu.Unlock()
	for _, w := range all {
		s.weigh(w, true)
	}
}

// runtimeOverhead bounds what a language's runtime may take for itself here,
// beside the function's memory. What a worker holds when it asks for its first
// event is its overhead, up to this.
const runtimeOverhead = 64 << 20

// weighAnswer is weigh before an answer, unless that was a moment ago.
func (s *Service) weighAnswer(w *worker) bool {
	s.mu.Lock()
	now := time.Now()
	due := now.Sub(w.weighed) >= answerEvery
	s.mu.Unlock()
	return due && s.weigh(w, false)
}

// weigh notes what memory a worker holds, with all that it has started or
// without, and ends it when that is too much for its function. It reports
// whether it is.
func (s *Service) weigh(w *worker, family bool) bool {
	bytes, err := privateMemory(w.pid)
	starved := time.Duration(0)
	if err == nil && family {
		bytes += familyMemory(w.pid)
		starved = starvation(w.pid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if family {
		w.starving = starved-w.starved > now.Sub(w.weighed)/4
		w.starved = max(w.starved, starved)
	}
	w.weighed = now
	if err != nil || w.state == gone {
		return false
	}
	if family || bytes > w.memory {
		w.memory = bytes
	}
	if w.state == starting {
		w.overhead = min(bytes, runtimeOverhead)
	}
	limit := int64(w.fn.MemoryMB)<<20 + w.overhead
	if w.fn.MemoryMB == 0 || bytes <= limit || w.outOfMemory {
		return w.outOfMemory
	}
	w.outOfMemory = true
	w.outdate()
	id := ""
	if w.current != nil {
		id = w.current.id
	}
	go func() {
		w.output.drain()
		w.log(id, fmt.Sprintf("the function holds %d MB, more than its memory of %d MB, which config.arc can raise", (bytes-w.overhead)>>20, w.fn.MemoryMB))
		w.kill()
	}()
	return true
}

// outOfMemory is what comes of an event whose worker took too much memory.
func outOfMemory(id string) invoke.Result {
	return failed(invoke.Crashed, "Runtime.OutOfMemory", fmt.Sprintf("RequestId: %s Error: Runtime exited with error: signal: killed", id))
}
