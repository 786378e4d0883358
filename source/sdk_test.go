package source_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"arc/source"
)

// TestOfferWithoutNetwork asks for a package of Lambda's runtime where npm reaches
// nobody: a call waits for it, so that is said soon, with what to do.
func TestOfferWithoutNetwork(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("npm is not on the PATH")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.mjs"), []byte("import '@aws-sdk/client-sts'"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("npm_config_registry", "http://127.0.0.1:1")
	t.Setenv("npm_config_cache", filepath.Join(t.TempDir(), "npm"))
	var told []string
	build := &source.Builder{Dir: dir, Env: os.Getenv, Cache: filepath.Join(t.TempDir(), "cache"), Tell: func(text string) { told = append(told, text) }}
	began := time.Now()
	offered, err := source.Tree{Files: os.DirFS(dir), Disk: dir}.Offer(build, dir, "nodejs22.x")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	if err != nil || len(offered.Wrong) != 1 || !strings.Contains(offered.Wrong[0].Hint, "npm install --save-dev @aws-sdk/client-sts (arc could not: code ECONNREFUSED") {
		t.Errorf("%+v, %v", offered.Wrong, err)
	}
	if want := "npm installs @aws-sdk/client-sts, as Lambda's runtime has it, once for this user"; len(told) != 1 || told[0] != want {
		t.Errorf("told %q, want %q", told, want)
	}
}

// TestOutdatedInBundle has a function fail at once that would wait for the sandboxes
// that @architect/functions 3 knows, where its code is in a bundle.
func TestOutdatedInBundle(t *testing.T) {
	files := fstest.MapFS{
		"src/index.ts": {Data: []byte("import arc from '@architect/functions'\nexport const handler = () => arc")},
		"node_modules/@architect/functions/package.json": {Data: []byte(`{"version": "3.14.2"}`)},
		"node_modules/@architect/functions/index.js":     {Data: []byte("module.exports = 1")},
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	fn := source.Function{Dir: "src", Runtime: "nodejs22.x", HandlerFile: "index.ts", Handler: "index.handler", Build: &source.Builder{Dir: dir, Live: true}}
	live := source.NewLive(source.Tree{Files: os.DirFS(filepath.Dir(dir)), Disk: filepath.Dir(dir), Project: filepath.Base(dir)}, fn, t.TempDir())
	if _, err := live.Make(t.Context()); err == nil || !strings.Contains(err.Error(), "is version 3.14.2") || !strings.Contains(err.Error(), "npm install @architect/functions@8") {
		t.Errorf("made with %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "node_modules/@architect/functions/package.json"), []byte(`{"version": "8.1.10"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := live.Make(t.Context()); err != nil {
		t.Errorf("version 8: %v", err)
	}
}
