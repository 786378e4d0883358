package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// maxOutgoing is how many bytes may wait for a client that does not read;
	// beyond it a function that sends is told so.
	maxOutgoing = 512 << 10
	// slow is how long a message may take to a client before it counts as one
	// that does not read, as does one for whom so much waits: nobody waits for it any longer, and no message is taken
	// from it until it has read.
	slow = 50 * time.Millisecond
)

// errFull is a client that does not read what it is sent. API Gateway has its
// LimitExceededException for it.
// https://docs.aws.amazon.com/apigatewaymanagementapi/latest/reference/API_PostToConnection.html
var errFull = errors.New("the client does not read: what waits for it fills its buffer")

// outgoing are the messages on their way to a client.
type outgoing struct {
	mu      sync.Mutex
	writing bool
	waiting []string
	bytes   int           // of those that wait
	stuck   chan struct{} // closed when a client that did not read has read all; nil when it reads
	err     error         // why nothing goes out any more
}

// send writes one text message to the client, or has it wait behind others for
// a client that does not read; it does not wait for such a one.
func (c *connection) send(text string) error {
	<-c.opened
	if c.ws == nil {
		return fmt.Errorf("connection %s: never opened", c.id)
	}
	o := &c.out
	o.mu.Lock()
	switch {
	case o.err != nil:
		o.mu.Unlock()
		return o.err
	case o.writing && o.bytes+len(text) > maxOutgoing:
		if o.stuck == nil {
			o.stuck = make(chan struct{})
		}
		o.mu.Unlock()
		return fmt.Errorf("connection %s: %w", c.id, errFull)
	case o.writing:
		o.waiting = append(o.waiting, text)
		o.bytes += len(text)
		o.mu.Unlock()
		return nil
	}
	o.writing = true
	o.mu.Unlock()
	written := make(chan error, 1)
	go c.flush(text, written)
	late := time.NewTimer(slow)
	defer late.Stop()
	select {
	case err := <-written:
		return err
	case <-late.C:
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing && o.stuck == nil {
		o.stuck = make(chan struct{})
	}
	return nil
}

// flush writes a message and all that has come to wait behind it.
func (c *connection) flush(text string, written chan<- error) {
	o := &c.out
	for {
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		err := c.ws.Write(ctx, websocket.MessageText, []byte(text))
		cancel()
		if err != nil {
			c.gateway.sockets.remove(c.id)
			err = fmt.Errorf("connection %s: %w", c.id, err)
		} else {
			c.touch()
		}
		o.mu.Lock()
		if o.err = err; err != nil {
			o.waiting, o.bytes = nil, 0
		}
		if written != nil {
			written <- err
			written = nil
		}
		if len(o.waiting) == 0 {
			o.writing = false
			if o.stuck != nil {
				close(o.stuck)
				o.stuck = nil
			}
			o.mu.Unlock()
			return
		}
		text = o.waiting[0]
		o.waiting = o.waiting[1:]
		o.bytes -= len(text)
		o.mu.Unlock()
	}
}

// untilRead waits until the client has read what it was sent: one that does not
// read gets nothing else to be done meanwhile. It reports false when the
// connection has ended.
func (c *connection) untilRead() bool {
	c.out.mu.Lock()
	stuck := c.out.stuck
	c.out.mu.Unlock()
	if stuck == nil {
		return true
	}
	select {
	case <-stuck:
		return true
	case <-c.ended:
		return false
	}
}
