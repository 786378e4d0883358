package child

import (
	"os/exec"
	"syscall"
)

// DeathSignal says that the kernel ends children with their parent.
const DeathSignal = true

// groups says that processes have groups, which can be killed.
const groups = true

// group puts a program at the head of a group of its own, where the Ctrl-C that
// is meant for this one does not reach it, and has the kernel kill it should this
// one die first.
func group(cmd *exec.Cmd, die bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if die {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
}
