package iam

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Endpoint is where clients find the store.
func (s *Store) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "iam", Variable: "IAM", Version: "2010-05-08", Handler: wire.Query("https://iam.amazonaws.com/doc/2010-05-08/", s)}
}

// Restore has nothing to do: identities come back with their stacks.
func (s *Store) Restore(*journal.Log) error { return nil }

// Close has nothing to do.
func (s *Store) Close(context.Context) error { return nil }

// Registrations are the resource types that the store provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
func (s *Store) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::IAM::Role":          {Provider: stack.Steps{OnCreate: s.createRole, OnUpdate: s.updateRole, OnDelete: s.deleteRole}},
		"AWS::IAM::Policy":        {Provider: stack.Steps{OnCreate: s.createInline, OnUpdate: s.updateInline, OnDelete: s.deleteInline}},
		"AWS::IAM::ManagedPolicy": {Provider: stack.Steps{OnCreate: s.createManaged, OnUpdate: s.updateManaged, OnDelete: s.deleteManaged}},
	}
}

// roleProperties are those of a role that make a difference here.
type roleProperties struct {
	RoleName, Path, Description string
	PermissionsBoundary         string
	AssumeRolePolicyDocument    any `cfn:"required"`
	MaxSessionDuration          int
	ManagedPolicyArns           []string
	Policies                    []inlinePolicy
}

type inlinePolicy struct {
	PolicyName     string `cfn:"required"`
	PolicyDocument any    `cfn:"required"`
}

func readRole(properties map[string]any) (p roleProperties, err error) {
	return p, stack.Read(properties, &p, "Tags")
}

func (s *Store) createRole(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readRole(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	name, path := p.RoleName, cmp.Or(p.Path, "/")
	if name == "" {
		name = req.Name(64)
	}
	defer s.change()()
	if s.roles[name] != nil {
		return stack.Resource{}, fmt.Errorf("%s already exists", name)
	}
	r := &role{name: name, path: path, id: cmp.Or(req.Had("RoleId"), newID("AROA")), arn: s.arn("role", path, name), created: time.Now().UTC(), inline: map[string]string{}}
	if err := r.fill(p, roleProperties{}); err != nil {
		return stack.Resource{}, err
	}
	s.roles[name] = r
	return r.resource(), nil
}

func (s *Store) updateRole(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readRole(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	old, err := readRole(req.Old)
	if err != nil {
		return stack.Resource{}, err
	}
	defer s.change()()
	r := s.roles[req.PhysicalID]
	if r == nil {
		return stack.Resource{}, fmt.Errorf("The role with name %s cannot be found.", req.PhysicalID) //nolint:staticcheck // IAM's words
	}
	return r.resource(), r.fill(p, old)
}

func (s *Store) deleteRole(_ context.Context, req stack.Request) error {
	defer s.change()()
	delete(s.roles, req.PhysicalID)
	return nil
}

// maxInline is how many characters the inline policies of a role may have together.
const maxInline = 10_240

// fill takes a role's properties. What old had, and separate policy resources
// did not add, goes.
func (r *role) fill(p, old roleProperties) error {
	r.trust, r.description = jsonText(p.AssumeRolePolicyDocument), p.Description
	r.maxSession = cmp.Or(p.MaxSessionDuration, 3600)
	r.boundary = p.PermissionsBoundary
	if r.boundary != "" && (!strings.HasPrefix(r.boundary, "arn:") || !strings.Contains(r.boundary, ":policy/")) {
		return fmt.Errorf("ARN %s is not valid.", r.boundary) //nolint:staticcheck // IAM's words
	}
	for _, policy := range old.Policies {
		delete(r.inline, policy.PolicyName)
	}
	size := 0
	for _, policy := range p.Policies {
		text := jsonText(policy.PolicyDocument)
		r.inline[policy.PolicyName] = text
		size += len(text)
	}
	if size > maxInline {
		return fmt.Errorf("Maximum policy size of %d bytes exceeded for role %s", maxInline, r.name) //nolint:staticcheck // IAM's words
	}
	r.attached = slices.DeleteFunc(r.attached, func(a string) bool { return slices.Contains(old.ManagedPolicyArns, a) })
	for _, arn := range p.ManagedPolicyArns {
		if !slices.Contains(r.attached, arn) {
			r.attached = append(r.attached, arn)
		}
	}
	return nil
}

func (r *role) resource() stack.Resource {
	return stack.Resource{PhysicalID: r.name, Attributes: map[string]any{"Arn": r.arn, "RoleId": r.id}}
}

// policyProperties are those of AWS::IAM::Policy, a policy inside of roles.
type policyProperties struct {
	PolicyName     string `cfn:"required"`
	PolicyDocument any    `cfn:"required"`
	Roles          []string
}

func readPolicy(properties map[string]any) (p policyProperties, err error) {
	return p, stack.Read(properties, &p, "Groups", "Users")
}

func (s *Store) createInline(_ context.Context, req stack.Request) (stack.Resource, error) {
	return stack.Resource{PhysicalID: req.Name(128)}, s.putInline(req)
}

func (s *Store) putInline(req stack.Request) error {
	p, err := readPolicy(req.Properties)
	if err != nil {
		return err
	}
	defer s.change()()
	for _, to := range p.Roles {
		if s.roles[to] == nil {
			return fmt.Errorf("The role with name %s cannot be found.", to) //nolint:staticcheck // IAM's words
		}
	}
	for _, to := range p.Roles {
		s.roles[to].inline[p.PolicyName] = jsonText(p.PolicyDocument)
	}
	return nil
}

func (s *Store) updateInline(_ context.Context, req stack.Request) (stack.Resource, error) {
	s.takeInline(req.Old)
	return stack.Resource{PhysicalID: req.PhysicalID}, s.putInline(req)
}

func (s *Store) deleteInline(_ context.Context, req stack.Request) error {
	s.takeInline(req.Properties)
	return nil
}

// takeInline removes the policy that properties describe. Properties that
// cannot be read made none.
func (s *Store) takeInline(properties map[string]any) {
	p, err := readPolicy(properties)
	if err != nil {
		return
	}
	defer s.change()()
	for _, from := range p.Roles {
		if r := s.roles[from]; r != nil {
			delete(r.inline, p.PolicyName)
		}
	}
}

// managedProperties are those of a managed policy that make a difference here.
type managedProperties struct {
	ManagedPolicyName, Path string
	PolicyDocument          any `cfn:"required"`
	Roles                   []string
}

func readManaged(properties map[string]any) (p managedProperties, err error) {
	return p, stack.Read(properties, &p, "Description", "Groups", "Users")
}

func (s *Store) createManaged(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readManaged(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	name, path := p.ManagedPolicyName, cmp.Or(p.Path, "/")
	if name == "" {
		name = req.Name(128)
	}
	defer s.change()()
	arn := s.arn("policy", path, name)
	if s.policies[arn] != nil {
		return stack.Resource{}, fmt.Errorf("A policy called %s already exists. Duplicate names are not allowed.", name) //nolint:staticcheck // IAM's words
	}
	s.policies[arn] = &policy{name: name, path: path, id: cmp.Or(req.Had("PolicyId"), newID("ANPA")), arn: arn, created: time.Now().UTC(), document: jsonText(p.PolicyDocument)}
	s.attach(arn, p.Roles, true)
	return s.policies[arn].resource(), nil
}

func (s *Store) updateManaged(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readManaged(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	old, err := readManaged(req.Old)
	if err != nil {
		return stack.Resource{}, err
	}
	defer s.change()()
	there := s.policies[req.PhysicalID]
	if there == nil {
		return stack.Resource{}, fmt.Errorf("Policy %s does not exist or is not attachable.", req.PhysicalID) //nolint:staticcheck // IAM's words
	}
	there.document = jsonText(p.PolicyDocument)
	s.attach(there.arn, old.Roles, false)
	s.attach(there.arn, p.Roles, true)
	return there.resource(), nil
}

func (s *Store) deleteManaged(_ context.Context, req stack.Request) error {
	p, err := readManaged(req.Properties)
	if err != nil {
		return err
	}
	defer s.change()()
	s.attach(req.PhysicalID, p.Roles, false)
	delete(s.policies, req.PhysicalID)
	return nil
}

func (p *policy) resource() stack.Resource {
	return stack.Resource{PhysicalID: p.arn, Attributes: map[string]any{"PolicyArn": p.arn, "PolicyId": p.id}}
}
