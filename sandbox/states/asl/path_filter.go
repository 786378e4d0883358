package asl

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// filter is what stands in [?(…)].
type filter struct {
	op          string // "||", "&&", "!", a comparison, or "" = left is there
	inner       []*filter
	left, right operand
}

// operand is a path, from the element (@) or from the input ($), or a value.
type operand struct {
	path    *Path
	rooted  bool // it begins with $
	value   any
	pattern *regexp.Regexp
}

func (o operand) get(element, root any) (any, bool) {
	switch {
	case o.path == nil:
		return o.value, true
	case o.rooted:
		return o.path.from(root, root)
	}
	return o.path.from(element, root)
}

// holds decides about an element.
func (f *filter) holds(element, root any) bool {
	switch f.op {
	case "||":
		return slices.ContainsFunc(f.inner, func(i *filter) bool { return i.holds(element, root) })
	case "&&":
		return !slices.ContainsFunc(f.inner, func(i *filter) bool { return !i.holds(element, root) })
	case "!":
		return !f.inner[0].holds(element, root)
	}
	left, there := f.left.get(element, root)
	if f.op == "" {
		return there
	}
	if f.op == "=~" {
		text, ok := left.(string)
		return ok && f.right.pattern.MatchString(text)
	}
	right, also := f.right.get(element, root)
	if !there || !also {
		return f.op == "!=" && there != also
	}
	switch f.op {
	case "==":
		return Equal(left, right)
	case "!=":
		return !Equal(left, right)
	case "in", "nin":
		list, ok := right.([]any)
		in := slices.ContainsFunc(list, func(v any) bool { return Equal(v, left) })
		return ok && in == (f.op == "in")
	}
	order, ok := compared(left, right)
	if !ok {
		return false
	}
	switch f.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// compared is the order of two numbers, or of two texts.
func compared(a, b any) (order int, ok bool) {
	switch a := a.(type) {
	case json.Number:
		if b, ok := b.(json.Number); ok {
			return compareNumbers(a, b), true
		}
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), true
		}
	}
	return 0, false
}

func (p *parser) or() (*filter, error)  { return p.joined("||", p.and) }
func (p *parser) and() (*filter, error) { return p.joined("&&", p.not) }

func (p *parser) joined(op string, read func() (*filter, error)) (*filter, error) {
	f, err := read()
	if err != nil {
		return nil, err
	}
	all := []*filter{f}
	for {
		if p.blanks(); !p.take(op) {
			break
		}
		next, err := read()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	if len(all) == 1 {
		return f, nil
	}
	return &filter{op: op, inner: all}, nil
}

func (p *parser) not() (*filter, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("is nested too deep")
	}
	defer func() { p.depth-- }()
	p.blanks()
	if p.next() == '!' && !strings.HasPrefix(p.text[p.at:], "!=") {
		p.at++
		f, err := p.not()
		if err != nil {
			return nil, err
		}
		return &filter{op: "!", inner: []*filter{f}}, nil
	}
	if p.take("(") {
		f, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.blanks(); !p.take(")") {
			return nil, p.fail(") is missing")
		}
		return f, nil
	}
	return p.comparison()
}

// comparisons are the operators, those that begin like others first.
var comparisons = []string{"==", "!=", "<=", ">=", "=~", "<", ">", "nin ", "in "}

func (p *parser) comparison() (*filter, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.blanks()
	for _, op := range comparisons {
		if !p.take(op) {
			continue
		}
		op = strings.TrimSpace(op)
		p.blanks()
		var right operand
		if op == "=~" {
			right, err = p.pattern()
		} else {
			right, err = p.operand()
		}
		if err != nil {
			return nil, err
		}
		return &filter{op: op, left: left, right: right}, nil
	}
	if left.path == nil {
		return nil, p.fail("a comparison is missing")
	}
	return &filter{left: left}, nil
}

// pattern reads /…/ or /…/i.
func (p *parser) pattern() (operand, error) {
	if !p.take("/") {
		return operand{}, p.fail("a pattern between slashes is missing")
	}
	from := p.at
	for p.next() != '/' {
		if p.next() == 0 {
			return operand{}, p.fail("a pattern is not closed")
		}
		if p.next() == '\\' {
			p.at++
		}
		p.at++
	}
	text := p.text[from:min(p.at, len(p.text))]
	p.at++
	if p.take("i") {
		text = "(?i)" + text
	}
	re, err := regexp.Compile("^(?:" + text + ")$")
	if err != nil {
		return operand{}, p.fail("%v", err)
	}
	return operand{pattern: re}, nil
}

func (p *parser) operand() (operand, error) {
	switch c := p.next(); {
	case c == '@' || c == '$':
		p.at++
		path := &Path{}
		if err := p.steps(path); err != nil {
			return operand{}, err
		}
		return operand{path: path, rooted: c == '$'}, nil
	case c == '\'' || c == '"':
		text, err := p.quoted()
		return operand{value: text}, err
	case c == '[':
		p.at++
		list := []any{}
		for {
			if p.blanks(); p.take("]") {
				return operand{value: list}, nil
			}
			item, err := p.operand()
			if err != nil {
				return operand{}, err
			}
			list = append(list, item.value)
			p.blanks()
			p.take(",")
		}
	}
	from := p.at
	for c := p.next(); c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E'; c = p.next() {
		p.at++
	}
	value, err := Decode([]byte(p.text[from:p.at]))
	if err != nil {
		return operand{}, p.fail("a value is missing")
	}
	return operand{value: value}, nil
}

// sorted are the names of an object's members.
func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
