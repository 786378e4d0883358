package states

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/states/asl"
	"arc/sandbox/wire"
)

// trial is what TestState asks of the one state that it runs, and what is seen of it.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
type trial struct {
	mock    *mock
	context map[string]any // in the place of the context object; nil = its own
	retries int            // how often the state was tried again before
	seen    map[string]any // inspectionData
	status  string
	error   *asl.Failure // that was caught, or may be tried again
}

// mock stands in for what a state would call.
type mock struct {
	Result      *string
	ErrorOutput *struct{ Error, Cause string }
}

// saw notes what has become of the input on its way, where a state is tried.
func (x *execution) saw(name string, v any) {
	if x.trial != nil {
		x.trial.seen[name] = asl.Encode(v)
	}
}

// sawNumber notes a number.
func (x *execution) sawNumber(name string, n any) {
	if x.trial != nil {
		x.trial.seen[name] = n
	}
}

// answered is what the mock says.
func (t *trial) answered() (any, *asl.Failure) {
	if e := t.mock.ErrorOutput; e != nil {
		return nil, &asl.Failure{Name: e.Error, Cause: e.Cause}
	}
	v, _ := asl.Decode([]byte(*t.mock.Result)) // it was looked at
	return v, nil
}

// mocked is what the mock says, after what the state would look at before it calls.
func (f *frame) mocked(s *asl.State, input any) (any, *asl.Failure) {
	if s.Type == "Map" {
		if s.Reader == nil {
			items, failure := f.items(s, input)
			if failure != nil {
				return nil, failure
			}
			if !s.JSONata {
				f.x.saw("afterItemsPath", items)
			}
		}
		most, failure := f.limit(s, "MaxConcurrency", s.MaxConcurrency, s.MaxConcurrencyPath, input)
		if failure != nil {
			return nil, failure
		}
		count, percentage, failure := f.threshold(s, input)
		if failure != nil {
			return nil, failure
		}
		f.x.sawNumber("maxConcurrency", most)
		if count > 0 {
			f.x.sawNumber("toleratedFailureCount", count)
		}
		if percentage > 0 {
			f.x.sawNumber("toleratedFailurePercentage", percentage)
		}
	}
	result, failure := f.x.trial.answered()
	if failure == nil && s.Type == "Task" {
		f.x.saw("result", result)
	}
	return result, failure
}

// tried is what becomes of a failure where a state is tried: it is told that it would
// be tried again, and not.
func (f *frame) tried(s *asl.State, raw any, failure *asl.Failure) (any, string, *asl.Failure) {
	t := f.x.trial
	for i, r := range s.Retry {
		if !asl.Matches(r.ErrorEquals, failure.Name) {
			continue
		}
		details := map[string]any{"retryIndex": i}
		t.seen["errorDetails"] = details
		if t.retries < r.MaxAttempts {
			delay := float64(r.IntervalSeconds) * math.Pow(r.BackoffRate, float64(t.retries))
			if r.MaxDelaySeconds > 0 {
				delay = math.Min(delay, float64(r.MaxDelaySeconds))
			}
			details["retryBackoffIntervalSeconds"] = int(math.Min(delay, maxWait))
			t.status = "RETRIABLE"
			return nil, "", failure
		}
		break
	}
	return f.caught(s, raw, failure)
}

// caughtBy notes which catcher has taken a failure.
func (x *execution) caughtBy(i int, failure *asl.Failure) {
	if x.trial != nil {
		x.trial.status, x.trial.error = "CAUGHT_ERROR", failure
		x.trial.seen["errorDetails"] = map[string]any{"catchIndex": i}
	}
}

func invalidTest(format string, args ...any) error {
	return &stack.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}

// testState runs one state. Words of mistakes are those that LocalStack's tests have
// recorded on AWS, where these have them.
func (s *Service) testState(ctx context.Context, in input) (any, error) {
	m, name, problems := asl.ParseState([]byte(in.Definition), in.StateName)
	if name == "" && len(problems) == 0 {
		return nil, invalidTest("State not found in definition")
	}
	if len(problems) > 0 {
		var words []string
		for _, p := range problems {
			words = append(words, p.String())
		}
		return nil, &stack.Error{Code: "InvalidDefinition", Message: "Invalid State Machine Definition: '" + strings.Join(words, ", ") + "'"}
	}
	state := m.States[name]
	t, given, vars, err := s.trialOf(state, in)
	if err != nil {
		return nil, err
	}
	region := stack.RegionIn(ctx, s.options.Region)
	id := wire.NewRequestID()
	x := &execution{s: s, done: make(chan struct{}), positions: map[string]*position{}, trial: t}
	x.summary = summary{Name: id, Input: asl.Encode(given), Started: s.options.Clock.Now(), Status: running}
	x.Machine = machine{Name: wire.NewRequestID(), Role: in.RoleArn, Express: true, parsed: m}
	x.Machine.ARN = s.arn(region, "stateMachine:"+x.Machine.Name)
	x.ARN = s.arn(region, "express:"+x.Machine.Name+":"+id)
	if in.RoleArn != "" {
		errand := invoke.Errand{Service: principal, Role: in.RoleArn, Session: x.Machine.Name, For: x.Machine.ARN, Called: x.Machine.called()}
		if err := s.options.Permit.Ask(ctx, errand); err != nil {
			return nil, &stack.Error{Code: "AccessDeniedException", Message: "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role."}
		}
	}
	inner, end := context.WithTimeoutCause(ctx, maxExpress*1e9, errTimedOut)
	defer end()
	x.end = func(error) { end() }
	f := &frame{x: x, machine: m, vars: vars, now: state, at: position{State: name, Input: encoded(given)}}
	t.seen["input"] = asl.Encode(given)
	output, next, failure := f.state(inner, state, given)
	if inner.Err() != nil {
		return nil, &stack.Error{Code: "ServiceUnavailable", Message: errTimedOut.Error(), Status: 503}
	}
	return t.shown(in, f, output, next, failure), nil
}

// shown is the answer.
func (t *trial) shown(in input, f *frame, output any, next string, failure *asl.Failure) map[string]any {
	out := map[string]any{"status": succeeded}
	if failure != nil {
		out["status"], t.error = failed, failure
	} else {
		out["output"] = asl.Encode(output)
		if next != "" {
			out["nextState"] = next
		}
	}
	if t.status != "" {
		out["status"] = t.status
	}
	if t.error != nil {
		out["error"], out["cause"] = t.error.Name, t.error.Cause
	}
	if len(f.vars) > 0 {
		t.seen["variables"] = asl.Encode(f.vars)
	}
	if in.InspectionLevel == "DEBUG" || in.InspectionLevel == "TRACE" {
		out["inspectionData"] = t.seen
	}
	return out
}

// trialOf looks at what a test is asked with.
func (s *Service) trialOf(state *asl.State, in input) (t *trial, given any, vars map[string]any, err error) {
	t = &trial{mock: in.Mock, seen: map[string]any{}}
	if in.InspectionLevel != "" && !slices.Contains([]string{"INFO", "DEBUG", "TRACE"}, in.InspectionLevel) {
		return nil, nil, nil, invalidTest("1 validation error detected: Value '%s' at 'inspectionLevel' failed to satisfy constraint: Member must satisfy enum value set: [INFO, DEBUG, TRACE]", in.InspectionLevel)
	}
	if in.Input == "" {
		in.Input = "{}"
	}
	if given, err = inputOf([]byte(in.Input)); err != nil {
		return nil, nil, nil, err
	}
	vars = map[string]any{}
	if in.Variables != "" {
		v, err := asl.Decode([]byte(in.Variables))
		object, ok := v.(map[string]any)
		if err != nil || !ok {
			return nil, nil, nil, invalidTest("Variables must be a JSON object")
		}
		vars = object
	}
	if err := s.checkMock(state, in); err != nil {
		return nil, nil, nil, err
	}
	if c := in.StateConfiguration; c != nil {
		if len(c) > 1 || len(c) == 1 && c["retrierRetryCount"] == nil {
			return nil, nil, nil, &stack.Error{Code: "UnknownOperationException", Status: 501, Message: "the local cloud's TestState knows the retrierRetryCount of stateConfiguration, and not " + strings.Join(slices.Sorted(maps.Keys(c)), ", ")}
		}
		t.retries, _ = asl.Whole(json.Number(fmt.Sprint(c["retrierRetryCount"])))
	}
	if in.Context == "" {
		return t, given, vars, nil
	}
	v, err := asl.Decode([]byte(in.Context))
	object, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, nil, nil, invalidTest("Invalid Context object provided: it must be a JSON object")
	}
	t.context = object
	for _, name := range slices.Sorted(maps.Keys(object)) {
		switch pattern := resourceOf(state.Resource).pattern; {
		case name == "Map":
			return nil, nil, nil, invalidTest("Invalid Context object provided: 'Map' field is not supported when mocking a Context object")
		case name == "Task" && pattern == "":
			return nil, nil, nil, invalidTest("Invalid Context object provided: Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' service integration pattern")
		case !slices.Contains([]string{"Execution", "State", "StateMachine", "Task"}, name):
			return nil, nil, nil, invalidTest("Invalid Context object provided: Field '%s' is not allowed", name)
		}
	}
	return t, given, vars, nil
}

// checkMock looks at what a state's mock may be, and at what needs one.
func (s *Service) checkMock(state *asl.State, in input) error {
	if in.Mock == nil {
		r := resourceOf(state.Resource)
		switch {
		case state.Type == "Map" || state.Type == "Parallel":
			return &stack.Error{Code: "InvalidDefinition", Message: "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]"}
		case state.Type == "Task" && in.RoleArn == "":
			return invalidTest("RoleArn must be specified when testing a Task state")
		case r.pattern != "" || r.activity:
			return &stack.Error{Code: "InvalidDefinition", Message: "TestState needs a mock of activities and of the patterns .sync and .waitForTaskToken"}
		case state.Type == "Task":
			if err := s.runs(state.Resource); err != nil {
				return &stack.Error{Code: "InvalidDefinition", Message: fmt.Sprintf("Invalid State Machine Definition: '%s: %v'", asl.Unsupported, err)}
			}
		}
		return nil
	}
	switch {
	case in.Mock.Result != nil && in.Mock.ErrorOutput != nil:
		return invalidTest("A test mock should have only one of the following fields: [result, errorOutput].")
	case in.Mock.Result == nil && in.Mock.ErrorOutput == nil:
		return invalidTest("A test mock should have one of the following fields: [result, errorOutput].")
	case in.RevealSecrets:
		return invalidTest("TestState does not support RevealSecrets when a mock is specified.")
	case state.Type != "Task" && state.Type != "Map" && state.Type != "Parallel":
		return invalidTest("State type '%s' is not supported when a mock is specified", state.Type)
	case in.Mock.Result == nil:
		return nil
	}
	v, err := asl.Decode([]byte(*in.Mock.Result))
	list, isList := v.([]any)
	switch {
	case err != nil:
		return invalidTest("Mocked result must be valid JSON")
	case state.Type == "Map" && state.Writer != nil && state.Writer.Resource != "":
		if asl.Type(v) != "object" {
			return invalidTest("Mocked result must be a JSON object.")
		}
	case state.Type != "Task" && !isList:
		return invalidTest("Mocked result must be an array.")
	case state.Type == "Parallel" && len(list) != len(state.Branches):
		return invalidTest("Mocked result must contain the same number of items as number of Parallel branches.")
	}
	return nil
}
