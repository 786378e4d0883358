package sns

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/pattern"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
func (s *Service) operations() map[string]wire.Operation {
	return map[string]wire.Operation{
		"CreateTopic": wire.On(s.createTopic), "DeleteTopic": wire.On(s.deleteTopic), "ListTopics": wire.On(s.listTopics),
		"GetTopicAttributes": wire.On(s.getTopic), "SetTopicAttributes": wire.On(s.setTopic),
		"Subscribe": wire.On(s.subscribe), "ConfirmSubscription": wire.On(s.confirm), "Unsubscribe": wire.On(s.unsubscribe),
		"ListSubscriptions": wire.On(s.listSubscriptions), "ListSubscriptionsByTopic": wire.On(s.listSubscriptions),
		"GetSubscriptionAttributes": wire.On(s.getSubscription), "SetSubscriptionAttributes": wire.On(s.setSubscription),
		"Publish": wire.On(s.publish), "PublishBatch": wire.On(s.publishBatch),
		"TagResource": wire.On(s.tag), "UntagResource": wire.On(s.untag), "ListTagsForResource": wire.On(s.listTags),
	}
}

// entry is one of a map in an answer.
type entry struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func entries(m map[string]string) []entry {
	out := []entry{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, entry{key, m[key]})
	}
	return out
}

type tag struct{ Key, Value string }

type topicARN struct {
	TopicARN string `xml:"TopicArn"`
}

// topicAttributes are those that a topic may be given.
// https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
var topicAttributes = map[string]bool{
	"DisplayName": true, "Policy": true, "DeliveryPolicy": true, "KmsMasterKeyId": true, "TracingConfig": true, "SignatureVersion": true,
	"FifoTopic": true, "ContentBasedDeduplication": true, "ArchivePolicy": true, "FifoThroughputScope": true,
}

func (s *Service) createTopic(ctx context.Context, in struct {
	Name       string
	Attributes map[string]string
	Tags       []tag
}) (topicARN, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.create(stack.RegionIn(ctx, s.options.Region), in.Name, in.Attributes)
	if err != nil {
		return topicARN{}, err
	}
	for _, tag := range in.Tags {
		t.tags[tag.Key] = tag.Value
	}
	return topicARN{t.arn}, nil
}

// create makes a topic, or finds it. The caller holds the lock.
func (s *Service) create(region, name string, attributes map[string]string) (*topic, error) {
	fifo := attributes["FifoTopic"] == "true"
	base, isFifo := strings.CutSuffix(name, ".fifo")
	switch {
	case fifo != isFifo:
		return nil, invalid("Topic Name: Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
	case base == "" || len(name) > 256 || strings.Trim(base, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" || strings.ContainsAny(base, " .:/"):
		return nil, invalid("Topic Name")
	}
	arn := s.arn(region, name)
	if old := s.topics[arn]; old != nil {
		for attribute, text := range attributes {
			if old.attributes[attribute] != text {
				return nil, invalid("Attributes Reason: Topic already exists with different attributes")
			}
		}
		return old, nil
	}
	t := &topic{arn: arn, name: name, fifo: fifo, attributes: map[string]string{}, policies: map[string]string{}, tags: map[string]string{}, recent: map[string]published{}}
	if err := t.set(attributes); err != nil {
		return nil, err
	}
	s.topics[arn] = t
	return t, nil
}

func (t *topic) set(attributes map[string]string) error {
	for name, text := range attributes {
		known := topicAttributes[name] || strings.HasSuffix(name, "FeedbackRoleArn") || strings.HasSuffix(name, "FeedbackSampleRate")
		switch {
		case !known:
			return invalid("AttributeName")
		case (name == "ContentBasedDeduplication" || name == "FifoThroughputScope" || name == "ArchivePolicy") && !t.fifo:
			return invalid("Attributes Reason: %s is only supported for FIFO topics", name)
		case name == "Policy" && text != "" && !json.Valid([]byte(text)):
			return invalid("Policy Error: PrincipalNotFound")
		}
	}
	maps.Copy(t.attributes, attributes)
	return nil
}

func (s *Service) deleteTopic(_ context.Context, in topicARN) (struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.destroy(in.TopicARN)
	return struct{}{}, nil
}

// destroy removes a topic and its subscriptions. The caller holds the lock.
func (s *Service) destroy(arn string) {
	if t := s.topics[arn]; t != nil {
		for _, sub := range t.order {
			delete(s.subscriptions, sub.arn)
		}
		delete(s.topics, arn)
	}
}

type listed struct {
	Topics    []topicARN `xml:"Topics>member"`
	NextToken string     `xml:",omitempty"`
}

// pageSize is how many topics or subscriptions a page lists.
const pageSize = 100

// page cuts a page out of a sorted list; tokens count from the front.
func page[T any](list []T, token string) ([]T, string) {
	from, err := strconv.Atoi(token)
	if err != nil || from < 0 || from > len(list) {
		from = 0
	}
	if from+pageSize >= len(list) {
		return list[from:], ""
	}
	return list[from : from+pageSize], strconv.Itoa(from + pageSize)
}

func (s *Service) listTopics(_ context.Context, in struct{ NextToken string }) (listed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	arns, next := page(slices.Sorted(maps.Keys(s.topics)), in.NextToken)
	out := listed{NextToken: next}
	for _, arn := range arns {
		out.Topics = append(out.Topics, topicARN{arn})
	}
	return out, nil
}

type attributes struct {
	Attributes []entry `xml:"Attributes>entry"`
}

func (s *Service) getTopic(_ context.Context, in topicARN) (attributes, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[in.TopicARN]
	if t == nil {
		return attributes{}, noTopic()
	}
	confirmed := 0
	for _, sub := range t.order {
		if sub.token == "" {
			confirmed++
		}
	}
	all := map[string]string{
		"TopicArn": t.arn, "Owner": s.options.Account, "DisplayName": "", "SubscriptionsConfirmed": strconv.Itoa(confirmed),
		"SubscriptionsPending": strconv.Itoa(len(t.order) - confirmed), "SubscriptionsDeleted": "0",
	}
	if t.fifo {
		all["ContentBasedDeduplication"] = "false"
	}
	maps.Copy(all, t.attributes)
	for _, id := range slices.Sorted(maps.Keys(t.policies)) {
		all["Policy"] = t.policies[id]
	}
	return attributes{entries(all)}, nil
}

func (s *Service) setTopic(_ context.Context, in struct{ TopicARN, AttributeName, AttributeValue string }) (struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[in.TopicARN]
	if t == nil {
		return struct{}{}, noTopic()
	}
	if in.AttributeName == "FifoTopic" {
		return struct{}{}, invalid("AttributeName")
	}
	return struct{}{}, t.set(map[string]string{in.AttributeName: in.AttributeValue})
}

type subscriptionARN struct {
	SubscriptionARN string `xml:"SubscriptionArn"`
}

const pending = "pending confirmation"

func (s *Service) subscribe(_ context.Context, in struct {
	TopicARN, Protocol, Endpoint string
	Attributes                   map[string]string
	ReturnSubscriptionARN        bool
}) (subscriptionARN, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := s.add(in.TopicARN, in.Protocol, in.Endpoint, in.Attributes)
	if err != nil {
		return subscriptionARN{}, err
	}
	if sub.token != "" && !in.ReturnSubscriptionARN {
		return subscriptionARN{pending}, nil
	}
	return subscriptionARN{sub.arn}, nil
}

// add makes a subscription, or finds the one of the endpoint. The caller holds
// the lock.
// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
func (s *Service) add(arn, protocol, endpoint string, attributes map[string]string) (*subscription, error) {
	t := s.topics[arn]
	if t == nil {
		return nil, noTopic()
	}
	service := ""
	if parts := strings.SplitN(endpoint, ":", 4); len(parts) == 4 && parts[0] == "arn" {
		service = parts[2]
	}
	waits := false
	switch protocol {
	case "lambda", "sqs":
		if service != protocol {
			return nil, invalid("%s endpoint ARN", protocol)
		}
		if strings.HasSuffix(endpoint, ".fifo") && !t.fifo {
			return nil, invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
		}
	case "http", "https":
		if !strings.HasPrefix(endpoint, protocol+"://") {
			return nil, invalid("Endpoint must match the specified protocol")
		}
		waits = true
	case "email", "email-json", "sms", "application", "firehose":
		waits = strings.HasPrefix(protocol, "email")
		s.options.Tell.Notice("topic %s: the subscription of %s %s is recorded only: the local cloud reaches nobody outside of this machine", t.name, protocol, endpoint)
	default:
		return nil, invalid("Amazon SNS does not support this protocol string: %s", protocol)
	}
	if t.fifo && protocol != "sqs" {
		return nil, invalid("Protocol Reason: %s is not supported by FIFO topics: they deliver to queues only", protocol)
	}
	for _, old := range t.order {
		if old.protocol == protocol && old.endpoint == endpoint {
			for name, text := range attributes {
				if old.attributes[name] != text {
					return nil, invalid("Attributes Reason: Subscription already exists with different attributes")
				}
			}
			return old, nil
		}
	}
	sub := &subscription{arn: arn + ":" + wire.NewRequestID(), topic: arn, protocol: protocol, endpoint: endpoint, attributes: map[string]string{}}
	if err := sub.set(attributes); err != nil {
		return nil, err
	}
	if waits {
		sub.token = rand.Text()
	}
	t.order = append(t.order, sub)
	s.subscriptions[sub.arn] = sub
	if sub.token != "" && strings.HasPrefix(protocol, "http") {
		asked := *sub
		s.running.Go(func() { s.askToConfirm(asked) })
	}
	return sub, nil
}

// set changes attributes, all or none.
// https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
func (sub *subscription) set(attributes map[string]string) error {
	next := maps.Clone(sub.attributes)
	for name, text := range attributes {
		switch name {
		case "DeliveryPolicy", "SubscriptionRoleArn", "ReplayPolicy", "FilterPolicy":
		case "RawMessageDelivery":
			if text != "true" && text != "false" {
				return invalid("Attributes Reason: RawMessageDelivery: Invalid value [%s]. Must be true or false.", text)
			}
			if sub.protocol == "lambda" && text == "true" {
				return invalid("Attributes Reason: RawMessageDelivery: Delivery protocol [lambda] does not support raw message delivery.")
			}
		case "FilterPolicyScope":
			if text != "MessageAttributes" && text != "MessageBody" && text != "" {
				return invalid("Attributes Reason: FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", text)
			}
		case "RedrivePolicy":
			var policy struct {
				Target string `json:"deadLetterTargetArn"`
			}
			if text != "" && text != "{}" && (json.Unmarshal([]byte(text), &policy) != nil || !strings.Contains(policy.Target, ":sqs:")) {
				return invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
			}
		default:
			return invalid("AttributeName")
		}
		if text == "" {
			delete(next, name)
		} else {
			next[name] = text
		}
	}
	filter, err := readFilter(next["FilterPolicy"], next["FilterPolicyScope"])
	if err != nil {
		return err
	}
	sub.attributes, sub.filter = next, filter
	return nil
}

// readFilter reads a filter policy; an empty one takes everything.
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
func readFilter(text, scope string) (*pattern.Pattern, error) {
	if text == "" {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return nil, invalid("FilterPolicy: failed to parse JSON. %v", err)
	}
	if len(fields) == 0 {
		return nil, nil
	}
	if len(fields) > 5 {
		return nil, &stack.Error{Code: "FilterPolicyLimitExceeded", Message: "Invalid parameter: FilterPolicy: Filter policy can not have more than 5 keys", Status: http.StatusForbidden}
	}
	if scope != "MessageBody" {
		for name, raw := range fields {
			if strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
				return nil, invalid("Filter policy scope MessageAttributes does not support nested filter policy: %s", name)
			}
		}
	}
	p, err := pattern.Parse([]byte(text))
	if err != nil {
		return nil, invalid("FilterPolicy: %v", err)
	}
	return p, nil
}

func (s *Service) confirm(_ context.Context, in struct{ TopicARN, Token, AuthenticateOnUnsubscribe string }) (subscriptionARN, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.topics[in.TopicARN]; t != nil {
		for _, sub := range t.order {
			if sub.token != "" && sub.token == in.Token {
				sub.token = ""
				return subscriptionARN{sub.arn}, nil
			}
		}
	}
	return subscriptionARN{}, invalid("Token")
}

func (s *Service) unsubscribe(_ context.Context, in subscriptionARN) (struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(in.SubscriptionARN)
	return struct{}{}, nil
}

// drop removes a subscription. The caller holds the lock.
func (s *Service) drop(arn string) {
	sub := s.subscriptions[arn]
	if sub == nil {
		return
	}
	delete(s.subscriptions, arn)
	if t := s.topics[sub.topic]; t != nil {
		t.order = slices.DeleteFunc(t.order, func(other *subscription) bool { return other == sub })
	}
}

type shownSubscription struct {
	SubscriptionARN string `xml:"SubscriptionArn"`
	Owner           string
	Protocol        string
	Endpoint        string
	TopicARN        string `xml:"TopicArn"`
}

type subscriptions struct {
	Subscriptions []shownSubscription `xml:"Subscriptions>member"`
	NextToken     string              `xml:",omitempty"`
}

func (s *Service) listSubscriptions(_ context.Context, in struct{ TopicARN, NextToken string }) (subscriptions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.TopicARN != "" && s.topics[in.TopicARN] == nil {
		return subscriptions{}, noTopic()
	}
	var all []*subscription
	for _, arn := range slices.Sorted(maps.Keys(s.subscriptions)) {
		if sub := s.subscriptions[arn]; in.TopicARN == "" || sub.topic == in.TopicARN {
			all = append(all, sub)
		}
	}
	shown, next := page(all, in.NextToken)
	out := subscriptions{NextToken: next}
	for _, sub := range shown {
		arn := sub.arn
		if sub.token != "" {
			arn = "PendingConfirmation"
		}
		out.Subscriptions = append(out.Subscriptions, shownSubscription{arn, s.options.Account, sub.protocol, sub.endpoint, sub.topic})
	}
	return out, nil
}

func (s *Service) getSubscription(_ context.Context, in subscriptionARN) (attributes, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscriptions[in.SubscriptionARN]
	if sub == nil {
		return attributes{}, noSubscription()
	}
	all := map[string]string{
		"SubscriptionArn": sub.arn, "TopicArn": sub.topic, "Protocol": sub.protocol, "Endpoint": sub.endpoint, "Owner": s.options.Account,
		"RawMessageDelivery": "false", "PendingConfirmation": fmt.Sprint(sub.token != ""), "ConfirmationWasAuthenticated": "true",
	}
	if sub.filter != nil {
		all["FilterPolicyScope"] = "MessageAttributes"
	}
	maps.Copy(all, sub.attributes)
	return attributes{entries(all)}, nil
}

func (s *Service) setSubscription(_ context.Context, in struct{ SubscriptionARN, AttributeName, AttributeValue string }) (struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscriptions[in.SubscriptionARN]
	if sub == nil {
		return struct{}{}, noSubscription()
	}
	return struct{}{}, sub.set(map[string]string{in.AttributeName: in.AttributeValue})
}

type failedEntry struct {
	ID          string `xml:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

type publishedBatch struct {
	Successful []publishResult `xml:"Successful>member"`
	Failed     []failedEntry   `xml:"Failed>member"`
}

func (s *Service) publishBatch(ctx context.Context, in struct {
	TopicARN                   string
	PublishBatchRequestEntries []publish
}) (publishedBatch, error) {
	s.mu.Lock()
	known := s.topics[in.TopicARN] != nil
	s.mu.Unlock()
	seen, size := map[string]bool{}, 0
	refused := func(code, message string) (publishedBatch, error) {
		return publishedBatch{}, &stack.Error{Code: code, Message: message}
	}
	for _, e := range in.PublishBatchRequestEntries {
		size += len(e.Message)
		for name, a := range e.MessageAttributes {
			size += len(name) + len(a.DataType) + len(a.text())
		}
		if seen[e.ID] {
			return refused("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[e.ID] = true
		if e.ID == "" || len(e.ID) > 80 || strings.Trim(e.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return refused("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification.")
		}
	}
	switch n := len(in.PublishBatchRequestEntries); {
	case !known:
		return publishedBatch{}, noTopic()
	case n == 0:
		return refused("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case n > 10:
		return refused("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	case size > maxMessage:
		return refused("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
	}
	var out publishedBatch
	for _, e := range in.PublishBatchRequestEntries {
		e.TopicARN = in.TopicARN
		sent, err := s.publish(ctx, e)
		if err == nil {
			out.Successful = append(out.Successful, sent)
			continue
		}
		failed := failedEntry{ID: e.ID, Code: "InternalError", Message: err.Error()}
		if api, ok := err.(*stack.Error); ok {
			failed = failedEntry{e.ID, api.Code, api.Message, true}
		}
		out.Failed = append(out.Failed, failed)
	}
	return out, nil
}

func (s *Service) tagged(arn string) (*topic, error) {
	if t := s.topics[arn]; t != nil {
		return t, nil
	}
	return nil, &stack.Error{Code: "ResourceNotFound", Message: "Resource does not exist", Status: http.StatusNotFound}
}

func (s *Service) tag(_ context.Context, in struct {
	ResourceARN string
	Tags        []tag
}) (struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tagged(in.ResourceARN)
	if err != nil {
		return struct{}{}, err
	}
	for _, tag := range in.Tags {
		t.tags[tag.Key] = tag.Value
	}
	return struct{}{}, nil
}

func (s *Service) untag(_ context.Context, in struct {
	ResourceARN string
	TagKeys     []string
}) (struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tagged(in.ResourceARN)
	if err != nil {
		return struct{}{}, err
	}
	for _, key := range in.TagKeys {
		delete(t.tags, key)
	}
	return struct{}{}, nil
}

func (s *Service) listTags(_ context.Context, in struct{ ResourceARN string }) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	var out struct {
		Tags []tag `xml:"Tags>member"`
	}
	for _, key := range slices.Sorted(maps.Keys(t.tags)) {
		out.Tags = append(out.Tags, tag{key, t.tags[key]})
	}
	return out, nil
}
