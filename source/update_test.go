package source

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

// eachArchive runs a test for every txtar file below testdata/dir. The test
// gives back what the file named want should hold.
func eachArchive(t *testing.T, dir, want string, run func(t *testing.T, a *txtar.Archive) string) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives in testdata/%s: %v", dir, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := []byte(run(t, a))
			for i := range a.Files {
				if a.Files[i].Name != want {
					continue
				}
				if *update {
					a.Files[i].Data = got
					if err := os.WriteFile(name, txtar.Format(a), 0o666); err != nil {
						t.Fatal(err)
					}
				} else if !bytes.Equal(got, a.Files[i].Data) {
					t.Errorf("differs from %q (-want +got):\n%s", want, cmp.Diff(string(a.Files[i].Data), string(got)))
				}
				return
			}
			t.Fatalf("%s has no part %q", name, want)
		})
	}
}

// partOf is a file of an archive; "" when it is not there.
func partOf(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// tool finds a program that a test needs: without it the test is skipped, but
// fails where everything should be installed.
func tool(t testing.TB, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err == nil {
		return file
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}
