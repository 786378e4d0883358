package asl

import (
	"encoding/json"
	"strings"
)

// expression is a path, or a call of an intrinsic function.
type expression struct {
	text    string
	path    *Path
	literal any
	name    string // of the function: "States.Format"; "" = none
	args    []expression
}

// parseExpression reads what stands in a field whose name ends in .$
// https://states-language.net/spec.html#intrinsic-functions
func parseExpression(text string) (expression, error) {
	p := &parser{text: text}
	var e expression
	var err error
	if p.next() == '$' {
		e.path, err = p.path()
	} else {
		e, err = p.call()
	}
	if err == nil && p.at < len(text) {
		err = p.fail("there is more than a path or a function")
	}
	e.text = text
	return e, err
}

func (p *parser) call() (expression, error) {
	if p.depth++; p.depth > maxDepth {
		return expression{}, p.fail("is nested too deep")
	}
	defer func() { p.depth-- }()
	if !p.take("States.") {
		return expression{}, p.fail("neither a path ($…) nor a function (States.…)")
	}
	e := expression{name: "States." + p.name()}
	f, known := functions[e.name]
	if !known {
		return e, p.fail("there is no function %s", e.name)
	}
	if p.blanks(); !p.take("(") {
		return e, p.fail("( is missing")
	}
	for {
		if p.blanks(); p.take(")") {
			break
		}
		if len(e.args) > 0 && !p.take(",") {
			return e, p.fail(", or ) is missing")
		}
		p.blanks()
		arg, err := p.argument()
		if err != nil {
			return e, err
		}
		e.args = append(e.args, arg)
	}
	if n := len(e.args); n < f.least || f.most >= 0 && n > f.most {
		return e, p.fail("%s is not called with %d arguments", e.name, n)
	}
	return e, nil
}

func (p *parser) argument() (expression, error) {
	switch c := p.next(); {
	case c == '$':
		path, err := p.path()
		return expression{path: path}, err
	case c == 'S':
		return p.call()
	case c == '\'':
		text, err := p.verbatim()
		return expression{literal: text}, err
	}
	from := p.at
	for c := p.next(); c != 0 && !strings.ContainsRune(",) \t\r\n", rune(c)); c = p.next() {
		p.at++
	}
	value, err := Decode([]byte(p.text[from:p.at]))
	if _, isText := value.(string); err != nil || isText {
		p.at = from
		return expression{}, p.fail("an argument is a path, a text in single quotes, a number, true, false, null or a function")
	}
	return expression{literal: value}, nil
}

// verbatim reads a text in single quotes; what a backslash escapes stays escaped,
// which States.Format goes by.
func (p *parser) verbatim() (string, error) {
	p.at++
	from := p.at
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case '\\':
			p.at++
		case '\'':
			p.at++
			return p.text[from : p.at-1], nil
		}
		p.at++
	}
	return "", p.fail("a text is not closed")
}

// unescaped takes the backslashes out of a text that verbatim gave.
func unescaped(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// eval is the value of an expression; field is where it stands, for the failure.
func (e expression) eval(field string, s Scope, by Chance) (any, *Failure) {
	if e.path != nil {
		value, ok := e.path.Get(s)
		if !ok {
			return nil, missing(e.path, field, s)
		}
		return value, nil
	}
	return e.call(field, s, by)
}

func (e expression) call(field string, s Scope, by Chance) (any, *Failure) {
	args := make([]any, len(e.args))
	for i, arg := range e.args {
		switch {
		case arg.path != nil || arg.name != "":
			value, f := arg.eval(field, s, by)
			if f != nil {
				return nil, f
			}
			args[i] = value
		default:
			args[i] = arg.literal
			if text, ok := arg.literal.(string); ok && (e.name != "States.Format" || i > 0) {
				args[i] = unescaped(text)
			}
		}
	}
	value, err := functions[e.name].run(args, by)
	if err != nil {
		return nil, failed(ErrIntrinsic, "The function '%s' had the following error: %v", e.source(), err)
	}
	return value, nil
}

// source is the call as it was written.
func (e expression) source() string {
	if e.text != "" {
		return e.text
	}
	return e.name + "(…)"
}

// missing is the failure of a path that names nothing.
func missing(p *Path, field string, s Scope) *Failure {
	in := s.Input
	if p.root == "$" {
		in = s.Context
	} else if p.root != "" {
		if _, ok := s.Variables[p.root]; !ok {
			return failed(ErrRuntime, "The variable '$%s' specified for the field '%s' is not defined", p.root, field)
		}
		in = s.Variables[p.root]
	}
	return failed(ErrRuntime, "The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'", p, field, Encode(in))
}

// variables adds the names of the variables that an expression reads.
func (e expression) variables(to map[string]bool) {
	if e.path != nil && e.path.Variable() != "" {
		to[e.path.Variable()] = true
	}
	for _, arg := range e.args {
		arg.variables(to)
	}
}

// Chance is what the functions that give something else each time go by.
type Chance interface {
	// UUID is a new one of version 4.
	UUID() string
	// Random is a whole number from least on and below most.
	Random(least, most int64) int64
}

// text is a value as States.Format writes it: containers as Java does.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = text(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, name := range sorted(v) {
			parts = append(parts, name+"="+text(v[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return Encode(v)
}
