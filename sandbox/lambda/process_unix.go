//go:build unix

package lambda

import (
	"os"
	"syscall"
)

// yield lets other processes go first when the processors have too much to do.
// It is for workers beyond a function's first: many that start at once must not
// hold up one that answers. What a process starts inherits it.
func yield(p *os.Process) { syscall.Setpriority(syscall.PRIO_PROCESS, p.Pid, 10) }
