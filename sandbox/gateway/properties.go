package gateway

import (
	"fmt"
	"strings"
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

// lambdaName takes the function's name out of an integration URI: API
// Gateway's "…:lambda:path/2015-03-31/functions/ARN/invocations", or the bare
// ARN, with the alias or version at its end; "" for none.
func lambdaName(uri string) (name, qualifier string, err error) {
	arn := uri
	if _, rest, ok := strings.Cut(uri, "/functions/"); ok {
		arn = strings.TrimSuffix(rest, "/invocations")
	}
	fields := strings.Split(arn, ":") // arn:aws:lambda:region:account:function:name[:alias]
	if len(fields) < 7 || len(fields) > 8 || fields[2] != "lambda" || fields[5] != "function" || fields[6] == "" {
		return "", "", fmt.Errorf("integration URI %q: not a Lambda function's; use arn:PARTITION:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations", uri)
	}
	if strings.Contains(fields[6], "${") {
		return "", "", fmt.Errorf("integration URI %q: stage variables in it are not emulated", uri)
	}
	if len(fields) == 8 {
		qualifier = fields[7]
	}
	return fields[6], qualifier, nil
}
