package nonblock

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kept are the kinds of file systems of which this machine has the metadata: no other
// one, and no program, is asked for it.
// https://man7.org/linux/man-pages/man2/statfs.2.html
var kept = map[int64]bool{
	unix.EXT4_SUPER_MAGIC: true, unix.XFS_SUPER_MAGIC: true, unix.BTRFS_SUPER_MAGIC: true, unix.F2FS_SUPER_MAGIC: true,
	unix.TMPFS_MAGIC: true, unix.RAMFS_MAGIC: true,
}

// Kept reports whether the file system that a file is in is one whose files Stamp looks at
// without taking long.
func Kept(name string) bool {
	var s unix.Statfs_t
	return unix.Statfs(name, &s) == nil && kept[int64(s.Type)]
}

// Stamp gives the size and the time of the last change, in nanoseconds since 1970, of a file
// that is Kept, links followed. ok = false where there is none, or the system does not tell.
func Stamp(name string) (size, modified int64, ok bool) {
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return 0, 0, false
	}
	var s unix.Statx_t
	here := unix.AT_FDCWD
	_, _, errno := syscall.RawSyscall6(unix.SYS_STATX, uintptr(here), uintptr(unsafe.Pointer(path)), unix.AT_STATX_SYNC_AS_STAT, unix.STATX_SIZE|unix.STATX_MTIME, uintptr(unsafe.Pointer(&s)), 0)
	if errno != 0 || s.Mask&(unix.STATX_SIZE|unix.STATX_MTIME) != unix.STATX_SIZE|unix.STATX_MTIME {
		return 0, 0, false
	}
	return int64(s.Size), s.Mtime.Sec*1e9 + int64(s.Mtime.Nsec), true
}
