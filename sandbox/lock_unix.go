//go:build unix

package sandbox

import (
	"errors"
	"os"
	"syscall"
)

// openLocked opens a file that no other process has open this way; nil when one
// has. The system gives it back when the process ends, however it ends.
func openLocked(name string) (*os.File, error) {
	for {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				err = nil
			}
			return nil, err
		}
		// Whoever had it may have removed it between our two calls.
		mine, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		if there, err := os.Stat(name); err == nil && os.SameFile(mine, there) {
			return f, nil
		}
		f.Close()
	}
}

// unlockFile gives a lock back and leaves no file behind.
func unlockFile(f *os.File) {
	os.Remove(f.Name())
	f.Close()
}
