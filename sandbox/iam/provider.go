package iam

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"arc/sandbox/stack"
)

// Registrations are the resource types that the store provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
func (s *Store) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::IAM::Role":          {Provider: roleProvider{s}, CreateOnly: []string{"RoleName", "Path"}},
		"AWS::IAM::Policy":        {Provider: inlineProvider{s}},
		"AWS::IAM::ManagedPolicy": {Provider: managedProvider{s}, CreateOnly: []string{"ManagedPolicyName", "Path", "Description"}},
	}
}

type roleProvider struct{ store *Store }

func (p roleProvider) Create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	name, _ := req.Properties["RoleName"].(string)
	if name == "" {
		name = req.Name(64)
	}
	path, _ := req.Properties["Path"].(string)
	if path == "" {
		path = "/"
	}
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.roles[name] != nil {
		return stack.Resource{}, fmt.Errorf("%s already exists", name)
	}
	r := &role{name: name, path: path, id: newID("AROA"), arn: s.arn("role", path, name), created: time.Now().UTC(), inline: map[string]string{}}
	if err := r.fill(req.Properties, nil); err != nil {
		return stack.Resource{}, err
	}
	s.roles[name] = r
	return r.resource(), nil
}

func (p roleProvider) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	r := p.store.roles[req.PhysicalID]
	if r == nil {
		return stack.Resource{}, fmt.Errorf("The role with name %s cannot be found.", req.PhysicalID) //nolint:staticcheck // IAM's words
	}
	return r.resource(), r.fill(req.Properties, req.Old)
}

func (p roleProvider) Delete(ctx context.Context, req stack.Request) error {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	delete(p.store.roles, req.PhysicalID)
	return nil
}

// maxInline is how many characters the inline policies of a role may have together.
const maxInline = 10_240

// fill takes a role's properties. What old had, and separate policy resources
// did not add, goes.
func (r *role) fill(properties, old map[string]any) error {
	if properties["AssumeRolePolicyDocument"] == nil {
		return fmt.Errorf("the role has no AssumeRolePolicyDocument")
	}
	r.trust = jsonText(properties["AssumeRolePolicyDocument"])
	r.description, _ = properties["Description"].(string)
	r.maxSession = 3600
	if n, err := strconv.Atoi(fmt.Sprint(properties["MaxSessionDuration"])); err == nil {
		r.maxSession = n
	}
	for _, p := range inlinePolicies(old) {
		delete(r.inline, p[0])
	}
	size := 0
	for _, p := range inlinePolicies(properties) {
		r.inline[p[0]] = p[1]
		size += len(p[1])
	}
	if size > maxInline {
		return fmt.Errorf("Maximum policy size of %d bytes exceeded for role %s", maxInline, r.name) //nolint:staticcheck // IAM's words
	}
	gone := texts(old["ManagedPolicyArns"])
	r.attached = slices.DeleteFunc(r.attached, func(a string) bool { return slices.Contains(gone, a) })
	for _, arn := range texts(properties["ManagedPolicyArns"]) {
		if !slices.Contains(r.attached, arn) {
			r.attached = append(r.attached, arn)
		}
	}
	return nil
}

// inlinePolicies are name and JSON of the policies inside a role's properties.
func inlinePolicies(properties map[string]any) [][2]string {
	list, _ := properties["Policies"].([]any)
	var out [][2]string
	for _, el := range list {
		m, _ := el.(map[string]any)
		name, _ := m["PolicyName"].(string)
		out = append(out, [2]string{name, jsonText(m["PolicyDocument"])})
	}
	return out
}

func (r *role) resource() stack.Resource {
	return stack.Resource{PhysicalID: r.name, Attributes: map[string]any{"Arn": r.arn, "RoleId": r.id}}
}

// inlineProvider provides AWS::IAM::Policy: a policy inside of roles.
type inlineProvider struct{ store *Store }

func (p inlineProvider) Create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return stack.Resource{PhysicalID: req.Name(128)}, p.put(req)
}

func (p inlineProvider) put(req stack.Request) error {
	name, _ := req.Properties["PolicyName"].(string)
	if name == "" {
		return fmt.Errorf("the policy has no PolicyName")
	}
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	roles := texts(req.Properties["Roles"])
	for _, to := range roles {
		if p.store.roles[to] == nil {
			return fmt.Errorf("The role with name %s cannot be found.", to) //nolint:staticcheck // IAM's words
		}
	}
	for _, to := range roles {
		p.store.roles[to].inline[name] = jsonText(req.Properties["PolicyDocument"])
	}
	return nil
}

func (p inlineProvider) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p.take(req.Old)
	return stack.Resource{PhysicalID: req.PhysicalID}, p.put(req)
}

func (p inlineProvider) Delete(ctx context.Context, req stack.Request) error {
	p.take(req.Properties)
	return nil
}

// take removes the policy that properties describe.
func (p inlineProvider) take(properties map[string]any) {
	name, _ := properties["PolicyName"].(string)
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	for _, from := range texts(properties["Roles"]) {
		if r := p.store.roles[from]; r != nil {
			delete(r.inline, name)
		}
	}
}

type managedProvider struct{ store *Store }

func (p managedProvider) Create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	name, _ := req.Properties["ManagedPolicyName"].(string)
	if name == "" {
		name = req.Name(128)
	}
	path, _ := req.Properties["Path"].(string)
	if path == "" {
		path = "/"
	}
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := s.arn("policy", path, name)
	if s.policies[arn] != nil {
		return stack.Resource{}, fmt.Errorf("A policy called %s already exists. Duplicate names are not allowed.", name) //nolint:staticcheck // IAM's words
	}
	s.policies[arn] = &policy{name: name, path: path, id: newID("ANPA"), arn: arn, created: time.Now().UTC(), document: jsonText(req.Properties["PolicyDocument"])}
	s.attach(arn, texts(req.Properties["Roles"]), true)
	return s.policies[arn].resource(), nil
}

func (p managedProvider) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	there := s.policies[req.PhysicalID]
	if there == nil {
		return stack.Resource{}, fmt.Errorf("Policy %s does not exist or is not attachable.", req.PhysicalID) //nolint:staticcheck // IAM's words
	}
	there.document = jsonText(req.Properties["PolicyDocument"])
	s.attach(there.arn, texts(req.Old["Roles"]), false)
	s.attach(there.arn, texts(req.Properties["Roles"]), true)
	return there.resource(), nil
}

func (p managedProvider) Delete(ctx context.Context, req stack.Request) error {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attach(req.PhysicalID, texts(req.Properties["Roles"]), false)
	delete(s.policies, req.PhysicalID)
	return nil
}

func (p *policy) resource() stack.Resource {
	return stack.Resource{PhysicalID: p.arn, Attributes: map[string]any{"PolicyArn": p.arn, "PolicyId": p.id}}
}
