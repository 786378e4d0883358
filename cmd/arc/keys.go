package main

import (
	"os"
	"sync"

	"arc/plugin"

	"golang.org/x/term"
)

// keyboard is the terminal that arc sandbox was started in, for plugins that wait
// for keys: what is typed goes to them, as they ask for it, and Ctrl-C stays
// arc's. Nothing is read before one asks.
type keyboard struct {
	in *os.File

	mu     sync.Mutex
	typing plugin.Typing // as it is asked for
	to     func([]byte)  // who asks
	reads  bool          // a goroutine does
	was    *term.State   // before keys came one by one; nil = they do not
	closed bool
}

// newKeyboard is that of stdin; nil = it is no terminal.
func (s *session) newKeyboard() *keyboard {
	in, ok := s.stdin.(*os.File)
	if !ok || !hasKeys || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	return &keyboard{in: in}
}

// ask says how somebody wants what is typed. Who asks last gets it.
func (k *keyboard) ask(typing plugin.Typing, to func([]byte)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	k.typing, k.to = typing, to
	k.settle()
	if typing != plugin.NotTyping && !k.reads {
		k.reads = true
		go k.read()
	}
}

// settle has the terminal give keys one by one, or lines, as it is asked for.
// Where arc is in the background it is left as it is: it is somebody else's.
func (k *keyboard) settle() {
	if !inForeground(k.in) {
		return
	}
	switch fd := int(k.in.Fd()); {
	case k.typing == plugin.Keys && !keyByKey(k.in):
		before, err := term.GetState(fd)
		if err == nil && setKeyByKey(k.in) == nil && k.was == nil {
			k.was = before
		}
	case k.typing != plugin.Keys && k.was != nil:
		_ = term.Restore(fd, k.was) // it may be gone
		k.was = nil
	}
}

// read hands on what is typed, as long as somebody asks for it.
func (k *keyboard) read() {
	buffer := make([]byte, 1024)
	for {
		typed := waitForKeys(k.in) && inForeground(k.in)
		k.mu.Lock()
		if k.closed || k.typing == plugin.NotTyping {
			k.reads = false
			k.mu.Unlock()
			return
		}
		k.settle() // a shell that has stopped us in between has its own way
		to := k.to
		k.mu.Unlock()
		if !typed {
			continue
		}
		n, err := k.in.Read(buffer)
		if n > 0 {
			to(buffer[:n])
		}
		if err != nil {
			return // the terminal is gone
		}
	}
}

// close leaves the terminal as it was.
func (k *keyboard) close() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.typing = plugin.NotTyping
	k.settle()
	k.closed = true
}
