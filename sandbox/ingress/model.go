package ingress

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Model is what bodies are checked with, a JSON schema of draft 4.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
type Model struct {
	Schema any
	// Definitions are where "#/definitions/NAME" leads, of a document that has them.
	Definitions map[string]any
	// Other gives the schema of another model of the API by its name.
	Other func(name string) (any, bool)
}

// ReadSchema reads a schema, which templates write as an object or as its JSON, and
// refuses what no checking is done for here.
func ReadSchema(value any) (any, error) {
	if text, ok := value.(string); ok {
		if strings.TrimSpace(text) == "" {
			return map[string]any{}, nil
		}
		var parsed any
		if err := json.Unmarshal([]byte(text), &parsed); err != nil {
			return nil, fmt.Errorf("is no JSON: %w", err)
		}
		value = parsed
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(data, &plain); err != nil {
		return nil, err
	}
	return plain, checkSchema(plain, 0)
}

// checkSchema refuses keywords that are not checked here, by name.
func checkSchema(value any, depth int) error {
	if depth > 50 {
		return errors.New("is nested too deeply")
	}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			switch name {
			case "patternProperties", "dependencies":
				if _, isObject := v[name].(map[string]any); isObject {
					return fmt.Errorf("%s is not checked by the local cloud", name)
				}
			case "pattern":
				if text, ok := v[name].(string); ok {
					if _, err := regexp.Compile(text); err != nil {
						return fmt.Errorf("pattern %s cannot be evaluated by the local cloud: %w", text, err)
					}
				}
			}
			if err := checkSchema(v[name], depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range v {
			if err := checkSchema(item, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// Check says what is wrong with a body, "" if nothing is.
func (m Model) Check(body []byte) string {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		if len(body) == 0 {
			value = nil
		} else {
			return "it is no JSON"
		}
	}
	s := &schemas{m, 0}
	return s.check(m.Schema, value, "body")
}

// schemas is one check of a body.
type schemas struct {
	model Model
	depth int
}

// resolve follows a $ref: into the schema itself, or to another model,
// https://apigateway.amazonaws.com/restapis/ID/models/NAME.
func (s *schemas) resolve(ref string) (any, bool) {
	if rest, ok := strings.CutPrefix(ref, "#"); ok {
		at := s.model.Schema
		rest = strings.TrimPrefix(rest, "/")
		for name := range strings.SplitSeq(rest, "/") {
			if name == "" {
				continue
			}
			object, _ := at.(map[string]any)
			next, there := object[name]
			if !there {
				_, short, _ := strings.Cut(rest, "/")
				short = short[strings.LastIndex(short, "/")+1:]
				found, ok := s.model.Definitions[short]
				return found, ok
			}
			at = next
		}
		return at, true
	}
	name := ref[strings.LastIndex(ref, "/")+1:]
	if s.model.Other == nil {
		return nil, false
	}
	return s.model.Other(name)
}

func (s *schemas) check(schema, value any, at string) string {
	if s.depth++; s.depth > 1000 {
		return at + ": is nested too deeply"
	}
	object, ok := schema.(map[string]any)
	if !ok {
		return ""
	}
	if ref, ok := object["$ref"].(string); ok {
		to, found := s.resolve(ref)
		if !found {
			return at + ": the model's $ref " + ref + " leads nowhere"
		}
		return s.check(to, value, at)
	}
	if want, given := object["type"]; given && !isType(want, value) {
		return fmt.Sprintf("%s: must be %v", at, want)
	}
	if list, ok := object["enum"].([]any); ok && !slices.ContainsFunc(list, func(v any) bool { return sameJSON(v, value) }) {
		return fmt.Sprintf("%s: must be one of %v", at, list)
	}
	for _, part := range []func(map[string]any, any, string) string{s.combined, s.object, s.array, checkText, checkNumber} {
		if found := part(object, value, at); found != "" {
			return found
		}
	}
	return ""
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func isType(want, value any) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(w any) bool { return isType(w, value) })
	}
	switch value := value.(type) {
	case nil:
		return want == "null"
	case bool:
		return want == "boolean"
	case string:
		return want == "string"
	case float64:
		return want == "number" || want == "integer" && value == math.Trunc(value)
	case []any:
		return want == "array"
	}
	return want == "object"
}

// combined checks allOf, anyOf, oneOf and not.
func (s *schemas) combined(schema map[string]any, value any, at string) string {
	fits := func(name string) (n, of int, first string) {
		list, _ := schema[name].([]any)
		for _, one := range list {
			if found := s.check(one, value, at); found == "" {
				n++
			} else if first == "" {
				first = found
			}
		}
		return n, len(list), first
	}
	if n, of, first := fits("allOf"); n < of {
		return first
	}
	if n, of, first := fits("anyOf"); of > 0 && n == 0 {
		return first
	}
	if n, of, _ := fits("oneOf"); of > 0 && n != 1 {
		return fmt.Sprintf("%s: fits %d of oneOf, not one", at, n)
	}
	if no, given := schema["not"]; given && s.check(no, value, at) == "" {
		return at + ": fits what it must not"
	}
	return ""
}

func (s *schemas) object(schema map[string]any, value any, at string) string {
	v, ok := value.(map[string]any)
	if !ok {
		return ""
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if text, _ := name.(string); text != "" {
			if _, there := v[text]; !there {
				return at + ": " + text + " is missing"
			}
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if inner, known := properties[name]; known {
			if found := s.check(inner, v[name], at+"."+name); found != "" {
				return found
			}
			continue
		}
		if others, given := schema["additionalProperties"]; given {
			if others == false {
				return at + ": " + name + " is not allowed"
			}
			if found := s.check(others, v[name], at+"."+name); found != "" {
				return found
			}
		}
	}
	return between(schema, "minProperties", "maxProperties", float64(len(v)), at+": number of properties")
}

func (s *schemas) array(schema map[string]any, value any, at string) string {
	v, ok := value.([]any)
	if !ok {
		return ""
	}
	for i, item := range v {
		inner := schema["items"]
		if list, ok := inner.([]any); ok {
			if i >= len(list) {
				if schema["additionalItems"] == false {
					return at + ": has too many elements"
				}
				inner = schema["additionalItems"]
			} else {
				inner = list[i]
			}
		}
		if found := s.check(inner, item, fmt.Sprintf("%s[%d]", at, i)); found != "" {
			return found
		}
		if schema["uniqueItems"] == true && slices.ContainsFunc(v[:i], func(other any) bool { return sameJSON(other, item) }) {
			return at + ": has an element twice"
		}
	}
	return between(schema, "minItems", "maxItems", float64(len(v)), at+": number of elements")
}

func checkText(schema map[string]any, value any, at string) string {
	v, ok := value.(string)
	if !ok {
		return ""
	}
	if pattern, ok := schema["pattern"].(string); ok {
		if matched, err := regexp.MatchString(pattern, v); err != nil || !matched {
			return at + ": does not fit " + pattern
		}
	}
	return between(schema, "minLength", "maxLength", float64(utf8.RuneCountInString(v)), at+": length")
}

func checkNumber(schema map[string]any, value any, at string) string {
	v, ok := value.(float64)
	if !ok {
		return ""
	}
	if step, ok := schema["multipleOf"].(float64); ok && step > 0 && math.Abs(math.Remainder(v, step)) > 1e-9 {
		return fmt.Sprintf("%s: is no multiple of %v", at, step)
	}
	for name, edge := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if limit, ok := schema[edge].(float64); ok && schema[name] == true && v == limit {
			return fmt.Sprintf("%s: is %v itself", at, limit)
		}
	}
	return between(schema, "minimum", "maximum", v, at)
}

func between(schema map[string]any, low, high string, v float64, what string) string {
	if limit, ok := schema[low].(float64); ok && v < limit {
		return fmt.Sprintf("%s is less than %v", what, limit)
	}
	if limit, ok := schema[high].(float64); ok && v > limit {
		return fmt.Sprintf("%s is more than %v", what, limit)
	}
	return ""
}
