package compare

import (
	"fmt"
	"maps"
	"slices"

	"arc/cfn"
	"arc/cfn/diff/values"
)

// maxConditions bounds conditions that ask conditions.
const maxConditions = 50

// asked is what a condition asks, whatever it and those that it asks are called,
// and without the Fn::Not around it: turned tells that it holds where that does not.
func (s spelling) asked(name string) (asks any, turned, ok bool) {
	def, ok := s.conditions[name]
	if !ok {
		return nil, false, false
	}
	asks, turned = s.positive(def, 0)
	return asks, turned, true
}

// asksForEmpty reports whether a condition asks whether a value is the empty text: one
// that is left out when it is empty is the value itself, since no service tells an
// empty text from none.
func asksForEmpty(asked, value any) bool {
	m, _ := asked.(map[string]any)
	both := values.List(m["Fn::Equals"])
	ref, isMap := value.(map[string]any)
	return len(both) == 2 && isMap && ref["Ref"] != nil &&
		(both[0] == any("") && values.Equal(both[1], value) || both[1] == any("") && values.Equal(both[0], value))
}

func (s spelling) positive(def any, depth int) (asks any, turned bool) {
	m, _ := def.(map[string]any)
	if depth > maxConditions || len(m) != 1 {
		return def, false
	}
	if name, ok := m["Condition"].(string); ok && s.conditions[name] != nil {
		return s.positive(s.conditions[name], depth+1)
	}
	if list := values.List(m["Fn::Not"]); len(list) == 1 {
		asks, turned = s.positive(list[0], depth+1)
		return asks, !turned
	}
	out := map[string]any{}
	for fn, arg := range m {
		list := values.List(arg)
		if fn != "Fn::And" && fn != "Fn::Or" {
			out[fn] = s.normal(arg)
			continue
		}
		all := make([]any, 0, len(list))
		for _, el := range list {
			asks, turned := s.positive(el, depth+1)
			if turned {
				asks = map[string]any{"Fn::Not": []any{asks}}
			}
			all = append(all, asks)
		}
		out[fn] = all
	}
	return out, false
}

// sameCondition reports whether a condition of before and one of after hold
// together.
func sameCondition(b, a spelling, was, is string) bool {
	before, turnedBefore, ok := b.asked(was)
	after, turnedAfter, okAfter := a.asked(is)
	return ok && okAfter && (turnedBefore == turnedAfter && values.Equal(before, after) || sameOutcome(b, a, was, is))
}

// brought are the conditions of after with one of before, and those that it names,
// where after has none of the name. ok is false where it has another one.
func brought(b, a spelling, conditions map[string]any, name string) (with map[string]any, ok bool) {
	if _, there := conditions[name]; there {
		return conditions, sameCondition(b, a, name, name)
	}
	with = maps.Clone(conditions)
	if with == nil {
		with = map[string]any{}
	}
	with[name] = b.conditions[name]
	var names func(v any) bool
	names = func(v any) bool {
		switch v := v.(type) {
		case map[string]any:
			if other, named := v["Condition"].(string); named && len(v) == 1 {
				with, ok = brought(b, a, with, other)
				return ok
			}
			for _, el := range v {
				if !names(el) {
					return false
				}
			}
		case []any:
			return !slices.ContainsFunc(v, func(el any) bool { return !names(el) })
		}
		return true
	}
	return with, names(with[name])
}

// asBefore marks a value of after that is spelled as before spells it, with
// conditions or mappings that mean another thing in after: Evaluate takes them as
// they were.
const asBefore = "\x00as before"

// adopted is a value of before in after.
func adopted(b, a spelling, before any) any {
	if b.evaluated {
		return before
	}
	if looksUp(before) && !values.Equal(any(b.mappings), any(a.mappings)) {
		return map[string]any{asBefore: before}
	}
	for _, name := range conditionsIn(before) {
		if !sameCondition(b, a, name, name) {
			return map[string]any{asBefore: before}
		}
	}
	return before
}

// unmarked is a value without the mark of adopted.
func unmarked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if inner, ok := v[asBefore]; ok {
			return inner
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = unmarked(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = unmarked(x)
		}
		return out
	}
	return v
}

// opposite reports whether a condition of before and one of after never hold
// together.
func opposite(b, a spelling, was, is string) bool {
	before, turnedBefore, ok := b.asked(was)
	after, turnedAfter, okAfter := a.asked(is)
	return ok && okAfter && turnedBefore != turnedAfter && values.Equal(before, after)
}

// conditionsIn lists the conditions that the Fn::If of a value ask.
func conditionsIn(v any) []string {
	var names []string
	switch v := v.(type) {
	case map[string]any:
		if arg := values.List(v["Fn::If"]); len(v) == 1 && len(arg) == 3 {
			if name, ok := arg[0].(string); ok {
				names = append(names, name)
			}
		}
		for k, x := range v {
			if k != asBefore {
				names = append(names, conditionsIn(x)...)
			}
		}
	case []any:
		for _, x := range v {
			names = append(names, conditionsIn(x)...)
		}
	}
	return names
}

// constant evaluates a condition that asks for nothing but what is known.
func (s spelling) constant(name string) (holds, known bool) {
	if _, ok := s.conditions[name]; !ok {
		return false, false
	}
	holds, err := cfn.EvalCondition(name, cfn.Scope{
		Ref: func(name string) (any, error) {
			if value, ok := s.known[name]; ok {
				return value, nil
			}
			return nil, fmt.Errorf("%s is not known", name)
		},
		Conditions: s.conditions, Mappings: s.mappings,
	})
	return holds, err == nil
}
