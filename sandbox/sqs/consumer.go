package sqs

import (
	"context"
	"time"

	"arc/sandbox/invoke"
)

// Take is a receive by another service of the local cloud.
func (s *Service) Take(ctx context.Context, arn string, most int, wait time.Duration) ([]invoke.Queued, error) {
	find := func() (*queue, error) {
		if q := s.byARN(arn); q != nil {
			return q, nil
		}
		return nil, noQueue()
	}
	got, q, err := s.take(ctx, find, most, nil, &wait)
	if err != nil {
		return nil, err
	}
	out := make([]invoke.Queued, 0, len(got))
	for _, m := range got {
		taken := invoke.Queued{ID: m.ID, Handle: handleOf(m), Body: m.Body, MD5: md5Of(m.Body), System: m.system(q.fifo), MD5OfAttributes: md5OfAttributes(m.Attributes)}
		for name, a := range m.Attributes {
			if taken.Attributes == nil {
				taken.Attributes = map[string]invoke.Attribute{}
			}
			taken.Attributes[name] = invoke.Attribute{Type: a.DataType, Value: a.text()}
		}
		out = append(out, taken)
	}
	return out, nil
}

// Delete removes what was taken.
func (s *Service) Delete(arn string, handles ...string) {
	defer s.lock()()
	q := s.byARN(arn)
	if q == nil {
		return
	}
	for _, handle := range handles {
		q.delete(handle) // one whose time is over comes again, as on AWS
	}
}

// Release makes what was taken visible again at once, and does not count it as
// received: no function has seen it.
func (s *Service) Release(arn string, handles ...string) {
	defer s.lock()()
	q := s.byARN(arn)
	if q == nil {
		return
	}
	now := s.clock.Now()
	for _, handle := range handles {
		if m, current, _ := q.found(handle); current {
			m.Receives--
			q.hide(m, 0, now)
		}
	}
}

// Queue describes a queue.
func (s *Service) Queue(arn string) (invoke.Queue, bool) {
	defer s.lock()()
	q := s.byARN(arn)
	if q == nil {
		return invoke.Queue{}, false
	}
	out := invoke.Queue{Name: q.name, FIFO: q.fifo, Visibility: q.settings.visibility}
	if target := s.byARN(q.settings.deadLetters); target != nil {
		out.DeadLetters = target.name
	}
	return out, true
}
