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
		name, next, err := pathStep(rest)
		if err != nil {
			return nil, fmt.Errorf("JSONPath %s: %w", path, err)
		}
		rest = next
		var all []any
		for _, v := range found {
			all = append(all, children(v, name)...)
		}
		found = all
		several = several || name == "*"
	}
	if several {
		return &velocity.List{Items: found}, nil
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// pathStep is the first step of a path, "*" for all there is, and what follows it.
func pathStep(rest string) (name, next string, err error) {
	switch {
	case strings.HasPrefix(rest, ".."):
		return "", "", fmt.Errorf("\"..\" is not evaluated by the local cloud")
	case rest[0] == '.':
		end := strings.IndexAny(rest[1:], ".[")
		switch {
		case end < 0:
			return rest[1:], "", nil
		case end == 0: // $.['name'] is $['name']
			return pathStep(rest[1:])
		}
		return rest[1 : end+1], rest[end+1:], nil
	case rest[0] == '[':
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return "", "", fmt.Errorf("no ] after [")
		}
		inner := strings.TrimSpace(rest[1:end])
		if len(inner) >= 2 && (inner[0] == '\'' || inner[0] == '"') && inner[len(inner)-1] == inner[0] {
			return inner[1 : len(inner)-1], rest[end+1:], nil
		}
		if _, err := strconv.Atoi(inner); err != nil && inner != "*" {
			return "", "", fmt.Errorf("[%s] is not evaluated by the local cloud", inner)
		}
		return inner, rest[end+1:], nil
	}
	return "", "", fmt.Errorf("%q is no step", rest)
}

func children(v any, name string) []any {
	switch v := v.(type) {
	case *velocity.Map:
		if name == "*" {
			var all []any
			for _, key := range v.Keys() {
				all = append(all, v.Get(key))
			}
			return all
		}
		if found := v.Get(name); found != nil {
			return []any{found}
		}
	case *velocity.List:
		if name == "*" {
			return v.Items
		}
		if n, err := strconv.Atoi(name); err == nil {
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
