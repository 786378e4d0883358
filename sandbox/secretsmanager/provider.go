package secretsmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"arc/sandbox/stack"
)

// Registrations are the resource types that the store provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SecretsManager.html
func (s *Store) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::SecretsManager::Secret":         {Provider: stack.Steps{OnCreate: s.createResource, OnUpdate: s.updateResource, OnDelete: s.deleteResource}, Keeps: true},
		"AWS::SecretsManager::ResourcePolicy": {Provider: stack.Steps{OnCreate: s.attach, OnUpdate: s.attach, OnDelete: s.detach}},
	}
}

// resource are the properties of a secret that make a difference here.
type resource struct {
	Name, Description, KmsKeyId string //nolint:revive // CloudFormation's spelling
	SecretString                *string
	GenerateSecretString        *generated
}

// generated says how a value is drawn, and where it goes.
type generated struct {
	SecretStringTemplate, GenerateStringKey                                string
	PasswordLength                                                         int
	ExcludeCharacters                                                      string
	ExcludeNumbers, ExcludePunctuation, ExcludeUppercase, ExcludeLowercase bool
	IncludeSpace                                                           bool
	RequireEachIncludedType                                                *bool
}

func (g generated) make() (string, error) {
	return password{g.PasswordLength, g.ExcludeCharacters, g.ExcludeNumbers, g.ExcludePunctuation, g.ExcludeUppercase, g.ExcludeLowercase, g.IncludeSpace, g.RequireEachIncludedType}.make()
}

func readResource(properties map[string]any) (p resource, err error) {
	err = stack.Read(properties, &p, "Tags", "ReplicaRegions")
	if err == nil && p.SecretString != nil && p.GenerateSecretString != nil {
		err = fmt.Errorf("property SecretString: goes not with GenerateSecretString")
	}
	return p, err
}

// value is what the secret is to hold; nil = nothing.
func (p resource) value() (*string, error) {
	generate := p.GenerateSecretString
	switch {
	case p.SecretString != nil:
		return p.SecretString, nil
	case generate == nil:
		return nil, nil
	}
	made, err := generate.make()
	if err != nil {
		return nil, fmt.Errorf("property GenerateSecretString: %w", err)
	}
	if generate.GenerateStringKey == "" && generate.SecretStringTemplate == "" {
		return &made, nil
	}
	object := map[string]any{}
	if err := json.Unmarshal([]byte(generate.SecretStringTemplate), &object); err != nil || generate.GenerateStringKey == "" {
		return nil, fmt.Errorf("property GenerateSecretString: SecretStringTemplate is to be a JSON object, and GenerateStringKey the key for the password")
	}
	object[generate.GenerateStringKey] = made
	raw, err := json.Marshal(object)
	text := string(raw)
	return &text, err
}

func (s *Store) createResource(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readResource(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Restored {
		if there, err := s.find(req.PhysicalID); err == nil {
			return there.resource(), nil // with the values that it has by now
		}
	}
	name := p.Name
	if name == "" {
		name = req.LogicalID + "-" + req.Token
	}
	text, err := p.value()
	if err != nil {
		return stack.Resource{}, err
	}
	made, err := s.create(name)
	if err != nil {
		return stack.Resource{}, err
	}
	made.Description, made.KeyID, made.Made = p.Description, p.KmsKeyId, req.Token
	if text == nil {
		text = new(string)
	}
	if _, err := made.put("", text, nil, nil); err != nil {
		delete(s.secrets, name)
		return stack.Resource{}, err
	}
	return made.resource(), s.keep(name)
}

func (sec *secret) resource() stack.Resource {
	return stack.Resource{PhysicalID: sec.ARN, Attributes: map[string]any{"Id": sec.ARN}}
}

// updateResource gives a secret a new value where its template has another one.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
func (s *Store) updateResource(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readResource(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(req.PhysicalID)
	if err != nil {
		return stack.Resource{}, err
	}
	found.Description, found.KeyID = p.Description, p.KmsKeyId
	changed := false
	for _, property := range []string{"SecretString", "GenerateSecretString"} {
		was, _ := json.Marshal(req.Old[property])
		is, _ := json.Marshal(req.Properties[property])
		changed = changed || string(was) != string(is)
	}
	if changed {
		text, err := p.value()
		if err != nil {
			return stack.Resource{}, err
		}
		if text != nil {
			if _, err := found.put("", text, nil, nil); err != nil {
				return stack.Resource{}, err
			}
		}
	}
	return found.resource(), s.keep(found.Name)
}

func (s *Store) deleteResource(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(req.PhysicalID)
	if err != nil {
		return nil // it is gone
	}
	delete(s.secrets, found.Name)
	return s.keep(found.Name)
}

// attach gives a secret the policy of an AWS::SecretsManager::ResourcePolicy.
func (s *Store) attach(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p struct {
		SecretId       string `cfn:"required"` //nolint:revive // CloudFormation's spelling
		ResourcePolicy any    `cfn:"required"`
	}
	if err := stack.Read(req.Properties, &p, "BlockPublicPolicy"); err != nil {
		return stack.Resource{}, err
	}
	text, err := json.Marshal(p.ResourcePolicy)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(p.SecretId)
	if err != nil {
		return stack.Resource{}, err
	}
	found.Policy = string(text)
	return stack.Resource{PhysicalID: found.ARN + policyOf, Attributes: map[string]any{"Id": found.ARN + policyOf}}, s.keep(found.Name)
}

// policyOf ends the physical ID of a secret's policy.
const policyOf = "|policy"

func (s *Store) detach(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(strings.TrimSuffix(req.PhysicalID, policyOf))
	if err != nil {
		return nil // it is gone
	}
	found.Policy = ""
	return s.keep(found.Name)
}
