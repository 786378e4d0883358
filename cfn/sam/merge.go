package sam

import (
	"slices"
)

// merger takes what differs between two values over into a third.
type merger struct {
	problems *[]Problem
	// where names a path of the expanded templates in terms of the view.
	where func(path string) string
}

func (m *merger) fail(path, hint, message string) {
	*m.problems = append(*m.problems, Problem{Path: m.where(path), Message: message, Hint: hint})
}

// merge gives ours with what was changed from before to after. What of before is
// not in ours, and was not changed, is left out.
func (m *merger) merge(path string, before, after, ours any) any {
	switch {
	case same(before, after):
		return ours
	case same(before, ours):
		return clone(after)
	case same(after, ours):
		return ours
	}
	switch a := after.(type) {
	case object:
		b, wasMap := before.(object)
		o, isMap := ours.(object)
		if !wasMap || !isMap || intrinsic(a) || intrinsic(b) || intrinsic(o) {
			return clone(after)
		}
		return m.maps(path, b, a, o)
	case []any:
		b, wasList := before.([]any)
		o, isList := ours.([]any)
		if (!wasList && before != nil) || (!isList && ours != nil) {
			return clone(after)
		}
		return m.lists(path, b, a, o)
	}
	return clone(after)
}

func (m *merger) maps(path string, before, after, ours object) object {
	result := cloneObject(ours)
	for _, key := range sorted(before) {
		if _, kept := after[key]; !kept {
			delete(result, key)
		}
	}
	for _, key := range sorted(after) {
		own, there := result[key]
		v := m.merge(path+"."+key, before[key], after[key], own)
		if v != nil || there {
			result[key] = v
		}
	}
	return result
}

// identities are the keys by which an element of a list is known again.
var identities = []string{"PolicyName", "Sid", "Key", "Id", "IndexName", "AttributeName", "PolicyDocument", "Name", "name"}

// position finds the element of a list that is v, or is called as v is.
func position(list []any, v any) int {
	if i := slices.IndexFunc(list, func(e any) bool { return same(e, v) }); i >= 0 {
		return i
	}
	m, ok := v.(object)
	if !ok {
		return -1
	}
	for _, key := range identities {
		if m[key] == nil {
			continue
		}
		if i := slices.IndexFunc(list, func(e any) bool { return same(asObject(e)[key], m[key]) }); i >= 0 {
			return i
		}
	}
	return -1
}

// lists takes over what was added, removed and changed in a list. An element that
// ours does not have cannot be removed or changed in it.
func (m *merger) lists(path string, before, after, ours []any) []any {
	result := slices.Clone(ours)
	rest := slices.Clone(after)
	var gone []any
	for _, e := range before {
		if i := slices.IndexFunc(rest, func(a any) bool { return same(a, e) }); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			continue
		}
		gone = append(gone, e)
	}
	// rest is what is new in after: an element that is called as one that is gone
	// is that, changed.
	first := len(after) > 0 && len(before) > 0 && len(rest) > 0 && same(after[0], rest[0])
	for _, e := range gone {
		to := position(rest, e)
		if to < 0 && len(gone) == len(rest) && len(before) == len(after) {
			to = slices.IndexFunc(before, func(b any) bool { return same(b, e) })
			if to = position(rest, after[to]); to >= 0 {
				_, wasMap := e.(object)
				_, isMap := rest[to].(object)
				if wasMap != isMap {
					to = -1
				}
			}
		}
		at := position(result, e)
		if at < 0 && len(before) == 1 && len(result) == 1 && to >= 0 {
			at = 0 // the only one on both sides
		}
		if at < 0 {
			m.fail(path, "change it in the manifest, or leave it as it is", "an entry was changed or removed that arc's template has in another form")
			if to >= 0 {
				rest = slices.Delete(rest, to, to+1)
			}
			continue
		}
		if to < 0 {
			result = slices.Delete(result, at, at+1)
			continue
		}
		result[at] = m.merge(path, e, rest[to], result[at])
		rest = slices.Delete(rest, to, to+1)
		first = false
	}
	added := make([]any, len(rest))
	for i, e := range rest {
		added[i] = clone(e)
	}
	if first {
		return append(added, result...)
	}
	return append(result, added...)
}
