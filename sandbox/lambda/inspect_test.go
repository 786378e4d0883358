package lambda_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
		Inspect: func(label, _ string) (int, bool) { return 0, label == "@http get /" },
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

// debugpyFolder is where a Python is that has debugpy.
func debugpyFolder(t *testing.T) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin") {
		if exec.Command(filepath.Join(dir, "python3"), "-c", "import debugpy").Run() == nil {
			return dir
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no python3 on the PATH has debugpy")
	}
	t.Skip("no python3 on the PATH has debugpy")
	return ""
}

// dap is a client of the protocol that editors speak with debuggers.
// https://microsoft.github.io/debug-adapter-protocol/overview
type dap struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	seq  int
}

func (d *dap) tell(command, arguments string) {
	d.t.Helper()
	d.seq++
	text := fmt.Sprintf(`{"seq":%d,"type":"request","command":%q,"arguments":%s}`, d.seq, command, arguments)
	if _, err := fmt.Fprintf(d.conn, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
		d.t.Fatal(err)
	}
}

// hear reads messages until one has the word.
func (d *dap) hear(word string) string {
	d.t.Helper()
	for {
		length := 0
		for {
			line, err := d.in.ReadString('\n')
			if err != nil {
				d.t.Fatalf("before %s: %v", word, err)
			}
			if line = strings.TrimSpace(line); line == "" {
				break
			}
			fmt.Sscanf(line, "Content-Length: %d", &length)
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(d.in, text); err != nil {
			d.t.Fatal(err)
		}
		if strings.Contains(string(text), word) {
			return string(text)
		}
	}
}

// TestDebuggerOfPython attaches to a function as editors do, and pauses it for
// longer than its timeout: it goes on when it is told to.
func TestDebuggerOfPython(t *testing.T) {
	said := make(chan string, 100)
	s := newService(t, lambda.Options{
		Path:    debugpyFolder(t),
		Inspect: func(string, string) (int, bool) { return 0, true },
		Log:     func(_, _, line string) { said <- line },
	})
	fn := function(t, "fn", "-- index.py --\ndef handler(event, context):\n    if event.get('pause'):\n        breakpoint()\n    return 'done'\n")
	fn.Runtime, fn.Timeout = "python3.13", 1
	s.Put(fn)
	at := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(<-said)
	if got := s.invoke("fn", "{}"); got != `"done"` {
		t.Fatal(got)
	}
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	d := &dap{t: t, conn: conn, in: bufio.NewReader(conn)}
	d.tell("initialize", `{"adapterID":"arc"}`)
	d.hear(`"command": "initialize"`)
	d.tell("attach", `{"name":"arc"}`)
	d.hear(`"event": "initialized"`)
	d.tell("configurationDone", `{"restart":false}`)
	d.hear(`"command": "attach"`)
	answer := make(chan string, 1)
	go func() {
		r, err := s.Invoke(context.Background(), "fn", []byte(`{"pause":true}`))
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- string(r.Payload)
	}()
	var stopped struct{ Body struct{ ThreadID int } }
	if err := json.Unmarshal([]byte(d.hear(`"event": "stopped"`)), &stopped); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-answer:
		t.Fatalf("while it was paused: %s", got)
	case <-time.After(1200 * time.Millisecond): // its timeout, and some
	}
	d.tell("continue", fmt.Sprintf(`{"threadId":%d}`, stopped.Body.ThreadID))
	if got := <-answer; got != `"done"` {
		t.Error(got)
	}
}
