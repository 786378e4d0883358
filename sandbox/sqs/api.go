package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// maxRequest is what a request may have: a batch of 1 MiB, every byte of it
// escaped at worst.
const maxRequest = 8 << 20

// namespace is the one of the Query protocol's answers.
const namespace = "http://queue.amazonaws.com/doc/2012-11-05/"

// ServeHTTP answers both protocols: JSON names its operation in a header, which
// current SDKs do, Query in the form.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	if target == "" {
		wire.Query(namespace, query{s, r.URL.Path}).ServeHTTP(w, r)
		return
	}
	_, operation, _ := strings.Cut(target, ".")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		fail(w, &stack.Error{Code: "SerializationException", Message: "the request cannot be read: " + err.Error(), Status: http.StatusRequestEntityTooLarge})
		return
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	out, err := s.Handle(r.Context(), operation, body)
	if err != nil {
		fail(w, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, out)
}

// queryCodes are the codes of errors in the Query protocol, where they differ.
// JSON answers name them in a header for clients that were written for Query.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
var queryCodes = map[string]string{
	"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue", "QueueNameExists": "QueueAlreadyExists",
	"MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight", "PurgeQueueInProgress": "AWS.SimpleQueueService.PurgeQueueInProgress",
	"UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation", "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong", "InvalidBatchEntryId": "AWS.SimpleQueueService.InvalidBatchEntryId",
}

func fail(w http.ResponseWriter, err error) {
	if api, ok := err.(*stack.Error); ok {
		code := api.Code
		if query, ok := queryCodes[code]; ok {
			code = query
		}
		w.Header().Set("x-amzn-query-error", code+";Sender")
		err = &stack.Error{Code: "com.amazonaws.sqs#" + api.Code, Message: api.Message, Status: api.Status}
	}
	wire.WriteJSONError(w, err)
}

// Handle answers an operation of the API with the JSON of its request.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
func (s *Service) Handle(ctx context.Context, operation string, body []byte) (any, error) {
	op, known := operations[operation]
	if !known {
		return nil, &stack.Error{Code: "InvalidAction", Message: fmt.Sprintf("the local cloud's SQS does not run %q", operation)}
	}
	return op(ctx, s, body)
}

type operation func(context.Context, *Service, []byte) (any, error)

var operations = map[string]operation{
	"CreateQueue": on((*Service).createQueue), "DeleteQueue": on((*Service).deleteQueue), "GetQueueUrl": on((*Service).getQueueURL), "ListQueues": on((*Service).listQueues),
	"GetQueueAttributes": on((*Service).getQueueAttributes), "SetQueueAttributes": on((*Service).setQueueAttributes), "PurgeQueue": on((*Service).purgeQueue),
	"SendMessage": on((*Service).sendMessage), "SendMessageBatch": on((*Service).sendMessageBatch),
	"ReceiveMessage": onWaiting((*Service).receiveMessage), "DeleteMessage": on((*Service).deleteMessage), "DeleteMessageBatch": on((*Service).deleteMessageBatch),
	"ChangeMessageVisibility": on((*Service).changeVisibility), "ChangeMessageVisibilityBatch": on((*Service).changeVisibilityBatch),
	"TagQueue": on((*Service).tagQueue), "UntagQueue": on((*Service).untagQueue), "ListQueueTags": on((*Service).listQueueTags),
	"ListDeadLetterSourceQueues": on((*Service).listSources),
	"StartMessageMoveTask":       on((*Service).startMove), "CancelMessageMoveTask": on((*Service).cancelMove), "ListMessageMoveTasks": on((*Service).listMoves),
}

// on reads the request that an operation takes, and holds the lock for it.
func on[In, Out any](do func(*Service, In) (Out, error)) operation {
	return func(_ context.Context, s *Service, body []byte) (any, error) {
		var in In
		if err := read(body, &in); err != nil {
			return nil, err
		}
		defer s.lock()()
		return do(s, in)
	}
}

// onWaiting is on for an operation that takes the lock itself.
func onWaiting[In, Out any](do func(*Service, context.Context, In) (Out, error)) operation {
	return func(ctx context.Context, s *Service, body []byte) (any, error) {
		var in In
		if err := read(body, &in); err != nil {
			return nil, err
		}
		return do(s, ctx, in)
	}
}

func read(body []byte, in any) error {
	if err := json.Unmarshal(body, in); err != nil {
		return &stack.Error{Code: "SerializationException", Message: "the request cannot be read: " + err.Error()}
	}
	return nil
}

// named finds the queue of a URL, or of a bare name. Hosts make no difference:
// a URL that an earlier run gave out is good for the same queue. The caller
// holds the lock.
func (s *Service) named(url string) (*queue, error) {
	if url == "" {
		return nil, &stack.Error{Code: "MissingParameter", Message: "The request must contain the parameter QueueUrl."}
	}
	name := url[strings.LastIndexByte(url, '/')+1:]
	if q := s.queues[name]; q != nil {
		return q, nil
	}
	return nil, noQueue()
}

func noQueue() error {
	return &stack.Error{Code: "QueueDoesNotExist", Message: "The specified queue does not exist."}
}

type queueURL struct {
	QueueURL string `json:"QueueUrl"`
}

type createQueue struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string
}

func (s *Service) createQueue(in createQueue) (any, error) {
	q, err := s.create(in.QueueName, in.Attributes, in.Tags)
	if err != nil {
		return nil, err
	}
	return queueURL{s.url(q.name)}, nil
}

func (s *Service) deleteQueue(in queueURL) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	s.destroy(q)
	return struct{}{}, nil
}

func (s *Service) getQueueURL(in struct{ QueueName string }) (any, error) {
	if s.queues[in.QueueName] == nil {
		return nil, noQueue()
	}
	return queueURL{s.url(in.QueueName)}, nil
}

type page struct {
	MaxResults int
	NextToken  string
}

// of cuts a page out of a sorted list; the token is the last name before it.
func (p page) of(names []string) (out []string, next string) {
	out = []string{}
	for _, name := range names {
		if name <= p.NextToken {
			continue
		}
		if p.MaxResults > 0 && len(out) == p.MaxResults {
			return out, out[len(out)-1]
		}
		out = append(out, name)
	}
	return out, ""
}

func (s *Service) listQueues(in struct {
	QueueNamePrefix string
	MaxResults      int
	NextToken       string
}) (any, error) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			names = append(names, name)
		}
	}
	out := struct {
		QueueURLs []string `json:"QueueUrls"`
		NextToken string   `json:",omitempty"`
	}{}
	out.QueueURLs, out.NextToken = page{in.MaxResults, in.NextToken}.of(names)
	for i, name := range out.QueueURLs {
		out.QueueURLs[i] = s.url(name)
	}
	return out, nil
}

func (s *Service) listSources(in struct {
	QueueURL   string `json:"QueueUrl"`
	MaxResults int
	NextToken  string
}) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if s.queues[name].settings.deadLetters == q.arn() {
			names = append(names, name)
		}
	}
	out := struct {
		QueueURLs []string `json:"queueUrls"`
		NextToken string   `json:",omitempty"`
	}{}
	out.QueueURLs, out.NextToken = page{in.MaxResults, in.NextToken}.of(names)
	for i, name := range out.QueueURLs {
		out.QueueURLs[i] = s.url(name)
	}
	return out, nil
}

func (s *Service) getQueueAttributes(in struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	all := q.described(s.clock.Now())
	out := struct {
		Attributes map[string]string `json:",omitempty"`
	}{map[string]string{}}
	for _, name := range in.AttributeNames {
		switch {
		case name == "All":
			out.Attributes = all
			return out, nil
		case all[name] != "":
			out.Attributes[name] = all[name]
		case limits[name].most == 0 && !others[name]:
			return nil, &stack.Error{Code: "InvalidAttributeName", Message: "Unknown Attribute " + name + "."}
		}
	}
	return out, nil
}

func (s *Service) setQueueAttributes(in struct {
	QueueURL   string `json:"QueueUrl"`
	Attributes map[string]string
}) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := q.set(in.Attributes); err != nil {
		return nil, err
	}
	q.wake()
	return struct{}{}, q.keepQueue()
}

func (s *Service) purgeQueue(in queueURL) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	if !q.purged.IsZero() && now.Sub(q.purged) < time.Minute {
		return nil, &stack.Error{Code: "PurgeQueueInProgress", Message: "Only one PurgeQueue operation on " + q.name + " is allowed every 60 seconds.", Status: http.StatusForbidden}
	}
	q.purged = now
	q.purge()
	return struct{}{}, nil
}

// message attributes of a request, and system attributes beside them.
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

func (s *Service) tagQueue(in struct {
	QueueURL string `json:"QueueUrl"`
	Tags     map[string]string
}) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	maps.Copy(q.tags, in.Tags)
	return struct{}{}, q.keepQueue()
}

func (s *Service) untagQueue(in struct {
	QueueURL string `json:"QueueUrl"`
	TagKeys  []string
}) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(q.tags, key)
	}
	return struct{}{}, q.keepQueue()
}

func (s *Service) listQueueTags(in queueURL) (any, error) {
	q, err := s.named(in.QueueURL)
	if err != nil {
		return nil, err
	}
	return struct {
		Tags map[string]string `json:",omitempty"`
	}{maps.Clone(q.tags)}, nil
}
