package lambda

import (
	"os/exec"
	"syscall"
)

// group puts the process at the head of a group of its own, and has the kernel
// kill it should this process die first.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
