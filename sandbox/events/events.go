// Package events is EventBridge: buses, and rules that hand the events which
// match their pattern, or a time of their schedule, to targets.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is.html
package events

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/pattern"
	"arc/sandbox/schedule"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what the service needs from its surroundings.
type Options = invoke.Firing

// Service keeps the buses and rules of one local cloud.
type Service struct {
	options Options
	table   *schedule.Timetable
	log     *journal.Log
	ctx     context.Context
	end     context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // deliveries
	buses   map[string]*bus
}

// bus holds rules by name.
type bus struct {
	name, arn string
	rules     map[string]*rule
}

// defaultBus is there without being made; schedules run on it alone.
const defaultBus = "default"

// New gives a service with the default bus. Close it to end its deliveries.
func New(options Options) *Service {
	options = options.Or()
	s := &Service{options: options, table: schedule.NewTimetable(options.Clock), buses: map[string]*bus{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.putBus(context.Background(), defaultBus)
	return s
}

// Restore takes the buses and rules that clients made in an earlier run.
func (s *Service) Restore(log *journal.Log) error {
	for key, value := range log.All() { // "bus/NAME" sorts before "rule/BUS/NAME"
		kind, name, _ := strings.Cut(key, "/")
		if kind == "bus" {
			s.putBus(context.Background(), name)
			continue
		}
		var raw map[string]any
		d := json.NewDecoder(strings.NewReader(string(value)))
		d.UseNumber()
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("rule %s: %w", name, err)
		}
		on, name, _ := strings.Cut(name, "/")
		if _, err := s.putRule(context.Background(), on, name, raw); err != nil {
			return fmt.Errorf("rule %s: %w", name, err)
		}
	}
	s.log = log
	return nil
}

// Close ends rules and deliveries.
func (s *Service) Close(context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.table.Close()
	s.running.Wait()
	return nil
}

// Endpoint is where clients find the service.
func (s *Service) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "events", Variable: "EVENTBRIDGE", Targets: []string{"AWSEvents"}, Handler: wire.JSON("events", s)}
}

// arn is an ARN in the region of a request.
func (s *Service) arn(ctx context.Context, resource string) string {
	region := stack.RegionIn(ctx, s.options.Region)
	return stack.ARN(region, "events", region, s.options.Account, resource)
}

func (s *Service) putBus(ctx context.Context, name string) *bus {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buses[name] == nil {
		s.buses[name] = &bus{name, s.arn(ctx, "event-bus/"+name), map[string]*rule{}}
	}
	return s.buses[name]
}

// busName takes the name of a bus from what it may be called by; "" is the
// default bus.
func busName(called string) string {
	if called == "" {
		return defaultBus
	}
	if _, name, isARN := strings.Cut(called, ":event-bus/"); isARN {
		return name
	}
	return called
}

// properties are those of AWS::Events::Rule.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
type properties struct {
	Name, Description, EventBusName, RoleArn string
	EventPattern                             any
	ScheduleExpression, State                string
	Targets                                  []target
}

type target struct {
	Id               string `cfn:"required"`
	Arn              string `cfn:"required"`
	RoleArn          string
	Input, InputPath string
	InputTransformer *transformer
	DeadLetterConfig struct{ Arn string }
	RetryPolicy      struct{ MaximumEventAgeInSeconds, MaximumRetryAttempts *int }
	SqsParameters    struct{ MessageGroupId string }
	// Of targets that are none here.
	AppSyncParameters, BatchParameters, EcsParameters, HttpParameters, KinesisParameters, RedshiftDataParameters, RunCommandParameters, SageMakerPipelineParameters any
}

// rule is a rule with what was made of its properties.
type rule struct {
	properties
	bus, arn string
	raw      map[string]any
	pattern  *pattern.Pattern
	notes    []string // what of it does nothing here
}

// badPattern is what is wrong with an event pattern, for which clients are given
// a code of its own.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
type badPattern struct{ error }

// read checks a rule's properties.
func (s *Service) read(ctx context.Context, on, name string, raw map[string]any) (*rule, schedule.Times, error) {
	r := &rule{raw: raw, bus: on}
	if err := stack.Read(raw, &r.properties, "Tags"); err != nil {
		return nil, nil, err
	}
	r.Name, r.arn = name, s.arn(ctx, "rule/"+name)
	if on != defaultBus {
		r.arn = s.arn(ctx, "rule/"+on+"/"+name)
	}
	if !slices.Contains([]string{"", "ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}, r.State) {
		return nil, nil, fmt.Errorf("property State: %q: must be ENABLED or DISABLED", r.State)
	}
	if r.EventPattern == nil && r.ScheduleExpression == "" {
		return nil, nil, fmt.Errorf("a rule needs EventPattern or ScheduleExpression")
	}
	if err := r.readPattern(); err != nil {
		return nil, nil, fmt.Errorf("property EventPattern: %w", &badPattern{err})
	}
	times, err := r.readSchedule(s.options.Clock.Now())
	if err != nil {
		return nil, nil, fmt.Errorf("property ScheduleExpression: %w", err)
	}
	ids := map[string]bool{}
	for i := range r.Targets {
		t := &r.Targets[i]
		if ids[t.Id] {
			return nil, nil, fmt.Errorf("property Targets[%d].Id: %q: is another target's, too", i, t.Id)
		}
		ids[t.Id] = true
		note, err := t.check()
		if err != nil {
			return nil, nil, fmt.Errorf("property Targets[%d].%w", i, err)
		}
		if note != "" {
			r.notes = append(r.notes, note)
		}
	}
	return r, times, nil
}

func (r *rule) readPattern() error {
	if r.EventPattern == nil {
		return nil
	}
	text, isText := r.EventPattern.(string) // clients send JSON in a string
	if !isText {
		data, err := json.Marshal(r.EventPattern)
		if err != nil {
			return err
		}
		text = string(data)
	}
	var err error
	r.pattern, err = pattern.Parse([]byte(text))
	return err
}

// readSchedule reads a rule's rate or cron, which is meant in UTC.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
func (r *rule) readSchedule(now time.Time) (schedule.Times, error) {
	switch {
	case r.ScheduleExpression == "":
		return nil, nil
	case r.bus != defaultBus:
		return nil, fmt.Errorf("only rules of the default event bus have a schedule")
	case strings.HasPrefix(r.ScheduleExpression, "at("):
		return nil, fmt.Errorf("a rule has no at(…), only rate(…) and cron(…); AWS::Scheduler::Schedule has")
	}
	if words := strings.FieldsFunc(r.ScheduleExpression, func(c rune) bool { return strings.ContainsRune("( )", c) }); len(words) == 3 && words[0] == "rate" {
		if plural := strings.HasSuffix(words[2], "s"); plural == (words[1] == "1") {
			return nil, fmt.Errorf("%q: a rule's rate has minute, hour or day after 1, and else minutes, hours or days", r.ScheduleExpression)
		}
	}
	return schedule.Parse(r.ScheduleExpression, time.UTC, now)
}

// putRule makes or changes a rule. Once it has returned it takes events.
func (s *Service) putRule(ctx context.Context, on, name string, raw map[string]any) (*rule, error) {
	r, times, err := s.read(ctx, on, name, raw)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buses[on]
	if b == nil {
		return nil, noBus(on)
	}
	b.rules[name] = r
	if times == nil || r.State == "DISABLED" || s.options.Silent {
		s.table.Remove(r.arn)
	} else {
		s.table.Set(r.arn, times, func(_ context.Context, at time.Time) { s.fire(r, at) })
	}
	for _, note := range r.notes {
		s.options.Tell.Notice("rule %s: %s", name, note)
	}
	return r, nil
}

func (s *Service) removeRule(on, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buses[on]; b != nil && b.rules[name] != nil {
		s.table.Remove(b.rules[name].arn)
		delete(b.rules, name)
	}
}

func noBus(name string) error {
	return &stack.Error{Code: "ResourceNotFoundException", Message: "Event bus " + name + " does not exist."}
}

// fire hands the event of a rule's schedule to its targets.
func (s *Service) fire(r *rule, at time.Time) {
	e := s.event(Event{Source: "aws.events", DetailType: "Scheduled Event", Resources: []string{r.arn}, Detail: json.RawMessage("{}"), Time: at})
	s.options.Tell(activity.Event{Kind: activity.Delivery, Resource: "rule " + r.Name, RequestID: e.ID, Text: "fires (" + r.ScheduleExpression + ")"})
	s.toTargets(r, e)
}

// Event is an event as EventBridge has it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
type Event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// event fills in what the service adds.
func (s *Service) event(e Event) Event {
	e.Version, e.ID, e.Account, e.Region = "0", wire.NewRequestID(), s.options.Account, s.options.Region
	if e.Time.IsZero() {
		e.Time = s.options.Clock.Now()
	}
	e.Time = e.Time.UTC().Truncate(time.Second)
	if e.Resources == nil {
		e.Resources = []string{}
	}
	return e
}

// publish hands an event to the targets of the rules that it matches.
func (s *Service) publish(on string, e Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	s.mu.Lock()
	b := s.buses[on]
	var matched []*rule
	if b != nil {
		for _, name := range slices.Sorted(maps.Keys(b.rules)) {
			if r := b.rules[name]; r.State != "DISABLED" && r.pattern != nil && r.pattern.Match(text) {
				matched = append(matched, r)
			}
		}
	}
	s.mu.Unlock()
	if b == nil {
		return noBus(on)
	}
	if len(matched) == 0 {
		s.options.Tell(activity.Event{
			Kind: activity.Delivery, Resource: "event bus " + on, RequestID: e.ID,
			Text: fmt.Sprintf("event %q of %q matches no rule", e.DetailType, e.Source),
		})
	}
	for _, r := range matched {
		s.toTargets(r, e)
	}
	return nil
}
