package watch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"arc/sandbox/watch"
)

// TestDrain has many goroutines write files, in folders old and new, and drain:
// whatever was written before a drain has been told when it returns.
func TestDrain(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	told := map[string]int{}
	w := watch.New(watch.Options{
		Root: root, Scratch: t.TempDir(), Skip: func(name string) bool { return name == "skipped" },
		Warn: func(text string) { t.Error(text) },
		Changed: func(paths []string) {
			mu.Lock()
			defer mu.Unlock()
			for _, p := range paths {
				told[p]++
			}
		},
	})
	defer w.Close()
	w.Tree(root)
	count := func(path string) int {
		mu.Lock()
		defer mu.Unlock()
		return told[path]
	}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			dir := filepath.Join(root, fmt.Sprint("folder-", g))
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Error(err)
				return
			}
			if w.Drain(); count(dir) == 0 {
				t.Errorf("%s was made and not told", dir)
			}
			for i := range 50 {
				file := filepath.Join(dir, fmt.Sprint(i%5))
				before := count(file)
				if err := os.WriteFile(file, []byte(fmt.Sprint(i)), 0o666); err != nil {
					t.Error(err)
					return
				}
				if w.Drain(); count(file) == before {
					t.Errorf("%s was written and not told", file)
				}
			}
		})
	}
	group.Wait()
	skipped := filepath.Join(root, "skipped")
	if err := os.Mkdir(skipped, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(skipped, "x"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if w.Drain(); count(filepath.Join(skipped, "x")) > 0 {
		t.Error("a folder that is skipped is watched")
	}
}

// BenchmarkDrain is what a call pays for not being older than the disk.
func BenchmarkDrain(b *testing.B) {
	root := b.TempDir()
	w := watch.New(watch.Options{Root: root, Scratch: b.TempDir(), Skip: func(string) bool { return false }, Warn: func(string) {}, Changed: func([]string) {}})
	defer w.Close()
	w.Tree(root)
	for b.Loop() {
		w.Drain()
	}
}
