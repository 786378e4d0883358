package cfn

import (
	"fmt"
	"slices"

	"arc/manifest"
	"arc/manifest/syntax"

	"github.com/awslabs/goformation/v7/cloudformation/policies"
	"github.com/awslabs/goformation/v7/cloudformation/ssm"
)

// Options choose the stack to compile for.
type Options struct {
	Stage string // "testing" (arc sandbox), "preview", "staging" or "production"
	Name  string // --name: a further stack of the stage; "" = the plain one. A preview always has one
	// Code names a function's code ("<sha256>.zip"), which is its S3 key below
	// the folder of the stage. When nil, or when it answers "", it is the logical
	// ID + ".zip".
	Code func(*manifest.Function) string
	// Env names the user's environment variables; each becomes a NoEcho
	// parameter (EnvParameter) that the deployer fills. Sorted by the compiler.
	Env []string
	// EnvVersions tells by name which setting of a variable it is; nil where
	// nobody knows. With another one, versions of functions that read it are made anew.
	EnvVersions map[string]string
	// Change is what plugins make of the whole template, in JSON; nil = there are
	// none. Its errors stop the compilation.
	Change func(template []byte, functions []Function) (Changed, syntax.Diagnostics)
}

// Environment is the stage that functions are told they run in: a preview is a
// staging that few know of.
func (o Options) Environment() string {
	if o.Stage == StagePreview {
		return "staging"
	}
	return o.Stage
}

// Stack is an App compiled for one stage.
type Stack struct {
	Name      string // "MywsappStaging"
	Template  *Template
	Parts     []Part                // the nested stacks of a large app; nil when one template holds all
	Functions []Function            // what the template's code parameters stand for
	Origins   map[string]syntax.Pos // logical ID → manifest line, for errors about a resource
	// Uses are the lines of @uses that there are, and what each allows.
	Uses []Use
	// DeadLetters are the logical IDs of the queues that keep what could not be
	// handled.
	DeadLetters []string
}

// Function ties a Lambda resource to the source it runs.
type Function struct {
	LogicalID string
	// DeadLetters is the logical ID of the queue that takes the events that it
	// fails on; "" = none does.
	DeadLetters string
	*manifest.Function
}

// Part is the template of a nested stack. The deployer uploads it to the
// artifact bucket, where the root template refers to it by key.
type Part struct {
	LogicalID string // of the nested stack in the root template
	Key       string // "staging/<sha256>.json"
	Body      []byte
}

// Parameters of every template that arc writes.
const (
	ArtifactBucketParameter = "ArtifactBucket" // the bucket that holds code and nested templates
)

// Compile turns an App into the template of one stage. The diagnostics hold
// what CloudFormation or AWS would refuse later (limits, collisions), with
// manifest positions; Stack is nil when one of them is an error.
func Compile(app *manifest.App, opts Options) (*Stack, syntax.Diagnostics) {
	c := newCompiler(app, opts)
	c.checkMarks()
	c.compile()
	// The template is whole and in one piece here: plugins change it.
	c.change()
	c.checkValues()
	c.split()
	c.checkLimits()
	if c.ds.HasErrors() {
		return nil, c.ds
	}
	return c.stack, c.ds
}

// compile makes the whole template, a pragma after another.
func (c *compiler) compile() {
	c.staticBucket()
	c.tables()
	c.http()
	c.cdn()
	c.ws()
	c.events()
	c.queues()
	c.scheduled()
	c.streams()
	c.custom()
	c.roles()
	c.uses()
	c.functions()
	c.keptOutputs()
	c.parameters()
}

// compiler holds one compilation. Each pragma's file adds methods to it.
type compiler struct {
	app   *manifest.App
	opts  Options
	env   []string // opts.Env, sorted
	stack *Stack
	t     *Template // stack.Template
	ds    syntax.Diagnostics

	lambdas []*lambdaFunction
	places  map[string]place // where resources may go that need not be in the root stack
	keepers []keeper         // where dead letters go
	rights  []right          // what the app's functions may do, resource by resource

	root      *manifest.Function // answers GET /; nil = none does
	discovery bool               // something was published by discoverable
	tableIDs  map[string]string  // logical IDs of the tables by name
}

func newCompiler(app *manifest.App, opts Options) *compiler {
	mark := opts.Mark(app.Name)
	c := &compiler{app: app, opts: opts, places: map[string]place{}, env: slices.Compact(slices.Sorted(slices.Values(opts.Env)))}
	if root := app.RootRoute(); root != nil {
		c.root = root.Function
	}
	c.t = &Template{
		Description: mark.String(),
		Metadata:    Metadata{Mark: &mark},
		Parameters:  map[string]Parameter{},
		Resources:   map[string]Resource{},
		Outputs:     map[string]Output{},
	}
	c.stack = &Stack{
		Name:     StackName(app.Name, opts.Stage, opts.Name),
		Template: c.t,
		Origins:  map[string]syntax.Pos{},
	}
	return c
}

// add puts a resource into the template. It gives the logical ID: id, unless a
// resource of another pragma has that, else id and a hash.
func (c *compiler) add(id string, pos syntax.Pos, r Resource) string {
	id = c.claim(id, r.AWSCloudFormationType(), pos)
	c.t.Resources[id] = r
	return id
}

// claim reserves a logical ID, shortened if CloudFormation would not take it.
func (c *compiler) claim(id, typ string, pos syntax.Pos) string {
	id = shortID(id)
	if _, taken := c.stack.Origins[id]; taken {
		id += shortHash(typ + " " + pos.String())
	}
	id = shortID(id)
	c.stack.Origins[id] = pos
	return id
}

func (c *compiler) errorf(pos syntax.Pos, code, hint, message string, args ...any) {
	c.ds = append(c.ds, syntax.Diagnostic{Pos: pos, Severity: syntax.Error, Code: code, Hint: hint, Message: fmt.Sprintf(message, args...)})
}

func (c *compiler) warnf(pos syntax.Pos, code, hint, message string, args ...any) {
	c.ds = append(c.ds, syntax.Diagnostic{Pos: pos, Severity: syntax.Warning, Code: code, Hint: hint, Message: fmt.Sprintf(message, args...)})
}

// parameters declares what the deployer has to fill in.
func (c *compiler) parameters() {
	if len(c.lambdas) > 0 {
		c.t.Parameters[ArtifactBucketParameter] = Parameter{
			Type:        "String",
			Description: "the bucket that holds the code of the functions",
		}
	}
	for _, name := range c.env {
		c.t.Parameters[EnvParameter(name)] = Parameter{
			Type:        "String",
			Description: "value of the environment variable " + name,
			NoEcho:      true,
		}
	}
}

func (c *compiler) hasEnv(name string) bool {
	_, found := slices.BinarySearch(c.env, name)
	return found
}

// onDelete is what happens to a resource that holds data when it leaves the
// stack, or the stack is deleted: production's outlives it. (A replacement
// leaves the old one in every stage.)
func (c *compiler) onDelete() policies.DeletionPolicy {
	if c.opts.Stage == "production" {
		return "Retain"
	}
	return "Delete"
}

// discoverable publishes where a resource is. The runtime libraries list all
// parameters below the stack's name once, and find tables, topics, queues and
// the bucket by the manifest's names (cloud reference, 2.4).
func (c *compiler) discoverable(id string, pos syntax.Pos, name, value string) {
	c.discovery = true
	c.place(boundPart, id, c.add(id, pos, &ssm.Parameter{
		Name:  new(Sub("/${AWS::StackName}/" + SubText(name))),
		Type:  "String",
		Value: value,
	}))
}

func (c *compiler) output(name, description, value string) {
	c.t.Outputs[name] = Output{Description: description, Value: value}
}
