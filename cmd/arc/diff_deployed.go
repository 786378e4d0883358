package main

import (
	"fmt"

	"arc/cfn"
	"arc/deploy"

	"github.com/urfave/cli/v2"
)

// deployedStack is where a deployed side comes from.
type deployedStack struct {
	clients   deploy.Clients
	stack     deploy.Stack // zero when nothing is deployed
	state     deploy.State // when a plan is to be made
	variables map[string]deploy.Variable
	root      *cfn.Document // nil when nothing is deployed
}

// variables names the user's variables; only a stack knows them.
func (a side) variables() []string {
	if a.deployed == nil {
		return nil
	}
	return names(a.deployed.variables)
}

// deployed reads the stack's template, and the user's variables that a deploy
// would give it.
func (s *session) deployed(ctx *cli.Context, p *project, opts cfn.Options) (side, error) {
	before := side{label: "deployed", deployed: &deployedStack{}}
	d := before.deployed
	var err error
	if d.clients, err = s.connect(ctx, p); err != nil {
		return before, err
	}
	if d.variables, err = d.clients.Env(ctx.Context, p.app.Name, opts.Stage); err != nil {
		return before, err
	}
	name := cfn.StackName(p.app.Name, opts.Stage, opts.Name)
	if ctx.IsSet("output") {
		// The state comes first: what happens to the stack from here on makes
		// the plan void.
		if d.state, err = d.clients.State(ctx.Context, name); err != nil {
			return before, err
		}
	}
	stack, err := d.clients.Describe(ctx.Context, name)
	if err != nil {
		return before, err
	}
	if stack.Absent() {
		s.note("%s is not deployed yet: everything would be added", name)
		return before, nil
	}
	d.stack = stack
	if d.root, err = cfn.Parse(stack.Template); err != nil {
		return before, fmt.Errorf("deployed stack %s: %w", name, err)
	}
	var parts map[string][]byte
	for _, r := range d.root.Resources {
		if r.Type == "AWS::CloudFormation::Stack" && parts == nil {
			if parts, err = d.clients.NestedTemplates(ctx.Context, stack.ID); err != nil {
				return before, err
			}
		}
	}
	if before.doc, before.unread, err = readThrough(d.root, parts); err != nil {
		return before, fmt.Errorf("deployed stack %s: %w", name, err)
	}
	return before, nil
}
