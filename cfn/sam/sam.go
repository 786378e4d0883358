// Package sam knows the Serverless Application Model, AWS's shorthand for
// CloudFormation, as its translator has it: Expand makes plain CloudFormation of
// a SAM template. Architect's plugins and macros change such a template, so View
// shows ours to them as one, and Carry takes what they changed over into ours.
//
// All are functions of values. Templates are trees of what encoding/json makes,
// with json.Number; nothing that is handed in is changed.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
package sam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"arc/cfn/registry"
)

// Transform is what a template says to be a SAM template.
const Transform = "AWS::Serverless-2016-10-31"

// Problem is something in a template that could not be taken over.
type Problem struct {
	Path    string // where in the template: "Resources.GetIndexHTTPLambda.Properties.Events"
	Message string // what is wrong: lower case, no full stop
	Hint    string // what to do about it; may be ""
	// Warning: the template stands without it, as SAM itself would leave it out.
	Warning bool
}

// Error is the problem in one line.
func (p Problem) Error() string {
	text := p.Path + ": " + p.Message
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// object is a template's map.
type object = map[string]any

func sortProblems(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return strings.Compare(a.Path+"\x00"+a.Message, b.Path+"\x00"+b.Message)
	})
	return slices.Compact(list)
}

// decode reads a JSON template.
func decode(body []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var root object
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("the template is no JSON object: %w", err)
	}
	if root == nil {
		return nil, fmt.Errorf("the template is no JSON object: it is null")
	}
	return root, nil
}

// encode prints a template: two-space indent, keys sorted, no HTML escapes,
// final newline.
func encode(root any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(root) // trees of JSON values always encode
	return out.Bytes()
}

func clone(v any) any {
	switch v := v.(type) {
	case object:
		if v == nil {
			return v
		}
		m := make(object, len(v))
		for k, x := range v {
			m[k] = clone(x)
		}
		return m
	case []any:
		if v == nil {
			return v
		}
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = clone(x)
		}
		return list
	}
	return v
}

func cloneObject(m object) object {
	if m == nil {
		return object{}
	}
	return clone(m).(object)
}

// same reports whether two values are equal in JSON.
func same(a, b any) bool { return reflect.DeepEqual(a, b) }

func contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(x any) bool { return same(x, v) })
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func asObject(v any) object { m, _ := v.(object); return m }
func asList(v any) []any    { l, _ := v.([]any); return l }
func asText(v any) string   { s, _ := v.(string); return s }

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// given reports whether a value is there and is not empty, null, false or 0,
// which is how the translator asks for most properties.
func given(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		f, err := v.Float64()
		return err != nil || f != 0
	case object:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return true
}

// set puts what is not null under a key.
func set(m object, key string, v any) {
	if v != nil {
		m[key] = v
	}
}

// pass hands properties on under their own names.
func pass(to, from object, keys ...string) {
	for _, key := range keys {
		set(to, key, from[key])
	}
}

func ref(id string) object               { return object{"Ref": id} }
func getAtt(id, attribute string) object { return object{"Fn::GetAtt": []any{id, attribute}} }
func join(separator string, parts ...any) object {
	return object{"Fn::Join": []any{separator, parts}}
}

func sub(text string, variables object) object {
	if len(variables) > 0 {
		return object{"Fn::Sub": []any{text, variables}}
	}
	return object{"Fn::Sub": text}
}

func conditional(condition, yes any) object {
	return object{"Fn::If": []any{condition, yes, ref("AWS::NoValue")}}
}

// intrinsic reports whether a value is a call of one of CloudFormation's
// functions.
func intrinsic(v any) bool {
	m, ok := v.(object)
	if !ok || len(m) != 1 {
		return false
	}
	for key := range m {
		return key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::")
	}
	return false
}

func noValue(v any) bool { return same(v, ref("AWS::NoValue")) }

// isIf gives the arguments of an Fn::If of three.
func isIf(v any) ([]any, bool) {
	if !intrinsic(v) {
		return nil, false
	}
	args, ok := v.(object)["Fn::If"].([]any)
	return args, ok && len(args) == 3
}

// referred is the logical ID that a Ref or GetAtt names, else "".
func referred(v any) string {
	if !intrinsic(v) {
		return ""
	}
	m := v.(object)
	if id, ok := m["Ref"].(string); ok {
		return id
	}
	switch at := m["Fn::GetAtt"].(type) {
	case []any:
		if len(at) > 0 {
			return asText(at[0])
		}
	case string:
		id, _, _ := strings.Cut(at, ".")
		return id
	}
	return ""
}

// isSAM reports whether a resource is one that only SAM knows.
func isSAM(resource any) bool {
	return strings.HasPrefix(asText(asObject(resource)["Type"]), registry.ServerlessPrefix)
}
