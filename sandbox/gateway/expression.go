package gateway

import (
	"net/http"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/velocity"
)

// surroundings are what the expressions of an API may name of a request: those of
// identity sources, of parameter mappings, and of templates.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
type surroundings struct {
	header         http.Header
	query          map[string][]string
	path           string            // within the stage
	variables      map[string]string // of the path
	stageVariables map[string]string
	context        map[string]string // $context.NAME
	tree           *velocity.Map     // the same for templates, of a WebSocket API
	response       *answered         // $response.…; nil = none yet
	caller         *caller           // $context.authorizer.NAME; nil = nobody was asked
	body           []byte
}

// lookup is the value of an expression as HTTP APIs write it ($request.header.x)
// or WebSocket APIs do (route.request.header.x); false when the request has none.
func (s *surroundings) lookup(expression string) (string, bool) {
	name := strings.TrimPrefix(strings.TrimPrefix(expression, "$"), "route.")
	switch {
	case name == "request.path":
		return s.path, true
	case name == "request.body":
		return string(s.body), true
	}
	if name, ok := strings.CutPrefix(name, "response."); ok {
		return s.response.lookup(name)
	}
	if name, ok := strings.CutPrefix(name, "request.header."); ok {
		values := s.header.Values(name)
		return strings.Join(values, ","), len(values) > 0
	}
	if name, ok := strings.CutPrefix(name, "request.querystring."); ok {
		values := s.query[name]
		return strings.Join(values, ","), len(values) > 0
	}
	if name, ok := strings.CutPrefix(name, "request.path."); ok {
		value, ok := s.variables[name]
		return value, ok
	}
	if path, ok := strings.CutPrefix(name, "request.body"); ok && strings.Contains(path, "[") {
		return ingress.At(s.body, "$"+path)
	}
	if name, ok := strings.CutPrefix(name, "request.body."); ok {
		return ingress.Field(s.body, strings.Split(name, "."))
	}
	if name, ok := strings.CutPrefix(name, "stageVariables."); ok {
		value, ok := s.stageVariables[name]
		return value, ok
	}
	if name, ok := strings.CutPrefix(name, "context.authorizer."); ok {
		return s.caller.lookup(name)
	}
	if name, ok := strings.CutPrefix(name, "context."); ok {
		value, ok := s.context[name]
		return value, ok
	}
	return "", false
}

// surroundings are those of a request to an HTTP API.
func (c *call) surroundings() *surroundings {
	r := c.request
	host, prefix := ingress.Domain(r)
	h := r.Header.Clone()
	h.Set("Host", r.Host)
	return &surroundings{
		header: h, query: ingress.Query(r), path: ingress.Unescape(c.path), variables: c.variables, stageVariables: c.stage.variables, caller: c.caller, body: c.body,
		context: map[string]string{
			"accountId": c.api.stack.Account, "apiId": c.api.id, "stage": c.stage.name, "routeKey": c.route.key, "requestId": c.id, "extendedRequestId": c.id,
			"domainName": host, "domainPrefix": prefix, "httpMethod": r.Method, "path": r.URL.Path, "protocol": r.Proto,
			"requestTime": c.at.UTC().Format(clockFormat), "requestTimeEpoch": strconv.FormatInt(c.at.UnixMilli(), 10),
			"identity.sourceIp": ingress.SourceIP(r), "identity.userAgent": ingress.Latin1(r.UserAgent()),
		},
	}
}

// surroundings are those of what a connection asks for, of what functions are told as
// requestContext.
func (c *connection) surroundings(live *liveStage, at socketContext) *surroundings {
	s := &surroundings{stageVariables: live.variables, caller: c.caller, context: map[string]string{}, tree: velocity.NewMap()}
	text, err := ingress.Encode(at)
	if err != nil {
		return s // of texts and numbers: never fails
	}
	if tree, err := velocity.FromJSON(text); err == nil {
		s.tree, _ = tree.(*velocity.Map)
	}
	flatten(s.context, "", s.tree)
	return s
}

// requested are the surroundings of the request that opens a connection, with the headers
// and the query that no message has.
func (c *connection) requested(live *liveStage, r *http.Request) *surroundings {
	s := c.surroundings(live, c.context(live, "$connect", "CONNECT", ingress.NewToken()))
	s.header, s.query = ingress.Forwarded(r, c.connected), ingress.Query(r)
	ingress.DropHops(s.header)
	return s
}

// flatten puts the values of a map by the paths that lead to them.
func flatten(into map[string]string, prefix string, m *velocity.Map) {
	for _, key := range m.Keys() {
		if inner, ok := m.Get(key).(*velocity.Map); ok {
			flatten(into, prefix+key+".", inner)
			continue
		}
		into[prefix+key] = velocity.String(m.Get(key))
	}
}
