package sandbox

import (
	"errors"
	"os"
	"syscall"
)

// sharingViolation is what Windows answers while another process has the file.
const sharingViolation = syscall.Errno(32)

// openLocked opens a file that no other process has open; nil when one has. The
// system gives it back when the process ends, however it ends.
func openLocked(name string) (*os.File, error) {
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	const shareNothing = 0
	handle, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, shareNothing, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), name), nil
}

// unlockFile gives a lock back. The file stays: it cannot be removed while it is
// open, nor safely afterwards.
func unlockFile(f *os.File) { f.Close() }
