package gateway

import (
	"fmt"
	"time"

	"arc/sandbox/stack"
)

// problems remembers the first thing that is wrong with a resource, so that a
// provider looks at all of it and checks once.
type problems struct{ err error }

// read fills a struct with a resource's properties, strictly (stack.Read).
func read(values map[string]any, into any, harmless ...string) *problems {
	return &problems{stack.Read(values, into, harmless...)}
}

func (p *problems) fail(name, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("property %s: %s", name, fmt.Sprintf(format, args...))
	}
}

// timeout reads TimeoutInMillis; the default is also the most it may be.
func (p *problems) timeout(name string, ms *int, most time.Duration) time.Duration {
	if ms == nil {
		return most
	}
	d := time.Duration(*ms) * time.Millisecond
	if d < 50*time.Millisecond || d > most {
		p.fail(name, "timeout should be between 50 ms and %d ms", most.Milliseconds())
		return most
	}
	return d
}
