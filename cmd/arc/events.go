package main

import (
	"encoding/json"
	"io"
	"sync"

	"arc/sandbox/activity"
)

// eventWriter prints what happens in the local cloud as JSON, an event a line.
type eventWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *eventWriter) write(e activity.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	enc := json.NewEncoder(w.to)
	enc.SetEscapeHTML(false)
	enc.Encode(e) // whoever reads may be gone; the app goes on
}

// tell prints an event of the local cloud: as JSON to stdout where that was
// asked for, else as a line of text to stderr.
func (s *session) tell(e activity.Event) {
	if s.events != nil {
		s.events.write(e)
		return
	}
	s.note("%s", e)
}
