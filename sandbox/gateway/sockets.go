package gateway

import (
	"context"
	"fmt"
	"sync"

	"github.com/coder/websocket"
)

// sockets are the open connections of all WebSocket APIs. An ID is here from
// just before the client learns that it is connected until the connection
// begins to close: that is how long @connections knows it.
type sockets struct {
	mu      sync.RWMutex
	open    map[string]*connection
	closing bool
	all     sync.WaitGroup // connections whose $disconnect has not returned
}

// admit counts a connection in before its $connect runs; false when the
// gateway is shutting down. Whoever is admitted must be dismissed.
func (s *sockets) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.all.Add(1)
	return true
}

func (s *sockets) dismiss() { s.all.Done() }

// add publishes a connection; false when the gateway began to shut down since.
func (s *sockets) add(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.open[c.id] = c
	return true
}

func (s *sockets) find(id string) *connection {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.open[id]
}

func (s *sockets) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// end has those connections that which picks closed, by how, and returns them; each one's
// done is closed after its $disconnect.
func (s *sockets) end(which func(*connection) bool, how func(*connection)) []*connection {
	s.mu.RLock()
	var picked []*connection
	for _, c := range s.open {
		if which(c) {
			picked = append(picked, c)
		}
	}
	s.mu.RUnlock()
	for _, c := range picked {
		how(c)
	}
	return picked
}

// shut refuses new connections, closes all and waits for them until ctx ends.
func (s *sockets) shut(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.end(func(*connection) bool { return true }, func(c *connection) { c.close(websocket.StatusGoingAway, goingAway) })
	done := make(chan struct{})
	go func() { s.all.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing WebSocket connections: %w", context.Cause(ctx))
	}
}
