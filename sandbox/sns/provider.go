package sns

import (
	"context"
	"encoding/json"
	"fmt"

	"arc/sandbox/stack"
)

// Registrations are the resource types that the service provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SNS.html
func (s *Service) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::SNS::Topic":             {Provider: stack.Steps{OnCreate: s.provide, OnUpdate: s.change, OnDelete: s.unprovide}},
		"AWS::SNS::Subscription":      {Provider: stack.Steps{OnCreate: s.provideSubscription, OnUpdate: s.changeSubscription, OnDelete: s.unprovideSubscription}},
		"AWS::SNS::TopicPolicy":       {Provider: stack.Steps{OnCreate: s.providePolicy, OnUpdate: s.changePolicy, OnDelete: s.unprovidePolicy}},
		"AWS::SNS::TopicInlinePolicy": {Provider: stack.Steps{OnCreate: s.provideInline, OnUpdate: s.provideInline, OnDelete: s.unprovidePolicy}},
	}
}

type topicProperties struct {
	TopicName, DisplayName, KmsMasterKeyId, TracingConfig, SignatureVersion string //nolint:staticcheck // the properties' names
	FifoTopic                                                               bool
	ContentBasedDeduplication, FifoThroughputScope                          string
	ArchivePolicy                                                           any
	Subscription                                                            []struct {
		Endpoint, Protocol string `cfn:"required"`
	}
}

func readTopic(given map[string]any) (topicProperties, map[string]string, error) {
	var p topicProperties
	if err := stack.Read(given, &p, "Tags", "DataProtectionPolicy", "DeliveryStatusLogging"); err != nil {
		return p, nil, err
	}
	out := map[string]string{}
	for name, text := range map[string]string{
		"DisplayName": p.DisplayName, "KmsMasterKeyId": p.KmsMasterKeyId, "TracingConfig": p.TracingConfig, "SignatureVersion": p.SignatureVersion,
		"ContentBasedDeduplication": p.ContentBasedDeduplication, "FifoThroughputScope": p.FifoThroughputScope,
	} {
		if text != "" {
			out[name] = text
		}
	}
	if p.FifoTopic {
		out["FifoTopic"] = "true"
	}
	return p, out, nil
}

func (s *Service) provide(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, attributes, err := readTopic(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	name := p.TopicName
	if name == "" {
		name = req.Name(256)
		if p.FifoTopic {
			name = req.Name(256-len(".fifo")) + ".fifo"
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if arn := s.arn(req.Stack.Region, name); s.topics[arn] != nil {
		return stack.Resource{}, fmt.Errorf("%s already exists", arn)
	}
	t, err := s.create(req.Stack.Region, name, attributes)
	if err != nil {
		return stack.Resource{}, err
	}
	for i, inline := range p.Subscription {
		if _, err := s.add(t.arn, inline.Protocol, inline.Endpoint, nil); err != nil {
			s.destroy(t.arn)
			return stack.Resource{}, fmt.Errorf("property Subscription[%d]: %w", i, err)
		}
	}
	return topicResource(t), nil
}

func topicResource(t *topic) stack.Resource {
	return stack.Resource{PhysicalID: t.arn, Attributes: map[string]any{"TopicArn": t.arn, "TopicName": t.name}}
}

func (s *Service) change(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, attributes, err := readTopic(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[req.PhysicalID]
	if t == nil {
		return stack.Resource{}, noTopic()
	}
	before := t.attributes
	t.attributes = map[string]string{}
	if policy := before["Policy"]; policy != "" {
		t.attributes["Policy"] = policy
	}
	if err := t.set(attributes); err != nil {
		t.attributes = before
		return stack.Resource{}, err
	}
	old, _, err := readTopic(req.Old)
	if err != nil {
		old = topicProperties{}
	}
	wanted := map[string]bool{}
	for _, inline := range p.Subscription {
		wanted[inline.Protocol+" "+inline.Endpoint] = true
		if _, err := s.add(t.arn, inline.Protocol, inline.Endpoint, nil); err != nil {
			return stack.Resource{}, fmt.Errorf("property Subscription: %w", err)
		}
	}
	for _, inline := range old.Subscription {
		if wanted[inline.Protocol+" "+inline.Endpoint] {
			continue
		}
		for _, sub := range t.order {
			if sub.protocol == inline.Protocol && sub.endpoint == inline.Endpoint {
				s.drop(sub.arn)
				break
			}
		}
	}
	return topicResource(t), nil
}

func (s *Service) unprovide(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.destroy(req.PhysicalID)
	return nil
}

type subscriptionProperties struct {
	TopicArn            string `cfn:"required"` //nolint:staticcheck // the property's name
	Protocol            string `cfn:"required"`
	Endpoint            string
	Region              string
	RawMessageDelivery  string
	FilterPolicy        any
	FilterPolicyScope   string
	RedrivePolicy       any
	DeliveryPolicy      any
	SubscriptionRoleArn string //nolint:staticcheck // the property's name
}

func readSubscription(given map[string]any) (subscriptionProperties, map[string]string, error) {
	var p subscriptionProperties
	if err := stack.Read(given, &p, "ReplayPolicy"); err != nil {
		return p, nil, err
	}
	out := map[string]string{}
	for name, text := range map[string]string{"RawMessageDelivery": p.RawMessageDelivery, "FilterPolicyScope": p.FilterPolicyScope, "SubscriptionRoleArn": p.SubscriptionRoleArn} {
		if text != "" {
			out[name] = text
		}
	}
	for name, document := range map[string]any{"FilterPolicy": p.FilterPolicy, "RedrivePolicy": p.RedrivePolicy, "DeliveryPolicy": p.DeliveryPolicy} {
		text, err := documentText(document)
		if err != nil {
			return p, nil, fmt.Errorf("property %s: %w", name, err)
		}
		if text != "" {
			out[name] = text
		}
	}
	return p, out, nil
}

// documentText is a property that is JSON, given as an object or as its text.
func documentText(document any) (string, error) {
	switch v := document.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	b, err := json.Marshal(document)
	return string(b), err
}

func (s *Service) provideSubscription(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, attributes, err := readSubscription(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := s.add(p.TopicArn, p.Protocol, p.Endpoint, attributes)
	if err != nil {
		return stack.Resource{}, err
	}
	if req.Restored && s.subscriptions[req.PhysicalID] == nil {
		delete(s.subscriptions, sub.arn)
		sub.arn = req.PhysicalID
		s.subscriptions[sub.arn] = sub
	}
	made := stack.Resource{PhysicalID: sub.arn, Attributes: map[string]any{"Arn": sub.arn}}
	if sub.token != "" {
		made.Note = "waits for its confirmation by " + p.Endpoint
	}
	return made, nil
}

func (s *Service) changeSubscription(_ context.Context, req stack.Request) (stack.Resource, error) {
	_, attributes, err := readSubscription(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscriptions[req.PhysicalID]
	if sub == nil {
		return stack.Resource{}, noSubscription()
	}
	before := sub.attributes
	sub.attributes = map[string]string{}
	if err := sub.set(attributes); err != nil {
		sub.attributes = before
		return stack.Resource{}, err
	}
	return stack.Resource{PhysicalID: sub.arn, Attributes: map[string]any{"Arn": sub.arn}}, nil
}

func (s *Service) unprovideSubscription(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(req.PhysicalID)
	return nil
}

func (s *Service) providePolicy(_ context.Context, req stack.Request) (stack.Resource, error) {
	return s.putPolicy(req.Name(128), req)
}

func (s *Service) changePolicy(ctx context.Context, req stack.Request) (stack.Resource, error) {
	if err := s.unprovidePolicy(ctx, req); err != nil {
		return stack.Resource{}, err
	}
	return s.putPolicy(req.PhysicalID, req)
}

func (s *Service) putPolicy(id string, req stack.Request) (stack.Resource, error) {
	var p struct {
		Topics         []string `cfn:"required"`
		PolicyDocument any      `cfn:"required"`
	}
	if err := stack.Read(req.Properties, &p); err != nil {
		return stack.Resource{}, err
	}
	return s.put(id, p.Topics, p.PolicyDocument)
}

func (s *Service) put(id string, arns []string, document any) (stack.Resource, error) {
	text, err := documentText(document)
	if err != nil {
		return stack.Resource{}, fmt.Errorf("property PolicyDocument: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, arn := range arns {
		t := s.topics[arn]
		if t == nil {
			return stack.Resource{}, fmt.Errorf("the topic %s: %w", arn, noTopic())
		}
		t.policies[id] = text
	}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}, nil
}

func (s *Service) unprovidePolicy(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.topics {
		delete(t.policies, req.PhysicalID)
	}
	return nil
}

func (s *Service) provideInline(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p struct {
		TopicArn       string `cfn:"required"` //nolint:staticcheck // the property's name
		PolicyDocument any    `cfn:"required"`
	}
	if err := stack.Read(req.Properties, &p); err != nil {
		return stack.Resource{}, err
	}
	return s.put(p.TopicArn, []string{p.TopicArn}, p.PolicyDocument)
}
