package sandbox

import (
	"context"

	"arc/sandbox/stack"
)

// Previewed asks each type that reads its properties first what it says of those
// that are not known; nil = it did not read them.
func (c *Cloud) Previewed() map[string]error {
	out := map[string]error{}
	for name, r := range registrations(c.all) {
		if r.Reads {
			out[name] = stack.Previewed(name, r)
		}
	}
	return out
}

// Types are the resource types that the cloud makes, by name.
func (c *Cloud) Types() map[string]stack.Registration { return registrations(c.all) }

// MayHandle is what the cloud asks before a step of a stack operation.
func (c *Cloud) MayHandle(ctx context.Context, step string, req stack.Request, role string) error {
	return c.mayHandle(ctx, step, req, role)
}
