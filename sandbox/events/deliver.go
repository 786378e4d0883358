package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
)

// principal is what the service is to those it calls.
const principal = "events.amazonaws.com"

// EventBridge's own retry policy.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
const (
	maxRetries = 185
	maxAge     = 24 * time.Hour
)

// check looks at a target; note tells that it does nothing here.
func (t *target) check() (note string, err error) {
	inputs := 0
	for _, given := range []bool{t.Input != "", t.InputPath != "", t.InputTransformer != nil} {
		if given {
			inputs++
		}
	}
	if inputs > 1 {
		return "", fmt.Errorf("Input: only one of Input, InputPath and InputTransformer can be given") //nolint:staticcheck // a property's name
	}
	if t.Input != "" && !json.Valid([]byte(t.Input)) {
		return "", fmt.Errorf("Input: is not JSON") //nolint:staticcheck // a property's name
	}
	if n := t.RetryPolicy.MaximumRetryAttempts; n != nil && (*n < 0 || *n > maxRetries) {
		return "", fmt.Errorf("RetryPolicy.MaximumRetryAttempts: %d: must be 0 to %d", *n, maxRetries) //nolint:staticcheck // a property's name
	}
	if n := t.RetryPolicy.MaximumEventAgeInSeconds; n != nil && (*n < 60 || *n > int(maxAge/time.Second)) {
		return "", fmt.Errorf("RetryPolicy.MaximumEventAgeInSeconds: %d: must be 60 to 86400", *n) //nolint:staticcheck // a property's name
	}
	parts := strings.SplitN(t.Arn, ":", 6)
	if len(parts) < 6 {
		return "", fmt.Errorf("Arn: %q is not an ARN", t.Arn) //nolint:staticcheck // a property's name
	}
	switch parts[2] {
	case "lambda", "sqs", "sns", "events", "states":
		return "", nil
	}
	return "recorded only: the local cloud has no targets such as " + t.Arn, nil
}

// toTargets hands an event to all targets of a rule. When it returns, each has
// taken it, or will not, or is to be asked again in the background: who has sent
// the event is not answered before that, so that the end of the process does not
// lose it. Other buses alone are not waited for, since they may send it back here.
func (s *Service) toTargets(r *rule, e Event) {
	var asked []chan struct{}
	defer func() {
		for _, one := range asked {
			<-one
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if len(r.Targets) == 0 {
		s.options.Tell(activity.Event{Kind: activity.Delivery, Resource: "rule " + r.Name, RequestID: e.ID, Text: "has no targets"})
	}
	for _, t := range r.Targets {
		done := make(chan struct{})
		if !strings.Contains(t.Arn, ":event-bus/") {
			asked = append(asked, done)
		}
		s.running.Go(func() { s.deliver(r, t, e, sync.OnceFunc(func() { close(done) })) })
	}
}

// deliver hands an event to a target; asked is called as soon as that is done, or
// is to be tried again later.
func (s *Service) deliver(r *rule, t target, e Event, asked func()) {
	defer asked()
	say := func(format string, args ...any) {
		called := s.options.Called(t.Arn)
		if called == "" {
			called = t.Arn
		}
		s.options.Tell(activity.Event{Kind: activity.Delivery, Function: called, Resource: "rule " + r.Name, RequestID: e.ID, Text: fmt.Sprintf(format, args...)})
	}
	event, err := json.Marshal(e)
	if err != nil {
		say("cannot be given the event: %v", err)
		return
	}
	body := event
	// A bus passes events on as they are.
	if !strings.Contains(t.Arn, ":event-bus/") {
		if body, err = t.input(r, event); err != nil {
			say("cannot be given the event: %v", err)
			return
		}
	}
	retries, age := maxRetries, maxAge
	if n := t.RetryPolicy.MaximumRetryAttempts; n != nil {
		retries = *n
	}
	if n := t.RetryPolicy.MaximumEventAgeInSeconds; n != nil {
		age = time.Duration(*n) * time.Second
	}
	m := invoke.Message{Body: body, Principal: principal, Source: r.arn, Role: t.RoleArn, Session: r.Name, Group: t.SqsParameters.MessageGroupId}
	handover := invoke.Handover{Send: s.options.Send, Clock: s.options.Clock, Again: func(err error, wait time.Duration) {
		say("failed (%v); tried again in %s, as on AWS", err, wait)
		asked()
	}}
	failed := handover.Deliver(s.ctx, t.Arn, m, retries, age)
	if failed == nil {
		say("is given the event %q", e.DetailType)
		return
	}
	s.giveUp(r, t, body, failed, say)
}

// giveUp takes an event to a target's dead-letter queue.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func (s *Service) giveUp(r *rule, t target, body []byte, failed *invoke.Failure, say func(string, ...any)) {
	queue := t.DeadLetterConfig.Arn
	switch {
	case errors.Is(failed.Err, invoke.ErrClosed):
		say("given up: the local cloud is stopping")
		return
	case queue == "":
		say("is not given the event (%v), which is lost: the target has no dead-letter queue", failed.Err)
		return
	}
	attributes := map[string]invoke.Attribute{}
	for name, value := range map[string]string{
		"RULE_ARN": r.arn, "TARGET_ARN": t.Arn, "ERROR_CODE": failed.Code, "ERROR_MESSAGE": failed.Err.Error(),
		"EXHAUSTED_RETRY_CONDITION": failed.Condition, "RETRY_ATTEMPTS": fmt.Sprint(failed.Retries),
	} {
		if value != "" {
			attributes[name] = invoke.Attribute{Type: "String", Value: value}
		}
	}
	m := invoke.Message{Body: body, Attributes: attributes, Principal: principal, Source: r.arn}
	if err := s.options.Send(context.WithoutCancel(s.ctx), queue, m); err != nil {
		say("is not given the event (%v), which is not in %s either: %v", failed.Err, queue, err)
		return
	}
	say("is not given the event (%v), which is kept in %s", failed.Err, queue)
}

// Receive takes messages of other services for a bus: records of Lambda's
// destinations, events of schedules, and what rules pass on.
func (s *Service) Receive(_ context.Context, arn string, m invoke.Message) error {
	on := busName(arn)
	var e Event
	switch m.Principal {
	case principal:
		if err := json.Unmarshal(m.Body, &e); err != nil {
			return fmt.Errorf("event bus %s: %w", on, err)
		}
		return s.publish(on, e)
	case "lambda.amazonaws.com":
		// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
		var record struct {
			RequestContext struct{ Condition, FunctionArn string }
		}
		if err := json.Unmarshal(m.Body, &record); err != nil {
			return fmt.Errorf("event bus %s: %w", on, err)
		}
		outcome := "Failure"
		if record.RequestContext.Condition == "Success" {
			outcome = "Success"
		}
		e = Event{Source: "lambda", DetailType: "Lambda Function Invocation Result - " + outcome, Resources: []string{arn, record.RequestContext.FunctionArn}}
	default:
		e = Event{Source: m.Attributes["Source"].Value, DetailType: m.Attributes["DetailType"].Value, Resources: []string{m.Source}}
	}
	if !json.Valid(m.Body) {
		return fmt.Errorf("event bus %s: the event's detail is not JSON", on)
	}
	e.Detail = m.Body
	return s.publish(on, s.event(e))
}
