//go:build unix

package lambda

import (
	"os"
	"syscall"
)

// killGroup ends a process and all of its group. That there is none left is fine.
func killGroup(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }

// yield lets other processes go first when the processors have too much to do.
// It is for workers beyond a function's first: many that start at once must not
// hold up one that answers. What a process starts inherits it.
func yield(p *os.Process) { syscall.Setpriority(syscall.PRIO_PROCESS, p.Pid, 10) }
