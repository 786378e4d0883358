//go:build unix

package lambda

import "syscall"

// follow reads a stream to its end.
func (o *output) follow(s *stream) {
	// The function is called again each time that there is something to read;
	// the error is that of closing, which is how it ends.
	s.raw.Read(func(fd uintptr) bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.readAll(s, int(fd))
	})
}

// pull reads what is in the pipe now, without waiting. The caller holds the lock.
func (o *output) pull(s *stream) {
	s.raw.Control(func(fd uintptr) { o.readAll(s, int(fd)) })
}

// readAll reads until there is nothing more for the moment, and reports
// whether that is the end.
func (o *output) readAll(s *stream, fd int) bool {
	for {
		n, err := syscall.Read(fd, o.buffer)
		switch {
		case n > 0:
			o.feed(s, o.buffer[:n])
		case err == syscall.EINTR:
		default:
			return err != syscall.EAGAIN
		}
	}
}
