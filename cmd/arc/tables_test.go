package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestTables runs testdata/apps/notes, whose handlers use arc.tables() of the
// npm package as users install it, under arc sandbox and after arc deploy --local.
func TestTables(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

// withPackages copies an app with its npm packages, which are installed once for
// all tests and apps that declare the same.
func withPackages(t testing.TB, from string) string {
	t.Helper()
	npm := lookTool(t, "npm")
	dir := t.TempDir()
	if err := copyApp(dir, from); err != nil {
		t.Fatal(err)
	}
	declared, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	installed, err := installedPackages(npm, string(declared))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if err := linkTree(filepath.Join(dir, "node_modules"), filepath.Join(installed, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// installedPackages is a folder with a package.json and what npm installs for
// it. It is kept in the user's cache.
func installedPackages(npm, declared string) (string, error) {
	return filledOnce("packages", declared, func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(declared), 0o600); err != nil {
			return err
		}
		cmd := exec.Command(npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("npm install: %w\n%s", err, out)
		}
		return nil
	})
}

// filledOnce is a folder of the user's cache, filled the first time that somebody asks for
// one of this content. It gets its name when it is whole, so that who fills it at the
// same time, in this process or another, is in nobody's way.
func filledOnce(kind, content string, fill func(dir string) error) (string, error) {
	filling.Lock()
	defer filling.Unlock()
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(content))
	dir := filepath.Join(cache, "arc-ci", kind, hex.EncodeToString(sum[:8]))
	whole := func() bool {
		_, err := os.Stat(filepath.Join(dir, "done"))
		return err == nil
	}
	if whole() {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", err
	}
	begun, err := os.MkdirTemp(filepath.Dir(dir), "begun-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(begun)
	if err := fill(begun); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(begun, "done"), nil, 0o600); err != nil {
		return "", err
	}
	if os.Rename(begun, dir) == nil || whole() {
		return dir, nil
	}
	// One that was filled in its place, and never became whole.
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.Rename(begun, dir)
}

var filling sync.Mutex

// linkTree makes a folder that is like another one, of hard links: what npm
// installs has thousands of files, which no test changes.
func linkTree(to, from string) error {
	return filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		switch made := filepath.Join(to, name); {
		case d.IsDir():
			return os.MkdirAll(made, 0o777)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(file)
			if err != nil {
				return err
			}
			return os.Symlink(target, made)
		default:
			if os.Link(file, made) == nil {
				return nil
			}
			data, err := os.ReadFile(file) // on another disk
			if err != nil {
				return err
			}
			return os.WriteFile(made, data, 0o666)
		}
	})
}
