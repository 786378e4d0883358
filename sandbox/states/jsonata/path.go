package jsonata

import (
	"maps"
	"math"
)

// path evaluates the steps of a path, each with what the one before has found.
// https://docs.jsonata.org/path-operators
func (e *evaluation) path(n *node, in any, f *frame) (any, error) {
	input, isList := in.(*array)
	if !isList || n.list[0].kind == kindVariable {
		input = sequenceOf(in)
	}
	var found any
	var bound *array
	tuples := false
	for i, step := range n.list {
		tuples = tuples || step.tuple
		var err error
		switch {
		case i == 0 && step.cons:
			found, err = e.eval(step, input, f)
		case tuples:
			bound, err = e.tupleStep(step, input, bound, f)
		default:
			found, err = e.step(step, input, f, i == len(n.list)-1)
		}
		if err != nil {
			return nil, err
		}
		if !tuples && len(items(found)) == 0 {
			break
		}
		if step.focus == "" {
			if input, isList = found.(*array); !isList {
				input = sequenceOf()
			}
		}
	}
	if tuples {
		if bound == nil {
			bound = &array{tuples: true}
		}
		found = bound
		if !n.tuple {
			out := sequenceOf()
			for _, one := range bound.items {
				out.items = append(out.items, one.(tuple)["@"])
			}
			found = out
		}
	}
	if list, ok := found.(*array); ok && n.keepPath {
		if list.cons && !list.sequence {
			list = sequenceOf(list)
		}
		if list.sequence {
			list.keep = true
		}
		found = list
	}
	if n.group != nil {
		if tuples {
			found = bound
		}
		return e.group(n.group, found, f)
	}
	return found, nil
}

// within is a frame with what a tuple binds.
func within(f *frame, t tuple) *frame { return &frame{vars: t, outer: f} }

func (e *evaluation) step(n *node, in *array, f *frame, last bool) (any, error) {
	if n.kind == kindSort {
		sorted, err := e.sort(n, in, f)
		if err != nil {
			return nil, err
		}
		return e.stagesOf(n, sorted, f)
	}
	var all []any
	for _, item := range in.items {
		found, err := e.eval(n, item, f)
		for i := 0; err == nil && i < len(n.stages); i++ {
			found, err = e.filter(n.stages[i].filter, found, f)
		}
		if err != nil {
			return nil, err
		}
		if found != nil {
			all = append(all, found)
		}
	}
	if last && len(all) == 1 {
		if list, ok := all[0].(*array); ok && !list.sequence {
			return list, nil
		}
	}
	out := sequenceOf()
	for _, found := range all {
		if list, ok := found.(*array); ok && !list.cons {
			out.items = append(out.items, list.items...)
		} else {
			out.items = append(out.items, found)
		}
	}
	return out, e.spend(len(out.items))
}

// stagesOf filters and counts what a step has found.
func (e *evaluation) stagesOf(n *node, in any, f *frame) (any, error) {
	var err error
	for _, s := range n.stages {
		if s.filter != nil {
			if in, err = e.filter(s.filter, in, f); err != nil {
				return nil, err
			}
			continue
		}
		for i, item := range items(in) {
			if t, ok := item.(tuple); ok {
				t[s.index] = float64(i)
			}
		}
	}
	return in, nil
}

// tupleStep is a step whose values go on with what is bound beside them.
func (e *evaluation) tupleStep(n *node, in, bound *array, f *frame) (*array, error) {
	out := &array{sequence: true, tuples: true}
	finish := func(found any) (*array, error) {
		found, err := e.stagesOf(n, found, f)
		if list, ok := found.(*array); ok {
			return list, err
		}
		return out, err
	}
	if n.kind == kindSort {
		from := bound
		if from == nil {
			from = in
		}
		sorted, err := e.sort(n, from, f)
		if err != nil || bound != nil {
			if err != nil {
				return nil, err
			}
			return finish(sorted)
		}
		for i, item := range items(sorted) {
			out.items = append(out.items, tuple{"@": item, n.index: float64(i)})
		}
		return finish(out)
	}
	if bound == nil {
		bound = &array{}
		for _, item := range in.items {
			bound.items = append(bound.items, tuple{"@": item})
		}
	}
	for _, item := range bound.items {
		from, ok := item.(tuple)
		if !ok {
			continue
		}
		found, err := e.eval(n, from["@"], within(f, maps.Clone(from)))
		if err != nil {
			return nil, err
		}
		list, _ := found.(*array)
		for i, v := range items(found) {
			to := maps.Clone(from)
			inner, isTuple := v.(tuple)
			switch {
			case list != nil && list.tuples && isTuple:
				maps.Copy(to, inner)
			default:
				if n.focus != "" {
					to[n.focus] = v
				} else {
					to["@"] = v
				}
				if n.index != "" {
					to[n.index] = float64(i)
				}
				if n.ancestor != nil {
					to[n.ancestor.label] = from["@"]
				}
			}
			out.items = append(out.items, to)
			if err := e.spend(len(to)); err != nil {
				return nil, err
			}
		}
	}
	return finish(out)
}

// filter keeps what a predicate is true for, or what is at a place.
// https://docs.jsonata.org/predicate
func (e *evaluation) filter(by *node, in any, f *frame) (any, error) {
	list, isList := in.(*array)
	if !isList {
		list = sequenceOf(in)
	}
	out := &array{sequence: true, tuples: list.tuples}
	place := func(n float64) int {
		i := math.Floor(n)
		if i < 0 {
			i += float64(len(list.items))
		}
		if i < 0 || i >= float64(len(list.items)) || math.IsNaN(i) {
			return -1
		}
		return int(i)
	}
	if n, ok := by.value.(float64); ok && by.kind == kindNumber {
		if i := place(n); i >= 0 && list.items[i] != nil {
			if inner, ok := list.items[i].(*array); ok {
				return inner, nil
			}
			out.items = append(out.items, list.items[i])
		}
		return out, nil
	}
	for i, item := range list.items {
		context, inner := item, f
		if t, ok := item.(tuple); ok && list.tuples {
			context, inner = t["@"], within(f, maps.Clone(t))
		}
		said, err := e.eval(by, context, inner)
		if err != nil {
			return nil, err
		}
		places, err := numbers(said)
		if err != nil {
			return nil, err
		}
		if places == nil {
			if truth(said) {
				out.items = append(out.items, item)
			}
			continue
		}
		for _, n := range places {
			if place(n) == i {
				out.items = append(out.items, item)
			}
		}
	}
	return out, nil
}

// numbers are those of a number or of a list of nothing else; nil = it is neither.
func numbers(v any) ([]float64, error) {
	list, isList := v.(*array)
	if !isList {
		if ok, err := isNumber(v); !ok || err != nil {
			return nil, err
		}
		return []float64{v.(float64)}, nil
	}
	out := make([]float64, 0, len(list.items))
	for _, item := range list.items {
		ok, err := isNumber(item)
		if !ok || err != nil {
			return nil, err
		}
		out = append(out, item.(float64))
	}
	return out, nil
}
