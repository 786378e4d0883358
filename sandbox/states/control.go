package states

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"arc/sandbox/states/asl"
)

func (f *frame) pass(s *asl.State, raw, input any) (any, string, *asl.Failure) {
	result, failure := f.filled(s, s.Parameters, input)
	if failure != nil {
		return nil, "", failure
	}
	if s.HasResult {
		result = s.Result
		f.x.saw("result", result)
	} else {
		f.x.saw("afterParameters", result)
	}
	return f.result(s, raw, result)
}

func (f *frame) choice(s *asl.State, input any) (any, string, *asl.Failure) {
	next, assign := s.Default, s.Assign
	scope := f.scope(s, input)
	for _, rule := range s.Choices {
		yes, failure := rule.Match(scope)
		if failure != nil {
			return nil, "", f.placed(s, failure)
		}
		if yes {
			next, assign = rule.Next, rule.Assign
			break
		}
	}
	if next == "" {
		return nil, "", f.placed(s, noChoice())
	}
	if failure := f.assign(s, assign, input); failure != nil {
		return nil, "", failure
	}
	output, failure := f.taken(s, s.OutputPath, input)
	return output, next, failure
}

// noChoice is how a choice fails that leads nowhere.
func noChoice() *asl.Failure {
	return &asl.Failure{Name: asl.ErrNoChoiceMatched, Cause: "Failed to transition out of the state. The state does not point to a next state."}
}

// maxWait is how long a state may wait, in seconds.
const maxWait = 99999999

// wait lets time pass; until when is kept.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html
func (f *frame) wait(ctx context.Context, s *asl.State, input any) (any, string, *asl.Failure) {
	if f.at.Until.IsZero() {
		until, failure := f.until(s, input)
		if failure != nil {
			return nil, "", f.placed(s, failure)
		}
		f.at.Until = until
		f.save()
	}
	if !f.x.s.wait(ctx, f.at.Until.Sub(f.x.s.options.Clock.Now())) {
		return nil, "", cut
	}
	if failure := f.assign(s, s.Assign, input); failure != nil {
		return nil, "", failure
	}
	output, failure := f.taken(s, s.OutputPath, input)
	return output, s.Next, failure
}

func (f *frame) until(s *asl.State, input any) (time.Time, *asl.Failure) {
	fail := func(format string, args ...any) (time.Time, *asl.Failure) {
		return time.Time{}, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf(format, args...)}
	}
	scope, now := f.scope(s, input), f.x.s.options.Clock.Now()
	switch {
	case s.Seconds != nil:
		return now.Add(time.Duration(*s.Seconds) * time.Second), nil
	case s.SecondsPath != nil:
		v, ok := s.SecondsPath.Get(scope)
		if !ok {
			return fail("The SecondsPath parameter does not reference an input value: %s", s.SecondsPath)
		}
		n, whole := asl.Whole(v)
		if _, isNumber := v.(json.Number); !whole || !isNumber {
			return fail("The SecondsPath parameter cannot be parsed as a long value: %s == %s", s.SecondsPath, plain(v))
		}
		if n < 0 {
			return fail("The SecondsPath parameter references a negative value: %s == %d", s.SecondsPath, n)
		}
		if n > maxWait {
			return fail("Wait state delay is too long.")
		}
		return now.Add(time.Duration(n) * time.Second), nil
	}
	text := s.Timestamp
	if s.TimestampPath != nil {
		v, ok := s.TimestampPath.Get(scope)
		if !ok {
			return fail("The TimestampPath parameter does not reference an input value: %s", s.TimestampPath)
		}
		text = plain(v)
	}
	t, err := asl.ParseTime(text)
	if err != nil {
		return fail("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s", s.TimestampPath, text)
	}
	if t.Sub(now) > maxWait*time.Second {
		return fail("Wait state delay is too long.")
	}
	return t, nil
}

// plain is a text as it is, and any other value as JSON.
func plain(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return asl.Encode(v)
}

// fail is how a Fail state does.
func (f *frame) fail(s *asl.State, input any) *asl.Failure {
	failure := &asl.Failure{Name: s.Error, Cause: s.Cause}
	for _, one := range []struct {
		field string
		into  *string
	}{{"Error", &failure.Name}, {"Cause", &failure.Cause}} {
		v, ok, wrong := f.computed(s, one.field, "string", input)
		if wrong != nil {
			return wrong
		}
		if text, isText := v.(string); ok && isText {
			*one.into = text
		}
	}
	for _, one := range []struct {
		expression *asl.Expression
		field      string
		into       *string
	}{{s.ErrorExpr, "ErrorPath", &failure.Name}, {s.CauseExpr, "CausePath", &failure.Cause}} {
		if one.expression == nil {
			continue
		}
		v, wrong := one.expression.Eval(one.field, f.scope(s, input), f.x)
		if wrong != nil {
			return f.placed(s, wrong)
		}
		text, ok := v.(string)
		if !ok {
			return f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The %s field must refer to a string but was: %s", one.field, asl.Encode(v))})
		}
		*one.into = text
	}
	return failure
}

// limit is a whole number that stands in a field, or at the path in another one.
func (f *frame) limit(s *asl.State, name string, fixed int, p *asl.Path, input any) (int, *asl.Failure) {
	least := 0
	if strings.HasSuffix(name, "Seconds") {
		least = 1
	}
	if n, ok, failure := f.computedWhole(s, name, least, input); ok {
		return n, failure
	}
	if p == nil {
		return fixed, nil
	}
	v, failure := f.taken(s, p, input)
	if failure != nil {
		return 0, failure
	}
	number := v
	if text, isText := v.(string); isText {
		number = json.Number(text) // AWS takes a number in a text, too
	}
	n, ok := asl.Whole(number)
	if !ok {
		return 0, f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The %sPath field refers to value \"%s\" which is not a valid integer: %s", name, plain(v), p)})
	}
	if n < 0 && name != "MaxItems" || n == 0 && strings.HasSuffix(name, "Seconds") {
		return 0, f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("%s cannot be negative.", name)})
	}
	return n, nil
}
