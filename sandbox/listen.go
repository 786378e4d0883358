package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"syscall"

	"arc/sandbox/door"
)

// portTries is how many ports from the wanted one on are tried.
const portTries = 50

// listen opens a port from first on. With exact, only first itself will do.
func (c *Cloud) listen(first int, exact bool) (*door.Port, error) {
	for port := first; port < first+portTries; port++ {
		p, err := door.Listen(port)
		if err == nil {
			p.Secure(c.hosts.authority)
			return p, nil
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

// listenAnywhere opens a free port on both loopback addresses, since clients take
// "localhost" for either.
func (c *Cloud) listenAnywhere() (*door.Port, error) {
	var last error
	for range portTries {
		p, err := door.Listen(0) // on the one of IPv4 alone
		if err != nil {
			return nil, err
		}
		number := p.Number
		p.Close()
		if p, last = c.listen(number, true); last == nil {
			return p, nil
		}
	}
	return nil, last
}

// PortBusyError says that the wanted port belongs to another process.
type PortBusyError struct{ Port int }

// Error says which port is taken.
func (e *PortBusyError) Error() string { return fmt.Sprintf("port %d: already in use", e.Port) }

// problems is where a port's server says what went wrong.
func (c *Cloud) problems() *log.Logger { return log.New(lines(c.tell.Notice), "", 0) }

// lines are the log of a server, as a writer.
type lines func(format string, args ...any)

func (l lines) Write(p []byte) (int, error) {
	l("%s", bytes.TrimRight(p, "\n"))
	return len(p), nil
}
