//go:build unix

package lambda

import (
	"syscall"

	"golang.org/x/sys/unix"

	"arc/sandbox/nonblock"
)

// empty reports whether there is nothing in either pipe: most invocations print
// nothing, and are asked twice. The caller holds the lock.
func (o *output) empty() (empty bool) {
	var ends [len(o.streams)]unix.PollFd
	o.streams[0].raw.Control(func(first uintptr) {
		o.streams[1].raw.Control(func(second uintptr) {
			ends[0] = unix.PollFd{Fd: int32(first), Events: unix.POLLIN}
			ends[1] = unix.PollFd{Fd: int32(second), Events: unix.POLLIN}
			n, err := nonblock.Ready(ends[:])
			empty = n == 0 && err == nil
		})
	})
	return empty
}

// follow reads a stream to its end.
func (o *output) follow(s *stream) {
	// The function is called again each time that there is something to read;
	// the error is that of closing, which is how it ends.
	s.raw.Read(func(fd uintptr) bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.readAll(s, fd)
	})
}

// pull reads what is in the pipe now, without waiting. The caller holds the lock.
func (o *output) pull(s *stream) {
	s.raw.Control(func(fd uintptr) { o.readAll(s, fd) })
}

// readAll reads until there is nothing more for the moment, and reports
// whether that is the end.
func (o *output) readAll(s *stream, fd uintptr) bool {
	for {
		n, err := nonblock.Read(fd, o.buffer)
		switch {
		case n > 0:
			o.feed(s, o.buffer[:n])
		default:
			return err != syscall.EAGAIN
		}
	}
}
