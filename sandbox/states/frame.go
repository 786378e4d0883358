package states

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"time"

	"arc/sandbox/states/asl"
)

// frame is a line of states of an execution: the machine itself, a branch of a
// parallel state, or an item of a map.
type frame struct {
	x       *execution
	machine *asl.Machine
	path    string         // "" is the machine itself; "Fan/0" its first branch
	item    map[string]any // what $$.Map is; nil outside of maps
	outer   map[string]any // variables that it may read
	vars    map[string]any // its own
	// assigned is what the present state has set of them
	assigned map[string]any
	prev     int64 // the last event
	ended    int64 // the event of an item's end
	at       position
	now      *asl.State // the one that it is in
}

// cut is what comes of a frame whose context has ended.
var cut = &asl.Failure{}

// run goes from state to state until the end.
func (f *frame) run(ctx context.Context, input any) (any, *asl.Failure) {
	f.vars = map[string]any{}
	if kept, ok := f.x.position(f.path); ok {
		if f.prev = kept.Prev; kept.Done {
			output, _ := asl.Decode(kept.Output) // that we have written
			return output, kept.Failure
		}
		f.at = kept
		input, _ = asl.Decode(kept.Input) // as above
		if vars, err := asl.Decode(kept.Vars); err == nil {
			f.vars, _ = vars.(map[string]any)
		}
	} else {
		f.at = position{State: f.machine.StartAt, Input: encoded(input), Prev: f.prev}
	}
	for {
		s := f.machine.States[f.at.State]
		f.now = s
		output, next, failure := f.state(ctx, s, input)
		if ctx.Err() != nil {
			return nil, cut
		}
		if failure != nil || next == "" {
			f.end(output, failure)
			return output, failure
		}
		f.at = position{State: next, Input: encoded(output), Vars: encoded(f.vars), Prev: f.prev}
		input = output
		f.x.dropPositions(f.path + "/" + s.Name)
	}
}

// end keeps what has come of a branch until the others are done, too.
func (f *frame) end(output any, failure *asl.Failure) {
	if f.path == "" {
		return
	}
	end := position{Prev: f.prev, Done: true, Output: encoded(output), Failure: failure}
	if failure != nil {
		last := f.at
		end.Last = &last
	}
	f.at = end
	f.save()
}

func (f *frame) save() { f.x.save(f.path, f.at) }

func encoded(v any) json.RawMessage { return json.RawMessage(asl.Encode(v)) }

// add writes an event that follows the last one.
func (f *frame) add(kind, name string, details map[string]any) {
	f.prev = f.x.add(f.prev, kind, name, details)
}

// scope is what paths look at in a state.
func (f *frame) scope(s *asl.State, input any) asl.Scope {
	vars := maps.Clone(f.outer)
	if vars == nil {
		vars = map[string]any{}
	}
	maps.Copy(vars, f.vars)
	return asl.Scope{Input: input, Context: f.context(s), Variables: vars}
}

// context is the context object.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
func (f *frame) context(s *asl.State) map[string]any {
	input, _ := asl.Decode([]byte(f.x.Input)) // it was looked at
	state := map[string]any{"EnteredTime": stamp(f.at.At), "Name": s.Name}
	if s.Type == "Task" || s.Type == "Parallel" || s.Type == "Map" {
		tries := 0
		for _, n := range f.at.Tries {
			tries += n
		}
		state["RetryCount"] = json.Number(fmt.Sprint(tries))
	}
	m := f.x.Machine
	if f.x.trial != nil && f.x.trial.context != nil {
		return f.x.trial.context
	}
	object := map[string]any{
		"Execution":    map[string]any{"Id": f.x.ARN, "Input": input, "Name": f.x.Name, "RoleArn": m.Role, "StartTime": stamp(f.x.Started), "RedriveCount": numbered(f.x.now().Redrives)},
		"State":        state,
		"StateMachine": map[string]any{"Id": m.ARN, "Name": m.Name},
	}
	if f.x.trial != nil {
		execution := object["Execution"].(map[string]any)
		delete(execution, "RedriveCount")
		if m.Role == "" {
			execution["RoleArn"] = nil
		}
	}
	if f.item != nil {
		object["Map"] = f.item
	}
	if f.at.Token != "" {
		object["Task"] = map[string]any{"Token": f.at.Token}
	}
	return object
}

// stamp is a time as the context object has it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// state runs one state. next "" = the frame ends with the output.
func (f *frame) state(ctx context.Context, s *asl.State, raw any) (output any, next string, failure *asl.Failure) {
	f.assigned = nil
	if f.at.Entered == 0 {
		f.at.At, f.at.Before = f.x.s.options.Clock.Now(), f.prev
		f.add(s.Type+"StateEntered", "stateEntered", map[string]any{"name": s.Name, "input": asl.Encode(raw), "inputDetails": whole()})
		f.at.Entered, f.at.Prev = f.prev, f.prev
		f.save()
	}
	input, failure := f.taken(s, s.InputPath, raw)
	if failure == nil && !s.JSONata && !s.HasResult && s.Type != "Parallel" {
		f.x.saw("afterInputPath", input)
	}
	if failure == nil {
		switch {
		case s.Type == "Fail":
			return nil, "", f.fail(s, raw)
		case s.JSONata && s.Type == "Choice":
			output, next, failure = f.chooses(s, input)
		case s.JSONata && s.Type == "Wait":
			output, next, failure = f.waits(ctx, s, input)
		case s.JSONata && (s.Type == "Pass" || s.Type == "Succeed"):
			output, next, failure = f.passes(s, input)
		case s.Type == "Pass":
			output, next, failure = f.pass(s, raw, input)
		case s.Type == "Choice":
			output, next, failure = f.choice(s, input)
		case s.Type == "Wait":
			output, next, failure = f.wait(ctx, s, input)
		case s.Type == "Succeed":
			output, failure = f.taken(s, s.OutputPath, input)
		default:
			output, next, failure = f.work(ctx, s, raw, input)
		}
	}
	if ctx.Err() != nil || failure != nil {
		return nil, "", failure
	}
	text := asl.Encode(output)
	if len(text) > maxPayload {
		return nil, "", &asl.Failure{Name: asl.ErrTooLarge, Cause: fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", s.Name)}
	}
	details := map[string]any{"name": s.Name, "output": text, "outputDetails": whole()}
	if len(f.assigned) > 0 {
		texts := map[string]string{}
		for name, v := range f.assigned {
			texts[name] = asl.Encode(v)
		}
		details["assignedVariables"], details["assignedVariablesDetails"] = texts, whole()
	}
	f.add(s.Type+"StateExited", "stateExited", details)
	return output, next, nil
}

// placed says in a failure of what stands in a state where that was.
func (f *frame) placed(s *asl.State, failure *asl.Failure) *asl.Failure {
	if failure == nil {
		return nil
	}
	if f.x.trial != nil {
		return failure
	}
	return &asl.Failure{Name: failure.Name, Cause: fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). %s", s.Name, f.at.Entered, failure.Cause)}
}

// taken is what a path takes of a value; nil = {}.
func (f *frame) taken(s *asl.State, p *asl.Path, of any) (any, *asl.Failure) {
	if p == nil {
		return map[string]any{}, nil
	}
	v, failure := p.Take(f.scope(s, of))
	return v, f.placed(s, failure)
}

// filled is a template with a value as its input; without one it is the value.
func (f *frame) filled(s *asl.State, t *asl.Template, input any) (any, *asl.Failure) {
	if t == nil {
		return input, nil
	}
	v, failure := t.Eval(f.scope(s, input), f.x)
	return v, f.placed(s, failure)
}

// assign sets variables, all at once.
// https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
func (f *frame) assign(s *asl.State, t *asl.Template, of any) *asl.Failure {
	if t == nil {
		return nil
	}
	v, failure := f.filled(s, t, of)
	if failure != nil {
		return failure
	}
	f.set(v)
	return nil
}

// result makes the output of a state of what has come of it.
func (f *frame) result(s *asl.State, raw, result any) (any, string, *asl.Failure) {
	if s.JSONata {
		output, failure := f.given(s, "", s.Output, s.Variables, raw, told{"result", result}, result)
		return output, s.Next, failure
	}
	if failure := f.assign(s, s.Assign, result); failure != nil {
		return nil, "", failure
	}
	selected, failure := f.filled(s, s.ResultSelector, result)
	if failure != nil {
		return nil, "", failure
	}
	f.x.saw("afterResultSelector", selected)
	output := raw
	if s.ResultPath != nil {
		if output, failure = s.ResultPath.Put(raw, selected); failure != nil {
			return nil, "", f.placed(s, failure)
		}
	}
	f.x.saw("afterResultPath", output)
	output, failure = f.taken(s, s.OutputPath, output)
	return output, s.Next, failure
}

// work runs a state that may fail, be tried again and be caught.
func (f *frame) work(ctx context.Context, s *asl.State, raw, input any) (any, string, *asl.Failure) {
	var failure *asl.Failure
	if f.at.Tries == nil && len(s.Retry) > 0 {
		f.at.Tries = make([]int, len(s.Retry))
	}
	for f.waited(ctx) {
		if r := resourceOf(s.Resource); s.Type == "Task" && f.at.Token == "" && (r.pattern == waitForTaskToken || r.activity) {
			f.at.Token = newToken() // which the parameters may hold
		}
		given, wrong := f.filled(s, s.Parameters, input)
		if s.JSONata {
			given, wrong = f.query(s, "Arguments", s.Arguments, input, told{}, input)
		}
		if wrong != nil && !s.JSONata {
			return nil, "", wrong
		}
		switch {
		case wrong != nil || s.Type != "Task":
		case !s.JSONata:
			f.x.saw("afterParameters", given)
		case s.Arguments != nil:
			f.x.saw("afterArguments", given)
		}
		var result any
		switch failure = wrong; {
		case wrong != nil:
		case f.x.trial != nil && f.x.trial.mock != nil:
			result, failure = f.mocked(s, input)
		case s.Type == "Task":
			if result, failure = f.task(ctx, s, input, given); failure == nil {
				f.x.saw("result", result)
			}
		case s.Type == "Parallel":
			result, failure = f.parallel(ctx, s, given)
		default:
			result, failure = f.each(ctx, s, input)
		}
		if ctx.Err() != nil {
			break
		}
		if failure == nil {
			var output any
			var next string
			if output, next, failure = f.result(s, raw, result); failure == nil || !s.JSONata {
				return output, next, failure
			}
		}
		if f.x.trial != nil {
			return f.tried(s, raw, failure)
		}
		if !f.again(s, failure) {
			if s.Type != "Task" && failure.Name != asl.ErrRuntime {
				f.add(s.Type+"StateFailed", "", nil)
			}
			return f.caught(s, raw, failure)
		}
	}
	return nil, "", cut
}

// waited lets the time until the next try pass.
func (f *frame) waited(ctx context.Context) bool {
	if f.at.Until.IsZero() {
		return ctx.Err() == nil
	}
	if !f.x.s.wait(ctx, f.at.Until.Sub(f.x.s.options.Clock.Now())) {
		return false
	}
	f.at.Until = time.Time{}
	return true
}

// again reports whether a failure is tried again, and says when.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error
func (f *frame) again(s *asl.State, failure *asl.Failure) bool {
	for i, r := range s.Retry {
		if !asl.Matches(r.ErrorEquals, failure.Name) {
			continue
		}
		if f.at.Tries[i] >= r.MaxAttempts {
			return false
		}
		delay := float64(r.IntervalSeconds) * math.Pow(r.BackoffRate, float64(f.at.Tries[i]))
		if r.MaxDelaySeconds > 0 {
			delay = math.Min(delay, float64(r.MaxDelaySeconds))
		}
		if r.FullJitter {
			delay *= rand.Float64()
		}
		// A year is longer than any execution lasts.
		wait := time.Duration(math.Min(delay, 365*24*3600) * float64(time.Second))
		f.at.Tries[i]++
		f.x.dropPositions(f.path + "/" + s.Name)
		f.at = position{State: f.at.State, Input: f.at.Input, Vars: f.at.Vars, Prev: f.prev, Before: f.at.Before, Entered: f.at.Entered, At: f.at.At, Tries: f.at.Tries, Until: f.x.s.options.Clock.Now().Add(wait)}
		f.save()
		f.x.say("in %s has failed (%s); tried again in %s, as on AWS", s.Name, failure.Error(), wait)
		return true
	}
	return false
}

// caught leads a failure to where a catcher says.
func (f *frame) caught(s *asl.State, raw any, failure *asl.Failure) (any, string, *asl.Failure) {
	for i, c := range s.Catch {
		if !asl.Matches(c.ErrorEquals, failure.Name) {
			continue
		}
		object := map[string]any{"Error": failure.Name, "Cause": failure.Cause}
		f.x.caughtBy(i, failure)
		if s.JSONata {
			output, wrong := f.catches(s, i, raw, object)
			if wrong != nil {
				return nil, "", wrong
			}
			f.goesOn(s, c, failure)
			return output, c.Next, nil
		}
		if wrong := f.assign(s, c.Assign, object); wrong != nil {
			return nil, "", wrong
		}
		output := raw
		if c.ResultPath != nil {
			var wrong *asl.Failure
			if output, wrong = c.ResultPath.Put(raw, object); wrong != nil {
				return nil, "", f.placed(s, wrong)
			}
		}
		f.goesOn(s, c, failure)
		return output, c.Next, nil
	}
	return nil, "", failure
}

// goesOn tells where a failure leads.
func (f *frame) goesOn(s *asl.State, c asl.Catcher, failure *asl.Failure) {
	f.x.say("in %s has failed (%s); it goes on with %s", s.Name, failure.Error(), c.Next)
}
