package asl

import (
	"slices"
	"strconv"
	"strings"
)

// measures are the functions that may end a path.
var measures = []string{"length", "min", "max", "avg", "sum"}

// steps reads what follows the root.
func (p *parser) steps(path *Path) error {
	for {
		var s step
		switch {
		case p.take(".."):
			s.deep = true
			if p.next() == '[' {
				if err := p.bracket(&s); err != nil {
					return err
				}
				break
			}
			if err := p.member(&s); err != nil {
				return err
			}
		case p.next() == '.':
			p.at++
			if err := p.member(&s); err != nil {
				return err
			}
		case p.next() == '[':
			if err := p.bracket(&s); err != nil {
				return err
			}
		default:
			return nil
		}
		path.steps = append(path.steps, s)
		if s.measure != "" {
			return nil
		}
	}
}

// member reads what stands behind a dot.
func (p *parser) member(s *step) error {
	if p.take("*") {
		s.all = true
		return nil
	}
	name := p.name()
	if name == "" {
		return p.fail("a name is missing")
	}
	if slices.Contains(measures, name) && p.take("()") {
		s.measure = name
		return nil
	}
	s.names = []string{name}
	return nil
}

// bracket reads [0], [-1], [1:3], [0,2], ['name'], [*] and [?(…)].
func (p *parser) bracket(s *step) error {
	p.at++
	p.blanks()
	switch {
	case p.take("*"):
		s.all = true
	case p.take("?"):
		p.blanks()
		if !p.take("(") {
			return p.fail("a filter stands in parentheses")
		}
		f, err := p.or()
		if err != nil {
			return err
		}
		if p.blanks(); !p.take(")") {
			return p.fail("a filter is not closed")
		}
		s.filter = f
	case p.next() == '\'' || p.next() == '"':
		for {
			name, err := p.quoted()
			if err != nil {
				return err
			}
			s.names = append(s.names, name)
			if p.blanks(); !p.take(",") {
				break
			}
			p.blanks()
		}
	default:
		if err := p.indexes(s); err != nil {
			return err
		}
	}
	if p.blanks(); !p.take("]") {
		return p.fail("] is missing")
	}
	return nil
}

func (p *parser) indexes(s *step) error {
	var bounds [3]*int
	part, colons := 0, false
	for {
		p.blanks()
		from := p.at
		p.take("-")
		for p.next() >= '0' && p.next() <= '9' {
			p.at++
		}
		if text := p.text[from:p.at]; text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return p.fail("%q is no index", text)
			}
			bounds[part] = &n
		}
		p.blanks()
		switch {
		case p.next() == ':' && part < 2 && len(s.indexes) == 0:
			p.at++
			colons = true
			part++
			continue
		case colons:
			s.slice = &bounds
			return nil
		case bounds[0] == nil:
			return p.fail("an index is missing")
		}
		s.indexes = append(s.indexes, *bounds[0])
		bounds[0] = nil
		if !p.take(",") {
			return nil
		}
	}
}

// quoted reads a text in single or double quotes; a backslash takes the next
// character as it is.
func (p *parser) quoted() (string, error) {
	quote := p.next()
	if quote != '\'' && quote != '"' {
		return "", p.fail("a text in quotes is missing")
	}
	p.at++
	var out strings.Builder
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == quote:
			return out.String(), nil
		case c == '\\' && p.at < len(p.text):
			c = p.text[p.at]
			p.at++
		}
		out.WriteByte(c)
	}
	return "", p.fail("a text is not closed")
}
