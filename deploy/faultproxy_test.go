package deploy

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// faultProxy stands between the deployer and an endpoint. It records the
// calls, and spoils one of them.
type faultProxy struct {
	target string
	fault  string
	at     int    // the call to spoil, 1 = the first
	onHit  func() // called when it comes; may be nil
	// before is called with each call before it is passed on; may be nil.
	before func(call string)
	// denied is a call's name and a text in its body: it is not allowed; "" = all are.
	denied [2]string

	mu   sync.Mutex
	seen []string
	hit  string
}

func (p *faultProxy) start(t *testing.T) string {
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return server.URL
}

func (p *faultProxy) calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

func (p *faultProxy) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = nil
}

// name is what AWS calls the request: its Action, its target, or method and path.
func name(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndex(target, ".")+1:]
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
		return form.Get("Action")
	}
	return r.Method + " " + r.URL.Path
}

func (p *faultProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mu.Lock()
	call := name(r, body)
	p.seen = append(p.seen, call)
	fault := ""
	if len(p.seen) == p.at {
		fault, p.hit = p.fault, call
	}
	hit := len(p.seen) == p.at
	p.mu.Unlock()
	if hit && p.onHit != nil {
		p.onHit()
	}
	if p.before != nil {
		p.before(call)
	}
	if p.denied[0] == call && bytes.Contains(body, []byte(p.denied[1])) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"AccessDeniedException","Message":"User: arn:aws:sts::000000000000:assumed-role/ci/1 is not authorized to perform: ssm:`+call+`"}`)
		return
	}

	switch fault {
	case "throttle":
		throttle(w, r)
		return
	case "503":
		http.Error(w, "<html>come back later</html>", http.StatusServiceUnavailable)
		return
	case "500":
		http.Error(w, "<html>oh no</html>", http.StatusInternalServerError)
		return
	case "reset before":
		reset(w)
		return
	}
	status, header, answer := p.forward(r, body)
	if fault == "lost answer" {
		reset(w)
		return
	}
	for k, v := range header {
		w.Header()[k] = v
	}
	if fault == "truncated" && len(answer) > 1 {
		w.WriteHeader(status) // with the Content-Length of the whole
		w.Write(answer[:len(answer)/2])
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	w.Write(answer)
}

func (p *faultProxy) forward(r *http.Request, body []byte) (int, http.Header, []byte) {
	req, err := http.NewRequest(r.Method, p.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return http.StatusBadGateway, nil, []byte(err.Error())
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return http.StatusBadGateway, nil, []byte(err.Error())
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, answer
}

// throttle answers as the service in question does when it is asked too often.
func throttle(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`)
	default:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
	}
}

// reset ends the connection without an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
