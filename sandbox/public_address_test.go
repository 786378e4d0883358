package sandbox_test

import (
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// ask sends a request to an address of AWS, or of this machine.
func (p *publicStack) ask(method, address, body string) (int, string) {
	p.t.Helper()
	host, path := p.local(address)
	return get(p.t, p.c.Running().Endpoint+path, func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = method, io.NopCloser(strings.NewReader(body)), int64(len(body))
		if host != "" {
			r.Host = host
		} else if at, _, ok := strings.Cut(strings.TrimPrefix(address, "http://"), "/"); ok {
			r.URL.Host, r.Host = at, at
		}
		r.Header.Set("Content-Type", "application/json")
		maps.Copy(r.Header, p.with)
	})
}

// local is the host by which the cloud's endpoint knows an API of AWS, and the path;
// host "" = the address is of this machine.
func (p *publicStack) local(address string) (host, path string) {
	_, rest, _ := strings.Cut(address, "://")
	at, path, _ := strings.Cut(rest, "/")
	if !strings.Contains(at, ".execute-api.") {
		return "", "/" + path
	}
	return hostOf(address, p.c.Running().Endpoint), "/" + path
}

// dial opens a socket at an address of AWS, or of this machine.
func (p *publicStack) dial(address string) (*websocket.Conn, *http.Response, error) {
	p.t.Helper()
	host, path := p.local(strings.Replace(address, "wss:", "https:", 1))
	if host != "" {
		address = strings.Replace(p.c.Running().Endpoint, "http:", "ws:", 1) + path
	}
	return websocket.Dial(p.t.Context(), address, &websocket.DialOptions{Host: host})
}
