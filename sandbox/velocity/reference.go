package velocity

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// reference is $name with what follows it.
type reference struct {
	name  string
	steps []step
}

// step is .name, .name(args…) or [index] of a reference.
type step struct {
	name  string
	call  bool
	args  []expression
	index expression
}

// reference reads a reference; nil = what follows the $ is none.
func (p *parser) reference() (ref *reference, quiet bool, err error) {
	if p.at == len(p.src) || p.src[p.at] != '$' {
		return nil, false, nil
	}
	p.at++
	if p.at < len(p.src) && p.src[p.at] == '!' {
		quiet = true
		p.at++
	}
	braced := p.at < len(p.src) && p.src[p.at] == '{'
	if braced {
		p.at++
	}
	name := p.name()
	if name == "" {
		return nil, false, nil
	}
	ref = &reference{name: name}
	for {
		rest := p.src[p.at:]
		switch {
		case len(rest) > 1 && rest[0] == '.' && (isLetter(rest[1]) || rest[1] == '_'):
			p.at++
			s := step{name: p.name()}
			if strings.HasPrefix(p.src[p.at:], "(") {
				p.at++
				s.call = true
				if s.args, err = p.arguments(); err != nil {
					return nil, false, err
				}
				if err := p.known(ref, s); err != nil {
					return nil, false, err
				}
			}
			ref.steps = append(ref.steps, s)
			continue
		case strings.HasPrefix(rest, "["):
			start := p.at
			p.at++
			index, err := p.expression()
			if err != nil || !p.take("]") {
				p.at = start // it is text: [$a] or $a[…
				break
			}
			ref.steps = append(ref.steps, step{index: index})
			continue
		}
		break
	}
	if braced && !p.take("}") {
		return nil, false, fmt.Errorf("${%s has no }", name)
	}
	return ref, quiet, nil
}

func (p *parser) arguments() (args []expression, err error) {
	if p.take(")") {
		return nil, nil
	}
	for {
		arg, err := p.expression()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if p.take(")") {
			return args, nil
		}
		if err := p.want(","); err != nil {
			return nil, err
		}
	}
}

// known refuses methods that nothing here has.
func (p *parser) known(ref *reference, s step) error {
	if methods, ok := p.hosts[ref.name]; ok && len(ref.steps) == 0 {
		if !slices.Contains(methods, s.name) {
			return fmt.Errorf("$%s.%s() is not evaluated by the local cloud", ref.name, s.name)
		}
		return nil
	}
	if !slices.Contains(allMethods, s.name) {
		return fmt.Errorf("the method .%s() is not evaluated by the local cloud", s.name)
	}
	if pattern, ok := first(s.args).(literal); ok && slices.Contains([]string{"matches", "replaceAll", "replaceFirst", "split"}, s.name) {
		if _, err := regexp.Compile(String(pattern.value)); err != nil {
			return fmt.Errorf(".%s(): the pattern cannot be evaluated by the local cloud: %v", s.name, err)
		}
	}
	return nil
}

func first(args []expression) expression {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

func (ref *reference) eval(r *run) (any, error) {
	v, there := r.vars[ref.name]
	if !there {
		return nil, nil
	}
	for _, s := range ref.steps {
		var err error
		if v, err = s.of(r, v); err != nil || v == nil {
			return nil, err
		}
	}
	return v, nil
}

// of is what a step gives of a value.
func (s step) of(r *run, v any) (any, error) {
	if r.steps++; r.steps > maxSteps {
		return nil, fmt.Errorf("the template does more than %d steps", maxSteps)
	}
	switch {
	case s.index != nil:
		index, err := s.index.eval(r)
		if err != nil {
			return nil, err
		}
		return element(v, index), nil
	case !s.call:
		return fieldOf(v, s.name), nil
	}
	args := make([]any, len(s.args))
	for i, arg := range s.args {
		var err error
		if args[i], err = arg.eval(r); err != nil {
			return nil, err
		}
	}
	if object, ok := v.(Object); ok {
		return object.Call(s.name, args)
	}
	return Method(v, s.name, args)
}

func element(v, index any) any {
	switch v := v.(type) {
	case *List:
		if n, ok := index.(int64); ok && n >= 0 && n < int64(len(v.Items)) {
			return v.Items[n]
		}
	case *Map:
		return v.Get(String(index))
	}
	return nil
}

// fieldOf is .name of a value.
func fieldOf(v any, name string) any {
	switch v := v.(type) {
	case string:
		if name == "empty" {
			return v == ""
		}
	case *Map:
		if value := v.Get(name); value != nil {
			return value
		}
		if name == "empty" {
			return len(v.keys) == 0
		}
	case *List:
		if name == "empty" {
			return len(v.Items) == 0
		}
	case *entry:
		switch name {
		case "key":
			return v.key
		case "value":
			return v.of.Get(v.key)
		}
	case Object:
		return v.Field(name)
	}
	return nil
}

// assign is #set of a reference.
func (ref *reference) assign(r *run, value any) error {
	if len(ref.steps) == 0 {
		r.vars[ref.name] = value
		return nil
	}
	v := r.vars[ref.name]
	last := len(ref.steps) - 1
	for _, s := range ref.steps[:last] {
		var err error
		if v, err = s.of(r, v); err != nil {
			return err
		}
	}
	s := ref.steps[last]
	if s.call {
		return fmt.Errorf("#set: $%s…%s() is no place for a value", ref.name, s.name)
	}
	var key any = s.name
	if s.index != nil {
		var err error
		if key, err = s.index.eval(r); err != nil {
			return err
		}
	}
	switch v := v.(type) {
	case *Map:
		v.Put(String(key), value)
	case *List:
		if n, ok := key.(int64); ok && n >= 0 && n < int64(len(v.Items)) {
			v.Items[n] = value
		}
	}
	return nil
}
