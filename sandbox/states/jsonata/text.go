package jsonata

import (
	"bytes"
	"fmt"
	"math"
	"unicode/utf8"
)

// text is a value as $string and & have it.
// https://docs.jsonata.org/string-functions#string
func text(v any, indent string) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case *lambda, *native:
		return "", nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", &Error{Code: "D3001", value: v}
		}
	case *array:
		if err := finite(v); err != nil {
			return "", err
		}
		if v.outer && len(v.items) > 0 {
			return text(v.items[0], indent)
		}
	case *object:
		if err := finite(v); err != nil {
			return "", err
		}
	}
	var out bytes.Buffer
	write(&out, v, indent, "")
	return out.String(), nil
}

// finite refuses numbers in a value that JSON does not have.
func finite(v any) error {
	switch v := v.(type) {
	case float64:
		_, err := isNumber(v)
		return err
	case *array:
		for _, item := range v.items {
			if err := finite(item); err != nil {
				return err
			}
		}
	case *object:
		for _, item := range v.values {
			if err := finite(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// write spells a value as JSON; indent "" = on one line. false = it is nothing.
func write(out *bytes.Buffer, v any, indent, at string) bool {
	deeper := at + indent
	line := func(at string) {
		if indent != "" {
			out.WriteString("\n" + at)
		}
	}
	switch v := v.(type) {
	case nil, tuple:
		return false
	case null:
		out.WriteString("null")
	case bool:
		fmt.Fprint(out, v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			out.WriteString("null")
			return true
		}
		out.WriteString(number(rounded(v)))
	case string:
		writeText(out, v)
	case *array:
		out.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				out.WriteByte(',')
			}
			line(deeper)
			if !write(out, item, indent, deeper) {
				out.WriteString("null")
			}
		}
		if len(v.items) > 0 {
			line(at)
		}
		out.WriteByte(']')
	case *object:
		out.WriteByte('{')
		written := 0
		for _, key := range v.keys {
			if v.values[key] == nil {
				continue
			}
			if written++; written > 1 {
				out.WriteByte(',')
			}
			line(deeper)
			writeText(out, key)
			out.WriteByte(':')
			if indent != "" {
				out.WriteByte(' ')
			}
			write(out, v.values[key], indent, deeper)
		}
		if written > 0 {
			line(at)
		}
		out.WriteByte('}')
	default: // functions
		out.WriteString(`""`)
	}
	return true
}

// writeText spells a text as JSON, escaping only what must be.
func writeText(out *bytes.Buffer, s string) {
	out.WriteByte('"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == '\b':
			out.WriteString(`\b`)
		case r == '\f':
			out.WriteString(`\f`)
		case r < ' ':
			fmt.Fprintf(out, `\u%04x`, r)
		default:
			out.WriteString(s[i : i+size])
		}
		i += size
	}
	out.WriteByte('"')
}
