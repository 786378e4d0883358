package lambda

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"arc/sandbox/door"
	"arc/sandbox/invoke"
	"arc/sandbox/lambda/opt"
	"arc/source"
)

// initLimit is how long a worker may take until it asks for its first event.
// What takes longer is cut and tried once more, then within the function's
// timeout. With provisioned concurrency it is provisionedInit, or the timeout
// where that is longer.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
const (
	initLimit       = 10 * time.Second
	provisionedInit = 130 * time.Second
)

// state is where a worker is in its life.
type state int

const (
	starting state = iota
	idle
	busy
	gone
)

// worker is one process of a function, with a Runtime API of its own.
type worker struct {
	service   *Service
	owner     *function
	fn        Function     // as it was when the worker started
	place     source.Place // of code that runs from one
	packages  string       // folder of installed packages; "" = none
	opt       string       // where its layers are; "" = it has none
	way       *opt.Way     // how they get to /opt; nil = they do not
	port      *door.Port   // its Runtime API
	address   string       // "127.0.0.1:PORT" of its Runtime API
	logStream string
	piped     bool // its runtime takes pipes as well
	output    *output
	jobs      chan *invocation // takes one
	ended     chan struct{}    // closed when the process and all it started are gone
	doom      chan struct{}    // closed to have it killed
	doomed    sync.Once
	began     time.Time
	further   bool // its function has another one: it runs at a lower priority
	again     bool // it is the second try of one whose start was cut

	// Guarded by the service's lock.
	state       state
	retired     bool // finishes what it is at, and is not used again
	slot        *int // what it counts among while it starts
	current     *invocation
	asks        *door.Talk // where it waits for an event; nil = it does not
	first       bool       // it has had no event yet
	init        time.Duration
	idleSince   time.Time
	failure     *invoke.Result // why it could not start
	cut         bool           // its start took too long, and is to be tried once more
	pid         int
	memory      int64 // bytes, as last looked at
	weighed     time.Time
	overhead    int64         // of them, before the first event
	starved     time.Duration // as last looked at
	starving    bool          // it could get no processor for a quarter of the time then
	initStarved time.Duration // of it, what has been made up for during the start
	outOfMemory bool
}

// kill ends the process and everything it started.
func (w *worker) kill() { w.doomed.Do(func() { close(w.doom) }) }

// start begins a new worker. The caller holds the lock.
func (s *Service) start(f *function) { s.startAs(f, false) }

func (s *Service) startAs(f *function, again bool) {
	w := &worker{
		service: s, owner: f, fn: f.Function, logStream: logStream(time.Now()),
		jobs: make(chan *invocation, 1), ended: make(chan struct{}), doom: make(chan struct{}),
		began: time.Now(), again: again, first: true, memory: newcomer,
	}
	for other := range f.workers {
		w.further = w.further || !other.retired && !other.further
	}
	w.slot = &s.slots[0]
	if f.live > 0 {
		w.slot = &s.slots[1]
	}
	*w.slot++
	time.AfterFunc(startSlot, func() { s.freeSlot(w) })
	f.workers[w], s.workers[w] = true, true
	f.starting++
	f.live++
	s.busy++
	s.processes++
	s.stir()
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		s.gone(w, w.live())
	}()
}

// freeSlot lets another worker start although this one has not yet.
func (s *Service) freeSlot(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.slot != nil {
		w.leaveSlot()
		s.dispatch()
	}
}

func (w *worker) leaveSlot() {
	if w.slot != nil {
		*w.slot--
		w.slot = nil
	}
}

// outdate makes sure that a worker gets no other event, without ending it. The
// caller holds the lock.
func (w *worker) outdate() {
	if !w.retired {
		w.retired = true
		w.owner.live--
	}
}

// retire makes sure that a worker gets no other event, and ends it when it has
// none. The caller holds the lock.
func (s *Service) retire(w *worker) {
	w.outdate()
	switch w.state {
	case idle:
		w.owner.idle = slices.DeleteFunc(w.owner.idle, func(x *worker) bool { return x == w })
		w.kill()
	case starting:
		w.kill()
	}
}

func (s *Service) retireAll(f *function) {
	for w := range f.workers {
		s.retire(w)
	}
}

// deliver gives an event to a worker that was idle. It goes out when the lock is
// given back. The caller holds it.
func (s *Service) deliver(w *worker, inv *invocation) {
	w.state = busy
	s.busy++
	w.current = inv
	now := time.Now()
	limit := time.Duration(w.fn.Timeout) * time.Second
	inv.waited = now.Sub(inv.arrived)
	if w.first {
		w.first, inv.init = false, w.init
		inv.waited -= min(inv.waited, w.init)
		if w.again {
			limit = max(limit-w.init, time.Millisecond)
		}
	}
	if w.owner.debugger != 0 {
		limit = unhurried
	}
	inv.delivered, inv.deadline, inv.starved = now, now.Add(limit), w.starved
	inv.timer = time.AfterFunc(limit, func() { s.timeout(w, inv) })
	s.stir()
	inv.to, w.asks = w.asks, nil
	w.jobs <- inv
	s.mu.handing = append(s.mu.handing, handover{w, len(inv.event) > longEvent})
}

// ready notes that a worker asks for an event, and where. It reports false when it
// may not: it has one that it has not answered.
func (s *Service) ready(w *worker, t *door.Talk) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := w.owner
	switch w.state {
	case gone:
		return true // nobody waits for the answer
	case idle:
		w.asks = t // on a further connection
		return true
	case starting:
		f.starting--
		w.leaveSlot()
		w.init = time.Since(w.began)
		w.starved = starvation(w.pid)
	case busy:
		if !w.current.answered {
			return false
		}
		w.current.timer.Stop()
		w.current = nil
		f.returning--
	}
	s.busy--
	w.state = idle
	w.asks = t
	w.idleSince = time.Now()
	if w.retired {
		w.kill()
	} else {
		f.idle = append(f.idle, w)
	}
	s.dispatch()
	return true
}

// take marks the worker's event as answered; nil when it has none of that ID
// that waits for an answer.
func (s *Service) take(w *worker, id string) *invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv := w.current
	if inv == nil || inv.id != id || inv.answered {
		return nil
	}
	w.answered(inv)
	return inv
}

// has reports whether the worker has an event of that ID to answer.
func (s *Service) has(w *worker, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.current != nil && w.current.id == id && !w.current.answered
}

// streamOf is who takes the response to the worker's event while it is made; nil =
// it is kept whole.
func (s *Service) streamOf(w *worker) *invoke.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.current == nil {
		return nil
	}
	return w.current.stream
}

// answered notes that the worker's event has come to its end. The caller holds
// the lock.
func (w *worker) answered(inv *invocation) {
	inv.answered = true
	w.owner.open--
	w.owner.returning++
	w.owner.answered = time.Now()
	w.owner.answers.add(w.owner.answered)
}

// timeout ends a worker that has had its event for too long.
func (s *Service) timeout(w *worker, inv *invocation) {
	s.mu.Lock()
	late := w.current == inv
	if late && s.madeUp(w, &inv.starved, func() { s.timeout(w, inv) }) {
		late = false
	} else if late {
		w.outdate()
	}
	s.mu.Unlock()
	if !late {
		return
	}
	if s.take(w, inv.id) != nil {
		r := timedOut(w.fn, inv.id)
		w.output.drain()
		w.log(inv.id, fmt.Sprintf("Task timed out after %d.00 seconds", w.fn.Timeout))
		w.finished(inv, "timeout")
		inv.end(outcome{result: r})
	}
	w.kill()
}

// pause stops the clock of the worker's event while this machine does what Lambda has
// done before, and gives what lets it go on.
func (s *Service) pause(w *worker) (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv := w.current
	if inv == nil || !inv.timer.Stop() {
		return func() {}
	}
	left := time.Until(inv.deadline)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if w.current == inv && !inv.answered {
			inv.timer = time.AfterFunc(left, func() { s.timeout(w, inv) })
		}
	}
}

// aMoment is how much starvation is not worth making up for.
const aMoment = 50 * time.Millisecond

// madeUp gives a worker whose time is over the time that it was ready to run and
// the machine had no processor for it: on AWS it has one of its own. A worker that
// waits for something is not ready to run. It reports whether there was any. The
// caller holds the lock.
func (s *Service) madeUp(w *worker, before *time.Duration, again func()) bool {
	w.starved = starvation(w.pid)
	more := w.starved - *before
	if w.pid == 0 || more < aMoment {
		return false
	}
	*before = w.starved
	timer := time.AfterFunc(more, again)
	if w.current != nil {
		w.current.timer = timer
	}
	return true
}

// left notes that a worker hung up where it waited for an event.
func (s *Service) left(w *worker, t *door.Talk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.state == gone || w.asks != t {
		return
	}
	s.retire(w)
	s.dispatch()
}

// unheard gives the event of a worker that did not get the whole of it to another.
func (s *Service) unheard(w *worker, inv *invocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.current != inv || inv.answered {
		return
	}
	s.giveBack(w, inv)
	s.retire(w)
	s.dispatch()
}

// takeBack takes an event that the worker was given but has not seen from it. The
// caller holds the lock.
func (s *Service) takeBack(w *worker) {
	select {
	case inv := <-w.jobs:
		s.giveBack(w, inv)
	default:
	}
}

// giveBack returns a worker's event to the head of the queue. The caller holds the
// lock.
func (s *Service) giveBack(w *worker, inv *invocation) {
	inv.timer.Stop()
	w.current = nil
	w.state = idle
	s.busy--
	if s.closed || s.functions[w.owner.key()] != w.owner {
		s.settleWith(w.owner, inv, outcome{err: fmt.Errorf("function %s: %w", w.fn.Name, invoke.ErrClosed)})
		return
	}
	s.push(w.owner, 0, inv)
}

// notReady notes why a worker's code could not be loaded, and ends it. It
// reports false when the worker has been ready before.
func (s *Service) notReady(w *worker, why invoke.Result) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.state != starting {
		return false
	}
	w.failure = &why
	w.kill()
	return true
}

// gone takes a worker whose process has ended off the books, and answers the
// event that it leaves behind.
func (s *Service) gone(w *worker, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(w.ended)
	f := w.owner
	s.takeBack(w)
	delete(f.workers, w)
	delete(s.workers, w)
	f.idle = slices.DeleteFunc(f.idle, func(x *worker) bool { return x == w })
	s.processes--
	w.leaveSlot()
	if w.state != idle {
		s.busy--
	}
	switch w.state {
	case starting:
		f.starting--
		switch {
		case w.retired && !w.outOfMemory:
		case w.cut && !s.closed && len(f.queue) > 0:
			s.startAs(f, true)
		default:
			s.failStart(w, err)
		}
	case busy:
		w.current.timer.Stop()
		if inv := w.current; !inv.answered {
			w.answered(inv)
			switch {
			case s.closed:
				go inv.end(outcome{err: fmt.Errorf("function %s: %w", w.fn.Name, invoke.ErrClosed)})
			case w.outOfMemory:
				w.report(inv, "error")
				go inv.end(outcome{result: outOfMemory(inv.id)})
			default:
				w.report(inv, "error")
				go inv.end(outcome{result: exited(w.fn, inv.id, err)})
			}
		}
		f.returning--
	}
	w.outdate()
	w.state = gone
	s.dispatch()
}

// failStart gives the reason why a worker could not start to the event that it
// was started for.
func (s *Service) failStart(w *worker, err error) {
	inv := s.pop(w.owner)
	if inv == nil {
		return // it was only warmed up; the next event will tell
	}
	r := w.failure
	if r == nil {
		failed := exited(w.fn, inv.id, err)
		if w.outOfMemory {
			failed = outOfMemory(inv.id)
		}
		failed.Kind = invoke.InitFailed
		if start, ok := errors.AsType[*startError](err); ok {
			failed = start.result()
		}
		r = &failed
	}
	w.owner.answered = time.Now()
	inv.init = time.Since(w.began)
	s.settleWith(w.owner, inv, outcome{result: *r})
}

// initLimit is how long the worker may take to get ready, and whether one that
// takes longer is given a second try.
func (w *worker) initLimit() (limit time.Duration, retry bool) {
	timeout := time.Duration(w.fn.Timeout) * time.Second
	switch {
	case w.owner.debugger != 0:
		return unhurried, false
	case w.again:
		return timeout, false
	case w.fn.Provisioned:
		return max(provisionedInit, timeout), false
	}
	return w.service.options.initLimit, true
}

// neverReady ends a worker that has not asked for an event in time.
func (s *Service) neverReady(w *worker, limit time.Duration, retry bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.state != starting || w.retired || s.madeUp(w, &w.initStarved, func() { s.neverReady(w, limit, retry) }) {
		return
	}
	phase := "init"
	if w.again {
		phase = "invoke"
	}
	line := fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: timeout (%s was not ready for its first event: does a top-level await, or what it imports, wait for something that never comes?)",
		float64(time.Since(w.began).Microseconds())/1000, phase, w.fn.Handler)
	if retry {
		w.cut = true
		line += "; it is tried once more, within the function's timeout, as on AWS"
	} else {
		late := failed(invoke.InitFailed, "Sandbox.Timedout", fmt.Sprintf("Task timed out after %.2f seconds: %s was not ready for its first event", limit.Seconds(), w.fn.Handler))
		w.failure = &late
	}
	go func() { // the lines that it printed come first
		w.output.drain()
		w.log("", line)
		w.kill()
	}()
}

// newScratch makes the folder that a service keeps its files in.
func newScratch(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, "arc-lambda-")
	if err != nil {
		return "", fmt.Errorf("folder for workers: %w", err)
	}
	if err := unpackBootstraps(dir); err != nil {
		os.RemoveAll(dir) // half of it is of no use, and the disk may be full
		return "", err
	}
	return dir, nil
}
