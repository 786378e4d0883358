package compare

import (
	"strconv"

	"arc/cfn/diff/values"
)

// Arrow says in one line how a property differs: "1 → 2".
func Arrow(p Property) string {
	switch {
	case p.Because != "":
		return "follows " + p.Because
	case p.Before == nil:
		return "added " + values.Brief(p.After)
	case p.After == nil:
		return "removed, was " + values.Brief(p.Before)
	}
	before, after := values.BriefBoth(p.Before, p.After)
	return before + " → " + after
}

// CompareValues walks two values side by side. Objects are compared key by
// key, lists of named things by name, other lists of equal length element by
// element; anything else is one difference, intrinsics included, since half an
// intrinsic means nothing.
func CompareValues(path string, before, after any) []Property {
	if values.Equal(before, after) {
		return nil
	}
	b, okB := before.(map[string]any)
	a, okA := after.(map[string]any)
	if okB && okA && !values.IsIntrinsic(b) && !values.IsIntrinsic(a) {
		var out []Property
		for _, k := range values.KeysOfBoth(b, a) {
			out = append(out, CompareValues(dot(path, k), b[k], a[k])...)
		}
		return out
	}
	bl, okB := before.([]any)
	al, okA := after.([]any)
	if okB && okA {
		if out, ok := compareNamed(path, bl, al); ok {
			return out
		}
		if len(bl) == len(al) {
			var out []Property
			for i := range bl {
				out = append(out, CompareValues(dot(path, strconv.Itoa(i)), bl[i], al[i])...)
			}
			return out
		}
	}
	return []Property{{Path: path, Before: before, After: after}}
}

// namesOfElements are the keys that name the elements of CloudFormation's
// lists. The order of such lists says nothing, except where it is the key of
// a table.
var namesOfElements = []string{"IndexName", "AttributeName", "PolicyName", "Id", "Key", "Name"}

// compareNamed compares two lists whose elements have a name each; ok is false
// when they have not, or when only their order differs.
func compareNamed(path string, before, after []any) (out []Property, ok bool) {
	for _, key := range namesOfElements {
		b, okB := values.ByName(before, key)
		a, okA := values.ByName(after, key)
		if !okB || !okA {
			continue
		}
		for _, name := range values.KeysOfBoth(b, a) {
			out = append(out, CompareValues(dot(path, name), b[name], a[name])...)
		}
		return out, len(out) > 0
	}
	return nil, false
}

func dot(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
