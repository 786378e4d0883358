package plugin

import (
	"encoding/json"

	"arc/manifest/syntax"
)

// arcModel is a manifest as Architect's parser gives it: for each pragma a list
// of words, of lists of words, and of maps.
func arcModel(file *syntax.File) ordered {
	model := ordered{}
	if file == nil {
		return model
	}
	for _, p := range file.Pragmas {
		items := []any{}
		for _, it := range p.Items {
			items = append(items, itemModel(it))
		}
		model = append(model, member{p.Name, items})
	}
	return model
}

func itemModel(it *syntax.Item) any {
	switch it.Kind {
	case syntax.Scalar:
		return word(it.Values[0])
	case syntax.Tuple:
		return wordList(it.Values)
	case syntax.Vector:
		return ordered{{it.Values[0].Text, wordList(it.List)}}
	}
	entries := ordered{}
	for _, e := range it.Entries {
		var v any = wordList(e.Values)
		if len(e.Values) == 1 {
			v = word(e.Values[0])
		}
		entries = entries.with(e.Key.Text, v)
	}
	return ordered{{it.Values[0].Text, entries}}
}

func wordList(values []syntax.Value) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = word(v)
	}
	return list
}

func word(v syntax.Value) any {
	switch v.Kind {
	case syntax.Bool:
		return v.Bool
	case syntax.Number:
		if raw, err := json.Marshal(v.Num); err == nil { // it may be infinite
			return json.RawMessage(raw)
		}
	}
	return v.Text
}

// ordered is a JSON object whose members keep their order, as plugins that go
// through it see it.
type ordered []member

type member struct {
	name  string
	value any
}

// with sets a member; a later one of the same name counts.
func (o ordered) with(name string, value any) ordered {
	for i := range o {
		if o[i].name == name {
			o[i].value = value
			return o
		}
	}
	return append(o, member{name, value})
}

// get is the value of a member; nil = there is none.
func (o ordered) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// MarshalJSON writes the members in their order.
func (o ordered) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}
