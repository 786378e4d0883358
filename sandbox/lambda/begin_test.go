//go:build unix

package lambda_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
)

// end is what Begin told of an event.
type end struct {
	result invoke.Result
	err    error
}

// TestBegin tells once of each event's end: its answer, a refusal, that it took too long
// while it waited or while it ran, that its worker died, and that the service is closed.
func TestBegin(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{Workers: 1})
	s.Put(function(t, "fn", gateHandler))
	off := function(t, "off", pidHandler)
	none := 0
	off.Reserved = &none
	s.Put(off)
	begin := func(name, event string, limit time.Duration) <-chan end {
		told := make(chan end, 10)
		s.Begin(context.Background(), name, []byte(event), limit, func(r invoke.Result, err error) { told <- end{r, err} })
		return told
	}
	if got := <-begin("fn", "{}", 0); got.err != nil || string(got.result.Payload) != `"through"` || got.result.Version != "$LATEST" || got.result.RequestID == "" {
		t.Errorf("answered: %+v", got)
	}
	for name, want := range map[string]error{"nobody": invoke.ErrNotFound, "off": invoke.ErrThrottled} {
		told := begin(name, "{}", time.Minute)
		if len(told) != 1 {
			t.Fatalf("%s: it waits for a refusal", name)
		}
		if got := <-told; !errors.Is(got.err, want) {
			t.Errorf("%s: %+v, want %v", name, got, want)
		}
	}
	if got := <-begin("fn", string(make([]byte, 7<<20)), 0); !errors.Is(got.err, invoke.ErrTooLarge) {
		t.Errorf("too large: %v", got.err)
	}

	server, g := newGate(t)
	runs := begin("fn", `{"gate":"`+server.URL+`"}`, time.Second)
	<-g.entered
	waits := begin("fn", "{}", time.Millisecond)
	for what, told := range map[string]<-chan end{"one that runs": runs, "one that waits": waits} {
		if got := <-told; !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if s.Waiting() != 0 {
		t.Error("an event that waited for too long waits still")
	}
	close(g.leave)
	if got := s.invoke("fn", "{}"); got != `"through"` { // its end has come after the one that ran
		t.Error(got)
	}
	if len(runs)+len(waits) != 0 {
		t.Error("an end is told twice")
	}

	server, g = newGate(t)
	runs = begin("fn", `{"gate":"`+server.URL+`"}`, 0)
	<-g.entered
	waits = begin("fn", "{}", 0)
	s.Close()
	for what, told := range map[string]<-chan end{"one that runs": runs, "one that waits": waits} {
		if got := <-told; !errors.Is(got.err, invoke.ErrClosed) {
			t.Errorf("closed, %s: %+v", what, got)
		}
	}
}
