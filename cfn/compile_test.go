package cfn

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"arc/manifest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestCompile reads testdata/templates/*.txtar, one for each pragma, and
// testdata/apps/*.txtar, whole apps: a project, and below want/ the
// template of each stage that the case is about (want/staging.json, …) or the
// diagnostics (want/staging.txt). Two kinds of lines before the first file set
// Options: "env NAME …" and "name NAME".
func TestCompile(t *testing.T) {
	for _, file := range caseFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(ar.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") }) {
				t.Fatal("the case wants nothing")
			}
			changed := false
			for i, f := range ar.Files {
				stage, isWant := strings.CutPrefix(f.Name, "want/")
				if !isWant {
					continue
				}
				ext := filepath.Ext(stage)
				got := compileCase(t, ar, strings.TrimSuffix(stage, ext))[ext]
				if bytes.Equal(got, f.Data) {
					continue
				}
				if *update {
					ar.Files[i].Data, changed = got, true
					continue
				}
				t.Errorf("%s: run go test ./cfn -update and read the difference\n%s", f.Name, cmp.Diff(string(f.Data), string(got)))
			}
			if changed {
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// compileCase compiles the project of a case and gives the template (".json")
// and the diagnostics (".txt").
func compileCase(t *testing.T, ar *txtar.Archive, stage string) map[string][]byte {
	t.Helper()
	app, sources := loadCase(t, ar)
	opts := Options{Stage: stage}
	for _, line := range strings.Split(string(ar.Comment), "\n") {
		switch words := strings.Fields(line); {
		case len(words) == 0:
		case words[0] == "env":
			opts.Env = words[1:]
		case words[0] == "name":
			opts.Name = words[1]
		}
	}
	stack, ds := Compile(app, opts)
	var text bytes.Buffer
	if err := ds.Render(&text, sources); err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{".txt": text.Bytes()}
	if stack == nil {
		return got
	}
	template, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	got[".json"] = template
	return got
}

// loadCase reads the project of a case.
func loadCase(t *testing.T, ar *txtar.Archive) (*manifest.App, map[string][]byte) {
	t.Helper()
	files := fstest.MapFS{}
	for _, f := range ar.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			files[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	result := manifest.Load(files, manifest.Options{})
	if result.Diagnostics.HasErrors() || result.App == nil {
		var text bytes.Buffer
		_ = result.Diagnostics.Render(&text, result.Sources)
		t.Fatalf("the manifest has mistakes:\n%s", text.Bytes())
	}
	return result.App, result.Sources
}

// caseFiles lists the cases of TestCompile.
func caseFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"testdata/templates/*.txtar", "testdata/apps/*.txtar"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no cases in %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	return files
}
