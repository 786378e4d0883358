package jsonata

// objects are the functions of objects, and those of any value.
// https://docs.jsonata.org/object-functions
func objects() []entry {
	return []entry{
		{"keys", "<x-:a<s>>", 1, 0, false, func(_ *callee, args []any) (any, error) {
			out := sequenceOf()
			names := newObject()
			keysOf(args[0], names)
			for _, key := range names.keys {
				out.items = append(out.items, key)
			}
			return out, nil
		}},
		{"lookup", "<x-s:x>", 2, 0, false, func(_ *callee, args []any) (any, error) { return lookup(args[0], textArg(args[1])), nil }},
		{"spread", "<x-:a<o>>", 1, 0, false, func(c *callee, args []any) (any, error) {
			out := spread(args[0])
			return out, c.spend(len(items(out)))
		}},
		{"merge", "<a<o>:o>", 1, 0, false, func(_ *callee, args []any) (any, error) {
			out := newObject()
			for _, item := range listArg(args[0]) {
				if o, ok := item.(*object); ok {
					o.each(out.set)
				}
			}
			return out, nil
		}},
		{"each", "<o-f:a>", 2, 0, false, func(c *callee, args []any) (any, error) {
			out := sequenceOf()
			o, ok := args[0].(*object)
			if !ok {
				return out, nil
			}
			for _, key := range o.keys {
				v, err := c.with(args[1], o.values[key], key, args[0])
				if err != nil {
					return nil, err
				}
				if v != nil {
					out.items = append(out.items, v)
				}
			}
			return out, nil
		}},
		{"sift", "<o-f?:o>", 2, 0, false, func(c *callee, args []any) (any, error) {
			out := newObject()
			o, ok := args[0].(*object)
			if !ok {
				return nil, nil
			}
			for _, key := range o.keys {
				v, err := c.with(args[1], o.values[key], key, args[0])
				if err != nil {
					return nil, err
				}
				if truth(v) {
					out.set(key, o.values[key])
				}
			}
			if len(out.keys) == 0 {
				return nil, nil
			}
			return out, nil
		}},
		{"clone", "<(oa)-:o>", 1, 0, false, func(c *callee, args []any) (any, error) { return c.cloned(args[0]) }},
		{"boolean", "<x-:b>", 1, 0, false, func(_ *callee, args []any) (any, error) {
			if _, err := isNumber(args[0]); err != nil {
				return nil, err
			}
			return truth(args[0]), nil
		}},
		{"not", "<x-:b>", 1, 0, false, func(_ *callee, args []any) (any, error) { return !truth(args[0]), nil }},
		{"exists", "<x:b>", 1, 0, true, func(_ *callee, args []any) (any, error) { return args[0] != nil, nil }},
		{"type", "<x:s>", 1, 0, false, func(_ *callee, args []any) (any, error) {
			if _, err := isNumber(args[0]); err != nil {
				return nil, err
			}
			return typeOf(args[0]), nil
		}},
		{"error", "<s?:x>", 1, 0, true, func(_ *callee, args []any) (any, error) {
			return nil, &Error{Code: "D3137", said: textArg(args[0])}
		}},
		{"assert", "<bs?:x>", 2, 0, true, func(_ *callee, args []any) (any, error) {
			if args[0] == true {
				return nil, nil
			}
			return nil, &Error{Code: "D3141", said: textArg(args[1])}
		}},
	}
}

// typeOf is the name of a value's type.
func typeOf(v any) string {
	return map[byte]string{'l': "null", 'n': "number", 's': "string", 'b': "boolean", 'a': "array", 'f': "function", 'o': "object"}[kindOf(v)]
}

func keysOf(v any, names *object) {
	switch v := v.(type) {
	case *array:
		for _, item := range v.items {
			keysOf(item, names)
		}
	case *object:
		for _, key := range v.keys {
			names.set(key, true)
		}
	}
}

// spread makes an object of each member.
func spread(v any) any {
	switch v := v.(type) {
	case *array:
		var out any = sequenceOf()
		for _, item := range v.items {
			out = appended(out, spread(item))
		}
		return out
	case *object:
		out := sequenceOf()
		for _, key := range v.keys {
			one := newObject()
			one.set(key, v.values[key])
			out.items = append(out.items, one)
		}
		return out
	}
	return v
}

// cloned is a copy as JSON would make it.
func (c *callee) cloned(v any) (any, error) {
	if err := c.spend(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *array:
		out := &array{items: make([]any, len(v.items))}
		for i, item := range v.items {
			one, err := c.cloned(item)
			if err != nil {
				return nil, err
			}
			if one == nil {
				one = null{}
			}
			out.items[i] = one
		}
		return out, nil
	case *object:
		out := newObject()
		for _, key := range v.keys {
			one, err := c.cloned(v.values[key])
			if err != nil {
				return nil, err
			}
			if one != nil {
				out.set(key, one)
			}
		}
		return out, nil
	case *lambda, *native:
		return "", nil
	case float64:
		if _, err := isNumber(v); err != nil {
			return nil, err
		}
		return rounded(v), nil
	}
	return v, nil
}
