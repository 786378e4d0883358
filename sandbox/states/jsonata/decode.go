package jsonata

import (
	"encoding/json"
	"strings"
)

// decoded is the value that a JSON text is, its members in their order.
func decoded(text string) (any, error) {
	if !json.Valid([]byte(text)) { // which bounds how deep it is
		return nil, &Error{Code: "U1003", value: text}
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := decode(d)
	if err != nil {
		return nil, &Error{Code: "U1003", value: text}
	}
	return v, nil
}

func decode(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			out := &array{items: []any{}}
			for d.More() {
				v, err := decode(d)
				if err != nil {
					return nil, err
				}
				out.items = append(out.items, v)
			}
			_, err := d.Token()
			return out, err
		}
		out := newObject()
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decode(d)
			if err != nil {
				return nil, err
			}
			name, _ := key.(string)
			out.set(name, v)
		}
		_, err := d.Token()
		return out, err
	case nil:
		return null{}, nil
	case json.Number:
		f, err := t.Float64()
		return f, err
	}
	return t, nil
}
