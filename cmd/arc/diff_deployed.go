package main

import (
	"context"
	"fmt"

	"arc/cfn"
	"arc/deploy"
)

// deployedStack is where a deployed side comes from.
type deployedStack struct {
	clients   deploy.Clients
	stack     deploy.Stack      // zero when nothing is deployed
	state     deploy.State      // when a plan is to be made
	variables map[string]string // versions of the user's variables
	root      *cfn.Document     // nil when nothing is deployed
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
// planned: for a plan, which is bound to the stack's state.
func (s *session) deployed(ctx context.Context, clients deploy.Clients, p *project, opts cfn.Options, planned bool) (side, error) {
	before := side{label: "deployed", deployed: &deployedStack{clients: clients}}
	d := before.deployed
	var err error
	if d.variables, err = clients.Versions(ctx, scope(p, opts)); err != nil {
		return before, err
	}
	expectAppSecret(p, d.variables, deploy.Unmade)
	if err := addSet(p, opts, d.variables, setVersion); err != nil {
		return before, err
	}
	name := cfn.StackName(p.app.Name, opts.Stage, opts.Name)
	if planned {
		// The state comes first: what happens to the stack from here on makes
		// the plan void.
		if d.state, err = clients.State(ctx, name); err != nil {
			return before, err
		}
	}
	stack, err := clients.Describe(ctx, name)
	if err != nil {
		return before, err
	}
	if stack.Absent() {
		s.note("%s is not deployed yet: everything would be added", name)
		before.identity = s.formerIdentity(ctx, clients, p, opts)
		return before, nil
	}
	d.stack = stack
	before.identity = identityOf(p.app, name) // it was found by these
	before.identity.At = nil
	templates, err := clients.Templates(ctx, stack)
	if err != nil {
		return before, err
	}
	d.root = templates.Root
	if before.doc, before.unread, err = readThrough(d.root, templates.Nested); err != nil {
		return before, fmt.Errorf("deployed stack %s: %w", name, err)
	}
	before.why = templates.Unread
	return before, nil
}

// lookDeeper compares what the deployed template does not tell: the code in
// the zips, and values of environment variables.
func lookDeeper(ctx context.Context, before, after *side) (values, limits []string, err error) {
	if before.deployed == nil || before.doc == nil {
		return nil, nil, nil
	}
	unread, err := readCode(ctx, before, after)
	if err != nil {
		return nil, nil, err
	}
	values, limits, err = before.deployed.compareValues(ctx, *after)
	if err != nil {
		return values, limits, err
	}
	direct, err := before.deployed.clients.Direct(ctx, before.deployed.stack)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		limits = append(limits, "whether functions were changed by arc deploy --direct is not known ("+deploy.Why(err)+")")
	case len(direct) > 0:
		limits = append(limits, driftNote(direct))
	}
	return values, append(unread, limits...), nil
}

// compareValues tells which environment variables may have another value than
// the deployed ones, or why that cannot be known. CloudFormation tells no
// values.
func (d *deployedStack) compareValues(ctx context.Context, after side) (changed, limits []string, err error) {
	variables := names(d.variables)
	if len(variables) == 0 || d.root == nil {
		return nil, nil, nil
	}
	for _, name := range variables {
		if !d.root.Parameters[cfn.EnvParameter(name)].NoEcho {
			return nil, nil, nil // a new name: the functions' change tells that
		}
	}
	same, known, err := d.clients.SameVersions(ctx, after.project.app.Name, d.variables, d.stack)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		limits = []string{"whether values of environment variables change is not known (" + deploy.Why(err) + ")"}
	case !known:
		limits = []string{"whether values of environment variables change is not known: the stack was not deployed by arc"}
	case !same:
		changed = variables
	}
	return changed, limits, nil
}
