package jsonata

// lists are the functions of lists, and those that call a function for each value.
// https://docs.jsonata.org/array-functions
func lists() []entry {
	return []entry{
		{"append", "<xx:a>", 2, 0, true, func(c *callee, args []any) (any, error) {
			out := appended(args[0], args[1])
			return out, c.spend(len(items(out)))
		}},
		{"reverse", "<a:a>", 1, 0, false, func(c *callee, args []any) (any, error) {
			list := listArg(args[0])
			if len(list) <= 1 {
				return args[0], nil
			}
			out := &array{items: make([]any, len(list))}
			for i, item := range list {
				out.items[len(list)-1-i] = item
			}
			return out, c.spend(len(list))
		}},
		{"shuffle", "<a:a>", 1, 0, false, func(c *callee, args []any) (any, error) {
			out := &array{items: append([]any{}, listArg(args[0])...)}
			for i := len(out.items) - 1; i > 0 && c.by != nil; i-- {
				j := int(c.by.Random(0, int64(i)+1))
				out.items[i], out.items[j] = out.items[j], out.items[i]
			}
			return out, c.spend(len(out.items))
		}},
		{"distinct", "<x:x>", 1, 0, false, func(c *callee, args []any) (any, error) {
			list, ok := args[0].(*array)
			if !ok || len(list.items) <= 1 {
				return args[0], nil
			}
			out := &array{items: []any{}, sequence: list.sequence}
		next:
			for _, item := range list.items {
				if err := c.spend(len(out.items) + 1); err != nil {
					return nil, err
				}
				for _, old := range out.items {
					if equal(item, old) {
						continue next
					}
				}
				out.items = append(out.items, item)
			}
			return out, nil
		}},
		{"zip", "<a+>", 0, 0, true, zip},
		{"sort", "<af?:a>", 2, 0, false, sortList},
		{"map", "<af>", 2, 0, false, func(c *callee, args []any) (any, error) {
			out := sequenceOf()
			for i, item := range listArg(args[0]) {
				v, err := c.with(args[1], item, float64(i), args[0])
				if err != nil {
					return nil, err
				}
				if v != nil {
					out.items = append(out.items, v)
				}
			}
			return out, nil
		}},
		{"filter", "<af>", 2, 0, false, func(c *callee, args []any) (any, error) {
			out := sequenceOf()
			for i, item := range listArg(args[0]) {
				v, err := c.with(args[1], item, float64(i), args[0])
				if err != nil {
					return nil, err
				}
				if truth(v) {
					out.items = append(out.items, item)
				}
			}
			return out, nil
		}},
		{"single", "<af?>", 2, 0, false, single},
		{"reduce", "<afj?:j>", 3, 0, false, reduce},
	}
}

func zip(c *callee, args []any) (any, error) {
	least := -1
	for _, arg := range args {
		n := 0
		if list, ok := arg.(*array); ok {
			n = len(list.items)
		}
		if least < 0 || n < least {
			least = n
		}
	}
	out := &array{items: []any{}}
	for i := range max(least, 0) {
		one := &array{}
		for _, arg := range args {
			one.items = append(one.items, items(arg)[i])
		}
		out.items = append(out.items, one)
	}
	return out, c.spend(len(out.items) * len(args))
}

func sortList(c *callee, args []any) (any, error) {
	list := listArg(args[0])
	if len(list) <= 1 {
		return args[0], nil
	}
	after := func(a, b any) (bool, error) { return order(a, b) > 0, nil }
	if args[1] != nil {
		after = func(a, b any) (bool, error) {
			v, err := c.invoke(args[1], a, b)
			switch v := v.(type) {
			case bool, string, float64:
				return truth(v), err
			case nil, null:
				return false, err
			}
			return true, err
		}
	} else {
		for _, item := range list {
			if k := kindOf(item); k != kindOf(list[0]) || k != 'n' && k != 's' {
				return nil, &Error{Code: "D3070"}
			}
		}
	}
	sorted, err := c.sorted(list, after)
	return &array{items: sorted}, err
}

func single(c *callee, args []any) (any, error) {
	var out any
	matched := false
	for i, item := range listArg(args[0]) {
		if args[1] != nil {
			v, err := c.with(args[1], item, float64(i), args[0])
			if err != nil {
				return nil, err
			}
			if !truth(v) {
				continue
			}
		}
		if matched {
			return nil, &Error{Code: "D3138"}
		}
		out, matched = item, true
	}
	if !matched {
		return nil, &Error{Code: "D3139"}
	}
	return out, nil
}

func reduce(c *callee, args []any) (any, error) {
	list, takes := listArg(args[0]), arity(args[1])
	if takes < 2 {
		return nil, &Error{Code: "D3050"}
	}
	out, from := args[2], 0
	if out == nil && len(list) > 0 {
		out, from = list[0], 1
	}
	for i := from; i < len(list); i++ {
		var err error
		if out, err = c.with(args[1], out, list[i], float64(i), args[0]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
