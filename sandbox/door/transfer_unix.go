//go:build unix

package door

import (
	"io"
	"sync"
	"syscall"

	"arc/sandbox/nonblock"
)

// transfer is what one direction of a connection is at. Its call is made once: a new one
// for each transfer would be memory to collect.
type transfer struct {
	sync.Mutex
	way  func(func(fd uintptr) (done bool)) error
	call func(fd uintptr) (done bool)
	p    []byte
	n    int
	err  error
}

// reads has transfers read.
func (t *transfer) reads(raw syscall.RawConn) {
	t.way = raw.Read
	t.call = func(fd uintptr) bool {
		t.n, t.err = nonblock.Read(fd, t.p)
		return t.err != syscall.EAGAIN
	}
}

// writes has transfers write.
func (t *transfer) writes(raw syscall.RawConn) {
	t.way = raw.Write
	t.call = func(fd uintptr) bool {
		for t.err = nil; t.n < len(t.p) && t.err == nil; {
			var n int
			n, t.err = nonblock.Write(fd, t.p[t.n:])
			t.n += n
		}
		return t.err != syscall.EAGAIN
	}
}

// do makes a transfer. broken is the error of the call, err that of the connection; a
// reading that ends with nothing is at its end.
func (t *transfer) do(p []byte) (n int, broken, err error) {
	t.Lock()
	defer t.Unlock()
	t.p, t.n, t.err = p, 0, nil
	err = t.way(t.call)
	t.p = nil
	return t.n, t.err, err
}

// read is Read of an io.Reader.
func (t *transfer) read(p []byte) (n int, broken, err error) {
	if len(p) == 0 {
		return 0, nil, nil
	}
	if n, broken, err = t.do(p); n == 0 && broken == nil && err == nil {
		err = io.EOF
	}
	return n, broken, err
}
