package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// crowdApp has functions that are quick, that wait, and that never answer.
var crowdApp = map[string]string{
	"app.arc":                       "@app\ncrowd-app\n@http\nget /quick\nget /wait\nget /never\nget /saved\nget /env\n",
	"src/http/get-env/index.mjs":    "export const handler = async () => ({ statusCode: 200, body: process.env.WORD ?? '' })\n",
	"src/http/get-quick/index.mjs":  "export const handler = async () => ({ statusCode: 200, body: 'quick' })\n",
	"src/http/get-saved/index.mjs":  savedHandler(0),
	"src/http/get-wait/index.mjs":   "export const handler = async () => {\n  await new Promise((done) => setTimeout(done, 2500))\n  return { statusCode: 200, body: 'waited' }\n}\n",
	"src/http/get-wait/config.arc":  "@aws\ntimeout 30\n",
	"src/http/get-never/index.mjs":  "export const handler = () => new Promise(() => setInterval(() => {}, 1e6))\n",
	"src/http/get-never/config.arc": "@aws\ntimeout 30\n",
}

func savedHandler(n int) string {
	return fmt.Sprintf("export const handler = async () => ({ statusCode: 200, body: '%d' })\n", n)
}

// crowd starts the app of crowdApp, with one worker of the quick function warm.
func (b *bencher) crowd() (*running, string, error) {
	dir := filepath.Join(b.dir, "crowd")
	for name, text := range crowdApp {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return nil, "", err
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return nil, "", err
		}
	}
	r, _, err := b.sandboxIn(dir, "quick")
	return r, dir, err
}

// waiting calls a function that waits 2.5 s 40 times at once, and a warm one 20
// times meanwhile. The floor is 40 bare Node processes, and a bare warm Node
// server that is called while they start.
func (b *bencher) waiting() ([]row, error) {
	r, _, err := b.crowd()
	if err != nil {
		return nil, err
	}
	defer r.stop()
	const calls = 40
	all, one, err := beside(r.url()+"quick", calls, func() error { return get(http.DefaultClient, r.url()+"wait") })
	if err != nil {
		return nil, err
	}
	server, url, err := startServer()
	if err != nil {
		return nil, err
	}
	defer server.Process.Kill()
	starts, bare, err := beside(url, calls, func() error { return exec.Command("node", "-e", "0").Run() })
	if err != nil {
		return nil, err
	}
	goal := 2500*time.Millisecond + starts*3/2
	return []row{
		{"40 calls that wait 2.5 s, until the last", ms(all), ms(starts) + " (40 bare Node starts)", "", "within 2.5 s + 1.5x of the floor: " + ms(goal)},
		{"one call to a warm function meanwhile, p50 / p90", ms(one.quantile(0.5)) + " / " + ms(one.quantile(0.9)),
			ms(bare.quantile(0.5)) + " / " + ms(bare.quantile(0.9)) + " (bare Node server beside the starts)", "", "p90 within 1.5x of the floor"},
	}, nil
}

// beside does work n times at once, and asks for a page 20 times meanwhile.
func beside(url string, n int, work func() error) (all time.Duration, pages durations, err error) {
	var group sync.WaitGroup
	errs := make(chan error, n+1)
	began := time.Now()
	for range n {
		group.Go(func() {
			if err := work(); err != nil {
				errs <- err
			}
		})
	}
	for range 20 {
		at := time.Now()
		if err := get(http.DefaultClient, url); err != nil {
			errs <- err
			break
		}
		pages = append(pages, time.Since(at))
		time.Sleep(20 * time.Millisecond)
	}
	group.Wait()
	all = time.Since(began)
	select {
	case err = <-errs:
	default:
	}
	return all, pages, err
}

// startServer runs the least web server that Node can be.
func startServer() (*exec.Cmd, string, error) {
	cmd := exec.Command("node", "-e", "const s = require('http').createServer((q, r) => r.end('ok')).listen(0, '127.0.0.1', () => console.log(s.address().port))")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	var port int
	if _, err := fmt.Fscan(out, &port); err != nil {
		return nil, "", err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	return cmd, url, get(http.DefaultClient, url)
}

// never calls a function that does not answer 200 times, and looks at another
// one before and once all of them wait.
func (b *bencher) never() ([]row, error) {
	r, _, err := b.crowd()
	if err != nil {
		return nil, err
	}
	defer r.stop()
	idle, failed := load(r.url()+"quick", 1, 500)
	const calls = 200
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	for range calls {
		go func() {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.url()+"never", nil)
			if resp, err := http.DefaultClient.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
	}
	for began := time.Now(); r.children() < calls; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 25*time.Second {
			break // the machine has no room for all; what waits for one waits too
		}
	}
	workers := r.children()
	crowded, more := load(r.url()+"quick", 1, 500)
	return []row{{fmt.Sprintf("warm call while 200 never answer (%d workers), p50 / p99", workers),
		fmt.Sprintf("%s, %d failed", crowded.tail(), failed+more), idle.tail() + " (before)", "", "p99 within 3x of the floor"}}, nil
}

// children counts the processes that arc has started.
func (r *running) children() (n int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", r.cmd.Process.Pid))
	for _, list := range lists {
		data, _ := os.ReadFile(list)
		n += len(bytes.Fields(data))
	}
	return n
}

// saved saves a handler and calls it in the next breath, while another one is
// called all the time. The check's cost is the difference to a warm call of the
// same function where it is deployed, and so not looked at.
func (b *bencher) saved() ([]row, error) {
	const times = 1000
	r, dir, err := b.crowd()
	if err != nil {
		return nil, err
	}
	defer r.stop()
	ctx, cancel := context.WithCancel(b.ctx)
	var busy sync.WaitGroup
	var others atomic.Int64
	busy.Go(func() {
		for ctx.Err() == nil {
			if get(http.DefaultClient, r.url()+"quick") == nil {
				others.Add(1)
			}
		}
	})
	old := 0
	var each durations
	for i := 1; i <= times; i++ {
		if err := os.WriteFile(filepath.Join(dir, "src/http/get-saved/index.mjs"), []byte(savedHandler(i)), 0o666); err != nil {
			cancel()
			return nil, err
		}
		began := time.Now()
		text, err := page(r.url() + "saved")
		if err != nil {
			cancel()
			return nil, err
		}
		each = append(each, time.Since(began))
		if text != strconv.Itoa(i) {
			old++
		}
	}
	cancel()
	busy.Wait()
	var variables durations
	for i := range 20 {
		if err := os.WriteFile(filepath.Join(dir, ".env"), fmt.Appendf(nil, "WORD=%d\n", i), 0o666); err != nil {
			return nil, err
		}
		began := time.Now()
		for text := ""; text != strconv.Itoa(i); {
			if text, err = page(r.url() + "env"); err != nil {
				return nil, err
			}
		}
		variables = append(variables, time.Since(began))
	}
	deploy := b.command("deploy", "--local", "--production")
	deploy.Dir = dir
	out, err := deploy.Output()
	if err != nil {
		return nil, fmt.Errorf("deploy --local: %w", err)
	}
	_, url, _ := strings.Cut(string(out), "HTTP  ")
	url, _, _ = strings.Cut(url, "\n")
	// One after the other, so that what else the machine does hits both.
	var live, deployed durations
	for range 10 {
		some, _ := load(r.url()+"quick", 1, 300)
		live = append(live, some...)
		some, _ = load(strings.TrimSuffix(url, "/")+"/quick", 1, 300)
		deployed = append(deployed, some...)
	}
	return []row{
		{"save, then call at once, 1,000 times", fmt.Sprintf("%d old answers, p50 %s (%d other calls meanwhile)", old, each.median(), others.Load()), "", "", "0 old answers"},
		{"a saved .env, until a call meets it, p50 / p99", variables.tail(), "", "", "50 ms to settle, 100 ms, and a cold start"},
		{"warm call with the check for saved files, p50", ms(live.quantile(0.5)), ms(deployed.quantile(0.5)) + " (deployed: no check)", "", "100 µs more at most"},
	}, nil
}

func page(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// sockets has 50 clients echo at once, and then 10,000 that do nothing.
func (b *bencher) sockets() ([]row, error) {
	r, _, err := b.sandbox()
	if err != nil {
		return nil, err
	}
	defer r.stop()
	const clients, each = 50, 200
	lost, perSecond, cpu, err := b.echoing(r, clients, each)
	if err != nil {
		return nil, err
	}
	floor := ""
	for _, one := range []struct{ dir, name string }{{"", "a bare Go server, the same hops"}, {b.app, "the same with the package"}} {
		bare, err := startBareEcho(one.dir)
		if err != nil {
			return nil, err
		}
		_, perSecond, cpu, err := b.echoing(bare, clients, each)
		bare.stop()
		if err != nil {
			return nil, err
		}
		floor += fmt.Sprintf(", %.0f messages/s, %s (%s)", perSecond, ms(cpu), one.name)
	}
	rows := []row{{"50 WebSocket clients echoing through arc.ws.send",
		fmt.Sprintf("%d of %d lost, %.0f messages/s, %s of arc's own CPU a message", lost, 2*clients*(each+20), perSecond, ms(cpu)),
		strings.TrimPrefix(floor, ", "), "", "0 lost, 0.15 ms"}}
	url := strings.Replace(r.url(), "http", "ws", 1)
	idle, err := b.idle(r, url)
	return append(rows, idle...), err
}

// idle opens sockets that stay silent.
func (b *bencher) idle(r *running, url string) ([]row, error) {
	const n = 10_000
	memory := r.memory()
	took, closeAll, err := open(b.ctx, url, n)
	if err != nil {
		return nil, err
	}
	perSocket := (r.memory() - memory) / n
	closeAll()
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err == nil {
			conn.Read(r.Context())
			conn.CloseNow()
		}
	}))
	defer bare.Close()
	const few = 4000 // both ends are in this process
	floor, closeFew, err := open(b.ctx, strings.Replace(bare.URL, "http", "ws", 1), few)
	if err != nil {
		return nil, err
	}
	closeFew()
	return []row{{"10,000 idle WebSockets, $connect run for each", fmt.Sprintf("open in %s, %.1f KB each", ms(took), float64(perSocket)/1024),
		ms(floor*n/few) + " (a bare server, from 4,000)", "", "2.5 s, 16 KB each"}}, nil
}

// open opens sockets, 64 at a time.
func open(ctx context.Context, url string, n int) (took time.Duration, closeAll func(), err error) {
	conns := make([]*websocket.Conn, n)
	closeAll = func() {
		for _, c := range conns {
			if c != nil {
				c.CloseNow()
			}
		}
	}
	var next, failed atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for range 64 {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				c, _, err := websocket.Dial(ctx, url, nil)
				if err != nil {
					failed.Add(1)
					return
				}
				conns[i] = c
			}
		})
	}
	group.Wait()
	took = time.Since(began)
	if failed.Load() > 0 {
		closeAll()
		return 0, nil, errors.New("sockets could not be opened: is the limit of open files (ulimit -n) 20000?")
	}
	return took, closeAll, nil
}

// cpu is the processor time that arc's own process has used.
func (r *running) cpu() time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // ticks of 100 Hz
}

// memory is what arc's own process holds, in bytes.
func (r *running) memory() int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	var kb int64
	fmt.Sscan(rest, &kb)
	return kb << 10
}
