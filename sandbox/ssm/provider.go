package ssm

import (
	"context"
	"encoding/json"
	"fmt"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Endpoint is where clients find the store.
func (s *Store) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "ssm", Variable: "SSM", Targets: []string{"AmazonSSM"}, Unsigned: discoveryPath, Handler: s.handler()}
}

// record is a parameter as it is kept between runs.
type record struct {
	Parameter Parameter
	History   []Parameter
	Tags      map[string]string
}

// Restore takes the parameters that clients wrote in an earlier run. Those of
// stacks come back with their stacks.
func (s *Store) Restore(log *journal.Log) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, value := range log.All() {
		var r record
		if err := json.Unmarshal(value, &r); err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
		s.parameters[name], s.history[name] = &r.Parameter, r.History
		if r.Tags != nil {
			s.tags[name] = r.Tags
		}
	}
	s.log = log
	return nil
}

// keep writes a parameter down. The caller holds the lock.
func (s *Store) keep(name string) error {
	p := s.parameters[name]
	if p == nil {
		return s.log.Delete(name)
	}
	if p.ofStack {
		return nil
	}
	return s.log.Put(name, record{*p, s.history[name], s.tags[name]})
}

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
	if req.Restored && s.has(name) { // written by a client since
		p, err := s.Get(name)
		return stack.Resource{PhysicalID: name, Attributes: map[string]any{"Type": p.Type, "Value": p.Value}}, err
	}
	return s.set(name, req.Properties, false)
}

func (s *Store) update(_ context.Context, req stack.Request) (stack.Resource, error) {
	return s.set(req.PhysicalID, req.Properties, true)
}

func (s *Store) remove(_ context.Context, req stack.Request) error {
	_, err := s.Delete(req.PhysicalID)
	return err
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
		Tier: p.Tier, DataType: p.DataType, Pattern: p.AllowedPattern, ofStack: true,
	}, overwrite)
	if err != nil {
		return stack.Resource{}, err // what exists under the name is not ours
	}
	return stack.Resource{PhysicalID: name, Attributes: map[string]any{"Type": p.Type, "Value": p.Value}}, nil
}
