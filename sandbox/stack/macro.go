package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// MacroCall asks a macro of the account to make something of a part of a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-author.html
type MacroCall struct {
	Name     string
	Region   string
	Fragment any            // the whole template without its Transform, or what is beside an Fn::Transform
	Params   map[string]any // as they are written
	Values   map[string]any // of the template's parameters
}

// ErrNoMacro is the error of Options.Macro of one that is not there.
var ErrNoMacro = errors.New("no such macro")

// expander has the macros of a template do their work.
type expander struct {
	e      *Engine
	ctx    context.Context
	ref    Ref
	values map[string]any
}

// call gives what a macro makes of a fragment.
func (x expander) call(name string, params map[string]any, fragment any) (any, error) {
	if x.e.options.Macro == nil {
		return nil, noTransform(name)
	}
	if params == nil {
		params = map[string]any{}
	}
	made, err := x.e.options.Macro(x.ctx, MacroCall{Name: name, Region: x.ref.Region, Fragment: fragment, Params: params, Values: x.values})
	if errors.Is(err, ErrNoMacro) {
		return nil, noTransform(name)
	}
	if err != nil {
		return nil, invalid("%v", err)
	}
	return made, nil
}

// calls carries out every Fn::Transform within v, the innermost first: what a macro
// makes of the entries beside it stands in their place.
func (x expander) calls(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, el := range v {
			made, err := x.calls(el)
			if err != nil {
				return nil, err
			}
			out[i] = made
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key == transformFunction {
				continue
			}
			made, err := x.calls(v[key])
			if err != nil {
				return nil, err
			}
			out[key] = made
		}
		if v[transformFunction] == nil {
			return out, nil
		}
		call, _ := v[transformFunction].(map[string]any)
		name, _ := call["Name"].(string)
		params, _ := call["Parameters"].(map[string]any)
		if name == "" {
			return nil, invalid("Template format error: Fn::Transform needs the Name of a macro")
		}
		return x.call(name, params, out)
	}
	return v, nil
}

const transformFunction = "Fn::Transform"

// whole is call for the section Transform, which gives a whole template.
func (x expander) whole(name string, params, root map[string]any) (map[string]any, error) {
	made, err := x.call(name, params, root)
	if err != nil {
		return nil, err
	}
	template, ok := made.(map[string]any)
	if !ok {
		return nil, invalid("Transform %s failed with: %v", name, fmt.Errorf("the whole template must stay an object"))
	}
	delete(template, "Transform")
	return template, nil
}

func noTransform(name string) error {
	return invalid("No transform named %s found. (the local cloud runs AWS::Include, AWS::LanguageExtensions and AWS::Serverless-2016-10-31, and the macros of its own stacks: deploy the stack with the AWS::CloudFormation::Macro first)", name)
}
