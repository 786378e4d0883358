package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// hungAfter is how long a cloud may hold its project's lock without an answer.
// One that starts or ends takes less.
const hungAfter = 5 * time.Second

// HungError says that a process holds the project's local cloud and does not
// answer: it was stopped with Ctrl-Z, it hangs, or nobody can tell any more
// where it listens.
type HungError struct {
	PID     int  // 0 = it has not said
	Stopped bool // by a signal, as far as the system tells
	lock    string
}

// Error names the process.
func (e *HungError) Error() string {
	switch {
	case e.PID == 0:
		return "a local cloud runs for this project and does not answer; the process that holds " + e.lock + " is it"
	case e.Stopped:
		return fmt.Sprintf("a local cloud runs for this project and does not answer: process %d is stopped, as Ctrl-Z does it", e.PID)
	}
	return fmt.Sprintf("a local cloud runs for this project and does not answer: process %d", e.PID)
}

// Answer is Find for whoever must know: it waits until the cloud that holds the
// project's lock answers, or has let go of it (nil), and fails with a *HungError
// after seconds.
func (g Registry) Answer(ctx context.Context, project string) (*Running, error) {
	for began := time.Now(); ; {
		running, err := g.Find(ctx, project)
		if err != nil || running != nil {
			return running, err
		}
		if busy, err := g.Busy(project); err != nil || !busy {
			return nil, err
		}
		if time.Since(began) > hungAfter {
			return nil, g.hung(project)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Hung says which process holds the project's local cloud, which did not answer a
// moment ago; nil when none does any more, or it answers again. A cloud that ends
// listens no more and holds its project until all it has started is gone: only one
// that a signal has stopped, or that takes longer than an end takes, is hung.
func (g Registry) Hung(ctx context.Context, project string) *HungError {
	if busy, err := g.Busy(project); err != nil || !busy {
		return nil
	}
	if hung := g.hung(project); hung.Stopped {
		return hung
	}
	_, err := g.Answer(ctx, project)
	hung, _ := errors.AsType[*HungError](err)
	return hung
}

func (g Registry) hung(project string) *HungError {
	lock := g.file(project, ".lock")
	pid := holder(lock)
	return &HungError{PID: pid, Stopped: pid != 0 && isStopped(pid), lock: lock}
}

// holder is the process that wrote itself into the lock and still has it open;
// 0 when that cannot be told.
func holder(lock string) int {
	data, err := os.ReadFile(lock)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(data)))
	if err != nil || pid <= 1 || pid == os.Getpid() || !hasOpen(pid, lock) {
		return 0
	}
	return pid
}

// termGrace is how long a process that does not answer has to end in order.
const termGrace = 3 * time.Second

// End ends the process of a cloud that does not answer, in order if it still
// can, and waits until it is gone. What it has started ends with it.
func (g Registry) End(ctx context.Context, project string, hung *HungError) error {
	// Whoever holds the lock now is asked again: numbers of processes are used anew.
	if now := g.hung(project); hung.PID == 0 || now.PID != hung.PID {
		return hung
	}
	terminate(hung.PID)
	for began, killed := time.Now(), false; ; {
		busy, err := g.Busy(project)
		if err != nil || !busy {
			return err
		}
		switch waited := time.Since(began); {
		case waited > 2*termGrace:
			return fmt.Errorf("process %d does not end, though it was killed; it waits for the system", hung.PID)
		case waited > termGrace && !killed:
			killed = true
			kill(hung.PID)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
