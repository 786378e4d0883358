//go:build unix

package child

import (
	"os"
	"syscall"
)

// KillGroup ends a process and all of its group. That there is none left is fine.
func KillGroup(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
