//go:build unix

package door

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// Pipes puts the listener of Talk behind two pipes as well, for a program that is started
// with their ends: it reads what it is answered from the first and writes its requests to
// the second. They take half of what a connection does, as nothing is between the two
// ends: no packet is made, acknowledged and queued. The caller closes the ends when the
// program has its own. ok = false where programs are not given any.
func (p *Port) Pipes(l Listener) (ends [2]*os.File, ok bool, err error) {
	var files [4]*os.File
	files[0], files[1], err = os.Pipe()
	if err == nil {
		files[2], files[3], err = os.Pipe()
	}
	t := &Talk{port: p, piped: true}
	if err == nil {
		t.conn, err = newPipes(files[2], files[1])
	}
	if err == nil && !p.keep(t) {
		err = net.ErrClosed
	}
	if err != nil {
		for _, f := range files {
			f.Close() // nil ones say so
		}
		return ends, false, fmt.Errorf("pipes: %w", err)
	}
	go t.run(l)
	return [2]*os.File{files[0], files[3]}, true, nil
}

// pipes are two as one connection. Nobody sets a time limit to a talk.
type pipes struct {
	from, to *os.File
	in, out  transfer
}

func newPipes(from, to *os.File) (*pipes, error) {
	c := &pipes{from: from, to: to}
	read, err := from.SyscallConn()
	if err != nil {
		return nil, err
	}
	write, err := to.SyscallConn()
	if err != nil {
		return nil, err
	}
	c.in.reads(read)
	c.out.writes(write)
	return c, nil
}

// Read is that of net.Conn.
func (c *pipes) Read(p []byte) (int, error) {
	n, broken, err := c.in.read(p)
	return n, c.failed("read", broken, err)
}

// Write is that of net.Conn.
func (c *pipes) Write(p []byte) (int, error) {
	n, broken, err := c.out.do(p)
	return n, c.failed("write", broken, err)
}

func (c *pipes) failed(what string, broken, err error) error {
	if broken = cmp.Or(err, broken); broken == nil || broken == io.EOF {
		return broken
	}
	return &net.OpError{Op: what, Net: "pipe", Addr: c.RemoteAddr(), Err: broken}
}

// Close closes both.
func (c *pipes) Close() error { return errors.Join(c.from.Close(), c.to.Close()) }

// LocalAddr has no port.
func (c *pipes) LocalAddr() net.Addr { return pipeAddr{} }

// RemoteAddr is for messages alone.
func (c *pipes) RemoteAddr() net.Addr { return pipeAddr{} }

// SetDeadline sets none.
func (c *pipes) SetDeadline(t time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline sets none.
func (c *pipes) SetReadDeadline(t time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline sets none.
func (c *pipes) SetWriteDeadline(t time.Time) error { return os.ErrNoDeadline }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "a pipe" }
