package sandbox

import (
	"net/http"
	"sync/atomic"
)

// open is a handler of requests until the cloud ends. From then on a connection ends
// without an answer, also that of a request that was under way: services that are being
// closed know no more what they kept, and what they say then would be taken for the
// truth. Who has had no answer asks again, and learns that nobody is there. A request that
// is for another cloud, whose port this one has, is not answered, either.
type open struct {
	http.Handler
	id      string // of the cloud
	closing *atomic.Bool
}

// cloudHeader names the cloud that a request is for: deploy.CloudHeader.
const cloudHeader = "Arc-Cloud"

// ServeHTTP answers one request.
func (o open) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o.closing.Load() {
		hangUp(w)
		return
	}
	if id := r.Header.Get(cloudHeader); id != "" && id != o.id {
		http.Error(w, "this is another local cloud than the one that the request is for", http.StatusMisdirectedRequest)
		return
	}
	o.Handler.ServeHTTP(&answering{ResponseWriter: w, closing: o.closing}, r)
}

// answering is an answer that nobody gets when it begins after the cloud's end has.
type answering struct {
	http.ResponseWriter
	closing      *atomic.Bool
	begun, ended bool
}

func (a *answering) begin() {
	if !a.begun {
		a.begun, a.ended = true, a.closing.Load()
		if a.ended {
			hangUp(a.ResponseWriter)
		}
	}
}

// WriteHeader begins the answer.
func (a *answering) WriteHeader(status int) {
	if a.begin(); !a.ended {
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write begins the answer, or goes on with it.
func (a *answering) Write(p []byte) (int, error) {
	if a.begin(); a.ended {
		return 0, http.ErrAbortHandler
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.NewResponseController.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// hangUp ends a connection without an answer; where that is not this handler's to do,
// the answer says that the service is not there.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
		return
	}
	w.Header().Set("Connection", "close")
	w.WriteHeader(http.StatusServiceUnavailable)
}
