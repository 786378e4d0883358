package lambda

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"arc/sandbox/door"
)

// initLimit is how long a worker may take until it asks for its first event.
// AWS gives ten seconds; a machine that builds something meanwhile gets more.
const initLimit = 30 * time.Second

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
	fn        Function // as it was when the worker started
	packages  string   // folder of installed packages; "" = none
	address   string   // "127.0.0.1:PORT" of its Runtime API
	logStream string
	output    *output
	jobs      chan *invocation // takes one
	ended     chan struct{}    // closed when the process and all it started are gone
	doom      chan struct{}    // closed to have it killed
	doomed    sync.Once

	// Guarded by the service's lock.
	state     state
	retired   bool // finishes what it is at, and is not used again
	current   *invocation
	idleSince time.Time
	failure   *Result // why it could not start
}

// kill ends the process and everything it started.
func (w *worker) kill() { w.doomed.Do(func() { close(w.doom) }) }

// start begins a new worker. The caller holds the lock.
func (s *Service) start(f *function) {
	w := &worker{
		service: s, owner: f, fn: f.Function, logStream: logStream(time.Now()),
		jobs: make(chan *invocation, 1), ended: make(chan struct{}), doom: make(chan struct{}),
	}
	f.workers[w], s.workers[w] = true, true
	f.starting++
	f.busy++
	s.busy++
	s.processes++
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		s.gone(w, w.live())
	}()
}

// retire makes sure that a worker gets no other event. The caller holds the lock.
func (s *Service) retire(w *worker) {
	w.retired = true
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

// deliver hands an event to a worker that was idle. The caller holds the lock.
func (s *Service) deliver(w *worker, inv *invocation) {
	w.state = busy
	w.owner.busy++
	s.busy++
	w.current = inv
	limit := time.Duration(w.fn.Timeout) * time.Second
	inv.deadline = time.Now().Add(limit)
	inv.timer = time.AfterFunc(limit, func() { s.timeout(w, inv) })
	w.jobs <- inv
}

// ready notes that a worker asks for an event. It reports false when it may
// not: it has one that it has not answered.
func (s *Service) ready(w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := w.owner
	switch w.state {
	case gone, idle:
		return true // the worker's end, or a second connection, makes no difference
	case starting:
		f.starting--
	case busy:
		if !w.current.answered {
			return false
		}
		w.current.timer.Stop()
		w.current = nil
	}
	f.busy--
	s.busy--
	w.state = idle
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
	inv.answered = true
	s.answered = time.Now()
	return inv
}

// timeout ends a worker that has had its event for too long.
func (s *Service) timeout(w *worker, inv *invocation) {
	s.mu.Lock()
	late := w.current == inv
	if late {
		w.retired = true
	}
	s.mu.Unlock()
	if !late {
		return
	}
	if s.take(w, inv.id) != nil {
		r := timedOut(w.fn, inv.id)
		w.output.drain()
		w.log(inv.id, fmt.Sprintf("Task timed out after %d.00 seconds", w.fn.Timeout))
		inv.done <- outcome{result: r}
	}
	w.kill()
}

// left notes that a worker hung up while it waited for an event. It is dead, or
// no Runtime API client: either way it gets no event.
func (s *Service) left(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.state == gone {
		return
	}
	s.takeBack(w)
	s.retire(w)
	s.dispatch()
}

// takeBack returns an event that the worker was given but has not seen to the
// head of the queue. The caller holds the lock.
func (s *Service) takeBack(w *worker) {
	select {
	case inv := <-w.jobs:
		inv.timer.Stop()
		w.current = nil
		w.state = idle
		w.owner.busy--
		s.busy--
		if s.closed || s.functions[w.owner.Name] != w.owner {
			inv.done <- outcome{err: fmt.Errorf("function %s: %w", w.fn.Name, ErrClosed)}
			return
		}
		if len(w.owner.queue) == 0 {
			s.waiting = append(s.waiting, w.owner)
		}
		w.owner.queue = slices.Insert(w.owner.queue, 0, inv)
	default:
	}
}

// notReady notes why a worker's code could not be loaded, and ends it. It
// reports false when the worker has been ready before.
func (s *Service) notReady(w *worker, why Result) bool {
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
	if w.state != idle {
		f.busy--
		s.busy--
	}
	switch w.state {
	case starting:
		f.starting--
		if !w.retired {
			s.failStart(w, err)
		}
	case busy:
		w.current.timer.Stop()
		if inv := w.current; !inv.answered {
			inv.answered = true
			s.answered = time.Now()
			if s.closed {
				inv.done <- outcome{err: fmt.Errorf("function %s: %w", w.fn.Name, ErrClosed)}
			} else {
				inv.done <- outcome{result: exited(w.fn, inv.id, err)}
			}
		}
	}
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
		failed.Kind = InitFailed
		if start, ok := errors.AsType[*startError](err); ok {
			failed = start.result()
		}
		r = &failed
	}
	s.answered = time.Now()
	inv.done <- outcome{result: *r}
}

// live is the life of a worker from its listener to the end of its process,
// whose error it returns.
func (w *worker) live() error {
	port, err := door.Listen(0)
	if err != nil {
		return &startError{InitFailed, "Runtime.Unknown", fmt.Errorf("runtime API: %w", err)}
	}
	defer port.Close()
	w.address = port.Address()
	port.Serve(door.Guard{Kind: door.Private, Handler: w}, silent)
	if w.output, err = newOutput(w.log); err != nil {
		return &startError{InitFailed, "Runtime.Unknown", fmt.Errorf("output: %w", err)}
	}
	defer w.output.close()
	cmd, err := w.command()
	if err != nil {
		w.output.started()
		return err
	}
	if err = w.launch(cmd); err != nil {
		return err
	}
	return w.await(cmd)
}

// log hands on a line of the worker, or about it.
func (w *worker) log(id, line string) {
	w.service.options.Log(w.fn.Label, id, line)
	if id != "" {
		line = id + " " + line
	}
	w.service.options.Keep(w.fn.Logs(), w.logStream, line)
}

// launch starts the process.
func (w *worker) launch(cmd *exec.Cmd) error {
	cmd.Stdout, cmd.Stderr = w.output.writers()
	group(cmd)
	started := make(chan error)
	w.service.spawn <- func() { started <- cmd.Start() }
	err := <-started
	w.output.started()
	if err != nil {
		return &startError{RuntimeMissing, "Runtime.InvalidEntrypoint", fmt.Errorf("%s cannot be started: %w; it must be an executable for this machine", cmd.Path, err)}
	}
	return nil
}

// await waits for the end of the process, brings it about when the worker is
// doomed or never gets ready, and leaves nothing of its group behind.
func (w *worker) await(cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	limit := time.AfterFunc(initLimit, func() { w.service.neverReady(w) })
	defer limit.Stop()
	var err error
	select {
	case err = <-ended:
	case <-w.doom:
		killGroup(cmd.Process)
		err = <-ended
	}
	killGroup(cmd.Process)
	return err
}

// neverReady ends a worker that has not asked for an event in time.
func (s *Service) neverReady(w *worker) {
	s.notReady(w, failed(InitFailed, "Sandbox.Timedout", fmt.Sprintf("Task timed out after %d.00 seconds: %s was not ready for its first event", int(initLimit.Seconds()), w.fn.Handler)))
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
