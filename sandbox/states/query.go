package states

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"

	"arc/sandbox/states/asl"
)

// What states in JSONata do where those in JSONPath take and fill in.
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html

// told is what $states has beside the input and the context.
type told struct {
	name  string // "result", "errorOutput"; "" = nothing
	value any
}

// asked is what expressions look at in a state.
func (f *frame) asked(s *asl.State, input any, more told) asl.Scope {
	scope := f.scope(s, input)
	scope.Now = f.x.s.options.Clock.Now()
	scope.States = map[string]any{"input": input, "context": scope.Context}
	if more.name != "" {
		scope.States[more.name] = more.value
	}
	return scope
}

// query evaluates what stands in a field; without it, it is the other value.
func (f *frame) query(s *asl.State, field string, q *asl.Query, input any, more told, other any) (any, *asl.Failure) {
	if q == nil {
		return other, nil
	}
	v, failure := q.Eval(field, f.asked(s, input, more), f.x)
	return v, f.unevaluated(s, failure)
}

// unevaluated places a failure, and writes it into the history. AWS tells of it as of
// a part of what enters the state.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_EvaluationFailedEventDetails.html
func (f *frame) unevaluated(s *asl.State, failure *asl.Failure) *asl.Failure {
	if failure == nil || failure.Field == "" {
		return f.placed(s, failure)
	}
	prev := f.prev
	if prev == f.at.Entered {
		prev = f.at.Before
	}
	return f.wrong(s, failure.Field, prev, "%s", failure.Cause)
}

// given is what a state gives and assigns, of which both see the variables as they
// were.
func (f *frame) given(s *asl.State, at string, output, variables *asl.Query, input any, more told, other any) (any, *asl.Failure) {
	set, failure := f.query(s, at+"Assign", variables, input, more, nil)
	if failure != nil {
		return nil, failure
	}
	out, failure := f.query(s, at+"Output", output, input, more, other)
	if failure != nil {
		return nil, failure
	}
	f.set(set)
	return out, nil
}

// set sets variables, all at once.
func (f *frame) set(v any) {
	set, _ := v.(map[string]any)
	if len(set) == 0 {
		return
	}
	vars := maps.Clone(f.vars)
	maps.Copy(vars, set)
	f.vars, f.assigned = vars, set
}

// passes runs what has no work to do: a state that only gives.
func (f *frame) passes(s *asl.State, input any) (any, string, *asl.Failure) {
	output, failure := f.given(s, "", s.Output, s.Variables, input, told{}, input)
	return output, s.Next, failure
}

// chooses goes where the first condition leads that is true.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
func (f *frame) chooses(s *asl.State, input any) (any, string, *asl.Failure) {
	next, at, output, variables := s.Default, "", s.Output, s.Variables
	for i, rule := range s.Choices {
		where := fmt.Sprintf("Choices[%d]/", i)
		yes, failure := rule.Condition.Is("boolean", where+"Condition", f.asked(s, input, told{}), f.x)
		if failure != nil {
			return nil, "", f.unevaluated(s, failure)
		}
		if yes == true {
			next, at, output, variables = rule.Next, where, rule.Output, rule.Variables
			break
		}
	}
	if next == "" {
		return nil, "", f.placed(s, noChoice())
	}
	out, failure := f.given(s, at, output, variables, input, told{}, input)
	return out, next, failure
}

// computed is the value of a field that is an expression, of a type of JSON; ok is
// false where it is a constant.
func (f *frame) computed(s *asl.State, field, kind string, input any) (v any, ok bool, failure *asl.Failure) {
	q := s.Computed[field]
	if q == nil {
		return nil, false, nil
	}
	v, failure = q.Is(kind, field, f.asked(s, input, told{}), f.x)
	return v, true, f.unevaluated(s, failure)
}

// wrong is how a value fails that an expression has given for a field.
func (f *frame) wrong(s *asl.State, field string, prev int64, format string, args ...any) *asl.Failure {
	failure := f.placed(s, &asl.Failure{Name: asl.ErrQuery, Cause: fmt.Sprintf(format, args...)})
	details := map[string]any{"error": failure.Name, "cause": failure.Cause, "state": s.Name}
	if field != "" {
		details["location"] = field
	}
	f.prev = f.x.add(prev, "EvaluationFailed", "evaluationFailed", details)
	return failure
}

// computedWhole is a whole number, least or more, that an expression gives.
func (f *frame) computedWhole(s *asl.State, field string, least int, input any) (int, bool, *asl.Failure) {
	v, ok, failure := f.computed(s, field, "number", input)
	if !ok || failure != nil {
		return 0, ok, failure
	}
	n, whole := asl.Whole(v)
	if !whole || n < least || n > maxWait {
		return 0, true, f.wrong(s, field, f.prev, "The %s field must be an integer from %d to %d but was: %s", field, least, maxWait, asl.Encode(v))
	}
	return n, true, nil
}

// computedUntil is until when a state waits, where an expression says it.
func (f *frame) computedUntil(s *asl.State, input any) (time.Time, bool, *asl.Failure) {
	if n, ok, failure := f.computedWhole(s, "Seconds", 0, input); ok {
		return f.x.s.options.Clock.Now().Add(time.Duration(n) * time.Second), true, failure
	}
	v, ok, failure := f.computed(s, "Timestamp", "string", input)
	if !ok || failure != nil {
		return time.Time{}, ok, failure
	}
	text, _ := v.(string)
	t, err := asl.ParseTime(text)
	if err != nil {
		return t, true, f.wrong(s, "Timestamp", f.prev, "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: %s", text)
	}
	return t, true, nil
}

// percentage is ToleratedFailurePercentage, where an expression says it.
func (f *frame) percentage(s *asl.State, input any) (float64, bool, *asl.Failure) {
	const field = "ToleratedFailurePercentage"
	v, ok, failure := f.computed(s, field, "number", input)
	if !ok || failure != nil {
		return 0, ok, failure
	}
	number, _ := v.(json.Number)
	n, err := number.Float64()
	if err != nil || math.IsNaN(n) || n < 0 || n > 100 {
		return 0, true, f.wrong(s, field, f.prev, "The %s field must be a number from 0 to 100 but was: %s", field, asl.Encode(v))
	}
	return n, true, nil
}

// items are those of a map.
func (f *frame) items(s *asl.State, input any) ([]any, *asl.Failure) {
	if s.Items != nil {
		v, failure := s.Items.Is("array", "Items", f.asked(s, input, told{}), f.x)
		list, _ := v.([]any)
		return list, f.unevaluated(s, failure)
	}
	given, failure := f.taken(s, s.ItemsPath, input)
	if failure != nil {
		return nil, failure
	}
	list, ok := given.([]any)
	switch {
	case !ok && s.JSONata:
		return nil, f.wrong(s, "", f.at.Before, "Map state input must be an array but was: %s", asl.Encode(given))
	case !ok:
		return nil, f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("Reference path %q must point to array.", s.ItemsPath.String())})
	}
	return list, nil
}

// catches leads a failure to where a catcher says; handled is false where none does.
func (f *frame) catches(s *asl.State, i int, input any, object map[string]any) (any, *asl.Failure) {
	c := s.Catch[i]
	return f.given(s, fmt.Sprintf("Catch[%d]/", i), c.Output, c.Variables, input, told{"errorOutput", object}, object)
}

// waits is wait of a state whose time an expression may say.
func (f *frame) waits(ctx context.Context, s *asl.State, input any) (any, string, *asl.Failure) {
	if f.at.Until.IsZero() {
		until, ok, failure := f.computedUntil(s, input)
		if !ok {
			until, failure = f.until(s, input)
			failure = f.placed(s, failure)
		}
		if failure != nil {
			return nil, "", failure
		}
		f.at.Until = until
		f.save()
	}
	if !f.x.s.wait(ctx, f.at.Until.Sub(f.x.s.options.Clock.Now())) {
		return nil, "", cut
	}
	return f.passes(s, input)
}
