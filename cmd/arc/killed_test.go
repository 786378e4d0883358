package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestKilledWhileWriting kills the local cloud with -9 at moments that a seed
// chooses, while four clients write: all that was acknowledged is there. make
// bench does it with ten thousand writes.
func TestKilledWhileWriting(t *testing.T) {
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
