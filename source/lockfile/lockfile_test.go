package lockfile

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite goldens")

// TestVersions reads each lock file of testdata/*.txtar; the last file of the
// archive lists what they pin.
func TestVersions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		last := len(archive.Files) - 1
		for _, f := range archive.Files[:last] {
			seen[path.Base(f.Name)] = true
			versions := Versions(path.Base(f.Name), f.Data)
			fmt.Fprintf(&got, "%s\n", f.Name)
			for _, name := range slices.Sorted(maps.Keys(versions)) {
				fmt.Fprintf(&got, "  %s %s\n", name, versions[name])
			}
		}
		if *update {
			archive.Files[last].Data = []byte(got.String())
			if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if want := string(archive.Files[last].Data); got.String() != want {
			t.Errorf("%s: got\n%s\nwant\n%s", file, &got, want)
		}
	}
	for _, name := range Names() {
		if !seen[name] {
			t.Errorf("no case has a %s", name)
		}
	}
	if Versions("Makefile", []byte("all:")) != nil {
		t.Error("a Makefile pins nothing")
	}
}

func FuzzVersions(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, lock := range archive.Files {
			f.Add(path.Base(lock.Name), lock.Data)
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		for pkg, version := range Versions(name, data) {
			if pkg == "" || version == "" {
				t.Fatalf("%q %q", pkg, version)
			}
		}
	})
}
