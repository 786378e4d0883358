//go:build unix

package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// terminate asks a process to end; one that is stopped must go on to hear it.
func terminate(pid int) {
	syscall.Kill(pid, syscall.SIGTERM)
	syscall.Kill(pid, syscall.SIGCONT)
}

func kill(pid int) { syscall.Kill(pid, syscall.SIGKILL) }

// hasOpen reports whether the process has the file open, which Linux tells;
// elsewhere it reports whether there is such a process of this user.
func hasOpen(pid int, name string) bool {
	if runtime.GOOS != "linux" {
		return syscall.Kill(pid, 0) == nil
	}
	want, err := os.Stat(name)
	if err != nil {
		return false
	}
	open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range open {
		if info, err := os.Stat(link); err == nil && os.SameFile(info, want) {
			return true
		}
	}
	return false
}

// isStopped reports whether a signal has stopped the process, where /proc tells.
func isStopped(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // behind the program's name
	return err == nil && len(rest) > 0 && rest[0] == 'T'
}
