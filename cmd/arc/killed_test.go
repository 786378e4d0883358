package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestKilledWhileWriting kills the local cloud with -9 at moments that a seed
// chooses, while four clients write: all that was acknowledged is there. make
// bench does it with ten thousand writes.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	app := withPackages(t, "../../testdata/apps/notes")
	arc := buildArc(t)
	port := fmt.Sprintf("--port=%d", freePort(t))
	random := rand.New(rand.NewPCG(3, 4))
	acknowledged := map[string]bool{}
	next := 0
	for range 3 {
		p := startArc(t, arc, app, "sandbox", port)
		url := p.url(t, "HTTP")
		until := len(acknowledged) + 20 + random.IntN(60)
		var mu sync.Mutex
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for {
					mu.Lock()
					next++
					id := fmt.Sprint("k", next)
					mu.Unlock()
					resp, err := http.Post(url+"/notes", "application/json", strings.NewReader(`{"id":"`+id+`"}`))
					if err != nil {
						return // killed
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode != http.StatusCreated {
						return
					}
					mu.Lock()
					acknowledged[id] = true
					if len(acknowledged) == until {
						p.cmd.Process.Kill()
					}
					mu.Unlock()
				}
			})
		}
		clients.Wait()
		if len(acknowledged) < until {
			t.Errorf("%d of %d writes were acknowledged, and then no more:\n%s", len(acknowledged), until, p.stderr)
		}
		p.kill() // it is dead already
	}
	p := startArc(t, arc, app, "sandbox", port)
	resp, err := http.Get(p.url(t, "HTTP") + "/notes")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for id := range acknowledged {
		if !strings.Contains(string(body), `"id":"`+id+`"`) {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
}

// TestKilledWhileDeploying kills a local cloud with -9 at moments of a deploy
// that a seed chooses: of the stack's making, and of its changes. The next deploy
// arrives at what the source says, with what was written before.
func TestKilledWhileDeploying(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	app := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(app, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifest := "@app\nkilled\n@http\nget /\n@ws\n@events\na\nb\n@queues\nc\n@static\n"
	write("app.arc", manifest)
	for _, folder := range []string{"ws/connect", "ws/default", "ws/disconnect", "events/a", "events/b", "events/d", "queues/c"} {
		write("src/"+folder+"/index.mjs", "export const handler = async () => ({ statusCode: 200 })")
	}
	write("public/page.html", "<h1>page</h1>")
	arc := buildArc(t)
	random := rand.New(rand.NewPCG(7, 8))
	whole := 1500 * time.Millisecond
	bucket := ""
	for round := range 4 {
		write("src/http/get-index/index.mjs", fmt.Sprintf("export const handler = async () => ({ statusCode: 200, body: 'round %d ' + process.env.ARC_STATIC_BUCKET })", round))
		if round == 2 {
			write("app.arc", strings.Replace(manifest, "@queues", "d\n@queues", 1))
		}
		for range 2 {
			p := startArc(t, arc, app, "deploy", "--local")
			time.Sleep(time.Duration(random.Int64N(int64(whole))))
			p.cmd.Process.Kill()
			p.kill()
		}
		began := time.Now()
		p := startArc(t, arc, app, "deploy", "--local")
		url := p.url(t, "HTTP")
		whole = min(time.Since(began), 10*time.Second)
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		now, found := strings.CutPrefix(string(body), fmt.Sprintf("round %d ", round))
		if !found {
			t.Fatalf("round %d: %s %s\n%s", round, resp.Status, body, p.stderr)
		}
		// What had the bucket of a stack that was made has it still.
		if bucket != "" && now != bucket {
			t.Errorf("round %d: the bucket is %s and was %s", round, now, bucket)
		}
		bucket = now
		p.kill()
	}
}
