package cfn

import (
	"slices"
	"strconv"

	"arc/manifest/syntax"

	"github.com/awslabs/goformation/v7/cloudformation/iam"
)

// sharedRole is the role of all functions that have none of their own.
const sharedRole = "Role"

// defaultPolicies is what policies in config.arc says to keep all that the
// shared role may do.
const defaultPolicies = "architect-default-policies"

// roles gives each function a role: the shared one, or its own where its
// config file has policies or @uses. Only now are all rights known.
func (c *compiler) roles() {
	if name := c.app.AWS.BoundaryPolicy(c.opts.Stage); name != "" && c.further() {
		c.warnf(c.app.Pos, "boundary", "write the ARN of a policy in @aws boundary, which bounds every stack",
			"the roles of the stack %s have no boundary: that of its stage, %s, is made for the stage's own stack", c.stack.Name, name)
	}
	shared := append(c.discoveryRights(), c.rights...)
	used := false
	for _, f := range c.lambdas {
		cfg := f.Config
		var rights []right
		switch {
		case f.Asset:
			rights = c.assetRights()
		case cfg.Uses != nil:
			rights = c.usedRights(f)
		case len(cfg.Policies) == 0 || slices.Equal(cfg.Policies, []string{defaultPolicies}):
			f.role, used = sharedRole, true
			shared = append(shared, f.needs...)
			continue
		case slices.Contains(cfg.Policies, defaultPolicies):
			rights = append(c.discoveryRights(), c.rights...)
		default:
			rights = append(c.discoveryRights(), c.rightsTo("ws", "", "send")...)
		}
		f.role = c.roleWith(f.id+"Role", f.Pos, &iam.Role{
			AssumeRolePolicyDocument: trust("lambda"),
			ManagedPolicyArns:        managedPolicyARNs(cfg.Policies),
		}, slices.Concat([]right{mayWriteLogs()}, rights, f.needs), f)
	}
	if used {
		c.roleWith(sharedRole, c.app.Pos, &iam.Role{AssumeRolePolicyDocument: trust("lambda")},
			append([]right{mayWriteLogs()}, shared...), nil)
	}
}

// usedRights are those that a function's @uses asks for. What is found by its
// name in the parameter store takes the right to look there.
func (c *compiler) usedRights(f *lambdaFunction) []right {
	var rights []right
	found := false
	for _, u := range f.Config.Uses {
		rights = append(rights, c.rightsTo(u.Kind, u.Name, u.Action)...)
		found = found || u.Name != "" && u.Action != ""
	}
	if found {
		rights = append(rights, c.discoveryRights()...)
	}
	return rights
}

// Use is a line of @uses, and what it allows.
type Use struct {
	Line      string // "tables accounts read"
	LogicalID string // of the resource
	Actions   []string
}

// uses lists the lines that @uses may have for this app, of every resource once
// for each of its rights.
func (c *compiler) uses() {
	for _, r := range c.rights {
		if r.kind == "" || r.id == "" {
			continue
		}
		line := r.kind + " " + r.name + " " + r.action
		if r.name == "" {
			line = r.kind + " " + r.action
		}
		c.stack.Uses = append(c.stack.Uses, Use{Line: line, LogicalID: r.id, Actions: r.actions})
	}
}

// rightsTo picks the app's rights by what @uses calls them.
func (c *compiler) rightsTo(kind, name, action string) []right {
	var rights []right
	for _, r := range c.rights {
		if r.kind == kind && r.name == name && r.action == action {
			rights = append(rights, r)
		}
	}
	return rights
}

// discoveryRights let a function list what discoverable published.
func (c *compiler) discoveryRights() []right {
	if !c.discovery {
		return nil
	}
	parameter := "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}"
	return []right{{
		actions:   []string{"ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"},
		resources: []string{Sub(parameter), Sub(parameter + "/*")},
	}}
}

// IAM's limits, in characters without blanks.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxInlinePolicies    = 10_240 // of a role, in all
	maxManagedPolicy     = 6_144
	maxManagedPolicies   = 10 // of a role
	rolePolicyName       = "ArcFunctionPolicy"
	managedPolicyEnding  = "Policy"
	policyDocumentLength = 40 // what stands around the statements
)

// RolePath is the folder of the roles and policies of bounded stacks:
// /arc/<stack>/…, in nested stacks the root's. Names that CloudFormation makes
// up may be cut; this is not.
const RolePath = "/arc/"

// bind puts a role under the manifest's boundary, if there is one, and gives the
// path of its policies. The path is what rights to make and pass roles are
// limited to; roles without a boundary stay where they are, for another path
// means another role. The sandbox's roles are no one's.
func (c *compiler) bind(role *iam.Role) (path *string) {
	boundary := c.app.AWS.Boundary
	name := c.app.AWS.BoundaryPolicy(c.opts.Stage)
	if boundary == "" || c.opts.Stage == stageTesting || name != "" && c.further() {
		return nil
	}
	if name != "" {
		boundary = Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/" + SubText(name))
	}
	path = new(Sub(RolePath + "${AWS::StackName}/"))
	role.PermissionsBoundary, role.Path = new(boundary), path
	return path
}

// further reports whether the stack is one beside the stage's, and no preview: a
// policy of the stage, which names what belongs to the stage's stack, would keep
// its functions from their own tables.
func (c *compiler) further() bool { return c.opts.Name != "" && c.opts.Stage != StagePreview }

// roleWith completes a role with rights and adds it: in the role itself, or,
// where they are too long for that, in managed policies. owner is the function
// whose own role it is, or nil.
//
// The inline policy's name must not be one that Architect's stacks give to
// policies of their own (ArcParameterStorePolicy, ArcWebSocketPolicy): those
// are deleted after the role was updated, and would take ours along.
func (c *compiler) roleWith(id string, pos syntax.Pos, role *iam.Role, rights []right, owner *lambdaFunction) string {
	path := c.bind(role)
	add := func(id string, r Resource) string {
		id = c.add(id, pos, r)
		if owner != nil {
			c.place(functionsPart, owner.id, id)
		}
		return id
	}
	list := statements(rights)
	if c.length(list) <= maxInlinePolicies {
		role.Policies = []iam.Role_Policy{{PolicyName: rolePolicyName, PolicyDocument: policy(list...)}}
		return add(id, role)
	}
	parts := c.spread(list, maxManagedPolicy)
	for i, part := range parts {
		policyID := add(id+managedPolicyEnding+strconv.Itoa(i+1), &iam.ManagedPolicy{Path: path, PolicyDocument: policy(part...)})
		role.ManagedPolicyArns = append(role.ManagedPolicyArns, Ref(policyID))
	}
	if n := len(role.ManagedPolicyArns); n > maxManagedPolicies {
		c.errorf(pos, "role-size", "give functions roles of their own with @uses in config.arc",
			"the role %s needs %d managed policies, but a role takes %d: the app has too many tables, queues and topics for one role", id, n, maxManagedPolicies)
	}
	return add(id, role)
}
