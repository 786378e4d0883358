package sqs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// limits are the numbers that attributes may have, and their defaults.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var limits = map[string]struct{ least, most, otherwise int }{
	"DelaySeconds":                  {0, 900, 0},
	"MaximumMessageSize":            {1024, 1 << 20, 1 << 20},
	"MessageRetentionPeriod":        {60, 1_209_600, 345_600},
	"ReceiveMessageWaitTimeSeconds": {0, 20, 0},
	"VisibilityTimeout":             {0, 43_200, 30},
	"KmsDataKeyReusePeriodSeconds":  {60, 86_400, 300},
}

// others are the attributes that are no numbers.
var others = map[string]bool{
	"Policy": true, "RedrivePolicy": true, "RedriveAllowPolicy": true, "KmsMasterKeyId": true, "SqsManagedSseEnabled": true,
	"FifoQueue": true, "ContentBasedDeduplication": true, "DeduplicationScope": true, "FifoThroughputLimit": true,
}

// set changes attributes; an empty policy takes it away. Nothing changes when
// one of them is refused. The caller holds the lock.
func (q *queue) set(attributes map[string]string) error {
	next := maps.Clone(q.attributes)
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		text := attributes[name]
		if err := q.checkSetting(name, text); err != nil {
			return err
		}
		if text == "" {
			delete(next, name)
		} else {
			next[name] = text
		}
	}
	read, err := readSettings(next)
	if err != nil {
		return err
	}
	// While queues are restored, the dead-letter queue may come later.
	if _, changed := attributes["RedrivePolicy"]; changed && read.deadLetters != "" && !q.service.restoring {
		if err := q.checkTarget(read.deadLetters, next["RedrivePolicy"]); err != nil {
			return err
		}
	}
	q.attributes, q.settings, q.modified = next, read, q.service.clock.Now()
	return nil
}

// checkTarget refuses a dead-letter queue that cannot be one.
func (q *queue) checkTarget(arn, policy string) error {
	target, why := q.service.byARN(arn), ""
	switch {
	case target == nil:
		why = "Dead letter target does not exist."
	case target.fifo != q.fifo:
		why = "Dead-letter queue must be same type of queue as the source."
	case target.refusesRedriveOf(q.arn()) != "":
		why = "The dead-letter queue's RedriveAllowPolicy does not allow this queue."
	default:
		return nil
	}
	return value("Value %s for parameter RedrivePolicy is invalid. Reason: %s", policy, why)
}

func (q *queue) checkSetting(name, text string) error {
	if limit, ok := limits[name]; ok {
		if n, err := strconv.Atoi(text); err != nil || n < limit.least || n > limit.most {
			return invalidValue(name)
		}
		return nil
	}
	if !others[name] {
		return &stack.Error{Code: "InvalidAttributeName", Message: "Unknown Attribute " + name + "."}
	}
	switch name {
	case "FifoQueue":
		// A standard queue is one without the attribute: not even false is taken.
		if text != "true" || !q.fifo {
			return &stack.Error{Code: "InvalidAttributeName", Message: "Unknown Attribute FifoQueue."}
		}
	case "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit":
		if !q.fifo {
			return &stack.Error{Code: "InvalidAttributeName", Message: "You can specify the " + name + " only when FifoQueue is set to true."}
		}
		allowed := map[string][]string{
			"ContentBasedDeduplication": {"true", "false"}, "DeduplicationScope": {"messageGroup", "queue"}, "FifoThroughputLimit": {"perQueue", "perMessageGroupId"},
		}
		if !slices.Contains(allowed[name], text) {
			return invalidValue(name)
		}
	case "SqsManagedSseEnabled":
		if text != "true" && text != "false" {
			return invalidValue(name)
		}
	case "Policy", "RedriveAllowPolicy":
		if text != "" && !json.Valid([]byte(text)) {
			return invalidValue(name)
		}
	}
	return nil
}

func invalidValue(name string) error {
	return &stack.Error{Code: "InvalidAttributeValue", Message: "Invalid value for the parameter " + name + "."}
}

func readSettings(attributes map[string]string) (settings, error) {
	number := func(name string) int {
		if n, err := strconv.Atoi(attributes[name]); err == nil {
			return n
		}
		return limits[name].otherwise
	}
	seconds := func(name string) time.Duration { return time.Duration(number(name)) * time.Second }
	s := settings{
		delay: seconds("DelaySeconds"), retention: seconds("MessageRetentionPeriod"), visibility: seconds("VisibilityTimeout"),
		wait: seconds("ReceiveMessageWaitTimeSeconds"), maxSize: number("MaximumMessageSize"),
		contentDedup: attributes["ContentBasedDeduplication"] == "true", groupDedup: attributes["DeduplicationScope"] == "messageGroup",
	}
	text := attributes["RedrivePolicy"]
	if text == "" {
		return s, nil
	}
	var policy struct {
		Target any `json:"deadLetterTargetArn"`
		Count  any `json:"maxReceiveCount"`
	}
	refused := func(why string) error {
		return &stack.Error{Code: "InvalidParameterValue", Message: "Value " + text + " for parameter RedrivePolicy is invalid. Reason: " + why}
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return s, refused("Redrive policy is not a valid JSON map.")
	}
	s.deadLetters, _ = policy.Target.(string)
	if s.deadLetters == "" {
		return s, refused("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	}
	switch n := policy.Count.(type) {
	case nil:
		return s, refused("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	case float64:
		s.maxReceives = int(n)
	case string:
		s.maxReceives, _ = strconv.Atoi(n)
	}
	if s.maxReceives < 1 || s.maxReceives > 1000 {
		return s, refused("Invalid value for maxReceiveCount: must be from 1 to 1000.")
	}
	return s, nil
}

// described are the attributes of a queue, all of them.
func (q *queue) described(now time.Time) map[string]string {
	out := map[string]string{}
	for name, limit := range limits {
		if name != "KmsDataKeyReusePeriodSeconds" || q.attributes["KmsMasterKeyId"] != "" {
			out[name] = strconv.Itoa(limit.otherwise)
		}
	}
	out["SqsManagedSseEnabled"] = strconv.FormatBool(q.attributes["KmsMasterKeyId"] == "")
	if q.fifo {
		out["FifoQueue"], out["ContentBasedDeduplication"] = "true", "false"
		out["DeduplicationScope"], out["FifoThroughputLimit"] = "queue", "perQueue"
	}
	maps.Copy(out, q.attributes)
	visible, inFlight, delayed := q.counts(now)
	out["ApproximateNumberOfMessages"] = strconv.Itoa(visible)
	out["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(inFlight)
	out["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(delayed)
	out["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	out["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
	out["QueueArn"] = q.arn()
	if out["Policy"] == "" {
		for _, id := range slices.Sorted(maps.Keys(q.policies)) {
			out["Policy"] = q.policies[id]
		}
	}
	if out["Policy"] == "" {
		delete(out, "Policy")
	}
	return out
}

// create makes a queue, or finds one that is just like it. The caller holds the
// lock.
func (s *Service) create(region, name string, attributes, tags map[string]string) (*queue, error) {
	fifo := attributes["FifoQueue"] == "true"
	switch {
	case strings.HasSuffix(name, ".fifo") != fifo && fifo:
		return nil, value("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	case !validName(strings.TrimSuffix(name, ".fifo")) || len(name) > 80 || strings.HasSuffix(name, ".fifo") && !fifo:
		return nil, value("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if old := s.queues[name]; old != nil {
		described := old.described(s.clock.Now())
		for _, attribute := range slices.Sorted(maps.Keys(attributes)) {
			if described[attribute] != attributes[attribute] {
				return nil, &stack.Error{Code: "QueueNameExists", Message: "A queue already exists with the same name and a different value for attribute " + attribute}
			}
		}
		return old, nil
	}
	q := s.newQueue(region, name, fifo)
	if err := q.set(attributes); err != nil {
		return nil, err
	}
	maps.Copy(q.tags, tags)
	if err := q.keepQueue(); err != nil {
		return nil, err
	}
	s.queues[name] = q
	return q, nil
}

func validName(name string) bool {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return name != ""
}

// destroy removes a queue with its messages. The caller holds the lock.
func (s *Service) destroy(q *queue) {
	q.purge()
	for _, key := range q.takenQ {
		q.forgetKey(key)
	}
	s.log.Delete("queue " + q.name)
	delete(s.queues, q.name)
	q.wake() // those who wait learn that it is gone
}

// purge removes all messages.
func (q *queue) purge() {
	for _, m := range q.all {
		m.gone = true
		q.forget(m)
	}
	q.all, q.ready, q.hidden, q.groups, q.order = map[string]*message{}, list{}, nil, map[string]*group{}, nil
}
