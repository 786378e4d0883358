package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTables runs testdata/apps/notes, whose handlers use arc.tables() of the
// npm package as users install it, under arc sandbox and after arc deploy --local.
func TestTables(t *testing.T) {
	lookTool(t, "node")
	app := withPackages(t, "../../testdata/apps/notes")
	arc := buildArc(t)
	for _, c := range []struct{ stack, command, flag string }{
		{"NotesTesting", "sandbox", fmt.Sprintf("--port=%d", freePort(t))},
		{"NotesStaging", "deploy", "--local"},
	} {
		t.Run(c.command, func(t *testing.T) {
			p := startArc(t, arc, app, c.command, c.flag)
			url := p.url(t, "HTTP")
			ask(t, "POST", url+"/notes", `{"id":"1","text":"kept"}`, 201, `"text":"kept"`)
			ask(t, "GET", url+"/notes", "", 200, `"id":"1"`)
			want := `{"get":1,"update":2,"query":1,"index":1,"scan":1,"scanAll":1,` +
				`"arn":"arn:aws:dynamodb:us-west-2:000000000000:table/` + c.stack + `-NotesTable","backups":"ENABLED","ttl":"expires","deleted":true}`
			ask(t, "GET", url+"/ways", "", 200, want)
		})
	}
}

// TestTablesStay kills the local cloud with -9 and starts it again: what was
// written is there, under arc sandbox and after arc deploy --local alike, and a
// table that left the manifest comes back with its items. --fresh starts anew.
func TestTablesStay(t *testing.T) {
	lookTool(t, "node")
	app := withPackages(t, "../../testdata/apps/notes")
	arc := buildArc(t)
	port := fmt.Sprintf("--port=%d", freePort(t))
	killed := func(p *process) {
		t.Helper()
		if err := p.kill(); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range [][]string{{"sandbox", port}, {"deploy", "--local"}} {
		for i := range 3 {
			p := startArc(t, arc, app, command...)
			url := p.url(t, "HTTP")
			for n := range i { // of earlier runs
				ask(t, "GET", url+"/notes", "", 200, fmt.Sprintf(`"id":"%d"`, n))
			}
			ask(t, "POST", url+"/notes", fmt.Sprintf(`{"id":"%d"}`, i), 201, `"author":"ann"`)
			killed(p)
		}
	}
	manifest := filepath.Join(app, "app.arc")
	whole, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	without, _, _ := strings.Cut(string(whole), "@tables")
	for _, text := range []string{without, string(whole)} {
		if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := startArc(t, arc, app, "sandbox", port)
		if url := p.url(t, "HTTP"); text != without {
			ask(t, "GET", url+"/notes", "", 200, `"id":"2"`)
		}
		killed(p)
	}
	p := startArc(t, arc, app, "sandbox", port, "--fresh")
	ask(t, "GET", p.url(t, "HTTP")+"/notes", "", 200, "[]")
}

// ask sends a request and looks for a text in the answer.
func ask(t *testing.T, method, url, body string, status int, want string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !strings.Contains(string(text), want) {
		t.Errorf("%s %s: %s %v\n%s\nwant %s", method, url, resp.Status, err, text, want)
	}
}

// withPackages copies an app and installs its npm packages.
func withPackages(t testing.TB, from string) string {
	t.Helper()
	npm := lookTool(t, "npm")
	dir := t.TempDir()
	if err := copyApp(dir, from); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
		t.Skipf("npm install: %v\n%s", err, out)
	}
	return dir
}
