package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// broadcastApp remembers its sockets in a table, and sends to all of them in one
// function: with the sandbox behind arc.ws.send, or with a server that only
// answers.
var broadcastApp = map[string]string{
	"app.arc":                      "@app\nbroadcast\n@aws\ntimeout 60\n@http\nget /\nget /send\n@ws\n@tables\nconnections\n  id *String\n",
	"src/http/get-index/index.mjs": "export const handler = async () => ({ statusCode: 200 })\n",
	"src/ws/default/index.mjs":     "export const handler = async () => ({ statusCode: 200 })\n",
	"src/ws/disconnect/index.mjs":  "export const handler = async () => ({ statusCode: 200 })\n",
	"src/ws/connect/index.mjs": `import arc from '@architect/functions'
export async function handler ({ requestContext: { connectionId: id } }) {
  const { connections } = await arc.tables()
  await connections.put({ id })
  return { statusCode: 200 }
}`,
	"src/http/get-send/index.mjs": `import arc from '@architect/functions'
const { ARC_SANDBOX } = process.env
export async function handler ({ queryStringParameters: { port } }) {
  process.env.ARC_SANDBOX = ARC_SANDBOX
  const { connections } = await arc.tables()
  const sandbox = JSON.parse(ARC_SANDBOX)
  if (port) sandbox.ports._arc = Number(port)
  process.env.ARC_SANDBOX = JSON.stringify(sandbox)
  await arc.ws.send({ id: 'nobody', payload: {} }).catch(() => {}) // it takes the address that the next one uses
  await new Promise(done => setTimeout(done, 50))
  const began = performance.now()
  const ids = (await connections.scanAll({})).map(one => one.id)
  const read = performance.now()
  await Promise.all(ids.map(id => arc.ws.send({ id, payload: { hello: 'everybody' } })))
  const end = performance.now()
  return { statusCode: 200, body: JSON.stringify({ sent: ids.length, all: end - began, loop: end - read }) }
}`,
}

// broadcast times one function that sends to 1,000 sockets, five times, of which
// the first does not count.
func (b *bencher) broadcast() ([]row, error) {
	dir := filepath.Join(b.dir, "broadcast")
	if err := b.project(dir, broadcastApp); err != nil {
		return nil, err
	}
	r, _, err := b.sandboxIn(dir, "")
	if err != nil {
		return nil, err
	}
	defer r.stop()
	const sockets = 1000
	came, end, err := listen(b.ctx, strings.Replace(r.url(), "http", "ws", 1), sockets)
	if err != nil {
		return nil, err
	}
	defer end()
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer bare.Close()
	floor, err := url.Parse(bare.URL)
	if err != nil {
		return nil, err
	}
	var ours, floors durations
	for i := range 5 {
		var sent, answered struct {
			Sent      int
			All, Loop float64
		}
		if err := getJSON(r.url()+"send?port="+floor.Port(), &answered); err != nil {
			return nil, err
		}
		if err := getJSON(r.url()+"send?port=", &sent); err != nil {
			return nil, err
		}
		if want := int64((i + 1) * sockets); sent.Sent != sockets || !became(came, want) {
			return nil, fmt.Errorf("%d sent, and %d of %d came", sent.Sent, came.Load(), want)
		}
		if i > 0 {
			ours, floors = append(ours, time.Duration(sent.All*1e6)), append(floors, time.Duration(answered.Loop*1e6))
		}
	}
	ratio := float64(ours.quantile(0.5)) / float64(floors.quantile(0.5))
	return []row{{"broadcast to 1,000 sockets, IDs from a table", fmt.Sprintf("%s, %.2f x the floor", ours.median(), ratio), floors.median() + " (arc.ws.send to a server that only answers)", "", "1.6 x the floor"}}, nil
}

// became waits until a count is what it must be.
func became(count *atomic.Int64, want int64) bool {
	for began := time.Now(); count.Load() < want; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			return false
		}
	}
	return count.Load() == want
}

// listen opens sockets and counts what comes to them.
func listen(ctx context.Context, url string, n int) (came *atomic.Int64, end func(), err error) {
	came = &atomic.Int64{}
	conns := make([]*websocket.Conn, n)
	end = func() {
		for _, c := range conns {
			if c != nil {
				c.CloseNow()
			}
		}
	}
	var next atomic.Int64
	var failed error
	var once sync.Once
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				conn, _, err := websocket.Dial(ctx, url, nil)
				if err != nil {
					once.Do(func() { failed = err })
					return
				}
				conns[i] = conn
				go func() {
					for {
						if _, _, err := conn.Read(ctx); err != nil {
							return
						}
						came.Add(1)
					}
				}()
			}
		})
	}
	group.Wait()
	if failed != nil {
		end()
		return nil, nil, failed
	}
	return came, end, nil
}

// project writes an app with the package @architect/functions.
func (b *bencher) project(dir string, files map[string]string) error {
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return err
		}
	}
	packages := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(packages); err == nil {
		return nil
	}
	if err := os.CopyFS(packages, os.DirFS(filepath.Join(b.app, "node_modules"))); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"dependencies": {"@architect/functions": "*"}}`), 0o666)
}

// kinds times the start of an app with tables, queues and topics, beside one
// without.
func (b *bencher) kinds() ([]row, error) {
	dir := filepath.Join(b.dir, "kinds")
	app := map[string]string{
		"app.arc":                      "@app\nkinds\n@http\nget /\n",
		"src/http/get-index/index.mjs": "export const handler = async () => ({ statusCode: 200, body: 'ok' })\n",
	}
	bare := filepath.Join(b.dir, "nokinds")
	if err := b.project(bare, app); err != nil {
		return nil, err
	}
	app["app.arc"] += "@tables\n"
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		app["app.arc"] += name + "\n  id *String\n"
	}
	for _, pragma := range []string{"queues", "events"} {
		app["app.arc"] += "@" + pragma + "\n"
		for _, name := range []string{"first", "second", "third"} {
			app["app.arc"] += name + "\n"
			app["src/"+pragma+"/"+name+"/index.mjs"] = "export const handler = async () => {}\n"
		}
	}
	if err := b.project(dir, app); err != nil {
		return nil, err
	}
	var starts, without durations
	for i := range 8 { // the first one may install the program that keeps tables
		for into, dir := range map[*durations]string{&starts: dir, &without: bare} {
			r, took, err := b.sandboxIn(dir, "")
			if err != nil {
				return nil, err
			}
			r.stop()
			if i > 0 {
				*into = append(*into, took)
			}
		}
	}
	return []row{{"arc sandbox with 5 tables, 3 queues and 3 topics, start to first 200", starts.median(), without.median() + " (without them)", "", "150 ms"}}, nil
}
