package cfn

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxRepeats bounds what loops within loops may make of a template; its limit is
// 500 resources.
const maxRepeats = 20_000

// ExtendLanguage makes of a template what the transform AWS::LanguageExtensions
// makes of it: Fn::ForEach is what it repeats, and DeletionPolicy and
// UpdateReplacePolicy are text. Its other functions (Fn::Length,
// Fn::ToJsonString, defaults of Fn::FindInMap) are evaluated with the rest, by
// Eval. root is a whole template, as Document.Written has it, and is not changed;
// ref gives the values of parameters and pseudo parameters. Errors name the path.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html
func ExtendLanguage(root map[string]any, ref func(name string) (any, error)) (map[string]any, error) {
	mappings, _ := root["Mappings"].(map[string]any)
	x := &extender{scope: Scope{Ref: ref, Mappings: mappings}}
	out := maps.Clone(root)
	for _, section := range []string{"Conditions", "Resources", "Outputs"} {
		if root[section] == nil {
			continue
		}
		made, err := x.loops(root[section], section)
		if err != nil {
			return nil, err
		}
		out[section] = made
	}
	resources, _ := out["Resources"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		resource, _ := resources[id].(map[string]any)
		for _, name := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if _, computed := resource[name].(map[string]any); !computed {
				continue
			}
			path := "Resources." + id + "." + name
			value, err := Eval(resource[name], x.scope)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if _, text := value.(string); !text {
				return nil, fmt.Errorf("%s: must come out as text", path)
			}
			resource[name] = value
		}
	}
	return out, nil
}

// extender expands loops.
type extender struct {
	scope Scope
	made  int
}

// loop begins the names of Fn::ForEach's entries.
const loop = "Fn::ForEach::"

// loops copies v with every loop in it replaced by what it repeats.
func (x *extender) loops(v any, path string) (any, error) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, el := range v {
			made, err := x.loops(el, fmt.Sprintf("%s.%d", path, i))
			if err != nil {
				return nil, err
			}
			out[i] = made
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		put := func(key string, value any) error {
			if _, twice := out[key]; twice {
				return fmt.Errorf("%s: %s is made twice", path, key)
			}
			out[key] = value
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			inner := join(path, key)
			if !strings.HasPrefix(key, loop) {
				made, err := x.loops(v[key], inner)
				if err == nil {
					err = put(key, made)
				}
				if err != nil {
					return nil, err
				}
				continue
			}
			made, err := x.repeat(v[key], inner)
			if err != nil {
				return nil, err
			}
			for _, name := range slices.Sorted(maps.Keys(made)) {
				if err := put(name, made[name]); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	return v, nil
}

// repeat is what one loop makes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
func (x *extender) repeat(arg any, path string) (map[string]any, error) {
	parts, _ := arg.([]any)
	wrong := fmt.Errorf("%s: needs [identifier, collection, {key: value}]", path)
	if len(parts) != 3 {
		return nil, wrong
	}
	identifier, isText := parts[0].(string)
	body, isMap := parts[2].(map[string]any)
	if !isText || !isMap || identifier == "" {
		return nil, wrong
	}
	items, err := x.collection(parts[1], path)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, item := range items {
		if x.made++; x.made > maxRepeats {
			return nil, fmt.Errorf("%s: the loops of the template repeat more than %d times", path, maxRepeats)
		}
		filled, _ := fillIn(body, identifier, item).(map[string]any)
		made, err := x.loops(filled, path)
		if err != nil {
			return nil, err
		}
		entries, _ := made.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			if _, twice := out[key]; twice {
				return nil, fmt.Errorf("%s: %s is made twice: the key must hold ${%s} or &{%s}", path, key, identifier, identifier)
			}
			out[key] = entries[key]
		}
	}
	return out, nil
}

// collection is what a loop goes through: a list, or what Ref and other functions
// make one of.
func (x *extender) collection(v any, path string) ([]string, error) {
	value, err := Eval(v, x.scope)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: the collection must be a list", path)
	}
	var out []string
	add := func(v any) error {
		text, ok := scalarText(v)
		if !ok {
			return fmt.Errorf("%s: the collection must be a list of texts", path)
		}
		out = append(out, text)
		return nil
	}
	for _, el := range list {
		inner, nested := el.([]any) // a list parameter in a list
		if !nested {
			inner = []any{el}
		}
		for _, one := range inner {
			if err := add(one); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// fillIn copies v with an item in the place of ${Identifier} and Ref, and with
// its letters and digits alone in the place of &{Identifier}.
func fillIn(v any, identifier, item string) any {
	text := func(s string) string {
		s = strings.ReplaceAll(s, "${"+identifier+"}", item)
		return strings.ReplaceAll(s, "&{"+identifier+"}", letters(item))
	}
	switch v := v.(type) {
	case string:
		return text(v)
	case []any:
		out := make([]any, len(v))
		for i, el := range v {
			out[i] = fillIn(el, identifier, item)
		}
		return out
	case map[string]any:
		if name, _ := v["Ref"].(string); len(v) == 1 && name == identifier {
			return item
		}
		out := make(map[string]any, len(v))
		for key, el := range v {
			out[text(key)] = fillIn(el, identifier, item)
		}
		return out
	}
	return v
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// Included are the places of AWS::Include in a template, and what is there: put
// replaces a place by what the file at a location holds. Fn::Transform in an
// object adds the file's entries to it; the one of the whole template, to its
// sections. v is not changed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
func Included(v any, ref func(name string) (any, error), fetch func(location string) (any, error)) (any, error) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, el := range v {
			made, err := Included(el, ref, fetch)
			if err != nil {
				return nil, err
			}
			out[i] = made
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, el := range v {
			if key == "Fn::Transform" && isInclude(el) {
				continue
			}
			made, err := Included(el, ref, fetch)
			if err != nil {
				return nil, err
			}
			out[key] = made
		}
		if !isInclude(v["Fn::Transform"]) {
			return out, nil
		}
		file, err := include(v["Fn::Transform"], ref, fetch)
		if err != nil {
			return nil, err
		}
		if len(out) == 0 {
			return file, nil
		}
		return merged(out, file)
	}
	return v, nil
}

// include is the file that an AWS::Include names.
func include(v any, ref func(name string) (any, error), fetch func(location string) (any, error)) (any, error) {
	call, _ := v.(map[string]any)
	parameters, _ := call["Parameters"].(map[string]any)
	value, err := Eval(parameters["Location"], Scope{Ref: ref})
	if err != nil {
		return nil, fmt.Errorf("AWS::Include: Location: %w", err)
	}
	location, ok := value.(string)
	if !ok || location == "" {
		return nil, fmt.Errorf("AWS::Include: Location must be the address of a file in S3")
	}
	file, err := fetch(location)
	if err != nil {
		return nil, fmt.Errorf("AWS::Include: %s: %w", location, err)
	}
	return file, nil
}

func isInclude(v any) bool {
	call, _ := v.(map[string]any)
	return call["Name"] == "AWS::Include"
}

// merged adds a file's entries to an object; sections that both have are joined.
func merged(into map[string]any, file any) (any, error) {
	entries, ok := file.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("AWS::Include: the file must hold an object here")
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		inner, both := into[key].(map[string]any)
		if more, isMap := entries[key].(map[string]any); both && isMap {
			joined := maps.Clone(inner)
			maps.Copy(joined, more)
			into[key] = joined
			continue
		}
		into[key] = entries[key]
	}
	return into, nil
}

// Transforms lists what the section Transform of a template asks for, in order:
// the name of each, and the parameters of one that has some.
func Transforms(root map[string]any) (calls []map[string]any) {
	list, isList := root["Transform"].([]any)
	if !isList && root["Transform"] != nil {
		list = []any{root["Transform"]}
	}
	for _, v := range list {
		if name, ok := v.(string); ok {
			v = map[string]any{"Name": name}
		}
		if call, ok := v.(map[string]any); ok {
			calls = append(calls, call)
		}
	}
	return calls
}

// Tree reads a template, or a part of one, as plain values.
func Tree(data []byte) (any, error) {
	tree, _, err := parseTree(data)
	return tree, err
}

// FromTree is the Document of a template that is a tree of plain values.
func FromTree(root map[string]any) (*Document, error) { return newDocument(root) }

// Printed prints a tree of plain values as a template.
func Printed(root map[string]any) ([]byte, error) { return json.MarshalIndent(root, "", "  ") }
