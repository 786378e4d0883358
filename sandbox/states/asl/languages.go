package asl

import (
	"slices"
	"strings"
)

// stateFields are what states have beside Type, Comment and QueryLanguage: in either
// language, in JSONPath, and in JSONata.
// https://states-language.net/spec.html#states-fields
var stateFields = map[string][3]string{
	"Pass":     {"Next End Assign", "InputPath OutputPath ResultPath Parameters Result", "Output"},
	"Task":     {"Next End Assign Retry Catch Resource TimeoutSeconds HeartbeatSeconds Credentials", "InputPath OutputPath ResultPath Parameters ResultSelector TimeoutSecondsPath HeartbeatSecondsPath", "Arguments Output"},
	"Choice":   {"Assign Choices Default", "InputPath OutputPath", "Output"},
	"Wait":     {"Next End Assign Seconds Timestamp", "InputPath OutputPath SecondsPath TimestampPath", "Output"},
	"Succeed":  {"", "InputPath OutputPath", "Output"},
	"Fail":     {"Error Cause", "ErrorPath CausePath", ""},
	"Parallel": {"Next End Assign Retry Catch Branches", "InputPath OutputPath ResultPath Parameters ResultSelector", "Arguments Output"},
	"Map": {
		"Next End Assign Retry Catch ItemSelector ItemProcessor Iterator MaxConcurrency ToleratedFailureCount ToleratedFailurePercentage ItemReader ItemBatcher ResultWriter Label",
		"InputPath OutputPath ResultPath Parameters ResultSelector ItemsPath MaxConcurrencyPath ToleratedFailureCountPath ToleratedFailurePercentagePath",
		"Items Output",
	},
}

// fieldsOf are the fields of a type in a language.
func fieldsOf(kind string, jsonata bool) []string {
	fields := stateFields[kind]
	if jsonata {
		return strings.Fields(fields[0] + " " + fields[2])
	}
	return strings.Fields(fields[0] + " " + fields[1])
}

// language is the language of a machine or a state; true = JSONata. inherited is that
// of the machine.
// https://github.com/floci-io/floci/issues/2968 has AWS's words and rules.
func (r *reader) language(m map[string]any, at string, inherited bool) bool {
	v, given := m["QueryLanguage"]
	if !given {
		return inherited
	}
	switch v {
	case "JSONPath":
		if inherited {
			r.wrong(at, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
		}
		return inherited
	case "JSONata":
	default:
		r.wrong(at+"/QueryLanguage", "The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata]")
	}
	return true
}

// only tells of a field that is one of the other language.
func (r *reader) only(field, is, other, at string) {
	r.wrong(at, "The QueryLanguage is set to '%s', but field '%s' is only supported for the '%s' QueryLanguage", is, field, other)
}

// unsupported tells of a field that a state has not, or not in its language.
func (r *reader) unsupported(kind, field, at string) {
	is, other := "JSONPath", "JSONata"
	if r.jsonataIn {
		is, other = other, is
	}
	if slices.Contains(fieldsOf(kind, !r.jsonataIn), field) {
		r.only(field, is, other, at)
		return
	}
	r.wrong(at, "Field '%s' is not supported", field)
}

// computed are the fields that may be expressions where they are no constants.
var computed = []string{
	"Seconds", "Timestamp", "TimeoutSeconds", "HeartbeatSeconds", "MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage", "Error", "Cause",
}

// queried reads a field that is another one in JSONata; false = it is not.
func (r *reader) queried(s *State, key string, v any, at string) bool {
	result := before
	if s.Type == "Task" || s.Type == "Parallel" || s.Type == "Map" {
		result = after
	}
	switch key {
	case "Arguments":
		s.Arguments = r.query(v, at, before)
	case "Output":
		s.Output = r.query(v, at, result)
	case "Assign":
		s.Variables = r.variables(v, at, result)
	case "ItemSelector":
		s.Selector = r.query(v, at, before)
	case "Items":
		s.Items = r.query(v, at, before)
		if s.Items.expr == nil && Type(v) != "array" {
			r.wrong(at, "Expected value of type Array or a JSONata expression")
		}
	default:
		text, _ := v.(string)
		_, is, _ := expressionIn(text)
		if !is || !slices.Contains(computed, key) {
			return false
		}
		if s.Computed == nil {
			s.Computed = map[string]*Query{}
		}
		s.Computed[key] = r.query(v, at, before)
		s.Tolerates = s.Tolerates || strings.HasPrefix(key, "Tolerated")
	}
	return true
}

// variables reads Assign.
func (r *reader) variables(v any, at string, where place) *Query {
	m, ok := v.(map[string]any)
	if !ok {
		r.wrong(at, "Expected value of type Object")
		return nil
	}
	for _, name := range sorted(m) {
		r.variable(name, at)
	}
	return r.query(v, at, where)
}

// condition reads a rule of a Choice state.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
func (r *reader) condition(m map[string]any, at string) *Rule {
	rule := &Rule{}
	for _, key := range sorted(m) {
		where := at + "/" + key
		switch key {
		case "Comment":
			r.text(m[key], where)
		case "Next":
			rule.Next = r.text(m[key], where)
		case "Condition":
			rule.Condition = r.query(m[key], where, before)
			if rule.Condition.expr == nil && Type(m[key]) != "boolean" {
				r.wrong(where, "Expected value of type Boolean or a JSONata expression")
			}
		case "Assign":
			rule.Variables = r.variables(m[key], where, before)
		case "Output":
			rule.Output = r.query(m[key], where, before)
		default:
			if _, _, is := operatorOf(key); is || slices.Contains([]string{"Variable", "And", "Or", "Not"}, key) {
				r.only(key, "JSONata", "JSONPath", at)
			} else {
				r.wrong(at, "Field '%s' is not supported", key)
			}
		}
	}
	r.required(m, at, "Condition", "Next")
	return rule
}

// queryCatcher reads a catcher.
func (r *reader) queryCatcher(m map[string]any, names []string, at string) Catcher {
	out := Catcher{ErrorEquals: names}
	r.required(m, at, "Next")
	for _, key := range sorted(m) {
		v, where := m[key], at+"/"+key
		switch key {
		case "ErrorEquals", "Comment":
		case "Next":
			out.Next = r.text(v, where)
		case "Output":
			out.Output = r.query(v, where, catching)
		case "Assign":
			out.Variables = r.variables(v, where, catching)
		case "ResultPath":
			r.only(key, "JSONata", "JSONPath", at)
		default:
			r.wrong(at, "Field '%s' is not supported", key)
		}
	}
	return out
}
