package lambda_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"arc/sandbox/lambda"

	"github.com/coder/websocket"
)

// TestDebugger attaches to a function as Chrome does, and pauses it for longer
// than its timeout: it goes on when it is told to.
func TestDebugger(t *testing.T) {
	need(t, "node")
	said := make(chan string, 100)
	s := newService(t, lambda.Options{
		Inspect: func(label, _ string) bool { return label == "@http get /" },
		Log:     func(_, _, line string) { said <- line },
	})
	fn := function(t, "fn", "-- index.mjs --\nexport const handler = async (event) => {\n  if (event.pause) debugger\n  return 'done'\n}\n")
	fn.Label, fn.Timeout = "@http get /", 1
	s.Put(fn)
	at := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(<-said)
	if got := s.invoke("fn", "{}"); got != `"done"` {
		t.Fatal(got)
	}
	resp, err := http.Get("http://" + at + "/json/list")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list []struct{ WebSocketDebuggerURL string }
	data, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %v", data, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	debugger, _, err := websocket.Dial(ctx, list[0].WebSocketDebuggerURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer debugger.CloseNow()
	debugger.SetReadLimit(1 << 20)
	tell := func(message string) {
		t.Helper()
		if err := debugger.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(word string) {
		t.Helper()
		for {
			_, message, err := debugger.Read(ctx)
			if err != nil {
				t.Fatalf("before %s: %v", word, err)
			}
			if strings.Contains(string(message), word) {
				return
			}
		}
	}
	tell(`{"id":1,"method":"Debugger.enable"}`)
	hear(`"id":1`)
	answer := make(chan string, 1)
	go func() {
		r, err := s.Invoke(context.Background(), "fn", []byte(`{"pause":true}`))
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- string(r.Payload)
	}()
	hear("Debugger.paused")
	select {
	case got := <-answer:
		t.Fatalf("while it was paused: %s", got)
	case <-time.After(1200 * time.Millisecond): // its timeout, and some
	}
	tell(`{"id":2,"method":"Debugger.resume"}`)
	if got := <-answer; got != `"done"` {
		t.Error(got)
	}
	if !s.Inspected("fn") {
		t.Error("nobody is told to be patient")
	}
}
