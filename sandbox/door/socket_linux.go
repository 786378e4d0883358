package door

import (
	"net"
	"os"
)

// socket is a connection whose reading and writing is told to nobody, as it never waits
// in a system call; see nonblock.
type socket struct {
	*net.TCPConn
	in, out transfer
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
	s := &socket{TCPConn: tcp}
	s.in.reads(raw)
	s.out.writes(raw)
	return s
}

// failed is the error of the connection, or else of the call.
func (s *socket) failed(what string, broken, err error) error {
	if err == nil && broken != nil {
		err = &net.OpError{Op: what, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: os.NewSyscallError(what, broken)}
	}
	return err
}

// Read is that of net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	n, broken, err := s.in.read(p)
	return n, s.failed("read", broken, err)
}

// Write is that of net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	n, broken, err := s.out.do(p)
	return n, s.failed("write", broken, err)
}
