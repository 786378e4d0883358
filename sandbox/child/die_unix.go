//go:build unix && !linux

package child

import (
	"os/exec"
	"syscall"
)

// DeathSignal says that the kernel does not end children with their parent.
const DeathSignal = false

// groups says that processes have groups, which can be killed.
const groups = true

// group puts a program at the head of a group of its own, where the Ctrl-C that
// is meant for this one does not reach it.
func group(cmd *exec.Cmd, _ bool) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
