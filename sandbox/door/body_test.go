package door

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// behind serves h with a budget on a port of its own.
func behind(t *testing.T, budget *Budget, h http.HandlerFunc) *Port {
	t.Helper()
	port, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	port.Serve(Guard{Kind: Unsigned, Handler: h}, budget, nil)
	t.Cleanup(port.Close)
	return port
}

// begin sends the beginning of a request.
func begin(t *testing.T, port *Port, header, body string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", port.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n", port.Address(), header)
	go io.WriteString(conn, body) // which takes as long as the port lets it
	return conn, bufio.NewReader(conn)
}

func answer(t *testing.T, from *bufio.Reader) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func readAll(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprint(w, len(body))
}

// Half a body is not waited for longer than the grace, whether the handler
// reads it, refuses it or never looks, and connections end with it.
func TestHalfSentBodiesEnd(t *testing.T) {
	budget := NewBudget(100 << 20)
	budget.grace = 50 * time.Millisecond
	ignores := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "not read") }
	for name, h := range map[string]http.HandlerFunc{"reads": readAll, "ignores": ignores} {
		port := behind(t, budget, h)
		for i := range 300 {
			header := "Content-Length: 1000"
			if i%3 == 1 {
				header = "Transfer-Encoding: chunked"
			} else if i%3 == 2 {
				header += "\r\nOrigin: http://evil.example" // the guard refuses it
			}
			conn, from := begin(t, port, header, "5\r\nhello\r\n")
			if i%30 != 0 {
				continue
			}
			conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.Copy(io.Discard, from); err != nil {
				t.Errorf("%s, request %d: the connection goes on: %v", name, i, err)
			}
		}
	}
}

// A deadline that was for the body does not end the request: its handler may
// take as long as it likes.
func TestDeadlineIsForBodiesOnly(t *testing.T) {
	budget := NewBudget(100 << 20)
	budget.grace = 20 * time.Millisecond
	gone := make(chan bool, 1)
	port := behind(t, budget, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			gone <- true
		case <-time.After(5 * budget.grace):
			gone <- false
		}
	})
	_, from := begin(t, port, "Content-Length: 5", "hello")
	if status, _ := answer(t, from); status != 200 || <-gone {
		t.Errorf("%d, or the handler was told that the client went away", status)
	}
}

// Requests share the budget: the last waits for its turn and gets it, or hears
// that there is none. What is streamed takes nothing.
func TestBudgetIsShared(t *testing.T) {
	budget := NewBudget(bodyShare)
	inside, leave := make(chan bool), make(chan bool)
	port := behind(t, budget, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Stream") != "" {
			Stream(r)
		}
		readAll(w, r)
		if r.Header.Get("X-Stay") != "" {
			inside <- true
			<-leave
		}
	})
	large := strings.Repeat("x", 6<<20)
	length := fmt.Sprintf("Content-Length: %d", len(large))
	begin(t, port, length+"\r\nX-Stay: yes", large)
	<-inside
	_, streamed := begin(t, port, length+"\r\nX-Stream: yes", large)
	if status, text := answer(t, streamed); status != 200 || text != fmt.Sprint(len(large)) {
		t.Errorf("streamed: %d %s", status, text)
	}
	_, small := begin(t, port, "Content-Length: 5", "hello")
	if status, text := answer(t, small); status != 200 || text != "5" {
		t.Errorf("small: %d %s", status, text)
	}
	_, second := begin(t, port, length, large)
	leave <- true
	if status, text := answer(t, second); status != 200 || text != fmt.Sprint(len(large)) {
		t.Errorf("second: %d %s", status, text)
	}
	budget.wait = 10 * time.Millisecond
	begin(t, port, length+"\r\nX-Stay: yes", large)
	<-inside
	_, third := begin(t, port, length, large)
	if status, text := answer(t, third); status != 400 || !strings.Contains(text, ErrFull.Error()) {
		t.Errorf("third: %d %s", status, text)
	}
	leave <- true
	// An endless body ends where the budget does.
	conn, endless := begin(t, port, "Transfer-Encoding: chunked", "")
	go func() {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20))
		for {
			if _, err := io.WriteString(conn, chunk); err != nil {
				return
			}
		}
	}()
	if status, text := answer(t, endless); status != 400 || !strings.Contains(text, ErrFull.Error()) {
		t.Errorf("endless: %d %s", status, text)
	}
	if !budget.free.TryAcquire(bodyShare) {
		t.Error("not everything was given back")
	}
}
