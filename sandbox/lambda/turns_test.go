//go:build unix

package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
)

// TestOneBadFunction calls a function that never answers, many times at once:
// another one is answered all the while, warm and cold.
func TestOneBadFunction(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	s.Put(function(t, "good", pidHandler))
	s.Put(function(t, "bad", gateHandler))
	s.pid("good")
	server, g := newGate(t)
	const calls = 12
	var wait sync.WaitGroup
	for range calls {
		wait.Go(func() { s.invoke("bad", `{"gate":"`+server.URL+`"}`) })
	}
	for range calls {
		<-g.entered // all of them at the same time, however many there are for each processor
		s.pid("good")
	}
	s.Put(function(t, "cold", pidHandler))
	s.pid("cold")
	close(g.leave)
	wait.Wait()
}

// TestReserved refuses what comes beyond a function's concurrency, as AWS does,
// and takes the next event once an answer is out.
func TestReserved(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	fn := function(t, "fn", gateHandler)
	one := 1
	fn.Reserved = &one
	s.Put(fn)
	for range 20 {
		s.invoke("fn", "{}")
	}
	server, g := newGate(t)
	done := make(chan string, 1)
	go func() { done <- s.invoke("fn", `{"gate":"`+server.URL+`"}`) }()
	<-g.entered
	if _, err := s.Invoke(context.Background(), "fn", nil); !errors.Is(err, invoke.ErrThrottled) || !strings.Contains(err.Error(), "its concurrency is 1") {
		t.Errorf("the second at once: %v", err)
	}
	close(g.leave)
	<-done
	s.invoke("fn", "{}")
}

// TestNoRoom has calls that wait for ever hold all workers there may be: the
// next ones are refused and told what to do; another function's idle worker makes
// room.
func TestNoRoom(t *testing.T) {
	need(t, "node")
	for name, options := range map[string]lambda.Options{"--max-workers": {Workers: 2}, "free at the start": {}} {
		s := newService(t, options)
		if options.Workers == 0 {
			s.Allow(1) // one worker is always allowed
		}
		s.Put(function(t, "bad", gateHandler))
		s.Put(function(t, "good", pidHandler))
		s.pid("good")
		server, g := newGate(t)
		ctx, cancel := context.WithCancel(context.Background())
		refused := make(chan error, 4)
		for range 4 {
			go func() {
				_, err := s.Invoke(ctx, "bad", []byte(`{"gate":"`+server.URL+`"}`))
				refused <- err
			}()
		}
		<-g.entered
		err := <-refused
		if !errors.Is(err, invoke.ErrThrottled) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		close(g.leave)
	}
}

// TestLapse lets the workers of a burst go, and keeps one.
func TestLapse(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	s.Hasten(time.Millisecond, 0)
	s.Put(function(t, "fn", gateHandler))
	server, g := newGate(t)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() { s.invoke("fn", `{"gate":"`+server.URL+`"}`) })
	}
	for range 4 {
		<-g.entered
	}
	close(g.leave)
	wait.Wait()
	eventually(t, "one is left", func() bool { all, busy := s.Workers(); return all == 1 && busy == 0 })
	s.invoke("fn", "{}")
}

// TestHangingInit cuts a start that takes too long and tries it once more,
// within the function's timeout; what it hangs at is said.
func TestHangingInit(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	s.Hasten(0, time.Second)
	hangs := function(t, "hangs", "-- index.mjs --\nawait new Promise(() => {})\nexport const handler = async () => 1")
	hangs.Timeout = 1
	s.Put(hangs)
	if r := s.result("hangs", "{}"); r.Kind != invoke.InitFailed || !strings.Contains(string(r.Payload), "Task timed out after 1.00 seconds") {
		t.Errorf("%s %s", r.Kind, r.Payload)
	}
	log := strings.Join(s.log(), "\n")
	if strings.Count(log, "INIT_REPORT") != 2 || !strings.Contains(log, "Phase: init\tStatus: timeout") || !strings.Contains(log, "Phase: invoke") || !strings.Contains(log, "top-level await") {
		t.Errorf("log: %s", log)
	}

	// The second try goes well.
	flag := t.TempDir() + "/tried"
	second := function(t, "second", fmt.Sprintf(`
-- index.mjs --
import fs from 'node:fs'
if (!fs.existsSync(%[1]q)) {
  fs.writeFileSync(%[1]q, '')
  await new Promise(() => {})
}
export const handler = async () => 'well'
`, flag))
	s.Put(second)
	if got := s.invoke("second", "{}"); got != `"well"` {
		t.Errorf("second try: %s", got)
	}

	// Provisioned concurrency has more time, at once.
	os.Remove(flag)
	slow := function(t, "slow", "-- index.mjs --\nawait new Promise((r) => setTimeout(r, 1500))\nexport const handler = async () => 'slow'")
	slow.Provisioned, slow.Timeout = true, 1
	s.Put(slow)
	if r := s.result("slow", "{}"); string(r.Payload) != `"slow"` || r.Init < time.Second {
		t.Errorf("provisioned: %s, Init %s", r.Payload, r.Init)
	}
}

// TestMemory ends a function that takes more memory than it has, in an event
// and while it loads, and leaves one alone that stays within it.
func TestMemory(t *testing.T) {
	need(t, "node")
	if runtime.GOOS != "linux" {
		t.Skip("memory is looked at on Linux only")
	}
	s := newService(t, lambda.Options{})
	const hog = `
-- index.mjs --
const take = (mb) => Array.from({ length: mb }, () => Buffer.alloc(1 << 20, 1))
const first = take(Number(process.env.LOAD ?? 0))
let kept
export const handler = async (event) => {
  kept = take(event.mb)
  return kept.length
}
`
	fn := function(t, "hog", hog)
	fn.MemoryMB = 128
	s.Put(fn)
	if got := s.invoke("hog", `{"mb":100}`); got != "100" {
		t.Errorf("within its memory: %s", got)
	}
	if r := s.result("hog", `{"mb":300}`); r.Kind != invoke.Crashed || !strings.Contains(string(r.Payload), `"errorType":"Runtime.OutOfMemory"`) {
		t.Errorf("beyond its memory: %s %s", r.Kind, r.Payload)
	}
	if log := strings.Join(s.log(), "\n"); !strings.Contains(log, "more than its memory of 128 MB") {
		t.Errorf("log: %s", log)
	}
	if got := s.invoke("hog", `{"mb":1}`); got != "1" {
		t.Errorf("the next event: %s", got)
	}
	loads := function(t, "loads", hog)
	loads.MemoryMB, loads.Env = 128, map[string]string{"LOAD": "1000"}
	s.Put(loads)
	if r := s.result("loads", `{"mb":0}`); r.Kind != invoke.InitFailed || !strings.Contains(string(r.Payload), "Runtime.OutOfMemory") {
		t.Errorf("while it loads: %s %s", r.Kind, r.Payload)
	}
}

// TestDetached has a function start a process that leaves its group: it ends
// with the worker.
func TestDetached(t *testing.T) {
	need(t, "node")
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells whose a detached process is")
	}
	s := newService(t, lambda.Options{})
	s.Put(function(t, "fn", `
-- index.mjs --
import { spawn } from 'node:child_process'
const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
child.unref()
export const handler = async () => [process.pid, child.pid]
`))
	var pids []int
	if err := json.Unmarshal([]byte(s.invoke("fn", "{}")), &pids); err != nil {
		t.Fatal(err)
	}
	s.Retire("fn")
	s.expectGone("detached", pids)
}

// TestWaited tells how long an event waited, and how long a worker took to start.
func TestWaited(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{Workers: 1})
	s.Put(function(t, "fn", gateHandler))
	if r := s.result("fn", "{}"); r.Init == 0 {
		t.Error("a first event tells nothing of the start")
	}
	server, g := newGate(t)
	go s.invoke("fn", `{"gate":"`+server.URL+`"}`)
	<-g.entered
	waited := make(chan time.Duration)
	go func() { waited <- s.result("fn", "{}").Waited }()
	eventually(t, "the second waits", func() bool { return s.Waiting() == 1 })
	close(g.leave)
	if <-waited == 0 {
		t.Error("an event that waited says that it did not")
	}
}

// TestStarved keeps the processor from a function for longer than its timeout: it
// comes to its end all the same, as on AWS, where it has one of its own. One that
// waits for something does not.
func TestStarved(t *testing.T) {
	need(t, "node")
	need(t, "taskset")
	s := newService(t, lambda.Options{})
	fn := function(t, "fn", `
-- index.mjs --
const used = () => { const { user, system } = process.cpuUsage(); return user + system }
export const handler = async (event) => {
  const began = used()
  while (used() - began < event.work * 1000);
  if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait))
  return process.pid
}
`)
	fn.Timeout = 1
	s.Put(fn)
	pid := s.invoke("fn", `{"work":0}`)
	pin := func(pid string) {
		t.Helper()
		if out, err := exec.Command("taskset", "-cp", "0", pid).CombinedOutput(); err != nil {
			t.Skipf("taskset: %v %s", err, out)
		}
	}
	pin(pid)
	for range 4 {
		other := exec.Command("sh", "-c", "while :; do :; done")
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			other.Process.Kill()
			other.Wait()
		})
		pin(strconv.Itoa(other.Process.Pid))
	}
	began := time.Now()
	if got := s.invoke("fn", `{"work":500}`); got != pid {
		t.Errorf("process %s, want %s", got, pid)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("it took %s: the test keeps nothing from it", took)
	}
	if r := s.result("fn", `{"work":0,"wait":60000}`); !strings.Contains(string(r.Payload), "Task timed out after 1.00 seconds") {
		t.Errorf("one that waits: %s", r.Payload)
	}
}
