//go:build linux

package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// earlyApp has a function that its manifest does not name yet.
const earlyApp = `
-- app.arc --
@app
early
@http
get /
-- src/http/get-index/index.mjs --
export const handler = async () => ({ statusCode: 200, body: 'ok' })
-- src/http/get-more/index.mjs --
export const handler = async () => ({ statusCode: 200, body: 'ok' })
`

// TestSavedWhileItStarts saves the manifest at many moments of the sandbox's start:
// what was read before it is watched is read again.
func TestSavedWhileItStarts(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	arc := buildArc(t)
	for delay := 10 * time.Millisecond; delay <= 100*time.Millisecond; delay += 10 * time.Millisecond {
		t.Run(delay.String(), func(t *testing.T) {
			dir := t.TempDir()
			writeArchive(t, dir, earlyApp)
			p := startArc(t, arc, dir, "sandbox", "--port", fmt.Sprint(freePort(t)))
			time.Sleep(delay)
			writeArchive(t, dir, "-- app.arc --\n@app\nearly\n@http\nget /\nget /more\n")
			url := p.url(t, "HTTP")
			status := 0
			for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && status != http.StatusOK; time.Sleep(20 * time.Millisecond) {
				resp, err := http.Get(url + "/more")
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				status = resp.StatusCode
			}
			if status != http.StatusOK {
				t.Errorf("GET /more: %d, though it is in the manifest", status)
			}
		})
	}
}
