// Package sns is SNS on this machine: topics, standard and FIFO, and what
// subscribes to them: functions, queues and HTTP servers on loopback. Nothing
// leaves the machine: mail, SMS and push are recorded and said.
// https://docs.aws.amazon.com/sns/latest/dg/welcome.html
package sns

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/pattern"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what the service needs from its surroundings.
type Options struct {
	Account, Region string
	URL             func() string // where the local cloud answers; nil = a URL of AWS's
	Send            invoke.Send   // to queues and functions
	Clock           invoke.Clock  // nil = the machine's
	Tell            activity.Tell // of deliveries, retries, dead letters and drops; nil = nobody
}

// Service holds the topics.
type Service struct {
	options Options
	clock   invoke.Clock
	judge   invoke.Judge
	client  *http.Client
	ending  context.Context
	end     context.CancelFunc
	running sync.WaitGroup

	mu            sync.Mutex
	closed        bool
	topics        map[string]*topic        // by ARN
	subscriptions map[string]*subscription // by ARN
}

// topic is a topic. The service's lock guards it.
type topic struct {
	arn, name  string
	fifo       bool
	attributes map[string]string
	policies   map[string]string // by the resource that made it
	tags       map[string]string
	order      []*subscription
	recent     map[string]published // deduplication IDs
	recentQ    []string
	next       uint64
	publishing sync.Mutex // keeps the order of a FIFO topic
}

// published is what a FIFO topic has taken lately.
type published struct {
	id       string
	sequence string
	at       time.Time
}

// subscription is an endpoint of a topic.
type subscription struct {
	arn, topic, protocol, endpoint string
	attributes                     map[string]string
	token                          string // of one that is to be confirmed; "" = it is
	filter                         *pattern.Pattern
}

// New makes the service, without topics.
func New(options Options) *Service {
	if options.Clock == nil {
		options.Clock = invoke.SystemClock{}
	}
	options.Tell = options.Tell.Or()
	s := &Service{
		options: options, clock: options.Clock, topics: map[string]*topic{}, subscriptions: map[string]*subscription{},
		client: &http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	s.ending, s.end = context.WithCancel(context.Background())
	return s
}

// namespace is the one of the API's answers.
const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// confirmPath is where an HTTP server confirms that it wants a topic's messages,
// with the secret that it was sent.
const confirmPath = "/_arc/sns"

// Endpoint is where clients find the service.
func (s *Service) Endpoint() wire.Endpoint {
	signed := wire.Query(namespace, wire.Operations{Service: "SNS", ByName: s.operations()})
	confirm := wire.Query(namespace, wire.Operations{Service: "SNS", ByName: map[string]wire.Operation{"ConfirmSubscription": wire.On(s.confirm)}})
	return wire.Endpoint{
		Service: "sns", Variable: "SNS", Version: "2010-03-31", Unsigned: confirmPath,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == confirmPath { // whoever knows the token may, and nothing else
				confirm.ServeHTTP(w, r)
				return
			}
			signed.ServeHTTP(w, r)
		}),
	}
}

// Restore has nothing to do: topics and subscriptions come back with their
// stacks, and what is on its way is in queues.
func (s *Service) Restore(*journal.Log) error { return nil }

// Close ends deliveries; what waits for another try is lost, and said.
func (s *Service) Close(context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.running.Wait()
	return nil
}

func (s *Service) arn(region, name string) string {
	return stack.ARN(region, "sns", region, s.options.Account, name)
}

func (s *Service) url() string {
	if s.options.URL != nil {
		return s.options.URL()
	}
	return "https://sns." + s.options.Region + ".amazonaws.com"
}

func invalid(format string, args ...any) error {
	return &stack.Error{Code: "InvalidParameter", Message: "Invalid parameter: " + fmt.Sprintf(format, args...)}
}

func noTopic() error {
	return &stack.Error{Code: "NotFound", Message: "Topic does not exist", Status: http.StatusNotFound}
}

func noSubscription() error {
	return &stack.Error{Code: "NotFound", Message: "Subscription does not exist", Status: http.StatusNotFound}
}

// documents are the topic's own policies, as JSON. The caller holds the lock.
func (t *topic) documents() []string {
	return invoke.Documents(t.attributes["Policy"], t.policies)
}

// Policies are those of a topic itself, as JSON.
func (s *Service) Policies(arn string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.topics[arn]; t != nil {
		return t.documents()
	}
	return nil
}

// Receive takes a message of another service for a topic. The topic's policy
// must allow it, as on AWS; a function's destination is a right of its role.
func (s *Service) Receive(ctx context.Context, arn string, m invoke.Message) error {
	s.mu.Lock()
	t := s.topics[arn]
	if t == nil {
		s.mu.Unlock()
		return invoke.Missing("the topic " + arn)
	}
	documents := t.documents()
	s.mu.Unlock()
	r := invoke.Request{Principal: m.Principal, Action: "sns:Publish", Resource: arn, Source: m.Source}
	if m.InNobodysName() && !s.judge.Allows(s.options.Tell, r, invoke.Read(documents)...) {
		return fmt.Errorf("%w: the topic %s has no policy that allows %s to publish for %s: it needs a TopicPolicy with %s", invoke.ErrForbidden, t.name, m.Principal, m.Source, r.Statement())
	}
	in := publish{TopicARN: arn, Message: string(m.Body), MessageGroupID: m.Group, MessageDeduplicationID: m.Dedup}
	for name, a := range m.Attributes {
		if in.MessageAttributes == nil {
			in.MessageAttributes = map[string]attribute{}
		}
		in.MessageAttributes[name] = attribute{DataType: a.Type, StringValue: a.Value}
	}
	_, err := s.publish(ctx, in)
	return err
}

// Publish publishes a text.
func (s *Service) Publish(ctx context.Context, arn, message string) (id string, err error) {
	out, err := s.publish(ctx, publish{TopicARN: arn, Message: message})
	return out.MessageID, err
}

// Hand publishes a text with a subject, in the name of the account's own.
func (s *Service) Hand(ctx context.Context, arn, subject, message string) error {
	_, err := s.publish(ctx, publish{TopicARN: arn, Subject: subject, Message: message})
	return err
}

// tell tells of a message of a topic.
func (s *Service) tell(topic, function, text string, ids ...string) {
	s.options.Tell(activity.Event{Kind: activity.Delivery, Function: function, Resource: "topic " + topic[strings.LastIndexByte(topic, ':')+1:], Text: text, Messages: ids})
}
