package sns

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

const (
	maxMessage  = 256 << 10
	dedupWindow = 5 * time.Minute
	// An HTTP server that does not answer is asked three times more, 20 seconds
	// apart, as SNS does unless a delivery policy says otherwise.
	// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
	httpRetries = 3
	httpWait    = 20 * time.Second
)

// attribute is a message attribute; the value of a binary one is in base64.
type attribute struct{ DataType, StringValue, BinaryValue string }

func (a attribute) text() string {
	if strings.HasPrefix(a.DataType, "Binary") {
		return a.BinaryValue
	}
	return a.StringValue
}

type publish struct {
	TopicARN, TargetARN, PhoneNumber string
	ID                               string // of an entry in a batch
	Message, Subject                 string
	MessageStructure                 string
	MessageAttributes                map[string]attribute
	MessageGroupID                   string
	MessageDeduplicationID           string
}

type publishResult struct {
	ID             string `xml:"Id,omitempty"` // of an entry in a batch
	MessageID      string `xml:"MessageId"`
	SequenceNumber string `xml:",omitempty"`
}

// outgoing is a message on its way.
type outgoing struct {
	id, subject, sequence, group, dedup string
	time                                time.Time
	texts                               map[string]string // by protocol; "default" for the rest
	attributes                          map[string]attribute
	topic                               *topic
}

func (m *outgoing) text(protocol string) string {
	if text, ok := m.texts[protocol]; ok {
		return text
	}
	return m.texts["default"]
}

func (s *Service) publish(ctx context.Context, in publish) (publishResult, error) {
	m, err := s.accept(&in)
	if err != nil {
		return publishResult{}, err
	}
	if m.topic.fifo {
		m.topic.publishing.Lock()
		defer m.topic.publishing.Unlock()
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return publishResult{}, &stack.Error{Code: "InternalError", Message: "the local cloud is stopping", Status: http.StatusInternalServerError}
	}
	if m.topic.fifo {
		if before, repeated := m.topic.repeated(m, s.clock.Now()); repeated {
			s.mu.Unlock()
			s.tell(m.topic.arn, "", "dropped: its deduplication ID came within the last five minutes; the first one went out", before.id)
			return publishResult{in.ID, before.id, before.sequence}, nil
		}
	}
	var to []subscription
	for _, sub := range m.topic.order {
		if sub.token == "" {
			to = append(to, *sub)
		}
	}
	s.mu.Unlock()
	if len(to) == 0 {
		s.tell(m.topic.arn, "", "dropped: the topic has no confirmed subscriptions", m.id)
	}
	for _, sub := range to {
		if !sub.takes(m) {
			s.tell(m.topic.arn, "", "left out: the filter policy of "+sub.endpoint+" does not match", m.id)
			continue
		}
		s.deliver(ctx, sub, m)
	}
	return publishResult{in.ID, m.id, m.sequence}, nil
}

// accept checks a message, and makes it ready to go.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func (s *Service) accept(in *publish) (*outgoing, error) {
	arn := in.TopicARN
	if arn == "" {
		arn = in.TargetARN
	}
	if in.PhoneNumber != "" {
		return nil, invalid("PhoneNumber Reason: the local cloud sends no SMS")
	}
	if arn == "" {
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	}
	s.mu.Lock()
	t := s.topics[arn]
	byContent := t != nil && t.attributes["ContentBasedDeduplication"] == "true"
	s.mu.Unlock()
	if t == nil {
		return nil, noTopic()
	}
	size := len(in.Message)
	for name, a := range in.MessageAttributes {
		size += len(name) + len(a.DataType) + len(a.text())
		base, _, _ := strings.Cut(a.DataType, ".")
		switch {
		case base != "String" && base != "Number" && base != "Binary":
			return nil, &stack.Error{Code: "ParameterValueInvalid", Message: fmt.Sprintf("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)}
		case a.text() == "":
			return nil, &stack.Error{Code: "ParameterValueInvalid", Message: fmt.Sprintf("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.DataType)}
		}
	}
	switch {
	case in.Message == "":
		return nil, invalid("Empty message")
	case size > maxMessage:
		return nil, invalid("Message too long")
	case in.Subject != "" && (len(in.Subject) > 100 || strings.ContainsAny(in.Subject, "\n\r")):
		return nil, invalid("Subject")
	case t.fifo && in.MessageGroupID == "":
		return nil, invalid("The MessageGroupId parameter is required for FIFO topics")
	case !t.fifo && in.MessageDeduplicationID != "":
		return nil, invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case t.fifo && in.MessageDeduplicationID == "" && !byContent:
		return nil, invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	m := &outgoing{
		id: wire.NewRequestID(), subject: in.Subject, group: in.MessageGroupID, dedup: in.MessageDeduplicationID, time: s.clock.Now(),
		texts: map[string]string{"default": in.Message}, attributes: in.MessageAttributes, topic: t,
	}
	if in.MessageStructure == "json" {
		m.texts = map[string]string{}
		var each map[string]any
		if err := json.Unmarshal([]byte(in.Message), &each); err != nil {
			return nil, invalid("Message Structure - JSON message body failed to parse")
		}
		for protocol, text := range each {
			if text, ok := text.(string); ok {
				m.texts[protocol] = text
			}
		}
		if _, ok := m.texts["default"]; !ok {
			return nil, invalid("Message Structure - No default entry in JSON message body")
		}
	}
	if t.fifo && m.dedup == "" {
		sum := sha256.Sum256([]byte(in.Message))
		m.dedup = hex.EncodeToString(sum[:])
	}
	return m, nil
}

// repeated finds the first message with the same deduplication ID, or notes
// this one. The caller holds the lock.
func (t *topic) repeated(m *outgoing, now time.Time) (published, bool) {
	for len(t.recentQ) > 0 && now.Sub(t.recent[t.recentQ[0]].at) >= dedupWindow {
		delete(t.recent, t.recentQ[0])
		t.recentQ = t.recentQ[1:]
	}
	key := m.dedup
	if t.attributes["FifoThroughputScope"] == "MessageGroup" {
		key = m.group + "\x00" + key
	}
	if before, ok := t.recent[key]; ok {
		return before, true
	}
	t.next++
	m.sequence = "1" + fmt.Sprintf("%019d", t.next)
	t.recent[key] = published{m.id, m.sequence, now}
	t.recentQ = append(t.recentQ, key)
	return published{}, false
}

// takes reports whether the subscription's filter policy matches.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
func (sub *subscription) takes(m *outgoing) bool {
	if sub.filter == nil {
		return true
	}
	if sub.attributes["FilterPolicyScope"] == "MessageBody" {
		return sub.filter.Match([]byte(m.text(sub.protocol)))
	}
	if len(m.attributes) == 0 {
		return false
	}
	object := map[string]any{}
	for name, a := range m.attributes {
		switch base, custom, _ := strings.Cut(a.DataType, "."); {
		case base == "Number":
			object[name] = json.Number(a.StringValue)
		case base == "String" && custom == "Array":
			d := json.NewDecoder(strings.NewReader(a.StringValue))
			d.UseNumber()
			var list any
			if d.Decode(&list) == nil {
				object[name] = list
			}
		case base == "String":
			object[name] = a.StringValue
		}
	}
	text, err := json.Marshal(object)
	return err == nil && sub.filter.Match(text)
}

// shownAttribute is a message attribute in what subscribers are sent.
type shownAttribute struct{ Type, Value string }

func (m *outgoing) shown() map[string]shownAttribute {
	out := map[string]shownAttribute{}
	for name, a := range m.attributes {
		out[name] = shownAttribute{a.DataType, a.text()}
	}
	return out
}

const timestamp = "2006-01-02T15:04:05.000Z"

// unsigned is what stands for a signature: nobody's key is here to sign with.
var unsigned = base64.StdEncoding.EncodeToString([]byte("the local cloud signs nothing"))

// deliver brings a message to one subscription, or to its dead letters.
func (s *Service) deliver(ctx context.Context, sub subscription, m *outgoing) {
	switch sub.protocol {
	case "lambda":
		body, err := json.Marshal(s.lambdaEvent(sub, m))
		if err == nil {
			err = s.send(ctx, sub.endpoint, invoke.Message{ID: m.id, Body: body, Principal: "sns.amazonaws.com", Source: sub.topic})
		}
		s.delivered(ctx, sub, m, err)
	case "sqs":
		out := invoke.Message{ID: m.id, Body: []byte(m.text("sqs")), Principal: "sns.amazonaws.com", Source: sub.topic, Group: m.group, Dedup: m.dedup}
		if sub.attributes["RawMessageDelivery"] == "true" {
			if len(m.attributes) > 10 {
				s.fail(ctx, sub, m, "raw delivery to a queue takes no more than 10 message attributes")
				return
			}
			out.Attributes = map[string]invoke.Attribute{}
			for name, a := range m.attributes {
				text := a.text()
				if strings.HasPrefix(a.DataType, "Binary") {
					if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
						text = string(raw)
					}
				}
				out.Attributes[name] = invoke.Attribute{Type: a.DataType, Value: text}
			}
		} else {
			out.Body, _ = json.Marshal(s.envelope(sub, m, "Notification"))
		}
		if !strings.HasSuffix(sub.endpoint, ".fifo") {
			out.Dedup = ""
		}
		s.delivered(ctx, sub, m, s.send(ctx, sub.endpoint, out))
	case "http", "https":
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			s.running.Go(func() { s.post(sub, m) })
		}
	default:
		s.tell(sub.topic, "", fmt.Sprintf("not sent to %s %s: the local cloud reaches nobody outside of this machine", sub.protocol, sub.endpoint), m.id)
	}
}

func (s *Service) send(ctx context.Context, arn string, m invoke.Message) error {
	if s.options.Send == nil {
		return fmt.Errorf("the local cloud cannot hand on to %s", arn)
	}
	return s.options.Send(context.WithoutCancel(ctx), arn, m)
}

func (s *Service) delivered(ctx context.Context, sub subscription, m *outgoing, err error) {
	if err != nil {
		s.fail(ctx, sub, m, err.Error())
		return
	}
	s.tell(sub.topic, "", "delivered to "+sub.endpoint, m.id)
}

// fail gives a delivery up: the subscription's dead-letter queue takes what it
// would have got.
// https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
func (s *Service) fail(ctx context.Context, sub subscription, m *outgoing, why string) {
	var policy struct {
		Target string `json:"deadLetterTargetArn"`
	}
	json.Unmarshal([]byte(sub.attributes["RedrivePolicy"]), &policy) // checked when it was set
	if policy.Target == "" {
		s.tell(sub.topic, "", fmt.Sprintf("lost for %s: %s; the subscription has no dead-letter queue", sub.endpoint, why), m.id)
		return
	}
	body, _ := json.Marshal(s.envelope(sub, m, "Notification"))
	out := invoke.Message{ID: m.id, Body: body, Principal: "sns.amazonaws.com", Source: sub.topic, Group: m.group, Dedup: m.dedup}
	if err := s.send(ctx, policy.Target, out); err != nil {
		s.tell(sub.topic, "", fmt.Sprintf("lost for %s: %s; and its dead-letter queue does not take it: %v", sub.endpoint, why, err), m.id)
		return
	}
	s.tell(sub.topic, "", fmt.Sprintf("not delivered to %s: %s; in the dead-letter queue %s", sub.endpoint, why, policy.Target), m.id)
}

// envelope is what queues and HTTP servers are sent.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func (s *Service) envelope(sub subscription, m *outgoing, kind string) map[string]any {
	out := map[string]any{
		"Type": kind, "MessageId": m.id, "TopicArn": sub.topic, "Message": m.text(sub.protocol), "Timestamp": m.time.UTC().Format(timestamp),
		"SignatureVersion": "1", "Signature": unsigned, "SigningCertURL": s.url() + "/SimpleNotificationService.pem",
		"UnsubscribeURL": s.url() + "/?Action=Unsubscribe&SubscriptionArn=" + url.QueryEscape(sub.arn),
	}
	if m.subject != "" {
		out["Subject"] = m.subject
	}
	if m.sequence != "" {
		out["SequenceNumber"] = m.sequence
	}
	if len(m.attributes) > 0 {
		out["MessageAttributes"] = m.shown()
	}
	return out
}

// lambdaEvent is what functions are given.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
func (s *Service) lambdaEvent(sub subscription, m *outgoing) any {
	var subject any
	if m.subject != "" {
		subject = m.subject
	}
	return map[string]any{"Records": []any{map[string]any{
		"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": sub.arn,
		"Sns": map[string]any{
			"Type": "Notification", "MessageId": m.id, "TopicArn": sub.topic, "Subject": subject, "Message": m.text("lambda"),
			"Timestamp": m.time.UTC().Format(timestamp), "SignatureVersion": "1", "Signature": unsigned,
			"SigningCertUrl": s.url() + "/SimpleNotificationService.pem",
			"UnsubscribeUrl": s.url() + "/?Action=Unsubscribe&SubscriptionArn=" + url.QueryEscape(sub.arn), "MessageAttributes": m.shown(),
		},
	}}}
}

// loopback reports whether a URL is one of this machine.
func loopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	if host := u.Hostname(); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err == nil && address.IsLoopback()
}

// post brings a message to an HTTP server.
func (s *Service) post(sub subscription, m *outgoing) {
	raw := sub.attributes["RawMessageDelivery"] == "true"
	body := []byte(m.text(sub.protocol))
	if !raw {
		body, _ = json.Marshal(s.envelope(sub, m, "Notification"))
	}
	for try := 0; ; try++ {
		permanent, err := s.request(sub, "Notification", m.id, body, raw)
		if err == nil {
			s.delivered(s.ending, sub, m, nil)
			return
		}
		if permanent || try == httpRetries {
			s.fail(s.ending, sub, m, err.Error())
			return
		}
		s.tell(sub.topic, "", fmt.Sprintf("not delivered to %s (%v); tried again in %s, as on AWS", sub.endpoint, err, httpWait), m.id)
		select {
		case <-s.clock.After(httpWait):
		case <-s.ending.Done():
			s.tell(sub.topic, "", "lost for "+sub.endpoint+": the local cloud is stopping", m.id)
			return
		}
	}
}

// request is one try. An answer of 4xx other than 429 is for good.
func (s *Service) request(sub subscription, kind, id string, body []byte, raw bool) (permanent bool, err error) {
	if !loopback(sub.endpoint) {
		return true, fmt.Errorf("the local cloud reaches nobody outside of this machine")
	}
	req, err := http.NewRequestWithContext(s.ending, http.MethodPost, sub.endpoint, bytes.NewReader(body))
	if err != nil {
		return true, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	req.Header.Set("User-Agent", "Amazon Simple Notification Service Agent")
	req.Header.Set("x-amz-sns-message-type", kind)
	req.Header.Set("x-amz-sns-message-id", id)
	req.Header.Set("x-amz-sns-topic-arn", sub.topic)
	if kind == "Notification" {
		req.Header.Set("x-amz-sns-subscription-arn", sub.arn)
	}
	if raw {
		req.Header.Set("x-amz-sns-rawdelivery", "true")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	return resp.StatusCode/100 == 4 && resp.StatusCode != http.StatusTooManyRequests, fmt.Errorf("it answered %s", resp.Status)
}

// askToConfirm sends an HTTP server the secret with which it confirms.
func (s *Service) askToConfirm(sub subscription) {
	m := &outgoing{id: wire.NewRequestID(), time: s.clock.Now(), texts: map[string]string{
		"default": "You have chosen to subscribe to the topic " + sub.topic + ".\nTo confirm the subscription, visit the SubscribeURL included in this message.",
	}}
	body := s.envelope(sub, m, "SubscriptionConfirmation")
	delete(body, "UnsubscribeURL")
	body["Token"] = sub.token
	body["SubscribeURL"] = s.url() + confirmPath + "?" + url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {sub.topic}, "Token": {sub.token}}.Encode()
	text, _ := json.Marshal(body)
	if _, err := s.request(sub, "SubscriptionConfirmation", m.id, text, false); err != nil {
		s.tell(sub.topic, "", fmt.Sprintf("the subscription of %s waits for its confirmation, which could not be asked for: %v", sub.endpoint, err), m.id)
	}
}
