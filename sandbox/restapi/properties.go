package restapi

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// problems remembers the first thing that is wrong with a resource, so that a
// provider looks at all of it and checks once. What is not known yet gives way to
// what is wrong.
type problems struct{ err error }

// read fills a struct with a resource's properties, strictly (stack.Read).
func read(values map[string]any, into any, harmless ...string) *problems {
	return &problems{stack.Read(values, into, harmless...)}
}

func (p *problems) fail(name, format string, args ...any) {
	p.add(fmt.Errorf("property %s: %s", name, fmt.Sprintf(format, args...)))
}

func (p *problems) add(err error) {
	if err != nil && (p.err == nil || errors.Is(p.err, stack.ErrUnknown) && !errors.Is(err, stack.ErrUnknown)) {
		p.err = err
	}
}

// refuse names a property that makes a difference deployed and has none here.
func (p *problems) refuse(given bool, name, why string) {
	if given {
		p.fail(name, "not emulated by the local cloud: %s", why)
	}
}

// owner is the API that a resource's RestApiId names; nil = there is none.
func (g *APIs) owner(p *problems, id string) *api {
	a := g.apis[id]
	if a == nil && p.err == nil {
		p.fail("RestApiId", "invalid API identifier specified: %s", id)
	}
	return a
}

// most is how long an integration may take where its quota has not been raised.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const most = 29 * time.Second

// timeout reads TimeoutInMillis.
func (p *problems) timeout(name string, ms *int) time.Duration {
	if ms == nil {
		return most
	}
	d := time.Duration(*ms) * time.Millisecond
	if d < 50*time.Millisecond || d > 5*time.Minute {
		p.fail(name, "timeout should be between 50 ms and 29000 ms, or what a raised quota of a Regional API allows")
		return most
	}
	return d
}

// function reads the URI of a function: ${stageVariables.NAME} in it is filled in
// when it is called.
func functionOf(uri string) (t target, err error) {
	if strings.Contains(uri, "${stageVariables.") {
		return target{}, nil
	}
	t.function, t.qualifier, err = ingress.LambdaName(strings.TrimSuffix(uri, "/response-streaming-invocations"))
	return t, err
}

// serviceOf is the service in arn:aws:apigateway:REGION:SERVICE:path/…
func serviceOf(uri string) string {
	if parts := strings.SplitN(uri, ":", 6); len(parts) == 6 && parts[2] == "apigateway" {
		return parts[4]
	}
	return ""
}

// taken adapts a map's keys to ingress.IDOf.
func taken[V any](m map[string]V) func(string) bool {
	return func(id string) bool { _, ok := m[id]; return ok }
}

func never(string) bool { return false }
