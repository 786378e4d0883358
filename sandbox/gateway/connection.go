package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"arc/sandbox/activity"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

const (
	// goingAway is the reason API Gateway gives with 1001.
	goingAway = "Going away"
	// writeTimeout is how long one message may take to a client that does not
	// read; then the connection is given up, so that nobody waits for long.
	writeTimeout = 10 * time.Second
	// closePatience is how long a client has to answer our close frame before $disconnect
	// runs: it is nobody's any more then, though its line stays open for a while yet, so
	// that it gets the frame. RFC 6455, 7.1.1 has a client wait, not a server.
	closePatience = 250 * time.Millisecond
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
	caller    *caller                    // who $connect let in; nil = anybody
	key       struct{ id, value string } // the API key that it asked for

	ws     *websocket.Conn
	watch  *frameWatch
	timer  *time.Timer
	opened chan struct{} // ws is set, or never will be
	done   chan struct{} // $disconnect has returned
	doomed atomic.Bool   // its stage is being deleted
	active atomic.Int64  // last traffic, Unix nanoseconds
	slots  chan struct{} // one for each message being served
	read   int64         // messages that were begun to be read
	molded *mold         // of the last message's event
	out    outgoing

	// reading is held while a message is read, so that nobody else reads from
	// the connection, as closing it does, in the middle of one.
	reading chan struct{}

	mu     sync.Mutex
	ending *ending       // set by whoever ends the connection first
	ended  chan struct{} // closed then
	closed chan struct{} // closed when close is through; nil unless that was first
	left   sync.Once     // leave was called
}

// ending is what $disconnect is told.
type ending struct {
	code   websocket.StatusCode
	reason string
}

func newConnection(g *Gateway, a *api, stage string, r *http.Request) *connection {
	c := &connection{
		gateway: g, api: a, stageName: stage, id: ingress.NewToken(), domain: r.Host,
		sourceIP: ingress.SourceIP(r), userAgent: ingress.Latin1(r.UserAgent()), connected: time.Now(),
		opened: make(chan struct{}), done: make(chan struct{}), ended: make(chan struct{}), reading: make(chan struct{}, 1), slots: make(chan struct{}, maxInFlight),
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
	code, reason := websocket.StatusCode(1006), "Connection closed abnormally"
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed) && closed.Code == websocket.StatusNoStatusRcvd:
		code, reason = closed.Code, "Client-side close frame status not set"
	case errors.As(err, &closed) && !utf8.ValidString(closed.Reason):
		code, reason = websocket.StatusInvalidFramePayloadData, "the reason of the close frame is not UTF-8"
	case errors.As(err, &closed):
		code, reason = closed.Code, closed.Reason
	case broken(err):
		if sent := c.watch.closing.Load(); sent != 0 {
			code, reason = websocket.StatusCode(sent), innermost(err)
		}
		if c.live() {
			text := "the client does not keep to RFC 6455: " + innermost(err)
			if errors.Is(err, errFull) {
				text = errFull.Error()
			}
			c.gateway.tell(activity.Event{Kind: activity.Close, Connection: c.id, Status: int(code), Text: text})
		}
	}
	c.end(code, reason)
	if c.closed != nil {
		<-c.closed
	}
	c.ws.CloseNow()
	c.depart()
}

// depart leaves, if nobody has.
func (c *connection) depart() {
	c.left.Do(func() { c.leave(c.ending.code, c.ending.reason) })
}

// handshake sends a close frame and waits for the client's, for a while.
func (c *connection) handshake(code websocket.StatusCode, reason string) {
	patience := time.AfterFunc(closePatience, c.depart)
	defer patience.Stop()
	c.ws.Close(code, reason)
}

// broken reports whether an error is of what a client sent, not of the line to it.
func broken(err error) bool {
	var line net.Error
	return !errors.Is(err, errEnded) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, net.ErrClosed) && !errors.As(err, &line)
}

// innermost is what an error says without the words that were put before it.
func innermost(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// errEnded is why reading stops when another goroutine closes the connection.
var errEnded = errors.New("connection is being closed")

// readMessages serves text messages side by side, as API Gateway keeps no order
// between them either.
func (c *connection) readMessages() error {
	for {
		kind, reader, err := c.ws.Reader(context.Background())
		if err != nil {
			return err
		}
		message, err := c.readMessage(kind, reader)
		if err != nil {
			return err
		}
		c.touch()
		if !c.untilRead() {
			return errEnded
		}
		select {
		case c.slots <- struct{}{}:
		case <-c.ended:
			return errEnded
		}
		c.message(message, func() { <-c.slots })
	}
}

// readMessage reads one message and refuses it where API Gateway would:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func (c *connection) readMessage(kind websocket.MessageType, reader io.Reader) (string, error) {
	select {
	case <-c.ended:
		return "", errEnded
	case c.reading <- struct{}{}:
		defer func() { <-c.reading }()
	}
	c.touch()
	if kind == websocket.MessageBinary {
		return "", c.refuse(websocket.StatusUnsupportedData, "binary messages are not supported; send text, base64 if need be")
	}
	message, err := c.readText(reader)
	switch {
	case err != nil:
		return "", err
	case !utf8.Valid(message):
		return "", c.refuse(websocket.StatusInvalidFramePayloadData, "text message is not UTF-8")
	}
	return string(message), nil
}

// readText reads a message's text. What is too long is refused as soon as a frame
// says that it will be: nobody waits for a gigabyte that was only announced.
func (c *connection) readText(reader io.Reader) ([]byte, error) {
	c.read++
	var message []byte
	for {
		if first := c.watch.tooLong.Load(); first != 0 && first <= c.read {
			return nil, c.refuse(websocket.StatusMessageTooBig,
				"frame longer than 32 KB; API Gateway takes messages up to 128 KB, but only in frames of 32 KB, which browsers do not make")
		}
		if len(message) > maxMessage {
			return nil, c.refuse(websocket.StatusMessageTooBig, "message longer than 128 KB")
		}
		if len(message) == cap(message) {
			message = slices.Grow(message, 512)
		}
		n, err := reader.Read(message[len(message):cap(message)])
		message = message[:len(message)+n]
		if err == io.EOF {
			err = nil
			if len(message) <= maxMessage {
				return message, nil
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// refuse closes for something that the client did wrong, and tells the log.
// It closes from within the reading goroutine, which discards what is still
// under way, so that the client gets to see the close frame.
func (c *connection) refuse(code websocket.StatusCode, reason string) error {
	if c.end(code, reason) {
		c.gateway.tell(activity.Event{Kind: activity.Close, Connection: c.id, Status: int(code), Text: reason})
		c.gateway.sockets.remove(c.id)
		c.handshake(code, reason[:min(len(reason), maxReason)])
	}
	return errEnded
}

// maxReason is the room in a close frame.
const maxReason = 123

// end settles why the connection ends, and says whether this call did.
func (c *connection) end(code websocket.StatusCode, reason string) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending != nil {
		return false
	}
	c.ending = &ending{code, reason}
	close(c.ended)
	return true
}

// close ends the connection from this side, without waiting for the client.
func (c *connection) close(code websocket.StatusCode, reason string) {
	c.gateway.sockets.remove(c.id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending != nil {
		return
	}
	c.ending, c.closed = &ending{code, reason}, make(chan struct{})
	close(c.ended)
	go func() {
		defer close(c.closed)
		<-c.opened
		if c.ws == nil {
			return
		}
		select {
		case c.reading <- struct{}{}:
			c.handshake(code, reason)
		case <-time.After(writeTimeout): // in the middle of a message that does not go on
			c.ws.CloseNow()
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
	c.gateway.tell(activity.Event{Kind: activity.Close, Connection: c.id, Status: int(websocket.StatusGoingAway), Text: why})
	c.close(websocket.StatusGoingAway, goingAway)
}

// doom closes a connection whose stage is being deleted, or its API. No page of AWS says
// what becomes of such connections.
func (c *connection) doom() {
	if c.doomed.CompareAndSwap(false, true) && c.live() {
		c.gateway.tell(activity.Event{Kind: activity.Close, Connection: c.id, Status: int(websocket.StatusGoingAway), Text: "its stage " + c.stageName + " is being deleted"})
	}
	c.close(websocket.StatusGoingAway, goingAway)
}

// live reports whether nobody ends the connection yet.
func (c *connection) live() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending == nil
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
	g.tell(activity.Event{Kind: activity.Disconnect, Connection: c.id, Text: why})
}

// undelivered says why $disconnect did not reach its integration. With its stage, the
// function or its permission may be deleted, and go first: a stage needs neither.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
func (c *connection) undelivered(err error) string {
	switch {
	case !c.doomed.Load():
		return err.Error()
	case errors.As(err, new(forbidden)), errors.Is(err, invoke.ErrNotFound):
		return "its function is not called: with the stage, its permission or itself is being deleted, and went first ($disconnect is a best-effort event)"
	}
	return err.Error() + " (its stage is being deleted)"
}

func (c *connection) disconnect(live *liveStage, code websocket.StatusCode, reason string) (why string) {
	rt := live.socket["$disconnect"]
	if rt == nil || rt.integration == nil {
		return ""
	}
	if rt.integration.kind != "AWS_PROXY" {
		out, err := c.ask(live, rt, c.surroundings(live, c.disconnectContext(live, int(code), reason)))
		if err != nil {
			return c.undelivered(err)
		}
		return out.why
	}
	event, err := c.disconnectEvent(live, int(code), reason)
	if err != nil {
		return err.Error()
	}
	result, err := c.gateway.invoke(rt.integration, event, c.api.source(c.stageName, "$disconnect"))
	if err != nil {
		return c.undelivered(err)
	}
	if result.Failed != "" {
		return thrown(c.gateway.called(rt.integration.function), result).why
	}
	return ""
}
