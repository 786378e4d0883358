package cfn

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// right is what may be done with some resources. kind, name and action are
// what @uses calls it; all are empty for what is not for the app to choose.
type right struct {
	kind, name, action string
	id                 string // logical ID of the resource
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
	Effect    string            // "Allow"
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  []string                     `json:",omitempty"`
	Condition map[string]map[string]string `json:",omitempty"`
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

// spread deals statements out to parts of limited length.
func (c *compiler) spread(list []statement, limit int) [][]statement {
	var parts [][]statement
	var part []statement
	room := limit - policyDocumentLength
	for _, s := range list {
		resources := s.Resource
		s.Resource = nil
		head := c.length([]statement{s}) + len(`"Resource":[],`)
		open := false // whether part's last statement is s
		for _, r := range resources {
			need := c.resolvedLength(r) + len(`"",`)
			if !open {
				need += head
			}
			if need > room {
				parts = append(parts, part)
				part, open, room = nil, false, limit-policyDocumentLength-head
				need = c.resolvedLength(r) + len(`"",`)
			}
			if !open {
				part, open = append(part, s), true
			}
			last := &part[len(part)-1]
			last.Resource = append(slices.Clip(last.Resource), r)
			room -= need
		}
	}
	return append(parts, part)
}

// length is how long statements become as a policy, at most.
func (c *compiler) length(list []statement) int {
	n := policyDocumentLength
	for _, s := range list {
		resources := s.Resource
		s.Resource = nil
		raw, _ := json.Marshal(s) // strings: cannot fail
		n += len(raw) + len(`"Resource":[],`)
		for _, r := range resources {
			n += c.resolvedLength(r) + len(`"",`)
		}
	}
	return n
}

// longestARN is room for all of a resource's ARN but the names of stack and
// resource in it.
const longestARN = 80

// resolvedLength is how long an ARN becomes, at most. CloudFormation names
// resources after the stack and their logical ID.
func (c *compiler) resolvedLength(arn string) int {
	return len(arn) + len(c.stack.Name) + longestARN
}

// managedPolicyPaths lists the AWS managed policies that a role of a function
// may have and whose ARN has a path in front of the name.
//
//go:embed managed_policies.txt
var managedPolicyPaths string

// managedPolicyARNs resolves the policies of a config file: ARNs, and names of
// AWS's own.
func managedPolicyARNs(names []string) []string {
	var arns []string
	for _, name := range names {
		switch {
		case name == defaultPolicies:
		case strings.HasPrefix(name, "arn:"):
			arns = append(arns, name)
		default:
			arns = append(arns, Sub("arn:${AWS::Partition}:iam::aws:policy/"+SubText(ManagedPolicyPath(name))))
		}
	}
	return arns
}

// ManagedPolicyPath is what stands behind "policy/" in the ARN of a managed
// policy of AWS's: its name, below the folder that it is in.
func ManagedPolicyPath(name string) string {
	path := name
	for _, line := range strings.Fields(managedPolicyPaths) {
		if strings.HasSuffix(line, "/"+name) {
			path = line
		}
	}
	return path
}
