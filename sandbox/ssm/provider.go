package ssm

import (
	"context"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Endpoint is where clients find the store.
func (s *Store) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "ssm", Variable: "SSM", Targets: []string{"AmazonSSM"}, Unsigned: discoveryPath, Handler: wire.JSON("ssm", s)}
}

// discoveryPath is where the @architect/functions libraries ask for parameters.
const discoveryPath = "/_arc/ssm"

// Restore has nothing to do yet: parameters end with the process.
func (s *Store) Restore(*journal.Log) error { return nil }

// Close has nothing to do.
func (s *Store) Close(context.Context) error { return nil }

// Registrations are the resource types that the store provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html
func (s *Store) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::SSM::Parameter": {Provider: stack.Steps{OnCreate: s.create, OnUpdate: s.update, OnDelete: s.remove}},
	}
}

// Value reads a parameter for a template that refers to it.
func (s *Store) Value(ctx context.Context, name string) (string, error) {
	p, err := s.Get(name)
	return p.Value, err
}

// parameter are the properties of a parameter that make a difference here.
type parameter struct {
	Name, Description, Tier, DataType, AllowedPattern string
	Type                                              string `cfn:"required"`
	Value                                             string `cfn:"required"`
}

func (s *Store) create(_ context.Context, req stack.Request) (stack.Resource, error) {
	name, ok := stack.Text(req.Properties["Name"])
	if !ok || name == "" {
		name = "CFN-" + req.Name(1000)
	}
	return s.set(name, req.Properties, false)
}

func (s *Store) update(_ context.Context, req stack.Request) (stack.Resource, error) {
	return s.set(req.PhysicalID, req.Properties, true)
}

func (s *Store) remove(_ context.Context, req stack.Request) error {
	s.Delete(req.PhysicalID)
	return nil
}

func (s *Store) set(name string, properties map[string]any, overwrite bool) (stack.Resource, error) {
	var p parameter
	if err := stack.Read(properties, &p, "Policies", "Tags"); err != nil {
		return stack.Resource{}, err
	}
	if p.Type == "SecureString" {
		return stack.Resource{}, &stack.Error{Code: "ValidationException", Message: "CloudFormation makes no SecureString parameters; write them with PutParameter"}
	}
	_, err := s.Put(Parameter{
		Name: name, Type: p.Type, Value: p.Value, Description: p.Description,
		Tier: p.Tier, DataType: p.DataType, Pattern: p.AllowedPattern,
	}, overwrite)
	if err != nil {
		return stack.Resource{}, err // what exists under the name is not ours
	}
	return stack.Resource{PhysicalID: name, Attributes: map[string]any{"Type": p.Type, "Value": p.Value}}, nil
}
