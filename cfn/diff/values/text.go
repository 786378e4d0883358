package values

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
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

// BriefBoth is two values on a line each. Where both would be cut to the same, the
// part that differs is shown.
func BriefBoth(a, b any) (string, string) {
	first, second := Brief(a), Brief(b)
	if first != second {
		return first, second
	}
	x, y := []rune(Conceal(onLine(a))), []rune(Conceal(onLine(b)))
	at := 0
	for at < min(len(x), len(y)) && x[at] == y[at] {
		at++
	}
	return window(x, at), window(y, at)
}

// shown is how much of a value Brief shows.
const shown = 60

// window is the part of a text around one of its letters.
func window(text []rune, at int) string {
	front := max(at-shown/3, 0)
	out := text[min(front, len(text)):]
	if len(out) >= shown {
		out = append(slices.Clone(out[:shown-2]), '…')
	}
	if front > 0 {
		return "…" + string(out)
	}
	return string(out)
}

// Brief is a value on one line.
func Brief(v any) string {
	text := []rune(onLine(v))
	if len(text) > shown {
		return string(text[:shown-1]) + "…"
	}
	return string(text)
}

// onLine is a value as JSON.
func onLine(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}
