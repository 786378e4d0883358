//go:build unix

package lambda_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
	"arc/sandbox/lambda/opt"
)

// TestMain lets the test binary be three other programs: what mounts layers, a
// Runtime API client in Go, and a process with a service that is killed.
func TestMain(m *testing.M) {
	// On another thread than the first, as it may be in any program.
	runtime.LockOSThread()
	entered := make(chan bool)
	go func() {
		if code, mine := opt.Enter(os.Args); mine {
			os.Exit(code)
		}
		close(entered)
	}()
	<-entered
	runtime.UnlockOSThread()
	switch {
	case os.Getenv("AWS_LAMBDA_RUNTIME_API") != "":
		if err := rawClient(os.Getenv("AWS_LAMBDA_RUNTIME_API")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case os.Getenv("ARC_TEST_PARENT") != "":
		doomedParent(os.Getenv("ARC_TEST_PARENT"))
	default:
		os.Exit(m.Run())
	}
}

// dead reports whether a process has ended, be it buried or not.
func dead(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS == "linux"
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) > 0 && rest[0] == 'Z'
}

// familyHandler starts a process of its own, and may wait for ever.
const familyHandler = `
-- index.mjs --
import { spawn } from 'node:child_process'
const child = spawn('sleep', ['1000'])
export const handler = async (event) => {
  if (event.wait) {
    console.log(JSON.stringify([process.pid, child.pid]))
    await new Promise((resolve) => setTimeout(resolve, 1e6))
  }
  if (event.exit) process.exit(1)
  return [process.pid, child.pid]
}
`

func family(t *testing.T, text string) (pids []int) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &pids); err != nil || len(pids) != 2 {
		t.Fatalf("not two processes: %s", text)
	}
	return pids
}

func (s *service) expectGone(what string, pids []int) {
	s.t.Helper()
	for _, pid := range pids {
		eventually(s.t, fmt.Sprintf("%s: process %d is gone", what, pid), func() bool { return dead(pid) })
	}
}

// TestWholeFamily ends workers in every way there is; what they have started
// ends with them.
func TestWholeFamily(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	fn := function(t, "fn", familyHandler)
	fn.Timeout = 1
	s.Put(fn)

	pids := family(t, s.invoke("fn", "{}"))
	if r := s.result("fn", `{"exit":true}`); r.Kind != invoke.Crashed {
		t.Fatalf("%s %s", r.Kind, r.Payload)
	}
	s.expectGone("crash", pids)

	if r := s.result("fn", `{"wait":true}`); r.Kind != invoke.TimedOut {
		t.Fatalf("%s %s", r.Kind, r.Payload)
	}
	_, printed, _ := strings.Cut(s.log()[0], " | ")
	s.expectGone("timeout", family(t, printed))

	pids = family(t, s.invoke("fn", "{}"))
	s.Retire("fn")
	s.expectGone("retired", pids)

	pids = family(t, s.invoke("fn", "{}"))
	s.Close()
	for _, pid := range pids[:1] {
		if !dead(pid) {
			t.Errorf("process %d is there after Close", pid)
		}
	}
	s.expectGone("closed", pids)
}

func TestCloseAtWork(t *testing.T) {
	need(t, "node")
	s := newService(t, lambda.Options{})
	s.Put(function(t, "fn", gateHandler))
	server, g := newGate(t)
	failed := make(chan error, 1)
	go func() {
		_, err := s.Invoke(context.Background(), "fn", []byte(`{"gate":"`+server.URL+`"}`))
		failed <- err
	}()
	<-g.entered
	s.Close()
	if err := <-failed; !errors.Is(err, invoke.ErrClosed) {
		t.Errorf("the event under way: %v", err)
	}
}

// doomedParent runs a service until it is killed.
func doomedParent(dir string) {
	s := lambda.New(lambda.Options{Path: os.Getenv("PATH"), Self: "/proc/self/exe"})
	if os.Getenv("ARC_TEST_ELSEWHERE") != "" {
		s.WithoutDeathSignal()
	}
	s.Put(lambda.Function{Name: "fn", Runtime: "nodejs22.x", Handler: "index.handler", Dir: dir, Timeout: 60, Opt: withLayers})
	go s.Invoke(context.Background(), "fn", []byte(os.Getenv("ARC_TEST_EVENT")))
	io.Copy(io.Discard, os.Stdin)
}

// TestParentKilled takes the service away without a word: no worker is left, be
// it idle or in the middle of an event that never lets it look up, nor is what it
// has started. Elsewhere than on Linux the kernel does not see to that.
func TestParentKilled(t *testing.T) {
	need(t, "node")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const handler = `
-- index.mjs --
import { spawn } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
const child = spawn('sleep', ['1000'])
export const handler = async (event) => {
  writeFileSync('pids-', JSON.stringify([process.pid, child.pid]))
  renameSync('pids-', 'pids')
  while (event.busy);
}
`
	for _, event := range []string{`{}`, `{"busy":true}`} {
		for _, elsewhere := range []string{"", "yes"} {
			dir := folder(t, handler)
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), "ARC_TEST_PARENT="+dir, "ARC_TEST_EVENT="+event, "ARC_TEST_ELSEWHERE="+elsewhere, "TMPDIR="+t.TempDir())
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var pids []int
			eventually(t, "the function has its event", func() bool {
				text, err := os.ReadFile(filepath.Join(dir, "pids"))
				if err == nil {
					pids = family(t, string(text))
				}
				return err == nil
			})
			for _, pid := range pids {
				if dead(pid) {
					t.Fatalf("process %d ended before its time", pid)
				}
			}
			cmd.Process.Kill()
			cmd.Wait()
			for _, pid := range pids {
				eventually(t, fmt.Sprintf("event %s, without PDEATHSIG %q: process %d of %v is gone", event, elsewhere, pid, pids), func() bool { return dead(pid) })
			}
		}
	}
}

// rawClient is a Runtime API client as a compiled function brings it, with
// net/http and nothing else. It answers each event with what it saw.
func rawClient(address string) error {
	base := "http://" + address + "/2018-06-01/runtime/"
	for {
		resp, err := http.Get(base + "invocation/next")
		if err != nil {
			return err
		}
		var event map[string]string
		if err := json.NewDecoder(resp.Body).Decode(&event); err != nil {
			return err
		}
		resp.Body.Close()
		id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
		saw := map[string]string{"event": event["do"], "handler": os.Getenv("_HANDLER"), "arn": resp.Header.Get("Lambda-Runtime-Invoked-Function-Arn"), "type": resp.Header.Get("Content-Type")}
		if event["do"] == "misbehave" {
			saw["next"] = exchange("GET", base+"invocation/next", "", nil)
			saw["unknown id"] = exchange("POST", base+"invocation/unknown/response", "1", nil)
			saw["unknown id, nothing sent"] = silent(address, "invocation/unknown/response")
			saw["unknown path"] = exchange("GET", base+"else", "", nil)
			saw["late init error"] = exchange("POST", base+"init/error", "{}", nil)
			saw["foreign host"] = exchange("POST", base+"invocation/"+id+"/response", "1", func(r *http.Request) { r.Host = "attacker.example" })
			saw["origin"] = exchange("POST", base+"invocation/"+id+"/response", "1", func(r *http.Request) { r.Header.Set("Origin", "http://"+address) })
		}
		body, err := json.Marshal(saw)
		if err != nil {
			return err
		}
		switch event["do"] {
		case "fail":
			exchange("POST", base+"invocation/"+id+"/error", `{"errorMessage":"no","errorType":"Refusal"}`, nil)
		case "break off":
			exchange("POST", base+"invocation/"+id+"/response", "half a resul", func(r *http.Request) {
				r.ContentLength = -1
				r.Trailer = http.Header{"Lambda-Runtime-Function-Error-Type": {"Stream.Broken"}}
			})
		case "stream":
			exchange("POST", base+"invocation/"+id+"/response", string(body), func(r *http.Request) { r.ContentLength = -1 })
		default:
			exchange("POST", base+"invocation/"+id+"/response", string(body), nil)
			if again := exchange("POST", base+"invocation/"+id+"/response", "1", nil); again != "400 InvalidRequestID" {
				return fmt.Errorf("a second response: %s", again)
			}
		}
	}
}

// silent announces the longest body that there may be, sends nothing of it, and
// gives the status: nobody waits for it, or has room made.
func silent(address, path string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: %s\r\nContent-Length: 6000000\r\n\r\n", path, address)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

// exchange makes a request and gives its status and error type.
func exchange(method, url, body string, change func(*http.Request)) string {
	req, err := http.NewRequest(method, url, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return err.Error()
	}
	req.ContentLength = int64(len(body))
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	var object struct {
		ErrorType string `json:"errorType"`
	}
	json.NewDecoder(resp.Body).Decode(&object)
	return strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", object.ErrorType))
}

// TestRuntimeAPI runs a function that is a Go program.
func TestRuntimeAPI(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := newService(t, lambda.Options{})
	fn := function(t, "raw", "-- bootstrap --\n#!/bin/sh\nexec \"$PROGRAM\"\n")
	fn.Runtime, fn.Handler, fn.Env = "provided.al2023", "main", map[string]string{"PROGRAM": self}
	s.Put(fn)
	const seen = `"arn":"arn:aws:lambda:us-west-2:000000000000:function:raw","event":%q`
	for _, c := range []struct{ event, want string }{
		{"report", `{` + fmt.Sprintf(seen, "report") + `,"handler":"main","type":"application/json"}`},
		{"stream", `{` + fmt.Sprintf(seen, "stream") + `,"handler":"main","type":"application/json"}`},
		{"misbehave", `{` + fmt.Sprintf(seen, "misbehave") + `,"foreign host":"403","handler":"main","late init error":"403 InvalidStateTransition","next":"403 InvalidStateTransition","origin":"403","type":"application/json","unknown id":"400 InvalidRequestID","unknown id, nothing sent":"HTTP/1.1 400 Bad Request","unknown path":"404 NotFound"}`},
		{"fail", `{"errorMessage":"no","errorType":"Refusal"}`},
		{"break off", `{"errorType":"Stream.Broken","errorMessage":"the response ended early"}`},
	} {
		if got := s.result("raw", fmt.Sprintf(`{"do":%q}`, c.event)); string(got.Payload) != c.want {
			t.Errorf("%s: %s %s\nwant %s", c.event, got.Kind, got.Payload, c.want)
		}
	}
	if lines := s.log(); len(lines) > 0 {
		t.Errorf("the client complains: %q", lines)
	}
}
