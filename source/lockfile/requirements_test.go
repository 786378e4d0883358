package lockfile

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestRequirements reads each lock file of the archive, with the pyproject.toml
// of its folder.
func TestRequirements(t *testing.T) {
	const file = "testdata/requirements/locks.txtar"
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	projects := map[string][]byte{}
	var got strings.Builder
	last := len(archive.Files) - 1
	for _, f := range archive.Files[:last] {
		if path.Base(f.Name) == "pyproject.toml" {
			projects[path.Dir(f.Name)] = f.Data
			continue
		}
		fmt.Fprintf(&got, "%s\n", f.Name)
		list, err := Requirements(f.Name, f.Data, projects[path.Dir(f.Name)], Lambda("3.12", "arm64"))
		if err != nil {
			fmt.Fprintf(&got, "  error: %v\n", err)
		}
		for _, r := range list {
			fmt.Fprintf(&got, "  %s\n", strings.ReplaceAll(r.String(), " \\\n    ", " "))
		}
	}
	if *update {
		archive.Files[last].Data = []byte(got.String())
		if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(archive.Files[last].Data); got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &got, want)
	}
}

func TestHolds(t *testing.T) {
	env := Lambda("3.12", "arm64")
	for marker, want := range map[string]string{
		"":                        "true",
		`python_version >= "3.8"`: "true",
		`python_version < "3.8"`:  "false",
		`python_version < "3.9" or sys_platform == "linux"`:           "true",
		`(python_version < "3.9" or os_name == "nt") and extra == ""`: "false",
		`"3.13" > python_version`:                                     "true",
		`python_version in "3.11 3.12"`:                               "true",
		`python_version not in "3.11 3.12"`:                           "false",
		`python_full_version ~= "3.12.0"`:                             "true",
		`python_version == "3.*"`:                                     "true",
		`python_version != "3.12.*"`:                                  "false",
		`platform_machine == 'aarch64'`:                               "true",
		`platform_machine == 'x86_64' or platform_machine=='aarch64'`: "true",
		`implementation_name != 'pypy'`:                               "true",
		`python_version >= "3.10"`:                                    "true", // as numbers, not as text
		`nonsense == "1"`:                                             "error",
		`python_version`:                                              "error",
		`python_version >= "3" and`:                                   "error",
		`(python_version >= "3"`:                                      "error",
		`python_version >= "3" python_version`:                        "error",
	} {
		holds, err := env.Holds(marker)
		got := fmt.Sprint(holds)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s (%v)", marker, got, want, err)
		}
	}
}

// FuzzRequirements looks for lock files that make a reader fail without saying so.
func FuzzRequirements(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/requirements/locks.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, lock := range archive.Files {
		f.Add(path.Base(lock.Name), lock.Data, []byte("[project]\ndependencies = ['requests']"))
	}
	f.Fuzz(func(t *testing.T, name string, lock, project []byte) {
		list, err := Requirements(name, lock, project, Lambda("3.12", "x86_64"))
		if err != nil && list != nil {
			t.Fatal("both a list and an error")
		}
	})
}
