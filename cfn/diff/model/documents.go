package model

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Document is a policy as the object that it is: also one that is written as text,
// in Fn::Sub, Fn::Join or Fn::ToJsonString. What it says of references stays so. A
// text that is no JSON before the deploy is given as it is.
func Document(v any) any {
	text, own, ok := asSub(v)
	if m, isMap := v.(map[string]any); isMap && len(m) == 1 && m["Fn::ToJsonString"] != nil {
		return m["Fn::ToJsonString"]
	}
	if !ok {
		return v
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var document map[string]any
	if dec.Decode(&document) != nil {
		return v
	}
	if _, plain := v.(string); plain {
		return document
	}
	return withReferences(document, own)
}

// asSub is a text with the names of references in it, as Fn::Sub has it.
func asSub(v any) (text string, own map[string]any, ok bool) {
	if text, ok := v.(string); ok {
		return text, nil, true
	}
	m, _ := v.(map[string]any)
	if len(m) != 1 {
		return "", nil, false
	}
	if text, ok := m["Fn::Sub"].(string); ok {
		return text, nil, true
	}
	if l, _ := m["Fn::Sub"].([]any); len(l) == 2 {
		text, okText := l[0].(string)
		own, okOwn := l[1].(map[string]any)
		return text, own, okText && okOwn
	}
	l, _ := m["Fn::Join"].([]any)
	if len(l) != 2 {
		return "", nil, false
	}
	between, okBetween := l[0].(string)
	parts, okParts := l[1].([]any)
	var b strings.Builder
	own = map[string]any{}
	literal := func(s string) { b.WriteString(strings.ReplaceAll(s, "${", "${!")) }
	for i, part := range parts {
		if i > 0 {
			literal(between)
		}
		if s, ok := part.(string); ok {
			literal(s)
			continue
		}
		name := fmt.Sprintf("Part%d", i)
		own[name] = part
		b.WriteString("${" + name + "}")
	}
	return b.String(), own, okBetween && okParts
}

// withReferences makes of each text that names references one of Fn::Sub.
func withReferences(v any, own map[string]any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = withReferences(x, own)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = withReferences(x, own)
		}
		return out
	case string:
		if strings.Contains(v, "${") && len(own) > 0 {
			return map[string]any{"Fn::Sub": []any{v, own}}
		} else if strings.Contains(v, "${") {
			return map[string]any{"Fn::Sub": v}
		}
	}
	return v
}
