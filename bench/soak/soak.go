package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// options are what one soak is told.
type options struct {
	arc, dir string // the program, and a folder for everything
	length   time.Duration
	clients  int
	seed     uint64
}

// tally counts what was done of one kind, and what went wrong with it.
type tally struct {
	what        string
	done, lost  atomic.Int64
	old         atomic.Int64 // answers of code older than the disk's
	first       sync.Once
	firstReason string
}

func (t *tally) note(err error) {
	t.done.Add(1)
	if err != nil {
		t.lost.Add(1)
		t.first.Do(func() { t.firstReason = err.Error() })
	}
}

// soaking is one run.
type soaking struct {
	options
	project string
	env     []string
	url     string
	version atomic.Int64 // of the handler that is on the disk
	client  *http.Client
	*messaging

	calls, echoes, sockets, failures, saves, manifests, deploys tally
}

// soak runs an app with everything at once, ends it, and tells what came of it.
func soak(ctx context.Context, o options) (*report, error) {
	s := &soaking{options: o, project: filepath.Join(o.dir, "app"), client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: o.clients}}}
	temp := filepath.Join(o.dir, "tmp")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, err
	}
	s.env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(o.dir, "cache"), "XDG_STATE_HOME="+filepath.Join(o.dir, "state"), "TMPDIR="+temp)
	s.messaging = newMessaging()
	defer s.server.Close()
	for _, files := range []map[string]string{app, s.functions()} {
		for name, text := range files {
			if err := s.write(name, text); err != nil {
				return nil, err
			}
		}
	}
	arc, err := s.start()
	if err != nil {
		return nil, err
	}
	defer arc.Process.Kill()
	if err := s.find(s.logFile()); err != nil {
		return nil, err
	}
	seen := watchProcesses(arc.Process.Pid, max(o.length/100, 200*time.Millisecond))

	work, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	var group sync.WaitGroup
	act := func(number uint64, what func(ctx context.Context, draw *rand.Rand)) {
		group.Go(func() { what(work, rand.New(rand.NewPCG(o.seed, number))) })
	}
	for i := range uint64(o.clients) {
		act(i, s.call)
		act(1000+i, s.converse)
	}
	act(2000, s.save)
	act(2001, s.misbehave)
	act(2002, s.deploy)
	act(2003, s.message)
	group.Wait()
	s.settle(o.length)
	s.client.CloseIdleConnections()

	samples := seen.end()
	arc.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- arc.Wait() }()
	r := &report{soaking: s, samples: samples}
	select {
	case err := <-ended:
		if err != nil {
			r.leftovers = append(r.leftovers, fmt.Sprintf("arc ended with %v", err))
		}
	case <-time.After(20 * time.Second):
		r.leftovers = append(r.leftovers, "arc, 20 s after SIGTERM")
	}
	r.leftovers = append(r.leftovers, s.leftovers(samples)...)
	return r, nil
}

func (s *soaking) write(name, text string) error {
	file := filepath.Join(s.project, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o666)
}

// start runs arc sandbox and waits for its URL.
func (s *soaking) start() (*exec.Cmd, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(s.arc, "sandbox", "--port", fmt.Sprint(port))
	cmd.Dir, cmd.Env = s.project, s.env
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(s.logFile())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "HTTP  "); ok {
			s.url = url
			go io.Copy(io.Discard, out)
			return cmd, nil
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	said, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("arc sandbox did not start:\n%s", said)
}

// pause waits between two things that somebody does; false = it is over.
func pause(ctx context.Context, least, most time.Duration, draw *rand.Rand) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(least + time.Duration(draw.Int64N(int64(most-least)+1))):
		return true
	}
}

func (s *soaking) fetch(method, path, body string) (status int, text string, err error) {
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

// call is a client of two good functions. What was on the disk when it asked is
// the oldest that may answer.
func (s *soaking) call(ctx context.Context, draw *rand.Rand) {
	for pause(ctx, 0, 40*time.Millisecond, draw) {
		n := draw.Uint64()
		if n%3 == 0 {
			body := strings.Repeat(fmt.Sprint(n), 1+int(n%500))
			status, text, err := s.fetch("POST", "/echo", body)
			if err == nil && (status != 200 || text != body) {
				err = fmt.Errorf("POST /echo: %d %.200s", status, text)
			}
			s.calls.note(err)
			continue
		}
		least := s.version.Load()
		status, text, err := s.fetch("GET", fmt.Sprintf("/hello?n=%d", n), "")
		var got uint64
		var version int64
		if err == nil {
			if _, wrong := fmt.Sscanf(text, "%d %d", &got, &version); wrong != nil || status != 200 || got != n {
				err = fmt.Errorf("GET /hello: %d %.200s", status, text)
			} else if version < least {
				s.calls.old.Add(1)
			}
		}
		s.calls.note(err)
	}
}

// converse opens sockets, sends, waits for each echo, and hangs up.
func (s *soaking) converse(ctx context.Context, draw *rand.Rand) {
	for pause(ctx, 0, 50*time.Millisecond, draw) {
		s.sockets.note(s.conversation(ctx, draw))
	}
}

func (s *soaking) conversation(over context.Context, draw *rand.Rand) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(s.url, "http", "ws", 1), nil)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	for range 1 + draw.IntN(30) {
		if !pause(over, 0, 80*time.Millisecond, draw) {
			break
		}
		message := fmt.Sprintf(`{"n":"%d"}`, draw.Uint64())
		err := conn.Write(ctx, websocket.MessageText, []byte(message))
		var answer []byte
		if err == nil {
			_, answer, err = conn.Read(ctx)
		}
		if err == nil && string(answer) != message {
			err = fmt.Errorf("sent %s, got %.200s", message, answer)
		}
		s.echoes.note(err)
		if err != nil {
			return err
		}
	}
	return conn.Close(websocket.StatusNormalClosure, "")
}

// save writes code and, now and then, the manifest.
func (s *soaking) save(ctx context.Context, draw *rand.Rand) {
	for n := 1; pause(ctx, 100*time.Millisecond, 900*time.Millisecond, draw); n++ {
		// Written aside and renamed, as editors do: nobody sees half of it.
		aside := filepath.Join(s.project, "src/http/get-hello/.index.mjs.swp")
		err := os.WriteFile(aside, []byte(hello(n)), 0o666)
		if err == nil {
			err = os.Rename(aside, filepath.Join(s.project, "src/http/get-hello/index.mjs"))
		}
		s.saves.note(err)
		s.version.Store(int64(n))
		if n%15 == 0 {
			s.manifests.note(s.write("app.arc", manifest(n/15)))
		}
	}
}

// misbehave calls what fails: every call is answered, with an error.
func (s *soaking) misbehave(ctx context.Context, draw *rand.Rand) {
	for pause(ctx, 50*time.Millisecond, 400*time.Millisecond, draw) {
		path := "/" + bad[draw.IntN(len(bad))]
		status, text, err := s.fetch("GET", path, "")
		if err == nil && status < 500 {
			err = fmt.Errorf("GET %s: %d %.200s", path, status, text)
		}
		s.failures.note(err)
	}
}

// deploy brings the app to stages of the same cloud, as it is at the moment.
func (s *soaking) deploy(ctx context.Context, draw *rand.Rand) {
	for n := 0; n == 0 || pause(ctx, 2*time.Second, 12*time.Second, draw); n++ {
		args := []string{"deploy", "--local"}
		if n%2 == 1 {
			args = append(args, "--production")
		}
		var out []byte
		var err error
		for tries := 0; tries == 0 || tries < 5 && bytes.Contains(out, []byte("run the command again")); tries++ {
			// It refuses to pack what is saved at that very moment.
			cmd := exec.Command(s.arc, args...)
			cmd.Dir, cmd.Env = s.project, s.env
			out, err = cmd.CombinedOutput()
		}
		if err != nil {
			err = fmt.Errorf("arc %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out))
		}
		s.deploys.note(err)
	}
}

// leftovers are what a run must not leave: processes, a port, files.
func (s *soaking) leftovers(samples *samples) (left []string) {
	for pid, began := range samples.all {
		if p, err := readProcess(pid); err == nil && p.began == began && p.state != 'Z' {
			left = append(left, fmt.Sprintf("process %d, %s", pid, p.name))
		}
	}
	if resp, err := http.Get(s.url + "/hello"); err == nil {
		resp.Body.Close()
		left = append(left, "something answers at "+s.url)
	}
	for _, dir := range []string{"tmp", "cache/arc/local"} {
		entries, err := os.ReadDir(filepath.Join(s.dir, dir))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			left = append(left, err.Error())
		}
		for _, entry := range entries {
			left = append(left, dir+"/"+entry.Name())
		}
	}
	return left
}
