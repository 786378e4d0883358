package sqs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// sendMessage is a message to send, alone or as an entry of a batch, with its
// attributes and system attributes.
type sendMessage struct {
	QueueURL                string `json:"QueueUrl"`
	ID                      string `json:"Id"` // of an entry in a batch
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]Attribute
	MessageSystemAttributes map[string]Attribute
	MessageDeduplicationID  string `json:"MessageDeduplicationId"`
	MessageGroupID          string `json:"MessageGroupId"`
}

// sent is the answer to a message, in a batch or alone.
type sent struct {
	ID        string `json:"Id,omitempty"`
	Body      string `json:"MD5OfMessageBody"`
	Of        string `json:"MD5OfMessageAttributes,omitempty"`
	System    string `json:"MD5OfMessageSystemAttributes,omitempty"`
	MessageID string `json:"MessageId"`
	Sequence  string `json:"SequenceNumber,omitempty"`
}

func (q *queue) sendOne(in sendMessage) (sent, error) {
	trace := ""
	for name, a := range in.MessageSystemAttributes {
		if name != "AWSTraceHeader" || a.DataType != "String" || a.StringValue == nil {
			return sent{}, value("Message system attribute name '%s' is invalid.", name)
		}
		trace = *a.StringValue
	}
	t, err := q.send(sending{
		body: in.MessageBody, attributes: in.MessageAttributes, trace: trace, delay: in.DelaySeconds,
		group: in.MessageGroupID, dedup: in.MessageDeduplicationID, sender: q.service.options.Account,
	})
	if err != nil {
		return sent{}, err
	}
	out := sent{ID: in.ID, Body: md5Of(in.MessageBody), Of: md5OfAttributes(in.MessageAttributes), System: md5OfAttributes(in.MessageSystemAttributes), MessageID: t.id}
	if q.fifo {
		out.Sequence = sequence(t.sequence)
	}
	return out, nil
}

func (s *Service) sendMessage(in sendMessage) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return q.sendOne(in)
}

// batch is the answer to a batch, entry by entry.
type batch struct {
	Successful []any        `json:"Successful"`
	Failed     []batchError `json:"Failed,omitempty"`
}

type batchError struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

// eachOf checks the IDs of a batch's entries, and answers each.
func eachOf[Entry any](entries []Entry, id func(Entry) string, do func(Entry) (any, error)) (any, error) {
	switch {
	case len(entries) == 0:
		return nil, &stack.Error{Code: "EmptyBatchRequest", Message: "There should be at least one entry in the request."}
	case len(entries) > 10:
		return nil, &stack.Error{Code: "TooManyEntriesInBatchRequest", Message: fmt.Sprintf("Maximum number of entries per request are 10. You have sent %d.", len(entries))}
	}
	seen := map[string]bool{}
	for _, e := range entries {
		name := id(e)
		if !validName(name) || len(name) > 80 {
			return nil, &stack.Error{Code: "InvalidBatchEntryId", Message: "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."}
		}
		if seen[name] {
			return nil, &stack.Error{Code: "BatchEntryIdsNotDistinct", Message: "Id " + name + " repeated."}
		}
		seen[name] = true
	}
	out := batch{Successful: []any{}}
	for _, e := range entries {
		answer, err := do(e)
		if err == nil {
			out.Successful = append(out.Successful, answer)
			continue
		}
		failed := batchError{ID: id(e), Code: "InternalFailure", Message: err.Error()}
		if api, ok := err.(*stack.Error); ok {
			failed = batchError{ID: id(e), SenderFault: true, Code: api.Code, Message: api.Message}
		}
		out.Failed = append(out.Failed, failed)
	}
	return out, nil
}

func (s *Service) sendMessageBatch(in struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []sendMessage
}) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, e := range in.Entries {
		total += size(e.MessageBody, e.MessageAttributes)
	}
	if total > limits["MaximumMessageSize"].most {
		return nil, &stack.Error{Code: "BatchRequestTooLong", Message: fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", limits["MaximumMessageSize"].most, total)}
	}
	return eachOf(in.Entries, func(e sendMessage) string { return e.ID }, func(e sendMessage) (any, error) { return q.sendOne(e) })
}

type receiveMessage struct {
	QueueURL                    string `json:"QueueUrl"`
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
}

// received is a message as a client receives it.
type received struct {
	MessageID     string               `json:"MessageId"`
	ReceiptHandle string               `json:"ReceiptHandle"`
	MD5OfBody     string               `json:"MD5OfBody"`
	Body          string               `json:"Body"`
	System        map[string]string    `json:"Attributes,omitempty"`
	MD5Of         string               `json:"MD5OfMessageAttributes,omitempty"`
	Attributes    map[string]Attribute `json:"MessageAttributes,omitempty"`
}

func (s *Service) receiveMessage(ctx context.Context, in receiveMessage) (any, error) {
	most := 1
	if n := in.MaxNumberOfMessages; n != nil {
		if *n < 1 || *n > 10 {
			return nil, value("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", *n)
		}
		most = *n
	}
	within := func(name string, n *int, limit int) (*time.Duration, error) {
		if n == nil {
			return nil, nil
		}
		if *n < 0 || *n > limit {
			return nil, value("Value %d for parameter %s is invalid. Reason: Must be >= 0 and <= %d, if provided.", *n, name, limit)
		}
		d := time.Duration(*n) * time.Second
		return &d, nil
	}
	visibility, err := within("VisibilityTimeout", in.VisibilityTimeout, 43_200)
	if err != nil {
		return nil, err
	}
	wait, err := within("WaitTimeSeconds", in.WaitTimeSeconds, 20)
	if err != nil {
		return nil, err
	}
	got, q, err := s.take(ctx, func() (*queue, error) { return s.named(in.QueueURL) }, most, visibility, wait)
	if err != nil {
		return nil, err
	}
	out := struct {
		Messages []received `json:"Messages,omitempty"`
	}{}
	for _, m := range got {
		r := received{MessageID: m.ID, ReceiptHandle: handleOf(m), MD5OfBody: md5Of(m.Body), Body: m.Body}
		all := m.system(q.fifo)
		for _, name := range append(slices.Clone(in.AttributeNames), in.MessageSystemAttributeNames...) {
			for known, text := range all {
				if name == "All" || name == known {
					if r.System == nil {
						r.System = map[string]string{}
					}
					r.System[known] = text
				}
			}
		}
		for name, a := range m.Attributes {
			if wanted(name, in.MessageAttributeNames) {
				if r.Attributes == nil {
					r.Attributes = map[string]Attribute{}
				}
				r.Attributes[name] = a
			}
		}
		r.MD5Of = md5OfAttributes(r.Attributes)
		out.Messages = append(out.Messages, r)
	}
	return out, nil
}

// wanted reports whether a receiver asked for an attribute: by name, by "All",
// or by how it begins ("bar.*").
func wanted(name string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		front, every := strings.CutSuffix(n, ".*")
		return n == "All" || n == name || every && strings.HasPrefix(name, front)
	})
}

// system are the attributes that SQS itself gives a message.
func (m *message) system(fifo bool) map[string]string {
	out := map[string]string{
		"SenderId": m.Sender, "SentTimestamp": milliseconds(m.Sent),
		"ApproximateReceiveCount": strconv.Itoa(m.Receives), "ApproximateFirstReceiveTimestamp": milliseconds(m.First),
	}
	for name, text := range map[string]string{"AWSTraceHeader": m.Trace, "MessageGroupId": m.Group, "MessageDeduplicationId": m.Dedup, "DeadLetterQueueSourceArn": m.DeadFrom} {
		if text != "" {
			out[name] = text
		}
	}
	if fifo {
		out["SequenceNumber"] = sequence(m.Sequence)
	}
	return out
}

type receipt struct {
	QueueURL          string `json:"QueueUrl"`
	ID                string `json:"Id"` // of an entry in a batch
	ReceiptHandle     string
	VisibilityTimeout *int
}

type receipts struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []receipt
}

// entry is what a batch answers of an entry that went well.
type entry struct {
	ID string `json:"Id"`
}

func (s *Service) deleteMessage(in receipt) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return struct{}{}, q.delete(in.ReceiptHandle)
}

func (s *Service) deleteMessageBatch(in receipts) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return eachOf(in.Entries, func(e receipt) string { return e.ID }, func(e receipt) (any, error) { return entry{e.ID}, q.delete(e.ReceiptHandle) })
}

func (q *queue) changeVisibility(in receipt) error {
	if in.VisibilityTimeout == nil {
		return &stack.Error{Code: "MissingParameter", Message: "The request must contain the parameter VisibilityTimeout."}
	}
	seconds := *in.VisibilityTimeout
	if seconds < 0 || seconds > 43_200 {
		return value("Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.", seconds)
	}
	now := q.service.clock.Now()
	q.advance(now)
	m, current, err := q.found(in.ReceiptHandle)
	if err != nil {
		return err
	}
	if !current {
		return &stack.Error{Code: "MessageNotInflight", Message: "The message referred to isn't in flight."}
	}
	q.hide(m, time.Duration(seconds)*time.Second, now)
	return nil
}

func (s *Service) changeVisibility(in receipt) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return struct{}{}, q.changeVisibility(in)
}

func (s *Service) changeVisibilityBatch(in receipts) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return eachOf(in.Entries, func(e receipt) string { return e.ID }, func(e receipt) (any, error) { return entry{e.ID}, q.changeVisibility(e) })
}
