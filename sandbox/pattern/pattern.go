// Package pattern matches JSON events with the event patterns of EventBridge,
// which Lambda's filter criteria have, too.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
package pattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Pattern says which events match.
type Pattern struct{ fields object }

// object matches an object in which every field matches, and one of each list
// of alternatives.
type object struct {
	fields map[string]node
	either [][]object // $or
}

// node matches the value of a field: an object, or one of several tests.
type node struct {
	object *object
	tests  []test
}

// test looks at a value that is no object and no list. there tells whether the
// event has the field at all.
type test func(value any, there bool) bool

// Parse reads a pattern, JSON text. All that is wrong with it is told.
func Parse(text []byte) (*Pattern, error) {
	v, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("event pattern: %w", err)
	}
	fields, ok := v.(map[string]any)
	if !ok || len(fields) == 0 {
		return nil, fmt.Errorf("event pattern: is no object with fields")
	}
	p := &parser{}
	o := p.object("", fields)
	if len(p.mistakes) > 0 {
		slices.Sort(p.mistakes)
		return nil, fmt.Errorf("event pattern: %s", strings.Join(p.mistakes, "; "))
	}
	return &Pattern{o}, nil
}

// decode reads JSON with its numbers as they are written: 300 and 300.0 are not
// the same to EventBridge.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("is no JSON: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("is more than one value")
	}
	return v, nil
}

// Match reports whether an event, JSON text, matches.
func (p *Pattern) Match(event []byte) bool {
	v, err := decode(event)
	return err == nil && p.fields.match(v)
}

func (o object) match(v any) bool {
	switch v := v.(type) {
	case []any: // a list of objects: one of them
		return slices.ContainsFunc(v, o.match)
	case map[string]any:
		return o.matchObject(v)
	}
	return o.matchObject(nil) // only what asks for missing fields
}

func (o object) matchObject(v map[string]any) bool {
	for name, n := range o.fields {
		value, there := v[name]
		if !n.match(value, there) {
			return false
		}
	}
	for _, alternatives := range o.either {
		if !slices.ContainsFunc(alternatives, func(a object) bool { return a.matchObject(v) }) {
			return false
		}
	}
	return true
}

func (n node) match(value any, there bool) bool {
	if n.object != nil {
		return n.object.match(value)
	}
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		_, isObject := value.(map[string]any)
		leaf := there && !isObject && !ok
		return slices.ContainsFunc(n.tests, func(t test) bool { return t(value, leaf) })
	}
	return slices.ContainsFunc(list, func(v any) bool { return n.match(v, true) })
}

// parser collects the mistakes of a pattern.
type parser struct{ mistakes []string }

func (p *parser) fail(path, format string, args ...any) {
	p.mistakes = append(p.mistakes, strings.TrimPrefix(path, ".")+": "+fmt.Sprintf(format, args...))
}

func (p *parser) object(path string, fields map[string]any) object {
	o := object{fields: map[string]node{}}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		at := path + "." + name
		switch v := fields[name].(type) {
		case map[string]any:
			if len(v) == 0 {
				p.fail(at, "an empty object matches nothing")
			}
			inner := p.object(at, v)
			o.fields[name] = node{object: &inner}
		case []any:
			if name == "$or" {
				o.either = append(o.either, p.alternatives(at, v))
				continue
			}
			if len(v) == 0 {
				p.fail(at, "an empty list matches nothing")
			}
			n := node{}
			for _, item := range v {
				n.tests = append(n.tests, p.test(at, item))
			}
			o.fields[name] = n
		default:
			p.fail(at, "must be an object or a list of values")
		}
	}
	return o
}

func (p *parser) alternatives(at string, list []any) (out []object) {
	if len(list) < 2 {
		p.fail(at, "needs two alternatives at least")
	}
	for _, item := range list {
		fields, ok := item.(map[string]any)
		if !ok {
			p.fail(at, "holds something else than objects")
			continue
		}
		out = append(out, p.object(at, fields))
	}
	return out
}

// never is what a mistake becomes.
func never(any, bool) bool { return false }

func equal(want any) test {
	return func(value any, there bool) bool { return there && value == want }
}

// onText looks at strings alone.
func onText(match func(string) bool) test {
	return func(value any, there bool) bool {
		s, ok := value.(string)
		return there && ok && match(s)
	}
}

func (p *parser) test(path string, v any) test {
	operator, ok := v.(map[string]any)
	if !ok {
		if _, isList := v.([]any); isList {
			p.fail(path, "a list in a list")
			return never
		}
		return equal(v)
	}
	if len(operator) != 1 {
		p.fail(path, "an operator is an object with one field")
		return never
	}
	for name, operand := range operator {
		return p.operator(path, name, operand)
	}
	return never
}

func (p *parser) operator(path, name string, operand any) test {
	switch name {
	case "exists":
		want, ok := operand.(bool)
		if !ok {
			p.fail(path, "exists must be true or false")
		}
		return func(_ any, there bool) bool { return there == want }
	case "numeric":
		return p.numeric(path, operand)
	case "cidr":
		text, _ := operand.(string)
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			p.fail(path, "cidr must be an address with a mask: 10.0.0.0/24")
			return never
		}
		return onText(func(s string) bool {
			address, err := netip.ParseAddr(s)
			return err == nil && prefix.Contains(address)
		})
	case "anything-but":
		return p.anythingBut(path, operand)
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
		return onText(p.textOperator(path, name, operand))
	}
	p.fail(path, "there is no operator %q", name)
	return never
}

// textOperator is one that looks at strings.
func (p *parser) textOperator(path, name string, operand any) func(string) bool {
	fold := false
	if inner, ok := operand.(map[string]any); ok && len(inner) == 1 && (name == "prefix" || name == "suffix") {
		operand, fold = inner["equals-ignore-case"], true
	}
	want, ok := operand.(string)
	if !ok {
		p.fail(path, "%s must be a string", name)
		return func(string) bool { return false }
	}
	change := func(s string) string { return s }
	if fold || name == "equals-ignore-case" {
		change = strings.ToLower
	}
	want = change(want)
	switch name {
	case "prefix":
		return func(s string) bool { return strings.HasPrefix(change(s), want) }
	case "suffix":
		return func(s string) bool { return strings.HasSuffix(change(s), want) }
	case "wildcard":
		if strings.Contains(want, "**") {
			p.fail(path, "a wildcard has no two * in a row")
		}
		parts := wildcardParts(want)
		return func(s string) bool { return wildcard(parts, s) }
	}
	return func(s string) bool { return change(s) == want }
}

// wildcardParts is the text between the *; \* and \\ stand for themselves.
func wildcardParts(text string) []string {
	parts := []string{""}
	for i := 0; i < len(text); i++ {
		last := &parts[len(parts)-1]
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			*last += text[i : i+1]
		case text[i] == '*':
			parts = append(parts, "")
		default:
			*last += text[i : i+1]
		}
	}
	return parts
}

func wildcard(parts []string, s string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(s, part)
		if !found {
			return false
		}
		s = after
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

// anythingBut is a value, a list of values, or a text operator with one operand
// or several. It wants the field to be there.
func (p *parser) anythingBut(path string, operand any) test {
	var bad []test
	switch v := operand.(type) {
	case map[string]any:
		if len(v) != 1 {
			p.fail(path, "anything-but takes one operator")
		}
		for name, inner := range v {
			if !slices.Contains([]string{"prefix", "suffix", "equals-ignore-case", "wildcard"}, name) {
				p.fail(path, "anything-but takes no operator %q", name)
				continue
			}
			for _, one := range listOf(inner) {
				bad = append(bad, onText(p.textOperator(path, name, one)))
			}
		}
	default:
		for _, one := range listOf(v) {
			switch one.(type) {
			case string, json.Number, bool, nil:
				bad = append(bad, equal(one))
			default:
				p.fail(path, "anything-but takes strings and numbers")
			}
		}
	}
	return func(value any, there bool) bool {
		return there && !slices.ContainsFunc(bad, func(t test) bool { return t(value, true) })
	}
}

func listOf(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// numeric is [">", 0, "<=", 5].
func (p *parser) numeric(path string, operand any) test {
	list, _ := operand.([]any)
	if len(list) != 2 && len(list) != 4 {
		p.fail(path, `numeric must be a comparison or two: [">", 0, "<=", 5]`)
		return never
	}
	compare := map[string]func(a, b float64) bool{
		"=": func(a, b float64) bool { return a == b }, "<": func(a, b float64) bool { return a < b }, "<=": func(a, b float64) bool { return a <= b },
		">": func(a, b float64) bool { return a > b }, ">=": func(a, b float64) bool { return a >= b },
	}
	var tests []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		sign, _ := list[i].(string)
		number, _ := list[i+1].(json.Number)
		bound, err := number.Float64()
		if compare[sign] == nil || err != nil {
			p.fail(path, `numeric must be a comparison or two: [">", 0, "<=", 5]`)
			return never
		}
		tests = append(tests, func(n float64) bool { return compare[sign](n, bound) })
	}
	return func(value any, there bool) bool {
		number, ok := value.(json.Number)
		n, err := number.Float64()
		return there && ok && err == nil && !slices.ContainsFunc(tests, func(t func(float64) bool) bool { return !t(n) })
	}
}
