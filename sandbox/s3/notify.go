package s3

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// servicePrincipal is in whose name buckets notify others.
const servicePrincipal = "s3.amazonaws.com"

// notifications is a bucket's setting of the name, as clients send it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_NotificationConfiguration.html
type notifications struct {
	XMLName   xml.Name       `xml:"NotificationConfiguration"`
	Xmlns     string         `xml:"xmlns,attr,omitempty"`
	Functions []notification `xml:"CloudFunctionConfiguration"`
	Queues    []notification `xml:"QueueConfiguration"`
	Topics    []notification `xml:"TopicConfiguration"`
	Bus       *struct{}      `xml:"EventBridgeConfiguration"`
}

// notification is who hears of which events about which keys.
type notification struct {
	ID       string       `xml:"Id,omitempty"`
	Function string       `xml:"CloudFunction,omitempty"`
	Queue    string       `xml:"Queue,omitempty"`
	Topic    string       `xml:"Topic,omitempty"`
	Events   []string     `xml:"Event"`
	Rules    []filterRule `xml:"Filter>S3Key>FilterRule,omitempty"`
}

type filterRule struct{ Name, Value string }

// target is the ARN of who hears.
func (n notification) target() string { return n.Function + n.Queue + n.Topic }

// wants reports whether a notification is for an event ("ObjectCreated:Put") of a key.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func (n notification) wants(event, key string) bool {
	for _, rule := range n.Rules {
		if strings.EqualFold(rule.Name, "prefix") && !strings.HasPrefix(key, rule.Value) ||
			strings.EqualFold(rule.Name, "suffix") && !strings.HasSuffix(key, rule.Value) {
			return false
		}
	}
	for _, wanted := range n.Events {
		wanted = strings.TrimPrefix(wanted, "s3:")
		if wanted == event || strings.HasSuffix(wanted, ":*") && strings.HasPrefix(event, strings.TrimSuffix(wanted, "*")) {
			return true
		}
	}
	return false
}

// notificationProperties are the same in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-notificationconfiguration.html
type notificationProperties struct {
	LambdaConfigurations, QueueConfigurations, TopicConfigurations []struct {
		Event                  string `cfn:"required"`
		Function, Queue, Topic string
		Filter                 struct {
			S3Key struct{ Rules []filterRule }
		}
	}
	EventBridgeConfiguration *struct{ EventBridgeEnabled *bool }
}

// document is what a client would have sent for the properties.
func (p *notificationProperties) document() notifications {
	out := notifications{Xmlns: namespace}
	for i, c := range p.LambdaConfigurations {
		out.Functions = append(out.Functions, notification{ID: fmt.Sprintf("function-%d", i), Function: c.Function, Events: []string{c.Event}, Rules: c.Filter.S3Key.Rules})
	}
	for i, c := range p.QueueConfigurations {
		out.Queues = append(out.Queues, notification{ID: fmt.Sprintf("queue-%d", i), Queue: c.Queue, Events: []string{c.Event}, Rules: c.Filter.S3Key.Rules})
	}
	for i, c := range p.TopicConfigurations {
		out.Topics = append(out.Topics, notification{ID: fmt.Sprintf("topic-%d", i), Topic: c.Topic, Events: []string{c.Event}, Rules: c.Filter.S3Key.Rules})
	}
	if c := p.EventBridgeConfiguration; c != nil && (c.EventBridgeEnabled == nil || *c.EventBridgeEnabled) {
		out.Bus = &struct{}{}
	}
	return out
}

// all are the notifications of functions, queues and topics.
func (n notifications) all() []notification {
	return append(append(append([]notification{}, n.Functions...), n.Queues...), n.Topics...)
}

// checkNotifications looks whether a configuration may be a bucket's: all who hear are
// there and let the bucket call them. Queues and topics get a test message then, as
// on AWS, which is how they are asked; functions do not.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-enable-disable-notification-intro.html
func (s *Server) checkNotifications(ctx context.Context, bucket string, set notifications) error {
	for _, n := range set.all() {
		for _, event := range n.Events {
			family, _, _ := strings.Cut(strings.TrimPrefix(event, "s3:"), ":")
			if !strings.HasPrefix(event, "s3:") || family != "ObjectCreated" && family != "ObjectRemoved" && !knownEvents[family] {
				return &stack.Error{Code: "InvalidArgument", Message: fmt.Sprintf("The event '%s' is not supported for notifications", event)}
			}
		}
		var err error
		switch {
		case n.target() == "":
			err = errors.New("the destination has no ARN")
		case n.Function != "":
			if s.options.Permit != nil {
				err = s.options.Permit(n.Function, servicePrincipal, s.bucketARN(bucket))
			}
		default:
			body, _ := json.Marshal(map[string]string{"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": isoTime(time.Now()), "Bucket": bucket, "RequestId": wire.NewRequestID(), "HostId": "local"})
			err = s.send(ctx, n.target(), invoke.Message{Body: body, Principal: servicePrincipal, Source: s.bucketARN(bucket)})
		}
		if err != nil {
			return &stack.Error{Code: "InvalidArgument", Message: fmt.Sprintf("Unable to validate the following destination configurations: %s: %v", n.target(), err), Status: http.StatusBadRequest}
		}
	}
	return nil
}

// knownEvents are families of events that never happen here.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
var knownEvents = map[string]bool{
	"ObjectRestore": true, "Replication": true, "ReducedRedundancyLostObject": true, "LifecycleExpiration": true, "LifecycleTransition": true,
	"IntelligentTiering": true, "ObjectTagging": true, "ObjectAcl": true,
}

func (s *Server) send(ctx context.Context, arn string, m invoke.Message) error {
	if s.options.Send == nil {
		return errors.New("nobody is told here")
	}
	return s.options.Send(ctx, arn, m)
}

func (s *Server) bucketARN(name string) string {
	return stack.ARN(s.options.Region, "s3", "", "", name)
}

func isoTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// happening is what became of an object, for those who hear of it.
type happening struct {
	bucket, event, key string
	size               int64
	md5                []byte
	version            string // "" in a bucket that was never versioned
	at                 time.Time
	set                notifications
}

// herald tells what happened in buckets, one after another and behind the answer
// to whoever did it.
type herald struct {
	mu      sync.Mutex
	waiting []happening
	running bool
	closed  bool
	done    sync.WaitGroup
}

// happened takes an event of a bucket. The caller holds the store's lock.
func (s *Server) happened(b *bucket, event, key string, v *version) {
	text := b.settings["notification"]
	if len(text) == 0 {
		return
	}
	h := happening{bucket: b.name, event: event, key: key, at: time.Now()}
	if xml.Unmarshal(text, &h.set) != nil {
		return // it was checked when it was set
	}
	if v != nil && v.data != nil {
		h.size, h.md5 = v.data.size, v.data.md5
	}
	if v != nil && v.id != "" {
		h.version = string(v.id)
	}
	r := &s.herald
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.waiting = append(r.waiting, h)
	if !r.running {
		r.running = true
		r.done.Go(s.proclaim)
	}
}

// proclaim tells what waits.
func (s *Server) proclaim() {
	for {
		r := &s.herald
		r.mu.Lock()
		if len(r.waiting) == 0 {
			r.running = false
			r.mu.Unlock()
			return
		}
		h := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.mu.Unlock()
		for _, n := range h.set.all() {
			if n.wants(h.event, h.key) {
				s.notify(n.target(), invoke.Message{Body: h.record(s.options.Region, n.ID, s.bucketARN(h.bucket)), Principal: servicePrincipal, Source: s.bucketARN(h.bucket)})
			}
		}
		if h.set.Bus != nil {
			if body, ok := h.busEvent(s.options.Account); ok {
				s.notify(stack.ARN(s.options.Region, "events", s.options.Region, s.options.Account, "event-bus/default"), invoke.Message{
					Body: body, Principal: servicePrincipal, Source: s.bucketARN(h.bucket),
					Attributes: map[string]invoke.Attribute{"Source": {Type: "String", Value: "aws.s3"}, "DetailType": {Type: "String", Value: h.detailType()}},
				})
			}
		}
	}
}

// notify hands one message on. What nobody takes is told, and gone, as on AWS.
func (s *Server) notify(arn string, m invoke.Message) {
	if err := s.send(context.Background(), arn, m); err != nil {
		s.options.Tell.Or()(activity.Event{Kind: activity.Delivery, Resource: arn, Text: fmt.Sprintf("is not told of an object in %s, and will not be again: %v", m.Source[strings.LastIndexByte(m.Source, ':')+1:], err)})
	}
}

// record is the event as functions, queues and topics get it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
func (h happening) record(region, id, arn string) []byte {
	object := map[string]any{"key": strings.ReplaceAll(url.QueryEscape(h.key), "%2F", "/"), "sequencer": fmt.Sprintf("%016X", h.at.UnixNano())}
	if strings.HasPrefix(h.event, "ObjectCreated:") {
		object["size"], object["eTag"] = h.size, hex.EncodeToString(h.md5)
	}
	if h.version != "" {
		object["versionId"] = h.version
	}
	body, _ := json.Marshal(map[string]any{"Records": []any{map[string]any{
		"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": region, "eventTime": isoTime(h.at), "eventName": h.event,
		"userIdentity":      map[string]any{"principalId": "AWS:LOCAL"},
		"requestParameters": map[string]any{"sourceIPAddress": "127.0.0.1"},
		"responseElements":  map[string]any{"x-amz-request-id": "LOCAL", "x-amz-id-2": "local"},
		"s3": map[string]any{
			"s3SchemaVersion": "1.0", "configurationId": id, "object": object,
			"bucket": map[string]any{"name": h.bucket, "ownerIdentity": map[string]any{"principalId": "LOCAL"}, "arn": arn},
		},
	}}})
	return body
}

func (h happening) detailType() string {
	if strings.HasPrefix(h.event, "ObjectCreated:") {
		return "Object Created"
	}
	return "Object Deleted"
}

// reasons are what EventBridge calls the events that happen here.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
var reasons = map[string]string{
	"ObjectCreated:Put": "PutObject", "ObjectCreated:Post": "POST Object", "ObjectCreated:Copy": "CopyObject", "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
	"ObjectRemoved:Delete": "DeleteObject", "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}

// busEvent is the detail of the event for EventBridge.
func (h happening) busEvent(account string) ([]byte, bool) {
	reason, ok := reasons[h.event]
	object := map[string]any{"key": h.key, "sequencer": fmt.Sprintf("%016X", h.at.UnixNano())}
	if h.version != "" {
		object["version-id"] = h.version
	}
	detail := map[string]any{"version": "0", "bucket": map[string]any{"name": h.bucket}, "object": object, "request-id": "LOCAL", "requester": account, "source-ip-address": "127.0.0.1", "reason": reason}
	if h.detailType() == "Object Created" {
		object["size"], object["etag"] = h.size, hex.EncodeToString(h.md5)
	} else if detail["deletion-type"] = "Permanently Deleted"; strings.HasSuffix(h.event, "MarkerCreated") {
		detail["deletion-type"] = "Delete Marker Created"
	}
	body, err := json.Marshal(detail)
	return body, ok && err == nil
}
