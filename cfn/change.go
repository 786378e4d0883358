package cfn

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// Written is a resource as somebody else has written it: what a plugin adds, or
// has changed in one of ours.
type Written struct {
	Type string
	Body map[string]any // of encoding/json, as UseNumber reads it
}

// AWSCloudFormationType is the resource's type.
func (w Written) AWSCloudFormationType() string { return w.Type }

// MarshalJSON writes it as it was read.
func (w Written) MarshalJSON() ([]byte, error) { return compactJSON(w.Body) }

// compactJSON is JSON as the printer reads it: encoding/json's, without the
// escapes for HTML, which it would print as they are.
func compactJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// Changed is what became of a whole template, and who did it.
type Changed struct {
	Template []byte
	// Origin is where the manifest names whoever brought a resource that is new.
	Origin func(logicalID string) syntax.Pos
}

// sections of a template that the compiler writes none of.
var foreignSections = []string{"Mappings", "Conditions", "Rules"}

// change hands the whole template to whatever changes it, and takes what it
// has become.
func (c *compiler) change() {
	if c.opts.Change == nil || c.ds.HasErrors() {
		return
	}
	before, err := c.t.JSON()
	if err != nil {
		return // whoever prints it tells
	}
	changed, ds := c.opts.Change(before, c.stack.Functions)
	c.ds = append(c.ds, ds...)
	if ds.HasErrors() || bytes.Equal(before, changed.Template) {
		return
	}
	was, err := readTree(before)
	if err == nil {
		var is map[string]any
		if is, err = readTree(changed.Template); err == nil {
			c.take(was, is, changed.Origin)
		}
	}
	if err != nil {
		c.errorf(c.app.Pos, "plugin-template", "leave it a JSON object", "what plugins made of the template cannot be read: %v", err)
	}
}

func readTree(src []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	var tree map[string]any
	return tree, dec.Decode(&tree)
}

// take replaces what differs. Resources that are as they were stay ours.
func (c *compiler) take(was, is map[string]any, origin func(string) syntax.Pos) {
	section := func(tree map[string]any, name string) map[string]any {
		m, _ := tree[name].(map[string]any)
		return m
	}
	before, after := section(was, "Resources"), section(is, "Resources")
	for _, id := range slices.Sorted(maps.Keys(c.t.Resources)) {
		if _, stays := after[id]; !stays {
			delete(c.t.Resources, id)
			c.stack.Functions = slices.DeleteFunc(c.stack.Functions, func(f Function) bool { return f.LogicalID == id })
		}
	}
	for _, id := range slices.Sorted(maps.Keys(after)) {
		if reflect.DeepEqual(before[id], after[id]) {
			continue
		}
		body, _ := after[id].(map[string]any)
		typ, _ := body["Type"].(string)
		if typ == "" {
			c.errorf(origin(id), "plugin-template", "give it a Type", "plugins made %s a resource without a type", id)
			continue
		}
		if before[id] == nil {
			c.stack.Origins[id] = origin(id)
		}
		if strings.HasPrefix(id, "Fn::") {
			continue
		}
		normalize(body)
		if onlyInRoot(body) {
			delete(c.places, id)
		}
		c.t.Resources[id] = Written{Type: typ, Body: body}
	}
	c.takeParameters(section(was, "Parameters"), section(is, "Parameters"))
	c.takeOutputs(section(was, "Outputs"), section(is, "Outputs"))
	c.t.Foreign = map[string]map[string]any{}
	for _, name := range foreignSections {
		if m := section(is, name); len(m) > 0 {
			c.t.Foreign[name] = m
		}
	}
}

func (c *compiler) takeParameters(before, after map[string]any) {
	for name := range c.t.Parameters {
		if _, stays := after[name]; !stays {
			delete(c.t.Parameters, name)
		}
	}
	for name, v := range after {
		if !reflect.DeepEqual(before[name], v) {
			m, _ := v.(map[string]any)
			noEcho, _ := m["NoEcho"].(bool)
			typ, _ := m["Type"].(string)
			c.t.Parameters[name] = Parameter{Type: typ, NoEcho: noEcho, written: v}
		}
	}
}

func (c *compiler) takeOutputs(before, after map[string]any) {
	for name := range c.t.Outputs {
		if _, stays := after[name]; !stays {
			delete(c.t.Outputs, name)
		}
	}
	for name, v := range after {
		if !reflect.DeepEqual(before[name], v) {
			normalize(v)
			c.t.Outputs[name] = Output{written: v}
		}
	}
}

// MarshalJSON writes the parameter, or what somebody else has written of it.
func (p Parameter) MarshalJSON() ([]byte, error) {
	if p.written != nil {
		return compactJSON(p.written)
	}
	type plain Parameter
	return json.Marshal(plain(p))
}

// MarshalJSON writes the output, or what somebody else has written of it.
func (o Output) MarshalJSON() ([]byte, error) {
	if o.written != nil {
		return compactJSON(o.written)
	}
	type plain Output
	return json.Marshal(plain(o))
}

// normalize spells references as the printer knows them: an attribute and
// dependencies as lists.
func normalize(v any) {
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["Fn::GetAtt"].(string); ok && len(v) == 1 {
			if name, attribute, found := strings.Cut(text, "."); found {
				v["Fn::GetAtt"] = []any{name, attribute}
			}
		}
		if name, ok := v["DependsOn"].(string); ok && v["Type"] != nil {
			v["DependsOn"] = []any{name}
		}
		for _, inner := range v {
			normalize(inner)
		}
	case []any:
		for _, inner := range v {
			normalize(inner)
		}
	}
}

// onlyInRoot reports whether a resource needs what nested stacks are not given:
// conditions and mappings.
func onlyInRoot(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if key == "Fn::FindInMap" || key == "Fn::If" || key == "Condition" && v["Type"] != nil || onlyInRoot(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, onlyInRoot)
	}
	return false
}
