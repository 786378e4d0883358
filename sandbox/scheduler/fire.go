package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/wire"
)

// principal is what the service is to those it calls.
const principal = "scheduler.amazonaws.com"

// fire brings a schedule's event to its target.
func (s *Service) fire(ctx context.Context, i *item, at time.Time) {
	id := wire.NewRequestID()
	target := i.Target.Arn
	say := func(format string, args ...any) {
		s.options.Tell(activity.Event{
			Kind: activity.Delivery, Function: s.called(target), Resource: "schedule " + i.Name, RequestID: id, Text: fmt.Sprintf(format, args...),
		})
	}
	say("fires (%s)", i.ScheduleExpression)
	m := invoke.Message{Body: s.event(i, at, id), Principal: principal, Source: i.arn, Role: i.Target.RoleArn, Session: i.Name, Group: i.Target.SqsParameters.MessageGroupId}
	if p := i.Target.EventBridgeParameters; p.DetailType != "" {
		m.Attributes = map[string]invoke.Attribute{"DetailType": {Type: "String", Value: p.DetailType}, "Source": {Type: "String", Value: p.Source}}
	}
	handover := invoke.Handover{Send: s.options.Send, Clock: s.options.Clock, Again: func(err error, wait time.Duration) {
		say("failed (%v); tried again in %s, as on AWS", err, wait)
	}}
	if failed := handover.Deliver(ctx, target, m, i.retries, i.maxAge); failed != nil {
		s.giveUp(ctx, i, at, id, m, failed, say)
	}
	if i.ActionAfterCompletion == "DELETE" && i.times.Next(at).IsZero() {
		s.remove(i.key())
	}
}

// called is how people call what an ARN names.
func (s *Service) called(arn string) string {
	if name := s.options.Called(arn); name != "" {
		return name
	}
	return arn
}

// event is what a target is given: its input with the context attributes filled
// in, or the event of a schedule without one.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
func (s *Service) event(i *item, at time.Time, id string) []byte {
	when := at.UTC().Format("2006-01-02T15:04:05Z")
	if i.Target.Input != "" {
		return []byte(strings.NewReplacer(
			"<aws.scheduler.schedule-arn>", i.arn, "<aws.scheduler.scheduled-time>", when,
			"<aws.scheduler.execution-id>", id, "<aws.scheduler.attempt-number>", "1",
		).Replace(i.Target.Input))
	}
	event, _ := json.Marshal(map[string]any{ // strings alone: it cannot fail
		"version": "0", "id": id, "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": s.options.Account,
		"time": when, "region": s.options.Region, "resources": []string{i.arn}, "detail": "{}",
	})
	return event
}

// giveUp takes an event to the dead-letter queue.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
func (s *Service) giveUp(ctx context.Context, i *item, at time.Time, id string, m invoke.Message, failed *invoke.Failure, say func(string, ...any)) {
	queue := i.Target.DeadLetterConfig.Arn
	if errors.Is(failed.Err, invoke.ErrClosed) {
		say("given up: the local cloud is stopping")
		return
	}
	if queue == "" {
		say("given up (%v) and lost: the schedule has no dead-letter queue", failed.Err)
		return
	}
	attributes := map[string]invoke.Attribute{}
	for name, value := range map[string]string{
		"ERROR_CODE": failed.Code, "ERROR_MESSAGE": failed.Err.Error(), "EXECUTION_ID": id, "EXHAUSTED_RETRY_CONDITION": failed.Condition,
		"IS_PAYLOAD_TRUNCATED": "false", "RETRY_ATTEMPTS": strconv.Itoa(failed.Retries), "SCHEDULED_TIME": at.UTC().Format("2006-01-02T15:04:05Z"),
		"SCHEDULE_ARN": i.arn, "TARGET_ARN": i.Target.Arn,
	} {
		if value != "" {
			attributes[name] = invoke.Attribute{Type: "String", Value: value}
		}
	}
	m = invoke.Message{Body: m.Body, Attributes: attributes, Principal: principal, Source: i.arn, Role: i.Target.RoleArn, Session: i.Name}
	if err := s.options.Send(context.WithoutCancel(ctx), queue, m); err != nil {
		say("given up (%v), and is not in %s: %v", failed.Err, queue, err)
		return
	}
	say("given up (%v) and kept in %s", failed.Err, queue)
}
