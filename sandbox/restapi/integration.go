package restapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
)

// Kinds of integrations.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html
const (
	kindLambdaProxy = "AWS_PROXY"
	kindLambda      = "AWS"
	kindHTTPProxy   = "HTTP_PROXY"
	kindHTTP        = "HTTP"
	kindMock        = "MOCK"
)

// integrationProperties are those of a Method's Integration; an OpenAPI document has
// them under the same names with a small first letter.
type integrationProperties struct {
	Type, Uri, IntegrationHttpMethod, Credentials, ConnectionType string
	ConnectionId, ContentHandling, PassthroughBehavior            string
	CacheNamespace, ResponseTransferMode, IntegrationTarget       string
	CacheKeyParameters                                            []string
	RequestParameters, RequestTemplates                           map[string]string
	TimeoutInMillis                                               *int
	TlsConfig                                                     any
	IntegrationResponses                                          []responseProperties
}

type responseProperties struct {
	StatusCode                            string `cfn:"required"`
	SelectionPattern, ContentHandling     string
	ResponseParameters, ResponseTemplates map[string]string
}

// integration is what a method calls.
type integration struct {
	properties *integrationProperties
	kind       string
	target     target // of a function
	uri        string
	role       string // ARN: in whose name a service is called
	// varies says that the URI has stage variables in it.
	varies     bool
	verb       string // of an HTTP backend: "" or ANY for the request's own
	parameters []mapping
	requests   templates
	// passthrough is WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER.
	passthrough string
	binary      string // ContentHandling
	responses   []integrationResponse
	note        string
}

// integrationResponse is what becomes of an answer of a backend.
type integrationResponse struct {
	status     string
	pattern    *regexp.Regexp // nil = the default
	parameters []mapping
	templates  templates
	binary     string
}

// read checks an integration's properties. at goes before their names in messages.
func (in *integrationProperties) read(p *problems, at string) *integration {
	i := &integration{
		properties: in, kind: in.Type, uri: in.Uri, verb: in.IntegrationHttpMethod, passthrough: in.PassthroughBehavior, binary: in.ContentHandling,
		varies: strings.Contains(in.Uri, "${stageVariables."),
	}
	if i.passthrough == "" {
		i.passthrough = "WHEN_NO_MATCH"
	}
	i.target.timeout = p.timeout(at+"TimeoutInMillis", in.TimeoutInMillis)
	i.target.credentials = in.Credentials != ""
	p.refuse(in.ConnectionType != "" && in.ConnectionType != "INTERNET", at+"ConnectionType", "only INTERNET is there")
	p.refuse(in.ResponseTransferMode == "STREAM" || strings.HasSuffix(in.Uri, "response-streaming-invocations"), at+"ResponseTransferMode", "answers are BUFFERED here")
	checkHandling(p, at, in.ContentHandling)
	if !slices.Contains([]string{"WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"}, i.passthrough) {
		p.fail(at+"PassthroughBehavior", "must be WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER, not %q", i.passthrough)
	}
	i.point(p, at, in)
	i.parameters = readMappings(p, at+"RequestParameters", in.RequestParameters, "integration.request.", "method.request.")
	i.requests = readTemplates(p, at+"RequestTemplates", in.RequestTemplates)
	for n, r := range in.IntegrationResponses {
		name := fmt.Sprintf("%sIntegrationResponses[%d].", at, n)
		out := integrationResponse{status: r.StatusCode, binary: r.ContentHandling}
		checkHandling(p, name, r.ContentHandling)
		if code, err := strconv.Atoi(r.StatusCode); (err != nil || code < 100 || code > 599) && r.StatusCode != "" {
			p.fail(name+"StatusCode", "%q is no status", r.StatusCode)
		}
		if r.SelectionPattern != "" {
			var err error
			if out.pattern, err = regexp.Compile("^(?:" + r.SelectionPattern + ")$"); err != nil {
				p.fail(name+"SelectionPattern", "cannot be evaluated by the local cloud: %v", err)
			}
		}
		out.parameters = readMappings(p, name+"ResponseParameters", r.ResponseParameters, "method.response.", "integration.response.")
		out.templates = readTemplates(p, name+"ResponseTemplates", r.ResponseTemplates)
		i.responses = append(i.responses, out)
	}
	return i
}

// checkHandling checks how bodies are converted; "" = not at all.
func checkHandling(p *problems, at, value string) {
	if value != "" && value != "CONVERT_TO_TEXT" && value != "CONVERT_TO_BINARY" {
		p.fail(at+"ContentHandling", "must be CONVERT_TO_TEXT or CONVERT_TO_BINARY, not %q", value)
	}
}

// point checks where an integration leads.
func (i *integration) point(p *problems, at string, in *integrationProperties) {
	var err error
	switch {
	case i.kind == "":
		p.fail(at+"Type", "is required")
	case i.kind == kindMock:
	case in.Uri == "":
		// It may not be known yet; where it is, API Gateway wants one.
		if p.err == nil {
			p.fail(at+"Uri", "is required for %s", i.kind)
		}
	case (i.kind == kindLambdaProxy || i.kind == kindLambda) && ingress.IsFunction(in.Uri):
		i.target.function, i.target.qualifier, err = pointed(in.Uri)
		if err != nil {
			p.fail(at+"Uri", "%v", err)
		}
		if i.verb != "POST" && (i.verb != "" || p.err == nil) {
			p.fail(at+"IntegrationHttpMethod", "must be POST for a function, not %q: deployed, calls fail", i.verb)
		}
	case i.kind == kindLambdaProxy:
		p.fail(at+"Uri", "AWS_PROXY leads to functions; an integration with the service %s is of the type AWS", serviceOf(in.Uri))
	case i.kind == kindLambda:
		i.role = in.Credentials
		if strings.HasPrefix(i.role, "arn:aws:iam::*:") {
			p.fail(at+"Credentials", "not emulated by the local cloud: the caller's own rights; name a role")
		}
		if _, err := ingress.ServiceIn(ingress.PlainVariables(in.Uri), "method"); err != nil {
			p.fail(at+"Uri", "%v", err)
		}
		if i.verb == "" && p.err == nil {
			p.fail(at+"IntegrationHttpMethod", "is required for %s", i.kind)
		}
		if i.role == "" && p.err == nil {
			p.fail(at+"Credentials", "role ARN must be specified for AWS integrations: a service is called in the name of a role that apigateway.amazonaws.com may take")
		}
	case i.kind == kindHTTP || i.kind == kindHTTPProxy:
		if err := checkURL(in.Uri); err != nil {
			p.fail(at+"Uri", "%v", err)
		}
		if i.verb == "" && p.err == nil {
			p.fail(at+"IntegrationHttpMethod", "is required for %s", i.kind)
		}
	default:
		p.fail(at+"Type", "must be AWS, AWS_PROXY, HTTP, HTTP_PROXY or MOCK, not %q", i.kind)
	}
	if len(in.CacheKeyParameters) > 0 || in.CacheNamespace != "" {
		i.note = "the local cloud caches no answers of integrations"
	}
}

func pointed(uri string) (function, qualifier string, err error) {
	t, err := functionOf(uri)
	return t.function, t.qualifier, err
}

// checkURL checks the URI of an HTTP backend.
func checkURL(uri string) error {
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(ingress.PlainVariables(uri)))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q must be an http or https URL", uri)
	}
	return nil
}

// of is the function that an integration calls in a stage.
func (i *integration) of(variables map[string]string) (target, error) {
	if !i.varies {
		return i.target, nil
	}
	t, err := functionOf(ingress.FillVariables(i.uri, variables))
	t.timeout, t.credentials = i.target.timeout, i.target.credentials
	return t, err
}

// response is the integration response for an answer; nil = there is none.
func (i *integration) response(selector string) *integrationResponse {
	var fallback *integrationResponse
	for n := range i.responses {
		r := &i.responses[n]
		if r.pattern != nil && r.pattern.MatchString(selector) {
			return r
		}
		if r.pattern == nil && fallback == nil {
			fallback = r
		}
	}
	return fallback
}

// mapping is one entry of RequestParameters or ResponseParameters.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
type mapping struct{ place, name, value string }

// readMappings reads parameters whose destinations begin with to and whose values
// with from, context., stageVariables., or stand in single quotes.
func readMappings(p *problems, property string, values map[string]string, to, from string) []mapping {
	var list []mapping
	for _, key := range slices.Sorted(maps.Keys(values)) {
		rest, ok := strings.CutPrefix(key, to)
		place, name, _ := strings.Cut(rest, ".")
		value := values[key]
		places := []string{"header"}
		if to == "integration.request." {
			places = []string{"header", "querystring", "path"}
		}
		if !ok || name == "" || !slices.Contains(places, place) {
			p.fail(property, "%s: invalid mapping expression specified; use %s%s.NAME", key, to, strings.Join(places, ".NAME, "+to))
			continue
		}
		if value != "" && !isQuoted(value) && !isFrom(value, from) && !strings.HasPrefix(value, "context.") && !strings.HasPrefix(value, "stageVariables.") {
			p.fail(property, "%s: invalid mapping expression specified: %s; use %sheader.NAME and the like, context.…, stageVariables.… or 'text'", key, value, from)
		}
		list = append(list, mapping{place, name, value})
	}
	return list
}

// isFrom reports whether an expression is a place of a request (method.request.) or of
// an answer (integration.response.).
func isFrom(value, from string) bool {
	rest, ok := strings.CutPrefix(value, from)
	place, name, _ := strings.Cut(rest, ".")
	places := []string{"header", "multivalueheader"}
	if from == "method.request." {
		places = append(places, "querystring", "multivaluequerystring", "path")
	}
	return ok && (place == "body" || slices.Contains(places, place) && name != "")
}

func isQuoted(value string) bool {
	return len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\''
}

// value is what a mapping's expression gives; false = there is nothing.
func (c *call) value(expression string, answered *backendAnswer) ([]string, bool) {
	one := func(text string, ok bool) ([]string, bool) { return []string{text}, ok }
	if isQuoted(expression) {
		return one(expression[1:len(expression)-1], true)
	}
	if name, ok := strings.CutPrefix(expression, "context."); ok {
		return one(c.context(name))
	}
	if name, ok := strings.CutPrefix(expression, "stageVariables."); ok {
		text, ok := c.stage.variables[name]
		return one(text, ok)
	}
	if rest, ok := strings.CutPrefix(expression, "integration.response."); ok {
		return answered.value(rest)
	}
	rest := strings.TrimPrefix(expression, "method.request.")
	place, name, _ := strings.Cut(rest, ".")
	last := func(values []string) ([]string, bool) {
		if len(values) == 0 {
			return nil, false
		}
		return values[len(values)-1:], true
	}
	switch place {
	case "header":
		return last(c.headers.Values(name))
	case "multivalueheader":
		values := c.headers.Values(name)
		return values, len(values) > 0
	case "querystring":
		return last(c.query()[name])
	case "multivaluequerystring":
		values := c.query()[name]
		return values, len(values) > 0
	case "path":
		text, ok := c.variables[name]
		return one(text, ok)
	case "body":
		if name == "" {
			return one(string(c.body), true)
		}
		return one(ingress.Field(c.body, strings.Split(name, ".")))
	}
	return nil, false
}

// backendAnswer is what came back from an integration.
type backendAnswer struct {
	status int
	header http.Header
	body   []byte
}

// value is what follows integration.response.
func (a *backendAnswer) value(rest string) ([]string, bool) {
	if a == nil {
		return nil, false
	}
	place, name, _ := strings.Cut(rest, ".")
	switch place {
	case "header", "multivalueheader":
		values := a.header.Values(name)
		if len(values) > 0 && place == "header" {
			values = values[len(values)-1:]
		}
		return values, len(values) > 0
	case "body":
		if name == "" {
			return []string{string(a.body)}, true
		}
		text, ok := ingress.Field(a.body, strings.Split(name, "."))
		return []string{text}, ok
	}
	return nil, false
}
