package syntax

import "math"

// model turns a tree into what Architect's parser gives for the same text, as
// JSON values: a list for each pragma, of scalars, lists and one-key objects.
func model(f *File) map[string]any {
	m := map[string]any{}
	for _, p := range f.Pragmas {
		items := []any{}
		for _, it := range p.Items {
			items = append(items, itemModel(it))
		}
		m[p.Name] = items
	}
	return m
}

func itemModel(it *Item) any {
	switch it.Kind {
	case Scalar:
		return valueModel(it.Name())
	case Tuple:
		return listModel(it.Values)
	case Vector:
		return map[string]any{it.Name().Text: listModel(it.List)}
	}
	entries := map[string]any{}
	for _, e := range it.Entries {
		entries[e.Key.Text] = listModel(e.Values)
		if len(e.Values) == 1 {
			entries[e.Key.Text] = valueModel(e.Values[0])
		}
	}
	return map[string]any{it.Name().Text: entries}
}

func listModel(vs []Value) any {
	list := []any{}
	for _, v := range vs {
		list = append(list, valueModel(v))
	}
	return list
}

func valueModel(v Value) any {
	switch v.Kind {
	case Number:
		if math.IsInf(v.Num, 0) {
			return nil // as JSON has no infinity
		}
		return v.Num
	case Bool:
		return v.Bool
	}
	return v.Text
}
