package door_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"arc/sandbox/door"
)

// briefPort is a port whose answers tell what came in. POSTs below /brief are brief
// with or without; those are compared.
func briefPort(t testing.TB, brief bool, budget *door.Budget) *door.Port {
	t.Helper()
	port, err := door.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := door.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	port.Secure(authority)
	if brief {
		port.Brief(func(method, target string) bool { return method == "POST" && strings.HasPrefix(target, "/brief") })
	}
	port.Serve(door.Guard{Kind: door.Site, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var names []string
		for name, values := range r.Header {
			names = append(names, fmt.Sprint(name, values))
		}
		slices.Sort(names)
		text := fmt.Sprint(r.Method, " ", r.URL, " ", r.Host, " ", r.ContentLength, " ", r.TransferEncoding, " ", names, " ", len(body), err)
		if rest, _, _ := net.SplitHostPort(r.RemoteAddr); rest != "127.0.0.1" {
			text += r.RemoteAddr
		}
		switch {
		case strings.Contains(r.URL.Path, "none"):
			w.WriteHeader(http.StatusNoContent)
		case strings.Contains(r.URL.Path, "empty"):
			w.Header().Set("X-Amzn-ErrorType", "GoneException")
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(http.StatusGone)
		case strings.Contains(r.URL.Path, "close"):
			w.Header().Set("Connection", "close")
			io.WriteString(w, text)
		case strings.Contains(r.URL.Path, "json"):
			w.Header().Set("Content-Type", "application/json")
			w.Header().Add("X-Two", "1")
			w.Header().Add("X-Two", "2")
			io.WriteString(w, text)
		default:
			io.WriteString(w, text)
		}
	})}, budget, nil)
	t.Cleanup(port.Close)
	return port
}

// said is all that a port answers on one connection, in words that do not depend on
// when and where.
func said(t testing.TB, port *door.Port, requests string) string {
	conn, err := net.Dial("tcp4", port.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() {
		// In pieces, as it comes from a network.
		for text := strings.ReplaceAll(requests, "HOST", port.Address()); text != ""; {
			n := min(len(text), 1000)
			if _, err := io.WriteString(conn, text[:n]); err != nil {
				return
			}
			text = text[n:]
		}
		// Not CloseWrite: of a client that closes its side early net/http cancels the
		// request, or does not, as it comes.
		io.WriteString(conn, "GET /end HTTP/1.1\r\nHost: "+port.Address()+"\r\nConnection: close\r\n\r\n")
	}()
	var all strings.Builder
	reader := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			return regexp.MustCompile(fmt.Sprintf(`\b%d\b`, port.Number)).ReplaceAllString(all.String(), "PORT")
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.Header.Get("Date") != "" {
			resp.Header.Set("Date", "now")
		}
		resp.Header.Del("Content-Length") // or chunks, where the answer is long
		var header bytes.Buffer
		resp.Header.Write(&header)
		fmt.Fprintf(&all, "%d %v\n%s%d %.300s\n", resp.StatusCode, resp.Close, &header, len(body), body)
	}
}

// briefRequests are what clients send on one connection.
var briefRequests = []string{
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\nhelloPOST /brief/json?a=b HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: HOST\r\n\r\nPOST /brief HTTP/1.1\r\nHost: HOST\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief/none HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief/empty HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief/close HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: a b\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nX: a\x01b\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nX: a\r\n  b\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.0\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx\r\nPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx\n\r\nGET /a HTTP/1.1\r\nHost: HOST\r\n\r\n",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxrubbish\r\n\r\n",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\nHost: HOST\nContent-Length: 1\n\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nX: " + strings.Repeat("y", 10_000) + "\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("z", 100_000) + "POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat("z", 200_000) + "POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief HTTP/1.1\r\nHost: HOST\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
	"POST /brief HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nxPOST /brief%zz HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\r\nx",
}

// TestBrief: whatever comes on a connection, it is answered as net/http answers it.
func TestBrief(t *testing.T) {
	with, without := briefPort(t, true, door.NewBudget(20<<20)), briefPort(t, false, door.NewBudget(20<<20))
	for _, requests := range briefRequests {
		if got, want := said(t, with, requests), said(t, without, requests); got != want {
			t.Errorf("%.300q\nis answered\n%s\nand not\n%s", requests, got, want)
		}
	}
}

// FuzzBrief does the same with any requests.
func FuzzBrief(f *testing.F) {
	for _, requests := range briefRequests {
		f.Add(requests)
	}
	with, without := briefPort(f, true, door.NewBudget(20<<20)), briefPort(f, false, door.NewBudget(20<<20))
	f.Fuzz(func(t *testing.T, requests string) {
		if got, want := said(t, with, requests), said(t, without, requests); got != want {
			t.Errorf("%q\nis answered\n%s\nand not\n%s", requests, got, want)
		}
	})
}

// TestBriefEnds: a briefing ends with its port, and holds nothing of the budget while
// it waits.
func TestBriefEnds(t *testing.T) {
	budget := door.NewBudget(10<<20 + 2)
	port := briefPort(t, true, budget)
	c := dials["connection"](t, port, nil)
	for range 3 {
		resp, body := c.ask("POST /brief HTTP/1.1\r\nHost: " + port.Address() + "\r\nContent-Length: 5\r\n\r\nhello")
		if resp.StatusCode != http.StatusOK {
			t.Fatal(resp.StatusCode, body)
		}
	}
	big := dials["connection"](t, port, nil)
	if resp, body := big.ask(fmt.Sprintf("POST /big HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", port.Address(), 10<<20, strings.Repeat("x", 10<<20))); resp.StatusCode != http.StatusOK || !strings.Contains(body, fmt.Sprint(10<<20)) {
		t.Errorf("%d %.200s", resp.StatusCode, body)
	}
	port.Close()
	if _, err := c.reader.ReadByte(); err == nil {
		t.Error("a briefing outlives its port")
	}
}
