package iam

import (
	"maps"
	"slices"
	"strings"
)

// maxBranches bounds the statements that one with Fn::If is read as.
const maxBranches = 32

// templateCondition is the operator of what a template's condition asks: it is
// decided before IAM sees the policy, and the same for all statements.
const templateCondition = "Template"

// branch is a statement as one outcome of the template's conditions has it.
type branch struct {
	statement map[string]any // without Fn::If around what a statement says
	when      []condition
}

// branchesOf reads Fn::If in a statement: what it gives when its condition holds,
// and what it gives otherwise. ok is false when there are too many.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html
func branchesOf(v any) (all []branch, ok bool) {
	todo := []branch{{when: nil}}
	open := []any{v}
	for len(open) > 0 {
		at, when := open[0], todo[0].when
		open, todo = open[1:], todo[1:]
		name, yes, no, found := firstIf(at)
		if !found {
			if m, is := at.(map[string]any); is && len(m) > 0 && m["Ref"] == nil {
				all = append(all, branch{m, when})
			} else if !isNoValue(at) {
				return nil, false
			}
			continue
		}
		if len(all)+len(open) >= maxBranches {
			return nil, false
		}
		for _, outcome := range []struct {
			word  string
			value any
		}{{"holds", yes}, {"does not hold", no}} {
			asked := condition{operator: templateCondition, key: name, values: []string{outcome.word}}
			if slices.ContainsFunc(when, func(c condition) bool { return asked.excludes(c) }) {
				continue
			}
			next := slices.Clone(when)
			if !slices.ContainsFunc(when, func(c condition) bool { return c.String() == asked.String() }) {
				next = append(next, asked)
			}
			open, todo = append(open, outcome.value), append(todo, branch{when: next})
		}
	}
	return all, true
}

// chosen reads a value that Fn::If gives: the condition, and the two that it chooses
// from.
func chosen(v any) (condition string, yes, no any, ok bool) {
	m, _ := v.(map[string]any)
	arg, _ := m["Fn::If"].([]any)
	if len(m) != 1 || len(arg) != 3 {
		return "", nil, nil, false
	}
	condition, ok = arg[0].(string)
	return condition, arg[1], arg[2], ok
}

// When is the policy where a condition of the template holds, or where it does not:
// what it says counts for no stack in which it comes out otherwise.
func (p Policy) When(name string, holds bool) Policy {
	asked := condition{operator: templateCondition, key: name, values: []string{"holds"}}
	if !holds {
		asked.values[0] = "does not hold"
	}
	q := Policy{unread: p.unread}
	for _, s := range p.statements {
		if slices.ContainsFunc(s.conditions, asked.excludes) {
			continue
		}
		if !slices.ContainsFunc(s.conditions, func(c condition) bool { return c.String() == asked.String() }) {
			s.conditions = append(slices.Clone(s.conditions), asked)
		}
		q.statements = append(q.statements, s)
	}
	for _, name := range p.named {
		q.named = append(q.named, name+onlyIf+asked.String())
	}
	return q
}

// onlyIf stands between a policy that is known by its name and a condition of the
// template under which it is attached.
const onlyIf = " if "

// unconditional is the name of a policy without the conditions.
func unconditional(name string) string {
	name, _, _ = strings.Cut(name, onlyIf)
	return name
}

// excludes reports whether two conditions are the two outcomes of one condition of
// a template.
func (c condition) excludes(d condition) bool {
	return c.operator == templateCondition && d.operator == templateCondition && c.key == d.key && c.values[0] != d.values[0]
}

// firstIf finds an Fn::If that is not within another function, and gives the value
// with each of its branches in its place.
func firstIf(v any) (name string, yes, no any, found bool) {
	switch v := v.(type) {
	case map[string]any:
		if arg, is := v["Fn::If"].([]any); is && len(v) == 1 && len(arg) == 3 {
			name, named := arg[0].(string)
			return name, arg[1], arg[2], named
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if len(v) == 1 && (key == "Ref" || strings.HasPrefix(key, "Fn::")) {
				return "", nil, nil, false
			}
			if name, a, b, ok := firstIf(v[key]); ok {
				return name, withKey(v, key, a), withKey(v, key, b), true
			}
		}
	case []any:
		for i, el := range v {
			if name, a, b, ok := firstIf(el); ok {
				return name, withElement(v, i, a), withElement(v, i, b), true
			}
		}
	}
	return "", nil, nil, false
}

func isNoValue(v any) bool {
	m, _ := v.(map[string]any)
	return len(m) == 1 && m["Ref"] == "AWS::NoValue"
}

func withKey(m map[string]any, key string, to any) map[string]any {
	out := maps.Clone(m)
	if out[key] = to; isNoValue(to) {
		delete(out, key)
	}
	return out
}

func withElement(list []any, i int, to any) []any {
	out := slices.Clone(list)
	if isNoValue(to) {
		return slices.Delete(out, i, i+1)
	}
	if inner, is := to.([]any); is { // a list for an element: CloudFormation would refuse it
		return slices.Replace(out, i, i+1, inner...)
	}
	out[i] = to
	return out
}

// nameOf spells a function whose value is not known as one reads it.
func nameOf(v any) string {
	m, _ := v.(map[string]any)
	if len(m) == 1 {
		if arg, is := m["Fn::FindInMap"].([]any); is && len(arg) >= 3 {
			var keys []string
			for _, key := range arg[:3] {
				keys = append(keys, patternOf(key).text)
			}
			return "${" + strings.Join(keys, ".") + "}"
		}
		if arg, is := m["Fn::ImportValue"]; is {
			return "${import of " + patternOf(arg).text + "}"
		}
	}
	return "${" + canonical(v) + "}"
}

// whicheverHolds makes one grant of two that differ in a condition of the template
// alone, which holds for the one and not for the other. grants are sorted.
func whicheverHolds(grants []Grant) []Grant {
	for i := 0; i < len(grants); i++ {
		for at, c := range grants[i].Conditions {
			front, ok := strings.CutSuffix(c, " does not hold")
			if !ok || !strings.HasPrefix(c, "the condition ") {
				continue
			}
			other := grants[i]
			other.Conditions = slices.Clone(other.Conditions)
			other.Conditions[at] = front + " holds"
			j := slices.IndexFunc(grants, func(g Grant) bool { return g.key() == other.key() })
			if j < 0 {
				continue
			}
			grants[i].Conditions = slices.Delete(other.Conditions, at, at+1)
			grants = slices.Delete(grants, j, j+1)
			i = -1 // begin anew: the one that is made may have a twin
			break
		}
	}
	return grants
}
