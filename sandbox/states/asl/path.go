package asl

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Path names parts of a value. The zero root "" is the state's input ($), "$" the
// context object ($$), any other the variable of that name.
// https://states-language.net/spec.html#path
type Path struct {
	text  string
	root  string
	steps []step
}

// step goes from a value to some of what it holds.
type step struct {
	names   []string // of members
	indexes []int    // of elements; those below 0 count from the end
	slice   *[3]*int // from, to and step, as in Python
	all     bool     // *
	deep    bool     // .. : of the value and of all that it holds
	filter  *filter
	measure string // length(), min() …, the last step
}

// Scope is what paths and expressions look at.
type Scope struct {
	Input, Context any // of paths
	Variables      map[string]any
	States         map[string]any // of expressions: what $states is
	Now            time.Time      // of expressions
}

// ParsePath reads a path such as $.lines[0].sku or $$.Execution.Id.
func ParsePath(text string) (*Path, error) {
	p := &parser{text: text}
	path, err := p.path()
	if err == nil && p.at < len(text) {
		err = p.fail("ends with what is no path")
	}
	if err != nil {
		return nil, err
	}
	return path, nil
}

// String is the path as it was written.
func (p *Path) String() string { return p.text }

// Variable is the name of the variable that it begins with; "" = none.
func (p *Path) Variable() string {
	if p.root == "$" {
		return ""
	}
	return p.root
}

// definite says that it names one value at most.
func (p *Path) definite() bool {
	for _, s := range p.steps {
		if s.all || s.deep || s.filter != nil || s.slice != nil || len(s.names)+len(s.indexes) > 1 {
			return false
		}
	}
	return true
}

// reference says that it may stand in ResultPath: it names one place of the input.
// https://states-language.net/spec.html#ref-paths
func (p *Path) reference() bool {
	for _, s := range p.steps {
		if s.measure != "" {
			return false
		}
	}
	return p.definite()
}

// Get is the value that a path names; ok is false when there is none. A path that
// may name several gives a list, which may be empty.
func (p *Path) Get(s Scope) (value any, ok bool) {
	at := s.Input
	switch p.root {
	case "":
	case "$":
		at = s.Context
	default:
		if at, ok = s.Variables[p.root]; !ok {
			return nil, false
		}
	}
	return p.from(at, at)
}

// Take is Get of InputPath, OutputPath and other fields that must name something.
func (p *Path) Take(s Scope) (any, *Failure) {
	if value, ok := p.Get(s); ok {
		return value, nil
	}
	if p.Variable() != "" {
		return nil, missing(p, p.text, s)
	}
	// Jayway's words: of a member that is not there, and of one of such a member.
	for i := range p.steps {
		front := &Path{root: p.root, steps: p.steps[:i+1]}
		if _, ok := front.Get(s); ok {
			continue
		}
		if i < len(p.steps)-1 {
			return nil, failed(ErrRuntime, "Invalid path '%s' : Missing property in path %s", p, front.canonical())
		}
	}
	return nil, failed(ErrRuntime, "Invalid path '%s' : No results for path: %s", p, p.canonical())
}

// canonical is a definite path in brackets: $['a'][0].
func (p *Path) canonical() string {
	out := "$"
	for _, s := range p.steps {
		for _, name := range s.names {
			out += "['" + name + "']"
		}
		for _, i := range s.indexes {
			out += "[" + strconv.Itoa(i) + "]"
		}
	}
	return out
}

// from follows the steps from a value; root is what $ is in filters.
func (p *Path) from(at, root any) (any, bool) {
	found := []any{at}
	definite := p.definite()
	for _, s := range p.steps {
		if s.measure != "" {
			value := any(found)
			if definite {
				if len(found) == 0 {
					return nil, false
				}
				value = found[0]
			}
			return measured(s.measure, value)
		}
		var next []any
		for _, v := range found {
			if s.deep {
				below(v, func(v any) { next = s.from(v, root, next) })
			} else {
				next = s.from(v, root, next)
			}
		}
		found = next
	}
	if !definite {
		if found == nil {
			found = []any{}
		}
		return found, true
	}
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

// from adds what the step finds in a value.
func (s step) from(v, root any, to []any) []any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range s.names {
			if member, ok := v[name]; ok {
				to = append(to, member)
			}
		}
		if s.all || s.filter != nil {
			for _, name := range sorted(v) {
				if s.all || s.filter.holds(v[name], root) {
					to = append(to, v[name])
				}
			}
		}
	case []any:
		for _, i := range s.indexes {
			if i < 0 {
				i += len(v)
			}
			if i >= 0 && i < len(v) {
				to = append(to, v[i])
			}
		}
		if s.slice != nil {
			for _, i := range sliced(*s.slice, len(v)) {
				to = append(to, v[i])
			}
		}
		for _, element := range v {
			if s.all || s.filter != nil && s.filter.holds(element, root) {
				to = append(to, element)
			}
		}
	}
	return to
}

// sliced are the indexes of from:to:step.
func sliced(bounds [3]*int, n int) (list []int) {
	bound := func(i *int, otherwise int) int {
		if i == nil {
			return otherwise
		}
		if *i < 0 {
			return max(*i+n, 0)
		}
		return min(*i, n)
	}
	by := 1
	if bounds[2] != nil {
		by = max(*bounds[2], 1)
	}
	for i, to := bound(bounds[0], 0), bound(bounds[1], n); i < to; i += by {
		list = append(list, i)
	}
	return list
}

// below calls with a value and all that it holds.
func below(v any, call func(any)) {
	call(v)
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sorted(v) {
			below(v[name], call)
		}
	case []any:
		for _, element := range v {
			below(element, call)
		}
	}
}

// measured is what a function at the end of a path gives.
func measured(name string, v any) (any, bool) {
	list, isList := v.([]any)
	if name == "length" {
		switch v := v.(type) {
		case map[string]any:
			return number(len(v)), true
		case string:
			return number(len([]rune(v))), true
		}
		return number(len(list)), isList
	}
	var sum, least, most float64
	for i, element := range list {
		n, ok := element.(json.Number)
		f, err := n.Float64()
		if !ok || err != nil {
			return nil, false
		}
		if sum += f; i == 0 || f < least {
			least = f
		}
		if i == 0 || f > most {
			most = f
		}
	}
	if len(list) == 0 {
		return nil, false
	}
	value := map[string]float64{"min": least, "max": most, "sum": sum, "avg": sum / float64(len(list))}[name]
	return json.Number(strconv.FormatFloat(value, 'f', -1, 64)), true
}

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// Put is a copy of a value with another at the place that the path names, which is
// made where it is missing.
// https://states-language.net/spec.html#resultpath
func (p *Path) Put(into, value any) (any, *Failure) {
	if len(p.steps) == 0 {
		return value, nil
	}
	out := copied(into)
	if out == nil {
		out = map[string]any{}
	}
	done, ok := put(out, p.steps, value)
	if !ok {
		return nil, failed(ErrResultPath, "Unable to apply ReferencePath %s to input %s", p.text, Encode(into))
	}
	return done, nil
}

func put(at any, steps []step, value any) (any, bool) {
	if len(steps) == 0 {
		return value, true
	}
	s := steps[0]
	if len(s.names) == 1 {
		object, ok := at.(map[string]any)
		if at == nil {
			object, ok = map[string]any{}, true
		}
		if !ok {
			return nil, false
		}
		inner, ok := put(object[s.names[0]], steps[1:], value)
		object[s.names[0]] = inner
		return object, ok
	}
	list, ok := at.([]any)
	if !ok || len(s.indexes) != 1 || s.indexes[0] < 0 || s.indexes[0] >= len(list) {
		return nil, false
	}
	inner, ok := put(list[s.indexes[0]], steps[1:], value)
	list[s.indexes[0]] = inner
	return list, ok
}

// parser reads paths and intrinsic functions.
type parser struct {
	text  string
	at    int
	depth int
}

// maxDepth bounds how deep functions and filters may be nested.
const maxDepth = 64

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%s: at character %d: %s", p.text, p.at+1, fmt.Sprintf(format, args...))
}

func (p *parser) next() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) take(s string) bool {
	if strings.HasPrefix(p.text[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

func (p *parser) blanks() {
	for p.next() == ' ' || p.next() == '\t' || p.next() == '\n' || p.next() == '\r' {
		p.at++
	}
}

// path reads a path from $ on.
func (p *parser) path() (*Path, error) {
	from := p.at
	if !p.take("$") {
		return nil, p.fail("a path begins with $")
	}
	path := &Path{}
	if p.take("$") {
		path.root = "$"
	} else if name := p.name(); name != "" {
		path.root = name
	}
	if err := p.steps(path); err != nil {
		return nil, err
	}
	path.text = p.text[from:p.at]
	return path, nil
}

// name reads a name as it may stand behind a dot; "" = there is none.
func (p *parser) name() string {
	from := p.at
	for _, r := range p.text[from:] {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' {
			break
		}
		p.at += len(string(r))
	}
	return p.text[from:p.at]
}
