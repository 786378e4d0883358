// Package velocity renders mapping templates of API Gateway: the part of the
// Velocity Template Language that they are written in. What it cannot evaluate is
// an error of Parse, by name, so that no template is rendered by halves.
// https://velocity.apache.org/engine/1.7/vtl-reference.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html
package velocity

import (
	"errors"
	"fmt"
	"strings"
)

// Template is a template that was read.
type Template struct{ nodes []node }

// Hosts are the objects that templates find there, by name, with the names of the
// methods that may be called of them.
type Hosts map[string][]string

// Object is a value that programs give to templates.
type Object interface {
	// Field is what .name gives; nil = nothing.
	Field(name string) any
	// Call is what .name(args…) gives.
	Call(name string, args []any) (any, error)
}

// Bounds of one rendering.
const (
	// MaxOutput is how much a template may write, in bytes: what an API may answer.
	MaxOutput = 10 << 20
	// maxIterations is API Gateway's quota for the iterations of #foreach.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
	maxIterations = 1000
	maxSteps      = 1 << 20
	maxDepth      = 100
)

// node is a part of a template that writes something.
type node interface{ render(r *run) error }

// run is one rendering.
type run struct {
	out   strings.Builder
	vars  map[string]any
	loops int
	steps int
	depth int // of blocks within each other
}

var (
	errBreak = errors.New("#break")
	errStop  = errors.New("#stop")
)

// Render fills a template. The values are those of the language (nil, string, bool,
// int64, float64, *List, *Map), or Objects; what a template sets is set in vars.
func (t *Template) Render(vars map[string]any) (string, error) {
	r := &run{vars: vars}
	if err := r.all(t.nodes); err != nil && !errors.Is(err, errStop) && !errors.Is(err, errBreak) {
		return "", err
	}
	return r.out.String(), nil
}

func (r *run) all(nodes []node) error {
	for _, n := range nodes {
		if r.steps++; r.steps > maxSteps {
			return fmt.Errorf("the template does more than %d steps", maxSteps)
		}
		if err := n.render(r); err != nil {
			return err
		}
		if r.out.Len() > MaxOutput {
			return fmt.Errorf("the template writes more than %d bytes", MaxOutput)
		}
	}
	return nil
}

// text is written as it is.
type text string

func (t text) render(r *run) error { r.out.WriteString(string(t)); return nil }

// shown is a reference among text: where it has no value, it stays as it is written,
// or nothing of it does after $!.
type shown struct {
	ref    *reference
	quiet  bool
	source string
}

func (s shown) render(r *run) error {
	v, err := s.ref.eval(r)
	b, isBlock := v.(*block)
	switch {
	case err != nil:
		return err
	case isBlock:
		return b.run(r)
	case v != nil:
		r.out.WriteString(String(v))
	case !s.quiet:
		r.out.WriteString(s.source)
	}
	return nil
}

// set is #set. What has no value changes nothing, as Velocity has it by default.
type set struct {
	to   *reference
	from expression
}

func (s set) render(r *run) error {
	v, err := s.from.eval(r)
	if err != nil || v == nil {
		return err
	}
	return s.to.assign(r, v)
}

// branch is one of #if, #elseif, #else; a nil condition holds.
type branch struct {
	condition expression
	body      []node
}

type conditional []branch

func (c conditional) render(r *run) error {
	for _, b := range c {
		if b.condition != nil {
			v, err := b.condition.eval(r)
			if err != nil {
				return err
			}
			if !truthy(v) {
				continue
			}
		}
		return r.all(b.body)
	}
	return nil
}

// define is #define: a part of the template that is rendered where its name stands.
type define struct {
	name string
	body *block
}

func (d define) render(r *run) error { r.vars[d.name] = d.body; return nil }

// block is the body of a #define.
type block struct{ nodes []node }

func (b *block) run(r *run) error {
	if r.depth++; r.depth > maxDepth {
		return fmt.Errorf("what #define defines stands too deep within itself")
	}
	defer func() { r.depth-- }()
	return r.all(b.nodes)
}

// loop is #foreach.
type loop struct {
	name string
	over expression
	body []node
}

func (l loop) render(r *run) error {
	v, err := l.over.eval(r)
	if err != nil {
		return err
	}
	items := elements(v)
	outer, had := r.vars[l.name]
	counter, hadCounter := r.vars["foreach"]
	count, hadCount := r.vars["velocityCount"]
	defer func() {
		restore(r.vars, l.name, outer, had)
		restore(r.vars, "foreach", counter, hadCounter)
		restore(r.vars, "velocityCount", count, hadCount)
	}()
	for i, item := range items {
		if r.loops++; r.loops > maxIterations {
			return fmt.Errorf("#foreach: more than %d iterations in all", maxIterations)
		}
		r.vars[l.name] = item
		r.vars["velocityCount"] = int64(i + 1)
		state := NewMap()
		state.Put("index", int64(i))
		state.Put("count", int64(i+1))
		state.Put("hasNext", i+1 < len(items))
		state.Put("first", i == 0)
		state.Put("last", i+1 == len(items))
		state.Put("parent", counter) // of the loop around it
		r.vars["foreach"] = state
		switch err := r.all(l.body); {
		case errors.Is(err, errBreak):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

func restore(vars map[string]any, name string, value any, had bool) {
	if had {
		vars[name] = value
	} else {
		delete(vars, name)
	}
}

// leave is #break or #stop.
type leave struct{ err error }

func (l leave) render(*run) error { return l.err }
