package main

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// logVariable names the log of a local cloud in the background to the process
// that writes it, which keeps it from growing for ever.
const logVariable = "ARC_SANDBOX_LOG"

// maxLog is the size, in bytes, from which on a log is moved to FILE.1, in the
// place of what was there. Both together take twice as much.
const maxLog = 8 << 20

// boundedLog writes to a file that is open for appending.
type boundedLog struct {
	out  io.Writer
	file string
	most int64

	mu   sync.Mutex
	size int64
}

func newBoundedLog(out io.Writer, file string, most int64) *boundedLog {
	l := &boundedLog{out: out, file: file, most: most}
	if info, err := os.Stat(file); err == nil {
		l.size = info.Size()
	}
	return l
}

func (l *boundedLog) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > l.most {
		l.turn()
	}
	n, err := l.out.Write(text)
	l.size += int64(n)
	return n, err
}

// turn copies the log and empties it; the process keeps its descriptor. Where
// there is no room for a copy, the log is emptied all the same.
func (l *boundedLog) turn() {
	err := copyFile(l.file+".1", l.file)
	if os.Truncate(l.file, 0) != nil {
		l.size = 0 // tried again later
		return
	}
	l.size = 0
	said := fmt.Sprintf("the log goes on here; what was before is in %s.1\n", l.file)
	if err != nil {
		said = fmt.Sprintf("the log goes on here; what was before could not be kept: %v\n", err)
	}
	n, _ := io.WriteString(l.out, said)
	l.size += int64(n)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}
