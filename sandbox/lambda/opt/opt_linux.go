package opt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Way is how this machine lets layers be mounted.
type Way struct {
	self string
	user bool // in a user namespace as well, since the user may mount nothing outside
}

// Probe finds the way, by mounting a folder of layers once for nobody. self is this
// program, whose main calls Enter; "" = there is none. The error is a *Refused.
func Probe(ctx context.Context, self, layers string) (*Way, error) {
	if self == "" {
		return nil, &Refused{errors.New("this program mounts none"), "arc does"}
	}
	if info, err := os.Stat(Folder); err != nil || !info.IsDir() {
		return nil, &Refused{errors.New("this machine has no folder /opt to mount them at"), "sudo mkdir /opt makes one"}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ways := []*Way{{self: self, user: true}}
	if os.Geteuid() == 0 {
		ways = []*Way{{self: self}, {self: self, user: true}}
	}
	var first error
	for _, way := range ways {
		err := way.probe(ctx, layers)
		if err == nil {
			return way, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, refused(first, os.Geteuid() == 0, kernel())
}

// probed is said by a program that has mounted layers and is to become no other.
const probed = "mounted"

func (w *Way) probe(ctx context.Context, layers string) error {
	cmd := exec.CommandContext(ctx, w.self)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // which the signal takes for its parent
	defer runtime.UnlockOSThread()
	entry, err := w.prepare(cmd, layers, nil)
	if err != nil {
		return err
	}
	started := cmd.Start()
	entry.Started()
	said, err := entry.said()
	if started != nil {
		return started
	}
	ended := cmd.Wait()
	switch {
	case err != nil || said == probed:
		return err
	case said == "":
		return fmt.Errorf("this program mounts none: %w", cmp.Or(ended, errors.ErrUnsupported))
	}
	return told(said)
}

// Prepare has a command that is yet to be started begin in this program, which
// mounts a folder of layers. Who starts it calls Started and Wait then, whether it did
// start or not. The command's SysProcAttr is set already.
func (w *Way) Prepare(cmd *exec.Cmd, layers string) (*Entry, error) {
	return w.prepare(cmd, layers, append([]string{cmd.Path}, cmd.Args...))
}

func (w *Way) prepare(cmd *exec.Cmd, layers string, program []string) (*Entry, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("layers at %s: %w", Folder, err)
	}
	parent := "0"
	if cmd.SysProcAttr.Pdeathsig != 0 {
		parent = strconv.Itoa(os.Getpid())
	}
	// What went wrong is written to the file after those that the program has.
	teller := firstExtra + len(cmd.ExtraFiles)
	cmd.Args = append([]string{"arc", word, layers, parent, strconv.Itoa(teller)}, program...)
	cmd.Path = w.self
	cmd.ExtraFiles = append(cmd.ExtraFiles, write)
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNS
	if w.user {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
		// All rights in the namespace are lost when another program takes over, but
		// these. https://man7.org/linux/man-pages/man7/capabilities.7.html
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	return &Entry{read: read, write: write}, nil
}

// firstExtra is the file after stderr.
const firstExtra = 3

// Enter is the beginning of this program's main. When the arguments are those of a
// command that Prepare has changed, the program of that command takes over, and
// Enter returns only when that cannot be, with an exit code.
func Enter(args []string) (code int, mine bool) {
	if len(args) < 5 || args[1] != word {
		return 0, false
	}
	teller, err := strconv.Atoi(args[4])
	if err != nil {
		return 1, true // nobody to tell
	}
	// What is set from here on is this thread's, and the program gets it from the
	// thread that hands over.
	runtime.LockOSThread()
	unix.CloseOnExec(teller)
	what, file, err := mount(args[2])
	if err == nil {
		what, err = settle(args[3])
	}
	if err == nil && len(args) < 7 {
		unix.Write(teller, []byte(probed))
		return 0, true
	}
	if err == nil {
		what, file, err = handOver, args[5], syscall.Exec(args[5], args[6:], os.Environ())
	}
	unix.Write(teller, tell(what, file, err))
	return 1, true
}

// mount has /opt hold a folder's files over its own. It says what did not work, and
// with which folder.
func mount(layers string) (what, file string, err error) {
	// What is mounted here stays here; what the machine mounts is seen.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return "mount namespace", "/", err
	}
	// By descriptors, since a name may hold what separates names.
	var fds [2]int
	for i, name := range []string{layers, Folder} {
		if fds[i], err = unix.Open(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
			return "open", name, err
		}
	}
	lower := fmt.Sprintf("lowerdir=/proc/self/fd/%d:/proc/self/fd/%d", fds[0], fds[1])
	return "mount overlay", Folder, unix.Mount("layers", Folder, "overlay", unix.MS_RDONLY, lower)
}

// settle gives up the rights that mounting took, and has this process end with its
// parent; "0" = it does not.
func settle(parent string) (what string, err error) {
	if os.Geteuid() != 0 { // who is root was so before
		none := [2]unix.CapUserData{} // nor ambient ones, which are never more than these
		if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
			return "capabilities", err
		}
	}
	if parent == "0" {
		return "", nil
	}
	// It is a thread's, not a process's.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return "parent's death", err
	}
	if strconv.Itoa(os.Getppid()) != parent { // dead before it was said
		return "parent", unix.ESRCH
	}
	return "", nil
}
