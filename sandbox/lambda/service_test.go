//go:build unix

package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
)

// pidHandler tells its process, and how many events it has had.
const pidHandler = `
-- index.mjs --
let count = 0
export const handler = async (event) => ({ pid: process.pid, count: ++count, n: event.n, version: 1 })
`

type pidResult struct{ PID, Count, N, Version int }

func (s *service) pid(name string) pidResult {
	s.t.Helper()
	var r pidResult
	if err := json.Unmarshal([]byte(s.invoke(name, "{}")), &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// TestManyCallers is a crowd that comes at once: nobody is turned away, and the
// machine is not flooded with processes.
func TestManyCallers(t *testing.T) {
	need(t, "node")
	const callers, each = 150, 10
	s := newService(t, lambda.Options{Workers: 3})
	fn := function(t, "crowd", pidHandler)
	fn.Timeout = 5
	s.Put(fn)
	var mu sync.Mutex
	pids := map[int]bool{}
	var wait sync.WaitGroup
	for caller := range callers {
		wait.Go(func() {
			for i := range each {
				n := caller*each + i
				result, err := s.Invoke(context.Background(), "crowd", fmt.Appendf(nil, `{"n":%d}`, n))
				var got pidResult
				if err == nil {
					err = json.Unmarshal(result.Payload, &got)
				}
				if err != nil || result.Failed != "" || got.N != n {
					t.Errorf("event %d: %s %s %v", n, result.Failed, result.Payload, err)
					return
				}
				mu.Lock()
				pids[got.PID] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(pids) > 3 {
		t.Errorf("%d processes handled the crowd, more than the 3 allowed at once", len(pids))
	}
}

// TestFirstComeFirstServed also shows that the wait is not the function's time:
// the last event waits longer than the timeout.
func TestFirstComeFirstServed(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{Workers: 1})
	fn := function(t, "slow", `
-- index.mjs --
const order = []
export const handler = async (event) => {
  order.push(event.n)
  if (event.gate) await fetch(event.gate)
  else await new Promise((resolve) => setTimeout(resolve, 300))
  return order
}
`)
	fn.Timeout = 1
	s.Put(fn)
	server, g := newGate(t)
	var wait sync.WaitGroup
	wait.Go(func() { s.invoke("slow", `{"n":0,"gate":"`+server.URL+`"}`) })
	<-g.entered
	for n := 1; n < 8; n++ {
		wait.Go(func() { s.invoke("slow", fmt.Sprintf(`{"n":%d}`, n)) })
		eventually(t, "the event waits", func() bool { return s.Waiting() == n })
	}
	close(g.leave)
	wait.Wait()
	if got := s.invoke("slow", `{"n":8}`); got != "[0,1,2,3,4,5,6,7,8]" {
		t.Errorf("handled in the order %s", got)
	}
}

func TestRetired(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	fn := function(t, "fn", pidHandler)
	s.Put(fn)
	first := s.pid("fn")
	if again := s.pid("fn"); again.PID != first.PID || again.Count != 2 {
		t.Errorf("a warm worker was not used again: %+v, then %+v", first, again)
	}
	write(t, fn.Dir, strings.ReplaceAll(pidHandler, "version: 1", "version: 2"))
	s.Retire("fn")
	second := s.pid("fn")
	if second.PID == first.PID || second.Version != 2 || second.Count != 1 {
		t.Errorf("after Retire: %+v, before %+v", second, first)
	}
	fn.Env = map[string]string{"NEW": "yes"}
	s.Put(fn)
	if third := s.pid("fn"); third.PID == second.PID {
		t.Error("Put with new settings kept the worker")
	}
	eventually(t, "old workers are gone", func() bool { return dead(first.PID) && dead(second.PID) })
}

// TestRetiredAtWork changes the code while an event is being handled: that one
// ends well, with the old code, and the next gets the new one.
func TestRetiredAtWork(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	fn := function(t, "fn", gateHandler)
	s.Put(fn)
	gate, opened := newGate(t)
	first := make(chan string, 1)
	go func() { first <- s.invoke("fn", `{"gate":"`+gate.URL+`"}`) }()
	<-opened.entered
	write(t, fn.Dir, "-- index.mjs --\nexport const handler = async () => 'new'")
	s.Retire("fn")
	if got := s.invoke("fn", "{}"); got != `"new"` {
		t.Errorf("after Retire: %s", got)
	}
	close(opened.leave)
	if got := <-first; got != `"through"` {
		t.Errorf("the event under way got %s", got)
	}
}

// gateHandler waits until the gate whose address it is given lets it through.
const gateHandler = `
-- index.mjs --
export const handler = async (event) => {
  if (event.gate) await fetch(event.gate)
  return 'through'
}
`

type gate struct{ entered, leave chan struct{} }

func newGate(t *testing.T) (*httptest.Server, gate) {
	g := gate{make(chan struct{}, 100), make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.entered <- struct{}{}
		select {
		case <-g.leave:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server, g
}

func TestCancelled(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{Workers: 1})
	fn := function(t, "fn", gateHandler)
	s.Put(fn)
	server, g := newGate(t)
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 2)
	invoke := func() {
		_, err := s.Invoke(ctx, "fn", []byte(`{"gate":"`+server.URL+`"}`))
		failed <- err
	}
	go invoke()
	<-g.entered
	go invoke()
	eventually(t, "the second waits", func() bool { return s.Waiting() == 1 })
	cancel()
	for range 2 {
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
	if s.Waiting() != 0 {
		t.Error("a cancelled event still waits")
	}
	close(g.leave)
	if got := s.invoke("fn", "{}"); got != `"through"` {
		t.Errorf("the worker of a cancelled event: %s", got)
	}
}

func TestRefused(t *testing.T) {
	s := newService(t, lambda.Options{})
	none := 0
	off := function(t, "off", pidHandler)
	off.Reserved = &none
	s.Put(off)
	for _, c := range []struct {
		name  string
		event []byte
		want  error
	}{
		{"nobody", nil, invoke.ErrNotFound},
		{off.ARN + ":live", nil, invoke.ErrNotFound},
		{"off", nil, invoke.ErrThrottled},
		{"off", make([]byte, 7<<20), invoke.ErrTooLarge},
	} {
		if _, err := s.Invoke(context.Background(), c.name, c.event); !errors.Is(err, c.want) {
			t.Errorf("%s with %d bytes: %v, want %v", c.name, len(c.event), err, c.want)
		}
	}
	s.Close()
	if _, err := s.Invoke(context.Background(), "off", nil); !errors.Is(err, invoke.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestRemoved(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{Workers: 1})
	fn := function(t, "fn", gateHandler)
	s.Put(fn)
	server, g := newGate(t)
	first, second := make(chan string, 1), make(chan error, 1)
	go func() { first <- s.invoke("fn", `{"gate":"`+server.URL+`"}`) }()
	<-g.entered
	go func() {
		_, err := s.Invoke(context.Background(), "fn", nil)
		second <- err
	}()
	eventually(t, "the second waits", func() bool { return s.Waiting() == 1 })
	s.Remove("fn")
	if err := <-second; !errors.Is(err, invoke.ErrNotFound) {
		t.Errorf("the event that waited: %v", err)
	}
	close(g.leave)
	if got := <-first; got != `"through"` {
		t.Errorf("the event under way: %s", got)
	}
	eventually(t, "the worker is gone", func() bool { all, _ := s.Workers(); return all == 0 })
}

// TestMakeRoom has more functions than workers: the one idle longest goes.
func TestMakeRoom(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{Workers: 2})
	pids := map[string]int{}
	for _, name := range []string{"a", "b", "a", "c"} {
		if pids[name] == 0 {
			s.Put(function(t, name, pidHandler))
		}
		pids[name] = s.pid(name).PID
		// A worker is idle only once it has asked for the next event.
		eventually(t, name+" is idle", func() bool { _, busy := s.Workers(); return busy == 0 })
	}
	eventually(t, "b is gone", func() bool { return dead(pids["b"]) })
	if s.pid("a").PID != pids["a"] || s.pid("c").PID != pids["c"] {
		t.Error("a worker that had just been used was ended")
	}
}

// TestWaitingForEachOther has a function call another one, with a single worker
// allowed to be busy.
func TestWaitingForEachOther(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{Workers: 2})
	s.Put(function(t, "outer", gateHandler))
	s.Put(function(t, "inner", pidHandler))
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := s.Invoke(r.Context(), "inner", nil); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	if got := s.invoke("outer", `{"gate":"`+server.URL+`"}`); got != `"through"` {
		t.Errorf("outer: %s", got)
	}
}

func TestWarm(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	s.Put(function(t, "fn", pidHandler))
	s.Warm("fn")
	s.Warm("fn")
	s.Warm("nobody")
	eventually(t, "the worker is ready", func() bool { all, busy := s.Workers(); return all == 1 && busy == 0 })
	s.invoke("fn", "{}")
	if all, _ := s.Workers(); all != 1 {
		t.Errorf("%d workers, want the one that was warm", all)
	}
}

// TestMissingRuntime has nothing on its PATH.
func TestMissingRuntime(t *testing.T) {
	s := lambda.New(lambda.Options{Path: t.TempDir()})
	t.Cleanup(func() { s.Close(context.Background()) })
	for runtime, want := range map[string]string{
		"nodejs22.x": "install Node.js from https://nodejs.org",
		"python3.13": "install Python 3 from https://www.python.org/downloads",
		"ruby3.3":    "install Ruby from https://www.ruby-lang.org",
		"deno":       "install Deno from https://deno.com",
	} {
		fn := function(t, runtime, pidHandler)
		fn.Runtime = runtime
		s.Put(fn)
		r, err := s.Invoke(context.Background(), runtime, nil)
		if err != nil || r.Kind != invoke.RuntimeMissing || !strings.Contains(string(r.Payload), want) {
			t.Errorf("%s: %s %s %v", runtime, r.Kind, r.Payload, err)
		}
	}
}

func TestMissingFolder(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	fn := function(t, "fn", pidHandler)
	fn.Remedy = "run the build first"
	for _, c := range []struct{ remove, want string }{
		{fn.Dir + "/index.mjs", fn.Dir + ": the folder has no file for the handler index.handler: run the build first"},
		{fn.Dir, fn.Dir + ": the function has no folder: run the build first"},
	} {
		if err := os.RemoveAll(c.remove); err != nil {
			t.Fatal(err)
		}
		s.Put(fn)
		if r := s.result("fn", "{}"); r.Kind != invoke.HandlerMissing || !strings.Contains(string(r.Payload), c.want) {
			t.Errorf("%s: %s, want %s", r.Kind, r.Payload, c.want)
		}
	}
}

func TestListed(t *testing.T) {
	s := newService(t, lambda.Options{})
	for _, name := range []string{"b", "a", "c"} {
		s.Put(lambda.Function{Name: name})
	}
	got := ""
	for _, fn := range s.Functions() {
		got += fn.Name
	}
	if got != "abc" {
		t.Errorf("listed %s", got)
	}
	arn := "arn:aws:lambda:us-west-2:" + account + ":function:d"
	s.Put(lambda.Function{Name: "d", ARN: arn})
	for called, want := range map[string]bool{"d": true, arn: true, arn + ":1": false, "d:1": false, "1": false, "": false, strings.Replace(arn, "west", "east", 1): false} {
		if fn, ok := s.Function(called); ok != want || ok && fn.Name != "d" {
			t.Errorf("%q: %v %t", called, fn, ok)
		}
	}
}
