package sqs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// move is a task that moves the messages of a dead-letter queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
type move struct {
	handle       string
	source       string // ARN
	destination  string // ARN; "" = each message's own source
	rate         int    // messages a second; 0 = as fast as it goes
	started      time.Time
	status       string // RUNNING, CANCELLING, CANCELLED, COMPLETED, FAILED
	why          string // FAILED
	moved, total int
}

func noSuch(format string, args ...any) error {
	return &stack.Error{Code: "ResourceNotFoundException", Message: fmt.Sprintf(format, args...), Status: http.StatusNotFound}
}

func (s *Service) startMove(in struct {
	SourceARN                    string `json:"SourceArn"`
	DestinationARN               string `json:"DestinationArn"`
	MaxNumberOfMessagesPerSecond int
}) (any, error) {
	q := s.byARN(in.SourceARN)
	if q == nil {
		return nil, noSuch("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	dead := false
	for _, other := range s.queues {
		dead = dead || other.settings.deadLetters == q.arn()
	}
	switch {
	case !dead:
		return nil, value("Source queue must be configured as a Dead Letter Queue.")
	case in.DestinationARN == in.SourceARN:
		return nil, value("Source queue arn and destination queue arn cannot be the same.")
	case in.DestinationARN != "" && s.byARN(in.DestinationARN) == nil:
		return nil, noSuch("The resource that you specified for the DestinationArn parameter doesn't exist.")
	case in.MaxNumberOfMessagesPerSecond < 0 || in.MaxNumberOfMessagesPerSecond > 500:
		return nil, value("Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a value from 1 to 500.")
	case slices.ContainsFunc(s.moves, func(m *move) bool { return m.source == in.SourceARN && m.status == "RUNNING" }):
		return nil, &stack.Error{Code: "UnsupportedOperation", Message: "There is already a task running. Only one active task is allowed for a source queue arn at a given time."}
	}
	visible, _, _ := q.counts(s.clock.Now())
	m := &move{
		handle: wire.NewRequestID(), source: in.SourceARN, destination: in.DestinationARN, rate: in.MaxNumberOfMessagesPerSecond,
		started: s.clock.Now(), status: "RUNNING", total: visible,
	}
	s.moves = append(s.moves, m)
	s.running.Go(func() { s.run(m) })
	return struct{ TaskHandle string }{m.handle}, nil
}

// run moves messages until there are none that may be moved.
func (s *Service) run(m *move) {
	for s.step(m) {
		if m.rate == 0 {
			continue
		}
		select {
		case <-s.clock.After(time.Second / time.Duration(m.rate)):
		case <-s.ending.Done():
			return
		}
	}
}

// step moves one message, and reports whether there may be more.
func (s *Service) step(m *move) bool {
	defer s.lock()()
	if s.ending.Err() != nil {
		return false
	}
	if m.status == "CANCELLING" {
		m.status = "CANCELLED"
		return false
	}
	q := s.byARN(m.source)
	if q == nil {
		m.status, m.why = "FAILED", "AWS.SimpleQueueService.NonExistentQueue"
		return false
	}
	now := s.clock.Now()
	got := q.receive(1, q.settings.visibility, now)
	if len(got) == 0 {
		m.status = "COMPLETED"
		return false
	}
	one := got[0]
	one.Receives-- // the task is no consumer
	target := s.byARN(m.destination)
	if m.destination == "" {
		target = s.byARN(one.DeadFrom)
	}
	if target == nil || target.fifo != q.fifo {
		q.hide(one, 0, now)
		m.status, m.why = "FAILED", "CouldNotDetermineMessageSource"
		return false
	}
	// Each becomes a new message to its queue, with an ID and a time of its own.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
	target.next++
	fresh := &message{
		ID: wire.NewRequestID(), Body: one.Body, Attributes: one.Attributes, Trace: one.Trace, Sender: one.Sender, Sent: now, Kept: now,
		Visible: now, Group: one.Group, Dedup: one.Dedup, Sequence: target.next,
	}
	if err := target.keep(fresh); err != nil {
		q.hide(one, 0, now)
		m.status, m.why = "FAILED", err.Error()
		return false
	}
	q.remove(one)
	target.add(fresh, now)
	m.moved++
	s.tell(q, activity.Event{Text: "moved back to the queue " + target.name, Messages: []string{one.ID, fresh.ID}})
	return true
}

func (s *Service) cancelMove(in struct{ TaskHandle string }) (any, error) {
	for _, m := range s.moves {
		if m.handle == in.TaskHandle {
			if m.status != "RUNNING" {
				return nil, &stack.Error{Code: "UnsupportedOperation", Message: "Only active tasks can be cancelled."}
			}
			m.status = "CANCELLING"
			return struct{ ApproximateNumberOfMessagesMoved int }{m.moved}, nil
		}
	}
	return nil, noSuch("Task does not exist.")
}

// told is a task as ListMessageMoveTasks tells it.
type told struct {
	TaskHandle                        string `json:",omitempty"` // of one that runs
	Status                            string
	SourceARN                         string `json:"SourceArn"`
	DestinationARN                    string `json:"DestinationArn,omitempty"`
	MaxNumberOfMessagesPerSecond      int    `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	FailureReason                     string `json:",omitempty"`
	StartedTimestamp                  int64
}

func (s *Service) listMoves(in struct {
	SourceARN  string `json:"SourceArn"`
	MaxResults int
}) (any, error) {
	if s.byARN(in.SourceARN) == nil {
		return nil, noSuch("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	out := struct{ Results []told }{[]told{}}
	for _, m := range slices.Backward(s.moves) {
		if m.source != in.SourceARN || len(out.Results) >= max(in.MaxResults, 1) {
			continue
		}
		t := told{
			Status: m.status, SourceARN: m.source, DestinationARN: m.destination, MaxNumberOfMessagesPerSecond: m.rate,
			ApproximateNumberOfMessagesMoved: m.moved, ApproximateNumberOfMessagesToMove: m.total, FailureReason: m.why, StartedTimestamp: m.started.UnixMilli(),
		}
		if m.status == "RUNNING" {
			t.TaskHandle = m.handle
		}
		out.Results = append(out.Results, t)
	}
	return out, nil
}

// policyText is a policy of a template as JSON.
func policyText(document any) (string, error) {
	if text, ok := document.(string); ok {
		return strings.TrimSpace(text), nil
	}
	b, err := json.Marshal(document)
	return string(b), err
}
