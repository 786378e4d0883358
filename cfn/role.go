package cfn

import (
	"maps"
	"slices"
	"strings"

	"arc/manifest/syntax"

	"github.com/awslabs/goformation/v7/cloudformation/iam"
)

// right is what may be done with some resources. kind, name and action are
// what @uses calls it; all are empty for what every function may do.
type right struct {
	kind, name, action string
	actions            []string
	resources          []string // ARNs, most of them marked strings
}

// policyDocument is an IAM policy. Version is never left out: without it IAM
// reads a policy in a form of 2008, in which variables mean nothing.
type policyDocument struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string            `json:",omitempty"`
	Effect    string            // "Allow"
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  []string `json:",omitempty"`
	Condition any      `json:",omitempty"`
}

func policy(statements ...statement) policyDocument {
	return policyDocument{Version: "2012-10-17", Statement: statements}
}

// statements writes rights down briefly: one statement for all resources with
// the same actions.
func statements(rights []right) []statement {
	actions := map[string]map[string]bool{} // by resource
	for _, r := range rights {
		for _, resource := range r.resources {
			if actions[resource] == nil {
				actions[resource] = map[string]bool{}
			}
			for _, a := range r.actions {
				actions[resource][a] = true
			}
		}
	}
	resources := map[string][]string{} // by actions
	for _, resource := range slices.Sorted(maps.Keys(actions)) {
		key := strings.Join(slices.Sorted(maps.Keys(actions[resource])), " ")
		resources[key] = append(resources[key], resource)
	}
	var list []statement
	for _, key := range slices.Sorted(maps.Keys(resources)) {
		list = append(list, statement{Effect: "Allow", Action: strings.Fields(key), Resource: resources[key]})
	}
	return list
}

// trust lets an AWS service take a role.
func trust(service string) policyDocument {
	return policy(statement{
		Effect:    "Allow",
		Principal: map[string]string{"Service": service + ".amazonaws.com"},
		Action:    []string{"sts:AssumeRole"},
	})
}

// sharedRole is the role of all functions that have none of their own.
const sharedRole = "Role"

// roles gives each function a role: the shared one, or its own. Only now are
// all rights known.
func (c *compiler) roles() {
	shared := false
	for _, f := range c.lambdas {
		if f.Asset {
			f.role = c.role(f.id+"Role", f.Pos, c.assetRights())
			continue
		}
		f.role, shared = sharedRole, true
	}
	if shared {
		c.role(sharedRole, c.app.Pos, append(c.discoveryRights(), c.rights...))
	}
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

// role makes the role of functions with the given rights. The policies of an
// Architect stack that are resources of their own (ArcParameterStorePolicy,
// ArcWebSocketPolicy) must not come back under their names: they are deleted
// after the role was updated, and would take ours of the same name along.
func (c *compiler) role(id string, pos syntax.Pos, rights []right) string {
	rights = append([]right{mayWriteLogs()}, rights...)
	return c.add(id, pos, &iam.Role{
		AssumeRolePolicyDocument: trust("lambda"),
		Policies:                 []iam.Role_Policy{{PolicyName: "ArcFunctionPolicy", PolicyDocument: policy(statements(rights)...)}},
	})
}
