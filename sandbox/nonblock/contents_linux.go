package nonblock

import (
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Contents appends what a file of the kernel's says, one of /proc or /sys, to a buffer: it
// is made when it is read, from what the kernel has at hand. A file of a disk may take
// long.
// https://docs.kernel.org/filesystems/proc.html
func Contents(name string, buffer []byte) ([]byte, error) {
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return buffer, err
	}
	here := unix.AT_FDCWD
	fd, _, errno := syscall.RawSyscall6(unix.SYS_OPENAT, uintptr(here), uintptr(unsafe.Pointer(path)), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return buffer, errno
	}
	for {
		buffer = slices.Grow(buffer, 128)
		n, err := Read(fd, buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if n == 0 || err != nil {
			syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
			return buffer, err
		}
	}
}
