package stack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Read fills a struct with a resource's evaluated properties, a field for each
// that makes a difference here, named as the property is. It is strict, as
// CloudFormation is: names are told apart by case, a value of the wrong type is
// refused, and so is a property that is neither a field nor in harmless, the
// names of those that make no difference on one machine. To drop, say, an
// authorizer in silence would make something public that is not.
//
// Fields are strings, ints, bools, pointers to those, slices, maps of strings,
// structs, and any or map[string]any for what is kept as it is. As in every
// template, numbers and booleans may be spelled as strings and the other way
// round. Where a value is not known yet (Unknown), its field stays empty, and the
// error is ErrUnknown if there is no other. A field with the tag `cfn:"required"` must be given; the tag name tells a
// property whose name is no Go name for a field. All mistakes are told at once,
// sorted by property.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
func Read(properties map[string]any, into any, harmless ...string) error {
	r := &reader{}
	rest := properties
	if len(harmless) > 0 {
		rest = maps.Clone(properties)
		for _, name := range harmless {
			delete(rest, name)
		}
	}
	r.fields("", rest, reflect.ValueOf(into).Elem())
	if len(r.mistakes) == 0 {
		if r.unknown {
			return ErrUnknown
		}
		return nil
	}
	slices.Sort(r.mistakes)
	return fmt.Errorf("%s", strings.Join(r.mistakes, "; "))
}

type reader struct {
	mistakes []string
	unknown  bool // there are values that are not known yet
}

func (r *reader) fail(path, format string, args ...any) {
	r.mistakes = append(r.mistakes, "property "+path+": "+fmt.Sprintf(format, args...))
}

// fields fills the struct at path.
func (r *reader) fields(path string, values map[string]any, into reflect.Value) {
	known := map[string]bool{}
	for i := range into.NumField() {
		field := into.Type().Field(i)
		if field.Anonymous {
			r.fail(path+field.Name, "an embedded field cannot be read")
			continue
		}
		name := cmp.Or(field.Tag.Get("name"), field.Name)
		known[name] = true
		value, given := values[name]
		required := field.Tag.Get("cfn") == "required"
		if required && (!given || value == nil || value == "" && field.Type.Kind() == reflect.String) {
			r.fail(path+name, "is required")
		}
		if given && value != nil {
			r.value(path+name, value, into.Field(i))
		}
	}
	for name := range values {
		if name == lookedAt {
			r.unknown = true
		} else if !known[name] {
			r.fail(path+name, "not known: misspelled, or not emulated by the local cloud")
		}
	}
}

func (r *reader) value(path string, value any, into reflect.Value) {
	if value == (any)(Unknown{}) {
		r.unknown = true
		return
	}
	switch into.Kind() {
	case reflect.Interface:
		into.Set(reflect.ValueOf(value))
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		r.value(path, value, into.Elem())
	case reflect.Struct:
		if m, ok := value.(map[string]any); ok {
			r.fields(path+".", m, into)
			return
		}
		r.fail(path, "must be an object")
	case reflect.Map:
		r.entries(path, value, into)
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			r.fail(path, "must be a list")
			return
		}
		out := reflect.MakeSlice(into.Type(), len(list), len(list))
		for i, item := range list {
			r.value(fmt.Sprintf("%s[%d]", path, i), item, out.Index(i))
		}
		into.Set(out)
	default:
		r.scalar(path, value, into)
	}
}

func (r *reader) entries(path string, value any, into reflect.Value) {
	m, ok := value.(map[string]any)
	if !ok {
		r.fail(path, "must be an object")
		return
	}
	out := reflect.MakeMapWithSize(into.Type(), len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if m[key] == nil {
			continue
		}
		el := reflect.New(into.Type().Elem()).Elem()
		r.value(path+"."+key, m[key], el)
		out.SetMapIndex(reflect.ValueOf(key), el)
	}
	into.Set(out)
}

func (r *reader) scalar(path string, value any, into reflect.Value) {
	text, ok := Text(value)
	switch into.Kind() {
	case reflect.String:
		if !ok {
			r.fail(path, "must be a string")
		}
		into.SetString(text)
	case reflect.Bool:
		yes, err := strconv.ParseBool(text)
		if !ok || err != nil {
			r.fail(path, "must be true or false")
		}
		into.SetBool(yes)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if !ok || err != nil {
			r.fail(path, "must be a whole number")
		}
		into.SetInt(int64(n))
	default:
		r.fail(path, "a %s cannot be read", into.Kind())
	}
}

// Text spells a string, number or boolean of a template as a string; ok is
// false for anything else.
func Text(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	}
	return "", false
}
