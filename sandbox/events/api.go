package events

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/sandbox/pattern"
	"arc/sandbox/stack"
)

// input is what operations are asked with. Which fields one has is its own.
type input struct {
	Name, Rule, EventBusName, NamePrefix string
	EventPattern, Event                  string
	Entries                              []entry
	Targets                              []map[string]any
	Ids                                  []string
}

// Handle answers EventBridge's operations.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
func (s *Service) Handle(ctx context.Context, operation string, body []byte) (any, error) {
	var in input
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return nil, &stack.Error{Code: "SerializationException", Message: err.Error()}
	}
	on := busName(in.EventBusName)
	switch operation {
	case "PutEvents":
		return s.putEvents(in.Entries)
	case "PutRule":
		return s.writeRule(ctx, on, in.Name, body)
	case "DeleteRule":
		// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html
		if r, err := s.find(on, in.Name); err == nil && len(r.Targets) > 0 {
			return nil, &stack.Error{Code: "ValidationException", Message: "Rule can't be deleted since it has targets."}
		}
		s.removeRule(on, in.Name)
		return struct{}{}, s.log.Delete("rule/" + on + "/" + in.Name)
	case "EnableRule", "DisableRule":
		return s.changeRule(ctx, on, in.Name, "State", map[string]any{"EnableRule": "ENABLED", "DisableRule": "DISABLED"}[operation])
	case "PutTargets", "RemoveTargets":
		return s.changeTargets(ctx, on, in)
	case "DescribeRule":
		r, err := s.find(on, in.Name)
		if err != nil {
			return nil, err
		}
		return r.shown(), nil
	case "ListRules":
		return s.listRules(on, in.NamePrefix)
	case "ListTargetsByRule":
		r, err := s.find(on, in.Rule)
		if err != nil {
			return nil, err
		}
		return map[string]any{"Targets": cmp.Or(r.raw["Targets"], any([]any{}))}, nil
	case "CreateEventBus", "DeleteEventBus", "DescribeEventBus", "ListEventBuses":
		return s.ofBus(ctx, operation, busName(in.Name), in)
	case "TestEventPattern":
		p, err := pattern.Parse([]byte(in.EventPattern))
		if err != nil {
			return nil, &stack.Error{Code: "InvalidEventPatternException", Message: err.Error()}
		}
		return map[string]bool{"Result": p.Match([]byte(in.Event))}, nil
	}
	return nil, &stack.Error{Code: "UnknownOperationException", Message: fmt.Sprintf("the local cloud's EventBridge does not run %q", operation), Status: 501}
}

// entry is one event of PutEvents.
type entry struct {
	Source, DetailType, Detail, EventBusName string
	Resources                                []string
	Time                                     json.Number
}

// Limits of PutEvents.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
const (
	maxEntries = 10
	maxBytes   = 1 << 20
)

func (s *Service) putEvents(entries []entry) (any, error) {
	size := 0
	for _, e := range entries {
		size += len(e.Source) + len(e.DetailType) + len(e.Detail)
		for _, r := range e.Resources {
			size += len(r)
		}
	}
	if n := len(entries); n < 1 || n > maxEntries || size > maxBytes {
		return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("PutEvents takes 1 to %d entries of %d bytes together, not %d of %d", maxEntries, maxBytes, n, size)}
	}
	type result struct {
		EventID      string `json:"EventId,omitempty"`
		ErrorCode    string `json:",omitempty"`
		ErrorMessage string `json:",omitempty"`
	}
	out := struct {
		FailedEntryCount int
		Entries          []result
	}{}
	for _, e := range entries {
		id, failed := s.putEvent(e)
		if failed != nil {
			out.FailedEntryCount++
			out.Entries = append(out.Entries, result{ErrorCode: failed.Code, ErrorMessage: failed.Message})
			continue
		}
		out.Entries = append(out.Entries, result{EventID: id})
	}
	return out, nil
}

func (s *Service) putEvent(e entry) (id string, failed *stack.Error) {
	invalid := func(name string) *stack.Error {
		return &stack.Error{Code: "InvalidArgument", Message: fmt.Sprintf("Parameter %s is not valid. Reason: %s is a required argument.", name, name)}
	}
	var detail map[string]any
	switch {
	case e.Source == "":
		return "", invalid("Source")
	case e.DetailType == "":
		return "", invalid("DetailType")
	case e.Detail == "":
		return "", invalid("Detail")
	case strings.HasPrefix(e.Source, "aws."):
		return "", &stack.Error{Code: "NotAuthorizedForSourceException", Message: "Not authorized for the source."}
	case json.Unmarshal([]byte(e.Detail), &detail) != nil:
		return "", &stack.Error{Code: "MalformedDetail", Message: "Detail is malformed."}
	}
	event := Event{Source: e.Source, DetailType: e.DetailType, Resources: e.Resources, Detail: json.RawMessage(e.Detail)}
	if seconds, err := e.Time.Float64(); err == nil {
		event.Time = time.UnixMilli(int64(seconds * 1000))
	}
	event = s.event(event)
	if err := s.publish(busName(e.EventBusName), event); err != nil {
		if api, ok := err.(*stack.Error); ok {
			return "", api
		}
		return "", &stack.Error{Code: "InternalFailure", Message: err.Error()}
	}
	return event.ID, nil
}

func (s *Service) find(on, name string) (*rule, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buses[on]
	if b == nil {
		return nil, noBus(on)
	}
	if r := b.rules[name]; r != nil {
		return r, nil
	}
	return nil, &stack.Error{Code: "ResourceNotFoundException", Message: fmt.Sprintf("Rule %s does not exist on EventBus %s.", name, on)}
}

// writeRule is PutRule, which leaves a rule's targets alone.
func (s *Service) writeRule(ctx context.Context, on, name string, body []byte) (any, error) {
	var raw map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		return nil, &stack.Error{Code: "SerializationException", Message: err.Error()}
	}
	if old, err := s.find(on, name); err == nil {
		raw["Targets"] = old.raw["Targets"]
	}
	r, err := s.keepRule(ctx, on, name, raw)
	if err != nil {
		return nil, err
	}
	return map[string]string{"RuleArn": r.arn}, nil
}

// keepRule changes a rule for a client, and keeps it for the next run.
func (s *Service) keepRule(ctx context.Context, on, name string, raw map[string]any) (*rule, error) {
	r, err := s.putRule(ctx, on, name, raw)
	if api, ok := err.(*stack.Error); ok {
		return nil, api
	}
	if bad, ok := errors.AsType[*badPattern](err); ok {
		return nil, &stack.Error{Code: "InvalidEventPatternException", Message: "Event pattern is not valid. Reason: " + bad.Error()}
	}
	if err != nil {
		return nil, &stack.Error{Code: "ValidationException", Message: err.Error()}
	}
	return r, s.log.Put("rule/"+on+"/"+name, raw)
}

func (s *Service) changeRule(ctx context.Context, on, name, property string, value any) (any, error) {
	r, err := s.find(on, name)
	if err != nil {
		return nil, err
	}
	_, err = s.keepRule(ctx, on, name, with(r.raw, property, value))
	return struct{}{}, err
}

func (s *Service) changeTargets(ctx context.Context, on string, in input) (any, error) {
	r, err := s.find(on, in.Rule)
	if err != nil {
		return nil, err
	}
	gone := map[any]bool{}
	for _, id := range in.Ids {
		gone[id] = true
	}
	for _, t := range in.Targets {
		gone[t["Id"]] = true
	}
	old, _ := r.raw["Targets"].([]any)
	targets := slices.DeleteFunc(slices.Clone(old), func(t any) bool {
		m, _ := t.(map[string]any)
		return gone[m["Id"]]
	})
	for _, t := range in.Targets {
		targets = append(targets, t)
	}
	if _, err := s.keepRule(ctx, on, in.Rule, with(r.raw, "Targets", targets)); err != nil {
		return nil, err
	}
	return map[string]any{"FailedEntryCount": 0, "FailedEntries": []any{}}, nil
}

// shown is what clients see of a rule.
func (r *rule) shown() map[string]any {
	out := map[string]any{"Name": r.Name, "Arn": r.arn, "State": cmp.Or(r.State, "ENABLED"), "EventBusName": r.bus}
	if r.Description != "" {
		out["Description"] = r.Description
	}
	if r.ScheduleExpression != "" {
		out["ScheduleExpression"] = r.ScheduleExpression
	}
	if r.EventPattern != nil {
		text, ok := r.EventPattern.(string)
		if !ok {
			data, _ := json.Marshal(r.EventPattern) // what was read from JSON
			text = string(data)
		}
		out["EventPattern"] = text
	}
	return out
}

func (s *Service) listRules(on, prefix string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buses[on]
	if b == nil {
		return nil, noBus(on)
	}
	rules := []any{}
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		if strings.HasPrefix(name, prefix) {
			rules = append(rules, b.rules[name].shown())
		}
	}
	return map[string]any{"Rules": rules}, nil
}

func (s *Service) ofBus(ctx context.Context, operation, name string, in input) (any, error) {
	s.mu.Lock()
	b := s.buses[name]
	s.mu.Unlock()
	switch {
	case operation == "CreateEventBus" && b != nil:
		return nil, &stack.Error{Code: "ResourceAlreadyExistsException", Message: "Event bus " + name + " already exists."}
	case operation == "CreateEventBus":
		if err := s.log.Put("bus/"+name, struct{}{}); err != nil {
			return nil, err
		}
		return map[string]string{"EventBusArn": s.putBus(ctx, name).arn}, nil
	case operation == "DeleteEventBus":
		return struct{}{}, s.removeBus(name)
	case operation == "DescribeEventBus" && b == nil:
		return nil, noBus(name)
	case operation == "DescribeEventBus":
		return map[string]string{"Name": b.name, "Arn": b.arn}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.buses)) {
		if strings.HasPrefix(name, in.NamePrefix) {
			list = append(list, map[string]string{"Name": name, "Arn": s.buses[name].arn})
		}
	}
	return map[string]any{"EventBuses": list}, nil
}
