package sandbox

import "arc/sandbox/stack"

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
