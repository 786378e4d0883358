//go:build unix

package lambda

import (
	"os"
	"syscall"
)

// killGroup ends a process and all of its group. That there is none left is fine.
func killGroup(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
