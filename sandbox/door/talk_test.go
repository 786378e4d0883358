package door_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"arc/sandbox/door"
)

// echoing answers each request by its method, its path and the length of its body, at
// once or, for /later, when the test says so.
type echoing struct {
	later chan func()
	ended chan bool
}

func (e *echoing) Serve(t *door.Talk, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	text := fmt.Sprintf("%s %s %d %q %v", r.Method, r.URL.Path, len(body), r.Trailer.Get("End"), err)
	answer := func() { t.Answer(http.StatusOK, []byte(text), "X-Two", "one\r\nX-Lines: two") }
	if r.URL.Path == "/later" {
		e.later <- answer
		return
	}
	answer()
}

func (e *echoing) Note(t *door.Talk, about string, body []byte) {
	t.Answer(http.StatusOK, fmt.Appendf(nil, "note %q %d", about, len(body)))
}

func (e *echoing) Ended(*door.Talk) {
	if e.ended != nil {
		e.ended <- true
	}
}

func talk(t *testing.T, l door.Listener) *door.Port {
	t.Helper()
	port, err := door.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	port.Talk(l)
	t.Cleanup(port.Close)
	return port
}

// client is one connection.
type client struct {
	io.ReadWriteCloser
	t      *testing.T
	reader *bufio.Reader
}

// dials are the ways to a listener of a port's talks.
var dials = map[string]func(t *testing.T, port *door.Port, l door.Listener) *client{
	"connection": func(t *testing.T, port *door.Port, _ door.Listener) *client {
		conn, err := net.Dial("tcp4", port.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		return &client{conn, t, bufio.NewReader(conn)}
	},
	"pipes": func(t *testing.T, port *door.Port, l door.Listener) *client {
		ends, ok, err := port.Pipes(l)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			t.Skip("this system has none")
		}
		c := both(ends)
		t.Cleanup(func() { c.Close() })
		return &client{c, t, bufio.NewReader(c)}
	},
}

// both are the ends of two pipes.
type both [2]*os.File

func (b both) Read(p []byte) (int, error)  { return b[0].Read(p) }
func (b both) Write(p []byte) (int, error) { return b[1].Write(p) }
func (b both) Close() error                { return errors.Join(b[0].Close(), b[1].Close()) }

// by runs a test by each way.
func by(t *testing.T, test func(t *testing.T, dial func(port *door.Port, l door.Listener) *client)) {
	for name, dial := range dials {
		t.Run(name, func(t *testing.T) {
			test(t, func(port *door.Port, l door.Listener) *client { return dial(t, port, l) })
		})
	}
}

// ask sends a request and gives the answer.
func (c *client) ask(request string) (*http.Response, string) {
	c.t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		c.t.Fatal(err)
	}
	return c.answer()
}

func (c *client) answer() (*http.Response, string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp, string(body)
}

// TestTalk has one connection ask for one thing after another.
func TestTalk(t *testing.T) { by(t, testTalk) }

func testTalk(t *testing.T, dial func(*door.Port, door.Listener) *client) {
	e := &echoing{}
	port := talk(t, e)
	c := dial(port, e)
	long := strings.Repeat("x", 1<<20)
	host := "Host: " + port.Address() + "\r\n"
	for request, want := range map[string]string{
		"GET /a HTTP/1.1\r\n" + host + "\r\n":                                                                                 `GET /a 0 "" <nil>`,
		"POST /b HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc":                                                        `POST /b 3 "" <nil>`,
		"POST /c HTTP/1.1\r\n" + host + "Content-Length: 1048576\r\n\r\n" + long:                                              `POST /c 1048576 "" <nil>`,
		"POST /d HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTrailer: End\r\n\r\n3\r\nabc\r\n0\r\nEnd: yes\r\n\r\n": `POST /d 3 "yes" <nil>`,
	} {
		resp, body := c.ask(request)
		if resp.StatusCode != http.StatusOK || body != want || resp.Header.Get("Date") == "" || resp.Close {
			t.Errorf("%d %v %q, want %q", resp.StatusCode, resp.Header, body, want)
		}
		if resp.Header.Get("X-Lines") != "" || resp.Header.Get("X-Two") != "one  X-Lines: two" {
			t.Errorf("a value ended its line: %v", resp.Header)
		}
	}
	// Who waits before sending a body, as curl does, is told to go on.
	if resp, _ := c.ask("POST /e HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"); resp.StatusCode != http.StatusContinue {
		t.Errorf("%d, want 100", resp.StatusCode)
	}
	if _, body := c.ask("abc"); body != `POST /e 3 "" <nil>` {
		t.Error(body)
	}
	for _, request := range []string{
		"GET /f HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", "GET /f HTTP/1.0\r\n" + host + "\r\n",
		"rubbish\r\n\r\n", "GET / HTTP/1.1\r\nX: " + long + long,
	} {
		c := dial(port, e)
		go io.WriteString(c, request) // of which the end may be for nobody
		resp, body := c.answer()
		if _, err := c.reader.ReadByte(); !resp.Close || err == nil {
			t.Errorf("%.40q: %d %q does not end the connection", request, resp.StatusCode, body)
		}
	}
}

// TestTalkWaits: an answer may come from another goroutine, much later; meanwhile the
// client may go, which the listener hears of, and must not ask again.
func TestTalkWaits(t *testing.T) { by(t, testTalkWaits) }

func testTalkWaits(t *testing.T, dial func(*door.Port, door.Listener) *client) {
	e := &echoing{later: make(chan func(), 1), ended: make(chan bool, 1)}
	port := talk(t, e)
	host := "Host: " + port.Address() + "\r\n"
	c := dial(port, e)
	fmt.Fprintf(c, "GET /later HTTP/1.1\r\n%s\r\n", host)
	(<-e.later)()
	if _, body := c.answer(); body != `GET /later 0 "" <nil>` {
		t.Error(body)
	}
	fmt.Fprintf(c, "GET /later HTTP/1.1\r\n%s\r\n", host)
	late := <-e.later
	c.Close()
	<-e.ended
	late() // for nobody
	c = dial(port, e)
	fmt.Fprintf(c, "GET /later HTTP/1.1\r\n%s\r\nGET /a HTTP/1.1\r\n%s\r\n", host, host)
	<-e.later
	<-e.ended
	if _, err := c.reader.ReadByte(); err == nil {
		t.Error("who asks again before the answer has come is answered")
	}
	c = dial(port, e)
	fmt.Fprintf(c, "GET /later HTTP/1.1\r\n%s\r\n", host)
	<-e.later
	port.Close()
	<-e.ended
	if _, err := c.reader.ReadByte(); err == nil {
		t.Error("a talk outlives its port")
	}
}

// answers notes what comes of answers.
type answers struct{ errs chan error }

func (a answers) Serve(t *door.Talk, _ *http.Request) {
	a.errs <- t.Answer(http.StatusOK, bytes.Repeat([]byte("x"), 100_000), "Content-Type", "text/plain")
	a.errs <- t.Answer(http.StatusOK, nil)
}

func (answers) Note(*door.Talk, string, []byte) {}

func (answers) Ended(*door.Talk) {}

// TestTalkAnswersOnce: a second answer is an error, and one that nobody takes.
func TestTalkAnswersOnce(t *testing.T) { by(t, testTalkAnswersOnce) }

func testTalkAnswersOnce(t *testing.T, dial func(*door.Port, door.Listener) *client) {
	a := answers{make(chan error, 2)}
	port := talk(t, a)
	c := dial(port, a)
	resp, body := c.ask("GET / HTTP/1.1\r\nHost: " + port.Address() + "\r\n\r\n")
	if len(body) != 100_000 || resp.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%d bytes of %v", len(body), resp.Header)
	}
	if first, second := <-a.errs, <-a.errs; first != nil || second == nil {
		t.Error(errors.Join(first, second))
	}
}

// TestNotes: through pipes a note takes a request's place, between others; what is none
// ends the talk, and on a connection nothing is one.
func TestNotes(t *testing.T) { by(t, testNotes) }

func testNotes(t *testing.T, dial func(*door.Port, door.Listener) *client) {
	e := &echoing{later: make(chan func(), 1)}
	port := talk(t, e)
	host := "Host: " + port.Address() + "\r\n"
	c := dial(port, e)
	if _, connected := c.ReadWriteCloser.(net.Conn); connected {
		if resp, _ := c.ask("=3 some\nabc\r\n\r\n"); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%d for a note on a connection", resp.StatusCode)
		}
		return
	}
	long := strings.Repeat("x", 64<<10)
	for note, want := range map[string]string{
		"=3 some words\nabc":    `note "some words" 3`,
		"=0 \n":                 `note "" 0`,
		"=65536 long\n" + long:  `note "long" 65536`,
		"=0004 \u00e9\r\nab\nc": `note "é\r" 4`,
	} {
		if _, body := c.ask(note); body != want {
			t.Errorf("%.20q: %s, want %s", note, body, want)
		}
		if _, body := c.ask("GET /a HTTP/1.1\r\n" + host + "\r\n"); body != `GET /a 0 "" <nil>` {
			t.Errorf("after %.20q: %s", note, body)
		}
	}
	for _, note := range []string{"=\n", "=3\nabc", "=-1 a\n", "=x a\n", "=65537 a\n", "=9223372036854775808 a\n"} {
		c := dial(port, e)
		resp, body := c.ask(note)
		if _, err := c.reader.ReadByte(); resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, "=LENGTH ABOUT") || err == nil {
			t.Errorf("%q: %d %s", note, resp.StatusCode, body)
		}
	}
	for _, half := range []string{"=3 some", "=3 some\nab", "=" + strings.Repeat("1", 5000)} {
		e := &echoing{ended: make(chan bool, 1)}
		c := dial(port, e)
		io.WriteString(c, half)
		c.Close()
		<-e.ended
	}
	c = dial(port, e)
	io.WriteString(c, "GET /later HTTP/1.1\r\n"+host+"\r\n=3 some\nabc") // it does not wait for the answer
	if _, err := c.reader.ReadByte(); err == nil {
		t.Error("who sends a note before the answer has come is answered")
	}
}
