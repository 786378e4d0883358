package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// linkWhole writes a file that has no name, and none of whose parts outlive this process,
// and then gives it the name, which must be free (open(2), O_TMPFILE). mode 0 stands for
// what a new file gets, any other one is set as it is, and the text synced. done is false
// where the file system cannot, and nothing was written then.
func linkWhole(root *os.Root, name string, text []byte, mode fs.FileMode) (done bool, err error) {
	dir, err := root.Open(filepath.Dir(name))
	if err != nil {
		return true, err
	}
	defer dir.Close()
	fd, err := unix.Openat(int(dir.Fd()), ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o666)
	if err != nil {
		return false, nil // no such file system, or the reason comes up again in the other way
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return true, err
	}
	if mode != 0 {
		if err := errors.Join(f.Chmod(mode), f.Sync()); err != nil {
			return true, err
		}
	}
	err = unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), int(dir.Fd()), filepath.Base(name), unix.AT_SYMLINK_FOLLOW)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, nil // no /proc, no links
	}
	if err != nil {
		err = &fs.PathError{Op: "create", Path: name, Err: err}
	}
	return true, err
}
