package jsonata

import "math"

// binary is an operator between two operands.
// https://docs.jsonata.org/numeric-operators
func (e *evaluation) binary(n *node, in any, f *frame) (any, error) {
	left, err := e.eval(n.left, in, f)
	if err != nil {
		return nil, err
	}
	if n.op == "and" && !truth(left) || n.op == "or" && truth(left) {
		return n.op == "or", nil
	}
	right, err := e.eval(n.right, in, f)
	if err != nil {
		return nil, err
	}
	out, err := e.operate(n.op, left, right)
	if e, ok := err.(*Error); ok {
		e.Position, e.Token = n.at, n.op
	}
	return out, err
}

func (e *evaluation) operate(op string, left, right any) (any, error) {
	switch op {
	case "and", "or":
		return truth(right), nil
	case "+", "-", "*", "/", "%":
		return arithmetic(op, left, right)
	case "=", "!=":
		if left == nil || right == nil {
			return false, nil
		}
		return equal(left, right) == (op == "="), nil
	case "<", "<=", ">", ">=":
		return compared(op, left, right)
	case "&":
		return e.joined(left, right)
	case "..":
		return e.span(left, right)
	case "in":
		if left == nil {
			return false, nil
		}
		for _, item := range items(right) {
			if item == left {
				return true, nil
			}
		}
		return false, nil
	}
	return nil, &Error{Code: "S0204"}
}

func arithmetic(op string, left, right any) (any, error) {
	for i, v := range []any{left, right} {
		if v == nil {
			continue
		}
		ok, err := isNumber(v)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, &Error{Code: []string{"T2001", "T2002"}[i], value: v}
		}
	}
	if left == nil || right == nil {
		return nil, nil
	}
	a, b := left.(float64), right.(float64)
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		return a / b, nil
	}
	return math.Mod(a, b), nil
}

func compared(op string, left, right any) (any, error) {
	for _, v := range []any{left, right} {
		if k := kindOf(v); k != 's' && k != 'n' && k != 'm' {
			return nil, &Error{Code: "T2010", value: v}
		}
	}
	if left == nil || right == nil {
		return nil, nil
	}
	if kindOf(left) != kindOf(right) {
		return nil, &Error{Code: "T2009", value: left, value2: right}
	}
	order := order(left, right)
	switch op {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

func (e *evaluation) joined(left, right any) (any, error) {
	out := ""
	for _, v := range []any{left, right} {
		if v == nil {
			continue
		}
		one, err := text(v, "")
		if err != nil {
			return nil, err
		}
		if err := e.holds(len(out) + len(one)); err != nil {
			return nil, err
		}
		out += one
	}
	return out, nil
}

func (e *evaluation) span(left, right any) (any, error) {
	for i, v := range []any{left, right} {
		if n, ok := v.(float64); v != nil && (!ok || n != math.Trunc(n) || math.IsInf(n, 0)) {
			return nil, &Error{Code: []string{"T2003", "T2004"}[i], value: v}
		}
	}
	if left == nil || right == nil {
		return nil, nil
	}
	from, to := left.(float64), right.(float64)
	if from > to {
		return nil, nil
	}
	size := to - from + 1
	if size > 1e7 {
		return nil, &Error{Code: "D2014", value: size}
	}
	if err := e.holds(int(size) * 8); err != nil {
		return nil, err
	}
	out := &array{items: make([]any, int(size)), sequence: true}
	for i := range out.items {
		out.items[i] = from + float64(i)
	}
	return out, nil
}
