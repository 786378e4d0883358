package events

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"arc/sandbox/stack"
)

// Registrations are the resource types that the service provides.
func (s *Service) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::Events::Rule":     {Provider: stack.Steps{OnCreate: s.createRule, OnUpdate: s.updateRule, OnDelete: s.deleteRule}},
		"AWS::Events::EventBus": {Provider: stack.Steps{OnCreate: s.createBus, OnUpdate: s.updateBus, OnDelete: s.deleteBus}},
	}
}

func (s *Service) createRule(ctx context.Context, req stack.Request) (stack.Resource, error) {
	name, _ := stack.Text(req.Properties["Name"])
	if name == "" {
		name = req.Name(64)
	}
	on := busOf(req.Properties)
	s.mu.Lock()
	b := s.buses[on]
	taken := b != nil && b.rules[name] != nil
	s.mu.Unlock()
	if taken {
		return stack.Resource{}, fmt.Errorf("%s already exists", name)
	}
	return s.made(ctx, on, name, req.Properties)
}

func (s *Service) updateRule(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return s.made(ctx, busOf(req.Properties), ruleName(req.PhysicalID), req.Properties)
}

func (s *Service) made(ctx context.Context, on, name string, raw map[string]any) (stack.Resource, error) {
	r, err := s.putRule(ctx, on, name, raw)
	if err != nil {
		return stack.Resource{}, err
	}
	id := name
	if on != defaultBus {
		id = on + "|" + name
	}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"Arn": r.arn}, Note: strings.Join(r.notes, "; ")}, nil
}

func (s *Service) deleteRule(ctx context.Context, req stack.Request) error {
	s.removeRule(busOf(req.Properties), ruleName(req.PhysicalID))
	return nil
}

func busOf(properties map[string]any) string {
	called, _ := stack.Text(properties["EventBusName"])
	return busName(called)
}

func ruleName(physicalID string) string { return physicalID[strings.LastIndex(physicalID, "|")+1:] }

func (s *Service) createBus(ctx context.Context, req stack.Request) (stack.Resource, error) {
	name, err := readBus(req)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	taken := s.buses[name] != nil
	s.mu.Unlock()
	if taken {
		return stack.Resource{}, fmt.Errorf("Event bus %s already exists.", name) //nolint:staticcheck // EventBridge's words
	}
	return busResource(s.putBus(ctx, name)), nil
}

func readBus(req stack.Request) (string, error) {
	var p struct {
		Name string `cfn:"required"`
	}
	err := stack.Read(req.Properties, &p, "DeadLetterConfig", "Description", "KmsKeyIdentifier", "LogConfig", "Policy", "Tags")
	return p.Name, err
}

func busResource(b *bus) stack.Resource {
	return stack.Resource{PhysicalID: b.name, Attributes: map[string]any{"Arn": b.arn, "Name": b.name}}
}

func (s *Service) updateBus(ctx context.Context, req stack.Request) (stack.Resource, error) {
	if _, err := readBus(req); err != nil {
		return stack.Resource{}, err
	}
	return busResource(s.putBus(ctx, req.PhysicalID)), nil
}

func (s *Service) deleteBus(ctx context.Context, req stack.Request) error {
	return s.removeBus(req.PhysicalID)
}

// removeBus deletes a bus that has no rules any more.
func (s *Service) removeBus(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buses[name]
	if b == nil {
		return nil
	}
	if len(b.rules) > 0 {
		return &stack.Error{Code: "ValidationException", Message: "Cannot delete event bus " + name + " because it has rules."}
	}
	if err := s.log.Delete("bus/" + name); err != nil {
		return err
	}
	delete(s.buses, name)
	return nil
}

// with gives a rule's properties with some of them changed.
func with(raw map[string]any, name string, value any) map[string]any {
	out := maps.Clone(raw)
	out[name] = value
	return out
}
