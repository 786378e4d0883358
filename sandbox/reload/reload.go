// Package reload has the pages of a live app reload by themselves when a file
// was saved, as Architect's sandbox does with @sandbox livereload. A page that
// shows an error is a page: when the code is mended it makes way for the next.
package reload

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"
)

// Paths of the script and of the socket that it listens at.
const (
	scriptPath = "/_arc/reload.js"
	socketPath = "/_arc/reload"
)

// tag is what a page is given at its end. It is a file of the page's own origin,
// which a policy that forbids inline scripts allows. round is that of the page:
// what is saved before its socket is open is not missed.
func tag(round int) string {
	return "<script src=\"" + scriptPath + "?" + strconv.Itoa(round) + "\" async></script>\n"
}

// script reloads the page when it is told to, and when the sandbox is there
// again after it was gone.
const script = `(() => {
  const round = new URL(document.currentScript.src).search
  const listen = (again) => {
    const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '` + socketPath + `' + round)
    socket.onopen = () => again && location.reload()
    socket.onmessage = () => location.reload()
    socket.onclose = () => setTimeout(listen, 1000, true)
  }
  listen(false)
})()
`

// Pages are the pages of one app that are open.
type Pages struct {
	on atomic.Bool

	mu    sync.Mutex
	round int           // how often they were to reload
	saved chan struct{} // closed when they are to reload again
}

// Turn switches the reloading on or off.
func (p *Pages) Turn(on bool) { p.on.Store(on) }

// Reload has every open page reload.
func (p *Pages) Reload() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.round++
	if p.saved != nil {
		close(p.saved)
		p.saved = nil
	}
}

// after is closed when a page of that round is to reload.
func (p *Pages) after(round int) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if round < p.round {
		now := make(chan struct{})
		close(now)
		return now
	}
	if p.saved == nil {
		p.saved = make(chan struct{})
	}
	return p.saved
}

// Serve puts the script into the pages that h answers a browser with, when it
// shows them: what programs, and the scripts of a page, get is h's own answer.
func (p *Pages) Serve(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !p.on.Load():
			h.ServeHTTP(w, r)
		case r.URL.Path == scriptPath && r.Method == http.MethodGet:
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			w.Write([]byte(script))
		case r.URL.Path == socketPath && r.Method == http.MethodGet:
			p.listen(w, r)
		case r.Method == http.MethodGet && shown(r):
			p.mu.Lock()
			page := &page{ResponseWriter: w, tag: tag(p.round)}
			p.mu.Unlock()
			h.ServeHTTP(page, r)
			if page.html {
				w.Write([]byte(page.tag))
			}
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// shown reports whether a browser asks for something to show as a page.
// https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header
func shown(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "document", "iframe", "frame":
		return true
	}
	return false
}

// listen tells a page, once, that it is to reload.
func (p *Pages) listen(w http.ResponseWriter, r *http.Request) {
	round, err := strconv.Atoi(r.URL.RawQuery)
	if err != nil || round < 0 {
		http.Error(w, "the script of a page tells its round", http.StatusBadRequest)
		return
	}
	next := p.after(round)
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has been answered
	}
	defer conn.CloseNow()
	left := conn.CloseRead(context.Background())
	select {
	case <-next:
		if conn.Write(left, websocket.MessageText, []byte("reload")) == nil {
			conn.Close(websocket.StatusNormalClosure, "")
		}
	case <-left.Done():
	}
}

// page is the answer to a request for a page.
type page struct {
	http.ResponseWriter
	tag         string
	begun, html bool
}

func (p *page) WriteHeader(status int) {
	h := p.Header()
	if status >= 200 && !p.begun {
		p.begun = true
		bodiless := status == http.StatusNoContent || status == http.StatusNotModified || status == http.StatusPartialContent
		p.html = !bodiless && h.Get("Content-Encoding") == "" && strings.HasPrefix(h.Get("Content-Type"), "text/html")
		if length, err := strconv.Atoi(h.Get("Content-Length")); err == nil && p.html {
			h.Set("Content-Length", strconv.Itoa(length+len(p.tag)))
		}
	}
	p.ResponseWriter.WriteHeader(status)
}

func (p *page) Write(text []byte) (int, error) {
	if !p.begun {
		p.WriteHeader(http.StatusOK)
	}
	return p.ResponseWriter.Write(text)
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (p *page) Unwrap() http.ResponseWriter { return p.ResponseWriter }
