package model

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
)

// maxAsked is how many conditions of one resource are tried in every way; of one that
// asks more, all that hold and all that do not.
const maxAsked = 4

// Outcome is an app as it is when conditions of its template come out in one way, with
// the defaults of its parameters.
type Outcome struct {
	*App
	// When says for each resource how the conditions that it asks come out: "P holds";
	// "" of one that asks none.
	When map[string]string
}

// Outcomes are the ways in which what a template says of its resources can come out:
// each resource is tried with each outcome of the conditions in its properties. Of a
// template without any there is one.
func (m *App) Outcomes() []Outcome {
	asked := map[string][]string{}
	most := 1
	for id, def := range m.Doc.Resources {
		names := conditionsOf(any(def.Properties), nil)
		slices.Sort(names)
		asked[id] = slices.Compact(names)
		most = max(most, ways(len(asked[id])))
	}
	var all []Outcome
	for i := range most {
		doc, when := *m.Doc, map[string]string{}
		doc.Resources = make(map[string]cfn.ResourceDef, len(m.Doc.Resources))
		for id, def := range m.Doc.Resources {
			holds, text := outcome(asked[id], i%ways(len(asked[id])))
			when[id] = text
			if p, ok := m.chosen(any(def.Properties), holds).(map[string]any); ok {
				def.Properties = p
			}
			doc.Resources[id] = def
		}
		all = append(all, Outcome{New(&doc), when})
	}
	return all
}

// Both gives the properties of a resource of two templates in each outcome of the
// conditions that they ask on either side.
func Both(before, after *App, id string) [][2]map[string]any {
	was, is := any(before.Doc.Resources[id].Properties), any(after.Doc.Resources[id].Properties)
	names := conditionsOf(is, conditionsOf(was, nil))
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return [][2]map[string]any{{before.Doc.Resources[id].Properties, after.Doc.Resources[id].Properties}}
	}
	var all [][2]map[string]any
	for i := range ways(len(names)) {
		holds, _ := outcome(names, i)
		b, _ := before.chosen(was, holds).(map[string]any)
		a, _ := after.chosen(is, holds).(map[string]any)
		all = append(all, [2]map[string]any{b, a})
	}
	return all
}

func ways(conditions int) int {
	if conditions > maxAsked {
		return 2
	}
	return 1 << conditions
}

// outcome is the i-th way in which conditions come out.
func outcome(names []string, i int) (holds map[string]bool, text string) {
	holds = make(map[string]bool, len(names))
	var parts []string
	for at, name := range names {
		holds[name] = i>>at&1 == 0
		if len(names) > maxAsked {
			holds[name] = i == 0
		}
		parts = append(parts, name+" "+strconv.FormatBool(holds[name]))
	}
	return holds, strings.Join(parts, ", ")
}

// conditionsOf adds the conditions that the Fn::If of a value ask.
func conditionsOf(v any, names []string) []string {
	switch v := v.(type) {
	case map[string]any:
		if arg := values.List(v["Fn::If"]); len(v) == 1 && len(arg) == 3 {
			if name, ok := arg[0].(string); ok {
				names = append(names, name)
			}
		}
		for _, el := range v {
			names = conditionsOf(el, names)
		}
	case []any:
		for _, el := range v {
			names = conditionsOf(el, names)
		}
	}
	return names
}

// chosen is a value with the branches that conditions choose, and the defaults of
// parameters in the place of references to them.
func (m *App) chosen(v any, holds map[string]bool) any {
	switch v := v.(type) {
	case map[string]any:
		if arg := values.List(v["Fn::If"]); len(v) == 1 && len(arg) == 3 {
			name, _ := arg[0].(string)
			if holds[name] {
				return m.chosen(arg[1], holds)
			}
			return m.chosen(arg[2], holds)
		}
		if name, ok := v["Ref"].(string); ok && len(v) == 1 {
			p := m.Doc.Parameters[name]
			if text, ok := values.Spelled(p.Default); ok && text != "" && !p.NoEcho && !strings.HasPrefix(p.Type, "AWS::SSM::") && !strings.Contains(p.Type, "List") {
				return text
			}
			return v
		}
		out := maps.Clone(v)
		for key, el := range v {
			if out[key] = m.chosen(el, holds); isNoValue(out[key]) {
				delete(out, key)
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, el := range v {
			to := m.chosen(el, holds)
			if list, ok := to.([]any); ok && !isList(el) { // a list for an element
				out = append(out, list...)
			} else if !isNoValue(to) {
				out = append(out, to)
			}
		}
		return out
	}
	return v
}

func isList(v any) bool {
	_, is := v.([]any)
	return is
}

func isNoValue(v any) bool {
	m, _ := v.(map[string]any)
	return len(m) == 1 && m["Ref"] == "AWS::NoValue"
}
