package gateway

import (
	"encoding/binary"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// unsent is what a client's socket has no room for. Nearly every message fits, and
// costs no goroutine and no timer then; only the rest of one is waited for.
type unsent struct {
	socket syscall.RawConn // nil: writing waits, as it does with TLS

	mu   sync.Mutex
	left []byte
	gone chan struct{} // closed when nothing is left; nil = nothing is
	err  error         // why nothing goes out any more
}

// Write sends bytes, or as many as there is room for, and the rest later.
func (w *frameWatch) Write(p []byte) (int, error) {
	if echoesBadReason(p) {
		// The library says again what the client said; RFC 6455, 8.1 wants 1007.
		if _, err := w.Write([]byte{0x88, 2, 0x03, 0xef}); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	if len(p) >= 4 && p[0] == 0x88 && int(p[1]) == len(p)-2 {
		w.closing.CompareAndSwap(0, int64(binary.BigEndian.Uint16(p[2:])))
	}
	u := &w.rest
	if u.socket == nil {
		return w.Conn.Write(p)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	switch {
	case u.err != nil:
		return 0, u.err
	case len(u.left)+len(p) > 2*maxOutgoing: // answers to pings of a client that does not read
		return 0, errFull
	case u.gone == nil:
		var err error
		if n, err = writeNow(u.socket, p); err != nil {
			u.err = err
			return n, err
		}
	}
	if n < len(p) {
		u.left = append(u.left, p[n:]...)
		if u.gone == nil {
			u.gone = make(chan struct{})
			go w.writeOn()
		}
	}
	return len(p), nil
}

// echoesBadReason reports whether what is to be sent is a close frame whose reason
// is not UTF-8: we give no such reason, so it is the client's.
func echoesBadReason(frame []byte) bool {
	return len(frame) > 4 && frame[0] == 0x88 && int(frame[1]) == len(frame)-2 && !utf8.Valid(frame[4:])
}

// writeOn sends what is left. A client that takes too long is given up.
func (w *frameWatch) writeOn() {
	u := &w.rest
	for {
		u.mu.Lock()
		left := u.left
		u.left = nil
		if len(left) == 0 || u.err != nil {
			close(u.gone)
			u.gone = nil
			u.mu.Unlock()
			return
		}
		u.mu.Unlock()
		w.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err := w.Conn.Write(left)
		w.SetWriteDeadline(time.Time{})
		if err != nil {
			u.mu.Lock()
			u.err = err
			u.mu.Unlock()
			w.Close()
		}
	}
}

// waits is closed when all that was written has gone out; nil = it has.
func (w *frameWatch) waits() <-chan struct{} {
	w.rest.mu.Lock()
	defer w.rest.mu.Unlock()
	return w.rest.gone
}

// failed is why nothing goes out any more; nil = it does.
func (w *frameWatch) failed() error {
	w.rest.mu.Lock()
	defer w.rest.mu.Unlock()
	return w.rest.err
}
