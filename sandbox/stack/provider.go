// Package stack is CloudFormation itself, small and local: it walks a
// template's resources in dependency order, evaluates their properties, gives
// each to the provider for its type, and keeps stacks, change sets, events and
// outputs with CloudFormation's own statuses. It knows no service.
package stack

import (
	"context"
	"strings"
)

// Ref identifies the stack that a resource belongs to.
type Ref struct {
	Name    string // "MywsappStaging"
	ID      string // its ARN
	Region  string
	Account string // twelve digits
}

// Request is one piece of work for a provider. Properties are fully
// evaluated: plain JSON values, numbers as json.Number, and no intrinsics.
type Request struct {
	Stack      Ref
	LogicalID  string
	Type       string
	PhysicalID string         // Update, Delete
	Properties map[string]any // Create, Update; the last known ones for Delete
	Old        map[string]any // Update: the properties it has now
	// Restored says of a Create that PhysicalID was made by an earlier run, for
	// the same resource of a stack of the same name, and may still be there. Of a
	// stack that is brought back whole, Token is what it was then and Attributes
	// are what it had: the resource is to be what it was, and nothing else is to
	// happen for it again.
	Restored   bool
	Attributes map[string]any
	// Token is fresh for every Create, in capital letters and digits: a
	// physical name that ends in it collides with no other, also not with that
	// of the resource it replaces.
	Token string
	// Tell adds an event to the stack, of what goes on with a resource that takes
	// long; nil = nobody listens.
	Tell func(text string)
}

// Name makes a physical name as CloudFormation does for a resource that is
// given none: stack, logical ID and a random part, cut to at most limit
// characters with the random part kept whole.
func (r Request) Name(limit int) string {
	front := r.Stack.Name + "-" + r.LogicalID
	if room := limit - len(r.Token) - 1; len(front) > room {
		front = strings.TrimRight(front[:max(room, 0)], "-")
	}
	return front + "-" + r.Token
}

// Whole reports whether the stack that the resource belongs to is brought back as
// it was in an earlier run.
func (r Request) Whole() bool { return r.Restored && r.Attributes != nil }

// Had is the text of an attribute that a restored resource had; "" = none.
func (r Request) Had(attribute string) string {
	had, _ := r.Attributes[attribute].(string)
	return had
}

// Resource is what a provider made.
type Resource struct {
	PhysicalID string         // what Ref gives
	Attributes map[string]any // what Fn::GetAtt gives
	// Note is shown as the status reason of the event that says it is made; ""
	// when there is nothing to say.
	Note string
	// NoEcho says of a custom resource that its attributes are secret: they are not
	// shown. Object is where its answer was, for errors.
	NoEcho bool
	Object string
}

// Untouched is the error of an Update that was refused before anything was done: a
// rollback has nothing to undo.
type Untouched struct{ Err error }

// Error is that of Err.
func (u Untouched) Error() string { return u.Err.Error() }

// Unwrap gives Err.
func (u Untouched) Unwrap() error { return u.Err }

// Provider makes, changes and removes resources of one or more types. Create
// must be undoable by Delete. Of a custom resource that failed to be made, a
// resource may come with the error, which a rollback deletes. Errors are shown to the user as the resource's
// status reason.
type Provider interface {
	Create(ctx context.Context, req Request) (Resource, error)
	Update(ctx context.Context, req Request) (Resource, error)
	Delete(ctx context.Context, req Request) error
}

// Registration is a provider with what the engine must know of its type.
type Registration struct {
	Provider Provider
	// CreateOnly are the top-level properties that cannot change in place, of a
	// type that is not AWS's: an update that touches one makes a new resource and
	// deletes the old one. Those of AWS are described in package registry.
	CreateOnly []string
	// Keeps says that its resources hold data which outlives the process. A
	// stack that is made again is given those that it had.
	Keeps bool
	// Reads says that Create takes its properties by Read and does nothing before
	// that, so that they can be looked at before anything of the stack is made.
	Reads bool
	// Check looks at properties before anything is made, in the place of that;
	// values may be Unknown. nil = there is none.
	Check func(properties map[string]any) error
	// Refused is why no resource of the type is made here; "" = they are.
	Refused string
	// Identifier is the property by which a resource that is there already is imported
	// into a stack, and Import finds that one, whose Request.PhysicalID is the
	// property's value, and changes nothing of it. nil = none is imported.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-supported-resources.html
	Identifier string
	Import     func(ctx context.Context, req Request) (Resource, error)
	// Recorded says that its resources are kept in mind and do nothing here.
	Recorded bool
}
