package door_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/door"
)

// TestGuard sends raw requests to a real port of each kind. A section of
// testdata/requests.txtar is a request; its name begins with the kinds that let
// it in, "none" when none does. PORT stands for the port.
func TestGuard(t *testing.T) {
	requests, err := txtar.ParseFile(filepath.Join("testdata", "requests.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]door.Kind{"site": door.Site, "signed": door.Signed, "unsigned": door.Unsigned, "private": door.Private, "undeclared": 0}
	for kind, k := range kinds {
		t.Run(kind, func(t *testing.T) {
			port := open(t, door.Guard{Kind: k, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				form := r.PostForm.Encode() // what the guard read stays in the request
				fmt.Fprintf(w, "in %d %s", len(body), form)
			})})
			knock(t, port, kind, requests)
		})
	}
	t.Run("talk", func(t *testing.T) { knock(t, talk(t, &echoing{}), "private", requests) })
}

// knock sends all requests, and wants those answered that a kind lets in.
func knock(t *testing.T, port *door.Port, kind string, requests *txtar.Archive) {
	t.Helper()
	for _, request := range requests.Files {
		allowed, _, _ := strings.Cut(request.Name, ":")
		want := http.StatusForbidden
		for word := range strings.FieldsSeq(allowed) {
			if word == kind || word == "all" && kind != "undeclared" {
				want = http.StatusOK
			}
		}
		status, body := send(t, port, request.Data)
		if status != want {
			t.Errorf("%s: %d %s", request.Name, status, body)
		}
	}
}

func open(t *testing.T, guard door.Guard) *door.Port {
	t.Helper()
	port, err := door.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	port.Serve(guard, nil, nil)
	t.Cleanup(port.Close)
	return port
}

// send writes a request as it stands in a file, with the length of its body.
func send(t *testing.T, port *door.Port, request []byte) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", port.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := strings.ReplaceAll(strings.TrimRight(string(request), "\n"), "PORT", fmt.Sprint(port.Number))
	head, content, _ := strings.Cut(text, "\n\n")
	head += fmt.Sprintf("\nContent-Length: %d\n\n", len(content))
	io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+content)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(bytes.TrimSpace(data))
}

// TestRoutes gives the parts of one port their own kinds, and lets nobody in
// where no part is.
func TestRoutes(t *testing.T) {
	in := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "in") })
	var told []string
	refused := func(r *http.Request, why string) { told = append(told, r.URL.Path) }
	port := open(t, door.Routes(door.Guard{Refused: refused},
		door.Route{Pattern: "/programs", Guard: door.Guard{Kind: door.Unsigned, Handler: in}},
		door.Route{Pattern: "/forgotten", Guard: door.Guard{Handler: in}},
	))
	for request, want := range map[string]int{
		"POST /programs HTTP/1.1\nHost: localhost:PORT":                                200,
		"POST /programs HTTP/1.1\nHost: localhost:PORT\nOrigin: http://localhost:1":    403,
		"GET /programs HTTP/1.1\nHost: localhost:PORT\nSec-Fetch-Site: cross-site":     200,
		"GET /forgotten HTTP/1.1\nHost: localhost:PORT":                                403,
		"GET /else HTTP/1.1\nHost: localhost:PORT":                                     404,
		"GET /else HTTP/1.1\nHost: localhost:PORT\nSec-Fetch-Site: cross-site":         403,
		"GET //programs HTTP/1.1\nHost: evil.example:PORT":                             403,
		"GET /programs/../programs HTTP/1.1\nHost: evil.example:PORT\nOrigin: http://": 403,
	} {
		if status, body := send(t, port, []byte(request)); status != want {
			t.Errorf("%q: %d %s", request, status, body)
		}
	}
	if len(told) != 5 {
		t.Errorf("told of %q", told)
	}
}

// Listening is done here and nowhere else: a port that another package opened
// would have no guard.
func TestNoOtherDoor(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "bench" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root) {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Base(filepath.Dir(path)) == "door" {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, opener := range []string{"net.Listen", "http.Server{", "ListenAndServe", "ListenConfig", "http.Serve("} {
			if bytes.Contains(source, []byte(opener)) {
				t.Errorf("%s has %s: open ports with sandbox/door, and say of what kind they are", path, opener)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOpenings lets in by name what a Site is told to, and nothing that is not
// named; other kinds stay shut.
func TestOpenings(t *testing.T) {
	in := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "in") })
	named := func(r *http.Request, origin string) bool {
		return origin == "https://named.example" && r.URL.Path == "/api"
	}
	some := &door.Openings{Origins: []string{"https://a.example:8443", "null", "capacitor://localhost"}, Hosts: []string{"abc.ngrok.app", "192.168.1.5"}}
	for _, test := range []struct {
		kind    door.Kind
		open    *door.Openings
		request string
		want    int
		says    string
	}{
		{door.Site, some, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: https://a.example:8443", 200, ""},
		{door.Site, some, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: HTTPS://A.example:8443", 200, ""},
		{door.Site, some, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: https://a.example", 403, "--allow-origin=https://a.example lets it in"},
		{door.Site, some, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: null", 200, ""},
		{door.Site, some, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: capacitor://localhost", 200, ""},
		{door.Site, some, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: ionic://localhost", 403, "--allow-origin=ionic://localhost"},
		{door.Site, some, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: https://a.example:8443\nOrigin: https://b.example", 403, "b.example"},
		{door.Site, some, "GET / HTTP/1.1\nHost: abc.ngrok.app", 200, ""},
		{door.Site, some, "GET / HTTP/1.1\nHost: ABC.ngrok.app:443", 200, ""},
		{door.Site, some, "GET / HTTP/1.1\nHost: 192.168.1.5:PORT", 200, ""},
		{door.Site, some, "GET / HTTP/1.1\nHost: other.ngrok.app", 403, "--allow-host=other.ngrok.app lets it in"},
		{door.Site, some, "GET / HTTP/1.1\nHost: localhost:1", 403, "names another port"},
		{door.Site, some, "GET /api HTTP/1.1\nHost: localhost:PORT\nOrigin: https://named.example", 200, ""},
		{door.Site, some, "GET /else HTTP/1.1\nHost: localhost:PORT\nOrigin: https://named.example", 403, ""},
		{door.Site, nil, "GET /api HTTP/1.1\nHost: localhost:PORT\nOrigin: https://named.example", 200, ""},
		{door.Site, nil, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: null", 403, "--allow-origin=null"},
		{door.Site, &door.Openings{Origins: []string{"*"}}, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: https://any.example", 200, ""},
		{door.Site, &door.Openings{Origins: []string{"*"}}, "GET / HTTP/1.1\nHost: evil.example:PORT\nOrigin: https://any.example", 403, "--allow-host"},
		{door.Unsigned, some, "GET /api HTTP/1.1\nHost: localhost:PORT\nOrigin: https://named.example", 403, "is not a page of this machine"},
		{door.Unsigned, some, "POST / HTTP/1.1\nHost: abc.ngrok.app", 403, "is not this machine; use localhost"},
		{door.Signed, some, "GET / HTTP/1.1\nHost: localhost:PORT\nOrigin: null", 403, "is not a page of this machine"},
	} {
		port := open(t, door.Guard{Kind: test.kind, Handler: in, Open: test.open, Names: named})
		status, body := send(t, port, []byte(test.request))
		if status != test.want || !strings.Contains(body, test.says) || test.kind != door.Site && strings.Contains(body, "--allow") {
			t.Errorf("%q: %d %s", test.request, status, body)
		}
	}
}

// TestOpeningsAreNames refuses what no request could bear.
func TestOpeningsAreNames(t *testing.T) {
	for origin, ok := range map[string]bool{
		"*": true, "null": true, "https://a.example": true, "http://a:8080": true, "capacitor://localhost": true,
		"": false, "a.example": false, "https://a.example/": false, "https://": false, "https://a b": false, "//a.example": false, "https://u@a.example": false,
	} {
		if err := (&door.Openings{Origins: []string{origin}}).Check(); (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
	for host, ok := range map[string]bool{
		"abc.ngrok.app": true, "192.168.1.5": true, "[fe80::1]": true,
		"": false, "*": false, "*.ngrok.app": false, "a:80": false, "https://a": false, "a/b": false, "u@a": false,
	} {
		if err := (&door.Openings{Hosts: []string{host}}).Check(); (err == nil) != ok {
			t.Errorf("host %q: %v", host, err)
		}
	}
}

// TestAnswer refuses in a client's own form, and pages and readers in text.
func TestAnswer(t *testing.T) {
	port := open(t, door.Guard{Kind: door.Signed, Handler: http.NotFoundHandler(), Answer: func(w http.ResponseWriter, r *http.Request, why string) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "own: ", why)
	}})
	for request, own := range map[string]bool{
		"GET /x HTTP/1.1\nHost: evil.example:PORT":                              true,
		"GET /x HTTP/1.1\nHost: evil.example:PORT\nAccept: text/html,*/*":       false,
		"GET /x HTTP/1.1\nHost: evil.example:PORT\nSec-Fetch-Site: none":        false,
		"GET /x HTTP/1.1\nHost: localhost:PORT\nOrigin: https://evil.example":   false,
		"POST /x HTTP/1.1\nHost: localhost:PORT\nX-Amz-Target: AmazonSSM.Thing": true,
	} {
		status, body := send(t, port, []byte(request))
		if status != http.StatusForbidden || strings.HasPrefix(body, "own: ") != own {
			t.Errorf("%q: %d %s", request, status, body)
		}
	}
}
