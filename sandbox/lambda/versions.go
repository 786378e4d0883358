package lambda

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"arc/sandbox/stack"
)

// createVersion gives the code of a function a number. The local cloud has one
// version of everything, so every number runs the same.
func (s *Service) createVersion(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p struct{ FunctionName string }
	if err := stack.Read(req.Properties, &p, "CodeSha256", "Description", "FunctionScalingConfig", "ProvisionedConcurrencyConfig", "RuntimePolicy"); err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.owner(p.FunctionName)
	if err != nil {
		return stack.Resource{}, err
	}
	number := s.number(f.ARN, req)
	s.qualify(f.Name, number)
	id := f.ARN + ":" + number
	req.PhysicalID = id
	return stack.Resource{PhysicalID: id, Attributes: versionAttributes(req)}, nil
}

// number gives a version of a function or a layer the next number, or the one
// that it had in an earlier run. The caller holds the lock.
func (s *Service) number(of string, req stack.Request) string {
	next := s.resources.numbers[of] + 1
	if had, err := strconv.Atoi(req.PhysicalID[strings.LastIndexByte(req.PhysicalID, ':')+1:]); req.Restored && err == nil {
		next = had
	}
	s.resources.numbers[of] = max(next, s.resources.numbers[of])
	return strconv.Itoa(next)
}

func versionAttributes(req stack.Request) map[string]any {
	_, number := splitName(req.PhysicalID)
	return map[string]any{"FunctionArn": req.PhysicalID, "Version": number}
}

// qualify makes an alias or version known. The caller holds the lock.
func (s *Service) qualify(function, qualifier string) {
	if s.resources.qualifiers[function] == nil {
		s.resources.qualifiers[function] = map[string]bool{}
	}
	s.resources.qualifiers[function][qualifier] = true
}

func (s *Service) deleteQualifier(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, qualifier := splitName(req.PhysicalID)
	delete(s.resources.qualifiers[name], qualifier)
	delete(s.resources.aliases, req.PhysicalID)
	return nil
}

func (s *Service) createAlias(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readAlias(req)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.owner(p.FunctionName)
	if err != nil {
		return stack.Resource{}, err
	}
	if s.resources.qualifiers[f.Name][p.Name] {
		return stack.Resource{}, fmt.Errorf("property Name: Alias already exists: %s:%s", f.ARN, p.Name)
	}
	s.qualify(f.Name, p.Name)
	f.Provisioned = p.provisioned()
	id := f.ARN + ":" + p.Name
	s.resources.aliases[id] = p.FunctionVersion
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"AliasArn": id}}, nil
}

func (s *Service) updateAlias(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readAlias(req)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	if f, err := s.owner(p.FunctionName); err == nil {
		f.Provisioned = p.provisioned()
	}
	s.resources.aliases[req.PhysicalID] = p.FunctionVersion
	s.mu.Unlock()
	return stack.Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"AliasArn": req.PhysicalID}}, nil
}

type aliasProperties struct {
	Name, FunctionName string
	FunctionVersion    string

	ProvisionedConcurrencyConfig struct{ ProvisionedConcurrentExecutions int }
}

// provisioned reports whether the alias keeps environments of its function ready.
func (p *aliasProperties) provisioned() bool {
	return p.ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions > 0
}

func readAlias(req stack.Request) (*aliasProperties, error) {
	p := &aliasProperties{}
	if err := stack.Read(req.Properties, p, "Description", "RoutingConfig"); err != nil {
		return nil, err
	}
	if p.Name == "" || p.FunctionVersion == "" {
		return nil, fmt.Errorf("properties Name and FunctionVersion: are required")
	}
	return p, nil
}
