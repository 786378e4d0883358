package asl

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"arc/sandbox/states/jsonata"
)

// Query is a value of a state in JSONata: the texts in it that stand in {% %} are
// expressions.
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
type Query struct {
	value   any                 // as it was written, but for expressions
	expr    *jsonata.Expression // of a text that is one
	list    []*Query
	fields  []queryField
	dynamic bool // something in it is evaluated
}

type queryField struct {
	name  string
	inner *Query
}

// expressionIn is what stands between {% and %}; wrong says that only one of them is
// there.
func expressionIn(text string) (source string, is, wrong bool) {
	source, begins := strings.CutPrefix(text, "{%")
	source, ends := strings.CutSuffix(source, "%}")
	if begins != ends {
		return "", false, true
	}
	return strings.TrimSpace(source), begins, false
}

// place says what of $states an expression may look at, where it stands.
type place int

const (
	before   place = iota // of the task
	after                 // $states.result is there
	catching              // $states.errorOutput is
)

// query reads a value.
func (r *reader) query(v any, at string, where place) *Query {
	q := &Query{value: v}
	switch v := v.(type) {
	case string:
		source, is, wrong := expressionIn(v)
		if wrong {
			r.problems = append(r.problems, Problem{codeExpression, "A JSONata expression must begin with '{%' and end with '%}'", at})
		}
		if is {
			q.expr, q.dynamic = r.jsonata(source, at, where), true
		}
	case []any:
		for i, element := range v {
			inner := r.query(element, fmt.Sprintf("%s[%d]", at, i), where)
			q.dynamic = q.dynamic || inner.dynamic
			q.list = append(q.list, inner)
		}
	case map[string]any:
		for _, key := range sorted(v) {
			inner := r.query(v[key], at+"/"+key, where)
			q.dynamic = q.dynamic || inner.dynamic
			q.fields = append(q.fields, queryField{key, inner})
		}
	}
	return q
}

// codes of what is wrong with expressions
// https://github.com/floci-io/floci/issues/2745 has them from AWS.
const (
	codeExpression  = "INVALID_JSONATA_EXPRESSION"
	codeUnsupported = "UNSUPPORTED_JSONATA_EXPRESSION"
)

// jsonata reads an expression; nil where it is none.
func (r *reader) jsonata(source, at string, where place) *jsonata.Expression {
	e, err := jsonata.Parse(source)
	if err != nil {
		message := err.Error()
		var wrong *jsonata.Error
		if errors.As(err, &wrong) {
			message = wrong.Message()
		}
		r.problems = append(r.problems, Problem{codeExpression, message, at})
		return nil
	}
	for _, name := range e.Context() {
		r.problems = append(r.problems, Problem{codeUnsupported, fmt.Sprintf("Reference to '%s' at the top level is not supported.", name), at})
	}
	for _, name := range e.Fields("states") {
		// https://states-language.net/spec.html#reserved-variable-states
		known := name == "input" || name == "context" || name == "result" && where == after || name == "errorOutput" && where == catching
		if !known {
			r.problems = append(r.problems, Problem{codeUnsupported, fmt.Sprintf("Field '$states.%s' does not exist.", name), at})
		}
	}
	return e
}

// Eval fills a value in; field is where it stands in its state.
func (q *Query) Eval(field string, s Scope, by Chance) (any, *Failure) {
	switch {
	case !q.dynamic:
		return q.value, nil
	case q.expr != nil:
		return q.evaluated(field, s, by)
	case q.list != nil:
		out := make([]any, len(q.list))
		for i, inner := range q.list {
			v, f := inner.Eval(fmt.Sprintf("%s[%d]", field, i), s, by)
			if f != nil {
				return nil, f
			}
			out[i] = v
		}
		return out, nil
	}
	out := make(map[string]any, len(q.fields))
	for _, one := range q.fields {
		v, f := one.inner.Eval(field+"/"+one.name, s, by)
		if f != nil {
			return nil, f
		}
		out[one.name] = v
	}
	return out, nil
}

// evaluated is the value of an expression, or AWS's words for why there is none.
func (q *Query) evaluated(field string, s Scope, by Chance) (any, *Failure) {
	vars := make(map[string]any, len(s.Variables)+1)
	for name, v := range s.Variables {
		vars[name] = v
	}
	vars["states"] = s.States
	v, err := q.expr.Eval(context.Background(), jsonata.Given{Vars: vars, Now: s.Now, Chance: by})
	var wrong *jsonata.Error
	switch {
	case err == nil:
		return v, nil
	case errors.Is(err, jsonata.ErrNothing):
		return nil, q.failed(field, "returned nothing (undefined).")
	case errors.Is(err, jsonata.ErrFunction):
		return nil, q.failed(field, "returned an unsupported result type.")
	case errors.As(err, &wrong) && wrong.Coded():
		return nil, q.failed(field, "threw an error during evaluation. "+err.Error())
	}
	return nil, q.failed(field, "threw an error during evaluation: "+err.Error())
}

func (q *Query) failed(field, how string) *Failure {
	return &Failure{ErrQuery, fmt.Sprintf("The JSONata expression '%s' specified for the field '%s' %s", q.expr, field, how), field}
}

// Is evaluates a value that must be of a type of JSON: "array", "number".
func (q *Query) Is(kind, field string, s Scope, by Chance) (any, *Failure) {
	v, f := q.Eval(field, s, by)
	if f != nil {
		return nil, f
	}
	if is := Type(v); is != kind {
		how := fmt.Sprintf("returned an unexpected result type. Expected '%s', but was '%s' for value: %s", kind, is, Encode(v))
		if q.expr == nil {
			return nil, &Failure{ErrQuery, fmt.Sprintf("The value specified for the field '%s' is of an unexpected type. Expected '%s', but was '%s' for value: %s", field, kind, is, Encode(v)), field}
		}
		return nil, q.failed(field, how)
	}
	return v, nil
}

// Type is the name of a value's type.
func Type(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "number"
}
