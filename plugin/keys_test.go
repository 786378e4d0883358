package plugin

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// seat is a terminal with nobody at it but the test.
type seat struct {
	mu    sync.Mutex
	asked []string
	keys  func([]byte)
	drawn strings.Builder
}

func (s *seat) terminal(paints bool) *Terminal {
	t := &Terminal{Ask: func(name string, typing Typing, keys func([]byte)) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked, s.keys = append(s.asked, name+" "+string(typing)), keys
	}}
	if paints {
		t.Paint = func(text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.drawn.WriteString(text)
		}
	}
	return t
}

func (s *seat) state() (asked, drawn string, keys func([]byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.asked, ", "), s.drawn.String(), s.keys
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come about: " + what)
		}
	}
}

// TestTyping: what is typed goes to the plugin that asks for it, as it asks, and
// what it draws meanwhile is drawn; all else it prints is told line by line.
func TestTyping(t *testing.T) {
	var out said
	var sits seat
	h, p := start(t, "testdata/typing.txtar", Options{Output: out.add, Terminal: sits.terminal(true)})
	if asked, _, _ := sits.state(); asked != "" {
		t.Fatalf("a plugin that does not run yet has asked: %s", asked)
	}
	if err := h.Sandbox(t.Context(), p, "sandbox.start", nil, Change{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "keys are asked for", func() bool { asked, _, _ := sits.state(); return strings.HasSuffix(asked, "types keys") })
	_, drawn, keys := sits.state()
	if drawn != "" {
		t.Errorf("drawn without a need: %q", drawn)
	}
	keys([]byte("ä\x1b[A"))
	eventually(t, "the plugin tells what was typed", func() bool { return out.has(`types: typed "ä\u001b[A" true true`) })
	keys([]byte("d"))
	eventually(t, "the plugin draws", func() bool { _, drawn, _ := sits.state(); return drawn == "\x1b[2Kchoose: one\n" })
	keys([]byte("p"))
	eventually(t, "lines are told again", func() bool { return out.has("types: plain red") })
	keys([]byte("l"))
	eventually(t, "lines are asked for", func() bool { asked, _, _ := sits.state(); return strings.HasSuffix(asked, "types keys, types lines") })
	keys([]byte("D"))
	eventually(t, "what draws is told as lines", func() bool { return out.has("types: drawn") })
	if _, drawn, _ := sits.state(); drawn != "\x1b[2Kchoose: one\n" {
		t.Errorf("without keys it draws %q", drawn)
	}
	keys([]byte("q"))
	eventually(t, "nothing is asked for", func() bool { asked, _, _ := sits.state(); return strings.HasSuffix(asked, "types lines, types ") })
	keys([]byte("r"))
	h.Close()
	if asked, _, _ := sits.state(); !strings.HasSuffix(asked, "types lines, types ") {
		t.Errorf("whoever did not ask any more asks at the end: %s", asked)
	}
}

// TestTypingEnds: plugins that end leave the terminal to others.
func TestTypingEnds(t *testing.T) {
	var sits seat
	h, p := start(t, "testdata/typing.txtar", Options{Terminal: sits.terminal(true)})
	if err := h.Sandbox(t.Context(), p, "sandbox.start", nil, Change{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "keys are asked for", func() bool { asked, _, _ := sits.state(); return strings.HasSuffix(asked, "types keys") })
	h.Close()
	if asked, _, _ := sits.state(); !strings.HasSuffix(asked, "types keys,  ") {
		t.Errorf("asked: %q", asked)
	}
}

// TestNobodyTypes: without a terminal a plugin sees the end of its input, and arc
// hears that it waits for some.
func TestNobodyTypes(t *testing.T) {
	var out said
	var sits seat
	h, p := start(t, "testdata/typing.txtar", Options{Output: out.add, Terminal: sits.terminal(false)})
	if err := h.Sandbox(t.Context(), p, "sandbox.start", nil, Change{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is told of", func() bool { asked, _, _ := sits.state(); return strings.HasPrefix(asked, "types lines") })
	eventually(t, "the input ends", func() bool { return out.has("types: the end, undefined") })
}
