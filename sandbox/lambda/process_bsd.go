//go:build unix && !linux

package lambda

import (
	"os/exec"
	"syscall"
)

// group puts the process at the head of a group of its own. Should this
// process die first, a worker ends when its connection to the Runtime API does.
func group(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killStrays does nothing: which process another one has detached cannot be told here.
func killStrays(string) {}
