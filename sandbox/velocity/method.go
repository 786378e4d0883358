package velocity

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// allMethods are the names of what may be called of values of the language.
var allMethods = []string{
	"add", "addAll", "charAt", "compareTo", "concat", "contains", "containsKey", "containsValue", "doubleValue", "endsWith", "entrySet", "equals",
	"equalsIgnoreCase", "get", "getKey", "getOrDefault", "getValue", "indexOf", "intValue", "isEmpty", "keySet", "lastIndexOf", "length", "longValue",
	"matches", "put", "putAll", "remove", "replace", "replaceAll", "replaceFirst", "set", "size", "split", "startsWith", "substring", "toLowerCase",
	"toString", "toUpperCase", "trim", "values",
}

// Method calls a method of a value; nothing where it has none of that name.
func Method(v any, name string, args []any) (any, error) {
	switch {
	case name == "toString":
		return String(v), nil
	case name == "equals" && len(args) == 1:
		return equal(v, args[0]), nil
	}
	switch v := v.(type) {
	case string:
		return textMethod(v, name, args)
	case *List:
		return v.method(name, args)
	case *Map:
		return v.method(name, args)
	case *entry:
		switch name {
		case "getKey":
			return v.key, nil
		case "getValue":
			return v.of.Get(v.key), nil
		}
	case int64:
		switch name {
		case "intValue", "longValue":
			return v, nil
		case "doubleValue":
			return float64(v), nil
		}
	case float64:
		switch name {
		case "intValue", "longValue":
			return int64(v), nil
		case "doubleValue":
			return v, nil
		}
	}
	return nil, nil
}

func (l *List) method(name string, args []any) (any, error) {
	index := func(i int) (int, bool) {
		if len(args) <= i {
			return 0, false
		}
		n, ok := args[i].(int64)
		return int(n), ok && n >= 0 && n < int64(len(l.Items))
	}
	switch name {
	case "size":
		return int64(len(l.Items)), nil
	case "isEmpty":
		return len(l.Items) == 0, nil
	case "get":
		n, ok := index(0)
		if !ok {
			return nil, fmt.Errorf("get(%s): the list has %d elements", spell(args), len(l.Items))
		}
		return l.Items[n], nil
	case "set":
		if n, ok := index(0); ok && len(args) == 2 {
			old := l.Items[n]
			l.Items[n] = args[1]
			return old, nil
		}
	case "remove":
		return l.remove(args)
	case "add":
		if len(args) == 1 && len(l.Items) < maxSteps {
			l.Items = append(l.Items, args[0])
			return true, nil
		}
	case "addAll":
		if len(args) == 1 && len(l.Items) < maxSteps {
			l.Items = append(l.Items, elements(args[0])...)
			return true, nil
		}
	case "contains", "indexOf":
		if len(args) == 1 {
			at := slices.IndexFunc(l.Items, func(item any) bool { return equal(item, args[0]) })
			if name == "contains" {
				return at >= 0, nil
			}
			return int64(at), nil
		}
	}
	return nil, nil
}

// remove takes an element out, by its place or else the first that equals the argument.
// https://docs.oracle.com/javase/8/docs/api/java/util/List.html
func (l *List) remove(args []any) (any, error) {
	if len(args) != 1 {
		return nil, nil
	}
	n, isPlace := args[0].(int64)
	if !isPlace {
		n = int64(slices.IndexFunc(l.Items, func(item any) bool { return equal(item, args[0]) }))
		if n < 0 {
			return false, nil
		}
	}
	if n < 0 || n >= int64(len(l.Items)) {
		return nil, fmt.Errorf("remove(%d): the list has %d elements", n, len(l.Items))
	}
	old := l.Items[n]
	l.Items = slices.Delete(slices.Clone(l.Items), int(n), int(n)+1)
	if !isPlace {
		return true, nil
	}
	return old, nil
}

func (m *Map) method(name string, args []any) (any, error) {
	switch {
	case name == "size":
		return int64(len(m.keys)), nil
	case name == "isEmpty":
		return len(m.keys) == 0, nil
	case name == "keySet":
		out := &List{}
		for _, key := range m.keys {
			out.Items = append(out.Items, key)
		}
		return out, nil
	case name == "values":
		return &List{elements(m)}, nil
	case name == "entrySet":
		out := &List{}
		for _, key := range m.keys {
			out.Items = append(out.Items, &entry{m, key})
		}
		return out, nil
	case name == "get" && len(args) == 1:
		return m.Get(String(args[0])), nil
	case name == "getOrDefault" && len(args) == 2:
		if v := m.Get(String(args[0])); v != nil {
			return v, nil
		}
		return args[1], nil
	case name == "put" && len(args) == 2:
		old := m.Get(String(args[0]))
		m.Put(String(args[0]), args[1])
		return old, nil
	case name == "putAll" && len(args) == 1:
		if other, ok := args[0].(*Map); ok {
			for _, key := range slices.Clone(other.keys) {
				m.Put(key, other.values[key])
			}
		}
	case name == "remove" && len(args) == 1:
		return m.remove(String(args[0])), nil
	case name == "containsKey" && len(args) == 1:
		_, there := m.values[String(args[0])]
		return there, nil
	case name == "containsValue" && len(args) == 1:
		return slices.ContainsFunc(m.keys, func(key string) bool { return equal(m.values[key], args[0]) }), nil
	}
	return nil, nil
}

func spell(args []any) string {
	texts := make([]string, len(args))
	for i, arg := range args {
		texts[i] = String(arg)
	}
	return strings.Join(texts, ", ")
}

// textMethod is a method of Java's String.
func textMethod(s, name string, args []any) (any, error) {
	arg := func(i int) string {
		if i < len(args) {
			return String(args[i])
		}
		return ""
	}
	switch name {
	case "length":
		return int64(utf8.RuneCountInString(s)), nil
	case "isEmpty":
		return s == "", nil
	case "equalsIgnoreCase":
		return strings.EqualFold(s, arg(0)), nil
	case "contains":
		return strings.Contains(s, arg(0)), nil
	case "startsWith":
		return strings.HasPrefix(s, arg(0)), nil
	case "endsWith":
		return strings.HasSuffix(s, arg(0)), nil
	case "indexOf", "lastIndexOf":
		at := strings.Index(s, arg(0))
		if name == "lastIndexOf" {
			at = strings.LastIndex(s, arg(0))
		}
		if at < 0 {
			return int64(-1), nil
		}
		return int64(utf8.RuneCountInString(s[:at])), nil
	case "toLowerCase":
		return strings.ToLower(s), nil
	case "toUpperCase":
		return strings.ToUpper(s), nil
	case "trim":
		return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }), nil
	case "concat":
		return s + arg(0), nil
	case "compareTo":
		return compare([]rune(s), []rune(arg(0))), nil
	case "replace":
		if len(s)*(len(arg(1))+1) > MaxOutput {
			return nil, fmt.Errorf("replace(): the text grows over %d bytes", MaxOutput)
		}
		return strings.ReplaceAll(s, arg(0), arg(1)), nil
	case "charAt", "substring":
		return cut(s, name, args)
	case "split":
		return split(s, arg(0), args)
	case "matches", "replaceAll", "replaceFirst":
		return patterned(s, name, arg(0), arg(1))
	}
	return nil, nil
}

// compare is the difference of the first characters that differ, or of the lengths.
func compare(a, b []rune) int64 {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int64(a[i] - b[i])
		}
	}
	return int64(len(a) - len(b))
}

func cut(s, name string, args []any) (any, error) {
	runes := []rune(s)
	from, okFrom := int64(0), false
	to, okTo := int64(len(runes)), true
	if len(args) > 0 {
		from, okFrom = args[0].(int64)
	}
	switch {
	case name == "charAt":
		to = from + 1
	case len(args) > 1:
		to, okTo = args[1].(int64)
	}
	if !okFrom || !okTo || from < 0 || to < from || to > int64(len(runes)) {
		return nil, fmt.Errorf("%s(%s): the text has %d characters", name, spell(args), len(runes))
	}
	return string(runes[from:to]), nil
}

// patterned are the methods that take a regular expression.
func patterned(s, name, pattern, with string) (any, error) {
	if name == "matches" {
		pattern = "^(?:" + pattern + ")$"
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s(): the pattern cannot be evaluated by the local cloud: %w", name, err)
	}
	// Java writes \$ where a $ is meant and $1 for a group.
	with = regexp.MustCompile(`\\(.)|\$(\d)`).ReplaceAllStringFunc(with, func(found string) string {
		if found[0] == '$' {
			return "${" + found[1:] + "}"
		}
		return strings.ReplaceAll(found[1:], "$", "$$")
	})
	switch name {
	case "matches":
		return re.MatchString(s), nil
	case "replaceAll":
		if len(s)*(len(with)+1) > MaxOutput {
			return nil, fmt.Errorf("replaceAll(): the text grows over %d bytes", MaxOutput)
		}
		return re.ReplaceAllString(s, with), nil
	case "replaceFirst":
		at := re.FindStringSubmatchIndex(s)
		if at == nil {
			return s, nil
		}
		return s[:at[0]] + string(re.ExpandString(nil, with, s, at)) + s[at[1]:], nil
	}
	return nil, nil
}

// split cuts a text at a pattern: into as many parts as the limit says, all of them
// where that is negative, and without empty ones at the end where it is 0, or not there.
// https://docs.oracle.com/javase/8/docs/api/java/lang/String.html#split-java.lang.String-int-
func split(s, pattern string, args []any) (any, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("split(): the pattern cannot be evaluated by the local cloud: %w", err)
	}
	limit := int64(0)
	if len(args) > 1 {
		limit, _ = args[1].(int64)
	}
	most := -1
	if limit > 0 {
		most = int(min(limit, MaxOutput))
	}
	out := &List{}
	for _, part := range re.Split(s, most) {
		out.Items = append(out.Items, part)
	}
	for limit == 0 && len(out.Items) > 1 && out.Items[len(out.Items)-1] == "" {
		out.Items = out.Items[:len(out.Items)-1]
	}
	return out, nil
}
