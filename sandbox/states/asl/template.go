package asl

import (
	"fmt"
	"strings"
)

// Template is a payload template: a value in which the fields whose names end in .$
// are paths or calls of intrinsic functions.
// https://states-language.net/spec.html#payload-template
type Template struct {
	value   any // without fields
	list    []*Template
	fields  []templateField
	isList  bool
	isDict  bool
	dynamic bool // something in it is evaluated
}

type templateField struct {
	name  string // without .$
	full  string // as it was written
	inner *Template
	expr  *expression
}

// parseTemplate reads a template; at is where it stands, for the mistakes.
func parseTemplate(v any, at string, wrong func(at, format string, args ...any)) *Template {
	t := &Template{value: v}
	switch v := v.(type) {
	case []any:
		t.isList = true
		for i, element := range v {
			inner := parseTemplate(element, fmt.Sprintf("%s[%d]", at, i), wrong)
			t.dynamic = t.dynamic || inner.dynamic
			t.list = append(t.list, inner)
		}
	case map[string]any:
		t.isDict = true
		for _, key := range sorted(v) {
			where := at + "/" + key
			name, evaluated := strings.CutSuffix(key, ".$")
			if !evaluated {
				inner := parseTemplate(v[key], where, wrong)
				t.dynamic = t.dynamic || inner.dynamic
				t.fields = append(t.fields, templateField{name: key, full: key, inner: inner})
				continue
			}
			if _, twice := v[name]; twice {
				wrong(where, "The field '%s' is defined twice", name)
			}
			text, ok := v[key].(string)
			e, err := parseExpression(text)
			if !ok || err != nil {
				wrong(where, "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", key)
				continue
			}
			t.dynamic = true
			t.fields = append(t.fields, templateField{name: name, full: key, expr: &e})
		}
	}
	return t
}

// Eval fills a template in.
func (t *Template) Eval(s Scope, by Chance) (any, *Failure) {
	switch {
	case !t.dynamic:
		return t.value, nil
	case t.isList:
		out := make([]any, len(t.list))
		for i, inner := range t.list {
			v, f := inner.Eval(s, by)
			if f != nil {
				return nil, f
			}
			out[i] = v
		}
		return out, nil
	}
	out := make(map[string]any, len(t.fields))
	for _, field := range t.fields {
		var v any
		var f *Failure
		if field.expr != nil {
			v, f = field.expr.eval(field.full, s, by)
		} else {
			v, f = field.inner.Eval(s, by)
		}
		if f != nil {
			return nil, f
		}
		out[field.name] = v
	}
	return out, nil
}
