package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const socketsApp = `
-- app.arc --
@app
socketsapp
@ws
@http
get /
-- src/http/get-index/index.mjs --
export const handler = async () => ({ statusCode: 200, body: 'one' + (process.env.WORD ?? '') })
-- src/ws/connect/index.mjs --
export const handler = async () => ({ statusCode: 200 })
-- src/ws/default/index.mjs --
export const handler = async () => ({ statusCode: 200 })
-- src/ws/disconnect/index.mjs --
export const handler = async () => console.log('SAID GOODBYE')
-- public/index.txt --
static
`

// TestSocketsStay opens a thousand WebSockets and then saves code, preferences,
// variables and the manifest, and deploys: none is closed, and none is told to
// be.
func TestSocketsStay(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	arc, dir := buildArc(t), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	writeArchive(t, dir, socketsApp)
	p := startArc(t, arc, dir, "sandbox", "--port", fmt.Sprint(freePort(t)))
	http, ws := p.url(t, "HTTP"), p.url(t, "WS")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	conns := make([]*websocket.Conn, 1000)
	each := func(what string, work func(i int) error) {
		t.Helper()
		var group sync.WaitGroup
		var once sync.Once
		for start := range 20 {
			group.Go(func() {
				for i := start; i < len(conns); i += 20 {
					if err := work(i); err != nil {
						once.Do(func() { t.Errorf("%s: socket %d: %v", what, i, err) })
					}
				}
			})
		}
		group.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	each("opening", func(i int) (err error) {
		if conns[i], _, err = websocket.Dial(ctx, ws, nil); err == nil {
			conns[i].CloseRead(ctx)
		}
		return err
	})
	t.Cleanup(func() {
		for _, c := range conns {
			if c != nil {
				c.CloseNow()
			}
		}
	})
	soon := func(path, want string) {
		t.Helper()
		var err error
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if err = fetch([]string{http + path, "200", want}); err == nil {
				return
			}
		}
		t.Fatal(err)
	}
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"the socket's own code saved", func() {
			write("src/ws/default/index.mjs", "export const handler = async () => ({ statusCode: 201 })")
		}},
		{"variables saved", func() { write(".env", "WORD=two\n"); soon("/", "^onetwo$") }},
		{"the manifest saved, with another route and another action", func() {
			write("src/ws/more/index.mjs", "export const handler = async () => ({ statusCode: 200 })")
			write("src/http/get-more/index.mjs", "export const handler = async () => ({ statusCode: 200, body: 'more' })")
			write("app.arc", "@app\nsocketsapp\n@ws\nmore\n@http\nget /\nget /more\n")
			soon("/more", "^more$")
		}},
		{"deployed beside it", func() {
			cmd := exec.Command(arc, "deploy", "--local", "--production")
			cmd.Dir, cmd.Env = dir, arcEnv(dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}},
	} {
		step.do()
		each(step.what, func(i int) error { return conns[i].Ping(ctx) })
	}
	if strings.Contains(p.stderr.String(), "SAID GOODBYE") {
		t.Error("a $disconnect ran")
	}
}

// TestSocketsOfARemovedAPI takes @ws out of a manifest while a socket is open: it is closed
// with the API, and the log says why no $disconnect runs when its permission went first.
func TestSocketsOfARemovedAPI(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	arc, dir := buildArc(t), t.TempDir()
	writeArchive(t, dir, socketsApp)
	p := startArc(t, arc, dir, "sandbox", "--port", fmt.Sprint(freePort(t)))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, p.url(t, "WS"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := os.WriteFile(filepath.Join(dir, "app.arc"), []byte("@app\nsocketsapp\n@http\nget /\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the socket: %v", err)
	}
	for _, want := range []string{"1001 its stage testing is being deleted", "ws disconnect "} {
		for deadline := time.Now().Add(30 * time.Second); !strings.Contains(p.stderr.String(), want); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("nobody says %q:\n%s", want, p.stderr.String())
			}
		}
	}
	// The permission is deleted beside the stage: it went first, or the function was called.
	said := p.stderr.String()
	if called, why := strings.Contains(said, "SAID GOODBYE"), strings.Contains(said, "its function is not called: with the stage"); called == why {
		t.Errorf("$disconnect ran: %t, and it is said why not: %t:\n%s", called, why, said)
	}
	if strings.Contains(said, "may not invoke") || strings.Contains(said, "is not authorized") {
		t.Errorf("of the permission that went first:\n%s", said)
	}
}
