package sqs

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// Registrations are the resource types that the service provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html
func (s *Service) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::SQS::Queue":             {Keeps: true, Provider: stack.Steps{OnCreate: s.provide, OnUpdate: s.change, OnDelete: s.unprovide}, Identifier: "QueueUrl", Import: s.importQueue},
		"AWS::SQS::QueuePolicy":       {Provider: stack.Steps{OnCreate: s.providePolicy, OnUpdate: s.changePolicy, OnDelete: s.unprovidePolicy}},
		"AWS::SQS::QueueInlinePolicy": {Provider: stack.Steps{OnCreate: s.provideInline, OnUpdate: s.changeInline, OnDelete: s.unprovideInline}},
	}
}

// properties are those of a queue.
type properties struct {
	QueueName                     string
	FifoQueue                     *bool
	ContentBasedDeduplication     string
	DeduplicationScope            string
	FifoThroughputLimit           string
	DelaySeconds                  string
	MaximumMessageSize            string
	MessageRetentionPeriod        string
	ReceiveMessageWaitTimeSeconds string
	VisibilityTimeout             string
	KmsMasterKeyId                string //nolint:staticcheck // the property's name
	KmsDataKeyReusePeriodSeconds  string
	SqsManagedSseEnabled          string
	RedrivePolicy                 any
	RedriveAllowPolicy            any
}

// attributes are the properties as the API's attributes.
func attributesOf(given map[string]any) (properties, map[string]string, error) {
	var p properties
	if err := stack.Read(given, &p, "Tags"); err != nil {
		return p, nil, err
	}
	out := map[string]string{}
	for name, text := range map[string]string{
		"DelaySeconds": p.DelaySeconds, "MaximumMessageSize": p.MaximumMessageSize, "MessageRetentionPeriod": p.MessageRetentionPeriod,
		"ReceiveMessageWaitTimeSeconds": p.ReceiveMessageWaitTimeSeconds, "VisibilityTimeout": p.VisibilityTimeout,
		"KmsMasterKeyId": p.KmsMasterKeyId, "KmsDataKeyReusePeriodSeconds": p.KmsDataKeyReusePeriodSeconds, "SqsManagedSseEnabled": p.SqsManagedSseEnabled,
		"ContentBasedDeduplication": p.ContentBasedDeduplication, "DeduplicationScope": p.DeduplicationScope, "FifoThroughputLimit": p.FifoThroughputLimit,
	} {
		if text != "" {
			out[name] = text
		}
	}
	if p.FifoQueue != nil {
		out["FifoQueue"] = fmt.Sprint(*p.FifoQueue)
	}
	for name, document := range map[string]any{"RedrivePolicy": p.RedrivePolicy, "RedriveAllowPolicy": p.RedriveAllowPolicy} {
		if document != nil {
			text, err := policyText(document)
			if err != nil {
				return p, nil, fmt.Errorf("property %s: %w", name, err)
			}
			out[name] = text
		}
	}
	return p, out, nil
}

func (s *Service) provide(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, attributes, err := attributesOf(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	name := p.QueueName
	if name == "" {
		name = req.Name(80)
		if attributes["FifoQueue"] == "true" {
			name = req.Name(80-len(".fifo")) + ".fifo"
		}
	}
	defer s.lock()()
	if old := s.queues[nameOf(req.PhysicalID)]; req.Restored && old != nil && (p.QueueName == "" || p.QueueName == old.name) {
		if old.fifo == (attributes["FifoQueue"] == "true") {
			old.policies = map[string]string{} // of resources that are made again, too
			if req.Whole() {
				return s.resource(old), old.keepQueue()
			}
			return s.again(old, attributes)
		}
		s.destroy(old) // a queue cannot become one of the other kind
	}
	if s.queues[name] != nil {
		return stack.Resource{}, fmt.Errorf("%s already exists", s.url(name))
	}
	q, err := s.create(cmp.Or(req.Stack.Region, s.options.Region), name, attributes, nil)
	if err != nil {
		return stack.Resource{}, err
	}
	return s.resource(q), nil
}

// importQueue finds a queue that a stack is to have from now on, as it is.
func (s *Service) importQueue(_ context.Context, req stack.Request) (stack.Resource, error) {
	defer s.lock()()
	q, err := s.named(req.PhysicalID)
	if err != nil {
		return stack.Resource{}, stack.NotThere(req)
	}
	return s.resource(q), nil
}

func (s *Service) resource(q *queue) stack.Resource {
	url := s.url(q.name)
	return stack.Resource{PhysicalID: url, Attributes: map[string]any{"Arn": q.arn(), "QueueName": q.name, "QueueUrl": url}}
}

func (s *Service) change(_ context.Context, req stack.Request) (stack.Resource, error) {
	_, attributes, err := attributesOf(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	defer s.lock()()
	q, err := s.named(req.PhysicalID)
	if err != nil {
		return stack.Resource{}, err
	}
	return s.again(q, attributes)
}

// again sets a queue's attributes to what a template says: a property that is
// gone has its default again. Policies are of resources. The caller holds the
// lock.
func (s *Service) again(q *queue, attributes map[string]string) (stack.Resource, error) {
	before := q.attributes
	q.attributes = map[string]string{}
	if policy := before["Policy"]; policy != "" {
		q.attributes["Policy"] = policy
	}
	if err := q.set(attributes); err != nil {
		q.attributes = before
		return stack.Resource{}, err
	}
	q.wake()
	return s.resource(q), q.keepQueue()
}

func (s *Service) unprovide(_ context.Context, req stack.Request) error {
	defer s.lock()()
	if q, err := s.named(req.PhysicalID); err == nil {
		s.destroy(q)
	}
	return nil
}

// queuePolicy are the properties of a policy; one has a list of queues, the
// inline one a single queue.
type queuePolicy struct {
	Queues         []string `cfn:"required"`
	PolicyDocument any      `cfn:"required"`
}

func (s *Service) providePolicy(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p queuePolicy
	if err := stack.Read(req.Properties, &p); err != nil {
		return stack.Resource{}, err
	}
	return s.putPolicy(req.Name(128), p)
}

func (s *Service) changePolicy(ctx context.Context, req stack.Request) (stack.Resource, error) {
	var p queuePolicy
	if err := stack.Read(req.Properties, &p); err != nil {
		return stack.Resource{}, err
	}
	if err := s.unprovidePolicy(ctx, req); err != nil {
		return stack.Resource{}, err
	}
	return s.putPolicy(req.PhysicalID, p)
}

func (s *Service) putPolicy(id string, p queuePolicy) (stack.Resource, error) {
	text, err := policyText(p.PolicyDocument)
	if err != nil {
		return stack.Resource{}, fmt.Errorf("property PolicyDocument: %w", err)
	}
	defer s.lock()()
	for _, url := range p.Queues {
		q, err := s.named(url)
		if err != nil {
			return stack.Resource{}, fmt.Errorf("property Queues: %s: %w", url, err)
		}
		q.policies[id] = text
		if err := q.keepQueue(); err != nil {
			return stack.Resource{}, err
		}
	}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}, nil
}

func (s *Service) unprovidePolicy(_ context.Context, req stack.Request) error {
	defer s.lock()()
	for _, q := range s.queues {
		if _, there := q.policies[req.PhysicalID]; there {
			delete(q.policies, req.PhysicalID)
			if err := q.keepQueue(); err != nil {
				return err
			}
		}
	}
	return nil
}

func inlineOf(req stack.Request) (queuePolicy, error) {
	var p struct {
		Queue          string `cfn:"required"`
		PolicyDocument any    `cfn:"required"`
	}
	err := stack.Read(req.Properties, &p)
	return queuePolicy{[]string{p.Queue}, p.PolicyDocument}, err
}

func (s *Service) provideInline(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := inlineOf(req)
	if err != nil {
		return stack.Resource{}, err
	}
	made, err := s.putPolicy(p.Queues[0], p)
	return made, err
}

func (s *Service) changeInline(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return s.provideInline(ctx, req)
}

func (s *Service) unprovideInline(ctx context.Context, req stack.Request) error {
	return s.unprovidePolicy(ctx, req)
}

// allows reports whether the queue's policy lets a service send to it. The caller
// holds the lock.
func (q *queue) allows(r invoke.Request) bool {
	tell := func(e activity.Event) { q.service.heard = append(q.service.heard, e) }
	return q.service.judge.Allows(tell, r, invoke.Read(q.documents())...)
}

// documents are the queue's own policies, as JSON. The caller holds the lock.
func (q *queue) documents() []string {
	return invoke.Documents(q.attributes["Policy"], q.policies)
}

// Policies are those of a queue itself, as JSON.
func (s *Service) Policies(arn string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.byARN(arn); q != nil {
		return q.documents()
	}
	return nil
}

// nameOf is a queue's name in its URL or ARN.
func nameOf(called string) string { return called[strings.LastIndexAny(called, "/:")+1:] }
