package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Problem is what AWS refuses of a definition.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html
type Problem struct {
	Code     string // "SCHEMA_VALIDATION_FAILED"
	Message  string
	Location string // "/States/Wait/Next"; "" = the whole
}

// String is the problem as CreateStateMachine tells it.
func (p Problem) String() string {
	at := p.Location
	if at == "" {
		at = "null"
	}
	return p.Code + ": " + p.Message + " at " + at
}

// codes of problems
const (
	codeJSON   = "INVALID_JSON_DESCRIPTION"
	codeSchema = "SCHEMA_VALIDATION_FAILED"
	codeTarget = "MISSING_TRANSITION_TARGET"
	codeEnd    = "MISSING_END_STATE"
)

// reader reads a definition and keeps its mistakes.
type reader struct {
	problems   []Problem
	depth      int
	jsonataAll bool // JSONata is the language of the whole machine
	jsonataIn  bool // it is that of the state that is read
}

func (r *reader) wrong(at, format string, args ...any) {
	r.problems = append(r.problems, Problem{codeSchema, fmt.Sprintf(format, args...), at})
}

// Parse reads a definition. express is what EXPRESS machines may not have. Where
// there are problems there is no machine.
func Parse(definition []byte, express bool) (*Machine, []Problem) {
	if len(strings.TrimSpace(string(definition))) == 0 {
		return nil, []Problem{{codeSchema, "Definition must be a valid JSON object", ""}}
	}
	v, err := Decode(definition)
	if err != nil {
		return nil, []Problem{{codeJSON, err.Error(), ""}}
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, []Problem{{codeSchema, "Definition must be a valid JSON object", ""}}
	}
	r := &reader{}
	r.jsonataAll = r.language(top, "", false)
	m := r.machine(top, "", true)
	if len(r.problems) == 0 {
		r.check(m, "")
	}
	if len(r.problems) == 0 && express {
		r.express(m, "")
	}
	if len(r.problems) == 0 {
		m.Each("", func(s *State, at string) {
			if s.Distributed && s.Express {
				r.express(s.Branches[0], at+"/ItemProcessor")
			}
		})
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return m, nil
}

// ParseState reads a state alone, or the one of a name in a definition, wherever it
// stands: it is the only one of the machine, and what it leads to need not be there. The
// name is "" where there is no such state.
// https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
func ParseState(definition []byte, name string) (m *Machine, found string, problems []Problem) {
	v, err := Decode(definition)
	if err != nil {
		return nil, "", []Problem{{codeJSON, err.Error(), ""}}
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, "", []Problem{{codeSchema, "Definition must be a valid JSON object", ""}}
	}
	r := &reader{}
	if _, whole := top["States"]; !whole {
		state := r.state("StateName", top, "/States/StateName")
		return &Machine{StartAt: "StateName", States: map[string]*State{"StateName": state}}, "StateName", r.problems
	}
	r.jsonataAll = r.language(top, "", false)
	m = r.machine(top, "", true)
	if len(r.problems) > 0 {
		return nil, "", r.problems
	}
	var inner *State
	m.Each("", func(s *State, _ string) {
		if s.Name == name {
			inner = s
		}
	})
	if inner == nil {
		return nil, "", nil
	}
	return &Machine{StartAt: name, States: map[string]*State{name: inner}}, name, nil
}

// required tells of fields that are not there, in AWS's order.
func (r *reader) required(m map[string]any, at string, names ...string) bool {
	names = slices.DeleteFunc(names, func(name string) bool { return m[name] != nil })
	if len(names) > 0 {
		if at == "" {
			at = "/"
		}
		r.wrong(at, "These fields are required: [%s]", strings.Join(names, ", "))
	}
	return len(names) == 0
}

func (r *reader) machine(m map[string]any, at string, top bool) *Machine {
	out := &Machine{States: map[string]*State{}}
	if r.depth++; r.depth > maxDepth {
		r.wrong(at, "is nested too deep")
		return out
	}
	defer func() { r.depth-- }()
	for _, key := range sorted(m) {
		switch key {
		case "Comment", "StartAt", "States":
		case "QueryLanguage":
			if !top {
				r.wrong(at, "Field 'QueryLanguage' is not supported")
			}
		case "Version", "TimeoutSeconds":
			if top {
				break
			}
			fallthrough
		case "ProcessorConfig":
			if !top && key == "ProcessorConfig" {
				break
			}
			fallthrough
		default:
			r.wrong(at+"/", "Field '%s' is not supported", key)
		}
	}
	if !r.required(m, at, "States", "StartAt") {
		return out
	}
	out.StartAt = r.text(m["StartAt"], at+"/StartAt")
	if v := m["TimeoutSeconds"]; v != nil {
		out.TimeoutSeconds = r.whole(v, at+"/TimeoutSeconds", 1)
	}
	if v := m["Version"]; v != nil && v != "1.0" {
		r.wrong(at+"/Version", "The field 'Version' should have one of these values: [1.0]")
	}
	states, ok := m["States"].(map[string]any)
	if !ok {
		r.wrong(at+"/States", "Expected value of type Object")
		return out
	}
	if len(states) == 0 {
		r.wrong(at+"/States", "Value cannot be empty")
	}
	for _, name := range sorted(states) {
		where := at + "/States/" + name
		state, ok := states[name].(map[string]any)
		if !ok {
			r.wrong(where, "Expected value of type Object")
			continue
		}
		if n := len([]rune(name)); n > 80 {
			r.wrong(where, "State name must be at most 80 characters long")
		}
		out.States[name] = r.state(name, state, where)
	}
	return out
}

// Unsupported is the code of what AWS takes and the local cloud does not.
const Unsupported = "NOT_EMULATED"

func (r *reader) text(v any, at string) string {
	s, ok := v.(string)
	if !ok {
		r.wrong(at, "Expected value of type String")
	}
	return s
}

func (r *reader) truth(v any, at string) bool {
	b, ok := v.(bool)
	if !ok {
		r.wrong(at, "Expected value of type Boolean")
	}
	return b
}

// maxSeconds is the most that fields of seconds hold.
const maxSeconds = 99999999

func (r *reader) whole(v any, at string, least int) int {
	n, ok := Whole(v)
	if !ok {
		r.wrong(at, "Expected value of type Integer")
	} else if n < least || n > maxSeconds {
		r.wrong(at, "Value is not valid: it must be %d to %d", least, maxSeconds)
	}
	return n
}

func (r *reader) float(v any, at string, least float64) float64 {
	n, ok := v.(json.Number)
	f, err := n.Float64()
	if !ok || err != nil {
		r.wrong(at, "Expected value of type Number")
	} else if f < least {
		r.wrong(at, "Value is not valid: it must be at least %v", least)
	}
	return f
}

func (r *reader) path(v any, at string) *Path {
	text, ok := v.(string)
	if !ok {
		r.wrong(at, "Value is not a valid JSONPath")
		return nil
	}
	p, err := ParsePath(text)
	if err != nil {
		r.wrong(at, "Value is not a valid JSONPath")
		return nil
	}
	return p
}

// optional reads a path that may be null.
func (r *reader) optional(v any, at string) *Path {
	if v == nil {
		return nil
	}
	return r.path(v, at)
}

func (r *reader) reference(v any, at string) *Path {
	p := r.optional(v, at)
	if p != nil && (!p.reference() || p.root != "") {
		r.wrong(at, "Value is not a Reference Path")
	}
	return p
}

func (r *reader) template(v any, at string) *Template {
	return parseTemplate(v, at, r.wrong)
}

// assign reads the variables that a state sets.
// https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
func (r *reader) assign(v any, at string) *Template {
	m, ok := v.(map[string]any)
	if !ok {
		r.wrong(at, "Expected value of type Object")
		return nil
	}
	for _, key := range sorted(m) {
		r.variable(strings.TrimSuffix(key, ".$"), at)
	}
	return r.template(v, at)
}

// variable looks at the name of one.
func (r *reader) variable(name, at string) {
	p := &parser{text: name}
	if p.name() != name || name == "" || name == "states" {
		r.wrong(at, "Variable name '%s' is not valid", name)
	}
}

// expression reads a text that may be a path or a function, as ErrorPath is.
func (r *reader) expression(v any, at string) *Expression {
	e, err := parseExpression(r.text(v, at))
	if err != nil {
		r.wrong(at, "Value is not a valid JSONPath or intrinsic function")
		return nil
	}
	return &Expression{e}
}
