package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	if c.watch.rest.socket != nil {
		if err := c.write(context.Background(), text); err != nil || c.watch.waits() == nil {
			c.wrote(err)
			return err
		}
	}
	written := make(chan error, 1)
	go func() { written <- c.finish(text) }()
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

// finish has a message go out that takes longer, or the rest of one that has
// begun to, and all that has come to wait behind it.
func (c *connection) finish(text string) error {
	err := c.waitWritten(text, c.watch.rest.socket != nil)
	c.wrote(err)
	return err
}

// write gives a message to the client's socket.
func (c *connection) write(ctx context.Context, text string) error {
	if err := c.frames(ctx, text); err != nil {
		c.gateway.sockets.remove(c.id)
		return fmt.Errorf("connection %s: %w", c.id, err)
	}
	c.touch()
	return nil
}

// frames writes a message, in frames of 32 KB at most, as API Gateway's are.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func (c *connection) frames(ctx context.Context, text string) error {
	if len(text) <= maxFrame {
		return c.ws.Write(ctx, websocket.MessageText, []byte(text))
	}
	w, err := c.ws.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for part := range slices.Chunk([]byte(text), maxFrame) {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return w.Close()
}

// waitWritten gives a message to the client's socket, unless it has begun, and
// waits until it has gone out.
func (c *connection) waitWritten(text string, begun bool) error {
	if !begun {
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		defer cancel()
		if err := c.write(ctx, text); err != nil {
			return err
		}
	}
	if rest := c.watch.waits(); rest != nil {
		<-rest
	}
	if err := c.watch.failed(); err != nil {
		c.gateway.sockets.remove(c.id)
		return fmt.Errorf("connection %s: %w", c.id, err)
	}
	c.touch()
	return nil
}

// wrote goes on with what has come to wait behind a message.
func (c *connection) wrote(err error) {
	if text, more := c.next(err); more {
		go func() {
			for more {
				text, more = c.next(c.waitWritten(text, false))
			}
		}()
	}
}

// next is the message that goes out after one that came to that end, if any.
func (c *connection) next(err error) (text string, more bool) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err = err; err != nil {
		o.waiting, o.bytes = nil, 0
	}
	if len(o.waiting) == 0 {
		o.writing = false
		if o.stuck != nil {
			close(o.stuck)
			o.stuck = nil
		}
		return "", false
	}
	text = o.waiting[0]
	o.waiting = o.waiting[1:]
	o.bytes -= len(text)
	return text, true
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
