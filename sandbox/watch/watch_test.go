package watch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/watch"
)

// TestDrain has many goroutines write files, in folders old and new, and drain:
// whatever was written before a drain has been told when it returns.
func TestDrain(t *testing.T) {
	for name, begin := range notifiers {
		t.Run(name, func(t *testing.T) { testDrain(t, begin) })
	}
}

// notifiers are the ways in which a system tells of changes.
var notifiers = map[string]func(watch.Options) *watch.Watcher{"own": watch.New, "marked": watch.NewMarked}

func testDrain(t *testing.T, begin func(watch.Options) *watch.Watcher) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	told := map[string]int{}
	w := begin(watch.Options{
		Root: root, Scratch: t.TempDir(), Skip: func(dir string) bool { return filepath.Base(dir) == "skipped" },
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

// TestMoved: folders are followed to their new names, and what takes an old one is
// watched anew; what was moved away is nobody's business any more.
func TestMoved(t *testing.T) {
	for name, begin := range notifiers {
		t.Run(name, func(t *testing.T) {
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			away, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var told []string
			w := begin(watch.Options{
				Root: root, Scratch: t.TempDir(), Skip: func(string) bool { return false }, Warn: func(text string) { t.Error(text) },
				Changed: func(paths []string) {
					mu.Lock()
					defer mu.Unlock()
					told = append(told, paths...)
				},
			})
			defer w.Close()
			all := func() []string {
				mu.Lock()
				defer mu.Unlock()
				return slices.Clone(told)
			}
			forget := func() {
				mu.Lock()
				defer mu.Unlock()
				told = nil
			}
			do := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			at := func(names ...string) string { return filepath.Join(append([]string{root}, names...)...) }
			do(os.MkdirAll(at("a", "deep"), 0o777))
			w.Tree(root)
			for _, step := range []struct {
				do   func()
				want string
			}{
				{func() { do(os.WriteFile(at("a", "deep", "f"), nil, 0o666)) }, at("a", "deep", "f")},
				{func() { do(os.Rename(at("a"), at("b"))) }, at("b")},
				{func() { do(os.WriteFile(at("b", "deep", "f"), []byte("1"), 0o666)) }, at("b", "deep", "f")},
				{func() { do(os.WriteFile(at("b", "g"), []byte("1"), 0o666)) }, at("b", "g")},
				{func() { do(os.Mkdir(at("a"), 0o777)) }, at("a")},
				{func() { do(os.WriteFile(at("a", "f"), nil, 0o666)) }, at("a", "f")},
				{func() { do(os.Rename(at("b"), filepath.Join(away, "b"))) }, at("b")},
				{func() { do(os.RemoveAll(at("a"))) }, at("a")},
				{func() { do(os.MkdirAll(at("a", "deep"), 0o777)) }, at("a")},
				{func() { do(os.WriteFile(at("a", "deep", "f"), nil, 0o666)) }, at("a", "deep", "f")},
				{func() { do(os.Remove(at("a", "deep", "f"))) }, at("a", "deep", "f")},
			} {
				w.Drain()
				forget()
				step.do()
				if w.Drain(); !slices.Contains(all(), step.want) {
					t.Errorf("%s is not among what was told: %q", step.want, all())
				}
			}
			forget()
			do(os.WriteFile(filepath.Join(away, "b", "g"), []byte("2"), 0o666))
			if w.Drain(); len(all()) > 0 {
				t.Errorf("%q were told, and have gone", all())
			}
		})
	}
}

// TestOverflow: what the system had no room for counts as changed, and what came
// meanwhile is watched.
func TestOverflow(t *testing.T) {
	data, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		t.Skip("there is no inotify here")
	}
	most, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || most > 100_000 {
		t.Skip("so many events take too long")
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hold, held := make(chan bool), make(chan bool, 1)
	var mu sync.Mutex
	told := map[string]bool{}
	w := watch.New(watch.Options{
		Root: root, Scratch: t.TempDir(), Skip: func(string) bool { return false }, Warn: func(text string) { t.Error(text) },
		Changed: func(paths []string) {
			mu.Lock()
			for _, p := range paths {
				told[p] = true
			}
			mu.Unlock()
			select {
			case held <- true:
				<-hold
			default:
			}
		},
	})
	defer w.Close()
	w.Tree(root)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("first", "")
	<-held
	for i := range most + 1 { // two names in turn: one alone would be one event
		write(fmt.Sprint("x", i%2), "1")
	}
	if err := os.Mkdir(filepath.Join(root, "late"), 0o777); err != nil {
		t.Fatal(err)
	}
	close(hold)
	was := func(path string) bool {
		mu.Lock()
		defer mu.Unlock()
		return told[path]
	}
	if w.Drain(); !was(root) {
		t.Error("the root does not count as changed")
	}
	write("late/f", "")
	if w.Drain(); !was(filepath.Join(root, "late", "f")) {
		t.Error("a folder that came while events were lost is not watched")
	}
}

// BenchmarkDrain is what a call pays for not being older than the disk.
func BenchmarkDrain(b *testing.B) {
	for name, begin := range notifiers {
		b.Run(name, func(b *testing.B) {
			root := b.TempDir()
			w := begin(watch.Options{Root: root, Scratch: b.TempDir(), Skip: func(string) bool { return false }, Warn: func(string) {}, Changed: func([]string) {}})
			defer w.Close()
			w.Tree(root)
			for b.Loop() {
				w.Drain()
			}
		})
	}
}
