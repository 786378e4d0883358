package cfn

import (
	"maps"
	"slices"
	"strings"

	"arc/manifest"
)

// CloudFormation's limits of one stack.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	MaxResources      = 500
	MaxParameters     = 200
	MaxOutputs        = 200
	MaxInlineTemplate = 51_200    // bytes of a template in a request
	MaxTemplate       = 1_000_000 // bytes of a template in a bucket

	// MaxLogicalID is the most characters of a logical ID; names of parameters and
	// outputs have the same limit.
	MaxLogicalID = 255

	maxStackName   = 128
	maxDescription = 1024 // bytes
)

// Limits of the services, each with its page in the table Limits.
const (
	maxIntegrations = 300 // of an HTTP API
	maxActions      = 300 // of a WebSocket API, before AWS is asked for more
	maxIndexes      = 20  // global secondary ones of a table
	maxEnvironment  = manifest.MaxEnvBytes
)

// checkLimits reports what CloudFormation or Lambda would refuse, before
// anything is uploaded.
func (c *compiler) checkLimits() {
	if n := len(c.stack.Name); n > maxStackName {
		c.errorf(c.app.Pos, "stack-name", "shorten the app's name, or the --name of the stack",
			"the stack's name %s has %d characters, but CloudFormation takes %d", c.stack.Name, n, maxStackName)
	}
	if n := len(c.t.Resources); n > MaxResources {
		c.errorf(c.app.Pos, "resource-count", divideApp,
			"the stack has %d resources that cannot be in a nested stack (tables, topics, queues and their like), but CloudFormation takes %d", n, MaxResources)
	}
	if n := len(c.t.Outputs); n > MaxOutputs {
		c.errorf(c.app.Pos, "output-count", divideApp,
			"the stack has %d outputs, one for each topic and queue, but CloudFormation takes %d", n, MaxOutputs)
	}
	if n := len(c.env); n > MaxParameters-1 {
		c.errorf(c.app.Pos, "env-count", "keep settings that belong together in one variable, as JSON",
			"the app has %d environment variables, but a stack takes %d", n, MaxParameters-1)
	}
	if len(c.t.Resources) == 0 && c.t.layout == nil {
		c.warnf(c.app.Pos, "app-empty", "write a route below @http, or another pragma",
			"the app has no function, file or table, and CloudFormation takes no stack without a resource")
	}
	c.checkEnv()
	if !c.ds.HasErrors() {
		c.checkParts()
	}
}

// checkParts reports a nested stack that got too much. It takes thousands of
// functions whose names are unlucky.
func (c *compiler) checkParts() {
	if c.t.layout == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.t.layout.parts)) {
		part := c.t.layout.parts[name]
		if len(part.resources) > MaxResources || len(part.parameters) > MaxParameters || len(part.outputs) > MaxOutputs {
			c.errorf(c.app.Pos, "resource-count", divideApp,
				"the nested stack %s has %d resources, %d parameters and %d outputs, but CloudFormation takes %d, %d and %d",
				name, len(part.resources), len(part.parameters), len(part.outputs), MaxResources, MaxParameters, MaxOutputs)
			return
		}
	}
}

// checkEnv reports variables that Lambda refuses by their name.
func (c *compiler) checkEnv() {
	for _, name := range c.env {
		if problem := manifest.EnvNameProblem(name); problem != "" && !strings.HasPrefix(name, "ARC_") {
			c.errorf(c.app.Pos, "env-name", "remove the variable, or give it another name",
				"the environment variable %s cannot be deployed: %s", name, problem)
		}
	}
}

// checkMarks refuses text that would be taken for an intrinsic. Only free text
// of the manifest is asked: names have their own rules.
func (c *compiler) checkMarks() {
	texts := []string{}
	if st := c.app.Static; st != nil {
		texts = append(texts, st.Staging, st.Production, st.Prefix)
	}
	if p := c.app.Proxy; p != nil {
		texts = append(texts, p.Testing, p.Staging, p.Production)
	}
	for _, t := range c.app.Tables {
		texts = append(texts, t.KMSKey, t.TTL)
	}
	for _, f := range c.app.Functions() {
		texts = append(append(append(texts, f.Config.Layers...), f.Config.Policies...), f.Config.Handler)
	}
	if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, mark[:1]) }) {
		c.errorf(c.app.Pos, "nul-character", "remove the character", "the manifest has a NUL character in a value")
	}
}
