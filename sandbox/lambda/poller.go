package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/pattern"
)

// How Lambda polls a queue: with five batches at a time at first, and five more
// for each second that there was more to do, up to a thousand.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	firstBatches = 5
	moreBatches  = 5
	mostBatches  = 1000
	// pollWait is how long an empty queue is waited for at a time.
	pollWait = 20 * time.Second
	// batchBytes is what a batch may have, below the 6 MB of an event.
	batchBytes = maxPayload - 64<<10
	// defaultBatch is how many messages a batch has at most, unless it is said.
	defaultBatch = 10
	firstBack    = time.Second // after the first throttle of a batch
	mostBack     = time.Minute
)

// poller takes messages from a queue for an event source mapping.
type poller struct {
	service *Service
	source  EventSource
	queues  invoke.Queues
	clock   invoke.Clock
	ctx     context.Context
	stop    context.CancelFunc

	mu      sync.Mutex
	free    *sync.Cond
	busy    int  // batches under way
	limit   int  // how many there may be now
	growing bool // the limit is about to be raised
}

// poll starts taking messages for a mapping. The caller holds the service's lock.
func (s *Service) poll(source EventSource) {
	if s.options.Queues == nil || source.Disabled || !isQueue(source.Source) || s.closed {
		return
	}
	p := &poller{service: s, source: source, queues: s.options.Queues, clock: s.options.Clock, limit: firstBatches}
	if p.clock == nil {
		p.clock = invoke.SystemClock{}
	}
	if most := source.MaximumConcurrency; most > 0 {
		p.limit = min(p.limit, most)
	}
	p.free = sync.NewCond(&p.mu)
	p.ctx, p.stop = context.WithCancel(s.ending)
	s.resources.pollers[source.ID] = p.stop
	s.polling.Go(p.run)
	context.AfterFunc(p.ctx, p.free.Broadcast)
}

// unpoll ends a mapping's polling; batches that a function has go on. The caller
// holds the service's lock.
func (s *Service) unpoll(id string) {
	if stop := s.resources.pollers[id]; stop != nil {
		stop()
		delete(s.resources.pollers, id)
	}
}

func isQueue(arn string) bool {
	parts := strings.SplitN(arn, ":", 4)
	return len(parts) == 4 && parts[2] == "sqs"
}

func (p *poller) run() {
	size := p.source.BatchSize
	if size == 0 {
		size = defaultBatch
	}
	for p.ctx.Err() == nil {
		if !p.acquire() {
			return
		}
		batch, err := p.collect(size)
		if err != nil && p.ctx.Err() == nil {
			// The queue is gone, or not there yet; its mapping is still.
			p.release()
			select {
			case <-p.clock.After(time.Second):
			case <-p.ctx.Done():
			}
			continue
		}
		if len(batch) == 0 || p.ctx.Err() != nil {
			p.queues.Release(p.source.Source, handles(batch)...)
			p.release()
			continue
		}
		p.service.polling.Go(func() {
			defer p.release()
			p.handle(batch)
		})
	}
}

// acquire waits until another batch may be under way; false = polling ends.
func (p *poller) acquire() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.ctx.Err() != nil {
			return false
		}
		if p.busy < p.limit {
			p.busy++
			return true
		}
		p.grow()
		p.free.Wait()
	}
}

// grow makes room for more batches in a second from now, as all that there may
// be are busy. The caller holds the lock.
func (p *poller) grow() {
	most := mostBatches
	if p.source.MaximumConcurrency > 0 {
		most = p.source.MaximumConcurrency
	}
	if p.growing || p.limit >= most {
		return
	}
	p.growing = true
	p.service.polling.Go(func() {
		select {
		case <-p.clock.After(time.Second):
		case <-p.ctx.Done():
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.growing = false
		if p.busy == p.limit {
			p.limit = min(p.limit+moreBatches, most)
		}
		p.free.Broadcast()
	})
}

func (p *poller) release() {
	p.mu.Lock()
	p.busy--
	p.mu.Unlock()
	p.free.Signal()
}

// collect takes a batch: what is there, or, with a window, what comes within it
// until the batch is full. Messages that the filter leaves out are deleted, as
// on AWS.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
func (p *poller) collect(size int) ([]invoke.Queued, error) {
	var batch []invoke.Queued
	bytes := 0
	wait := pollWait
	var until time.Time
	for len(batch) < size {
		got, err := p.queues.Take(p.ctx, p.source.Source, size-len(batch), wait)
		if err != nil {
			return batch, err
		}
		for _, m := range got {
			if !p.source.filter.takes(m) {
				p.queues.Delete(p.source.Source, m.Handle)
				p.say("dropped: the event source's filter does not match", m)
				continue
			}
			if n := eventBytes(m); bytes+n > batchBytes && len(batch) > 0 {
				p.queues.Release(p.source.Source, m.Handle)
				until = p.clock.Now() // full
			} else {
				batch, bytes = append(batch, m), bytes+n
			}
		}
		window := time.Duration(p.source.BatchingWindow) * time.Second
		now := p.clock.Now()
		switch {
		case len(batch) == 0:
			return nil, nil
		case window == 0:
			return batch, nil
		case until.IsZero():
			until = now.Add(window)
		}
		if wait = until.Sub(now); wait <= 0 {
			return batch, nil
		}
		wait = min(wait, pollWait)
	}
	return batch, nil
}

// eventBytes is about what a message takes in an event.
func eventBytes(m invoke.Queued) int {
	n := len(m.Body) + strings.Count(m.Body, `"`) + strings.Count(m.Body, `\`) + 1024
	for name, a := range m.Attributes {
		n += len(name) + len(a.Value) + 128
	}
	return n
}

func handles(batch []invoke.Queued) []string {
	out := make([]string, len(batch))
	for i, m := range batch {
		out[i] = m.Handle
	}
	return out
}

func ids(batch []invoke.Queued) []string {
	out := make([]string, len(batch))
	for i, m := range batch {
		out[i] = m.ID
	}
	return out
}

// say tells of messages of the queue.
func (p *poller) say(text string, batch ...invoke.Queued) {
	name := p.source.Source[strings.LastIndexByte(p.source.Source, ':')+1:]
	p.service.options.Tell.Or()(activity.Event{
		Kind: activity.Delivery, Function: p.called(), Resource: "queue " + name, Text: text, Messages: ids(batch),
	})
}

func (p *poller) called() string { return p.service.called(p.source.Function) }

// called gives the words by which people know a function.
func (s *Service) called(function string) string {
	if s.options.Called != nil {
		if called := s.options.Called(function); called != "" {
			return called
		}
	}
	return "function " + function
}

// handle gives a batch to the function. What it does not fail on is deleted;
// the rest comes again when the queue's visibility timeout is over.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func (p *poller) handle(batch []invoke.Queued) {
	queue, _ := p.queues.Queue(p.source.Source)
	deadline := p.clock.Now().Add(queue.Visibility)
	event, err := json.Marshal(sqsEvent{p.records(batch)})
	if err != nil {
		p.say("failed: "+err.Error(), batch...)
		return
	}
	back := firstBack
	for {
		result, err := p.service.Invoke(context.WithoutCancel(p.ctx), p.source.Called, event)
		switch {
		case errors.Is(err, invoke.ErrThrottled):
			if p.clock.Now().Add(back).After(deadline) {
				p.say("not delivered: "+err.Error()+"; back in the queue after its visibility timeout, and counted as received", batch...)
				return
			}
			p.say(fmt.Sprintf("throttled (%v); tried again in %s", err, back), batch...)
			select {
			case <-p.clock.After(back):
			case <-p.ctx.Done():
				p.queues.Release(p.source.Source, handles(batch)...)
				return
			}
			back = min(2*back, mostBack)
			continue
		case errors.Is(err, invoke.ErrClosed), p.service.ending.Err() != nil && (err != nil || result.Failed != ""):
			p.queues.Release(p.source.Source, handles(batch)...)
			return
		case err != nil:
			p.say("failed: "+err.Error(), batch...)
			return
		}
		p.settle(batch, result, queue)
		return
	}
}

// settle deletes what the function has handled.
func (p *poller) settle(batch []invoke.Queued, result invoke.Result, queue invoke.Queue) {
	again := fmt.Sprintf("; again when its visibility timeout of %s is over", queue.Visibility)
	if queue.DeadLetters == "" {
		again += ", until they expire: the queue has no dead-letter queue"
	}
	if result.Failed != "" {
		p.say("failed ("+result.Failed+": "+reasonOf(result)+")"+again, batch...)
		return
	}
	failed, whole := map[string]bool{}, ""
	if p.source.ReportsFailures {
		failed, whole = failures(result.Payload, ids(batch))
	}
	if whole != "" {
		p.say("failed as a whole: "+whole+again, batch...)
		return
	}
	var done, left []invoke.Queued
	for _, m := range batch {
		if failed[m.ID] {
			left = append(left, m)
		} else {
			done = append(done, m)
		}
	}
	p.queues.Delete(p.source.Source, handles(done)...)
	if len(done) > 0 {
		p.say("delivered", done...)
	}
	if len(left) > 0 {
		p.say("reported as failed by the function"+again, left...)
	}
}

func reasonOf(result invoke.Result) string {
	var object struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(result.Payload, &object) != nil || object.Message == "" {
		return string(result.Kind)
	}
	return object.Message
}

// failures reads what of a batch a function reports as failed. whole says why
// the entire batch counts as failed; "" = it does not.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func failures(payload []byte, ids []string) (failed map[string]bool, whole string) {
	var answer struct {
		Failures *[]map[string]any `json:"batchItemFailures"`
	}
	if len(payload) == 0 || string(payload) == "null" {
		return nil, ""
	}
	if err := invoke.Exact(payload, &answer); err != nil {
		// A string or a number is no report; an object of another shape is a bad one.
		return nil, "the function's answer is no batch response: " + err.Error()
	}
	if answer.Failures == nil {
		return nil, ""
	}
	known := map[string]bool{}
	for _, id := range ids {
		known[id] = true
	}
	failed = map[string]bool{}
	for _, f := range *answer.Failures {
		id, ok := f["itemIdentifier"].(string)
		if !ok || id == "" {
			return nil, "an itemIdentifier in batchItemFailures is missing or empty"
		}
		if !known[id] {
			return nil, fmt.Sprintf("the itemIdentifier %q in batchItemFailures is no message of the batch", id)
		}
		failed[id] = true
	}
	return failed, ""
}

type sqsEvent struct {
	Records []sqsRecord
}

// sqsRecord is a message as functions are given it.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
type sqsRecord struct {
	MessageID         string                  `json:"messageId"`
	ReceiptHandle     string                  `json:"receiptHandle"`
	Body              string                  `json:"body"`
	Attributes        map[string]string       `json:"attributes"`
	MessageAttributes map[string]sqsAttribute `json:"messageAttributes"`
	MD5OfAttributes   string                  `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody         string                  `json:"md5OfBody"`
	EventSource       string                  `json:"eventSource"`
	EventSourceARN    string                  `json:"eventSourceARN"`
	Region            string                  `json:"awsRegion"`
}

type sqsAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      *string  `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues []string `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func (p *poller) records(batch []invoke.Queued) []sqsRecord {
	out := make([]sqsRecord, 0, len(batch))
	for _, m := range batch {
		attributes := map[string]sqsAttribute{}
		for name, a := range m.Attributes {
			one := sqsAttribute{DataType: a.Type, StringListValues: []string{}, BinaryListValues: []string{}}
			if strings.HasPrefix(a.Type, "Binary") {
				one.BinaryValue = &a.Value
			} else {
				one.StringValue = &a.Value
			}
			attributes[name] = one
		}
		out = append(out, sqsRecord{
			MessageID: m.ID, ReceiptHandle: m.Handle, Body: m.Body, Attributes: m.System, MessageAttributes: attributes, MD5OfAttributes: m.MD5OfAttributes,
			MD5OfBody: m.MD5, EventSource: "aws:sqs", EventSourceARN: p.source.Source, Region: regionOf(p.source.Source),
		})
	}
	return out
}

// filter are the patterns of a mapping, of which one must match.
type filter struct{ patterns []*pattern.Pattern }

// readFilter reads filter criteria.
func readFilter(criteria *filterCriteria) (*filter, error) {
	if criteria == nil || len(criteria.Filters) == 0 {
		return nil, nil
	}
	if len(criteria.Filters) > 5 {
		return nil, fmt.Errorf("property FilterCriteria.Filters: %d filters, but Lambda takes 5 at most", len(criteria.Filters))
	}
	f := &filter{}
	for i, one := range criteria.Filters {
		p, err := pattern.Parse([]byte(one.Pattern))
		if err != nil {
			return nil, fmt.Errorf("property FilterCriteria.Filters[%d].Pattern: %w", i, err)
		}
		f.patterns = append(f.patterns, p)
	}
	return f, nil
}

type filterCriteria struct{ Filters []struct{ Pattern string } }

// takes reports whether a message matches: its body as JSON where it is JSON,
// else as a string.
func (f *filter) takes(m invoke.Queued) bool {
	if f == nil {
		return true
	}
	record := sqsRecord{MessageID: m.ID, ReceiptHandle: m.Handle, Attributes: m.System, MD5OfBody: m.MD5, EventSource: "aws:sqs"}
	data, err := json.Marshal(record)
	if err != nil {
		return false
	}
	object := map[string]json.RawMessage{}
	if json.Unmarshal(data, &object) != nil {
		return false
	}
	if body := strings.TrimSpace(m.Body); strings.HasPrefix(body, "{") && json.Valid([]byte(body)) {
		object["body"] = json.RawMessage(body)
	} else {
		object["body"], _ = json.Marshal(m.Body)
	}
	text, err := json.Marshal(object)
	return err == nil && f.matches(text)
}

// matches reports whether a record matches one of the patterns.
func (f *filter) matches(text []byte) bool {
	if f == nil {
		return true
	}
	for _, p := range f.patterns {
		if p.Match(text) {
			return true
		}
	}
	return false
}
