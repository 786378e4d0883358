package cfn

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxYAMLNodes bounds what aliases can expand to ("billion laughs"). A
// template is at most 1 MB, so real ones stay far below.
const maxYAMLNodes = 1_000_000

// yamlReader turns YAML nodes into the values that JSON would have given, with
// CloudFormation's short forms (!Ref, !Sub, !GetAtt …) as their long forms.
type yamlReader struct {
	budget int
	spelling
}

func (r *yamlReader) value(n *yaml.Node, depth int) (any, error) {
	if r.budget--; r.budget < 0 || depth > maxDepth {
		return nil, fmt.Errorf("template: line %d: nested too deep or too large once its aliases are expanded", n.Line)
	}
	if n.Kind == yaml.AliasNode {
		r.aliases = true
		return r.value(n.Alias, depth+1)
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return r.shortForm(n, depth)
	}
	return r.plain(n, depth)
}

func (r *yamlReader) plain(n *yaml.Node, depth int) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := r.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return r.scalar(n), nil
}

func (r *yamlReader) mapping(n *yaml.Node, depth int) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		v, err := r.value(val, depth+1)
		if err != nil {
			return nil, err
		}
		if key.Tag == "!!merge" {
			merge(m, v)
			continue
		}
		if _, twice := m[key.Value]; twice {
			return nil, fmt.Errorf("template: line %d: %q stands twice in one object", key.Line, key.Value)
		}
		m[key.Value] = v
	}
	return m, nil
}

// merge copies the keys of a YAML "<<" value that are not set yet.
func merge(m map[string]any, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if _, set := m[k]; !set {
				m[k] = x
			}
		}
	case []any:
		for _, x := range v {
			merge(m, x)
		}
	}
}

// booleans are those of YAML 1.1 beside true and false, which CloudFormation's
// reader keeps to.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
var booleans = map[string]bool{
	"yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
}

// scalar gives numbers as json.Number in JSON's spelling. Dates stay the text that
// was written, as CloudFormation itself takes them. An octal number is one: people
// saw 000400 become 256, and the account 012345670123 become 1402433619. Of other
// numbers that JSON cannot spell (hex, 1_000, 12:30) nobody tells: they stay text,
// and are noted.
// https://github.com/aws-samples/ecs-refarch-cloudformation/issues/66
// https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/745
func (r *yamlReader) scalar(n *yaml.Node) any {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) == 0 {
		if b, ok := booleans[n.Value]; ok {
			return b
		}
		if decimal, ok := numberOf11(n.Value); ok && isOctal(n.Value) {
			return json.Number(decimal)
		} else if ok {
			if r.doubtful == nil {
				r.doubtful = map[string]string{}
			}
			r.doubtful[n.Value] = decimal
		}
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

// shortForm expands !Ref x to {"Ref": x}, !GetAtt a.b to {"Fn::GetAtt": [a, b]},
// and every other !Name to {"Fn::Name": …}.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
func (r *yamlReader) shortForm(n *yaml.Node, depth int) (any, error) {
	bare := *n
	name := strings.TrimPrefix(n.Tag, "!")
	bare.Tag = ""
	if n.Kind == yaml.ScalarNode {
		bare.Tag = "!!str"
		bare.Style |= yaml.TaggedStyle
	}
	v, err := r.plain(&bare, depth+1)
	if err != nil {
		return nil, err
	}
	switch name {
	case "Ref", "Condition":
		return map[string]any{name: v}, nil
	case "GetAtt":
		if text, ok := v.(string); ok {
			id, attr, found := strings.Cut(text, ".")
			if !found {
				return nil, fmt.Errorf("template: line %d: !GetAtt %s needs the form Resource.Attribute", n.Line, text)
			}
			v = []any{id, attr}
		}
	}
	return map[string]any{"Fn::" + name: v}, nil
}
