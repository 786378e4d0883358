package asl

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Rule is a choice rule: of a comparison, or of others.
// https://states-language.net/spec.html#choice-state
type Rule struct {
	Next   string
	Assign *Template // nil = none
	// Of JSONata: what must be true, and what the state gives and assigns then.
	Condition, Output, Variables *Query
	join                         string // "And", "Or", "Not"; "" = a comparison
	inner                        []*Rule
	path                         *Path
	op                           string // "StringEquals", without Path
	value                        any
	other                        *Path // what it is compared with, of operators that end in Path
}

// operators are the comparisons, with the type of what they compare with.
var operators = sync.OnceValue(func() map[string]string {
	m := map[string]string{
		"StringMatches": "text", "BooleanEquals": "boolean",
		"IsBoolean": "is", "IsNull": "is", "IsNumeric": "is", "IsPresent": "is", "IsString": "is", "IsTimestamp": "is",
	}
	for family, kind := range map[string]string{"String": "text", "Numeric": "number", "Timestamp": "time"} {
		for _, order := range []string{"Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"} {
			m[family+order] = kind
		}
	}
	return m
})

// operatorOf reads the name of a field: the operator, and whether it is compared with
// a path.
func operatorOf(field string) (op string, path, ok bool) {
	if _, ok := operators()[field]; ok {
		return field, false, true
	}
	op, cut := strings.CutSuffix(field, "Path")
	kind, ok := operators()[op]
	return op, true, cut && ok && kind != "is" && op != "StringMatches"
}

// readRule reads a rule; the inner ones of And, Or and Not have no Next.
func (r *reader) rule(v any, at string, inner bool) *Rule {
	m, ok := v.(map[string]any)
	if !ok {
		r.wrong(at, "Expected value of type Object")
		return nil
	}
	if r.jsonataIn {
		return r.condition(m, at)
	}
	rule := &Rule{}
	var found []string
	for _, key := range sorted(m) {
		where := at + "/" + key
		switch key {
		case "Comment":
			r.text(m[key], where)
		case "Next":
			if inner {
				r.wrong(at, "Field 'Next' is not supported")
			}
			rule.Next = r.text(m[key], where)
		case "Assign":
			rule.Assign = r.assign(m[key], where)
		case "Variable":
			rule.path = r.path(m[key], where)
		case "Condition", "Output":
			r.only(key, "JSONPath", "JSONata", at)
			return nil
		case "And", "Or", "Not":
			found = append(found, key)
			rule.join = key
			list, isList := m[key].([]any)
			if key == "Not" {
				list, isList = []any{m[key]}, true
			}
			if !isList || len(list) == 0 {
				r.wrong(where, "Value cannot be empty")
			}
			for i, element := range list {
				place := where
				if key != "Not" {
					place = fmt.Sprintf("%s[%d]", where, i)
				}
				if one := r.rule(element, place, true); one != nil {
					rule.inner = append(rule.inner, one)
				}
			}
		default:
			op, path, ok := operatorOf(key)
			if !ok {
				r.wrong(at, "Field '%s' is not supported", key)
				continue
			}
			found = append(found, key)
			rule.op = op
			if path {
				rule.other = r.path(m[key], where)
				continue
			}
			rule.value = m[key]
			r.operand(op, m[key], where)
		}
	}
	switch {
	case len(found) == 0:
		r.wrong(at, "A choice must contain exactly one of the following fields: [And, Or, Not] or a comparison operator")
	case len(found) > 1:
		r.wrong(at, "Exactly one comparison is allowed, not %s", strings.Join(found, ", "))
	case rule.join == "" && m["Variable"] == nil:
		r.wrong(at, "These fields are required: [Variable]")
	}
	if !inner && m["Next"] == nil {
		r.wrong(at, "These fields are required: [Next]")
	}
	return rule
}

func (r *reader) operand(op string, v any, at string) {
	ok, want := true, ""
	switch operators()[op] {
	case "text":
		_, ok = v.(string)
		want = "String"
	case "number":
		_, ok = number64(v)
		want = "Number"
	case "boolean", "is":
		_, ok = v.(bool)
		want = "Boolean"
	case "time":
		_, ok = timestamp(v)
		want = "Timestamp"
	}
	if !ok {
		r.wrong(at, "Expected value of type %s", want)
	}
}

// timestamp reads an ISO 8601 time with T and an offset.
// https://states-language.net/spec.html#timestamps
func timestamp(v any) (time.Time, bool) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, false
	}
	t, err := ParseTime(text)
	return t, err == nil
}

// ParseTime reads a time such as 2016-03-14T01:59:00Z.
func ParseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Parse("2006-01-02T15:04Z07:00", text) // seconds may be left out
}

// Match decides about a rule.
func (r *Rule) Match(s Scope) (bool, *Failure) {
	switch r.join {
	case "And", "Or":
		for _, inner := range r.inner {
			yes, f := inner.Match(s)
			if f != nil || yes == (r.join == "Or") {
				return yes, f
			}
		}
		return r.join == "And", nil
	case "Not":
		yes, f := r.inner[0].Match(s)
		return !yes, f
	}
	value, there := r.path.Get(s)
	if r.op == "IsPresent" {
		return there == r.value.(bool), nil
	}
	if !there {
		return false, failed(ErrRuntime, "Invalid path '%s': The choice state's condition path references an invalid value.", r.path)
	}
	if operators()[r.op] == "is" {
		return is(r.op, value) == r.value.(bool), nil
	}
	with := r.value
	if r.other != nil {
		if with, there = r.other.Get(s); !there {
			return false, failed(ErrRuntime, "Invalid path '%s': The choice state's condition path references an invalid value.", r.other)
		}
	}
	return compare(r.op, value, with), nil
}

func is(op string, v any) bool {
	switch op {
	case "IsNull":
		return v == nil
	case "IsBoolean":
		_, ok := v.(bool)
		return ok
	case "IsNumeric":
		_, ok := number64(v)
		return ok
	case "IsString":
		_, ok := v.(string)
		return ok
	}
	_, ok := timestamp(v)
	return ok
}

// compare decides about two values; those of another type than the operator's do
// not match.
func compare(op string, a, b any) bool {
	switch operators()[op] {
	case "boolean":
		x, ok := a.(bool)
		y, also := b.(bool)
		return ok && also && x == y
	case "text":
		x, ok := a.(string)
		y, also := b.(string)
		if !ok || !also {
			return false
		}
		if op == "StringMatches" {
			return matches(y, x)
		}
		return ordered(op, strings.Compare(x, y))
	case "number":
		_, ok := number64(a)
		_, also := number64(b)
		order, _ := compared(a, b)
		return ok && also && ordered(op, order)
	case "time":
		x, ok := timestamp(a)
		y, also := timestamp(b)
		return ok && also && ordered(op, x.Compare(y))
	}
	return false
}

func ordered(op string, order int) bool {
	switch {
	case strings.HasSuffix(op, "LessThanEquals"):
		return order <= 0
	case strings.HasSuffix(op, "GreaterThanEquals"):
		return order >= 0
	case strings.HasSuffix(op, "LessThan"):
		return order < 0
	case strings.HasSuffix(op, "GreaterThan"):
		return order > 0
	}
	return order == 0
}

// matches compares a text with a pattern, in which * is any text and \* a star.
func matches(pattern, text string) bool {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			part.WriteByte(pattern[i])
		case pattern[i] == '*':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(pattern[i])
		}
	}
	parts = append(parts, part.String())
	if len(parts) == 1 {
		return text == parts[0]
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	last := parts[len(parts)-1]
	if !ok || !strings.HasSuffix(rest, last) {
		return false
	}
	rest = rest[:len(rest)-len(last)]
	return !slices.ContainsFunc(parts[1:len(parts)-1], func(part string) bool {
		_, after, found := strings.Cut(rest, part)
		rest = after
		return !found
	})
}
