package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/deploy"
	"arc/manifest/syntax"
	"arc/sandbox/activity"
)

// eventWriter prints what happens as JSON, an event a line: docs/events.schema.json
// has its shapes.
type eventWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *eventWriter) write(e any) {
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

// event is a line of arc deploy, create and destroy --json. What does not belong
// to its kind is empty.
type event struct {
	Time      time.Time `json:"time"`
	Kind      string    `json:"event"`
	Text      string    `json:"text,omitempty"`
	Hint      string    `json:"hint,omitempty"`
	LogicalID string    `json:"logicalId,omitempty"`
	Type      string    `json:"type,omitempty"`
	Status    string    `json:"status,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Seconds   float64   `json:"seconds,omitempty"`
	Severity  string    `json:"severity,omitempty"`
	File      string    `json:"file,omitempty"`
	Line      int       `json:"line,omitempty"`
	Col       int       `json:"col,omitempty"`
	Code      string    `json:"code,omitempty"`
	Stack     string    `json:"stack,omitempty"`
	Exit      int       `json:"exit,omitempty"`
	Outcome   any       `json:"outcome,omitempty"`
}

// wantsEvents tells from the words of a command line whether stdout is to have
// events and nothing else: before anything is parsed, so that a mistake in the
// words is an event as well.
func wantsEvents(args []string) bool {
	if len(args) < 2 || !slices.Contains([]string{"deploy", "create", "destroy", "sandbox"}, args[1]) {
		return false
	}
	for _, a := range args[2:] {
		switch strings.TrimLeft(a, "-") {
		case "json", "json=true":
			return strings.HasPrefix(a, "-")
		}
	}
	return false
}

// emit prints an event where they are asked for, and says whether they are.
func (s *session) emit(e event) bool {
	if s.events == nil {
		return false
	}
	e.Time = cmp.Or(e.Time, time.Now()).UTC()
	s.events.write(e)
	return true
}

// done ends the events of a command with what came of it.
func (s *session) done(outcome any) error {
	s.emit(event{Kind: "done", Outcome: outcome})
	return nil
}

// emitMistakes prints diagnostics as events.
func (s *session) emitMistakes(ds syntax.Diagnostics) {
	for _, m := range mistakes(ds) {
		s.emit(event{Kind: "mistake", Severity: m.Severity, File: m.File, Line: m.Line, Col: m.Col, Code: m.Code, Text: m.Message, Hint: m.Hint})
	}
}

// emitStep prints a step of a deploy as an event.
func (s *session) emitStep(step deploy.Step) {
	e := event{Time: step.Time, Text: step.Message, LogicalID: step.LogicalID, Type: step.Type, Status: step.Status, Reason: step.Reason, Seconds: step.Took.Seconds()}
	switch step.Kind {
	case "event":
		e.Kind, e.Text = "resource", ""
	case "change-set":
		e.Kind = "change"
	case "note":
		e.Kind = "notice"
	default: // upload, publish, expected
		e.Kind = step.Kind
	}
	s.emit(e)
}

// emitError prints the end of a command that failed.
func (s *session) emitError(err error, code int) {
	e := event{Kind: "error", Text: fmt.Sprint(err), Exit: code}
	if own, ok := err.(exitCode); ok {
		e.Text, e.Exit = "what is wrong is told before", int(own)
	}
	var h hinted
	if errors.As(err, &h) {
		e.Hint = h.hint
	}
	if failed, ok := errors.AsType[*deploy.FailedError](err); ok {
		e.Stack, e.Status, e.LogicalID, e.Type, e.Reason = failed.StackName, failed.Status, failed.LogicalID, failed.Type, failed.Reason
		if failed.Cause != nil {
			e.Code = failed.Cause.Code
		}
		if file, line, col, ok := splitPosition(failed.Origin); ok {
			e.File, e.Line, e.Col = file, line, col
		}
	}
	s.emit(e)
}

// splitPosition reads "app.arc:7:1".
func splitPosition(text string) (file string, line, col int, ok bool) {
	parts := strings.Split(text, ":")
	if len(parts) < 3 {
		return "", 0, 0, false
	}
	file = strings.Join(parts[:len(parts)-2], ":")
	_, err := fmt.Sscanf(strings.Join(parts[len(parts)-2:], " "), "%d %d", &line, &col)
	return file, line, col, err == nil
}
