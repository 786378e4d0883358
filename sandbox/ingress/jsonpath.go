package ingress

import (
	"fmt"
	"strconv"
	"strings"

	"arc/sandbox/velocity"
)

// selectPath is what a JSONPath finds in a value: $, .name, ['name'], [index], [*]
// and .* of it; nil = nothing. What else the language has is an error.
// https://goessner.net/articles/JsonPath/
func selectPath(value any, path string) (any, error) {
	path = strings.TrimSpace(path)
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		rest = "." + path // API Gateway takes a path without its $, too
	}
	found, several := []any{value}, false
	for rest != "" {
		step, next, err := nextStep(rest)
		if err != nil {
			return nil, fmt.Errorf("JSONPath %s: %w", path, err)
		}
		rest = next
		var all []any
		for _, v := range found {
			all = append(all, children(v, step)...)
		}
		found = all
		several = several || step.name == "*"
	}
	if several {
		return &velocity.List{Items: found}, nil
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// CheckPath says what of a path is not evaluated here; nil = all is.
func CheckPath(path string) error {
	_, err := selectPath(nil, path)
	return err
}

// At is what a path finds in a JSON body, as text: a list is "[one, two]", as AWS writes
// it. It is false where there is nothing, or an object.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
func At(body []byte, path string) (text string, ok bool) {
	value, err := velocity.FromJSON(body)
	if err != nil {
		return "", false
	}
	found, err := selectPath(value, path)
	if err != nil {
		return "", false
	}
	return plainText(found)
}

func plainText(value any) (text string, ok bool) {
	switch v := value.(type) {
	case nil, *velocity.Map:
		return "", false
	case *velocity.List:
		items := make([]string, len(v.Items))
		for i, item := range v.Items {
			if items[i], ok = plainText(item); !ok {
				return "", false
			}
		}
		return "[" + strings.Join(items, ", ") + "]", true
	}
	return velocity.String(value), true
}

// pathStep is a step of a path: a name, "*" for all there is, or the index of a list.
type pathStep struct {
	name  string
	index bool
}

// nextStep is the first step of a path, and what follows it.
func nextStep(rest string) (step pathStep, next string, err error) {
	switch {
	case strings.HasPrefix(rest, ".."):
		return step, "", fmt.Errorf("\"..\" is not evaluated by the local cloud")
	case rest[0] == '.':
		end := strings.IndexAny(rest[1:], ".[")
		switch {
		case end < 0:
			return pathStep{name: rest[1:]}, "", nil
		case end == 0: // $.['name'] is $['name']
			return nextStep(rest[1:])
		}
		return pathStep{name: rest[1 : end+1]}, rest[end+1:], nil
	case rest[0] == '[':
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return step, "", fmt.Errorf("no ] after [")
		}
		inner := strings.TrimSpace(rest[1:end])
		if len(inner) >= 2 && (inner[0] == '\'' || inner[0] == '"') && inner[len(inner)-1] == inner[0] {
			return pathStep{name: inner[1 : len(inner)-1]}, rest[end+1:], nil
		}
		if _, err := strconv.Atoi(inner); err != nil && inner != "*" {
			return step, "", fmt.Errorf("[%s] is not evaluated by the local cloud", inner)
		}
		return pathStep{name: inner, index: inner != "*"}, rest[end+1:], nil
	}
	return step, "", fmt.Errorf("%q is no step", rest)
}

func children(v any, step pathStep) []any {
	switch v := v.(type) {
	case *velocity.Map:
		if step.name == "*" {
			var all []any
			for _, key := range v.Keys() {
				all = append(all, v.Get(key))
			}
			return all
		}
		if found := v.Get(step.name); found != nil && !step.index {
			return []any{found}
		}
	case *velocity.List:
		if step.name == "*" {
			return v.Items
		}
		if n, err := strconv.Atoi(step.name); err == nil && step.index {
			if n < 0 {
				n += len(v.Items)
			}
			if n >= 0 && n < len(v.Items) {
				return []any{v.Items[n]}
			}
		}
	}
	return nil
}
