package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/ingress"
)

// mold is what the events of a connection's messages to one route have in common, as
// JSON: a message's own values go between its pieces. The whole event of each message
// takes twice as long to encode (BenchmarkMessageEvent).
type mold struct {
	live   *liveStage
	key    string
	pieces []string
}

// mold gives that of a route of a stage, which serves until either is another. It is for
// the goroutine that reads the connection's messages.
func (c *connection) mold(live *liveStage, key string) (*mold, error) {
	if c.molded != nil && c.molded.live == live && c.molded.key == key {
		return c.molded, nil
	}
	at := c.messageContext(live, key, ingress.NewToken())
	body := ingress.NewToken()
	at.ExtendedRequestID, at.RequestTime, at.RequestTimeEpoch = ingress.NewToken(), ingress.NewToken(), rand.Int64()
	event, err := ingress.Encode(socketEvent{StageVariables: live.variables, RequestContext: at, Body: &body})
	if err != nil {
		return nil, err
	}
	m := &mold{live: live, key: key}
	rest := string(event)
	// In the order in which the event has them.
	for _, own := range []string{at.MessageID, at.ExtendedRequestID, at.RequestTime, strconv.FormatInt(at.RequestTimeEpoch, 10), at.RequestID, `"` + body + `"`} {
		piece, after, ok := strings.Cut(rest, own)
		if !ok {
			return nil, fmt.Errorf("event of a message: %s is not where it is expected in %s", own, event)
		}
		m.pieces, rest = append(m.pieces, piece), after
	}
	m.pieces = append(m.pieces, rest)
	c.molded = m
	return m, nil
}

// event is the event of one message: its ID, that of its request, when it came, and its
// text.
func (m *mold) event(id, request string, at time.Time, body string) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, 1024+len(body)))
	b.WriteString(m.pieces[0])
	b.WriteString(id)
	b.WriteString(m.pieces[1])
	b.WriteString(request)
	b.WriteString(m.pieces[2])
	b.Write(at.UTC().AppendFormat(b.AvailableBuffer(), clockFormat))
	b.WriteString(m.pieces[3])
	b.Write(strconv.AppendInt(b.AvailableBuffer(), at.UnixMilli(), 10))
	b.WriteString(m.pieces[4])
	b.WriteString(request)
	b.WriteString(m.pieces[5])
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - 1) // the end of its line
	b.WriteString(m.pieces[6])
	return b.Bytes(), nil
}

// messageEvent is what the function of a message's route gets.
func (c *connection) messageEvent(live *liveStage, key, request, body string) ([]byte, error) {
	m, err := c.mold(live, key)
	if err != nil {
		return nil, err
	}
	return m.event(ingress.NewToken(), request, time.Now(), body)
}
