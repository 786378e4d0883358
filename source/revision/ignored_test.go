package revision_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"arc/source/revision"
)

// TestIgnored asks for many files at once, in a repository, also where git refuses to
// answer for one of them, and outside of any. The time that takes is git's: its starts
// are counted.
func TestIgnored(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil || os.PathSeparator != '/' {
		if os.Getenv("CI") == "true" {
			t.Fatal("no git, or no sh: ", err)
		}
		t.Skip("no git, or no sh")
	}
	bin, dir := t.TempDir(), t.TempDir()
	log := filepath.Join(bin, "log")
	script := fmt.Sprintf("#!/bin/sh\necho >> %s\nexec %s \"$@\"\n", log, git)
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir))
	if err := os.Symlink(".", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	files := []string{"link/behind"}
	for i := range 200 {
		files = append(files, fmt.Sprintf("src/%d.txt", i))
	}
	starts := func() int {
		text, _ := os.ReadFile(log)
		os.Remove(log)
		return strings.Count(string(text), "\n")
	}
	if ignored := revision.Ignored(t.Context(), dir, files...); len(ignored) > 0 || starts() > 1 {
		t.Errorf("outside of a repository: %v", ignored)
	}
	if out, err := exec.Command(git, "-C", dir, "init", "-q").CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*7.txt\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ignored := revision.Ignored(t.Context(), dir, files...)
	n := 0
	for file, is := range ignored {
		if is != strings.HasSuffix(file, "7.txt") && file != "" {
			t.Errorf("%s: %t", file, is)
		}
		if is {
			n++
		}
	}
	if started := starts(); n != 20 || started > 20 {
		t.Errorf("%d of 200 are ignored, by %d starts of git", n, started)
	}
}
