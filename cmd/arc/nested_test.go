package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNestedStacks deploys an app that needs more than one stack to the local
// cloud, adds a route to it, and calls functions of different nested stacks.
func TestNestedStacks(t *testing.T) {
	lookTool(t, "node")
	arc := buildArc(t)
	app := t.TempDir()
	const routes = 260
	write := func(n int) {
		var text strings.Builder
		text.WriteString("@app\nmany-routes\n\n@http\n")
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
	write(routes)
	p := startArc(t, arc, app, "deploy", "--local")
	url := p.url(t, "HTTP")
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
}
