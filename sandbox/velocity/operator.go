package velocity

import (
	"math"
	"strings"
)

type not struct{ inner expression }

func (n not) eval(r *run) (any, error) {
	v, err := n.inner.eval(r)
	return !truthy(v), err
}

type binary struct {
	operator    string
	left, right expression
}

func (b binary) eval(r *run) (any, error) {
	left, err := b.left.eval(r)
	if err != nil {
		return nil, err
	}
	if b.operator == "&&" && !truthy(left) {
		return false, nil
	}
	if b.operator == "||" && truthy(left) {
		return true, nil
	}
	right, err := b.right.eval(r)
	if err != nil {
		return nil, err
	}
	switch b.operator {
	case "&&", "||":
		return truthy(right), nil
	case "==":
		return equal(left, right), nil
	case "!=":
		return !equal(left, right), nil
	case "+":
		if _, isText := left.(string); isText {
			return String(left) + String(right), nil
		}
		if _, isText := right.(string); isText {
			return String(left) + String(right), nil
		}
	}
	return arithmetic(b.operator, left, right), nil
}

// equal compares values of one kind, and texts of values of different ones.
func equal(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, okX := number(a)
	y, okY := number(b)
	if okX && okY {
		return x == y
	}
	return String(a) == String(b)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// arithmetic is what an operator makes of numbers; nothing of all else.
func arithmetic(operator string, left, right any) any {
	x, okX := number(left)
	y, okY := number(right)
	if !okX || !okY {
		if strings.ContainsAny(operator, "<>") {
			return false
		}
		return nil
	}
	switch operator {
	case "<":
		return x < y
	case ">":
		return x > y
	case "<=":
		return x <= y
	case ">=":
		return x >= y
	}
	a, whole := left.(int64)
	b, wholeB := right.(int64)
	if whole && wholeB {
		switch {
		case operator == "+":
			return a + b
		case operator == "-":
			return a - b
		case operator == "*":
			return a * b
		case b == 0:
			return nil
		case operator == "/":
			return a / b
		}
		return a % b
	}
	switch operator {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	}
	if y == 0 {
		return nil
	}
	if operator == "/" {
		return x / y
	}
	return math.Mod(x, y)
}

// levels are the operators, those that bind least first.
var levels = [][][2]string{
	{{"||", "||"}, {"or", "||"}},
	{{"&&", "&&"}, {"and", "&&"}},
	{{"==", "=="}, {"!=", "!="}, {"eq", "=="}, {"ne", "!="}},
	{{"<=", "<="}, {">=", ">="}, {"<", "<"}, {">", ">"}, {"le", "<="}, {"ge", ">="}, {"lt", "<"}, {"gt", ">"}},
	{{"+", "+"}, {"-", "-"}},
	{{"*", "*"}, {"/", "/"}, {"%", "%"}},
}
