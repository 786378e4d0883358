package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// running is arc sandbox with the seed app.
type running struct {
	cmd  *exec.Cmd
	port int
}

func (r *running) url() string { return fmt.Sprintf("http://localhost:%d/", r.port) }

func (r *running) stop() {
	r.cmd.Process.Signal(syscall.SIGTERM)
	r.cmd.Wait()
}

// sandbox starts arc sandbox with the seed app and waits for the first 200.
func (b *bencher) sandbox() (*running, time.Duration, error) { return b.sandboxIn(b.app, "") }

// sandboxIn starts arc sandbox in a folder, with more variables, and waits for
// the first 200 of a page.
func (b *bencher) sandboxIn(dir, page string, variables ...string) (*running, time.Duration, error) {
	port, err := freePort()
	if err != nil {
		return nil, 0, err
	}
	r := &running{port: port, cmd: b.command("sandbox", "--quiet", "--port", fmt.Sprint(port))}
	r.cmd.Dir, r.cmd.Stderr, r.cmd.Env = dir, os.Stderr, append(r.cmd.Env, variables...)
	began := time.Now()
	if err := r.cmd.Start(); err != nil {
		return nil, 0, err
	}
	for time.Since(began) < 30*time.Second {
		resp, err := http.Get(r.url() + page)
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return r, time.Since(began), nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	r.stop()
	return nil, 0, errors.New("arc sandbox: no 200 after 30 s")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// start times the way from nothing to the first 200, beside the start of a
// Node process that is asked one line.
func (b *bencher) start() ([]row, error) {
	var ours, floor durations
	for range 7 {
		r, took, err := b.sandbox()
		if err != nil {
			return nil, err
		}
		r.stop()
		ours = append(ours, took)
		began := time.Now()
		w, err := startWorker()
		if err != nil {
			return nil, err
		}
		if _, err := w.call(); err != nil {
			return nil, err
		}
		floor = append(floor, time.Since(began))
		w.stop()
	}
	return []row{{"arc sandbox, start to first 200", ours.median(), floor.median() + " (Node alone)", "446 ms", "100 ms"}}, nil
}

// http times warm calls of get / by one client and by 150 at once.
func (b *bencher) http() ([]row, error) {
	r, _, err := b.sandbox()
	if err != nil {
		return nil, err
	}
	defer r.stop()
	ours, failed := load(r.url(), 1, 1000)
	if failed > 0 {
		return nil, fmt.Errorf("%d of 1000 requests failed", failed)
	}
	w, err := startWorker()
	if err != nil {
		return nil, err
	}
	defer w.stop()
	// The floor: a bare Go server that hands each request to a warm Node
	// process over a pipe.
	bare := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		line, err := w.call()
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadGateway)
			return
		}
		io.WriteString(rw, line)
	}))
	defer bare.Close()
	floor, _ := load(bare.URL, 1, 1000)
	crowd, failed := load(r.url(), 150, 450)
	return []row{
		{"warm HTTP call, p50 / p99", ours.tail(), floor.tail() + " (pipe to Node)", "55 / 79 ms", "1.2 / 4 ms"},
		{"150 HTTP clients at once, p99", fmt.Sprintf("%s, %d of 450 failed", ms(crowd.quantile(0.99)), failed), "", "60-87 % fail", "0 failed"},
	}, nil
}

// load sends n requests from c clients and reports the times of the good ones.
func load(url string, clients, n int) (good durations, failed int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	jobs := make(chan bool, n)
	for range n {
		jobs <- true
	}
	close(jobs)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range jobs {
				began := time.Now()
				err := get(client, url)
				took := time.Since(began)
				mu.Lock()
				if err != nil {
					failed++
				} else {
					good = append(good, took)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return good, failed
}

func get(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// websocket times an echo through the default action and arc.ws.send, beside a
// bare echo server: the first 500 messages, which Node reads before it has compiled
// what handles them, and 1,000 after 8,000 others.
func (b *bencher) websocket() ([]row, error) {
	r, _, err := b.sandbox()
	if err != nil {
		return nil, err
	}
	defer r.stop()
	first, warm, err := b.warming(r.url())
	if err != nil {
		return nil, err
	}
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			kind, data, err := conn.Read(r.Context())
			if err != nil || conn.Write(r.Context(), kind, data) != nil {
				return
			}
		}
	}))
	defer bare.Close()
	floorFirst, floorWarm, err := b.warming(bare.URL)
	if err != nil {
		return nil, err
	}
	saidFirst, saidWarm := floorFirst.tail()+" (bare echo)", floorWarm.tail()+" (bare echo)"
	for _, one := range []struct{ dir, name string }{{"", "a bare server, the same hops"}, {b.app, "the same with the package"}} {
		hops, err := startBareEcho(one.dir)
		if err != nil {
			return nil, err
		}
		floorFirst, floorWarm, err := b.warming(hops.url())
		hops.stop()
		if err != nil {
			return nil, err
		}
		saidFirst += ", " + floorFirst.tail() + " (" + one.name + ")"
		saidWarm += ", " + floorWarm.tail() + " (" + one.name + ")"
	}
	return []row{
		{"WebSocket echo through arc.ws.send, p50 / p99", warm.tail(), saidWarm, "96 / 124 ms", "0.9 / 2.5 ms"},
		{"... of a worker's first 500", first.tail(), saidFirst, "", ""},
	}, nil
}

// warming times the first 500 echoes of a server, and those after 8,000 more, of which each of two workers has half.
func (b *bencher) warming(url string) (first, warm durations, err error) {
	url = strings.Replace(url, "http", "ws", 1)
	if first, err = echoes(b.ctx, url, 500); err != nil {
		return nil, nil, err
	}
	if _, err = echoes(b.ctx, url, 8000); err != nil {
		return nil, nil, err
	}
	warm, err = echoes(b.ctx, url, 1000)
	return first, warm, err
}

// echoes sends numbered messages one after another and waits for each one's answer.
func echoes(ctx context.Context, url string, n int) (durations, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	defer conn.CloseNow()
	var all durations
	for i := range n + 20 {
		word := fmt.Sprintf("message-%d.", i)
		message, err := json.Marshal(map[string]string{"text": word})
		if err != nil {
			return nil, err
		}
		began := time.Now()
		if err := conn.Write(ctx, websocket.MessageText, message); err != nil {
			return nil, err
		}
		_, data, err := conn.Read(ctx)
		if err != nil {
			return nil, err
		}
		if !strings.Contains(string(data), word) {
			return nil, fmt.Errorf("sent %s, got %s", message, data)
		}
		if i >= 20 { // the first ones warm the worker up
			all = append(all, time.Since(began))
		}
	}
	return all, nil
}

// worker is the least that a warm Node process can be: a line in, a line out.
type worker struct {
	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

const workerScript = `
const lines = require('readline').createInterface({ input: process.stdin })
const handler = async () => ({ statusCode: 200, body: 'ok' })
lines.on('line', async line => process.stdout.write(JSON.stringify(await handler(JSON.parse(line))) + '\n'))
`

func startWorker() (*worker, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command(filepath.Clean(node), "-e", workerScript)}
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReader(out)
	return w, w.cmd.Start()
}

func (w *worker) call() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := io.WriteString(w.in, `{"rawPath":"/"}`+"\n"); err != nil {
		return "", err
	}
	return w.out.ReadString('\n')
}

func (w *worker) stop() {
	w.in.Close()
	w.cmd.Wait()
}
