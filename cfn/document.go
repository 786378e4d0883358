package cfn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Document is a template that was read, ours or anyone's: plain values with
// intrinsics left as one-key maps, exactly as written. Numbers are
// json.Number. YAML short forms (!Ref, !Sub, !GetAtt …) become their long forms.
type Document struct {
	Description string
	Parameters  map[string]ParameterDef
	Mappings    map[string]any
	Conditions  map[string]any
	Resources   map[string]ResourceDef
	Outputs     map[string]OutputDef
	Transform   any // not nil: the template needs a macro such as SAM
	Metadata    map[string]any
	Aliases     bool // it is YAML with aliases, which CloudFormation itself refuses
	// Doubtful are numbers without quotes that YAML 1.1 has and of which it is not
	// known whether CloudFormation reads them so (1_000, 12:30, 0x1f), each with
	// what it is in JSON.
	Doubtful map[string]string
	Macros   []string // what CloudFormation has to expand before it knows the template, by name
	// Unexpanded is what a macro was asked for and could not be expanded here, by its
	// path, with the reason.
	Unexpanded []string
	// Written is the whole template as it is written, where there are transforms to
	// read it; otherwise nil.
	Written map[string]any
}

// ParameterDef is a parameter of a Document.
type ParameterDef struct {
	Type          string
	Default       any
	NoEcho        bool
	AllowedValues []any
	Description   string
	// AllowedPattern is what the whole value must match; "" = anything. Lengths and
	// limits are texts, as they may be written as numbers; "" = none.
	AllowedPattern        string
	MinLength, MaxLength  string
	MinValue, MaxValue    string
	ConstraintDescription string // said when one of them does not hold
}

// ResourceDef is a resource of a Document.
type ResourceDef struct {
	Type                string
	Properties          map[string]any
	DependsOn           []string
	Condition           string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Metadata            map[string]any
}

// OutputDef is an output of a Document.
type OutputDef struct {
	Description string
	Value       any
	Condition   string
	ExportName  any
}

// maxDepth bounds the nesting of a template that is read; CloudFormation's own
// templates stay far below it.
const maxDepth = 100

// Parse reads a template in JSON or YAML. A document that starts with "{" is
// JSON. Errors name the line.
func Parse(data []byte) (*Document, error) {
	root, spelled, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	return document(root, spelled)
}

// ErrNoResources is why a file that reads well is no template.
var ErrNoResources = errors.New("template: it has no Resources, so it is no template")

// ParseGiven is Parse for a file that a person hands over: also for what
// "aws cloudformation get-template" prints, in which TemplateBody is the
// template, as an object or as text. One without resources is ErrNoResources,
// for it is another file by mistake.
func ParseGiven(data []byte) (*Document, error) {
	root, spelled, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	if root["Resources"] == nil {
		switch body := root["TemplateBody"].(type) {
		case map[string]any:
			root = body
		case string:
			if root, spelled, err = parseObject([]byte(body)); err != nil {
				return nil, fmt.Errorf("TemplateBody: %w", err)
			}
		}
	}
	if resources, _ := root["Resources"].(map[string]any); len(resources) == 0 {
		return nil, ErrNoResources
	}
	return document(root, spelled)
}

// spelling is what only the text of a template tells.
type spelling struct {
	aliases  bool              // there are some, and they were expanded
	doubtful map[string]string // as Document.Doubtful has them
}

// Read gives the document of a template that is a tree already: maps, lists, text,
// booleans and json.Number. Errors name the path.
func Read(root map[string]any) (*Document, error) { return newDocument(root) }

func document(root map[string]any, spelled spelling) (*Document, error) {
	d, err := newDocument(root)
	if d != nil {
		d.Aliases, d.Doubtful = spelled.aliases, spelled.doubtful
	}
	return d, err
}

func parseObject(data []byte) (root map[string]any, spelled spelling, err error) {
	tree, spelled, err := parseTree(data)
	if err != nil {
		return nil, spelled, err
	}
	root, ok := tree.(map[string]any)
	if !ok {
		return nil, spelled, errors.New("template: the top level is not an object; a template starts with keys such as Resources")
	}
	return root, spelled, nil
}

// parseTree reads JSON or YAML.
func parseTree(data []byte) (tree any, spelled spelling, err error) {
	trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff")
	if len(trimmed) == 0 {
		return nil, spelled, errors.New("template: the file is empty")
	}
	if trimmed[0] == '{' {
		tree, err = parseJSON(data[len(data)-len(trimmed):])
		return tree, spelled, err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(data, &node); err != nil {
		return nil, spelled, fmt.Errorf("template: %w", err)
	}
	if len(node.Content) == 0 {
		return nil, spelled, errors.New("template: the file is empty")
	}
	r := &yamlReader{budget: maxYAMLNodes}
	tree, err = r.value(node.Content[0], 0)
	return tree, r.spelling, err
}

func parseJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	err := dec.Decode(&tree)
	if err == nil {
		if _, end := dec.Token(); end != io.EOF {
			err = errors.New("there is more text after the closing brace")
		}
	}
	if err != nil {
		at := dec.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		return nil, fmt.Errorf("template: line %d: %w", 1+bytes.Count(data[:at], []byte("\n")), err)
	}
	return tree, nil
}

// number is a number as text, written as one or the other; "" = it is none.
func number(v any) string {
	text, _ := scalarText(v)
	return text
}

func newDocument(root map[string]any) (*Document, error) {
	r := documentReader{}
	d := &Document{
		Description: r.text(root, "Description", "Description"),
		Mappings:    r.object(root, "Mappings", "Mappings"),
		Conditions:  r.object(root, "Conditions", "Conditions"),
		Metadata:    r.object(root, "Metadata", "Metadata"),
		Transform:   root["Transform"],
		Parameters:  map[string]ParameterDef{},
		Resources:   map[string]ResourceDef{},
		Outputs:     map[string]OutputDef{},
		Macros:      macros(root),
	}
	if len(d.Macros) > 0 || d.Transform != nil {
		d.Written = root
	}
	for name := range r.object(root, "Parameters", "Parameters") {
		if strings.HasPrefix(name, "Fn::") {
			continue
		}
		path := "Parameters." + name
		m := r.object(root["Parameters"].(map[string]any), name, path)
		d.Parameters[name] = ParameterDef{
			Type:          r.text(m, "Type", path+".Type"),
			Default:       m["Default"],
			NoEcho:        isTrue(m["NoEcho"]),
			Description:   r.text(m, "Description", path+".Description"),
			AllowedValues: r.list(m, "AllowedValues", path+".AllowedValues"),

			AllowedPattern:        r.text(m, "AllowedPattern", path+".AllowedPattern"),
			ConstraintDescription: r.text(m, "ConstraintDescription", path+".ConstraintDescription"),
			MinLength:             number(m["MinLength"]), MaxLength: number(m["MaxLength"]),
			MinValue: number(m["MinValue"]), MaxValue: number(m["MaxValue"]),
		}
	}
	for id := range r.object(root, "Resources", "Resources") {
		if strings.HasPrefix(id, "Fn::") {
			continue // Fn::ForEach and the like: a macro makes resources of it
		}
		d.Resources[id] = r.resource(root["Resources"].(map[string]any), id)
	}
	for name := range r.object(root, "Outputs", "Outputs") {
		if strings.HasPrefix(name, "Fn::") {
			continue
		}
		path := "Outputs." + name
		m := r.object(root["Outputs"].(map[string]any), name, path)
		out := OutputDef{
			Description: r.text(m, "Description", path+".Description"),
			Value:       m["Value"],
			Condition:   r.text(m, "Condition", path+".Condition"),
		}
		if export := r.object(m, "Export", path+".Export"); export != nil {
			out.ExportName = export["Name"]
		}
		d.Outputs[name] = out
	}
	return d, r.err()
}

// documentReader collects what has the wrong shape, so that one reading tells all.
type documentReader struct{ wrong []string }

func (r *documentReader) err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return fmt.Errorf("template: %s", strings.Join(sortedSet(r.wrong), "; "))
}

func (r *documentReader) resource(resources map[string]any, id string) ResourceDef {
	path := "Resources." + id
	m := r.object(resources, id, path)
	def := ResourceDef{
		Type:                r.text(m, "Type", path+".Type"),
		Properties:          r.object(m, "Properties", path+".Properties"),
		Condition:           r.text(m, "Condition", path+".Condition"),
		DeletionPolicy:      r.policy(m, "DeletionPolicy", path),
		UpdateReplacePolicy: r.policy(m, "UpdateReplacePolicy", path),
		Metadata:            r.object(m, "Metadata", path+".Metadata"),
	}
	if def.Type == "" {
		r.wrong = append(r.wrong, path+" has no Type")
	}
	switch on := m["DependsOn"].(type) {
	case nil:
	case string:
		def.DependsOn = []string{on}
	case []any:
		for _, v := range on {
			name, ok := v.(string)
			if !ok {
				r.wrong = append(r.wrong, path+".DependsOn must list logical IDs")
				break
			}
			def.DependsOn = append(def.DependsOn, name)
		}
	default:
		r.wrong = append(r.wrong, path+".DependsOn must be a logical ID or a list of them")
	}
	return def
}

func (r *documentReader) object(m map[string]any, key, path string) map[string]any {
	switch v := m[key].(type) {
	case nil:
		return nil
	case map[string]any:
		return v
	}
	r.wrong = append(r.wrong, path+" must be an object")
	return nil
}

func (r *documentReader) list(m map[string]any, key, path string) []any {
	switch v := m[key].(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	r.wrong = append(r.wrong, path+" must be a list")
	return nil
}

func (r *documentReader) text(m map[string]any, key, path string) string {
	switch v := m[key].(type) {
	case nil:
		return ""
	case string:
		return v
	}
	r.wrong = append(r.wrong, path+" must be a string")
	return ""
}

// policy is text, or what language extensions make text of, which is not known
// then and does not count as a promise to keep anything.
func (r *documentReader) policy(m map[string]any, key, path string) string {
	if _, computed := m[key].(map[string]any); computed {
		return ""
	}
	return r.text(m, key, path+"."+key)
}

// isTrue reads a boolean that templates also write as a string.
func isTrue(v any) bool {
	return v == true || v == "true"
}
