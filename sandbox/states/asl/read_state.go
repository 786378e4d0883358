package asl

import (
	"fmt"
	"slices"
	"strings"
)

// either are fields of which a state has one at most.
var either = [][]string{
	{"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}, {"TimeoutSeconds", "TimeoutSecondsPath"}, {"HeartbeatSeconds", "HeartbeatSecondsPath"},
	{"Error", "ErrorPath"}, {"Cause", "CausePath"}, {"MaxConcurrency", "MaxConcurrencyPath"}, {"ItemProcessor", "Iterator"}, {"ItemSelector", "Parameters"},
	{"ToleratedFailureCount", "ToleratedFailureCountPath"}, {"ToleratedFailurePercentage", "ToleratedFailurePercentagePath"}, {"Next", "End"},
}

// whole is the path to everything.
var whole = &Path{text: "$"}

func (r *reader) state(name string, m map[string]any, at string) *State {
	s := &State{Name: name, InputPath: whole, OutputPath: whole, ResultPath: whole, ItemsPath: whole}
	if !r.required(m, at, "Type") {
		return s
	}
	s.Type, _ = m["Type"].(string)
	if _, known := stateFields[s.Type]; !known {
		r.wrong(at+"/Type", "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]")
		return s
	}
	s.JSONata = r.language(m, at, r.jsonataAll)
	// Branches are of the machine's language, and not of their state's.
	defer func(outer bool) { r.jsonataIn = outer }(r.jsonataIn)
	r.jsonataIn = s.JSONata
	may := fieldsOf(s.Type, s.JSONata)
	for _, key := range sorted(m) {
		switch {
		case key == "Type" || key == "Comment" || key == "QueryLanguage":
		case !slices.Contains(may, key):
			r.unsupported(s.Type, key, at)
		case s.JSONata && r.queried(s, key, m[key], at+"/"+key):
		default:
			r.field(s, key, m[key], at+"/"+key)
		}
	}
	for _, names := range either {
		if !slices.Contains(may, names[0]) {
			continue
		}
		given := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return m[n] == nil || m[n] == false && n == "End" })
		if len(given) > 1 {
			r.wrong(at, "Only one of these fields is allowed: [%s]", strings.Join(given, ", "))
		}
		if len(given) == 0 && names[0] == "Seconds" {
			r.wrong(at, "Wait state must contain exactly one of the following fields: [%s]", strings.Join(slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(may, n) }), ", "))
		}
		if len(given) == 0 && names[0] == "Next" {
			r.wrong(at, "These fields are required: [Next]")
		}
	}
	r.needs(s, m, at)
	return s
}

// needs tells of what a state of the type must have.
func (r *reader) needs(s *State, m map[string]any, at string) {
	switch s.Type {
	case "Task":
		r.required(m, at, "Resource")
		if s.HeartbeatSeconds > 0 && s.TimeoutSeconds > 0 && s.HeartbeatSeconds >= s.TimeoutSeconds {
			r.wrong(at, "HeartbeatSeconds must be smaller than TimeoutSeconds")
		}
	case "Choice":
		r.required(m, at, "Choices")
	case "Parallel":
		r.required(m, at, "Branches")
	case "Map":
		if m["ItemProcessor"] == nil && m["Iterator"] == nil {
			r.required(m, at, "ItemProcessor")
		}
		if !s.Distributed {
			for _, name := range []string{"ItemReader", "ItemBatcher", "ResultWriter", "Label"} {
				if m[name] != nil {
					r.wrong(at, "Field '%s' is not supported for INLINE Map states", name)
				}
			}
		}
	}
}

// field reads one field of a state.
func (r *reader) field(s *State, key string, v any, at string) {
	switch key {
	case "Next":
		s.Next = r.text(v, at)
	case "End":
		s.End = r.truth(v, at)
	case "InputPath":
		s.InputPath = r.optional(v, at)
	case "OutputPath":
		s.OutputPath = r.optional(v, at)
	case "ResultPath":
		s.ResultPath = r.reference(v, at)
	case "Parameters":
		if s.Type == "Map" {
			s.ItemSelector = r.template(v, at)
			return
		}
		s.Parameters = r.template(v, at)
	case "ResultSelector":
		s.ResultSelector = r.template(v, at)
	case "ItemSelector":
		s.ItemSelector = r.template(v, at)
	case "Assign":
		s.Assign = r.assign(v, at)
	case "Result":
		s.Result, s.HasResult = v, true
	case "Error":
		s.Error = r.text(v, at)
	case "Cause":
		s.Cause = r.text(v, at)
	case "ErrorPath":
		s.ErrorExpr = r.expression(v, at)
	case "CausePath":
		s.CauseExpr = r.expression(v, at)
	case "Seconds":
		n := r.whole(v, at, 0)
		s.Seconds = &n
	case "SecondsPath":
		s.SecondsPath = r.path(v, at)
	case "Timestamp":
		if _, ok := timestamp(v); !ok {
			r.wrong(at, "String does not match RFC3339 timestamp")
		}
		s.Timestamp, _ = v.(string)
	case "TimestampPath":
		s.TimestampPath = r.path(v, at)
	case "Choices":
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			r.wrong(at, "Value cannot be empty")
		}
		for i, one := range list {
			if rule := r.rule(one, fmt.Sprintf("%s[%d]", at, i), false); rule != nil {
				s.Choices = append(s.Choices, rule)
			}
		}
	case "Default":
		s.Default = r.text(v, at)
	case "Retry", "Catch":
		r.handlers(s, key, v, at)
	case "Branches":
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			r.wrong(at, "Value cannot be empty")
		}
		for i, one := range list {
			r.branch(s, one, fmt.Sprintf("%s[%d]", at, i))
		}
	case "ItemProcessor", "Iterator":
		r.processor(s, v, at)
	case "ItemReader":
		s.Reader = r.itemReader(s, v, at)
	case "ItemBatcher":
		s.Batcher = r.itemBatcher(s, v, at)
	case "ResultWriter":
		s.Writer = r.resultWriter(v, at)
	case "Label":
		s.Label = r.label(v, at)
	case "Credentials":
		r.credentials(s, v, at)
	default:
		r.limit(s, key, v, at)
	}
}

// limit reads what bounds tasks and maps.
func (r *reader) limit(s *State, key string, v any, at string) {
	switch key {
	case "Resource":
		s.Resource = r.text(v, at)
		if s.Resource != "" && !strings.HasPrefix(s.Resource, "arn:") {
			r.wrong(at, "Value is not a valid resource ARN")
		}
	case "TimeoutSeconds":
		s.TimeoutSeconds = r.whole(v, at, 1)
	case "TimeoutSecondsPath":
		s.TimeoutSecondsPath = r.path(v, at)
	case "HeartbeatSeconds":
		s.HeartbeatSeconds = r.whole(v, at, 1)
	case "HeartbeatSecondsPath":
		s.HeartbeatSecondsPath = r.path(v, at)
	case "ItemsPath":
		if p := r.path(v, at); p != nil {
			s.ItemsPath = p
		}
	case "MaxConcurrency":
		s.MaxConcurrency = r.whole(v, at, 0)
	case "MaxConcurrencyPath":
		s.MaxConcurrencyPath = r.path(v, at)
	case "ToleratedFailureCount":
		s.Tolerates = true
		s.ToleratedFailureCount = r.whole(v, at, 0)
	case "ToleratedFailureCountPath":
		s.Tolerates = true
		s.ToleratedFailureCountPath = r.path(v, at)
	case "ToleratedFailurePercentage":
		s.Tolerates = true
		if s.ToleratedFailurePercentage = r.float(v, at, 0); s.ToleratedFailurePercentage > 100 {
			r.wrong(at, "Value is not valid: it must be 0 to 100")
		}
	case "ToleratedFailurePercentagePath":
		s.Tolerates = true
		s.ToleratedFailurePercentagePath = r.path(v, at)
	}
}

// credentials reads the role that a task names.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html
func (r *reader) credentials(s *State, v any, at string) {
	m, _ := v.(map[string]any)
	if m["RoleArn"] == nil && (r.jsonataIn || m["RoleArn.$"] == nil) {
		r.wrong(at, "The field 'RoleArn' is required but was missing")
		return
	}
	for _, key := range sorted(m) {
		if strings.TrimSuffix(key, ".$") != "RoleArn" {
			r.wrong(at, "Field '%s' is not supported", key)
		}
	}
	if r.jsonataIn {
		s.CredentialsQuery = r.query(v, at, before)
		return
	}
	s.Credentials = r.template(v, at)
}

func (r *reader) branch(s *State, v any, at string) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		r.wrong(at, "Expected value of type Object")
		return nil
	}
	s.Branches = append(s.Branches, r.machine(m, at, false))
	return m
}

func (r *reader) processor(s *State, v any, at string) {
	processor := r.branch(s, v, at)
	config, ok := processor["ProcessorConfig"].(map[string]any)
	if !ok {
		return
	}
	switch config["Mode"] {
	case nil, "INLINE":
	case "DISTRIBUTED":
		s.Distributed = true
		s.Processor, s.Express = alone(processor, r.jsonataAll), r.kindOf(config, at+"/ProcessorConfig")
	default:
		r.wrong(at+"/ProcessorConfig/Mode", "The field 'Mode' should have one of these values: [INLINE, DISTRIBUTED]")
	}
}

func (r *reader) handlers(s *State, key string, v any, at string) {
	list, ok := v.([]any)
	if !ok {
		r.wrong(at, "Expected value of type Array")
	}
	for i, one := range list {
		where := fmt.Sprintf("%s[%d]", at, i)
		m, ok := one.(map[string]any)
		if !ok {
			r.wrong(where, "Expected value of type Object")
			continue
		}
		var names []string
		given, _ := m["ErrorEquals"].([]any)
		for _, name := range given {
			names = append(names, r.text(name, where+"/ErrorEquals"))
		}
		if r.required(m, where, "ErrorEquals") && len(names) == 0 {
			r.wrong(where+"/ErrorEquals", "Value cannot be empty")
		}
		if slices.Contains(names, ErrAll) && (len(names) > 1 || i < len(list)-1) {
			r.wrong(where, "States.ALL must be alone and in the last %s", map[string]string{"Retry": "retrier", "Catch": "catcher"}[key])
		}
		switch {
		case key == "Retry":
			s.Retry = append(s.Retry, r.retrier(m, names, where))
		case s.JSONata:
			s.Catch = append(s.Catch, r.queryCatcher(m, names, where))
		default:
			s.Catch = append(s.Catch, r.catcher(m, names, where))
		}
	}
}

func (r *reader) retrier(m map[string]any, names []string, at string) Retrier {
	out := Retrier{ErrorEquals: names, IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 2}
	for _, key := range sorted(m) {
		v, where := m[key], at+"/"+key
		switch key {
		case "ErrorEquals", "Comment":
		case "IntervalSeconds":
			out.IntervalSeconds = r.whole(v, where, 1)
		case "MaxAttempts":
			out.MaxAttempts = r.whole(v, where, 0)
		case "BackoffRate":
			out.BackoffRate = r.float(v, where, 1)
		case "MaxDelaySeconds":
			out.MaxDelaySeconds = r.whole(v, where, 1)
		case "JitterStrategy":
			if v != "FULL" && v != "NONE" {
				r.wrong(where, "The field 'JitterStrategy' should have one of these values: [FULL, NONE]")
			}
			out.FullJitter = v == "FULL"
		default:
			r.wrong(at, "Field '%s' is not supported", key)
		}
	}
	return out
}

func (r *reader) catcher(m map[string]any, names []string, at string) Catcher {
	out := Catcher{ErrorEquals: names, ResultPath: whole}
	r.required(m, at, "Next")
	for _, key := range sorted(m) {
		v, where := m[key], at+"/"+key
		switch key {
		case "ErrorEquals", "Comment":
		case "Next":
			out.Next = r.text(v, where)
		case "ResultPath":
			out.ResultPath = r.reference(v, where)
		case "Assign":
			out.Assign = r.assign(v, where)
		case "Output":
			r.only(key, "JSONPath", "JSONata", at)
		default:
			r.wrong(at, "Field '%s' is not supported", key)
		}
	}
	return out
}
