package manifest

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite goldens")

// TestGolden loads the project that each archive in testdata holds. Its file
// "diagnostics" is what reading it must say; its file "app", where there is
// one, is the App as dump prints it. Files below home/ are the user's home.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	project, opts := projectOf(t, a)
	opts.Today = "2026-11-29" // for what AWS has retired by then
	r := Load(project, opts)
	var said bytes.Buffer
	if err := r.Diagnostics.Render(&said, r.Sources); err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Diagnostics {
		if d.Code == "" || d.Message == "" || d.Hint == "" {
			t.Errorf("a diagnostic without code, message or hint: %+v", d)
		}
	}
	got := map[string]string{"diagnostics": said.String(), "app": dump(r.App)}
	if *update {
		for i, f := range a.Files {
			if text, ok := got[f.Name]; ok {
				a.Files[i].Data = []byte(text)
				delete(got, f.Name)
			}
		}
		if text, ok := got["diagnostics"]; ok {
			a.Files = append(a.Files, txtar.File{Name: "diagnostics", Data: []byte(text)})
		}
		if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	checked := false
	for _, f := range a.Files {
		if text, ok := got[f.Name]; ok {
			checked = true
			if diff := cmp.Diff(string(f.Data), text); diff != "" {
				t.Errorf("%s (-want +got):\n%s", f.Name, diff)
			}
		}
	}
	if !checked {
		t.Error("the archive expects nothing: run with -update")
	}
}

// projectOf is the project folder that an archive holds.
func projectOf(t *testing.T, a *txtar.Archive) (fs.FS, Options) {
	t.Helper()
	files := fstest.MapFS{}
	home := fstest.MapFS{}
	var set []Set
	for _, f := range a.Files {
		switch {
		case f.Name == "diagnostics" || f.Name == "app":
		case f.Name == "set.json": // what plugins set
			if err := json.Unmarshal(f.Data, &set); err != nil {
				t.Fatal(err)
			}
		case strings.HasPrefix(f.Name, "home/"):
			home[strings.TrimPrefix(f.Name, "home/")] = &fstest.MapFile{Data: f.Data}
		default:
			files[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return files, Options{Home: home, Set: set}
}

func mapFS(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, body := range files {
		m[name] = &fstest.MapFile{Data: []byte(body)}
	}
	return m
}
