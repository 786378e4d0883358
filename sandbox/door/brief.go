package door

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Brief requests, as a port's Brief names them, are answered as soon as they are read.
// Nobody has to look meanwhile for the client's going away, for which net/http wakes
// up a second goroutine at each request, nor does a body that has come need a
// deadline. So a connection on which such a request comes is taken from the server,
// until another one does.

// maxBrief is how long the body of a brief request may be.
const maxBrief = 128 << 10

// Brief names, before Serve, the requests that are brief, by method and target.
func (p *Port) Brief(is func(method, target string) bool) { p.brief = is }

// briefly answers brief requests on connections that it takes from the server.
func (p *Port) briefly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.isBrief(r) || r.Context().Value(scarceKey{}) != nil || !p.budget.free.TryAcquire(r.ContentLength) {
			h.ServeHTTP(w, r)
			return
		}
		held := r.ContentLength
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			p.budget.free.Release(held)
			h.ServeHTTP(w, r)
			return
		}
		b := &briefing{Talk: Talk{port: p, conn: conn, reader: buffered.Reader}}
		b.ctx = context.WithValue(context.Background(), http.LocalAddrContextKey, conn.LocalAddr())
		if !p.keep(&b.Talk) {
			p.budget.free.Release(held)
			conn.Close()
			return
		}
		defer p.drop(&b.Talk)
		b.run(r)
	})
}

func (p *Port) isBrief(r *http.Request) bool {
	return r.ContentLength >= 0 && r.ContentLength <= maxBrief && r.ProtoAtLeast(1, 1) && !r.Close &&
		len(r.TransferEncoding) == 0 && r.Header.Get("Expect") == "" && r.Header.Get("Upgrade") == "" && p.brief(r.Method, r.RequestURI)
}

// briefing is a connection with brief requests.
type briefing struct {
	Talk
	ctx   context.Context
	until time.Time // when the connection ends that brings nothing more
}

// run answers the request at hand, whose body is still to be read and has its share of
// the budget, and those that follow, and gives the connection back with one that is
// not brief.
func (b *briefing) run(r *http.Request) {
	for {
		ok := b.serve(r)
		b.port.budget.free.Release(r.ContentLength)
		if !ok {
			b.conn.Close()
			return
		}
		head, err := b.head()
		if err != nil {
			b.conn.Close()
			return
		}
		var read []byte
		if r, read = b.parse(head); r == nil {
			b.giveBack(read)
			return
		}
	}
}

// serve answers a request; false = the connection has ended, or is to.
func (b *briefing) serve(r *http.Request) bool {
	body := make([]byte, r.ContentLength)
	if int64(b.reader.Buffered()) < r.ContentLength {
		b.conn.SetReadDeadline(time.Now().Add(b.port.budget.grace + time.Duration(r.ContentLength)*time.Second/bodyRate))
		b.until = time.Time{}
	}
	n, broken := io.ReadFull(b.reader, body)
	r = r.WithContext(b.ctx)
	r.RemoteAddr = b.conn.RemoteAddr().String()
	r.Body = io.NopCloser(bytes.NewReader(body))
	if broken != nil {
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:n]), brokenOff{io.ErrUnexpectedEOF}))
	}
	w := &briefWriter{header: http.Header{}}
	b.begin(false)
	b.port.guard.ServeHTTP(w, r)
	closes := strings.EqualFold(w.header.Get("Connection"), "close")
	b.mu.Lock()
	b.closes = closes
	b.mu.Unlock()
	status, answer, header := w.result()
	return b.Answer(status, answer, header...) == nil && !closes && broken == nil
}

// brokenOff is the rest of a body that does not come.
type brokenOff struct{ err error }

func (b brokenOff) Read([]byte) (int, error) { return 0, b.err }

// head waits for the next request, and gives its head, which is still to be read; nil
// = it does not fit into the buffer, or is none that is brief.
func (b *briefing) head() ([]byte, error) {
	now := time.Now()
	if b.until.Sub(now) < idleLimit-time.Minute { // not at each request
		b.until = now.Add(idleLimit)
		b.conn.SetReadDeadline(b.until)
	}
	b.skipEmpty()
	for size := 1; size <= b.reader.Size(); size = b.reader.Buffered() + 1 {
		_, err := b.reader.Peek(size)
		piece, _ := b.reader.Peek(b.reader.Buffered())
		if err != nil && len(piece) == 0 {
			return nil, err
		}
		if err != nil || bytes.Contains(piece, []byte("\n\n")) {
			return nil, nil // net/http knows what to say
		}
		if end := bytes.Index(piece, []byte("\r\n\r\n")); end >= 0 {
			return piece[:end+4], nil
		}
		if size == 1 {
			b.until = time.Time{}
			b.conn.SetReadDeadline(time.Now().Add(headerLimit))
		}
	}
	return nil, nil
}

// skipEmpty passes over an empty line or two behind a body, as net/http does for
// clients that send them.
// https://www.rfc-editor.org/rfc/rfc9112#section-2.2
func (b *briefing) skipEmpty() {
	start, _ := b.reader.Peek(4)
	b.reader.Discard(len(start) - len(bytes.TrimLeft(start, "\r\n")))
}

// parse gives the request with a head, of which all but the body is read then, if it is
// brief and there is room for it. Else read is what was read of it.
func (b *briefing) parse(head []byte) (r *http.Request, read []byte) {
	if !b.plain(head) {
		return nil, nil
	}
	r, err := http.ReadRequest(b.reader)
	if err != nil || !b.port.isBrief(r) || !b.port.budget.free.TryAcquire(r.ContentLength) {
		return nil, head // which stays in the buffer until more is read
	}
	return r, nil
}

// plain reports whether a head can be one of a brief request: all its lines are such
// that there is nothing more to them than http.ReadRequest looks at.
func (b *briefing) plain(head []byte) bool {
	first, rest, _ := bytes.Cut(head, []byte("\r\n"))
	method, rest1, _ := strings.Cut(string(first), " ")
	target, proto, _ := strings.Cut(rest1, " ")
	if proto != "HTTP/1.1" || !b.port.brief(method, target) {
		return false
	}
	hosts := 0
	for len(rest) > 2 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(name) == 0 || !isToken(name) {
			return false
		}
		switch {
		case bytes.EqualFold(name, []byte("Host")):
			if hosts++; !isHost(bytes.TrimSpace(value)) {
				return false
			}
		case bytes.EqualFold(name, []byte("Connection")):
			if !bytes.EqualFold(bytes.TrimSpace(value), []byte("keep-alive")) {
				return false
			}
		}
		for _, c := range value {
			if c < ' ' && c != '\t' || c == 0x7f {
				return false
			}
		}
	}
	return hosts == 1
}

// isToken reports whether a header's name has letters, digits and hyphens alone.
func isToken(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// isHost reports whether a host has such characters alone as everybody takes for one's.
func isHost(host []byte) bool {
	for _, c := range host {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !bytes.ContainsRune([]byte(".-:[]"), rune(c)) {
			return false
		}
	}
	return true
}

// giveBack has the server go on with the connection: with what was read of it first.
func (b *briefing) giveBack(read []byte) {
	b.conn.SetReadDeadline(time.Time{})
	rest, _ := b.reader.Peek(b.reader.Buffered())
	ahead := slices.Concat(read, rest)
	conn := b.conn
	if both, ok := conn.(*bothConn); ok {
		both.ahead = ahead
	} else {
		conn = &begunConn{conn, ahead}
	}
	select {
	case b.port.again <- conn:
	case <-b.port.ended:
		conn.Close()
	}
}

// returned is a listener for connections that are given back.
type returned struct {
	net.Listener
	port *Port
}

func (l returned) Accept() (net.Conn, error) {
	select {
	case conn := <-l.port.again:
		return conn, nil
	case <-l.port.ended:
		return nil, net.ErrClosed
	}
}

func (l returned) Close() error {
	l.port.mu.Lock()
	defer l.port.mu.Unlock()
	if !l.port.closed {
		l.port.closed = true
		close(l.port.ended)
	}
	return nil
}

// briefWriter keeps an answer until it is whole.
type briefWriter struct {
	header http.Header
	status int
	body   []byte
}

func (w *briefWriter) Header() http.Header { return w.header }

func (w *briefWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *briefWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p...)
	return len(p), nil
}

// result is the answer, with what net/http adds to it.
func (w *briefWriter) result() (status int, body []byte, header []string) {
	w.WriteHeader(http.StatusOK)
	if len(w.body) > 0 && w.header.Get("Content-Type") == "" {
		w.header.Set("Content-Type", http.DetectContentType(w.body))
	}
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		if name == "Content-Length" || name == "Date" || name == "Connection" {
			continue // which the connection's answers have of their own
		}
		for _, value := range w.header[name] {
			header = append(header, name, value)
		}
	}
	return w.status, w.body, header
}
