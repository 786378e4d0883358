package states

import (
	"encoding/json"
	"fmt"
	"time"

	"arc/sandbox/stack"
)

// Limits of AWS's.
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
const (
	redrivable = 14 * 24 * time.Hour // after an execution has ended
	maxRedrive = 1000                // times
)

// notRedrivable says why an execution cannot go on after its failure; "" = it can.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html#StepFunctions-DescribeExecution-response-redriveStatusReason
func (x *execution) notRedrivable(is summary) string {
	x.mu.Lock()
	events := len(x.events)
	x.mu.Unlock()
	switch {
	case is.Status == running || is.Status == succeeded:
		return "Execution is " + is.Status + " and cannot be redriven"
	case events >= maxEvents-1:
		return "Execution history event limit exceeded"
	case x.s.options.Clock.Now().Sub(is.Ended) > redrivable:
		return "Execution redrivable period exceeded"
	case is.Redrives >= maxRedrive:
		return "Execution has been redriven 1000 times"
	}
	return ""
}

// redriveExecution goes on with an execution that has failed.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
func (s *Service) redriveExecution(x *execution, in input) (any, error) {
	is := x.now()
	if in.ClientToken != "" && in.ClientToken == is.RedriveToken {
		return map[string]any{"redriveDate": seconds(is.Redriven)}, nil
	}
	why := x.notRedrivable(is)
	if is.MapRun != "" && why == "" {
		why = "Execution is of a map run, whose parent is redriven"
	}
	if why == "" && !x.redrive(in.ClientToken) {
		why = "Execution is already being redriven"
	}
	if why != "" {
		return nil, &stack.Error{Code: "ExecutionNotRedrivable", Message: fmt.Sprintf("Execution Not Redrivable: '%s'", why)}
	}
	return map[string]any{"redriveDate": seconds(x.now().Redriven)}, nil
}

// redrive goes on from the states that have failed or were aborted, with their inputs;
// what has succeeded is not run again, and all may be tried again as often as at first.
// false = it runs.
func (x *execution) redrive(token string) bool {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	x.mu.Lock()
	if x.Status == running || s.closed || s.executions[x.ARN] != x {
		x.mu.Unlock()
		return false
	}
	s.counts(x, -1)
	x.done = make(chan struct{})
	x.Status, x.Ended, x.Output, x.Error, x.Cause, x.HasOutput, x.HasFailure = running, time.Time{}, "", "", "", false, false
	x.Redrives++
	x.Redriven, x.RedriveToken = s.options.Clock.Now(), token
	last, count := int64(len(x.events)), x.Redrives
	x.mu.Unlock()
	if err := x.keep(); err != nil {
		x.say("%v", err)
	}
	prev := x.add(last, "ExecutionRedriven", "executionRedriven", map[string]any{"redriveCount": count})
	x.rewind(prev)
	if x.MapRun == "" { // items are, with their parent
		x.say("is redriven")
	}
	x.run()
	return true
}

// rewind sets branches that have not succeeded back to the beginning of the work of the
// state in which they were.
func (x *execution) rewind(prev int64) {
	x.mu.Lock()
	again := map[string]position{}
	for path, p := range x.positions {
		switch {
		case p.Done && p.Failure == nil:
			continue
		case p.Done && p.Last != nil:
			p = p.Last
		}
		again[path] = position{State: p.State, Input: p.Input, Vars: p.Vars, Prev: prev, Before: p.Before, Entered: p.Entered, At: p.At, Run: p.Run}
	}
	x.mu.Unlock()
	for path, p := range again {
		x.save(path, p)
	}
}

// redriven adds what clients see of redriving.
func (x *execution) redriven(is summary, out map[string]any) {
	out["redriveCount"], out["redriveStatus"] = is.Redrives, "REDRIVABLE"
	if is.Redrives > 0 {
		out["redriveDate"] = seconds(is.Redriven)
	}
	if is.MapRun != "" {
		out["redriveStatus"] = "REDRIVABLE_BY_MAP_RUN"
	}
	if why := x.notRedrivable(is); why != "" {
		out["redriveStatus"], out["redriveStatusReason"] = "NOT_REDRIVABLE", why
	}
}

// over is closed when the execution has ended, until it is redriven.
func (x *execution) over() chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.done
}

// resumed is the map run of a state that goes on: one that has ended is redriven.
func (f *frame) resumed(r *mapRun) {
	if r.Status == running {
		return
	}
	f.x.s.mu.Lock()
	r.Status, r.Ended = running, time.Time{}
	r.Redrives++
	r.Redriven = f.x.s.options.Clock.Now()
	count := r.Redrives
	f.x.s.mu.Unlock()
	f.x.s.keepMapRun(f.x, r)
	f.add("MapRunRedriven", "mapRunRedriven", map[string]any{"mapRunArn": r.ARN, "redriveCount": count})
}

// numbered is a number as values have it.
func numbered(n int) json.Number { return json.Number(fmt.Sprint(n)) }
