package lambda

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// killStrays ends what a worker has started and detached from its group: on AWS
// it ends with its environment. They are known by the log stream that is in
// their environment, and no other worker's.
func killStrays(logStream string) {
	mark := []byte("AWS_LAMBDA_LOG_STREAM_NAME=" + logStream + "\x00")
	for found, rounds := true, 0; found && rounds < 5; rounds++ { // one may start another meanwhile
		found = false
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return
		}
		for _, entry := range entries {
			pid, err := strconv.Atoi(entry.Name())
			if err != nil {
				continue
			}
			environment, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
			if err != nil || !bytes.Contains(environment, mark) {
				continue // another user's, or ended; a zombie has none
			}
			found = true
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
