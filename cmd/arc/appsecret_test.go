package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"arc/deploy"
)

// TestForgedSession makes a session as anybody can who knows the npm package:
// with the key that the package has when nobody sets one. The app does not take
// it for one of its own, in the sandbox and deployed, while those that it made
// itself survive a restart of the sandbox.
func TestForgedSession(t *testing.T) {
	t.Parallel()
	node := lookTool(t, "node")
	app := seedWithPackages(t)
	handler := `import arc from '@architect/functions'
export const handler = arc.http(async ({ query, session }) =>
  query?.login ? { session: { name: query.login }, text: 'in' } : { json: session })`
	for _, stale := range []string{"index.js", "index.mjs"} {
		os.Remove(filepath.Join(app, "src/http/get-index", stale))
	}
	if err := os.WriteFile(filepath.Join(app, "src/http/get-index/index.mjs"), []byte(handler), 0o600); err != nil {
		t.Fatal(err)
	}
	forge := exec.Command(node, "-e", `require('@architect/functions/src/http/session/providers/jwe').write({ admin: true }, (_, cookie) => process.stdout.write(cookie))`)
	forge.Dir = app
	forge.Env = []string{"PATH=" + os.Getenv("PATH"), "ARC_ENV=staging"}
	cookie, err := forge.Output()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(url, query, cookie string) (string, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, url+"/"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		value, _, _ := strings.Cut(cookie, ";")
		req.Header.Set("Cookie", value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body), resp.Header.Get("Set-Cookie")
	}
	arc := buildArc(t)
	own := ""
	for _, run := range []string{"first", "second"} {
		t.Run("sandbox/"+run, func(t *testing.T) {
			url := startArc(t, arc, app, "sandbox", "--port", fmt.Sprint(freePort(t))).url(t, "HTTP")
			if got, _ := ask(url, "", string(cookie)); got != "{}" {
				t.Errorf("a forged session is %s", got)
			}
			if own == "" {
				_, own = ask(url, "?login=ann", "")
			}
			if got, _ := ask(url, "", own); !strings.Contains(got, `"name":"ann"`) {
				t.Errorf("the app's own session is %s", got)
			}
		})
	}
	t.Run("deployed", func(t *testing.T) {
		p := startArc(t, arc, app, "deploy", "--local")
		url := p.url(t, "HTTP")
		if got, _ := ask(url, "", string(cookie)); got != "{}" {
			t.Errorf("a forged session is %s", got)
		}
		_, own := ask(url, "?login=ann", "")
		if got, _ := ask(url, "", own); !strings.Contains(got, `"name":"ann"`) {
			t.Errorf("the app's own session is %s", got)
		}
		if said := p.stderr.String(); !strings.Contains(said, "made the key of sessions, /mywsapp/staging/ARC_APP_SECRET") {
			t.Errorf("deploy said %s", said)
		}
	})
}

// TestOneAppSecret: sandboxes that start at the same moment get one key, and
// what is no key gives way to one.
func TestOneAppSecret(t *testing.T) {
	for range 20 {
		file := filepath.Join(t.TempDir(), "sessions.key")
		var mu sync.Mutex
		var group sync.WaitGroup
		keys := map[string]bool{}
		for range 8 {
			group.Go(func() {
				key, err := keepAppSecret(file)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				keys[key] = true
			})
		}
		group.Wait()
		if len(keys) != 1 {
			t.Fatalf("%d keys", len(keys))
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "sessions.key")
	if err := os.WriteFile(file, []byte("half a k"), 0o644); err != nil {
		t.Fatal(err)
	}
	key, err := keepAppSecret(file)
	if err != nil || !deploy.MadeHere(key) {
		t.Errorf("%q %v", key, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if again, err := keepAppSecret(file); again != key || err != nil {
		t.Errorf("another key: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
}
