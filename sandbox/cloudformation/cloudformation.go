// Package cloudformation puts the stack engine behind CloudFormation's API.
package cloudformation

import (
	"context"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Service is CloudFormation over an engine.
type Service struct{ engine *stack.Engine }

// New makes the service.
func New(engine *stack.Engine) *Service { return &Service{engine} }

// Registrations are none: the engine itself has those of nested stacks.
func (s *Service) Registrations() map[string]stack.Registration { return nil }

// Restore has the engine keep stacks, and remember what holds the data of which.
// Those of an earlier run come back with the engine's Revive, when all services
// have what they need for that.
func (s *Service) Restore(log *journal.Log) error {
	s.engine.Remember(log)
	return nil
}

// Close cancels what stacks are at.
func (s *Service) Close(context.Context) error {
	s.engine.Close()
	return nil
}

// Endpoint lists the operations of the engine by the names that they have in
// the API.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
func (s *Service) Endpoint() wire.Endpoint {
	const namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
	return wire.Endpoint{Service: "cloudformation", Variable: "CLOUDFORMATION", Version: "2010-05-15", Handler: wire.Query(namespace, wire.Operations{Service: "cloudformation", ByName: map[string]wire.Operation{
		"ContinueUpdateRollback":      wire.On(s.engine.ContinueUpdateRollback),
		"CreateChangeSet":             wire.On(s.engine.CreateChangeSet),
		"CreateStack":                 wire.On(s.engine.CreateStack),
		"DeleteChangeSet":             wire.On(s.engine.DeleteChangeSet),
		"DeleteStack":                 wire.On(s.engine.DeleteStack),
		"DescribeChangeSet":           wire.On(s.engine.DescribeChangeSet),
		"DescribeEvents":              wire.On(s.engine.DescribeEvents),
		"DescribeStackEvents":         wire.On(s.engine.DescribeStackEvents),
		"DescribeStackResource":       wire.On(s.engine.DescribeStackResource),
		"DescribeStackResources":      wire.On(s.engine.DescribeStackResources),
		"DescribeStacks":              wire.On(s.engine.DescribeStacks),
		"ExecuteChangeSet":            wire.On(s.engine.ExecuteChangeSet),
		"GetStackPolicy":              wire.On(s.engine.GetStackPolicy),
		"GetTemplate":                 wire.On(s.engine.GetTemplate),
		"GetTemplateSummary":          wire.On(s.engine.GetTemplateSummary),
		"ListChangeSets":              wire.On(s.engine.ListChangeSets),
		"ListExports":                 wire.On(s.engine.ListExports),
		"ListImports":                 wire.On(s.engine.ListImports),
		"ListStackResources":          wire.On(s.engine.ListStackResources),
		"ListStacks":                  wire.On(s.engine.ListStacks),
		"SetStackPolicy":              wire.On(s.engine.SetStackPolicy),
		"UpdateStack":                 wire.On(s.engine.UpdateStack),
		"UpdateTerminationProtection": wire.On(s.engine.UpdateTerminationProtection),
		"ValidateTemplate":            wire.On(s.engine.ValidateTemplate),
	}})}
}
