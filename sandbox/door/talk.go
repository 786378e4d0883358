package door

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Talk is a connection of one program, which sends a request at a time and may wait
// long for the answer. Whoever has the answer writes it, in whatever goroutine; that
// of the connection reads, and so learns when the program is gone. net/http would
// have a second one look for that during each request, and wake it up to stop: with
// that, it takes more of a message than all the rest of it.
type Talk struct {
	port   *Port
	conn   net.Conn
	piped  bool // it is two pipes, by which a program of ours may send notes
	reader *bufio.Reader
	left   int64 // bytes that may still be read

	mu     sync.Mutex
	asked  bool // a request has had no answer yet
	closes bool // the answer to it ends the connection
	buffer []byte
}

// maxHead is how long the head of a request may be, as net/http has it.
const maxHead = 1 << 20

// Listener is who answers. Serve takes a talk's requests, one after another: a
// request's body is there until it returns, its answer may come later. Note takes what
// is sent in their place through pipes, to be answered as they are. Ended is called once,
// when nobody is there for an answer any more.
type Listener interface {
	Serve(t *Talk, r *http.Request)
	Note(t *Talk, about string, body []byte)
	Ended(t *Talk)
}

// A note is what a program of ours sends through pipes instead of a request that it
// sends again and again: "=LENGTH ABOUT", a line feed and LENGTH bytes. To read the head
// of a request takes ten times as long, and most of what is in it says nothing.
const (
	noteMark = '='
	maxNote  = 64 << 10 // bytes; what is longer is worth a request
)

// Talk puts a listener behind the port, once, for requests that a guard of the kind
// Private lets in. It is Serve for a port on which one program waits for its answers.
func (p *Port) Talk(l Listener) {
	for _, listener := range p.listeners {
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return // closed
				}
				t := &Talk{port: p, conn: conn}
				if !p.keep(t) {
					conn.Close()
					return
				}
				go t.run(l)
			}
		}()
	}
}

// keep has a talk end with the port; false = the port is closed.
func (p *Port) keep(t *Talk) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if p.talks == nil {
		p.talks = map[*Talk]bool{}
	}
	p.talks[t] = true
	return true
}

func (p *Port) drop(t *Talk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.talks, t)
}

// Read reads from the connection as much as the request at hand may have.
func (t *Talk) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, errLongHead
	}
	n, err := t.conn.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	return n, err
}

var errLongHead = errors.New("the head of the request is too long")

// run reads requests until the program hangs up.
func (t *Talk) run(l Listener) {
	defer t.port.drop(t)
	defer l.Ended(t)
	defer t.conn.Close()
	t.reader = bufio.NewReaderSize(t, 4<<10)
	guard := Guard{Kind: Private}
	ctx := context.WithValue(context.Background(), http.LocalAddrContextKey, t.conn.LocalAddr())
	for {
		t.left = maxHead
		if t.noted() {
			if !t.note(l) {
				return
			}
			continue
		}
		r, err := http.ReadRequest(t.reader)
		switch {
		case errors.Is(err, errLongHead):
			t.refuse(http.StatusRequestHeaderFieldsTooLarge, "431 Request Header Fields Too Large")
			return
		case errors.Is(err, io.EOF), errors.As(err, new(net.Error)):
			return
		case err != nil:
			t.refuse(http.StatusBadRequest, "400 Bad Request: "+err.Error())
			return
		}
		t.left = math.MaxInt64
		if !t.begin(r.Close || !r.ProtoAtLeast(1, 1)) {
			return // it did not wait for the answer before
		}
		r = r.WithContext(ctx)
		if why := judge(guard, r); why != "" {
			t.refuse(http.StatusForbidden, "403 Forbidden: "+why)
			return
		}
		if strings.EqualFold(r.Header.Get("Expect"), "100-continue") && r.ContentLength != 0 {
			if _, err := io.WriteString(t.conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
				return
			}
		}
		l.Serve(t, r)
		if r.Body.Close() != nil { // the rest of it
			return
		}
	}
}

func (t *Talk) begin(closes bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked {
		return false
	}
	t.asked, t.closes = true, closes
	return true
}

// noted waits for what comes next, and reports whether it is a note.
func (t *Talk) noted() bool {
	if !t.piped {
		return false
	}
	first, err := t.reader.Peek(1)
	return err == nil && first[0] == noteMark
}

// note takes a note; false = it is none, or has not come whole.
func (t *Talk) note(l Listener) bool {
	line, err := t.reader.ReadSlice('\n')
	if err != nil {
		return false
	}
	length, about, ok := strings.Cut(string(line[1:len(line)-1]), " ")
	size, err := strconv.Atoi(length)
	if !ok || err != nil || size < 0 || size > maxNote {
		t.refuse(http.StatusBadRequest, fmt.Sprintf("400 Bad Request: a note begins with %cLENGTH ABOUT, and has %d bytes at most", noteMark, maxNote))
		return false
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(t.reader, body); err != nil || !t.begin(false) {
		return false
	}
	l.Note(t, about, body)
	return true
}

// refuse answers what is no request for this port, and ends the connection.
func (t *Talk) refuse(status int, text string) {
	t.mu.Lock()
	t.asked, t.closes = true, true
	t.mu.Unlock()
	t.Answer(status, []byte(text+"\n"), "Content-Type", "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff")
}

// errAnswered is for an answer that nobody has asked for.
var errAnswered = errors.New("no request waits for an answer")

// Answer answers the request at hand, once: its status, a body, and the names and
// values of its header in turn. An error says that the program will not get it whole.
func (t *Talk) Answer(status int, body []byte, header ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.asked {
		return errAnswered
	}
	t.asked = false
	b := append(t.buffer[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(append(b, ' '), http.StatusText(status)...)
	b = append(append(b, "\r\nDate: "...), t.port.today()...)
	for i := 0; i+1 < len(header); i += 2 {
		b = append(append(append(append(b, "\r\n"...), header[i]...), ": "...), oneLine(header[i+1])...)
	}
	if t.closes {
		b = append(b, "\r\nConnection: close"...)
	}
	if status != http.StatusNoContent {
		b = append(b, "\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
	}
	b = append(b, "\r\n\r\n"...)
	var err error
	if len(body) <= maxCopied {
		b = append(b, body...)
		_, err = t.conn.Write(b)
	} else {
		_, err = (&net.Buffers{b, body}).WriteTo(t.conn)
	}
	t.buffer = b
	if err != nil || t.closes {
		t.conn.Close()
	}
	if err != nil {
		return fmt.Errorf("answer to %s: %w", t.conn.RemoteAddr(), err)
	}
	return nil
}

// maxCopied is how long a body is copied behind its head, so that both go out at
// once.
const maxCopied = 16 << 10

// oneLine is a header's value without what would end it.
func oneLine(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		return strings.NewReplacer("\r", " ", "\n", " ").Replace(value)
	}
	return value
}

// date is a second in words.
type date struct {
	second int64
	text   string
}

// today is the value of a Date header.
func (p *Port) today() string {
	now := time.Now()
	d := p.date.Load()
	if d == nil || d.second != now.Unix() {
		d = &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
		p.date.Store(d)
	}
	return d.text
}
