package jsonata

import (
	"math"
	"strconv"
	"strings"
)

// Values of an evaluation: nil is nothing (undefined), null{} JSON's null, bool,
// float64, string, *array, *object, and functions: *lambda and *native.
type null struct{}

// array is a list. A sequence is what a query has found: one of a single value is
// that value, one of none is nothing.
// https://docs.jsonata.org/processing#sequences
type array struct {
	items    []any
	sequence bool
	keep     bool // stays a list though it has one value
	cons     bool // was written as a list, and is not flattened
	outer    bool // holds an input that is a list itself
	tuples   bool // its items are tuples
}

// tuple is a value of a path with what is bound beside it; the value is "@".
type tuple map[string]any

// object keeps its members in the order in which they came.
type object struct {
	keys   []string
	values map[string]any
}

func newObject() *object { return &object{values: map[string]any{}} }

func (o *object) set(key string, v any) {
	if _, there := o.values[key]; !there {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

func (o *object) remove(key string) {
	if _, there := o.values[key]; !there {
		return
	}
	delete(o.values, key)
	for i, k := range o.keys {
		if k == key {
			o.keys = append(o.keys[:i:i], o.keys[i+1:]...)
			return
		}
	}
}

// sequenceOf is a sequence of values.
func sequenceOf(items ...any) *array { return &array{items: items, sequence: true} }

// listOf is a list of values.
func listOf(items ...any) *array { return &array{items: items} }

// kindOf is a letter for the kind of a value, as signatures name them.
func kindOf(v any) byte {
	switch v.(type) {
	case string:
		return 's'
	case float64:
		return 'n'
	case bool:
		return 'b'
	case null:
		return 'l'
	case *array:
		return 'a'
	case *object:
		return 'o'
	case *lambda, *native:
		return 'f'
	}
	return 'm' // missing
}

func isFunction(v any) bool { return kindOf(v) == 'f' }

// isNumber reports whether a value is a number, and refuses those that JSON has not.
func isNumber(v any) (bool, error) {
	n, ok := v.(float64)
	if !ok || math.IsNaN(n) {
		return false, nil
	}
	if math.IsInf(n, 0) {
		return false, &Error{Code: "D1001", value: v}
	}
	return true, nil
}

// truth is a value cast to a boolean.
// https://docs.jsonata.org/boolean-functions#boolean
func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0 && !math.IsNaN(v)
	case *array:
		for _, item := range v.items {
			if truth(item) {
				return true
			}
		}
		return false
	case *object:
		return len(v.keys) > 0
	}
	return false
}

// equal compares values as deep as they go.
func equal(a, b any) bool {
	switch a := a.(type) {
	case *array:
		other, ok := b.(*array)
		if !ok || len(a.items) != len(other.items) {
			return false
		}
		for i := range a.items {
			if !equal(a.items[i], other.items[i]) {
				return false
			}
		}
		return true
	case *object:
		other, ok := b.(*object)
		if !ok || len(a.keys) != len(other.keys) {
			return false
		}
		for _, key := range a.keys {
			v, there := other.values[key]
			if !there || !equal(a.values[key], v) {
				return false
			}
		}
		return true
	case tuple:
		return false
	}
	switch b.(type) {
	case *array, *object, tuple:
		return false
	}
	return a == b
}

// items are the values of a list, or the value itself, or none.
func items(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case *array:
		return v.items
	}
	return []any{v}
}

// appended is one list after the other; nothing adds nothing.
func appended(a, b any) any {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	front, back := items(a), items(b)
	out := make([]any, 0, len(front)+len(back))
	return &array{items: append(append(out, front...), back...)}
}

// lookup is a member of an object, or of each object in a list.
func lookup(in any, key string) any {
	switch in := in.(type) {
	case *array:
		out := sequenceOf()
		for _, item := range in.items {
			switch found := lookup(item, key).(type) {
			case nil:
			case *array:
				out.items = append(out.items, found.items...)
			default:
				out.items = append(out.items, found)
			}
		}
		return out
	case *object:
		return in.values[key]
	}
	return nil
}

// number spells a number as ECMAScript does.
// https://tc39.es/ecma262/#sec-numeric-types-number-tostring
func number(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	if size := math.Abs(f); size >= 1e21 || size < 1e-6 {
		text := strconv.FormatFloat(f, 'e', -1, 64)
		digits, exponent, _ := strings.Cut(text, "e")
		return digits + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// rounded is a number with the 15 digits that texts of numbers have.
func rounded(f float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if err != nil {
		return f
	}
	return out
}
