package diff

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// compareValues walks two values side by side. Objects are compared key by
// key, lists of named things by name, other lists of equal length element by
// element; anything else is one difference, intrinsics included, since half an
// intrinsic means nothing.
func compareValues(path string, before, after any) []Property {
	if equal(before, after) {
		return nil
	}
	b, okB := before.(map[string]any)
	a, okA := after.(map[string]any)
	if okB && okA && !isIntrinsic(b) && !isIntrinsic(a) {
		var out []Property
		for _, k := range keysOfBoth(b, a) {
			out = append(out, compareValues(dot(path, k), b[k], a[k])...)
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
				out = append(out, compareValues(dot(path, strconv.Itoa(i)), bl[i], al[i])...)
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
		b, okB := byName(before, key)
		a, okA := byName(after, key)
		if !okB || !okA {
			continue
		}
		for _, name := range keysOfBoth(b, a) {
			out = append(out, compareValues(dot(path, name), b[name], a[name])...)
		}
		return out, len(out) > 0
	}
	return nil, false
}

func byName(list []any, key string) (map[string]any, bool) {
	named := make(map[string]any, len(list))
	for _, el := range list {
		m, _ := el.(map[string]any)
		name, ok := m[key].(string)
		if _, twice := named[name]; !ok || twice || name == "" {
			return nil, false
		}
		named[name] = el
	}
	return named, true
}

func dot(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func isIntrinsic(m map[string]any) bool {
	if len(m) != 1 {
		return false
	}
	for k := range m {
		return k == "Ref" || len(k) > 4 && k[:4] == "Fn::"
	}
	return false
}

// exactText writes intrinsics that make a string as the text of one Sub, in
// which equal strings are equal: ok is false for those of which the value
// depends on more.
func exactText(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, !strings.Contains(v, "${") // as text it means itself, in a Sub it would not
	case json.Number:
		return v.String(), true
	case map[string]any:
		if len(v) != 1 {
			return "", false
		}
		for name, arg := range v {
			return exactCall(name, arg)
		}
	}
	return "", false
}

func exactCall(name string, arg any) (text string, ok bool) {
	l := list(arg)
	switch name {
	case "Ref":
		text, ok = arg.(string)
		return "${" + text + "}", ok
	case "Fn::GetAtt":
		if text, ok = arg.(string); ok {
			return "${" + text + "}", true
		}
		if len(l) == 2 {
			id, okID := l[0].(string)
			attribute, okAttribute := l[1].(string)
			return "${" + id + "." + attribute + "}", okID && okAttribute
		}
	case "Fn::Sub":
		if text, ok = arg.(string); ok {
			return text, true
		}
		if len(l) == 2 {
			text, okText := l[0].(string)
			own, okOwn := l[1].(map[string]any)
			return exactSub(text, own, okText && okOwn)
		}
	case "Fn::Join":
		if len(l) == 2 {
			between, okBetween := l[0].(string)
			parts, okParts := l[1].([]any)
			var b strings.Builder
			for i, part := range parts {
				one, okOne := exactText(part)
				okParts = okParts && okOne
				if i > 0 {
					b.WriteString(between)
				}
				b.WriteString(one)
			}
			return b.String(), okBetween && okParts && !strings.Contains(between, "${")
		}
	}
	return "", false
}

// exactSub writes a Sub's own variables into its text.
func exactSub(text string, own map[string]any, ok bool) (string, bool) {
	var b strings.Builder
	for ok {
		plain, rest, found := strings.Cut(text, "${")
		name, tail, closed := strings.Cut(rest, "}")
		if !found || !closed {
			b.WriteString(text)
			break
		}
		b.WriteString(plain)
		if v, given := own[name]; given {
			var one string
			one, ok = exactText(v)
			b.WriteString(one)
		} else {
			b.WriteString("${" + name + "}")
		}
		text = tail
	}
	return b.String(), ok
}

// equal compares two JSON values; 1 and "1" are the same to CloudFormation,
// and so are true and "true".
func equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if ok && isIntrinsic(x) && isIntrinsic(y) {
			textA, okA := exactText(x)
			textB, okB := exactText(y)
			if okA && okB {
				return textA == textB
			}
		}
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			if w, has := y[k]; !has || !equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	}
	x, okA := spelled(a)
	y, okB := spelled(b)
	if okA && okB {
		return x == y
	}
	return reflect.DeepEqual(a, b)
}

func spelled(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
