package values

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// PlainText is a string of a template with its references written in: ${A.Arn}.
func PlainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any:
		if name, ok := v["Ref"].(string); ok {
			return "${" + name + "}"
		}
		if text, ok := ExactText(v); ok {
			return text
		}
		if sub := List(v["Fn::Sub"]); len(sub) == 2 {
			return PlainText(sub[0])
		}
		if arg, ok := v["Fn::GetAtt"].([]any); ok && len(arg) == 2 {
			return "${" + PlainText(arg[0]) + "." + PlainText(arg[1]) + "}"
		}
		if arg, ok := v["Fn::Join"].([]any); ok && len(arg) == 2 {
			var parts []string
			for _, part := range List(arg[1]) {
				parts = append(parts, PlainText(part))
			}
			return strings.Join(parts, PlainText(arg[0]))
		}
	}
	if s, ok := Spelled(v); ok {
		return s
	}
	return Brief(v)
}

// Brief is a value on one line.
func Brief(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := []rune(strings.TrimSpace(b.String()))
	if len(text) > 60 {
		return string(text[:59]) + "…"
	}
	return string(text)
}
