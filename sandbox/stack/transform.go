package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"arc/cfn"
)

// expand does what the template asks transforms for: files of AWS::Include, which
// lie in the local S3, loops of AWS::LanguageExtensions, what Options.Transforms
// knows, and macros of the account. It gives the template that is carried out, as text too; nil = the template
// asks for nothing.
//
// Files come first, as the innermost part of a template does; then what the section
// Transform lists, in its order.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-overview.html
func (e *Engine) expand(ctx context.Context, doc *cfn.Document, params parameters, ref Ref) (*cfn.Document, []byte, error) {
	if doc.Transform == nil && len(doc.Macros) == 0 {
		return nil, nil, nil
	}
	known := func(name string) (any, error) {
		if v, ok := params.values[name]; ok {
			return v, nil
		}
		if v, ok := pseudo(ref, name); ok {
			return v, nil
		}
		return nil, fmt.Errorf("%s is not known before the stack is made", name)
	}
	fetch := func(location string) (any, error) { return e.include(ctx, location) }
	root, err := e.written(doc)
	if err != nil {
		return nil, nil, err
	}
	tree, err := cfn.Included(root, known, fetch)
	if err != nil {
		return nil, nil, invalid("Transform AWS::Include failed with: %v", err)
	}
	root, ok := tree.(map[string]any)
	if !ok {
		return nil, nil, invalid("Transform AWS::Include failed with: the whole template must stay an object")
	}
	x := expander{e: e, ctx: ctx, ref: ref, values: params.values}
	calls := cfn.Transforms(root)
	delete(root, "Transform")
	if tree, err = x.calls(root); err != nil {
		return nil, nil, err
	}
	if root, ok = tree.(map[string]any); !ok {
		return nil, nil, invalid("Template format error: the whole template must stay an object")
	}
	for _, call := range calls {
		name, _ := call["Name"].(string)
		switch do := e.options.Transforms[name]; {
		case name == "AWS::Include":
			tree, err = cfn.Included(map[string]any{"Fn::Transform": call}, known, fetch)
			if file, isMap := tree.(map[string]any); err == nil && isMap {
				root = joined(root, file)
			}
		case name == "AWS::LanguageExtensions":
			root, err = cfn.ExtendLanguage(root, known)
		case do != nil:
			root["Transform"] = name
			root, err = do(root)
			delete(root, "Transform")
		default:
			parameters, _ := call["Parameters"].(map[string]any)
			if root, err = x.whole(name, parameters, root); err != nil {
				return nil, nil, err
			}
		}
		if err != nil {
			return nil, nil, invalid("Transform %s failed with: %v", name, err)
		}
	}
	expanded, err := cfn.FromTree(root)
	if err != nil {
		return nil, nil, invalid("Template format error: %s", strings.TrimPrefix(err.Error(), "template: "))
	}
	if i := slices.IndexFunc(expanded.Macros, func(name string) bool { return name != "AWS::LanguageExtensions" }); i >= 0 {
		return nil, nil, noTransform(expanded.Macros[i]) // what a macro asks for is not expanded again
	}
	text, err := cfn.Printed(root)
	return expanded, text, err
}

// written is the whole template of a document as a tree.
func (e *Engine) written(doc *cfn.Document) (map[string]any, error) {
	if doc.Written == nil {
		return nil, invalid("Template format error: the template cannot be read again for its transforms")
	}
	return doc.Written, nil
}

// include reads a file that AWS::Include names: s3://BUCKET/KEY, or one of S3's
// URLs.
func (e *Engine) include(ctx context.Context, location string) (any, error) {
	if e.options.Fetch == nil {
		return nil, fmt.Errorf("this endpoint has no S3 to read files from")
	}
	if rest, ok := strings.CutPrefix(location, "s3://"); ok {
		bucket, key, _ := strings.Cut(rest, "/")
		location = "https://" + bucket + ".s3.amazonaws.com/" + key
	}
	text, err := e.options.Fetch(ctx, location)
	if err != nil {
		return nil, err
	}
	return cfn.Tree(text)
}

// joined adds the sections of a file to a template, whose own entries stay.
func joined(root, file map[string]any) map[string]any {
	for section, value := range file {
		own, both := root[section].(map[string]any)
		more, isMap := value.(map[string]any)
		if !both || !isMap {
			if root[section] == nil {
				root[section] = value
			}
			continue
		}
		for name, entry := range more {
			if _, there := own[name]; !there {
				own[name] = entry
			}
		}
	}
	return root
}
