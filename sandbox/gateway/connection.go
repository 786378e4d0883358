package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

const (
	// goingAway is the reason API Gateway gives with 1001.
	goingAway = "Going away"
	// writeTimeout is how long one message may take to a client that does not
	// read; then the connection is given up, so that nobody waits for long.
	writeTimeout = 10 * time.Second
	// maxInFlight bounds the functions that one connection's messages keep
	// running; further messages wait in its socket.
	maxInFlight = 64
)

// connection is one client of a WebSocket API.
type connection struct {
	gateway   *Gateway
	api       *api
	stageName string
	id        string
	domain    string
	sourceIP  string
	userAgent string
	connected time.Time

	ws     *websocket.Conn
	watch  *frameWatch
	timer  *time.Timer
	opened chan struct{} // ws is set, or never will be
	done   chan struct{} // $disconnect has returned
	active atomic.Int64  // last traffic, Unix nanoseconds
	slots  chan struct{} // one for each message being served

	mu     sync.Mutex
	ending *ending // set by whoever ends the connection first
}

// ending is what $disconnect is told.
type ending struct {
	code   websocket.StatusCode
	reason string
}

func newConnection(g *Gateway, a *api, stage string, r *http.Request) *connection {
	c := &connection{
		gateway: g, api: a, stageName: stage, id: newToken(), domain: r.Host,
		sourceIP: sourceIP(r), userAgent: latin1(r.UserAgent()), connected: time.Now(),
		opened: make(chan struct{}), done: make(chan struct{}), slots: make(chan struct{}, maxInFlight),
	}
	c.touch()
	return c
}

func (c *connection) touch() { c.active.Store(time.Now().UnixNano()) }

func (c *connection) lastActive() time.Time { return time.Unix(0, c.active.Load()) }

func (c *connection) pinged(context.Context, []byte) bool {
	c.touch()
	return true
}

// run reads messages until the connection ends, then says goodbye.
func (c *connection) run() {
	err := c.readMessages()
	c.timer.Stop()
	c.ws.CloseNow()
	code, reason := websocket.StatusCode(1006), "Connection closed abnormally"
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed) && closed.Code == websocket.StatusNoStatusRcvd:
		code, reason = closed.Code, "Client-side close frame status not set"
	case errors.As(err, &closed):
		code, reason = closed.Code, closed.Reason
	}
	e := c.end(code, reason)
	c.leave(e.code, e.reason)
}

// readMessages serves each text message in its own goroutine, as API Gateway
// keeps no order between them either. What it limits, this limits:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func (c *connection) readMessages() error {
	for {
		kind, reader, err := c.ws.Reader(context.Background())
		if err != nil {
			return err
		}
		c.touch()
		if kind == websocket.MessageBinary {
			c.refuse(websocket.StatusUnsupportedData, "binary messages are not supported; send text, base64 if need be")
			return nil
		}
		message, err := io.ReadAll(io.LimitReader(reader, maxMessage+1))
		switch {
		case err != nil:
			return err
		case len(message) > maxMessage:
			c.refuse(websocket.StatusMessageTooBig, "message longer than 128 KB")
			return nil
		case len(message) > maxFrame && c.watch.tooLong.Load():
			c.refuse(websocket.StatusMessageTooBig, "frame longer than 32 KB; API Gateway takes messages up to 128 KB, but only in frames of 32 KB, which browsers do not make")
			return nil
		case !utf8.Valid(message):
			c.refuse(websocket.StatusInvalidFramePayloadData, "text message is not UTF-8")
			return nil
		}
		c.touch()
		c.slots <- struct{}{}
		go func() {
			defer func() { <-c.slots }()
			c.message(string(message))
		}()
	}
}

// refuse closes for something that the client did wrong, and tells the log.
// It closes from within the reading goroutine, which discards what is still
// under way, so that the client gets to see the close frame.
func (c *connection) refuse(code websocket.StatusCode, reason string) {
	c.gateway.logf("ws close %s %d %s", c.id, code, reason)
	short := reason
	if len(short) > 120 { // a close frame has room for 123 bytes
		short = short[:120]
	}
	c.end(code, reason)
	c.gateway.sockets.remove(c.id)
	c.ws.Close(code, short)
}

// end settles why the connection ends; the first to say so is right.
func (c *connection) end(code websocket.StatusCode, reason string) ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil {
		c.ending = &ending{code, reason}
	}
	return *c.ending
}

// close ends the connection from this side, without waiting for the client.
func (c *connection) close(code websocket.StatusCode, reason string) {
	c.gateway.sockets.remove(c.id)
	c.end(code, reason)
	go func() {
		<-c.opened
		if c.ws != nil {
			c.ws.Close(code, reason)
		}
	}()
}

// expire closes a connection that was idle or open for too long, or looks
// again later.
func (c *connection) expire() {
	idle := c.gateway.options.IdleTimeout - time.Since(c.lastActive())
	age := c.gateway.options.MaxAge - time.Since(c.connected)
	if left := min(idle, age); left > 0 {
		c.timer.Reset(left)
		return
	}
	why := "idle for " + c.gateway.options.IdleTimeout.String()
	if age <= 0 {
		why = "open for " + c.gateway.options.MaxAge.String()
	}
	c.gateway.logf("ws close %s 1001 %s", c.id, why)
	c.close(websocket.StatusGoingAway, goingAway)
}

// send writes one text message to the client.
func (c *connection) send(text string) error {
	<-c.opened
	if c.ws == nil {
		return fmt.Errorf("connection %s: never opened", c.id)
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.gateway.sockets.remove(c.id)
		return fmt.Errorf("connection %s: %w", c.id, err)
	}
	c.touch()
	return nil
}

// leave runs $disconnect, once, whatever ended the connection.
func (c *connection) leave(code websocket.StatusCode, reason string) {
	g := c.gateway
	g.sockets.remove(c.id)
	defer g.sockets.dismiss()
	defer close(c.done)
	why := ""
	if live := c.api.stage(c.stageName); live != nil {
		why = c.disconnect(live, code, reason)
	}
	g.logf("ws disconnect %s%s", c.id, oneLine(why))
}

func (c *connection) disconnect(live *liveStage, code websocket.StatusCode, reason string) (why string) {
	rt := live.socket["$disconnect"]
	if rt == nil || rt.integration == nil || rt.integration.kind == "MOCK" {
		return ""
	}
	event, err := c.disconnectEvent(live, int(code), reason)
	if err != nil {
		return " " + err.Error()
	}
	result, err := c.gateway.invoke(rt.integration.function, event, rt.integration.timeout)
	if err != nil {
		return " " + err.Error()
	}
	if result.Failed != "" {
		return " " + thrown(rt.integration.function, result).why
	}
	return ""
}
