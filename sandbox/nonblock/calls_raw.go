//go:build linux && !race

package nonblock

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read reads what there is from a descriptor that does not block, as read(2) does: 0 and
// no error is its end, syscall.EAGAIN says that there is nothing yet.
func Read(fd uintptr, p []byte) (int, error) { return transfer(syscall.SYS_READ, fd, p) }

// Write writes what there is room for to a descriptor that does not block, as write(2)
// does; syscall.EAGAIN says that there is none.
func Write(fd uintptr, p []byte) (int, error) { return transfer(syscall.SYS_WRITE, fd, p) }

func transfer(call, fd uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// Ready tells how many of the descriptors have what they are asked for, as poll(2) does
// that does not wait.
func Ready(fds []unix.PollFd) (int, error) {
	var now unix.Timespec
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(unsafe.SliceData(fds))), uintptr(len(fds)), uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
