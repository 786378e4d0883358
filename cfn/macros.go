package cfn

import (
	"maps"
	"slices"
	"strings"
)

// languageExtensions is the macro of CloudFormation's own that adds functions to
// its language. A template that uses none of them is what it would make of it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html
const languageExtensions = "AWS::LanguageExtensions"

// Repeats reports whether a macro makes the same of the same template each time:
// AWS's own do that read nothing but the template. AWS::Include reads a file, and
// others run whatever their owner wrote.
func Repeats(macro string) bool {
	return strings.HasPrefix(macro, "AWS::Serverless-") || macro == languageExtensions
}

// macros names, sorted, what CloudFormation has to expand before it knows the
// template: what Transform and Fn::Transform ask for.
func macros(root map[string]any) []string {
	names := map[string]bool{}
	add := func(v any) {
		if m, ok := v.(map[string]any); ok {
			v = m["Name"]
		}
		name, ok := v.(string)
		if !ok {
			name = "Transform"
		}
		names[name] = true
	}
	switch t := root["Transform"].(type) {
	case nil:
	case []any:
		for _, v := range t {
			add(v)
		}
	default:
		add(t)
	}
	extended := false
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, x := range v {
				if name == "Fn::Transform" {
					add(x)
				}
				extended = extended || extends(name, x)
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(root)
	if !extended {
		delete(names, languageExtensions)
	}
	return slices.Sorted(maps.Keys(names))
}

// extends reports whether an entry is one that only language extensions allow.
func extends(name string, v any) bool {
	switch name {
	case "Fn::Length", "Fn::ToJsonString":
		return true
	case "Fn::FindInMap":
		list, _ := v.([]any)
		return len(list) > 3
	case "DeletionPolicy", "UpdateReplacePolicy", "Ref":
		_, text := v.(string)
		return !text
	}
	return strings.HasPrefix(name, "Fn::ForEach")
}
