// Package scheduler is EventBridge Scheduler: schedules that invoke a target at
// a rate, by cron, or once. They fire at their next time, in their time zone,
// and hand their event to functions, queues, topics and buses.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/schedule"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what the service needs from its surroundings.
type Options = invoke.Firing

// Service keeps the schedules of one local cloud.
type Service struct {
	options Options
	table   *schedule.Timetable
	log     *journal.Log

	mu        sync.Mutex
	schedules map[string]*item          // by group and name: "default/cleanup"
	groups    map[string]map[string]any // by name, as clients see them
}

// New gives a service without schedules.
func New(options Options) *Service {
	options = options.Or()
	s := &Service{options: options, table: schedule.NewTimetable(options.Clock), schedules: map[string]*item{}, groups: map[string]map[string]any{}}
	s.putGroup(context.Background(), "default")
	return s
}

// Restore takes the schedules that clients made in an earlier run; those of
// stacks come back with them.
func (s *Service) Restore(log *journal.Log) error {
	for key, value := range log.All() {
		d := json.NewDecoder(strings.NewReader(string(value)))
		d.UseNumber()
		var properties map[string]any
		if err := d.Decode(&properties); err != nil {
			return fmt.Errorf("schedule %s: %w", key, err)
		}
		group, _, _ := strings.Cut(key, "/")
		s.putGroup(context.Background(), group)
		if _, err := s.put(context.Background(), key, properties, false); err != nil {
			return fmt.Errorf("schedule %s: %w", key, err)
		}
	}
	s.log = log
	return nil
}

// Close ends the schedules; what is on its way to a target is given up, and said.
func (s *Service) Close(context.Context) error {
	s.table.Close()
	return nil
}

// Endpoint is where clients find the service.
func (s *Service) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "scheduler", Variable: "SCHEDULER", Handler: s}
}

// properties are those of AWS::Scheduler::Schedule, which the API has, too.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html
type properties struct {
	Name, GroupName, Description string
	ScheduleExpression           string `cfn:"required"`
	ScheduleExpressionTimezone   string
	StartDate, EndDate           string
	State                        string
	FlexibleTimeWindow           struct {
		Mode                   string `cfn:"required"`
		MaximumWindowInMinutes int
	} `cfn:"required"`
	Target struct {
		Arn                   string `cfn:"required"`
		RoleArn               string `cfn:"required"`
		Input                 string
		DeadLetterConfig      struct{ Arn string }
		RetryPolicy           struct{ MaximumEventAgeInSeconds, MaximumRetryAttempts *int }
		SqsParameters         struct{ MessageGroupId string }
		EventBridgeParameters struct{ DetailType, Source string }
		// Of targets that are none here.
		EcsParameters, KinesisParameters, SageMakerPipelineParameters any
	} `cfn:"required"`
	ActionAfterCompletion string // of the API alone: "DELETE" once it never fires again
}

// item is a schedule.
type item struct {
	properties
	raw     map[string]any // as it was given
	group   string
	arn     string
	times   schedule.Times
	created time.Time
	changed time.Time
	retries int
	maxAge  time.Duration
	notes   []string // what of it does nothing here
}

// key is where the schedule stands in the service's tables.
func (i *item) key() string { return i.group + "/" + i.Name }

// Scheduler's own retry policy.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
const (
	maxRetries = 185
	maxAge     = 24 * time.Hour
)

// read checks a schedule's properties and reckons its times from now.
func (s *Service) read(raw map[string]any, now time.Time) (*item, error) {
	i := &item{raw: raw, created: now, changed: now, retries: maxRetries, maxAge: maxAge}
	if err := stack.Read(raw, &i.properties, "KmsKeyArn", "Tags", "ClientToken"); err != nil {
		return nil, err
	}
	i.group = cmp.Or(i.GroupName, "default")
	if i.State != "" && i.State != "ENABLED" && i.State != "DISABLED" {
		return nil, fmt.Errorf("property State: %q: must be ENABLED or DISABLED", i.State)
	}
	zone, err := schedule.Zone(i.ScheduleExpressionTimezone)
	if err != nil {
		return nil, fmt.Errorf("property ScheduleExpressionTimezone: %w", err)
	}
	start, err := date("StartDate", i.StartDate)
	if err != nil {
		return nil, err
	}
	end, err := date("EndDate", i.EndDate)
	if err != nil {
		return nil, err
	}
	if !start.IsZero() {
		now = start
	}
	times, err := schedule.Parse(i.ScheduleExpression, zone, now)
	if err != nil {
		return nil, fmt.Errorf("property ScheduleExpression: %w", err)
	}
	i.times = schedule.Between(times, start, end)
	return i, i.readTarget()
}

func (i *item) readTarget() error {
	policy := i.Target.RetryPolicy
	if n := policy.MaximumRetryAttempts; n != nil {
		if *n < 0 || *n > maxRetries {
			return fmt.Errorf("property Target.RetryPolicy.MaximumRetryAttempts: %d: must be 0 to %d", *n, maxRetries)
		}
		i.retries = *n
	}
	if n := policy.MaximumEventAgeInSeconds; n != nil {
		if *n < 60 || *n > int(maxAge/time.Second) {
			return fmt.Errorf("property Target.RetryPolicy.MaximumEventAgeInSeconds: %d: must be 60 to 86400", *n)
		}
		i.maxAge = time.Duration(*n) * time.Second
	}
	if strings.HasSuffix(i.Target.DeadLetterConfig.Arn, ".fifo") {
		return fmt.Errorf("property Target.DeadLetterConfig.Arn: %s: must be a standard queue", i.Target.DeadLetterConfig.Arn)
	}
	if w := i.FlexibleTimeWindow; w.Mode == "FLEXIBLE" {
		i.notes = append(i.notes, fmt.Sprintf("its flexible window of %d minutes is left out: it fires at the time itself", w.MaximumWindowInMinutes))
	} else if w.Mode != "OFF" {
		return fmt.Errorf("property FlexibleTimeWindow.Mode: %q: must be OFF or FLEXIBLE", w.Mode)
	}
	switch serviceOf(i.Target.Arn) {
	case "lambda", "sqs", "sns", "states":
		if service := serviceOf(i.Target.Arn); i.Target.Input != "" && (service == "lambda" || service == "states") && !json.Valid([]byte(i.Target.Input)) {
			return fmt.Errorf("property Target.Input: is not JSON, which the event of a function or a state machine must be")
		}
	case "events":
		if p := i.Target.EventBridgeParameters; p.DetailType == "" || p.Source == "" {
			return fmt.Errorf("property Target.EventBridgeParameters: an event bus needs DetailType and Source")
		}
	case "":
		return fmt.Errorf("property Target.Arn: %q is not an ARN", i.Target.Arn)
	default:
		i.notes = append(i.notes, "recorded only: the local cloud has no targets such as "+i.Target.Arn)
	}
	return nil
}

// serviceOf is the service that an ARN names; "" when it is none.
func serviceOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return parts[2]
	}
	return ""
}

// date reads a bound of a schedule: ISO 8601 from templates, seconds since 1970
// from clients.
func date(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("property %s: %q is no time of the form 2026-11-29T06:00:00Z", name, text)
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC(), nil
}

// put makes or changes a schedule. Once it has returned it fires.
func (s *Service) put(ctx context.Context, key string, raw map[string]any, keep bool) (*item, error) {
	group, name, _ := strings.Cut(key, "/")
	i, err := s.read(raw, s.options.Clock.Now())
	if err != nil {
		return nil, err
	}
	i.group, i.Name = group, name
	i.arn = s.arn(ctx, "schedule/"+key)
	// https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
	if err := s.options.Permit.Ask(ctx, invoke.Errand{Service: principal, Role: i.Target.RoleArn, Session: name, For: i.arn, Called: "schedule " + name}); err != nil {
		return nil, &stack.Error{Code: "ValidationException", Message: "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.", Status: 400}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[group] == nil {
		return nil, &stack.Error{Code: "ResourceNotFoundException", Message: "Schedule group " + group + " does not exist.", Status: 404}
	}
	if keep {
		if err := s.log.Put(key, raw); err != nil {
			return nil, err
		}
	}
	if old := s.schedules[key]; old != nil {
		i.created = old.created
	}
	s.schedules[key] = i
	if i.State == "DISABLED" || s.options.Silent {
		s.table.Remove(key)
	} else {
		s.table.Set(key, i.times, func(ctx context.Context, at time.Time) { s.fire(ctx, i, at) })
	}
	for _, note := range i.notes {
		s.options.Tell.Notice("schedule %s: %s", i.Name, note)
	}
	return i, nil
}

// remove forgets a schedule; it reports whether there was one.
func (s *Service) remove(key string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schedules[key] == nil {
		return false, nil
	}
	if err := s.log.Delete(key); err != nil {
		return true, err
	}
	delete(s.schedules, key)
	s.table.Remove(key)
	return true, nil
}

func (s *Service) putGroup(ctx context.Context, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[name] == nil {
		now := seconds(s.options.Clock.Now())
		s.groups[name] = map[string]any{"Arn": s.arn(ctx, "schedule-group/"+name), "Name": name, "State": "ACTIVE", "CreationDate": now, "LastModificationDate": now}
	}
}

// arn is an ARN in the region of a request.
func (s *Service) arn(ctx context.Context, resource string) string {
	region := stack.RegionIn(ctx, s.options.Region)
	return stack.ARN(region, "scheduler", region, s.options.Account, resource)
}

// seconds is a time as AWS's JSON has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
