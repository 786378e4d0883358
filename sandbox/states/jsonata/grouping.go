package jsonata

import (
	"maps"
	"strings"
	"unicode/utf16"
)

// group makes an object: values that have the same name are one list.
// https://docs.jsonata.org/sorting-grouping#grouping
func (e *evaluation) group(by *grouping, in any, f *frame) (any, error) {
	list, isList := in.(*array)
	if !isList {
		list = sequenceOf(in)
	}
	each := list.items
	if len(each) == 0 {
		each = []any{nil}
	}
	type entry struct {
		data any
		pair int
	}
	var names []string
	groups := map[string]*entry{}
	for _, item := range each {
		context, inner := item, f
		if t, ok := item.(tuple); ok && list.tuples {
			context, inner = t["@"], within(f, maps.Clone(t))
		}
		for i, pair := range by.pairs {
			key, err := e.eval(pair[0], context, inner)
			if err != nil {
				return nil, err
			}
			name, isText := key.(string)
			switch old := groups[name]; {
			case key == nil:
			case !isText:
				return nil, &Error{Code: "T1003", Position: by.at, value: key}
			case old == nil:
				groups[name] = &entry{item, i}
				names = append(names, name)
			case old.pair != i:
				return nil, &Error{Code: "D1009", Position: by.at, value: name}
			default:
				old.data = appended(old.data, item)
			}
		}
	}
	out := newObject()
	for _, name := range names {
		g := groups[name]
		context, inner := g.data, f
		if list.tuples {
			t := merged(g.data)
			context, inner = t["@"], within(f, t)
		}
		v, err := e.eval(by.pairs[g.pair][1], context, inner)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out.set(name, v)
		}
	}
	return out, e.spend(len(names))
}

// merged is one tuple with the values of several.
func merged(v any) tuple {
	out := tuple{}
	for i, item := range items(v) {
		t, _ := item.(tuple)
		for name, value := range t {
			if i == 0 {
				out[name] = value
			} else {
				out[name] = appended(out[name], value)
			}
		}
	}
	return out
}

// sort orders what a step has found.
// https://docs.jsonata.org/sorting-grouping#sorting
func (e *evaluation) sort(n *node, in *array, f *frame) (any, error) {
	if len(in.items) <= 1 {
		return in, nil
	}
	term := func(by *node, item any) (any, error) {
		if t, ok := item.(tuple); ok && in.tuples {
			return e.eval(by, t["@"], within(f, maps.Clone(t)))
		}
		return e.eval(by, item, f)
	}
	after := func(a, b any) (bool, error) {
		for _, one := range n.terms {
			x, err := term(one.by, a)
			if err != nil {
				return false, err
			}
			y, err := term(one.by, b)
			if err != nil {
				return false, err
			}
			if x == nil || y == nil {
				if (x == nil) == (y == nil) {
					continue
				}
				return x == nil, nil // nothing comes last
			}
			for _, v := range []any{x, y} {
				if k := kindOf(v); k != 's' && k != 'n' {
					return false, &Error{Code: "T2008", Position: n.at, value: v}
				}
			}
			if kindOf(x) != kindOf(y) {
				return false, &Error{Code: "T2007", Position: n.at, value: x, value2: y}
			}
			if o := order(x, y); o != 0 {
				return (o > 0) != one.descending, nil
			}
		}
		return false, nil
	}
	sorted, err := e.sorted(in.items, after)
	return &array{items: sorted, tuples: in.tuples}, err
}

// sorted merges halves, as the reference implementation does, so that functions that
// are no order give what they give there.
func (e *evaluation) sorted(list []any, after func(a, b any) (bool, error)) ([]any, error) {
	if len(list) <= 1 {
		return list, nil
	}
	left, err := e.sorted(list[:len(list)/2], after)
	if err != nil {
		return nil, err
	}
	right, err := e.sorted(list[len(list)/2:], after)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(list))
	for len(left) > 0 && len(right) > 0 {
		swap, err := after(left[0], right[0])
		if err != nil {
			return nil, err
		}
		if swap {
			out, right = append(out, right[0]), right[1:]
		} else {
			out, left = append(out, left[0]), left[1:]
		}
	}
	return append(append(out, left...), right...), e.spend(len(list))
}

// order is -1, 0 or 1, of two numbers or of two texts by their UTF-16.
func order(a, b any) int {
	if x, ok := a.(float64); ok {
		y := b.(float64)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	x, y := a.(string), b.(string)
	if ascii(x) && ascii(y) {
		return strings.Compare(x, y)
	}
	u, v := utf16.Encode([]rune(x)), utf16.Encode([]rune(y))
	for i := 0; i < len(u) && i < len(v); i++ {
		if u[i] != v[i] {
			return int(u[i]) - int(v[i])
		}
	}
	return len(u) - len(v)
}
