// Package jsonata is JSONata, the language in which state machines select and
// transform data, as of version 2.0.6, which is AWS's. It reads an expression and
// evaluates it with variables; it reaches out for nothing, and what it does is bounded.
// It has no $eval, and has the functions that AWS adds.
// https://docs.jsonata.org/overview.html
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
package jsonata

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Expression is one that was read.
type Expression struct {
	source string
	root   *node
}

// Parse reads an expression. The error is an *Error.
func Parse(source string) (*Expression, error) {
	n, err := parse(source)
	if err == nil {
		n, err = resolve(n)
	}
	if err != nil {
		return nil, err
	}
	return &Expression{source, n}, nil
}

// String is the expression as it was written.
func (e *Expression) String() string { return e.source }

// Chance is where functions take what is another value each time.
type Chance interface {
	UUID() string
	Random(least, most int64) int64
}

// Given is what an expression is evaluated with.
type Given struct {
	// Input is what $ is: a value of JSON, with nil as null; HasInput false = there is none.
	Input    any
	HasInput bool
	Vars     map[string]any // the same, by names without $
	Now      time.Time      // what $now and $millis tell
	Chance   Chance
}

// Eval gives the value of an expression in the form of JSON: nil, bool, json.Number,
// string, []any and map[string]any. Where there is no value it is ErrNothing, where
// it is a function ErrFunction, and any other mistake is an *Error.
func (e *Expression) Eval(ctx context.Context, g Given) (any, error) {
	ctx, end := context.WithTimeout(ctx, maxTime)
	defer end()
	run := &evaluation{ctx: ctx, now: g.Now, by: g.Chance, deepest: maxDepth}
	f := &frame{vars: map[string]any{}, outer: library()}
	for name, v := range g.Vars {
		f.vars[name] = taken(v)
	}
	var in any
	if g.HasInput {
		in = taken(g.Input)
	}
	f.vars["$"] = in
	if list, ok := in.(*array); ok {
		in = &array{items: []any{list}, sequence: true, outer: true}
	}
	out, err := run.eval(e.root, in, f)
	if err != nil {
		return nil, err
	}
	return given(out)
}

// taken is a value of JSON as one of an evaluation. Members come sorted by name.
func taken(v any) any {
	switch v := v.(type) {
	case nil:
		return null{}
	case json.Number:
		f, _ := v.Float64() // what is too large is infinite, which what takes it refuses
		return f
	case int:
		return float64(v)
	case []any:
		out := &array{items: make([]any, len(v))}
		for i := range v {
			out.items[i] = taken(v[i])
		}
		return out
	case map[string]any:
		out := newObject()
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out.set(key, taken(v[key]))
		}
		return out
	}
	return v
}

// given is a value of an evaluation as JSON.
func given(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, ErrNothing
	case null:
		return nil, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return number(v), nil // as AWS gives those: "Infinity"
		}
		return json.Number(number(v)), nil
	case string:
		return strings.ToValidUTF8(v, "\uFFFD"), nil
	case *array:
		out := make([]any, len(v.items))
		for i, item := range v.items {
			if item == nil {
				continue
			}
			var err error
			if out[i], err = given(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *object:
		out := make(map[string]any, len(v.keys))
		for _, key := range v.keys {
			if v.values[key] == nil {
				continue
			}
			var err error
			if out[strings.ToValidUTF8(key, "\uFFFD")], err = given(v.values[key]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case bool:
		return v, nil
	case *lambda, *native:
		return nil, ErrFunction
	}
	return nil, fmt.Errorf("a value of a kind that JSON has not: %T", v)
}
