package velocity

import (
	"fmt"
	"strconv"
	"strings"
)

// expression is a part of a template that has a value.
type expression interface{ eval(r *run) (any, error) }

// literal is a value that stands in the template.
type literal struct{ value any }

func (l literal) eval(*run) (any, error) { return l.value, nil }

// quoted is a text in double quotes, in which references are filled in.
type quoted struct{ inner *Template }

func (q quoted) eval(r *run) (any, error) {
	inner := &run{vars: r.vars, loops: r.loops, steps: r.steps, depth: r.depth}
	err := inner.all(q.inner.nodes)
	r.loops, r.steps = inner.loops, inner.steps
	return inner.out.String(), err
}

type listed struct{ items []expression }

func (l listed) eval(r *run) (any, error) {
	out := &List{}
	for _, item := range l.items {
		v, err := item.eval(r)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

type ranged struct{ from, to expression }

func (e ranged) eval(r *run) (any, error) {
	from, err := e.from.eval(r)
	if err != nil {
		return nil, err
	}
	to, err := e.to.eval(r)
	if err != nil {
		return nil, err
	}
	a, okA := from.(int64)
	b, okB := to.(int64)
	if !okA || !okB {
		return nil, nil
	}
	out := &List{}
	step := int64(1)
	if b < a {
		step = -1
	}
	if b-a > maxSteps || a-b > maxSteps {
		return nil, fmt.Errorf("the range is longer than %d", maxSteps)
	}
	for n := a; ; n += step {
		out.Items = append(out.Items, n)
		if n == b {
			return out, nil
		}
	}
}

type mapped struct{ keys, values []expression }

func (m mapped) eval(r *run) (any, error) {
	out := NewMap()
	for i := range m.keys {
		key, err := m.keys[i].eval(r)
		if err != nil {
			return nil, err
		}
		value, err := m.values[i].eval(r)
		if err != nil {
			return nil, err
		}
		out.Put(String(key), value)
	}
	return out, nil
}

func (p *parser) expression() (expression, error) { return p.level(0) }

func (p *parser) level(n int) (expression, error) {
	if n == len(levels) {
		return p.unary()
	}
	left, err := p.level(n + 1)
	for err == nil {
		operator := p.operator(levels[n])
		if operator == "" {
			return left, nil
		}
		var right expression
		right, err = p.level(n + 1)
		left = binary{operator, left, right}
	}
	return nil, err
}

func (p *parser) operator(of [][2]string) string {
	for _, spelled := range of {
		if isLetter(spelled[0][0]) {
			if p.word(spelled[0]) {
				return spelled[1]
			}
		} else if p.take(spelled[0]) {
			return spelled[1]
		}
	}
	return ""
}

func (p *parser) unary() (expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("expressions stand too deep within each other")
	}
	defer func() { p.depth-- }()
	if p.word("not") || p.take("!") {
		inner, err := p.unary()
		return not{inner}, err
	}
	return p.primary()
}

func (p *parser) primary() (expression, error) {
	p.blanks()
	if p.at == len(p.src) {
		return nil, fmt.Errorf("an expression ends where a value is expected")
	}
	switch c := p.src[p.at]; {
	case c == '$':
		ref, _, err := p.reference()
		if err == nil && ref == nil {
			err = fmt.Errorf("$ is to be followed by a name")
		}
		return ref, err
	case c == '(':
		p.at++
		inner, err := p.expression()
		if err == nil {
			err = p.want(")")
		}
		return inner, err
	case c == '\'' || c == '"':
		return p.text(c)
	case c == '[':
		p.at++
		return p.list()
	case c == '{':
		p.at++
		return p.dictionary()
	case c >= '0' && c <= '9' || c == '-' || c == '.':
		return p.number()
	case p.word("true"):
		return literal{true}, nil
	case p.word("false"):
		return literal{false}, nil
	case p.word("null"):
		return literal{nil}, nil
	}
	rest := p.src[p.at:]
	return nil, fmt.Errorf("%q is no expression", rest[:min(len(rest), 20)])
}

// text reads a text in quotes; a quote in it is doubled.
func (p *parser) text(quote byte) (expression, error) {
	var b strings.Builder
	for p.at++; p.at < len(p.src); p.at++ {
		if p.src[p.at] != quote {
			b.WriteByte(p.src[p.at])
			continue
		}
		if p.at+1 < len(p.src) && p.src[p.at+1] == quote {
			b.WriteByte(quote)
			p.at++
			continue
		}
		p.at++
		if quote == '\'' || !strings.ContainsAny(b.String(), "$#") {
			return literal{b.String()}, nil
		}
		inner := &parser{src: b.String(), hosts: p.hosts, depth: p.depth}
		nodes, end, err := inner.block()
		if err == nil && end != "" {
			err = fmt.Errorf("#%s without its #if or #foreach in a text", end)
		}
		return quoted{&Template{nodes}}, err
	}
	return nil, fmt.Errorf("a text has no end: %c is missing", quote)
}

func (p *parser) number() (expression, error) {
	start := p.at
	if p.src[p.at] == '-' {
		p.at++
	}
	digits := func() {
		for p.at < len(p.src) && p.src[p.at] >= '0' && p.src[p.at] <= '9' {
			p.at++
		}
	}
	digits()
	whole := true
	if strings.HasPrefix(p.src[p.at:], ".") && !strings.HasPrefix(p.src[p.at:], "..") {
		whole = false
		p.at++
		digits()
	}
	source := p.src[start:p.at]
	if whole {
		n, err := strconv.ParseInt(source, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", source)
		}
		return literal{n}, nil
	}
	f, err := strconv.ParseFloat(source, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no number", source)
	}
	return literal{f}, nil
}

func (p *parser) list() (expression, error) {
	var items []expression
	if p.take("]") {
		return listed{}, nil
	}
	for {
		item, err := p.expression()
		if err != nil {
			return nil, err
		}
		if len(items) == 0 && p.take("..") {
			to, err := p.expression()
			if err == nil {
				err = p.want("]")
			}
			return ranged{item, to}, err
		}
		items = append(items, item)
		if p.take("]") {
			return listed{items}, nil
		}
		if err := p.want(","); err != nil {
			return nil, err
		}
	}
}

func (p *parser) dictionary() (expression, error) {
	var m mapped
	if p.take("}") {
		return m, nil
	}
	for {
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.want(":"); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		m.keys, m.values = append(m.keys, key), append(m.values, value)
		if p.take("}") {
			return m, nil
		}
		if err := p.want(","); err != nil {
			return nil, err
		}
	}
}
