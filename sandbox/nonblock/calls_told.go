//go:build unix && (!linux || race)

// The race detector takes what one goroutine writes to a descriptor and another reads as
// an order of the two, where it sees the calls.

package nonblock

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// Read reads what there is from a descriptor that does not block, as read(2) does: 0 and
// no error is its end, syscall.EAGAIN says that there is nothing yet.
func Read(fd uintptr, p []byte) (int, error) { return transfer(syscall.Read, fd, p) }

// Write writes what there is room for to a descriptor that does not block, as write(2)
// does; syscall.EAGAIN says that there is none.
func Write(fd uintptr, p []byte) (int, error) { return transfer(syscall.Write, fd, p) }

func transfer(call func(int, []byte) (int, error), fd uintptr, p []byte) (int, error) {
	for {
		n, err := call(int(fd), p)
		if !errors.Is(err, syscall.EINTR) {
			return max(n, 0), err
		}
	}
}

// Ready tells how many of the descriptors have what they are asked for, as poll(2) does
// that does not wait.
func Ready(fds []unix.PollFd) (int, error) { return unix.Poll(fds, 0) }
