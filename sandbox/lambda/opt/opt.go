// Package opt gives a program the layers of its function at /opt, as Lambda does,
// and no other program sees them there. Linux lets every user have that: the
// program is started through this one, in a mount namespace of its own, where the
// layers are mounted before it takes this one's place. What the machine itself has
// in /opt stays to be seen below them, since a runtime may be installed there;
// nobody can write to either.
// https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
// https://docs.kernel.org/filesystems/overlayfs.html
package opt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Folder is where layers are mounted.
const Folder = "/opt"

// word is the first argument of this program where it is to mount layers, which is
// nothing for users: --mount-layers FOLDER PARENT [PROGRAM ARGUMENTS…].
const word = "--mount-layers"

// Refused is why layers cannot be mounted on this machine, and what would help.
type Refused struct {
	Why    error
	Remedy string
}

// Error says why, and the remedy.
func (r *Refused) Error() string { return fmt.Sprintf("%v; %s", r.Why, r.Remedy) }

// Unwrap is what the system said.
func (r *Refused) Unwrap() error { return r.Why }

// Entry is a program on its way to its layers.
type Entry struct {
	read, write *os.File // the program that mounts says there what went wrong
}

// Started closes our copy of the program's end, once it has its own or never will.
func (e *Entry) Started() { e.write.Close() }

// Wait waits until the program itself runs, after Started; one that never started is
// not waited for.
func (e *Entry) Wait() error {
	said, err := e.said()
	if err != nil || said == "" {
		return err
	}
	return told(said)
}

// said is all that the program that mounts had to say; "" = the other one runs.
func (e *Entry) said() (string, error) {
	defer e.read.Close()
	said, err := io.ReadAll(e.read)
	if err != nil {
		return "", fmt.Errorf("layers at %s: %w", Folder, err)
	}
	return string(said), nil
}

// tell is what told reads: what went wrong, with which file, and the system's reason.
func tell(what, file string, err error) []byte {
	errno, _ := errors.AsType[syscall.Errno](err)
	return fmt.Appendf(nil, "%s\x00%s\x00%d", what, file, errno)
}

func told(said string) error {
	parts := strings.Split(said, "\x00")
	errno, err := strconv.Atoi(parts[len(parts)-1])
	if err != nil || len(parts) != 3 {
		return fmt.Errorf("layers at %s: %q was said by what is to mount them", Folder, said)
	}
	return &os.PathError{Op: parts[0], Path: parts[1], Err: syscall.Errno(errno)}
}

// NotRun reports whether an error of Wait is of the program itself, which could not be
// run, and not of its layers.
func NotRun(err error) bool {
	e, ok := errors.AsType[*os.PathError](err)
	return ok && e.Op == handOver
}

// handOver is what was tried when a program could not be run.
const handOver = "exec"
