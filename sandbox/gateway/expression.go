package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
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
	if name, ok := strings.CutPrefix(name, "request.body."); ok {
		return field(s.body, strings.Split(name, "."))
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

// field is what a path of names leads to in JSON: text as it is, all else as JSON.
func field(body []byte, names []string) (string, bool) {
	value := json.RawMessage(body)
	for _, name := range names {
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil {
			return "", false
		}
		var ok bool
		if value, ok = object[name]; !ok {
			return "", false
		}
	}
	return plain(value)
}

// plain is a JSON value as text: a string without its quotes; null is none.
func plain(value json.RawMessage) (string, bool) {
	var text string
	switch trimmed := strings.TrimSpace(string(value)); {
	case trimmed == "null" || trimmed == "":
		return "", false
	case trimmed[0] == '"':
		err := json.Unmarshal(value, &text)
		return text, err == nil
	default:
		return trimmed, true
	}
}

// surroundings are those of a request to an HTTP API.
func (c *call) surroundings() *surroundings {
	r := c.request
	host, prefix := domain(r)
	h := r.Header.Clone()
	h.Set("Host", r.Host)
	return &surroundings{
		header: h, query: query(r), path: unescape(c.path), variables: c.variables, stageVariables: c.stage.variables, caller: c.caller, body: c.body,
		context: map[string]string{
			"accountId": c.api.stack.Account, "apiId": c.api.id, "stage": c.stage.name, "routeKey": c.route.key, "requestId": c.id, "extendedRequestId": c.id,
			"domainName": host, "domainPrefix": prefix, "httpMethod": r.Method, "path": r.URL.Path, "protocol": r.Proto,
			"requestTime": c.at.UTC().Format(clockFormat), "requestTimeEpoch": strconv.FormatInt(c.at.UnixMilli(), 10),
			"identity.sourceIp": sourceIP(r), "identity.userAgent": latin1(r.UserAgent()),
		},
	}
}

// surroundings are those of what a connection asks for.
func (c *connection) surroundings(live *liveStage, key, eventType, request string, at time.Time) *surroundings {
	return &surroundings{
		stageVariables: live.variables, caller: c.caller,
		context: map[string]string{
			"apiId": c.api.id, "stage": live.name, "routeKey": key, "requestId": request, "extendedRequestId": request, "connectionId": c.id, "eventType": eventType,
			"domainName": c.domain, "connectedAt": strconv.FormatInt(c.connected.UnixMilli(), 10), "messageDirection": "IN",
			"requestTime": at.UTC().Format(clockFormat), "requestTimeEpoch": strconv.FormatInt(at.UnixMilli(), 10),
			"identity.sourceIp": c.sourceIP, "identity.userAgent": c.userAgent,
		},
	}
}
