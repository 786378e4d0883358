package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"arc/deploy/queues"
)

// mostShown is how many messages arc data show prints.
const mostShown = 1000

// showQueue prints the messages of a dead-letter queue.
func (s *session) showQueue(ctx context.Context, d *data, found stored) error {
	q, err := d.clients.Queues.Describe(ctx, found.url)
	if err != nil {
		return fmt.Errorf("queue %s: %w", found.name, err)
	}
	if q.DeadLetters != "" {
		return withHint(fmt.Errorf("%s is no dead-letter queue: to look at its messages would count as a try of each", q.Name),
			"its dead letters are in %s", queues.NameOf(q.DeadLetters))
	}
	out := bufio.NewWriter(s.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	seen, err := d.clients.Queues.Look(ctx, q.URL, mostShown, func(m queues.Message) error { return enc.Encode(shownMessage(m)) })
	if err != nil {
		return fmt.Errorf("queue %s: %w", q.Name, err)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	switch {
	case seen < q.Waiting && q.FIFO:
		s.note("%d of about %d messages: of each group the first ten at most", seen, q.Waiting)
	case seen < q.Waiting:
		s.note("%d of about %d messages", seen, q.Waiting)
	case q.All() == 0:
		s.note("%s has no messages", q.Name)
	}
	return nil
}

// shown is a message as arc data show prints it.
type shown struct {
	ID         string            `json:"id"`
	Sent       string            `json:"sent,omitempty"`
	Received   string            `json:"received,omitempty"` // how often, this look included
	From       string            `json:"from,omitempty"`     // the queue that it was in before
	Group      string            `json:"group,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"` // Lambda's and Scheduler's tell why it is here
	Body       any               `json:"body"`                 // as JSON where it is an object or a list
}

func shownMessage(m queues.Message) shown {
	out := shown{ID: m.ID, Received: m.System["ApproximateReceiveCount"], Group: m.System["MessageGroupId"], Body: m.Body}
	if sent := m.Sent(); !sent.IsZero() {
		out.Sent = sent.Format(time.RFC3339)
	}
	if from := m.System["DeadLetterQueueSourceArn"]; from != "" {
		out.From = queues.NameOf(from)
	}
	for name, a := range m.Attributes {
		if out.Attributes == nil {
			out.Attributes = map[string]string{}
		}
		if out.Attributes[name] = a.Value; a.Value == "" {
			out.Attributes[name] = string(a.Bytes)
		}
	}
	if len(m.Body) > 0 && (m.Body[0] == '{' || m.Body[0] == '[') && json.Valid([]byte(m.Body)) {
		out.Body = json.RawMessage(m.Body)
	}
	return out
}

func (s *session) resetQueue(ctx context.Context, d *data, found stored) error {
	q, err := d.clients.Queues.Describe(ctx, found.url)
	if err == nil {
		err = d.clients.Queues.Purge(ctx, found.url)
	}
	if err != nil {
		return fmt.Errorf("queue %s: %w", found.name, err)
	}
	s.note("deleted %d message%s of %s", q.All(), plural(q.All()), q.Name)
	return nil
}
