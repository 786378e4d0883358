package states

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/sandbox/stack"
)

func (s *Service) ofExecutions(ctx context.Context, operation string, in input) (any, error) {
	switch operation {
	case "StartExecution":
		x, err := s.start(in.StateMachineArn, in.Name, []byte(in.Input))
		if err != nil {
			return nil, err
		}
		return map[string]any{"executionArn": x.ARN, "startDate": seconds(x.Started)}, nil
	case "StartSyncExecution":
		return s.startSync(ctx, in)
	case "ListExecutions":
		return s.listExecutions(in)
	}
	x, err := s.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	switch operation {
	case "StopExecution":
		return s.stopExecution(ctx, x, in)
	case "RedriveExecution":
		return s.redriveExecution(x, in)
	case "GetExecutionHistory":
		return x.history(in)
	case "DescribeStateMachineForExecution":
		m := x.Machine.shown()
		for _, name := range []string{"status", "type", "creationDate"} {
			delete(m, name)
		}
		m["updateDate"] = seconds(x.Machine.Created)
		if x.MapRun != "" {
			m["mapRunArn"], m["label"] = x.MapRun, x.Label
		}
		return m, nil
	}
	is := x.now()
	out := is.shown()
	x.redriven(is, out)
	if in.IncludeExecutionData != nil && !*in.IncludeExecutionData {
		delete(out, "input")
		delete(out, "output")
	}
	return out, nil
}

// execution is the one with an ARN. Those of EXPRESS machines are not told of.
func (s *Service) execution(arn string) (*execution, error) {
	switch {
	case strings.Contains(arn, ":express:"):
		return nil, &stack.Error{Code: "InvalidArn", Message: "Invalid Arn: 'Resource type not valid in this context: express'"}
	case !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":execution:"):
		return nil, &stack.Error{Code: "InvalidArn", Message: fmt.Sprintf("Invalid Arn: '%s'", arn)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.executions[arn]; x != nil {
		return x, nil
	}
	return nil, &stack.Error{Code: "ExecutionDoesNotExist", Message: fmt.Sprintf("Execution Does Not Exist: '%s'", arn)}
}

// shown is what clients see of an execution.
func (is summary) shown() map[string]any {
	out := map[string]any{
		"executionArn": is.ARN, "stateMachineArn": is.Machine.ARN, "name": is.Name, "status": is.Status, "startDate": seconds(is.Started),
		"input": is.Input, "inputDetails": map[string]any{"included": true},
	}
	is.listed(out)
	if is.MapRun != "" {
		out["mapRunArn"] = is.MapRun
	}
	if is.Status == running {
		return out
	}
	out["stopDate"] = seconds(is.Ended)
	if is.HasOutput {
		out["output"], out["outputDetails"] = is.Output, map[string]any{"included": true}
	}
	if is.HasFailure {
		if is.Error != "" {
			out["error"] = is.Error
		}
		if is.Cause != "" {
			out["cause"] = is.Cause
		}
	}
	return out
}

// typeNotSupported is what AWS says of the other type of machine.
func typeNotSupported() error {
	return &stack.Error{Code: "StateMachineTypeNotSupported", Message: "This operation is not supported by this type of state machine"}
}

// startSync runs an execution of an EXPRESS machine to its end.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
func (s *Service) startSync(ctx context.Context, in input) (any, error) {
	m, err := s.target(in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	if !m.Express {
		return nil, typeNotSupported()
	}
	x, err := s.start(in.StateMachineArn, in.Name, []byte(in.Input))
	if err != nil {
		return nil, err
	}
	select {
	case <-x.over():
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ctx.Done():
		return nil, &stack.Error{Code: "ServiceUnavailable", Message: errClosing.Error(), Status: 503}
	}
	is := x.now()
	out := is.shown()
	took := is.Ended.Sub(is.Started)
	out["billingDetails"] = map[string]any{"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": (took + 99*time.Millisecond) / (100 * time.Millisecond) * 100}
	return out, nil
}

// stopExecution stops one, and waits until it has ended.
func (s *Service) stopExecution(ctx context.Context, x *execution, in input) (any, error) {
	x.mu.Lock()
	if x.Status == running && !x.HasFailure {
		x.Error, x.Cause, x.HasFailure = in.Error, in.Cause, in.Error != "" || in.Cause != ""
	}
	x.mu.Unlock()
	x.stop(errStopped)
	select {
	case <-x.over():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return map[string]any{"stopDate": seconds(x.now().Ended)}, nil
}

// statuses are those that executions may be listed by.
var statuses = []string{succeeded, timedOut, "PENDING_REDRIVE", aborted, failed, running}

func (s *Service) listExecutions(in input) (any, error) {
	if in.StatusFilter != "" && !slices.Contains(statuses, in.StatusFilter) {
		return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("1 validation error detected: Value '%s' at 'statusFilter' failed to satisfy constraint: Member must satisfy enum value set: [%s]", in.StatusFilter, strings.Join(statuses, ", "))}
	}
	if in.MapRunArn != "" {
		return s.listItems(in)
	}
	m, err := s.target(in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	if m.Express {
		return nil, typeNotSupported()
	}
	s.mu.Lock()
	order := slices.Clone(s.order)
	s.mu.Unlock()
	slices.Reverse(order) // the last one first
	list := []any{}
	for _, x := range order {
		is := x.now()
		asked := is.Machine.ARN == m.ARN && (in.StateMachineArn == m.ARN || in.StateMachineArn == is.Alias || m.alias == "" && in.StateMachineArn == is.Version)
		if !asked || in.StatusFilter != "" && is.Status != in.StatusFilter {
			continue
		}
		one := is.listed(map[string]any{"executionArn": is.ARN, "stateMachineArn": m.ARN, "name": is.Name, "status": is.Status, "startDate": seconds(is.Started)})
		if is.Status != running {
			one["stopDate"] = seconds(is.Ended)
		}
		list = append(list, one)
	}
	return paged("executions", list, in)
}

// listItems are the executions of a map run.
func (s *Service) listItems(in input) (any, error) {
	s.mu.Lock()
	known, order := s.mapRuns[in.MapRunArn] != nil, slices.Clone(s.order)
	s.mu.Unlock()
	switch {
	case in.StateMachineArn != "":
		return nil, &stack.Error{Code: "ValidationException", Message: "Must provide a StateMachine ARN or MapRun ARN, not both"}
	case !known:
		return nil, &stack.Error{Code: "ResourceNotFound", Message: fmt.Sprintf("Resource not found: '%s'", in.MapRunArn)}
	}
	slices.Reverse(order) // the last one first
	list := []any{}
	for _, x := range order {
		is := x.now()
		if is.MapRun != in.MapRunArn || in.StatusFilter != "" && is.Status != in.StatusFilter {
			continue
		}
		one := map[string]any{"executionArn": is.ARN, "stateMachineArn": is.Machine.ARN, "mapRunArn": is.MapRun, "name": is.Name, "status": is.Status, "startDate": seconds(is.Started)}
		if is.Status != running {
			one["stopDate"] = seconds(is.Ended)
		}
		list = append(list, one)
	}
	return paged("executions", list, in)
}

// payloads are the members of events that hold data of the execution.
var payloads = []string{"input", "inputDetails", "output", "outputDetails", "parameters", "assignedVariables", "assignedVariablesDetails"}

func (x *execution) history(in input) (any, error) {
	x.mu.Lock()
	events := slices.Clone(x.events)
	x.mu.Unlock()
	if in.ReverseOrder {
		slices.Reverse(events)
	}
	list := make([]any, len(events))
	for i, text := range events {
		list[i] = text
		if in.IncludeExecutionData == nil || *in.IncludeExecutionData {
			continue
		}
		var event map[string]any
		if err := json.Unmarshal(text, &event); err != nil {
			return nil, err
		}
		for _, details := range event {
			if m, ok := details.(map[string]any); ok {
				for _, name := range payloads {
					delete(m, name)
				}
			}
		}
		list[i] = event
	}
	return paged("events", list, in)
}
