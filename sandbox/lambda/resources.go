package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// latest is the version of code that has none.
const latest = "$LATEST"

// resources are what stacks make beside functions. The service's lock guards them.
type resources struct {
	permissions map[string]permission         // by statement ID
	decided     map[question]bool             // what they allow, as far as it was asked; nil = nothing was
	qualifiers  map[string]map[string]bool    // by function: its aliases and versions
	aliases     map[string]alias              // by ARN
	frozen      map[string]json.RawMessage    // by stack and logical ID: versions of an earlier run
	properties  map[string]map[string]any     // by function: what its resource has set
	tags        map[string]map[string]string  // by function
	numbers     map[string]int                // by function or layer: the highest version
	layers      map[string]string             // by ARN: the folder with what it holds
	told        map[string]bool               // what was said of layers
	sources     map[string]EventSource        // by ID
	code        map[string]Unpacked           // by function: what its Code property names
	live        map[string]liveRef            // by function that runs from its folders
	policies    map[string]invoke.Policy      // by function and what it is called by: of asynchronous events
	pollers     map[string]context.CancelFunc // by event source: ends its polling
	origins     map[string]string             // by function: its stack and logical ID
	pending     map[string][]invoke.Pending   // by stack and logical ID: events of an earlier run
}

func (r *resources) clear() {
	*r = resources{
		permissions: map[string]permission{}, qualifiers: map[string]map[string]bool{}, aliases: map[string]alias{}, frozen: map[string]json.RawMessage{}, properties: map[string]map[string]any{}, tags: map[string]map[string]string{},
		numbers: map[string]int{}, layers: map[string]string{}, told: map[string]bool{}, sources: map[string]EventSource{},
		code: map[string]Unpacked{}, live: map[string]liveRef{}, policies: map[string]invoke.Policy{}, pollers: map[string]context.CancelFunc{},
		origins: map[string]string{}, pending: map[string][]invoke.Pending{},
	}
}

// Registrations are the resource types that the service provides.
func (s *Service) Registrations() map[string]stack.Registration {
	attribute := func(name string) func(stack.Request) map[string]any {
		return func(req stack.Request) map[string]any { return map[string]any{name: req.PhysicalID} }
	}
	return map[string]stack.Registration{
		"AWS::Lambda::Function": {
			Provider: stack.Steps{OnCreate: s.createFunction, OnUpdate: s.updateFunction, OnDelete: s.deleteFunction},
		},
		"AWS::Lambda::Permission": {
			Provider: stack.Steps{OnCreate: s.createPermission, Attributes: attribute("Id"), OnDelete: s.deletePermission},
		},
		"AWS::Lambda::Version": {
			Provider: stack.Steps{OnCreate: s.createVersion, Attributes: versionAttributes, OnDelete: s.deleteQualifier},
		},
		"AWS::Lambda::Alias": {
			Provider: stack.Steps{OnCreate: s.createAlias, OnUpdate: s.updateAlias, OnDelete: s.deleteQualifier},
		},
		"AWS::Lambda::EventInvokeConfig": {
			Provider: stack.Steps{OnCreate: s.createPolicy, OnUpdate: s.updatePolicy, OnDelete: s.deletePolicy},
		},
		"AWS::Lambda::EventSourceMapping": {
			Provider: stack.Steps{OnCreate: s.createEventSource, OnUpdate: s.updateEventSource, OnDelete: s.deleteEventSource},
		},
		"AWS::Lambda::LayerVersion": {
			Provider: stack.Steps{OnCreate: s.createLayer, Attributes: attribute("LayerVersionArn"), OnDelete: s.deleteLayer},
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
	f := s.functions[name]
	if f == nil || qualifier == "" || qualifier == latest {
		return f
	}
	if !s.resources.qualifiers[name][qualifier] {
		return nil
	}
	if a, ok := s.resources.aliases[f.ARN+":"+qualifier]; ok {
		qualifier = a.pick()
	}
	if version := s.functions[name+":"+qualifier]; version != nil {
		return version
	}
	return f // live: every version runs what is saved
}

// withQualifier is a function's name with the version or alias that it was called
// by behind it.
func withQualifier(name, called string) string {
	if _, qualifier := splitName(called); qualifier != "" {
		return name + ":" + qualifier
	}
	return name
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
	Called           string // the same with the version or alias that is to run
	Source           string // ARN of the queue or stream
	BatchSize        int    // 0 = the source's default
	BatchingWindow   int    // seconds
	Disabled         bool
	StartingPosition string // streams: "LATEST", "TRIM_HORIZON"
	ReportsFailures  bool   // the result names the records that failed
	// MaximumConcurrency is how many batches a function is given at once; 0 = as
	// many as it takes.
	MaximumConcurrency int

	filter *filter
	stream streamSettings
	key    string // of where it is in its stream, from one run to the next
}
