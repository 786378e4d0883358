package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// transformer makes a target's input of an event.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
type transformer struct {
	InputPathsMap map[string]string
	InputTemplate string `cfn:"required"`
}

// input is what a target is given of an event.
func (t *target) input(r *rule, event []byte) ([]byte, error) {
	switch {
	case t.Input != "":
		return []byte(t.Input), nil
	case t.InputPath != "":
		value, _, err := find(event, t.InputPath)
		if err != nil {
			return nil, fmt.Errorf("InputPath: %w", err)
		}
		return json.Marshal(value)
	case t.InputTransformer != nil:
		return t.InputTransformer.apply(r, event)
	}
	return event, nil
}

// find follows a path such as $.detail.lines[0].sku.
func find(event []byte, path string) (value any, there bool, err error) {
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, false, err
	}
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, false, fmt.Errorf("%q is no path such as $.detail", path)
	}
	for rest != "" {
		switch {
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			object, _ := value.(map[string]any)
			value, there = object[rest[1:1+end]]
			rest = rest[1+end:]
		case rest[0] == '[':
			text, after, ok := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(text)
			if !ok || err != nil {
				return nil, false, fmt.Errorf("%q is no path such as $.detail.lines[0]", path)
			}
			list, _ := value.([]any)
			value, there = nil, n >= 0 && n < len(list)
			if there {
				value = list[n]
			}
			rest = after
		default:
			return nil, false, fmt.Errorf("%q is no path such as $.detail", path)
		}
		if !there {
			return nil, false, nil
		}
	}
	return value, true, nil
}

var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<[A-Za-z0-9_.-]+>`) })

// apply fills in the template: inside of quotes a value's text, else its JSON.
func (t *transformer) apply(r *rule, event []byte) ([]byte, error) {
	values := map[string]any{}
	for name, path := range t.InputPathsMap {
		value, there, err := find(event, path)
		if err != nil {
			return nil, fmt.Errorf("InputPathsMap.%s: %w", name, err)
		}
		if !there {
			value = ""
		}
		values[name] = value
	}
	var whole any
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		return nil, err
	}
	values["aws.events.rule-arn"], values["aws.events.rule-name"] = r.arn, r.Name
	values["aws.events.event.json"], values["aws.events.event"] = whole, whole
	if object, ok := whole.(map[string]any); ok {
		values["aws.events.event.ingestion-time"] = object["time"]
	}
	out, quoted := strings.Builder{}, false
	for at := 0; at < len(t.InputTemplate); {
		rest := t.InputTemplate[at:]
		if name := placeholder().FindString(rest); name != "" && strings.HasPrefix(rest, name) {
			value, known := values[name[1:len(name)-1]]
			if known {
				out.WriteString(spell(value, quoted))
				at += len(name)
				continue
			}
		}
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			out.WriteString(rest[:2])
			at += 2
			continue
		case rest[0] == '"':
			quoted = !quoted
		}
		out.WriteByte(rest[0])
		at++
	}
	text := out.String()
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("InputTransformer: the input is not JSON: %s", text)
	}
	return []byte(text), nil
}

// spell is a value as JSON, or as the inside of a JSON string.
func spell(value any, quoted bool) string {
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	if !quoted {
		return string(data)
	}
	if text, ok := value.(string); ok {
		inner, _ := json.Marshal(text)
		return string(inner[1 : len(inner)-1])
	}
	inner, _ := json.Marshal(string(data))
	return string(inner[1 : len(inner)-1])
}
