package source

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// The same project, written to disk in another order, at another time, with
// other permissions for others, has the same keys and the same zips.
func TestReproducible(t *testing.T) {
	a, err := txtar.ParseFile("testdata/collect/npm.txtar")
	if err != nil {
		t.Fatal(err)
	}
	fns := functions(t, partOf(a, "functions"))
	first := t.TempDir()
	layOut(t, first, a)
	want, keys := packed(t, first, fns)

	slices.Reverse(a.Files)
	second := t.TempDir()
	layOut(t, second, a)
	old := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	err = filepath.WalkDir(second, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			if err := os.Chmod(name, 0o600); err != nil {
				return err
			}
		}
		return os.Chtimes(name, old, old)
	})
	if err != nil {
		t.Fatal(err)
	}
	got, again := packed(t, second, fns)
	for i := range fns {
		if keys[i] != again[i] {
			t.Errorf("%s: key %s, then %s", fns[i].Dir, keys[i], again[i])
		}
		if !bytes.Equal(want[i], got[i]) {
			t.Errorf("%s: zips differ", fns[i].Dir)
		}
	}
	if err := os.Chmod(filepath.Join(second, fns[0].Dir, "index.mjs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, changed := packed(t, second, fns); changed[0] == keys[0] || changed[1] != keys[1] {
		t.Error("the executable bit is a part of one function's key, and only of that")
	}
}

func packed(t testing.TB, dir string, fns []Function) (zips [][]byte, keys []string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	bundles, err := CollectAll(root.FS(), fns)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bundles {
		key, err := b.Key()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := b.WriteZip(&out); err != nil {
			t.Fatal(err)
		}
		zips, keys = append(zips, out.Bytes()), append(keys, key)
	}
	return zips, keys
}

// The key is what artifacts are stored under, so it must not drift between
// releases. It is the SHA-256 of each file's path, a NUL, f or x, and the
// SHA-256 of its content; this one was computed with Python.
func TestKeyIsStable(t *testing.T) {
	b := &Bundle{Files: []File{inMemory("a", []byte("1")), inMemory("b", nil)}}
	if got, want := must(b.Key()), "9fa8b9fde773f54917366974aec3eb5d54ee097965b2fabe9b244bc592fa93c7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Any difference in what a function consists of is another key.
func TestKeyTellsApart(t *testing.T) {
	seen := map[string]int{}
	for i, files := range []fstest.MapFS{
		{"f/a": {Data: []byte("1")}},
		{"f/a": {Data: []byte("2")}},
		{"f/b": {Data: []byte("1")}},
		{"f/a": {Data: []byte("1")}, "f/b": {}},
		{"f/a": {Data: []byte("1"), Mode: 0o755}},
		{"f/a/b": {Data: []byte("1")}},
		{"f/ab": {Data: []byte("1")}},
	} {
		b, err := collect(files, Function{Dir: "f", Runtime: "provided.al2023"})
		if err != nil {
			t.Fatal(err)
		}
		key := must(b.Key())
		if j, ok := seen[key]; ok {
			t.Errorf("projects %d and %d have one key", i, j)
		}
		seen[key] = i
	}
}

// A zip must never be stored under the key of other content.
func TestChangeBetweenKeyAndZip(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f", "index.mjs")
	write := func(body string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(body), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("1")
	b, err := collect(os.DirFS(dir), Function{Dir: "f", Runtime: "nodejs22.x"})
	if err != nil {
		t.Fatal(err)
	}
	must(b.Key())
	write("2")
	if err := b.WriteZip(io.Discard); err == nil || !strings.Contains(err.Error(), "was changed while") {
		t.Errorf("got %v", err)
	}
}

func TestTooLargeForLambda(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "f"), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "f", "model.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(MaxUnpacked + 1); err != nil { // sparse: takes no room
		t.Fatal(err)
	}
	if _, err := collect(os.DirFS(dir), Function{Dir: "f", Runtime: "nodejs22.x"}); err == nil || !strings.Contains(err.Error(), "more than Lambda's 250") {
		t.Errorf("got %v", err)
	}
}

// Readers that are not Go's agree on paths, modes, times and bytes.
func TestZipForOthers(t *testing.T) {
	b := &Bundle{Files: []File{inMemory("bootstrap", []byte("#!/bin/sh\n")), inMemory("dir/é.txt", []byte("text")), inMemory("empty", nil)}}
	b.Files[0].Executable = true
	file := filepath.Join(t.TempDir(), "f.zip")
	var out bytes.Buffer
	if err := b.WriteZip(&out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	script := `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
for i in z.infolist():
    print(i.filename, oct(i.external_attr >> 16), i.date_time, i.file_size, z.read(i))`
	listed, err := exec.Command(tool(t, "python3"), "-c", script, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, listed)
	}
	want := `bootstrap 0o100755 (1980, 1, 1, 0, 0, 0) 10 b'#!/bin/sh\n'
dir/é.txt 0o100644 (1980, 1, 1, 0, 0, 0) 4 b'text'
empty 0o100644 (1980, 1, 1, 0, 0, 0) 0 b''
`
	if string(listed) != want {
		t.Errorf("got\n%swant\n%s", listed, want)
	}
	if unzip, err := exec.LookPath("unzip"); err == nil {
		if tested, err := exec.Command(unzip, "-tq", file).CombinedOutput(); err != nil {
			t.Errorf("unzip: %v: %s", err, tested)
		}
	}
}

// collect is CollectAll of one function.
func collect(project fs.FS, fn Function) (*Bundle, error) {
	bundles, err := CollectAll(project, []Function{fn})
	if err != nil {
		return nil, err
	}
	return bundles[0], nil
}
