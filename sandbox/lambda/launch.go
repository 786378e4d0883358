package lambda

import (
	"cmp"
	"fmt"
	"os/exec"
	"time"

	"arc/sandbox/child"
	"arc/sandbox/door"
	"arc/sandbox/invoke"
	"arc/sandbox/lambda/opt"
)

// live is the life of a worker from its listener to the end of its process,
// whose error it returns.
func (w *worker) live() error {
	port, err := door.Listen(0)
	if err != nil {
		return &startError{invoke.InitFailed, "Runtime.Unknown", fmt.Errorf("runtime API: %w", err)}
	}
	defer port.Close()
	w.port, w.address = port, port.Address()
	if w.output, err = newOutput(w.log); err != nil {
		return &startError{invoke.InitFailed, "Runtime.Unknown", fmt.Errorf("output: %w", err)}
	}
	defer w.output.close()
	port.Talk(w)
	w.layersAt()
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
	line = w.place.Real(line)
	w.service.options.Log(w.fn.Label, id, line)
	if id != "" {
		line = id + " " + line
	}
	w.service.options.Keep(w.fn.Logs(), w.logStream, line)
}

// launch starts the process.
func (w *worker) launch(cmd *exec.Cmd) error {
	program := cmd.Path
	cmd.Stdout, cmd.Stderr = w.output.writers()
	done, err := w.offerPipes(cmd)
	if err != nil {
		w.output.started()
		return &startError{invoke.InitFailed, "Runtime.Unknown", fmt.Errorf("runtime API: %w", err)}
	}
	defer done()
	w.service.watchdog.Group(cmd)
	enter := func(err error) error { return err }
	if w.way != nil {
		entry, err := w.way.Prepare(cmd, w.fn.Opt)
		if err != nil {
			w.output.started()
			return &startError{invoke.InitFailed, "Runtime.Unknown", err}
		}
		enter = func(err error) error {
			entry.Started()
			return cmp.Or(err, entry.Wait())
		}
	}
	started := make(chan error)
	w.service.spawn <- func() { started <- cmd.Start() }
	err = enter(<-started)
	w.output.started()
	if err != nil {
		if cmd.Process != nil { // it never became the program
			cmd.Wait()
		}
		if w.way != nil && !opt.NotRun(err) {
			return &startError{invoke.InitFailed, "Runtime.Unknown", err}
		}
		return &startError{invoke.RuntimeMissing, "Runtime.InvalidEntrypoint", fmt.Errorf("%s cannot be started: %w; it must be an executable for this machine", program, err)}
	}
	if w.further {
		yield(cmd.Process)
	}
	w.service.mu.Lock()
	w.pid = cmd.Process.Pid
	w.service.mu.Unlock()
	if err := w.service.watchdog.Guard(cmd.Process.Pid); err != nil {
		w.log("", fmt.Sprintf("this function's process will go on should arc be killed: %v", err))
	}
	return nil
}

// offerPipes has the process speak to its Runtime API through pipes, when it is one of
// our own runtimes that does: both sides take less time for each event then. done is for
// when it has them.
func (w *worker) offerPipes(cmd *exec.Cmd) (done func(), err error) {
	if !w.piped {
		return func() {}, nil
	}
	ends, ok, err := w.port.Pipes(w)
	if err != nil || !ok {
		return func() {}, err
	}
	cmd.ExtraFiles = ends[:]
	cmd.Env = append(cmd.Env, "ARC_PIPES=3 4") // the files after stderr
	return func() { ends[0].Close(); ends[1].Close() }, nil
}

// await waits for the end of the process, brings it about when the worker is
// doomed or never gets ready, and leaves nothing of its group behind.
func (w *worker) await(cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	allowed, retry := w.initLimit()
	limit := time.AfterFunc(allowed, func() { w.service.neverReady(w, allowed, retry) })
	defer limit.Stop()
	var err error
	select {
	case err = <-ended:
	case <-w.doom:
		child.KillGroup(cmd.Process)
		err = <-ended
	}
	child.KillGroup(cmd.Process)
	killStrays(w.logStream)
	w.service.watchdog.Free(cmd.Process.Pid)
	return err
}
