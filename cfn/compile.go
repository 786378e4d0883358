package cfn

import (
	"arc/manifest"
	"arc/manifest/syntax"
)

// Options choose the stack to compile for.
type Options struct {
	Stage string // "testing" (arc sandbox), "staging" or "production"
	Name  string // --name: a further stack of the stage; "" = the plain one
	// Code gives the S3 key of a function's code ("<sha256>.zip"). When nil,
	// or when it answers "", the key is the logical ID + ".zip".
	Code func(*manifest.Function) string
	// Env names the user's environment variables; each becomes a NoEcho
	// parameter (EnvParameter) that the deployer fills. Sorted by the compiler.
	Env []string
}

// Stack is an App compiled for one stage.
type Stack struct {
	Name      string // "MywsappStaging"
	Template  *Template
	Functions []Function            // what the template's code parameters stand for
	Origins   map[string]syntax.Pos // logical ID → manifest line, for errors about a resource
}

// Function ties a Lambda resource to the source it runs.
type Function struct {
	LogicalID string
	*manifest.Function
}

// Parameters of every template that arc writes.
const (
	ArtifactBucketParameter = "ArtifactBucket" // the bucket that holds code and nested templates
)

// StackName is the name of an app's stack: PascalCase(app) + Staging or
// Production (or Testing) + PascalCase(name).
func StackName(app, stage, name string) string { return "" }

// EnvParameter is the name of the NoEcho parameter of a user's environment variable.
func EnvParameter(variable string) string { return "" }

// Compile turns an App into the template of one stage. The diagnostics hold
// what CloudFormation or AWS would refuse later (limits, collisions), with
// manifest positions; Stack is nil when one of them is an error.
func Compile(app *manifest.App, opts Options) (*Stack, syntax.Diagnostics) {
	return nil, nil // filled in by the room's owner
}
