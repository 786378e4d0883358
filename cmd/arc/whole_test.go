package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestWrittenWhole: whoever looks while a file is written, as after a kill, finds it
// whole, or as it was, and on Linux no other file.
func TestWrittenWhole(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.Mkdir("src", 0o777); err != nil {
		t.Fatal(err)
	}
	text, old := bytes.Repeat([]byte("export const handler = () => 1\n"), 1<<20), []byte("was")
	seen := func(until chan error, sizes ...int64) error {
		for {
			select {
			case err := <-until:
				return err
			default:
			}
			entries, err := fs.ReadDir(root.FS(), "src")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				info, err := e.Info()
				if errors.Is(err, fs.ErrNotExist) {
					continue // renamed since
				}
				if err != nil {
					t.Fatal(err)
				}
				name := filepath.Join("src", "index.mjs")
				if e.Name() != filepath.Base(name) && runtime.GOOS != "linux" {
					continue
				}
				if info.Size() != sizes[0] && info.Size() != sizes[len(sizes)-1] {
					t.Fatalf("%s is there with %d bytes", e.Name(), info.Size())
				}
			}
		}
	}
	done := make(chan error)
	name := filepath.Join("src", "index.mjs")
	go func() { done <- writeWholeNew(root, name, text) }()
	if err := seen(done, int64(len(text))); err != nil {
		t.Fatal(err)
	}
	if err := writeWholeNew(root, name, old); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v", err)
	}
	if err := root.WriteFile(name, old, 0o640); err != nil {
		t.Fatal(err)
	}
	go func() { done <- replaceFile(root, formatted{name: "src/index.mjs", mode: 0o640, text: text}) }()
	if err := seen(done, int64(len(old)), int64(len(text))); err != nil {
		t.Fatal(err)
	}
	if info, err := root.Stat(name); err != nil || info.Size() != int64(len(text)) || info.Mode().Perm() != 0o640 && runtime.GOOS != "windows" {
		t.Errorf("%v, %v", info, err)
	}
}

// TestInitTwice starts arc init twice at once: the one that comes second leaves what is
// there as it is, and has nothing to complain of.
func TestInitTwice(t *testing.T) {
	t.Parallel()
	arc := buildArc(t)
	for range 10 {
		dir := t.TempDir()
		var both errgroup.Group
		for range 2 {
			both.Go(func() error {
				cmd := exec.Command(arc, "init", "--name", "twice")
				cmd.Dir, cmd.Env = dir, arcEnv(dir)
				if said, err := cmd.CombinedOutput(); err != nil && !bytes.Contains(said, []byte("this folder has a manifest")) {
					return fmt.Errorf("%w: %s", err, said)
				}
				return nil
			})
		}
		if err := both.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}
