package door

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// Descriptors of the process that are kept for the rest once sockets have taken
// all others: from keepForCalls left on, WebSockets are refused and connections
// end with their answer; from keepForFiles left on, nobody is let in.
const (
	keepForCalls = 50
	keepForFiles = 16
)

// shortEvery is how often it is said, at most, that descriptors are short.
const shortEvery = time.Minute

// busy is what clients get who come when descriptors are short.
const busy = "503 Service Unavailable: the local cloud has nearly no file descriptors left; its log says what to raise"

// scarceKey marks the context of a connection that is one of the last.
type scarceKey struct{}

// thrifty is a listener that keeps descriptors for the rest. Whoever would wait
// for one in vain is told.
type thrifty struct {
	net.Listener
	port *Port
}

// Accept waits for a client that there is a descriptor for.
func (l thrifty) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		switch {
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
			l.port.short()
			time.Sleep(20 * time.Millisecond) // others give some back
			continue
		case err != nil:
			return nil, err
		case l.port.budget != nil && l.port.left(conn) < keepForFiles:
			l.port.short()
			conn.SetDeadline(time.Now().Add(time.Second))
			io.WriteString(conn, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n"+busy+"\n")
			conn.Close()
			continue
		}
		return quick(conn), nil
	}
}

// left is how many descriptors the process has after that of conn: the system
// gives the lowest one that is free.
func (p *Port) left(conn net.Conn) int {
	for {
		switch c := conn.(type) {
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
			continue
		case syscall.Conn:
			if raw, err := c.SyscallConn(); err == nil {
				number := 0
				if raw.Control(func(fd uintptr) { number = int(fd) }) == nil {
					return p.most - number
				}
			}
		}
		return keepForCalls
	}
}

// short says, now and then, that descriptors are short.
func (p *Port) short() {
	if p.budget == nil || p.problems == nil {
		return
	}
	now := time.Now().UnixNano()
	last := p.budget.said.Load()
	if now-last > int64(shortEvery) && p.budget.said.CompareAndSwap(last, now) {
		p.problems.Printf("nearly all of the %d files and sockets are open that this process may have: new WebSockets are refused with 503 until some close; ulimit -n, before arc starts, raises the limit", p.most)
	}
}

// mark notes of a connection whether it is one of the last that there are
// descriptors for.
func (p *Port) mark(ctx context.Context, conn net.Conn) context.Context {
	if p.budget == nil || p.left(conn) >= keepForCalls {
		return ctx
	}
	p.short()
	return context.WithValue(ctx, scarceKey{}, true)
}

// sparing answers on the last connections without keeping any of them.
func sparing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(scarceKey{}) != nil {
			w.Header().Set("Connection", "close")
			if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
				http.Error(w, busy, http.StatusServiceUnavailable)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}
