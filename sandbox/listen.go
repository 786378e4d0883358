package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// portTries is how many ports from the wanted one on are tried.
const portTries = 50

// front is a server on a loopback port, on both loopback addresses where the
// machine has them: "localhost" means either.
type front struct {
	port      int
	server    *http.Server
	listeners []net.Listener
}

// listen opens a port from first on. With exact, only first itself will do.
func (c *Cloud) listen(first int, exact bool, handler http.Handler) (*front, error) {
	for port := first; port < first+portTries; port++ {
		f, err := listenOn(port, handler, log.New(lines(c.opts.Log), "", 0))
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("port %d: %w", port, err)
		}
		if exact {
			return nil, &PortBusyError{Port: port}
		}
	}
	return nil, fmt.Errorf("ports %d to %d: all in use", first, first+portTries-1)
}

// PortBusyError says that the wanted port belongs to another process.
type PortBusyError struct{ Port int }

func (e *PortBusyError) Error() string { return fmt.Sprintf("port %d: already in use", e.Port) }

// lines are the log of a server, as a writer.
type lines func(format string, args ...any)

func (l lines) Write(p []byte) (int, error) {
	l("%s", bytes.TrimRight(p, "\n"))
	return len(p), nil
}

func listenOn(port int, handler http.Handler, problems *log.Logger) (*front, error) {
	v4, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	f := &front{port: port, listeners: []net.Listener{v4}}
	v6, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
	switch {
	case err == nil:
		f.listeners = append(f.listeners, v6)
	case errors.Is(err, syscall.EADDRINUSE):
		// Somebody else answers on this port's other half; a browser that goes
		// there for "localhost" would meet the wrong server.
		v4.Close()
		return nil, err
	}
	// WebSockets are hijacked and have no deadline here; a plain request that
	// dribbles its header in has one.
	f.server = &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second, ErrorLog: problems}
	for _, l := range f.listeners {
		go f.server.Serve(l) // ends with Close, which closes the listener
	}
	return f, nil
}

// close ends the server and what it serves. The listeners are closed as well:
// the server knows them only once its goroutines have run.
func (f *front) close() {
	f.server.Close()
	for _, l := range f.listeners {
		l.Close()
	}
}

func (f *front) host() string { return "localhost:" + strconv.Itoa(f.port) }
