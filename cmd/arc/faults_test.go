//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"arc/sandbox"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/txtar"
)

const faultsApp = `
-- app.arc --
@app
faultsapp
@http
get /
-- src/http/get-index/index.mjs --
export const handler = async () => ({ statusCode: 200, body: String(process.pid) })
`

// faults is a project whose local cloud is to meet one.
type faults struct {
	*testing.T
	arc, dir string
	env      []string
	port     int
}

func newFaults(t *testing.T, app string) *faults {
	t.Helper()
	lookTool(t, "node")
	f := &faults{T: t, dir: filepath.Join(t.TempDir(), "app"), arc: buildArc(t), port: freePort(t)}
	for _, file := range txtar.Parse([]byte(app)).Files {
		f.write(file.Name, string(file.Data))
	}
	// A port of its own for the cloud as well: what is killed here would have its port taken
	// by a cloud of a test beside it, which may be frozen.
	f.env = append(arcEnv(f.dir), "HOME="+t.TempDir(), fmt.Sprintf("ARC_INTERNAL_PORT=%d", freePort(t)))
	return f
}

func (f *faults) write(name, text string) {
	f.Helper()
	file := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		f.Fatal(err)
	}
}

// command is arc in the project, not started yet.
func (f *faults) command(args ...string) *exec.Cmd {
	cmd := exec.Command(f.arc, args...)
	cmd.Dir, cmd.Env = f.dir, f.env
	return cmd
}

// says runs arc and gives all that it says; it fails when that takes longer than
// a hung cloud may hold anybody up.
func (f *faults) says(args ...string) string {
	f.Helper()
	var out bytes.Buffer
	cmd := f.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		f.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	cmd.Wait()
	if !late.Stop() {
		f.Fatalf("arc %s: nothing after a minute\n%s", strings.Join(args, " "), out.String())
	}
	return out.String()
}

func (f *faults) want(said string, words ...string) {
	f.Helper()
	for _, word := range words {
		if !strings.Contains(said, word) {
			f.Errorf("%q is not in:\n%s", word, said)
		}
	}
}

// background starts the app in the background, or in this test's own child, and
// gives the process of its cloud.
func (f *faults) background() (pid int) {
	f.Helper()
	said := f.says("sandbox", "--detach", "--port", strconv.Itoa(f.port))
	running := f.registered()
	if running == nil {
		f.Fatal(said)
	}
	f.Cleanup(func() { syscall.Kill(running.PID, syscall.SIGKILL) })
	return running.PID
}

func (f *faults) cache() string { return f.dir + "-cache/arc/local" }

func (f *faults) registered() *sandbox.Running {
	f.Helper()
	names, _ := filepath.Glob(f.cache() + "/*.json")
	if len(names) != 1 {
		return nil
	}
	var r sandbox.Running
	data, err := os.ReadFile(names[0])
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		f.Fatal(err)
	}
	return &r
}

// worker calls the app and gives the process that answered.
func (f *faults) worker() int { return f.number("/") }

// number calls the app and gives the number that it answers.
func (f *faults) number(path string) int {
	f.Helper()
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", f.port, path))
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	body.ReadFrom(resp.Body)
	pid, err := strconv.Atoi(body.String())
	if err != nil {
		f.Fatal(body.String())
	}
	return pid
}

// alive reports whether a process runs; one that waits for its parent does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if os.IsNotExist(err) {
		return syscall.Kill(pid, 0) == nil && err == nil
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) > 0 && rest[0] != 'Z' && rest[0] != 'X'
}

func (f *faults) eventually(what string, ok func() bool) {
	f.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.Fatalf("never: %s", what)
		}
	}
}

// tidy says that nothing runs, nothing listens, and nothing is left in the
// cache but the log of a cloud in the background.
func (f *faults) tidy(pids ...int) {
	f.Helper()
	for _, pid := range pids {
		f.eventually(fmt.Sprintf("process %d has ended", pid), func() bool { return !alive(pid) })
	}
	f.eventually("the port is free", func() bool {
		l, err := (&http.Client{}).Get(fmt.Sprintf("http://127.0.0.1:%d/", f.port))
		if err == nil {
			l.Body.Close()
		}
		return err != nil
	})
	var left []string
	f.eventually("the cache is empty", func() bool {
		left = left[:0]
		entries, _ := os.ReadDir(f.cache())
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".log") {
				left = append(left, entry.Name())
			}
		}
		return len(left) == 0
	})
}

// TestCloudThatDoesNotAnswer stops a cloud as Ctrl-Z does, takes its registration
// away from one and damages another's: everybody says which process it is, soon,
// and --stop ends it.
func TestCloudThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	f := newFaults(t, faultsApp)
	pid := f.background()
	worker := f.worker()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	process := fmt.Sprintf("process %d", pid)
	for _, args := range [][]string{{"sandbox"}, {"sandbox", "--detach"}, {"deploy", "--local"}, {"diff", "--local"}} {
		f.want(f.says(args...), "does not answer: "+process+" is stopped", "arc sandbox --stop ends it", fmt.Sprintf("kill -CONT %d", pid))
	}
	f.want(f.says("sandbox", "--stop"), "ended "+process)
	f.tidy(pid, worker)

	pid = f.background()
	names, _ := filepath.Glob(f.cache() + "/*.json")
	if err := os.WriteFile(names[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.want(f.says("deploy", "--local"), fmt.Sprintf("does not answer: process %d\n", pid), "arc sandbox --stop ends it")
	f.want(f.says("sandbox", "--stop"), fmt.Sprintf("ended process %d", pid))
	os.Remove(names[0]) // what is damaged is nobody's
	f.tidy(pid)
}

// TestStartedWhileAnotherEnds starts the sandbox while the one before it listens no
// more and holds the project still, as whoever restarts it does.
func TestStartedWhileAnotherEnds(t *testing.T) {
	t.Parallel()
	f := newFaults(t, faultsApp)
	f.background()
	locks, _ := filepath.Glob(f.cache() + "/*.lock")
	f.says("sandbox", "--stop")
	if len(locks) != 1 {
		t.Fatal(locks)
	}
	lock, err := os.Create(locks[0])
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	next := f.command("sandbox", "--port", strconv.Itoa(f.port))
	var said bytes.Buffer
	next.Stderr = &said
	if err := next.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { next.Wait(); close(ended) }()
	time.Sleep(500 * time.Millisecond) // so that it finds the project held
	lock.Close()
	f.eventually("the next one runs", func() bool {
		select {
		case <-ended:
			t.Fatalf("it has ended:\n%s", said.String())
		default:
		}
		return f.registered() != nil
	})
	next.Process.Signal(syscall.SIGTERM)
	<-ended
	f.tidy()
}

// TestCloudGoneWhileDeployed stops and kills the cloud in the middle of a deploy:
// that ends at once, with the truth.
func TestCloudGoneWhileDeployed(t *testing.T) {
	t.Parallel()
	f := newFaults(t, faultsApp+`
-- config.arc --
@aws
timeout 30
`)
	for _, how := range []string{"stop", "kill", "freeze"} {
		pid := f.background()
		cmd := f.command("deploy", "--local")
		said := &transcript{}
		cmd.Stderr, cmd.Stdout = said, said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		f.eventually("the deploy has begun", func() bool {
			return strings.Contains(said.String(), "deploying") || strings.Contains(said.String(), "local cloud at")
		})
		switch how {
		case "stop":
			f.says("sandbox", "--stop")
		case "kill":
			syscall.Kill(pid, syscall.SIGKILL)
		case "freeze": // as Ctrl-Z does it
			syscall.Kill(pid, syscall.SIGSTOP)
		}
		gone := time.Now()
		cmd.Wait()
		if strings.Contains(said.String(), "deployed") {
			t.Logf("%s: it was done before", how)
			continue
		}
		if how == "freeze" {
			if took := time.Since(gone); took > 30*time.Second {
				t.Errorf("%s: it took %s", how, took)
			}
			f.want(said.String(), "does not answer any more", fmt.Sprintf("process %d is stopped", pid), fmt.Sprintf("kill -CONT %d", pid), "arc sandbox --stop ends it")
			f.want(f.says("sandbox", "--stop"), fmt.Sprintf("ended process %d", pid))
			continue
		}
		if took := time.Since(gone); took > 10*time.Second {
			t.Errorf("%s: it took %s:\n%s", how, took, said)
		}
		f.want(said.String(), "does not answer any more", "it was stopped or has ended")
		if strings.Contains(said.String(), "AWS") {
			t.Errorf("%s: AWS has no part in it:\n%s", how, said)
		}
	}
}

// keeper is the process that keeps the project's tables.
func (f *faults) keeper() int {
	f.Helper()
	out, err := exec.Command("pgrep", "-f", "dynoxide serve .*"+regexp.QuoteMeta(f.dir)+"-state/").Output()
	if err != nil {
		f.Fatalf("no program keeps tables: %v", err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(out))[0])
	if err != nil {
		f.Fatal(err)
	}
	return pid
}

// TestNothingLeft ends a cloud in every way there is. What the killed ones leave
// in the cache goes with the next start of any project.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	f := newFaults(t, strings.Replace(faultsApp, "@http", "@tables\nthings\n  id *String\n@http\nget /child", 1)+`
-- src/http/get-child/index.mjs --
import { spawn } from 'node:child_process'
export const handler = async () => {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  child.unref()
  return { statusCode: 200, body: String(child.pid) }
}
`)
	lookTool(t, "npm") // which brings the program that keeps the table
	if err := shareCache(f.dir + "-cache"); err != nil {
		t.Fatal(err)
	}
	ends := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it for whatever it runs
		ends = append(ends, syscall.SIGHUP)
	}
	for _, end := range ends {
		pid := f.background()
		worker, keeper := f.worker(), f.keeper()
		syscall.Kill(pid, end)
		f.tidy(pid, worker, keeper)
	}
	pid := f.background()
	worker, keeper, child := f.worker(), f.keeper(), f.number("/child")
	syscall.Kill(pid, syscall.SIGKILL)
	f.eventually("the worker has ended", func() bool { return !alive(worker) && !alive(keeper) && !alive(pid) })

	first := f.dir
	pid = f.background() // what was killed is in nobody's way
	// Nor goes on what a function has detached, where it can be told whose it is.
	f.eventually("the child has ended", func() bool { return !alive(child) || runtime.GOOS != "linux" })
	worker, child = f.worker(), f.number("/child")
	syscall.Kill(pid, syscall.SIGKILL)
	f.eventually("the worker has ended", func() bool { return !alive(worker) && !alive(pid) })
	other := filepath.Join(t.TempDir(), "other")
	if err := os.CopyFS(other, os.DirFS(first)); err != nil {
		t.Fatal(err)
	}
	f.dir = other
	f.says("sandbox", "--detach", "--port", strconv.Itoa(f.port)) // with the first one's cache
	f.dir = first
	f.eventually("one registration is left", func() bool { return f.registered() != nil })
	f.eventually("the other child has ended", func() bool { return !alive(child) || runtime.GOOS != "linux" })
	next := f.registered()
	if next.Project != other {
		t.Errorf("the registration of %s is there", next.Project)
	}
	// A project that has moved takes its cloud with it.
	if err := os.Rename(other, other+"-moved"); err != nil {
		t.Fatal(err)
	}
	f.tidy(next.PID)
}

const socketFaultsApp = faultsApp + `
-- src/ws/connect/index.mjs --
export const handler = async () => ({ statusCode: 200 })
-- src/ws/default/index.mjs --
export const handler = async () => ({ statusCode: 200 })
`

// TestDescriptorsAtTheLimit opens sockets until the process has no room for more:
// they are refused, calls go on, and it is said once.
func TestDescriptorsAtTheLimit(t *testing.T) {
	t.Parallel()
	f := newFaults(t, strings.Replace(socketFaultsApp, "@http", "@ws\n@http", 1))
	limited := filepath.Join(t.TempDir(), "arc")
	if err := os.WriteFile(limited, []byte("#!/bin/sh\nulimit -n 160\nexec "+f.arc+` "$@"`+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	p := startArc(t, limited, f.dir, "sandbox", "--port", strconv.Itoa(f.port))
	ws := strings.Replace(p.url(t, "HTTP"), "http:", "ws:", 1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	refused := 0
	var open []*websocket.Conn
	for len(open) < 160 && refused < 5 {
		conn, resp, err := websocket.Dial(ctx, ws, nil)
		switch {
		case err == nil:
			defer conn.CloseNow()
			open = append(open, conn)
		case resp == nil || resp.StatusCode != http.StatusServiceUnavailable:
			t.Fatalf("socket %d: %v\n%s", len(open), err, p.stderr)
		default:
			refused++
		}
	}
	if len(open) < 20 || refused < 5 {
		t.Fatalf("%d sockets are open, %d were refused", len(open), refused)
	}
	for range 30 {
		f.worker()
	}
	if n := strings.Count(p.stderr.String(), "ulimit -n"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	for _, conn := range open[:10] {
		conn.CloseNow()
	}
	f.eventually("a socket opens again", func() bool {
		conn, _, err := websocket.Dial(ctx, ws, nil)
		if err == nil {
			conn.CloseNow()
		}
		return err == nil
	})
}

// TestTerminalThatTakesNothing leaves a pipe full: the app answers all the same,
// and who reads again hears how much is missing. Then nobody reads any more, and
// the app ends in order.
func TestTerminalThatTakesNothing(t *testing.T) {
	t.Parallel()
	f := newFaults(t, faultsApp)
	f.write("src/http/get-index/index.mjs", "export const handler = async () => {\n for (let i = 0; i < 5000; i++) console.log('x'.repeat(60), i)\n return { statusCode: 200, body: String(process.pid) }\n}\n")
	cmd := f.command("sandbox", "--port", strconv.Itoa(f.port))
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(read)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "HTTP") {
	}
	worker := 0
	for range 5 {
		worker = f.worker()
	}
	for lines.Scan() && !strings.Contains(lines.Text(), "dropped: nobody took them") {
	}
	if !regexp.MustCompile(`^[0-9]+ lines dropped: nobody took them$`).MatchString(lines.Text()) {
		t.Fatalf("nothing was said of dropped lines: %q", lines.Text())
	}
	read.Close()
	// Whatever it has to say next makes it notice.
	if resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", f.port)); err == nil {
		resp.Body.Close()
	}
	cmd.Wait()
	f.tidy(cmd.Process.Pid, worker)
}

// TestManifestGone takes the manifest away for a moment, as some editors and git
// do: the app goes on as it was, and with what comes back.
func TestManifestGone(t *testing.T) {
	t.Parallel()
	f := newFaults(t, faultsApp)
	p := startArc(t, f.arc, f.dir, "sandbox", "--port", strconv.Itoa(f.port))
	p.url(t, "HTTP")
	if err := os.Remove(filepath.Join(f.dir, "app.arc")); err != nil {
		t.Fatal(err)
	}
	f.eventually("it is said", func() bool { return strings.Contains(p.stderr.String(), "app.arc is gone: the app goes on as it was") })
	f.worker()
	f.write("app.arc", "@app\nfaultsapp\n@http\nget /\nget /new\n")
	f.write("src/http/get-new/index.mjs", "export const handler = async () => ({ statusCode: 200 })\n")
	f.eventually("the new route answers", func() bool {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/new", f.port))
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	})
	if strings.Contains(p.stderr.String(), "in use") {
		t.Error(p.stderr)
	}
}

// TestLogOfBackground has a function print more than the log of a cloud in the
// background may hold: what came last is there, and the rest within its bounds.
func TestLogOfBackground(t *testing.T) {
	t.Parallel()
	f := newFaults(t, strings.Replace(faultsApp, "async () => (", `async () => (print(), `, 1)+`
const print = () => { for (let i = 0; i < 300; i++) console.log('x'.repeat(60000)); console.log('the last line') }
`)
	f.background()
	f.worker() // 18 MB
	f.worker()
	logs, _ := filepath.Glob(f.cache() + "/*.log")
	if len(logs) != 1 {
		t.Fatalf("logs: %q", logs)
	}
	var sizes [2]int64
	f.eventually("the log has been turned", func() bool {
		for i, name := range []string{logs[0], logs[0] + ".1"} {
			info, err := os.Stat(name)
			if err != nil {
				return false
			}
			sizes[i] = info.Size()
		}
		text, err := os.ReadFile(logs[0])
		return err == nil && strings.Contains(string(text), "the last line")
	})
	for _, size := range sizes {
		if size > maxLog+1<<20 {
			t.Errorf("the log takes %d and %d bytes", sizes[0], sizes[1])
		}
	}
	f.says("sandbox", "--stop")
}
