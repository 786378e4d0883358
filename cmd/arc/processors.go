package main

import (
	"runtime"
	"sync"
)

// processors is how many of the machine's processors this program uses while it runs
// an app: half of them, since the functions that it runs want the others, and a message
// on its way through wakes fewer threads then, which is a tenth of the time that it
// takes. What takes long, to read and compile a manifest and to build code, has all of
// them. GOMAXPROCS in the environment is what somebody wants, and stays.
// https://pkg.go.dev/runtime#GOMAXPROCS
type processors struct {
	mu    sync.Mutex
	all   int
	tasks int // that have all of them, the start of the app among them
}

// newProcessors has this program use all of them until share.
func newProcessors(env func(string) string) *processors {
	if env("GOMAXPROCS") != "" {
		return nil
	}
	return &processors{all: runtime.GOMAXPROCS(0), tasks: 1}
}

// share leaves processors to others until end, but for what takes long.
func (p *processors) share() (end func()) {
	p.add(-1)
	return func() { p.add(1) }
}

// whole has this program use all processors until done. It may be called several
// times at once.
func (p *processors) whole() (done func()) {
	p.add(1)
	return func() { p.add(-1) }
}

// add counts a task that has all processors. To set how many are used stops all
// goroutines for some microseconds, so that it is done when that changes alone.
func (p *processors) add(tasks int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tasks += tasks
	n := p.all
	if p.tasks == 0 {
		n = max(1, p.all/2)
	}
	if n != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}
