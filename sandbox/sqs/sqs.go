// Package sqs is SQS on this machine: standard and FIFO queues with delays,
// visibility, long polling, dead letters and their redrive, in both protocols
// of the API. It provides AWS::SQS::Queue to the stack engine, takes messages
// of other services, and hands messages to Lambda's event source mappings.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html
package sqs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what the service needs from its surroundings.
type Options struct {
	Account, Region string
	// URL is where the local cloud answers: URLs of queues begin with it, since
	// SDKs send to the host of a queue's URL.
	URL   func() string
	Clock invoke.Clock  // nil = the machine's
	Tell  activity.Tell // of dead letters and drops; nil = nobody
	// Called gives the words by which people know a queue; nil = its name.
	Called func(name string) string
}

// Service holds the queues.
type Service struct {
	options Options
	clock   invoke.Clock
	judge   invoke.Judge
	ending  context.Context
	end     context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	log    *journal.Log
	queues map[string]*queue // by name
	moves  []*move           // newest last
	// restoring says that queues of an earlier run are being read.
	restoring bool
	heard     []activity.Event // to be told when the lock is given back
}

// New makes the service, without queues.
func New(options Options) *Service {
	if options.Clock == nil {
		options.Clock = invoke.SystemClock{}
	}
	options.Tell = options.Tell.Or()
	s := &Service{options: options, clock: options.Clock, queues: map[string]*queue{}}
	s.ending, s.end = context.WithCancel(context.Background())
	return s
}

// Endpoint is where clients find the service.
func (s *Service) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "sqs", Variable: "SQS", Targets: []string{"AmazonSQS"}, Version: "2012-11-05", Handler: s}
}

// Close ends redrives and those who wait for messages.
func (s *Service) Close(context.Context) error {
	s.end()
	s.running.Wait()
	return nil
}

func (s *Service) url(name string) string {
	at := "https://sqs." + s.options.Region + ".amazonaws.com"
	if s.options.URL != nil {
		at = s.options.URL()
	}
	return at + "/" + s.options.Account + "/" + name
}

// byARN finds a queue of this account. The caller holds the lock.
func (s *Service) byARN(arn string) *queue {
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	if q := s.queues[name]; q != nil && q.arn() == arn {
		return q
	}
	return nil
}

// lock takes the lock; what it returns gives it back and tells what happened
// meanwhile, in order.
func (s *Service) lock() (unlock func()) {
	s.mu.Lock()
	return func() {
		heard := s.heard
		s.heard = nil
		s.mu.Unlock()
		for _, e := range heard {
			s.options.Tell(e)
		}
	}
}

// tell notes what happened to a queue's message. The caller holds the lock.
func (s *Service) tell(q *queue, e activity.Event) {
	e.Kind, e.Resource = activity.Delivery, "queue "+q.name
	s.heard = append(s.heard, e)
}

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Receive makes a queue a destination of other services. Services that send on
// their own account need the queue's policy to allow it, as on AWS; a function's
// destinations are a right of its role.
// https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
func (s *Service) Receive(_ context.Context, arn string, m invoke.Message) error {
	defer s.lock()()
	q := s.byARN(arn)
	if q == nil {
		return invoke.Missing("the queue " + arn)
	}
	r := invoke.Request{Principal: m.Principal, Action: "sqs:SendMessage", Resource: q.arn(), Source: m.Source}
	if m.InNobodysName() && !q.allows(r) {
		return fmt.Errorf("%w: the queue %s has no policy that allows %s to send for %s: it needs a QueuePolicy with %s", invoke.ErrForbidden, q.name, m.Principal, m.Source, r.Statement())
	}
	in := sending{body: string(m.Body), group: m.Group, dedup: m.Dedup, sender: m.Principal}
	for name, a := range m.Attributes {
		if in.attributes == nil {
			in.attributes = map[string]Attribute{}
		}
		in.attributes[name] = attributeOf(a)
	}
	if q.fifo && in.group == "" {
		return fmt.Errorf("the queue %s is FIFO, and the message has no group", q.name)
	}
	_, err := q.send(in)
	return err
}

func attributeOf(a invoke.Attribute) Attribute {
	if strings.HasPrefix(a.Type, "Binary") {
		return Attribute{DataType: a.Type, BinaryValue: []byte(a.Value)}
	}
	return Attribute{DataType: a.Type, StringValue: &a.Value}
}

// take receives messages and waits for the first of them, as long polling does.
func (s *Service) take(ctx context.Context, find func() (*queue, error), most int, visibility *time.Duration, wait *time.Duration) ([]*message, *queue, error) {
	var until time.Time
	for first := true; ; first = false {
		unlock := s.lock()
		q, err := find()
		if err != nil {
			unlock()
			return nil, nil, err
		}
		now := s.clock.Now()
		hidden := q.settings.visibility
		if visibility != nil {
			hidden = *visibility
		}
		if first {
			patience := q.settings.wait
			if wait != nil {
				patience = *wait
			}
			until = now.Add(patience)
		}
		got := q.receive(most, hidden, now)
		copies := make([]*message, len(got)) // what follows is read without the lock
		for i, m := range got {
			c := *m
			copies[i] = &c
		}
		changed, left := q.changed, until.Sub(now)
		if soon, ok := q.soonest(); ok && soon.Sub(now) < left {
			left = max(soon.Sub(now), 0)
		}
		unlock()
		if len(copies) > 0 || !now.Before(until) {
			return copies, q, nil
		}
		select {
		case <-changed:
		case <-s.clock.After(left):
		case <-ctx.Done():
			return nil, q, context.Cause(ctx)
		case <-s.ending.Done():
			return nil, q, nil
		}
	}
}

// found finds a message by its receipt handle, when that is the latest. The
// caller holds the lock.
func (q *queue) found(handle string) (m *message, current bool, err error) {
	id, receipt, ok := strings.Cut(handle, "/")
	if !ok || len(id) != 36 || len(receipt) != 36 {
		return nil, false, &stack.Error{Code: "ReceiptHandleIsInvalid", Message: fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", handle)}
	}
	m = q.all[id]
	return m, m != nil && m.handle == receipt && m.taken, nil
}

// delete removes a message. One whose handle is an old one stays in a FIFO
// queue, and goes from a standard queue unless it is in flight again.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (q *queue) delete(handle string) error {
	m, current, err := q.found(handle)
	if err != nil {
		return err
	}
	if m == nil {
		return nil
	}
	if !current {
		if q.fifo {
			return value("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", handle)
		}
		if m.taken {
			return nil
		}
	}
	q.remove(m)
	return nil
}

// Names lists the queues.
func (s *Service) Names() []string {
	defer s.lock()()
	return slices.Sorted(maps.Keys(s.queues))
}

// kept is a queue as a log keeps it.
type kept struct {
	Fifo       bool
	Region     string `json:",omitempty"` // "" = the cloud's own
	Attributes map[string]string
	Policies   map[string]string `json:",omitempty"`
	Tags       map[string]string `json:",omitempty"`
	Created    time.Time
	Next       uint64
}

// keepQueue writes a queue down. The caller holds the lock.
func (q *queue) keepQueue() error {
	return q.service.log.Put("queue "+q.name, kept{q.fifo, q.region, q.attributes, q.policies, q.tags, q.created, q.next})
}

func (q *queue) messageKey(id string) string { return "message " + q.name + " " + id }

func (q *queue) keep(m *message) error { return q.service.log.Put(q.messageKey(m.ID), m) }

// forget takes a message out of the log. One that cannot be taken out is
// delivered again after a restart, which a queue may do.
func (q *queue) forget(m *message) { q.service.log.Delete(q.messageKey(m.ID)) }

// keptDedup is a deduplication ID as a log keeps it.
type keptDedup struct {
	ID       string
	Sequence uint64
	At       time.Time
	MD5      string
}

func (q *queue) keepKey(key string, t taken) {
	q.service.log.Put("taken "+q.name+" "+key, keptDedup{t.id, t.sequence, t.at, t.md5})
}

func (q *queue) forgetKey(key string) { q.service.log.Delete("taken " + q.name + " " + key) }

// Restore takes the queues and messages of an earlier run.
func (s *Service) Restore(log *journal.Log) error {
	defer s.lock()()
	s.restoring = true
	defer func() { s.restoring = false }()
	now := s.clock.Now()
	bad := func(key string, err error) error { return fmt.Errorf("queues: %s: %w", key, err) }
	messages := map[*queue][]*message{}
	for key, data := range log.All() { // "message" < "queue" < "taken"
		kind, rest, _ := strings.Cut(key, " ")
		if kind != "queue" {
			continue
		}
		var k kept
		if err := json.Unmarshal(data, &k); err != nil {
			return bad(key, err)
		}
		q := s.newQueue(cmp.Or(k.Region, s.options.Region), rest, k.Fifo)
		q.created, q.next = k.Created, k.Next
		if k.Policies != nil {
			q.policies = k.Policies
		}
		if k.Tags != nil {
			q.tags = k.Tags
		}
		if err := q.set(k.Attributes); err != nil {
			return bad(key, err)
		}
		s.queues[rest] = q
	}
	for key, data := range log.All() {
		kind, rest, _ := strings.Cut(key, " ")
		name, id, _ := strings.Cut(rest, " ")
		q := s.queues[name]
		if q == nil || kind == "queue" {
			continue
		}
		switch kind {
		case "message":
			var m message
			if err := json.Unmarshal(data, &m); err != nil {
				return bad(key, err)
			}
			messages[q] = append(messages[q], &m)
		case "taken":
			var t keptDedup
			if err := json.Unmarshal(data, &t); err != nil {
				return bad(key, err)
			}
			q.recent[id] = taken{t.ID, t.Sequence, t.At, t.MD5}
			q.takenQ = append(q.takenQ, id)
		}
	}
	for q, list := range messages {
		slices.SortFunc(list, func(a, b *message) int { return int(int64(a.Sequence) - int64(b.Sequence)) })
		for _, m := range list {
			q.add(m, now)
		}
		slices.SortFunc(q.takenQ, func(a, b string) int { return q.recent[a].at.Compare(q.recent[b].at) })
	}
	s.log = log
	return nil
}
