package sandbox

import "os"

// terminate does nothing: the system cannot ask a process to end.
func terminate(int) {}

func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill()
	}
}

// hasOpen is never asked: a lock that is held cannot be read here.
func hasOpen(int, string) bool { return false }

func isStopped(int) bool { return false }
