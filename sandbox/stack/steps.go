package stack

import "context"

// Steps is a Provider made of functions, as a service has them.
type Steps struct {
	// OnCreate makes the resource.
	OnCreate func(context.Context, Request) (Resource, error)
	// OnUpdate changes it; nil is for types whose every property replaces: what
	// Attributes tells stays as it was.
	OnUpdate func(context.Context, Request) (Resource, error)
	// OnDelete removes it; nil when there is nothing to remove.
	OnDelete func(context.Context, Request) error
	// Attributes tells Ref's companions again where OnUpdate is nil; nil = none.
	Attributes func(Request) map[string]any
}

// Create makes the resource.
func (s Steps) Create(ctx context.Context, req Request) (Resource, error) {
	return s.OnCreate(ctx, req)
}

// Update changes the resource.
func (s Steps) Update(ctx context.Context, req Request) (Resource, error) {
	if s.OnUpdate != nil {
		return s.OnUpdate(ctx, req)
	}
	made := Resource{PhysicalID: req.PhysicalID}
	if s.Attributes != nil {
		made.Attributes = s.Attributes(req)
	}
	return made, nil
}

// Delete removes the resource.
func (s Steps) Delete(ctx context.Context, req Request) error {
	if s.OnDelete == nil {
		return nil
	}
	return s.OnDelete(ctx, req)
}
