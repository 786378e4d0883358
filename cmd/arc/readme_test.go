//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestReadme follows README.md word by word, as somebody does who has cloned the
// project onto a new machine: every command in its order, in a home that is
// empty, with no arc on the PATH and no package installed. A command that is
// added to the page is run here as well, and has to end well.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"make", "git", "node", "npm", "bash"} {
		lookTool(t, tool)
	}
	reader := newReader(t)
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := fenced(string(page))
	if len(commands) < 20 {
		t.Fatalf("only %d commands found", len(commands))
	}
	for _, command := range commands {
		name, _, _ := strings.Cut(command, "#")
		switch name = strings.TrimSpace(name); name {
		case "make test":
			continue // this is one of them
		case "make seed":
			seed := reader.start(command)
			seed.echoes()
			seed.interrupt()
			reader.install()
		case "arc sandbox":
			reader.start(command).echoes()
		case "arc diff":
			// From here on it is AWS, whose place the local cloud takes.
			reader.env = append(reader.env, "AWS_ENDPOINT_URL="+reader.cloud(), "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_REGION=us-west-2")
			reader.run(command)
		case "arc ci github --account 123456789012":
			reader.run("git init -q . && git remote add origin https://github.com/me/wsproj.git")
			reader.run(command)
		default:
			reader.run(command)
		}
	}
}

// fenced are the commands of a page: the lines of its fences without a language,
// a here-document with the command that it belongs to. Mistakes that are shown,
// which begin with a place, are none.
func fenced(page string) []string {
	var commands []string
	for _, m := range regexp.MustCompile("(?ms)^```\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		if strings.HasPrefix(m[1], "app.arc:") {
			continue
		}
		end := ""
		for line := range strings.Lines(m[1]) {
			switch {
			case end != "":
				commands[len(commands)-1] += line
				if strings.TrimSpace(line) == end {
					end = ""
				}
			default:
				commands = append(commands, line)
				if here := regexp.MustCompile(`<<(\w+)`).FindStringSubmatch(line); here != nil {
					end = here[1]
				}
			}
		}
	}
	return commands
}

// reader is somebody with a shell.
type reader struct {
	t    *testing.T
	dir  string
	env  []string
	said string // by the last command
}

// newReader gives somebody a clone of the project and an empty home.
func newReader(t *testing.T) *reader {
	t.Helper()
	work := t.TempDir()
	clone, home := filepath.Join(work, "arc"), filepath.Join(work, "home")
	list, err := exec.Command("git", "-C", "../..", "ls-files", "-z").Output()
	if err != nil {
		t.Skipf("no clone to read from: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(clone, name)), 0o777)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(clone, name), text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(home, 0o777); err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, dir: clone, env: []string{"HOME=" + home, "LANG=C.UTF-8", "TMPDIR=" + work, "AWS_EC2_METADATA_DISABLED=true"}}
	// Compiled packages, Go's modules and npm's are where they are: what is tried is no download.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN"} {
		if v, err := exec.Command("go", "env", name).Output(); err == nil && strings.TrimSpace(string(v)) != "" {
			r.env = append(r.env, name+"="+strings.TrimSpace(string(v)))
		}
	}
	if own, err := os.UserHomeDir(); err == nil {
		r.env = append(r.env, "NPM_CONFIG_USERCONFIG="+filepath.Join(own, ".npmrc"), "NPM_CONFIG_CACHE="+filepath.Join(own, ".npm"))
	}
	for _, name := range []string{"NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"} {
		if v := os.Getenv(name); v != "" {
			r.env = append(r.env, name+"="+v)
		}
	}
	if taken, err := net.Listen("tcp", "127.0.0.1:3333"); err != nil {
		// Somebody's app is at the page's address: the reader does what arc then says.
		r.env = append(r.env, fmt.Sprintf("ARC_HTTP_PORT=%d", freePort(t)))
	} else {
		taken.Close()
	}
	path := slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "arc"))
		return err == nil
	})
	r.env = append(r.env, "PATH="+strings.Join(path, string(filepath.ListSeparator)))
	t.Cleanup(func() {
		stop := r.bash("arc sandbox --stop")
		stop.Run() // there may be none
	})
	return r
}

func (r *reader) bash(command string) *exec.Cmd {
	cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", command)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// run types a command and waits for its end; where it changes to another
// folder, it stays there.
func (r *reader) run(command string) {
	r.t.Helper()
	where := filepath.Join(r.t.TempDir(), "where")
	said := &transcript{}
	cmd := r.bash(command + "\npwd > " + where)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = time.Second // what it leaves running may hold its output
	if err := cmd.Run(); err != nil && !strings.Contains(err.Error(), "WaitDelay") {
		r.t.Fatalf("%s: %v\n%s", strings.TrimSpace(command), err, said)
	}
	r.said = said.String()
	if text, err := os.ReadFile(where); err == nil {
		r.dir = strings.TrimSpace(string(text))
	}
}

// install does what the page says in its text, and then what that prints.
func (r *reader) install() {
	r.t.Helper()
	r.run("make install")
	told := regexp.MustCompile(`export PATH="([^:]+):\$PATH"`).FindStringSubmatch(r.said)
	if told == nil {
		r.t.Fatalf("make install does not say what to add to PATH:\n%s", r.said)
	}
	for i, v := range r.env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			r.env[i] = "PATH=" + told[1] + ":" + path
		}
	}
	r.run("arc version")
	r.run("cd ..") // "from an empty folder"
}

// cloud is the endpoint of the local cloud that runs.
func (r *reader) cloud() string {
	r.t.Helper()
	r.run("arc deploy --local")
	m := regexp.MustCompile(`local cloud at (\S+)`).FindStringSubmatch(r.said)
	if m == nil {
		r.t.Fatalf("no endpoint in\n%s", r.said)
	}
	return m[1]
}

// app is a command that stays.
type app struct {
	r    *reader
	cmd  *exec.Cmd
	said *transcript
	name string

	ended chan struct{}
	err   error // how it ended
}

func (r *reader) start(command string) *app {
	r.t.Helper()
	a := &app{r: r, cmd: r.bash("exec " + command), said: &transcript{}, name: strings.TrimSpace(command), ended: make(chan struct{})}
	a.cmd.Stdout, a.cmd.Stderr = a.said, a.said
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches all that it started
	if err := a.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() {
		a.err = a.cmd.Wait()
		close(a.ended)
	}()
	r.t.Cleanup(func() {
		syscall.Kill(-a.cmd.Process.Pid, syscall.SIGTERM)
		<-a.ended
	})
	return a
}

// echoes opens the page and talks to the socket, at the addresses that were told.
func (a *app) echoes() {
	t := a.r.t
	t.Helper()
	addresses := regexp.MustCompile(`(?m)^HTTP +(http://\S+)\nWS +(ws://\S+)$`)
	var told []string
	for deadline := time.Now().Add(8 * time.Minute); told == nil; time.Sleep(50 * time.Millisecond) {
		ended := time.Now().After(deadline)
		select {
		case <-a.ended:
			ended = true
		default:
		}
		if told = addresses.FindStringSubmatch(a.said.String()); told == nil && ended {
			t.Fatalf("%s tells no addresses:\n%s", a.name, a.said)
		}
	}
	resp, err := http.Get(told[1])
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "<input") {
		t.Errorf("%s: GET %s: %s\n%s\n%s", a.name, told[1], resp.Status, body, a.said)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, told[2], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	// The first message may be told to come again: the packages of the runtime are
	// still being fetched, once for the machine.
	for ctx.Err() == nil {
		if err := conn.Write(ctx, websocket.MessageText, []byte(`{"text":"hello"}`)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := conn.Read(ctx)
		if err == nil && strings.Contains(string(answer), "hello") {
			return
		}
		if err != nil || !strings.Contains(string(answer), "timed out") {
			t.Fatalf("%s: the socket answers %q, %v\n%s", a.name, answer, err, a.said)
		}
	}
	t.Errorf("%s: the socket never answers\n%s", a.name, a.said)
}

// interrupt is Ctrl-C, after which nothing is an error.
func (a *app) interrupt() {
	a.r.t.Helper()
	if err := syscall.Kill(-a.cmd.Process.Pid, syscall.SIGINT); err != nil {
		a.r.t.Fatal(err)
	}
	<-a.ended // make itself ends by the signal, and says nothing
	for _, word := range []string{"***", "error", "the local cloud ends"} {
		if strings.Contains(a.said.String(), word) {
			a.r.t.Errorf("%s: %v after Ctrl-C\n%s", a.name, a.err, a.said)
		}
	}
}
