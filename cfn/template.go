// Package cfn compiles an App into plain CloudFormation: no Transform, no
// timestamp, no path, no account number. The same App gives the same bytes on
// every machine. It also reads templates back (Document) and evaluates their
// intrinsics, for the sandbox and for diff.
//
// One file a pragma: http.go compiles what manifest/http.go read.
package cfn

// Resource is any CloudFormation resource; every goformation struct is one.
type Resource interface {
	AWSCloudFormationType() string
}

// Template is a CloudFormation template being written. Print it with JSON.
type Template struct {
	Description string
	Parameters  map[string]Parameter
	Resources   map[string]Resource
	Outputs     map[string]Output
}

// Parameter is a template parameter. NoEcho ones hold secrets.
type Parameter struct {
	Type        string
	Description string  `json:",omitempty"`
	Default     *string `json:",omitempty"`
	NoEcho      bool    `json:",omitempty"`
}

// Output is a stack output. Value is a string, marked or plain.
type Output struct {
	Description string `json:",omitempty"`
	Value       string
}
