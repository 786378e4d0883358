package sam

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// known gives a value with what parameters are known to be in place of their
// references: a default, for no others are known here. All else stays.
func (x *expander) known(v any) any {
	switch v := v.(type) {
	case object:
		if len(v) == 1 {
			if name, ok := v["Ref"].(string); ok {
				if value, ok := x.values[name]; ok {
					return value
				}
				return v
			}
			if text, ok := v["Fn::Sub"]; ok {
				v = object{"Fn::Sub": x.knownSub(text)}
			}
		}
		m := make(object, len(v))
		for key, e := range v {
			m[key] = x.known(e)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = x.known(e)
		}
		return list
	}
	return v
}

func (x *expander) knownSub(v any) any {
	replace := func(text string) string {
		return variable().ReplaceAllStringFunc(text, func(call string) string {
			switch value := x.values[call[2:len(call)-1]].(type) {
			case string:
				return value
			case json.Number:
				return value.String()
			}
			return call
		})
	}
	switch v := v.(type) {
	case string:
		return replace(v)
	case []any:
		if len(v) > 0 {
			if text, ok := v[0].(string); ok {
				return append([]any{replace(text)}, v[1:]...)
			}
		}
	}
	return v
}

// knownText is a value that is text once parameters are known.
func (x *expander) knownText(v any) (string, bool) {
	s, ok := x.known(v).(string)
	return s, ok
}

// mapped looks a value up in the template's Mappings, if it is a call for that.
func (x *expander) mapped(v any) any {
	m, ok := v.(object)
	if !ok || len(m) != 1 {
		return v
	}
	keys := asList(m["Fn::FindInMap"])
	if len(keys) != 3 {
		return v
	}
	var at any = asObject(x.template["Mappings"])
	for _, key := range keys {
		next, found := asObject(at)[asText(x.known(key))]
		if !found {
			return v
		}
		at = next
	}
	return at
}

// variable matches the ${…} of Fn::Sub that SAM looks into.
var variable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\$\{([A-Za-z0-9.]+|AWS::[A-Z][A-Za-z]*)\}`)
})

// resolveReferences rewrites references to what SAM made: Ref of Fn.Alias, GetAtt
// of Api.Stage, and the same in Fn::Sub; and to resources under another ID.
func (x *expander) resolveReferences(v any) any {
	if len(x.references)+len(x.renamed) == 0 {
		return v
	}
	switch v := v.(type) {
	case object:
		if len(v) == 1 {
			if name, ok := v["Ref"].(string); ok {
				return ref(x.resolved(name))
			}
			switch at := v["Fn::GetAtt"].(type) {
			case []any:
				return object{"Fn::GetAtt": x.resolvedAttribute(at)}
			}
			if text, ok := v["Fn::Sub"]; ok {
				v = object{"Fn::Sub": x.resolvedSub(text)}
			}
		}
		for key, e := range v {
			v[key] = x.resolveReferences(e)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = x.resolveReferences(e)
		}
	}
	return v
}

// resolved gives the name that stands for one such as "Fn", "Fn.Arn" or
// "Fn.Alias.Arn".
func (x *expander) resolved(name string) string {
	parts := strings.Split(name, ".")
	if len(parts) > 1 {
		if made, ok := x.references[parts[0]][parts[1]]; ok {
			return strings.Join(append([]string{made}, parts[2:]...), ".")
		}
	}
	if to, ok := x.renamed[parts[0]]; ok {
		return strings.Join(append([]string{to}, parts[1:]...), ".")
	}
	return name
}

func (x *expander) resolvedAttribute(at []any) []any {
	texts := make([]string, len(at))
	for i, e := range at {
		text, ok := e.(string)
		if !ok {
			return at
		}
		texts[i] = text
	}
	name := strings.Join(texts, ".")
	to := x.resolved(name)
	if to == name {
		return at
	}
	id, attribute, _ := strings.Cut(to, ".")
	list := []any{id}
	for _, part := range strings.Split(attribute, ".") {
		if part != "" {
			list = append(list, part)
		}
	}
	return list
}

func (x *expander) resolvedSub(v any) any {
	replace := func(text string, shadowed object) string {
		return variable().ReplaceAllStringFunc(text, func(call string) string {
			name := call[2 : len(call)-1]
			if _, ok := shadowed[name]; ok {
				return call
			}
			return "${" + x.resolved(name) + "}"
		})
	}
	switch v := v.(type) {
	case string:
		return replace(v, nil)
	case []any:
		if len(v) > 0 {
			if text, ok := v[0].(string); ok {
				var variables object
				if len(v) > 1 {
					variables = asObject(v[1])
				}
				return append([]any{replace(text, variables)}, v[1:]...)
			}
		}
	}
	return v
}

// addDependency adds a logical ID to a resource's DependsOn.
func addDependency(r object, id string) {
	var list []any
	switch on := r["DependsOn"].(type) {
	case string:
		list = []any{on}
	case []any:
		list = slices.Clone(on)
	}
	if !contains(list, id) {
		list = append(list, id)
	}
	r["DependsOn"] = list
}
