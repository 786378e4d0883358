//go:build unix

package nonblock_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"arc/sandbox/nonblock"
)

// TestDescriptors reads and writes a pipe that is empty, has something, is full, and is
// closed at either end.
func TestDescriptors(t *testing.T) {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	for _, fd := range ends {
		if err := syscall.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	from, to := uintptr(ends[0]), uintptr(ends[1])
	buffer := make([]byte, 1<<20)
	ready := func() int {
		t.Helper()
		n, err := nonblock.Ready([]unix.PollFd{{Fd: int32(from), Events: unix.POLLIN}})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n, err := nonblock.Read(from, buffer); n != 0 || err != syscall.EAGAIN || ready() != 0 {
		t.Errorf("empty: %d %v", n, err)
	}
	if n, err := nonblock.Write(to, []byte("some")); n != 4 || err != nil || ready() != 1 {
		t.Errorf("written: %d %v", n, err)
	}
	if n, err := nonblock.Read(from, buffer); err != nil || string(buffer[:max(n, 0)]) != "some" {
		t.Errorf("read: %q %v", buffer[:max(n, 0)], err)
	}
	all, err := 0, error(nil)
	for n := 0; err == nil; all += n {
		n, err = nonblock.Write(to, buffer)
	}
	if err != syscall.EAGAIN || all < 4096 {
		t.Errorf("full: %d %v", all, err)
	}
	for n := 1; n > 0; all -= n {
		n, err = nonblock.Read(from, buffer)
	}
	if all != 0 || err != syscall.EAGAIN {
		t.Errorf("emptied: %d %v", all, err)
	}
	syscall.Close(ends[1])
	if n, err := nonblock.Read(from, buffer); n != 0 || err != nil || ready() != 1 {
		t.Errorf("its end: %d %v", n, err)
	}
	syscall.Close(ends[0])
	if n, err := nonblock.Read(from, buffer); n != 0 || err != syscall.EBADF {
		t.Errorf("closed: %d %v", n, err)
	}
}

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
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
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
