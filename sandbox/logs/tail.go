package logs

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Limits of live sessions.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
const (
	tailGroups = 10
	tailEvents = 500 // of a second; of more, a sample is sent
	tailLength = 3 * time.Hour
	tailTick   = time.Second
	tailBytes  = 64 << 10 // of a request
)

// tail is a live session. Its members are guarded by the store's lock.
type tail struct {
	groups  map[*group]string // → as the session names it
	pattern string
	waiting []tailed
	more    int // that came in this second beyond those that are waiting
}

type tailed struct {
	Stream    string `json:"logStreamName"`
	Group     string `json:"logGroupIdentifier"`
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"`
	Ingestion int64  `json:"ingestionTime"`
}

// add takes a line of a group of the session. Of more than a session sends,
// each has the same chance to be in the sample.
func (t *tail) add(g *group, l line) {
	name, ok := t.groups[g]
	if !ok || !matches(t.pattern, l.message) {
		return
	}
	at := l.at.UnixMilli()
	e := tailed{l.stream, name, l.message, at, at}
	if len(t.waiting) < tailEvents {
		t.waiting = append(t.waiting, e)
		return
	}
	t.more++
	if i := rand.IntN(tailEvents + t.more); i < tailEvents {
		t.waiting[i] = e
	}
}

// handler answers the API: StartLiveTail with a stream, all else with JSON.
func (s *Store) handler() http.Handler {
	rest := wire.JSON("logs", s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".StartLiveTail") {
			s.startLiveTail(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// startLiveTail sends what comes into some groups, second by second, until the
// client leaves or three hours have passed.
func (s *Store) startLiveTail(w http.ResponseWriter, r *http.Request) {
	var in struct {
		LogGroupIdentifiers                 []string
		LogStreamNames, LogStreamNamePrefix []string
		LogEventFilterPattern               string
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, tailBytes))
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		wire.WriteJSONError(w, &stack.Error{Code: "SerializationException", Message: "the request's JSON cannot be read: " + err.Error()})
		return
	}
	t, err := s.tail(in.LogGroupIdentifiers, in.LogEventFilterPattern)
	if err == nil && len(in.LogStreamNames)+len(in.LogStreamNamePrefix) > 0 {
		err = &stack.Error{Code: "InvalidParameterException", Message: "the local cloud's live sessions take no names of streams"}
	}
	if err != nil {
		wire.WriteJSONError(w, err)
		return
	}
	s.mu.Lock()
	s.tails[t] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.tails, t)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.Header().Set("x-amzn-RequestId", wire.NewRequestID())
	w.WriteHeader(http.StatusOK)
	started := map[string]any{
		"requestId": wire.NewRequestID(), "sessionId": wire.NewRequestID(), "logGroupIdentifiers": in.LogGroupIdentifiers,
		"logEventFilterPattern": in.LogEventFilterPattern,
	}
	if send(w, "initial-response", struct{}{}) != nil || send(w, "sessionStart", started) != nil {
		return
	}
	tick, end := time.NewTicker(tailTick), time.NewTimer(tailLength)
	defer tick.Stop()
	defer end.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-end.C:
			sendException(w, "SessionTimeoutException", "The session has been open for three hours.")
			return
		case <-tick.C:
			s.mu.Lock()
			events, sampled := t.waiting, t.more > 0
			t.waiting, t.more = nil, 0
			s.mu.Unlock()
			if events == nil {
				events = []tailed{}
			}
			if send(w, "sessionUpdate", map[string]any{"sessionMetadata": map[string]bool{"sampled": sampled}, "sessionResults": events}) != nil {
				return
			}
		}
	}
}

// tail makes a session on groups that their ARNs or names identify.
func (s *Store) tail(identifiers []string, pattern string) (*tail, error) {
	if n := len(identifiers); n == 0 || n > tailGroups {
		return nil, &stack.Error{Code: "InvalidParameterException", Message: fmt.Sprintf("logGroupIdentifiers takes 1 to %d log groups, and these are %d", tailGroups, n)}
	}
	if err := knownPattern(pattern); err != nil {
		return nil, err
	}
	t := &tail{groups: map[*group]string{}, pattern: pattern}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range identifiers {
		name := id
		if _, after, ok := strings.Cut(id, ":log-group:"); ok {
			name = after
		}
		g, err := s.group(name)
		if err != nil {
			return nil, err
		}
		t.groups[g] = s.account + ":" + name
	}
	return t, nil
}

// send sends a message of the event stream.
// https://smithy.io/2.0/aws/amazon-eventstream.html
func send(w http.ResponseWriter, kind string, payload any) error {
	return sendMessage(w, payload, "event", ":event-type", kind)
}

func sendException(w http.ResponseWriter, code, message string) error {
	return sendMessage(w, map[string]string{"message": message}, "exception", ":exception-type", code)
}

func sendMessage(w http.ResponseWriter, payload any, kind, header, value string) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	m := eventstream.Message{Payload: body}
	m.Headers.Set(":message-type", eventstream.StringValue(kind))
	m.Headers.Set(header, eventstream.StringValue(value))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	if err := eventstream.NewEncoder().Encode(w, m); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
