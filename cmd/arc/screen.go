package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"arc/sandbox/activity"
)

// What a terminal or a pipe may be behind with before lines are dropped, and how
// long the end of the program waits for one that takes nothing.
const (
	screenLines = 4096
	screenBytes = 4 << 20
	lastWords   = time.Second
)

// gather is how long lines are collected that follow others: of an app that prints a
// line for each of thousands of messages a second, nobody can read them sooner, and
// writing each took a fifth of what this program does for a message. When many have
// come together in that time, the next ones are collected for gatherMany: a write to
// what may make one wait has Go's scheduler look for others that do, for a millisecond.
const (
	gather     = 10 * time.Millisecond
	gatherMany = 50 * time.Millisecond
	many       = 8 // lines
)

// screen writes for a running app to what may take nothing for long: a terminal
// that Ctrl-S has stopped, a pipe that nobody reads. The app does not wait for
// it: what is too much is dropped, and said.
type screen struct {
	to   io.Writer
	said func(dropped int) string // a line that tells of dropped ones
	gone func()                   // is called when nobody can read any more

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []byte
	lines   int // calls of Write in waiting
	bytes   int // in waiting, and being written
	dropped int
	idle    chan struct{} // closed when all is written; nil = nobody waits for it
}

func newScreen(to io.Writer, said func(dropped int) string, gone func()) *screen {
	s := &screen{to: to, said: said, gone: gone}
	s.wake = sync.NewCond(&s.mu)
	go s.run()
	return s
}

// Write takes one or more whole lines and never waits.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines >= screenLines || s.bytes+len(text) > screenBytes {
		s.dropped++
		return len(text), nil
	}
	if s.dropped > 0 {
		s.tell()
	}
	s.add(text)
	s.wake.Signal()
	return len(text), nil
}

func (s *screen) add(text []byte) {
	s.waiting = append(s.waiting, text...)
	s.lines++
	s.bytes += len(text)
}

// tell puts in the place of dropped lines how many they were. The caller holds
// the lock.
func (s *screen) tell() {
	s.add([]byte(s.said(s.dropped)))
	s.dropped = 0
}

// run writes what waits: at once what comes after a pause, and what follows it in one.
func (s *screen) run() {
	var spare []byte
	for {
		text, lines := s.take(spare)
		for rest := text; len(rest) > 0; {
			n := min(len(rest), screenPiece)
			if _, err := s.to.Write(rest[:n]); errors.Is(err, syscall.EPIPE) {
				s.gone()
			}
			rest = rest[n:]
		}
		s.mu.Lock()
		s.bytes -= len(text)
		s.mu.Unlock()
		if spare = text[:0]; cap(spare) > screenPiece {
			spare = nil // of a flood
		}
		if lines < many {
			time.Sleep(gather)
		} else {
			time.Sleep(gatherMany)
		}
	}
}

// screenPiece is how many bytes are written at once.
const screenPiece = 64 << 10

// take waits for something to write, and gives it in place of spare.
func (s *screen) take(spare []byte) (text []byte, lines int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) == 0 && s.dropped == 0 {
		if s.idle != nil {
			close(s.idle)
			s.idle = nil
		}
		s.wake.Wait()
	}
	if len(s.waiting) == 0 {
		s.tell()
	}
	text, lines = s.waiting, s.lines
	s.waiting, s.lines = spare, 0
	return text, lines
}

// flush waits until everything is written, for as long as that may take.
func (s *screen) flush() {
	idle := make(chan struct{})
	s.mu.Lock()
	s.idle = idle
	s.wake.Signal()
	s.mu.Unlock()
	select {
	case <-idle:
	case <-time.After(lastWords):
	}
}

// flush waits until all that was printed is written, as whoever reads the log of a
// background cloud when that is ready expects.
func (s *session) flush() {
	for _, screen := range s.screens {
		screen.flush()
	}
}

// droppedLines is what takes the place of lines in a text.
func droppedLines(n int) string {
	return fmt.Sprintf("%s dropped: nobody took them\n", count(n, "line"))
}

// screened puts screens in front of stdout and stderr, once, as from here on an
// app runs. The channel is closed when whoever read one of them has gone.
func (s *session) screened() <-chan struct{} {
	closed := make(chan struct{})
	gone := sync.OnceFunc(func() { close(closed) })
	if s.screens != nil {
		return closed
	}
	// Writing to a pipe without a reader is an error then, and not the end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	out, errs := newScreen(s.stdout, droppedLines, gone), newScreen(s.stderr, droppedLines, gone)
	if s.events != nil {
		out.said = droppedEvents
		s.events.to = out
	}
	s.stdout, s.stderr, s.screens = out, errs, []*screen{out, errs}
	return closed
}

// droppedEvents is what takes the place of events.
func droppedEvents(n int) string {
	var line strings.Builder
	(&eventWriter{to: &line}).write(activity.Event{Kind: activity.Notice, Time: time.Now().UTC(), Text: strings.TrimSpace(droppedLines(n))})
	return line.String()
}
