// Package logs reads CloudWatch Logs: what is there, and what comes. It follows
// groups live, and fills in what the live stream leaves out.
package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/smithy-go"

	"arc/deploy/signed"
)

// Event is one event of a log.
type Event struct {
	Group   string // the name
	Stream  string
	At      int64 // milliseconds since 1970, as the program said
	Message string
	ID      string // of the event; live events have none
}

// MaxLive is how many groups one live session takes.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
const MaxLive = 10

// Client calls CloudWatch Logs.
type Client struct{ client, stream signed.Client }

// New makes a client of what the configuration says; streaming is for answers
// that have no end.
func New(cfg, streaming aws.Config) *Client {
	service := func(cfg aws.Config) signed.Client {
		return signed.Client{Config: cfg, ID: "CloudWatch Logs", Name: "logs", Target: "Logs_20140328"}
	}
	return &Client{client: service(cfg), stream: service(streaming)}
}

// Filter gives a page of a group's events from one millisecond up to another,
// oldest first; token is "" for the first page, and next after the last one.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
func (c *Client) Filter(ctx context.Context, group string, from, to int64, pattern, token string) (page []Event, next string, err error) {
	var answer struct {
		Events []struct {
			LogStreamName, Message, EventID string
			Timestamp                       int64
		}
		NextToken string
	}
	in := struct {
		Group   string `json:"logGroupName"`
		From    int64  `json:"startTime"`
		To      int64  `json:"endTime,omitempty"`
		Pattern string `json:"filterPattern,omitempty"`
		Token   string `json:"nextToken,omitempty"`
	}{group, from, to, pattern, token}
	if err := c.client.Call(ctx, "FilterLogEvents", in, &answer); err != nil {
		return nil, "", err
	}
	for _, e := range answer.Events {
		page = append(page, Event{Group: group, Stream: e.LogStreamName, At: e.Timestamp, Message: e.Message, ID: e.EventID})
	}
	return page, answer.NextToken, nil
}

// ARN is what a live session is told of a group.
func (c *Client) ARN(account, group string) string {
	return fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s", signed.Partition(c.client.Config.Region), c.client.Config.Region, account, group)
}

// Live starts a session on at most MaxLive groups, which their ARNs name. It has
// begun when Live returns; the caller closes it.
func (c *Client) Live(ctx context.Context, arns []string, pattern string) (Session, error) {
	body, err := json.Marshal(struct {
		Groups  []string `json:"logGroupIdentifiers"`
		Pattern string   `json:"logEventFilterPattern,omitempty"`
	}{arns, pattern})
	if err != nil {
		return nil, err
	}
	host, err := c.stream.Configured(ctx)
	if err == nil && host == "" {
		host, err = c.stream.Endpoint(ctx)
		// AWS has a host of its own for it.
		host = strings.Replace(host, "https://", "https://stream-", 1)
	}
	if err != nil {
		return nil, err
	}
	resp, err := c.stream.Do(ctx, "StartLiveTail", signed.Request{
		Method: http.MethodPost, Host: host, Path: "/", Body: bytes.NewReader(body),
		Header: map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328.StartLiveTail"},
	})
	if err != nil {
		return nil, err
	}
	s := &session{body: resp.Body, decoder: eventstream.NewDecoder()}
	for {
		switch kind, _, err := s.message(); {
		case err != nil:
			resp.Body.Close()
			return nil, err
		case kind == "sessionStart":
			return s, nil
		}
	}
}

// Session is live events as they come.
type Session interface {
	// Next waits for the next second's events. The error of one that ended
	// says why.
	Next() (Update, error)
	Close() error
}

// Update is what came within a second, at most 500 events.
type Update struct {
	Events  []Event
	Sampled bool // there were more
}

type session struct {
	body    io.ReadCloser
	decoder *eventstream.Decoder
	buffer  []byte
}

// Close ends the session.
func (s *session) Close() error { return s.body.Close() }

// Next gives the next update.
func (s *session) Next() (Update, error) {
	for {
		kind, payload, err := s.message()
		if err != nil {
			return Update{}, err
		}
		if kind != "sessionUpdate" {
			continue // something that there was not when this was written
		}
		var answer struct {
			SessionMetadata struct{ Sampled bool }
			SessionResults  []struct {
				LogStreamName, LogGroupIdentifier, Message string
				Timestamp                                  int64
			}
		}
		if err := json.Unmarshal(payload, &answer); err != nil {
			return Update{}, fmt.Errorf("live logs cannot be read: %w", err)
		}
		u := Update{Sampled: answer.SessionMetadata.Sampled}
		for _, e := range answer.SessionResults {
			u.Events = append(u.Events, Event{Group: groupName(e.LogGroupIdentifier), Stream: e.LogStreamName, At: e.Timestamp, Message: e.Message})
		}
		return u, nil
	}
}

// groupName is the name in what identifies a group: the name itself, its ARN,
// or the account and the name.
func groupName(identifier string) string {
	if _, name, ok := strings.Cut(identifier, ":log-group:"); ok {
		return strings.TrimSuffix(name, ":*")
	}
	if _, name, ok := strings.Cut(identifier, ":"); ok {
		return name
	}
	return identifier
}

// message reads one message of the stream; those that tell of a failure are
// errors.
// https://smithy.io/2.0/aws/amazon-eventstream.html
func (s *session) message() (kind string, payload []byte, err error) {
	m, err := s.decoder.Decode(s.body, s.buffer[:0])
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return "", nil, fmt.Errorf("live logs ended: %w", err)
	}
	s.buffer = m.Payload
	header := func(name string) string {
		if v := m.Headers.Get(name); v != nil {
			return v.String()
		}
		return ""
	}
	switch header(":message-type") {
	case "exception", "error":
		var said struct{ Message string }
		json.Unmarshal(m.Payload, &said) // without one the code alone says it
		code := header(":exception-type") + header(":error-code")
		return "", nil, &smithy.GenericAPIError{Code: code, Message: said.Message + header(":error-message")}
	}
	return header(":event-type"), m.Payload, nil
}

// Streams gives the names of a page of a group's streams.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
func (c *Client) Streams(ctx context.Context, group, token string) (names []string, next string, err error) {
	var answer struct {
		LogStreams []struct{ LogStreamName string }
		NextToken  string
	}
	in := struct {
		Group string `json:"logGroupName"`
		Token string `json:"nextToken,omitempty"`
	}{group, token}
	if err := c.client.Call(ctx, "DescribeLogStreams", in, &answer); err != nil {
		return nil, "", err
	}
	for _, s := range answer.LogStreams {
		names = append(names, s.LogStreamName)
	}
	return names, answer.NextToken, nil
}

// DeleteStream deletes a stream with its events.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html
func (c *Client) DeleteStream(ctx context.Context, group, stream string) error {
	return c.client.Call(ctx, "DeleteLogStream", struct {
		Group  string `json:"logGroupName"`
		Stream string `json:"logStreamName"`
	}{group, stream}, nil)
}
