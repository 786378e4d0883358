package cfn

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
}

// ParameterDef is a parameter of a Document.
type ParameterDef struct {
	Type          string
	Default       any
	NoEcho        bool
	AllowedValues []any
	Description   string
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

// Parse reads a template in JSON or YAML. Errors name the line.
func Parse(data []byte) (*Document, error) { return nil, nil } // filled in by the room's owner

// Scope answers what a template cannot know by itself while Eval walks it.
type Scope struct {
	// Ref gives the value of a parameter, pseudo parameter or resource.
	Ref func(name string) (any, error)
	// GetAtt gives an attribute of a resource.
	GetAtt func(resource, attribute string) (any, error)
	// Mappings and Conditions of the document; conditions are evaluated on demand.
	Mappings   map[string]any
	Conditions map[string]any
	// Import gives the value of an exported output; nil = none.
	Import func(name string) (any, error)
}

// Eval replaces every intrinsic in v (Ref, Fn::GetAtt, Fn::Sub, Fn::Join,
// Fn::Select, Fn::Split, Fn::If, Fn::Equals, Fn::And, Fn::Or, Fn::Not,
// Fn::FindInMap, Fn::Base64, Fn::Cidr, Fn::GetAZs, Fn::ImportValue,
// Fn::Length, Fn::ToJsonString) and drops properties that are AWS::NoValue.
// v is not changed. Errors name the path inside v.
func Eval(v any, scope Scope) (any, error) { return nil, nil } // filled in by the room's owner

// References lists the names of parameters and resources that v refers to by
// Ref, Fn::GetAtt or Fn::Sub, sorted, without pseudo parameters.
func References(v any) []string { return nil } // filled in by the room's owner
