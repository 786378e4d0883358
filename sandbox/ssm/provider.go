package ssm

import (
	"context"

	"arc/sandbox/stack"
)

// Registrations are the resource types that the store provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html
func (s *Store) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::SSM::Parameter": {Provider: provider{s}, CreateOnly: []string{"Name"}},
	}
}

// Value reads a parameter for a template that refers to it.
func (s *Store) Value(ctx context.Context, name string) (string, error) {
	p, err := s.Get(name)
	return p.Value, err
}

type provider struct{ store *Store }

func (p provider) Create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	name, _ := req.Properties["Name"].(string)
	if name == "" {
		name = "CFN-" + req.Name(1000)
	}
	return p.put(name, req.Properties, false)
}

func (p provider) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return p.put(req.PhysicalID, req.Properties, true)
}

func (p provider) Delete(ctx context.Context, req stack.Request) error {
	p.store.Delete(req.PhysicalID)
	return nil
}

func (p provider) put(name string, properties map[string]any, overwrite bool) (stack.Resource, error) {
	text := func(key string) string { s, _ := properties[key].(string); return s }
	if text("Type") == "SecureString" {
		return stack.Resource{}, &stack.Error{Code: "ValidationException", Message: "CloudFormation makes no SecureString parameters; write them with PutParameter"}
	}
	_, err := p.store.Put(Parameter{
		Name: name, Type: text("Type"), Value: text("Value"), Description: text("Description"),
		Tier: text("Tier"), DataType: text("DataType"), Pattern: text("AllowedPattern"),
	}, overwrite)
	if err != nil {
		return stack.Resource{}, err // what exists under the name is not ours
	}
	return stack.Resource{PhysicalID: name, Attributes: map[string]any{"Type": text("Type"), "Value": text("Value")}}, nil
}
