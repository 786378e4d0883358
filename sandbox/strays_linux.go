package sandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// endStrays ends what functions of a cloud that was killed have started and detached:
// nobody else is left to do it. They are known by their environment, which is a
// function's, and names the cloud's scratch folder. Whoever calls it holds the
// project's lock: no cloud uses the folder.
func endStrays(scratch string) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	function, folder := []byte("\x00AWS_LAMBDA_LOG_STREAM_NAME="), []byte("="+scratch+string(filepath.Separator))
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		environment, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err != nil {
			continue // another user's, or ended
		}
		environment = append([]byte{0}, environment...)
		if bytes.Contains(environment, function) && bytes.Contains(environment, folder) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
