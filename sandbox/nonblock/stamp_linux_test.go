package nonblock_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"arc/sandbox/nonblock"
)

// TestStamp agrees with os.Stat on files, links and folders, and tells nothing of what is
// not there.
func TestStamp(t *testing.T) {
	dir := t.TempDir()
	if shared, err := os.MkdirTemp("/dev/shm", "stamp"); err == nil {
		defer os.RemoveAll(shared)
		if !nonblock.Kept(dir) {
			dir = shared // which is tmpfs on every Linux
		}
	}
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	at := time.Date(1969, 3, 4, 5, 6, 7, 89, time.UTC)
	if err := errors.Join(os.WriteFile(file, bytes.Repeat([]byte("x"), 1234), 0o600), os.Symlink("file", link), os.Chtimes(file, at, at)); err != nil {
		t.Fatal(err)
	}
	if !nonblock.Kept(dir) {
		t.Fatalf("%s is on no file system that has its metadata at hand, and there is no /dev/shm that is", dir)
	}
	for _, name := range []string{file, link, dir} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size, modified, ok := nonblock.Stamp(name)
		if !ok || size != info.Size() || modified != info.ModTime().UnixNano() {
			t.Errorf("%s: %d %d %t, want %d %d", name, size, modified, ok, info.Size(), info.ModTime().UnixNano())
		}
	}
	for _, name := range []string{filepath.Join(dir, "none"), filepath.Join(file, "below"), "a\x00b", ""} {
		if size, modified, ok := nonblock.Stamp(name); ok || size != 0 || modified != 0 {
			t.Errorf("%q: %d %d", name, size, modified)
		}
	}
	if nonblock.Kept("/proc") || nonblock.Kept(filepath.Join(dir, "none")) {
		t.Error("no metadata is at hand in /proc, and none of what is not there")
	}
}
