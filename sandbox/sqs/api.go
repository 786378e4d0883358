package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
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
	"CreateQueue": createQueueIn, "DeleteQueue": on((*Service).deleteQueue), "GetQueueUrl": on((*Service).getQueueURL), "ListQueues": on((*Service).listQueues),
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

// createQueueIn makes a queue in the region that the request is signed for.
func createQueueIn(ctx context.Context, s *Service, body []byte) (any, error) {
	region := stack.RegionIn(ctx, s.options.Region)
	return on(func(s *Service, in createQueue) (any, error) { return s.createQueue(region, in) })(ctx, s, body)
}

func (s *Service) createQueue(region string, in createQueue) (any, error) {
	q, err := s.create(region, in.QueueName, in.Attributes, in.Tags)
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
