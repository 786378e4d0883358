//go:build unix

package gateway

import (
	"errors"
	"syscall"

	"arc/sandbox/nonblock"
)

// writeNow writes as much as there is room for.
func writeNow(socket syscall.RawConn, p []byte) (n int, err error) {
	closed := socket.Write(func(fd uintptr) bool {
		for n < len(p) && err == nil {
			var more int
			more, err = nonblock.Write(fd, p[n:])
			n += more
		}
		return true
	})
	if errors.Is(err, syscall.EAGAIN) {
		err = nil
	}
	return n, errors.Join(closed, err)
}
