package door

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"arc/sandbox/nonblock"
)

// socket is a connection whose reading and writing is told to nobody, as it never waits
// in a system call; see nonblock.
type socket struct {
	*net.TCPConn
	raw     syscall.RawConn
	in, out transfer
}

// transfer is what one side of a socket is at. Its call is made once: a new one for each
// transfer would be memory to collect.
type transfer struct {
	sync.Mutex
	p    []byte
	n    int
	err  error
	call func(fd uintptr) (done bool)
}

// quick gives a connection the socket's way, if it is one of TCP.
func quick(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	s := &socket{TCPConn: tcp, raw: raw}
	s.in.call = func(fd uintptr) bool {
		s.in.n, s.in.err = nonblock.Read(fd, s.in.p)
		return s.in.err != syscall.EAGAIN
	}
	s.out.call = func(fd uintptr) bool {
		for s.out.err = nil; s.out.n < len(s.out.p) && s.out.err == nil; {
			var n int
			n, s.out.err = nonblock.Write(fd, s.out.p[s.out.n:])
			s.out.n += n
		}
		return s.out.err != syscall.EAGAIN
	}
	return s
}

// do makes a transfer, and gives the error of the connection, or else of the call.
func (s *socket) do(t *transfer, what string, way func(func(uintptr) bool) error, p []byte) (int, error) {
	t.Lock()
	defer t.Unlock()
	t.p, t.n, t.err = p, 0, nil
	err := way(t.call)
	t.p = nil
	if err == nil && t.err != nil {
		err = &net.OpError{Op: what, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: os.NewSyscallError(what, t.err)}
	}
	return t.n, err
}

// Read is that of net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := s.do(&s.in, "read", s.raw.Read, p)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// Write is that of net.Conn.
func (s *socket) Write(p []byte) (int, error) { return s.do(&s.out, "write", s.raw.Write, p) }
