package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNestedStacks lets an app with something of everything grow past what one
// stack holds, adds a route to it, calls functions of different nested stacks,
// and lets it shrink into one stack again.
func TestNestedStacks(t *testing.T) {
	t.Parallel()
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
	arcIn := func(args ...string) (code int, stdout string) {
		t.Helper()
		cmd := exec.Command(arc, args...)
		cmd.Dir, cmd.Env = app, arcEnv(app)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, _ := cmd.Output()
		if code = cmd.ProcessState.ExitCode(); code == 1 {
			t.Errorf("arc %q: %s", args, &stderr)
		}
		return code, string(out)
	}
	// The deployed nested stacks are read through.
	diff := func(wantCode int, want string) {
		t.Helper()
		started := time.Now()
		code, out := arcIn("diff", "--local")
		t.Logf("arc diff took %v", time.Since(started))
		if code != wantCode || out != want {
			t.Errorf("arc diff: exit code %d, want %d\n%s\nwant\n%s", code, wantCode, out, want)
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
	diff(0, "no changes\n")
	// Code of functions in nested stacks goes past CloudFormation, too; the tree goes
	// back, no template changes, and the next deploy puts the code right all the same.
	for _, moment := range []struct{ say, command string }{{"direct", "--direct"}, {"route", ""}} {
		args := []string{"deploy", "--local"}
		for _, i := range []int{99, routes - 1} {
			name := filepath.Join(app, "src", "http", fmt.Sprintf("get-r%d", i), "index.mjs")
			if err := os.WriteFile(name, fmt.Appendf(nil, "export const handler = async () => ({ statusCode: 200, body: '%s %d.' })\n", moment.say, i), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if moment.command != "" {
			args = append(args, moment.command, "get /r99", fmt.Sprintf("get /r%d", routes-1))
		}
		if code, out := arcIn(args...); code != 0 {
			t.Errorf("arc %q: exit code %d\n%s", args, code, out)
		}
		for _, i := range []int{99, routes - 1} {
			if err := fetch([]string{fmt.Sprintf("%s/r%d", url, i), "200", fmt.Sprintf(`^%s %d\.$`, moment.say, i)}); err != nil {
				t.Error(err)
			}
		}
	}
	diff(0, "no changes\n")
	// A template without those of its nested stacks: what is in them counts for
	// neither side.
	_, before := arcIn("package")
	if err := os.WriteFile(filepath.Join(app, "before.json"), []byte(before), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out := arcIn("diff", "--template", "before.json")
	if code != 0 || !strings.HasPrefix(out, "no changes\nnote: the template of the nested stack ") {
		t.Errorf("arc diff --template: exit code %d\n%s", code, out)
	}
	write(routes + 1)
	if err := os.WriteFile(filepath.Join(app, "src", "http", "get-r7", "config.arc"), []byte("@aws\nmemory 512\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	diff(2, `ManyRoutesStaging: deployed → working tree

Routes
  + get /r260  (app.arc:277)

Functions
  + @http get /r260  (app.arc:277)
      nodejs22.x, 1152 MB, 5 s
  ~ @http get /r7  (app.arc:24)
      memory 1152 MB → 512 MB

Exposure
  + get /r260: is public and asks nobody who they are  (app.arc:277)

resources: 3 to add, 2 to change, 0 to remove
safe: 1 public
`)
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
