package child

import (
	"os"
	"os/exec"
	"strconv"
)

// KillGroup ends a process and its children. That there is none left is fine.
func KillGroup(p *os.Process) {
	exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(p.Pid)).Run()
	p.Kill()
}
