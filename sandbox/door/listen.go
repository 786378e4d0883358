package door

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// headerLimit is how long a request may take to say what it wants.
const headerLimit = 30 * time.Second

// idleLimit is how long a connection is kept without a request.
const idleLimit = 5 * time.Minute

// Port is a server on a loopback port, on both loopback addresses where the
// machine has them: "localhost" means either.
type Port struct {
	Number    int
	server    *http.Server
	listeners []net.Listener
	most      int // descriptors that the process may have
	budget    *Budget
	problems  *log.Logger
	date      atomic.Pointer[date]
	guard     Guard
	brief     func(method, target string) bool // nil = no request is
	again     chan net.Conn                    // for the server, of briefings that ended
	ended     chan struct{}

	mu     sync.Mutex
	talks  map[*Talk]bool
	closed bool
}

// Listen opens a port; 0 is any free one, on 127.0.0.1 alone. Whoever connects
// waits until Serve says what is behind it.
func Listen(number int) (*Port, error) {
	// Both ends are on this machine, which tells when one is gone: the four calls
	// that would have every connection probed for it are saved.
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false) // nor is there another path to this machine
	v4, err := config.Listen(context.Background(), "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(number)))
	if err != nil {
		return nil, err
	}
	p := &Port{Number: v4.Addr().(*net.TCPAddr).Port, most: mostDescriptors(), listeners: []net.Listener{v4}}
	if number != 0 {
		v6, err := config.Listen(context.Background(), "tcp6", net.JoinHostPort("::1", strconv.Itoa(number)))
		switch {
		case err == nil:
			p.listeners = append(p.listeners, v6)
		case errors.Is(err, syscall.EADDRINUSE):
			// Somebody else answers on this port's other half; a browser that goes
			// there for "localhost" would meet the wrong server.
			v4.Close()
			return nil, err
		}
	}
	for i, l := range p.listeners {
		p.listeners[i] = thrifty{l, p}
	}
	return p, nil
}

// Serve puts a guarded handler behind the port, once. The bodies of its requests
// share the budget, and have a deadline, and its clients leave some descriptors
// for the rest; nil = none of these. problems takes what the server has to say;
// nil is the program's log.
func (p *Port) Serve(guard Guard, budget *Budget, problems *log.Logger) {
	p.budget, p.problems, p.guard = budget, problems, guard
	handler := sparing(Bodies(budget, guard))
	listeners := p.listeners
	if p.brief != nil && budget != nil {
		handler = p.briefly(handler)
		p.again, p.ended = make(chan net.Conn), make(chan struct{})
		listeners = append(slices.Clone(listeners), returned{listeners[0], p})
	}
	// WebSockets are hijacked and have no deadline here; a plain request that
	// dribbles its header in has one.
	p.server = &http.Server{Handler: handler, ConnContext: p.mark, ReadHeaderTimeout: headerLimit, IdleTimeout: idleLimit, ErrorLog: problems}
	for _, l := range listeners {
		go p.server.Serve(l) // ends with Close, which closes the listener
	}
}

// Address is where the port listens, by number: 127.0.0.1:2222.
func (p *Port) Address() string { return p.listeners[0].Addr().String() }

// Close ends the server and what it serves. The listeners are closed as well:
// the server knows them only once its goroutines have run.
func (p *Port) Close() {
	if p.server != nil {
		p.server.Close()
	}
	for _, l := range p.listeners {
		l.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for t := range p.talks {
		t.conn.Close()
	}
}
