package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// bodyGrace is how long a body may bring nothing, and bodyRate how many bytes
	// a second it must bring on average beyond that.
	bodyGrace = 30 * time.Second
	bodyRate  = 64 << 10
	// bodyWait is how long a request waits for others to give back what they hold.
	bodyWait = 30 * time.Second
	// bodyShare is what a body takes of the budget at first. No handler that
	// keeps bodies in memory takes a longer one, so whoever has a share can
	// finish, and nobody waits with half of what he needs.
	bodyShare = 10<<20 + 1
	// leftover is how long the server may read on for a body that its handler
	// has done with, so that the connection can be used again.
	leftover = 250 * time.Millisecond
)

// Budget bounds what clients take of all ports that share it: the memory of
// requests' bodies, and descriptors.
type Budget struct {
	bytes       int64
	free        *semaphore.Weighted
	grace, wait time.Duration
	said        atomic.Int64 // when it was last said that descriptors are short
}

// NewBudget allows so many bytes at a time, more than 10 MiB.
func NewBudget(bytes int64) *Budget {
	return &Budget{bytes: bytes, free: semaphore.NewWeighted(bytes), grace: bodyGrace, wait: bodyWait}
}

// Bodies puts a deadline on the bodies of h's requests, and has those that h
// reads into memory share the budget; nil = a worker's own port, with neither. Past the deadline, and
// when the budget stays used up, reading fails and h answers as it does for a
// broken body. WebSockets and the Runtime API's long polls have no bodies.
func Bodies(budget *Budget, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if budget == nil || r.Body == nil || r.Body == http.NoBody {
			h.ServeHTTP(w, r)
			return
		}
		b := &body{ReadCloser: r.Body, budget: budget, request: r, control: http.NewResponseController(w), start: time.Now()}
		// Also the server itself reads, if h answers without having done so.
		b.control.SetReadDeadline(b.start.Add(budget.grace))
		defer b.done()
		r.Body = b
		h.ServeHTTP(w, r)
	})
}

// body is a request's body with its deadline and its share of the budget.
type body struct {
	io.ReadCloser
	budget  *Budget
	request *http.Request
	control *http.ResponseController
	start   time.Time

	read, held int64
	streamed   bool
	ended      bool
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.hold(); err != nil {
		return 0, err
	}
	if !b.ended {
		// A writer that has no deadlines is a test's, which has no network either.
		b.control.SetReadDeadline(b.start.Add(b.budget.grace + time.Duration(b.read)*time.Second/bodyRate))
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if err == io.EOF && !b.ended {
		b.ended = true
		// The connection is watched for the client's going away from here on,
		// which must not end with the deadline.
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// hold takes from the budget what the next byte needs.
func (b *body) hold() error {
	if b.streamed || b.read < b.held {
		return nil
	}
	want := int64(bodyShare)
	if n := b.request.ContentLength; b.held == 0 && n >= 0 && n < want {
		want = n + 1 // and the end
	}
	if b.held > 0 {
		// Beyond what anybody should keep: only what is free at this moment.
		if !b.budget.free.TryAcquire(want) {
			return b.full()
		}
		b.held += want
		return nil
	}
	ctx, cancel := context.WithTimeout(b.request.Context(), b.budget.wait)
	defer cancel()
	// The body is waited for anew once there is room.
	defer func() { b.start = time.Now() }()
	if err := b.budget.free.Acquire(ctx, want); err != nil {
		return b.full()
	}
	b.held += want
	return nil
}

// ErrFull says that the bodies at hand take all the memory that there is for them.
var ErrFull = errors.New("too many large requests at a time; try again")

func (b *body) full() error {
	return fmt.Errorf("%w: all bodies together may take %d MiB of memory", ErrFull, b.budget.bytes>>20)
}

func (b *body) done() {
	if b.held > 0 {
		b.budget.free.Release(b.held)
	}
	if !b.ended {
		b.control.SetReadDeadline(time.Now().Add(leftover))
	}
}

// Stream says that the handler does not keep the request's body in memory, so
// that it takes nothing from the budget, and gives it.
func Stream(r *http.Request) io.Reader {
	if b, ok := r.Body.(*body); ok {
		b.streamed = true
	}
	return r.Body
}
