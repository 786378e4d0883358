// Package recorded keeps resources that the local cloud does not run yet:
// distributions, image repositories, keys. They exist, have the names, ARNs and URLs
// that Ref and Fn::GetAtt ask for, and are changed and deleted as on AWS, so
// that a template with them comes up; but no message is delivered. The reason of
// their events says so. A service that comes to run a type registers it in
// place of this one.
package recorded

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"arc/cfn/registry"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
)

// Store keeps recorded resources, in memory.
type Store struct {
	mu   sync.Mutex
	made map[string]stack.Resource // by type and physical ID
}

// New makes an empty store.
func New() *Store {
	return &Store{made: map[string]stack.Resource{}}
}

// Restore has nothing to do: what is recorded comes back with its stacks.
func (s *Store) Restore(*journal.Log) error { return nil }

// Close has nothing to do.
func (s *Store) Close(context.Context) error { return nil }

// Registrations are the resource types that are recorded.
func (s *Store) Registrations() map[string]stack.Registration {
	out := make(map[string]stack.Registration, len(kinds))
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		p := provider{s, kinds[name]}
		out[name] = stack.Registration{Recorded: !p.kind.idle, Provider: stack.Steps{OnCreate: p.create, OnUpdate: p.update, OnDelete: p.remove}}
	}
	return out
}

// Other registers a type of AWS's of which nothing more is known here than that
// there is one: Ref is a name, and attributes are texts that begin with it. A REST
// API or a state machine in name only would leave an app without its ways in: of
// those, what does not run is refused.
func (s *Store) Other(resourceType string) (stack.Registration, bool) {
	if !registry.Known(resourceType) || strings.HasPrefix(resourceType, "AWS::ApiGateway::") || strings.HasPrefix(resourceType, "AWS::StepFunctions::") {
		return stack.Registration{}, false
	}
	p := provider{s, kind{describe: func(req stack.Request, name string) stack.Resource {
		if shape := shapes[resourceType]; shape != nil {
			made := shape(req, name)
			made.Attributes[stack.OtherAttributes] = name + "."
			return made
		}
		service := strings.ToLower(strings.Split(resourceType, "::")[1])
		return resource(name, "Arn", arn(req, service, name), stack.OtherAttributes, name+".")
	}}}
	return stack.Registration{Recorded: true, Provider: stack.Steps{OnCreate: p.create, OnUpdate: p.update, OnDelete: p.remove}}, true
}

// kind is what is known of a resource type.
type kind struct {
	required []string
	// name is the property that names the resource; "" when it cannot be named.
	name string
	// limit is how long the name that it gets otherwise may be; lower says that
	// it has no capital letters.
	limit int
	lower bool
	// idle says that it does nothing on AWS either, so nothing is missing here.
	idle bool
	// describe gives Ref and Fn::GetAtt for a name.
	describe func(req stack.Request, name string) stack.Resource
}

type provider struct {
	store *Store
	kind  kind
}

func (p provider) create(_ context.Context, req stack.Request) (stack.Resource, error) {
	if err := p.complete(req.Properties); err != nil {
		return stack.Resource{}, err
	}
	name, err := p.nameOf(req)
	if err != nil {
		return stack.Resource{}, err
	}
	made := p.made(name, req)
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	if _, there := p.store.made[req.Type+" "+made.PhysicalID]; there {
		return stack.Resource{}, fmt.Errorf("%s already exists", made.PhysicalID)
	}
	p.store.made[req.Type+" "+made.PhysicalID] = made
	return made, nil
}

func (p provider) update(_ context.Context, req stack.Request) (stack.Resource, error) {
	if err := p.complete(req.Properties); err != nil {
		return stack.Resource{}, err
	}
	name := req.Token
	if p.kind.name != "" {
		name = req.PhysicalID
		if strings.HasPrefix(name, "arn:") {
			name = baseName(name)
		}
	}
	made := p.made(name, req)
	made.PhysicalID = req.PhysicalID
	return made, nil
}

func (p provider) remove(_ context.Context, req stack.Request) error {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	delete(p.store.made, req.Type+" "+req.PhysicalID)
	return nil
}

func (p provider) made(name string, req stack.Request) stack.Resource {
	made := p.kind.describe(req, name)
	if p.kind.idle {
		return made
	}
	made.Note = "recorded only: the local cloud does not run " + req.Type + " yet"
	return made
}

// complete refuses a resource without what its type requires.
func (p provider) complete(properties map[string]any) error {
	for _, name := range p.kind.required {
		if properties[name] == nil {
			return fmt.Errorf("Properties validation failed: required key [%s] not found", name) //nolint:staticcheck // CloudFormation's words
		}
	}
	_, err := p.own(properties)
	return err
}

// own reads the property that names the resource, as strictly as all others are
// read; "" = there is none.
func (p provider) own(properties map[string]any) (string, error) {
	value, given := properties[p.kind.name]
	if !given || p.kind.name == "" {
		return "", nil
	}
	name, ok := stack.Text(value)
	if !ok {
		return "", fmt.Errorf("property %s: must be a string", p.kind.name)
	}
	return name, nil
}

// nameOf is the resource's name: its own or one that is made.
func (p provider) nameOf(req stack.Request) (string, error) {
	own, err := p.own(req.Properties)
	switch {
	case err != nil:
		return "", err
	case own != "":
		return own, nil
	case p.kind.name == "":
		return req.Token, nil
	}
	made := req.Name(p.kind.limit)
	if p.kind.lower {
		made = strings.ToLower(made)
	}
	return made, nil
}
