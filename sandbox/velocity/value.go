package velocity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// List is a list of values; templates may change it.
type List struct{ Items []any }

// Map is a map whose keys keep their order; templates may change it.
type Map struct {
	keys   []string
	values map[string]any
}

// NewMap gives an empty map.
func NewMap() *Map { return &Map{values: map[string]any{}} }

// Get is the value of a key; nil = there is none.
func (m *Map) Get(key string) any { return m.values[key] }

// Put sets the value of a key.
func (m *Map) Put(key string, value any) {
	if _, there := m.values[key]; !there {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

// Keys are the keys in their order.
func (m *Map) Keys() []string { return m.keys }

func (m *Map) remove(key string) any {
	old := m.values[key]
	delete(m.values, key)
	for i, k := range m.keys {
		if k == key {
			m.keys = append(m.keys[:i:i], m.keys[i+1:]...)
			break
		}
	}
	return old
}

// FromJSON reads JSON as values of the language.
func FromJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := decode(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("more follows after the JSON value")
	}
	return v, nil
}

func decode(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if depth > 1000 {
		return nil, fmt.Errorf("the JSON value is nested too deeply")
	}
	switch t := token.(type) {
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n, nil
		}
		f, err := t.Float64()
		return f, err
	case json.Delim:
		if t == '[' {
			list := &List{}
			for dec.More() {
				v, err := decode(dec, depth+1)
				if err != nil {
					return nil, err
				}
				list.Items = append(list.Items, v)
			}
			_, err := dec.Token()
			return list, err
		}
		m := NewMap()
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := decode(dec, depth+1)
			if err != nil {
				return nil, err
			}
			m.Put(fmt.Sprint(key), v)
		}
		_, err := dec.Token()
		return m, err
	}
	return token, nil // string, bool, nil
}

// JSON writes a value of the language as JSON.
func JSON(v any) string {
	var b strings.Builder
	writeJSON(&b, v, 0)
	return b.String()
}

func writeJSON(b *strings.Builder, v any, depth int) {
	if depth > maxDepth {
		b.WriteString("null") // a template made it contain itself
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case *List:
		b.WriteByte('[')
		for i, item := range v.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, item, depth+1)
		}
		b.WriteByte(']')
	case *Map:
		b.WriteByte('{')
		for i, key := range v.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, key, depth+1)
			b.WriteByte(':')
			writeJSON(b, v.values[key], depth+1)
		}
		b.WriteByte('}')
	case int64, bool:
		fmt.Fprint(b, v)
	case float64:
		b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
	default:
		var quoted bytes.Buffer
		enc := json.NewEncoder(&quoted)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(String(v)) // of text: never fails
		b.WriteString(strings.TrimSuffix(quoted.String(), "\n"))
	}
}

// String is a value as templates write it: as Java does.
func String(v any) string {
	var b strings.Builder
	writeText(&b, v, 0)
	return b.String()
}

func writeText(b *strings.Builder, v any, depth int) {
	if depth > maxDepth {
		b.WriteString("...")
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case string:
		b.WriteString(v)
	case float64:
		b.WriteString(javaDouble(v))
	case *List:
		b.WriteByte('[')
		for i, item := range v.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			writeText(b, item, depth+1)
		}
		b.WriteByte(']')
	case *Map:
		b.WriteByte('{')
		for i, key := range v.keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(key)
			b.WriteByte('=')
			writeText(b, v.values[key], depth+1)
		}
		b.WriteByte('}')
	case *entry:
		b.WriteString(v.key)
		b.WriteByte('=')
		writeText(b, v.of.Get(v.key), depth+1)
	case *block: // which has no text before it is rendered
	case Object:
		fmt.Fprint(b, v)
	default:
		fmt.Fprint(b, v)
	}
}

// javaDouble is a number as Java's Double.toString writes it.
// https://docs.oracle.com/javase/8/docs/api/java/lang/Double.html#toString-double-
func javaDouble(f float64) string {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+") + "inity"
	case f == 0 || abs >= 1e-3 && abs < 1e7:
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

// truthy is what #if makes of a value: all but false and nothing.
func truthy(v any) bool {
	if yes, ok := v.(bool); ok {
		return yes
	}
	return v != nil
}

// elements are what #foreach goes over: a list's, a map's values.
func elements(v any) []any {
	switch v := v.(type) {
	case *List:
		return append([]any(nil), v.Items...)
	case *Map:
		var all []any
		for _, key := range v.keys {
			all = append(all, v.values[key])
		}
		return all
	case interface{ Each() []any }:
		return v.Each()
	}
	return nil
}

// entry is one of a map's entrySet().
type entry struct {
	of  *Map
	key string
}
