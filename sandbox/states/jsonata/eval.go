package jsonata

import (
	"context"
	"time"
)

// frame holds variables.
type frame struct {
	vars  map[string]any
	outer *frame
}

func (f *frame) lookup(name string) any {
	for ; f != nil; f = f.outer {
		if v, ok := f.vars[name]; ok {
			return v
		}
	}
	return nil
}

func (f *frame) bind(name string, v any) {
	if f.vars == nil {
		f.vars = map[string]any{}
	}
	f.vars[name] = v
}

// evaluation is one run of an expression.
type evaluation struct {
	ctx     context.Context
	now     time.Time
	by      Chance
	deepest int // how deep it may go
	depth   int
	spent   int
}

// Limits of an evaluation. How deep and how large is AWS's, as far as it has been
// measured (https://github.com/floci-io/floci/issues/2737); the others keep expressions
// from holding up the process.
const (
	maxDepth = 100
	maxItems = 873_782          // of a list
	maxBytes = maxItems * 8     // of a text
	maxSpent = 20 * 1000 * 1000 // steps, and values and bytes that are made
	maxTime  = 5 * time.Second
)

// spend counts what an evaluation does and makes.
func (e *evaluation) spend(n int) error {
	e.spent += n
	if e.spent > maxSpent || n < 0 {
		return &Error{Code: tooLarge}
	}
	return nil
}

// holds counts a list or a text that is made, of so many bytes.
func (e *evaluation) holds(bytes int) error {
	if bytes > maxBytes {
		return &Error{Code: tooLarge}
	}
	return e.spend(bytes / 8)
}

// eval is the value of a node for an input.
func (e *evaluation) eval(n *node, in any, f *frame) (any, error) {
	if e.depth++; e.depth > e.deepest {
		return nil, &Error{Code: tooDeep, Position: n.at}
	}
	defer func() { e.depth-- }()
	if e.spent++; e.spent > maxSpent || e.spent&255 == 0 && e.ctx.Err() != nil {
		return nil, &Error{Code: tooLong}
	}
	out, err := e.value(n, in, f)
	for i := 0; err == nil && i < len(n.predicates); i++ {
		out, err = e.filter(n.predicates[i].filter, out, f)
	}
	if err == nil && n.kind != kindPath && n.group != nil {
		out, err = e.group(n.group, out, f)
	}
	if err != nil {
		return nil, err
	}
	if list, ok := out.(*array); ok && list.sequence && !list.tuples {
		if n.keep {
			list.keep = true
		}
		switch {
		case len(list.items) == 0:
			return nil, nil
		case len(list.items) == 1 && !list.keep:
			return list.items[0], nil
		}
	}
	return out, nil
}

func (e *evaluation) value(n *node, in any, f *frame) (any, error) {
	switch n.kind {
	case kindPath:
		return e.path(n, in, f)
	case kindBinary:
		return e.binary(n, in, f)
	case kindUnary:
		return e.unary(n, in, f)
	case kindName:
		return lookup(in, n.text), nil
	case kindText, kindNumber, kindValue:
		return n.value, nil
	case kindWildcard:
		return members(in), nil
	case kindDescendant:
		return e.descendants(in)
	case kindParent:
		return f.lookup(n.asks.label), nil
	case kindCondition:
		yes, err := e.eval(n.left, in, f)
		switch {
		case err != nil:
			return nil, err
		case truth(yes):
			return e.eval(n.right, in, f)
		case n.other != nil:
			return e.eval(n.other, in, f)
		}
		return nil, nil
	case kindBlock:
		inner := &frame{outer: f}
		var out any
		for _, one := range n.list {
			var err error
			if out, err = e.eval(one, in, inner); err != nil {
				return nil, err
			}
		}
		return out, nil
	case kindBind:
		out, err := e.eval(n.right, in, f)
		if err == nil {
			f.bind(n.left.text, out)
		}
		return out, err
	case kindRegex:
		return matcher(n), nil
	case kindCall:
		return e.call(n, in, f, nil, false)
	case kindVariable:
		if n.text != "" {
			return f.lookup(n.text), nil
		}
		if list, ok := in.(*array); ok && list.outer {
			return list.items[0], nil
		}
		return in, nil
	case kindLambda:
		return &lambda{node: n, signature: n.signature, in: in, frame: f, thunk: n.thunk}, nil
	case kindPartial:
		return e.partial(n, in, f)
	case kindApply:
		return e.applied(n, in, f)
	case kindTransform:
		return transformer(n, f), nil
	}
	return nil, &Error{Code: "S0206", Token: kindNames[n.kind], Position: n.at}
}

// members are the values of an object, for *.
func members(in any) any {
	if list, ok := in.(*array); ok && list.outer && len(list.items) > 0 {
		in = list.items[0]
	}
	out := sequenceOf()
	var each []any
	switch in := in.(type) {
	case *object:
		for _, key := range in.keys {
			each = append(each, in.values[key])
		}
	case *array:
		each = in.items
	}
	for _, v := range each {
		if list, ok := v.(*array); ok {
			out = &array{items: flattened(out.items, list)}
		} else {
			out.items = append(out.items, v)
		}
	}
	return out
}

// flattened adds all that is in a list and in its lists.
func flattened(out []any, list *array) []any {
	for _, item := range list.items {
		if inner, ok := item.(*array); ok {
			out = flattened(out, inner)
		} else {
			out = append(out, item)
		}
	}
	return out
}

// descendants are a value and all that it holds, for **.
func (e *evaluation) descendants(in any) (any, error) {
	if in == nil {
		return nil, nil
	}
	out := sequenceOf()
	var walk func(v any) error
	walk = func(v any) error {
		if err := e.spend(1); err != nil {
			return err
		}
		list, isList := v.(*array)
		if !isList {
			out.items = append(out.items, v)
		}
		var each []any
		if isList {
			each = list.items
		} else if o, ok := v.(*object); ok {
			for _, key := range o.keys {
				each = append(each, o.values[key])
			}
		}
		for _, inner := range each {
			if err := walk(inner); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(in); err != nil {
		return nil, err
	}
	if len(out.items) == 1 {
		return out.items[0], nil
	}
	return out, nil
}

func (e *evaluation) unary(n *node, in any, f *frame) (any, error) {
	switch n.op {
	case "{":
		return e.group(&grouping{n.pairs, n.at}, in, f)
	case "-":
		v, err := e.eval(n.left, in, f)
		if err != nil || v == nil {
			return nil, err
		}
		ok, err := isNumber(v)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, &Error{Code: "D1002", Position: n.at, Token: n.op, value: v}
		}
		return -v.(float64), nil
	}
	out := &array{cons: n.cons}
	for _, one := range n.list {
		v, err := e.eval(one, in, f)
		if err != nil {
			return nil, err
		}
		switch list, isList := v.(*array); {
		case v == nil:
		case isList && !(one.kind == kindUnary && one.op == "["):
			out.items = append(out.items, list.items...)
		default:
			out.items = append(out.items, v)
		}
		if err := e.spend(len(items(v))); err != nil {
			return nil, err
		}
	}
	return out, nil
}
