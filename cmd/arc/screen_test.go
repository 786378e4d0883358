package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// counted is a terminal that says how often something was written to it, and takes
// nothing while it is stopped.
type counted struct {
	mu      sync.Mutex
	stopped sync.Mutex
	writes  int
	text    bytes.Buffer
}

func (c *counted) Write(p []byte) (int, error) {
	c.stopped.Lock()
	c.stopped.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	return c.text.Write(p)
}

func (c *counted) said() (text string, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String(), c.writes
}

// TestScreen writes the first line at once and others together, all of them in order.
func TestScreen(t *testing.T) {
	t.Parallel()
	to := &counted{}
	s := newScreen(to, droppedLines, func() {})
	io.WriteString(s, "first\n")
	for began := time.Now(); ; time.Sleep(100 * time.Microsecond) {
		if text, _ := to.said(); text == "first\n" {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("the first line does not come")
		}
	}
	want := strings.Builder{}
	want.WriteString("first\n")
	for i := range 1000 {
		fmt.Fprintf(io.MultiWriter(s, &want), "line %d\n", i)
	}
	s.flush()
	if text, writes := to.said(); text != want.String() || writes > 100 {
		t.Errorf("%d lines in %d writes: %.200s", strings.Count(text, "\n"), writes, text)
	}
}

// TestStoppedScreen has nobody take lines: those beyond the limit are dropped and
// counted, and what comes after them is written again.
func TestStoppedScreen(t *testing.T) {
	t.Parallel()
	to := &counted{}
	s := newScreen(to, droppedLines, func() {})
	to.stopped.Lock()
	io.WriteString(s, "0\n")
	for { // until it is being written
		s.mu.Lock()
		taken := s.lines == 0
		s.mu.Unlock()
		if taken {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for i := range screenLines + 7 {
		fmt.Fprintf(s, "%d\n", i+1)
	}
	to.stopped.Unlock()
	s.flush()
	io.WriteString(s, "again\n")
	s.flush()
	text, _ := to.said()
	if lines := strings.Count(text, "\n"); lines != 1+screenLines+2 || !strings.HasSuffix(text, fmt.Sprintf("\n%d\n7 lines dropped: nobody took them\nagain\n", screenLines)) {
		t.Errorf("%d lines, at the end %q", lines, text[max(0, len(text)-100):])
	}
	long := bytes.Repeat([]byte("x"), screenBytes/2)
	to.stopped.Lock()
	for range 3 {
		s.Write(append(long, '\n'))
	}
	to.stopped.Unlock()
	s.flush()
	if all, _ := to.said(); strings.Count(all, "xxx\n") != 1 || !strings.HasSuffix(all, "\n2 lines dropped: nobody took them\n") {
		t.Errorf("%d bytes end in %q", len(all), all[len(all)-60:])
	}
}

// TestBusyScreen collects lines for longer while many come: so many a second nobody reads.
func TestBusyScreen(t *testing.T) {
	t.Parallel()
	to := &counted{}
	s := newScreen(to, droppedLines, func() {})
	began, lines := time.Now(), 0
	for ; time.Since(began) < 500*time.Millisecond; time.Sleep(time.Millisecond) {
		for range many {
			lines++
			fmt.Fprintln(s, "line")
		}
	}
	most := int(time.Since(began)/gatherMany) + 5
	s.flush()
	if text, writes := to.said(); writes > most || strings.Count(text, "\n") != lines {
		t.Errorf("%d of %d lines in %d writes, of %d at most", strings.Count(text, "\n"), lines, writes, most)
	}
}
