//go:build unix

package gateway

import (
	"errors"
	"syscall"
)

// writeNow writes as much as there is room for.
func writeNow(socket syscall.RawConn, p []byte) (n int, err error) {
	closed := socket.Write(func(fd uintptr) bool {
		for n < len(p) && err == nil {
			var more int
			more, err = syscall.Write(int(fd), p[n:])
			n += max(more, 0)
			if errors.Is(err, syscall.EINTR) {
				err = nil
			}
		}
		return true
	})
	if errors.Is(err, syscall.EAGAIN) {
		err = nil
	}
	return n, errors.Join(closed, err)
}
