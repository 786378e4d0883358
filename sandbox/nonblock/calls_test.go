//go:build unix

package nonblock_test

import (
	"syscall"
	"testing"

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
