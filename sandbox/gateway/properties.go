package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// properties reads a resource's evaluated properties. The first wrong one is
// remembered in err, so a provider reads them all and checks once.
type properties struct {
	values map[string]any
	err    error
}

// read starts reading. Every property must be either used or known to make no
// difference on one machine: to drop, say, an authorizer silently would make
// something public that is not.
func read(values map[string]any, used, harmless []string) *properties {
	p := &properties{values: values}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(used, name) && !slices.Contains(harmless, name) {
			p.fail(name, "not emulated by the local cloud")
		}
	}
	return p
}

func (p *properties) fail(name, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("property %s: %s", name, fmt.Sprintf(format, args...))
	}
}

func (p *properties) text(name string) string {
	switch v := p.values[name].(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	p.fail(name, "must be a string")
	return ""
}

func (p *properties) required(name string) string {
	v := p.text(name)
	if v == "" {
		p.fail(name, "is required")
	}
	return v
}

func (p *properties) flag(name string) bool {
	switch v := p.values[name].(type) {
	case nil:
		return false
	case bool:
		return v
	case string: // templates may spell booleans as strings
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
	}
	p.fail(name, "must be true or false")
	return false
}

func (p *properties) object(name string) map[string]any {
	v, ok := p.values[name].(map[string]any)
	if p.values[name] != nil && !ok {
		p.fail(name, "must be an object")
	}
	return v
}

func (p *properties) texts(name string) []string {
	list, ok := p.values[name].([]any)
	if p.values[name] != nil && !ok {
		p.fail(name, "must be a list")
	}
	var out []string
	for _, item := range list {
		s, ok := item.(string)
		if !ok {
			p.fail(name, "must be a list of strings")
		}
		out = append(out, s)
	}
	return out
}

func (p *properties) textMap(name string) map[string]string {
	var out map[string]string
	for key, value := range p.object(name) {
		if out == nil {
			out = map[string]string{}
		}
		out[key] = fmt.Sprint(value)
	}
	return out
}

// timeout reads TimeoutInMillis; the default is also the most it may be.
func (p *properties) timeout(name string, most time.Duration) time.Duration {
	text := p.text(name)
	if text == "" {
		return most
	}
	ms, err := strconv.Atoi(text)
	d := time.Duration(ms) * time.Millisecond
	if err != nil || d < 50*time.Millisecond || d > most {
		p.fail(name, "timeout should be between 50 ms and %d ms", most.Milliseconds())
		return most
	}
	return d
}

// lambdaName takes the function's name out of an integration URI: API
// Gateway's "…:lambda:path/2015-03-31/functions/ARN/invocations", or the bare
// ARN. The alias or version at its end is not part of the name, since the
// local cloud has one version of everything.
func lambdaName(uri string) (string, error) {
	arn := uri
	if _, rest, ok := strings.Cut(uri, "/functions/"); ok {
		arn = strings.TrimSuffix(rest, "/invocations")
	}
	fields := strings.Split(arn, ":") // arn:aws:lambda:region:account:function:name[:alias]
	if len(fields) < 7 || len(fields) > 8 || fields[2] != "lambda" || fields[5] != "function" || fields[6] == "" {
		return "", fmt.Errorf("integration URI %q: not a Lambda function's; use arn:PARTITION:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations", uri)
	}
	if strings.Contains(fields[6], "${") {
		return "", fmt.Errorf("integration URI %q: stage variables in it are not emulated", uri)
	}
	return fields[6], nil
}
