// Package values reads and compares the values of CloudFormation templates:
// intrinsic functions, lists of named things, and texts that may be secrets.
package values

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// KeysOfBoth lists the keys of two maps, sorted, each once.
func KeysOfBoth[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(make([]string, 0, len(a)+8), maps.Keys(a))
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// On reports whether a value is true, as JSON or as the text that
// CloudFormation takes for it.
func On(v any) bool { return v == true || v == "true" }

// List is a value as a list; nil when it is something else.
func List(v any) []any {
	l, _ := v.([]any)
	return l
}

// Under reports whether a property is the named one or below it.
func Under(path, name string) bool {
	return path == name || strings.HasPrefix(path, name+".")
}

// ByName gives the elements of a list by the text that each has at a key; ok is
// false when one has none, or two have the same.
func ByName(list []any, key string) (named map[string]any, ok bool) {
	named = make(map[string]any, len(list))
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

// IsIntrinsic reports whether an object is a call of an intrinsic function.
func IsIntrinsic(m map[string]any) bool {
	if len(m) != 1 {
		return false
	}
	for k := range m {
		return k == "Ref" || len(k) > 4 && k[:4] == "Fn::"
	}
	return false
}

// ExactText writes intrinsics that make a string as the text of one Sub, in
// which equal strings are equal: ok is false for those of which the value
// depends on more.
func ExactText(v any) (text string, ok bool) {
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
	l := List(arg)
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
				one, okOne := ExactText(part)
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
			one, ok = ExactText(v)
			b.WriteString(one)
		} else {
			b.WriteString("${" + name + "}")
		}
		text = tail
	}
	return b.String(), ok
}

// Equal compares two JSON values; 1 and "1" are the same to CloudFormation,
// and so are true and "true".
func Equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if ok && IsIntrinsic(x) && IsIntrinsic(y) {
			textA, okA := ExactText(x)
			textB, okB := ExactText(y)
			if okA && okB {
				return textA == textB
			}
		}
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			if w, has := y[k]; !has || !Equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, Equal)
	}
	x, okA := Spelled(a)
	y, okB := Spelled(b)
	if okA && okB {
		return x == y
	}
	return reflect.DeepEqual(a, b)
}

// Spelled is a scalar as CloudFormation writes it; ok is false for anything else.
func Spelled(v any) (string, bool) {
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

// Fingerprint is a text that equal values have in common, for finding them among
// many. Values that are not equal have another one.
func Fingerprint(v any) string {
	var b strings.Builder
	fingerprint(&b, v)
	return b.String()
}

func fingerprint(b *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		if IsIntrinsic(v) {
			if text, ok := ExactText(v); ok {
				b.WriteString("$" + strconv.Quote(text))
				return
			}
		}
		b.WriteByte('{')
		for _, key := range KeysOfBoth(nil, v) {
			b.WriteString(strconv.Quote(key))
			fingerprint(b, v[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for _, el := range v {
			fingerprint(b, el)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	default:
		if text, ok := Spelled(v); ok {
			b.WriteString(strconv.Quote(text))
		} else {
			b.WriteString("null")
		}
	}
}
