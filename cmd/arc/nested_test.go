package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNestedStacks lets an app with something of everything grow past what one
// stack holds, adds a route to it, calls functions of different nested stacks,
// and lets it shrink into one stack again.
func TestNestedStacks(t *testing.T) {
	lookTool(t, "node")
	arc := buildArc(t)
	app := t.TempDir()
	const small, routes = 130, 260
	write := func(n int) {
		var text strings.Builder
		text.WriteString("@app\nmany-routes\n\n@ws\n@events\nsaved\n@queues\njobs\n@scheduled\ndaily rate(1 day)\n@tables\nnotes\n  id *String\n@tables-streams\nnotes\n@http\n")
		for i := range n {
			fmt.Fprintf(&text, "get /r%d\n", i)
			dir := filepath.Join(app, "src", "http", fmt.Sprintf("get-r%d", i))
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			body := fmt.Sprintf("export const handler = async () => ({ statusCode: 200, body: 'route %d.' })\n", i)
			if err := os.WriteFile(filepath.Join(dir, "index.mjs"), []byte(body), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(app, "app.arc"), []byte(text.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(small)
	initialize := exec.Command(arc, "init")
	initialize.Dir = app
	if out, err := initialize.CombinedOutput(); err != nil {
		t.Fatalf("arc init: %v\n%s", err, out)
	}
	p := startArc(t, arc, app, "deploy", "--local")
	url := p.url(t, "HTTP")
	write(routes)
	if now := startArc(t, arc, app, "deploy", "--local").url(t, "HTTP"); now != url {
		t.Errorf("grown: the API moved from %s to %s", url, now)
	}
	for _, i := range []int{0, 99, routes - 1} {
		if err := fetch([]string{fmt.Sprintf("%s/r%d", url, i), "200", fmt.Sprintf(`^route %d\.$`, i)}); err != nil {
			t.Error(err)
		}
	}
	write(routes + 1)
	q := startArc(t, arc, app, "deploy", "--local")
	if again := q.url(t, "HTTP"); again != url {
		t.Errorf("the API moved from %s to %s", url, again)
	}
	if err := fetch([]string{fmt.Sprintf("%s/r%d", url, routes), "200", fmt.Sprintf(`^route %d\.$`, routes)}); err != nil {
		t.Error(err)
	}
	write(small)
	if now := startArc(t, arc, app, "deploy", "--local").url(t, "HTTP"); now != url {
		t.Errorf("shrunk: the API moved from %s to %s", url, now)
	}
	if err := fetch([]string{url + "/r99", "200", `^route 99\.$`}); err != nil {
		t.Error(err)
	}
}
