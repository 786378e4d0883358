package child

import (
	"os/exec"
	"syscall"
)

// die has the kernel kill the program should this one die first. In a group of
// its own it does not meet the Ctrl-C that is meant for this one.
func die(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
