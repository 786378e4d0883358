package lambda

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"arc/sandbox/stack"
)

// latest is the version of code that has none.
const latest = "$LATEST"

// resources are what stacks make beside functions. The service's lock guards them.
type resources struct {
	permissions map[string]permission      // by statement ID
	qualifiers  map[string]map[string]bool // by function: its aliases and versions
	numbers     map[string]int             // by function or layer: the highest version
	sources     map[string]EventSource     // by ID
	code        map[string]Unpacked        // by function: what its Code property names
	live        map[string]liveRef         // by function that runs from its folders
}

func (r *resources) clear() {
	*r = resources{
		permissions: map[string]permission{}, qualifiers: map[string]map[string]bool{},
		numbers: map[string]int{}, sources: map[string]EventSource{},
		code: map[string]Unpacked{}, live: map[string]liveRef{},
	}
}

// provider is a stack.Provider made of functions.
type provider struct {
	create func(context.Context, stack.Request) (stack.Resource, error)
	update func(context.Context, stack.Request) (stack.Resource, error)
	remove func(stack.Request)
}

func (p provider) Create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return p.create(ctx, req)
}

func (p provider) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return p.update(ctx, req)
}

func (p provider) Delete(_ context.Context, req stack.Request) error {
	p.remove(req)
	return nil
}

// Registrations are the resource types that the service provides.
func (s *Service) Registrations() map[string]stack.Registration {
	// An update of a type that has no other properties than create-only ones
	// is one of metadata: there is nothing to do.
	keep := func(attributes func(stack.Request) map[string]any) func(context.Context, stack.Request) (stack.Resource, error) {
		return func(_ context.Context, req stack.Request) (stack.Resource, error) {
			return stack.Resource{PhysicalID: req.PhysicalID, Attributes: attributes(req)}, nil
		}
	}
	return map[string]stack.Registration{
		"AWS::Lambda::Function": {
			Provider:   provider{s.createFunction, s.updateFunction, s.deleteFunction},
			CreateOnly: []string{"FunctionName", "PackageType", "TenancyConfig", "DurableConfig"},
		},
		"AWS::Lambda::Permission": {
			Provider: provider{s.createPermission, keep(func(req stack.Request) map[string]any { return map[string]any{"Id": req.PhysicalID} }), s.deletePermission},
			CreateOnly: []string{"Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "InvokedViaFunctionUrl",
				"Principal", "PrincipalOrgID", "SourceAccount", "SourceArn"},
		},
		"AWS::Lambda::Version": {
			Provider:   provider{s.createVersion, keep(versionAttributes), s.deleteQualifier},
			CreateOnly: []string{"CodeSha256", "Description", "FunctionName", "RuntimePolicy"},
		},
		"AWS::Lambda::Alias": {
			Provider:   provider{s.createAlias, s.updateAlias, s.deleteQualifier},
			CreateOnly: []string{"FunctionName", "Name"},
		},
		"AWS::Lambda::EventSourceMapping": {
			Provider:   provider{s.createEventSource, s.updateEventSource, s.deleteEventSource},
			CreateOnly: []string{"EventSourceArn", "SelfManagedEventSource", "StartingPosition", "StartingPositionTimestamp"},
		},
		"AWS::Lambda::LayerVersion": {
			Provider: provider{s.createLayer, keep(func(req stack.Request) map[string]any { return map[string]any{"LayerVersionArn": req.PhysicalID} }), func(stack.Request) {}},
			CreateOnly: []string{"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName",
				"LicenseInfo"},
		},
	}
}

// splitName takes what a function may be called by apart: a name, an ARN, or
// the end of one, each with an alias or a version behind it or not.
func splitName(called string) (name, qualifier string) {
	if strings.HasPrefix(called, "arn:") {
		if parts := strings.SplitN(called, ":", 7); len(parts) == 7 && parts[5] == "function" {
			called = parts[6]
		}
	} else if _, end, ok := strings.Cut(called, ":function:"); ok {
		called = end
	}
	name, qualifier, _ = strings.Cut(called, ":")
	return name, qualifier
}

// resolve finds a function by what it may be called by; nil when there is none,
// or none of that alias or version. The caller holds the lock.
func (s *Service) resolve(called string) *function {
	if f := s.functions[called]; f != nil {
		return f
	}
	name, qualifier := splitName(called)
	if qualifier != "" && qualifier != latest && !s.resources.qualifiers[name][qualifier] {
		return nil
	}
	return s.functions[name]
}

// owner finds the function that a resource belongs to. The caller holds the lock.
func (s *Service) owner(called string) (*function, error) {
	name, _ := splitName(called)
	if f := s.functions[name]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("property FunctionName: Function not found: %s", called)
}

// EventSource is an event source mapping: a queue or a stream whose records a
// function is to be given.
type EventSource struct {
	ID               string
	Function         string // name
	Source           string // ARN of the queue or stream
	BatchSize        int    // 0 = the source's default
	BatchingWindow   int    // seconds
	Disabled         bool
	StartingPosition string // streams: "LATEST", "TRIM_HORIZON"
	ReportsFailures  bool   // the result names the records that failed
}

// EventSources lists the event source mappings by ID.
func (s *Service) EventSources() []EventSource {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []EventSource
	for _, source := range s.resources.sources {
		list = append(list, source)
	}
	slices.SortFunc(list, func(a, b EventSource) int { return strings.Compare(a.ID, b.ID) })
	return list
}
