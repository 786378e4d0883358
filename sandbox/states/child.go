package states

import (
	"encoding/json"
	"fmt"

	"arc/sandbox/states/asl"
)

// child gives what is closed when the execution that a task has started ends.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
func (t *attempt) child(started any) (chan struct{}, *asl.Failure) {
	if m, ok := started.(map[string]any); ok {
		t.at.Child, _ = m["ExecutionArn"].(string)
		t.save()
	}
	s := t.x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.executions[t.at.Child]; x != nil {
		return x.over(), nil
	}
	return nil, &asl.Failure{Name: asl.ErrTaskFailed, Cause: fmt.Sprintf("Execution Does Not Exist: '%s'", t.at.Child)}
}

// stopChild ends the execution that the task waits for, as the task ends without it.
func (t *attempt) stopChild(why error) {
	if t.at.Child == "" || why == errClosing {
		return
	}
	s := t.x.s
	s.mu.Lock()
	x := s.executions[t.at.Child]
	s.mu.Unlock()
	if x != nil {
		x.stop(errStopped)
	}
}

// childResult is what has come of it.
func (t *attempt) childResult() (any, *asl.Failure) {
	s := t.x.s
	s.mu.Lock()
	x := s.executions[t.at.Child]
	s.mu.Unlock()
	if x == nil {
		return nil, &asl.Failure{Name: asl.ErrTaskFailed, Cause: fmt.Sprintf("Execution Does Not Exist: '%s'", t.at.Child)}
	}
	is := x.now()
	out := map[string]any{
		"ExecutionArn": is.ARN, "Name": is.Name, "StateMachineArn": is.Machine.ARN, "Status": is.Status, "Input": is.Input, "InputDetails": map[string]any{"Included": true},
		"StartDate": json.Number(fmt.Sprint(is.Started.UnixMilli())), "StopDate": json.Number(fmt.Sprint(is.Ended.UnixMilli())),
	}
	if is.HasOutput {
		out["Output"], out["OutputDetails"] = is.Output, map[string]any{"Included": true}
	}
	if t.resource.pattern == sync2 {
		for _, name := range []string{"Input", "Output"} {
			if text, ok := out[name].(string); ok {
				out[name], _ = asl.Decode([]byte(text)) // as we have written it
			}
		}
	}
	if is.Status != succeeded {
		if is.HasFailure {
			out["Error"], out["Cause"] = is.Error, is.Cause
		}
		return nil, &asl.Failure{Name: asl.ErrTaskFailed, Cause: asl.Encode(out)}
	}
	return out, nil
}
