package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"arc/cfn/iam"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// caller is what is known of who calls, once a route has let him in. A nil caller
// is anybody.
type caller struct {
	principal string
	context   map[string]json.RawMessage // of a REQUEST authorizer
	claims    map[string]json.RawMessage // of a JWT
	scopes    []string
	iam       *ingress.Identity
	usageKey  string // the API key that an authorizer found
}

// lookup is $context.authorizer.NAME.
func (c *caller) lookup(name string) (string, bool) {
	if c == nil {
		return "", false
	}
	if name == "principalId" {
		return c.principal, c.principal != ""
	}
	if name == "usageIdentifierKey" {
		return c.usageKey, c.usageKey != ""
	}
	values := c.context
	if claim, ok := strings.CutPrefix(name, "claims."); ok {
		name, values = claim, c.claims
	}
	return ingress.Plain(values[name])
}

// refusal is why a caller is not let in.
type refusal struct {
	status  int
	message string
	why     string // for the log
	header  http.Header
}

func unauthorized(format string, args ...any) *refusal {
	return &refusal{status: http.StatusUnauthorized, message: "Unauthorized", why: fmt.Sprintf(format, args...)}
}

func denied(format string, args ...any) *refusal {
	return &refusal{status: http.StatusForbidden, message: "Forbidden", why: fmt.Sprintf(format, args...)}
}

// authorize asks for a request to an HTTP API what its route asks for.
func (g *Gateway) authorize(c *call) *refusal {
	auth := c.route.auth
	if auth == nil {
		return nil
	}
	switch auth.kind {
	case "CUSTOM":
		arn := c.api.source(c.stage.name, c.request.Method+ingress.Unescape(c.path))
		event := c.authorizerEvent2
		if auth.authorizer.payload == "1.0" {
			event = c.authorizerEvent1
		}
		who, refused := g.askAuthorizer(auth.authorizer, c.api, c.surroundings(), arn, event)
		c.caller = who
		return refused
	case "JWT":
		who, refused := g.checkToken(c.request.Context(), auth.authorizer, c.surroundings(), auth.scopes, c.at)
		c.caller = who
		return refused
	}
	who, refused := g.checkSignature(c.request, c.body, "execute-api", "execute-api:Invoke", c.api.source(c.stage.name, c.request.Method+ingress.Unescape(c.path)), c.at)
	c.caller = who
	return refused
}

// askAuthorizer asks the function of a REQUEST authorizer, or what it said before,
// whether a caller may have an ARN. event makes its event of the identity sources.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func (g *Gateway) askAuthorizer(z *authorizer, a *api, s *surroundings, arn string, event func(z *authorizer, arn string, identity []string) ([]byte, error)) (*caller, *refusal) {
	var identity []string
	for _, expression := range z.identity {
		value, _ := s.lookup(expression)
		if value == "" {
			return nil, unauthorized("the request has no %s, which authorizer %s wants; it was not called", expression, z.name)
		}
		identity = append(identity, value)
	}
	key := s.context["stage"] + "\x00" + strings.Join(identity, "\x00")
	now := time.Now()
	said, ok := z.verdicts.get(key, now)
	if !ok {
		var refused *refusal
		if said, refused = g.callAuthorizer(z, a, arn, identity, event); refused != nil {
			return nil, refused
		}
		z.verdicts.put(key, said, now)
	}
	if said.simple != nil {
		if !*said.simple {
			return nil, denied("authorizer %s says isAuthorized: false", z.name)
		}
		return said.caller, nil
	}
	decided, err := ingress.Decide(said.policy, arn, ingress.Facts{Header: s.header, Context: func(name string) string { return s.context[name] }})
	refused := denied("the policy of authorizer %s does not allow execute-api:Invoke on %s", z.name, arn)
	switch {
	case err != nil:
		return nil, z.broken("%v", err)
	case decided.Effect == iam.Unknown:
		z.told.Do(func() {
			g.options.Tell.Notice("the policy of authorizer %s: execute-api:Invoke on %s: %s: let through", z.name, arn, strings.Join(decided.Unknown, ", "))
		})
		return said.caller, nil
	case decided.Effect == iam.Allowed:
		return said.caller, nil
	case a.protocol == protocolSocket && decided.Explicit:
		refused.message = explicitDeny
	case a.protocol == protocolSocket:
		refused.message = implicitDeny
	}
	return nil, refused
}

// What WebSocket APIs say to those whom a policy does not let in; HTTP APIs say
// Forbidden.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
const (
	explicitDeny = "User is not authorized to access this resource with an explicit deny"
	implicitDeny = "User is not authorized to access this resource"
)

// broken is an authorizer that said nothing that could be understood.
func (z *authorizer) broken(format string, args ...any) *refusal {
	return &refusal{status: http.StatusInternalServerError, why: "authorizer " + z.name + ": " + fmt.Sprintf(format, args...)}
}

// callAuthorizer calls an authorizer's function and reads what it says.
func (g *Gateway) callAuthorizer(z *authorizer, a *api, arn string, identity []string, event func(*authorizer, string, []string) ([]byte, error)) (verdict, *refusal) {
	payload, err := event(z, arn, identity)
	if err != nil {
		return verdict{}, z.broken("%v", err)
	}
	result, err := g.invoke(&z.call, payload, a.arn("authorizers/"+z.id))
	switch {
	case err != nil:
		return verdict{}, z.broken("%v", err)
	case result.Failed != "":
		var thrown struct{ ErrorMessage string }
		if json.Unmarshal(result.Payload, &thrown) == nil && thrown.ErrorMessage == "Unauthorized" {
			return verdict{}, unauthorized("authorizer %s threw Unauthorized", z.name)
		}
		return verdict{}, z.broken("%s", ingress.OneLine(string(result.Payload)))
	case a.protocol == protocolSocket && len(result.Payload) > maxVerdict:
		return verdict{}, z.broken("its result has %d bytes, and a WebSocket API takes 8 KB", len(result.Payload))
	}
	said, err := z.readVerdict(result.Payload)
	if err != nil {
		return verdict{}, z.broken("%v", err)
	}
	return said, nil
}

// maxVerdict is the limit for the result of a WebSocket API's authorizer, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const maxVerdict = 8 << 10

// readVerdict reads the result of an authorizer's function.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func (z *authorizer) readVerdict(payload []byte) (verdict, error) {
	var r struct {
		IsAuthorized   *bool                      `json:"isAuthorized"`
		PrincipalID    string                     `json:"principalId"`
		PolicyDocument json.RawMessage            `json:"policyDocument"`
		UsageKey       string                     `json:"usageIdentifierKey"`
		Context        map[string]json.RawMessage `json:"context"`
	}
	var odd *json.UnmarshalTypeError
	if err := invoke.Exact(payload, &r); errors.As(err, &odd) && odd.Field != "" {
		return verdict{}, fmt.Errorf("its %s may not be a JSON %s", odd.Field, odd.Value)
	} else if err != nil || !bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) {
		return verdict{}, errors.New("its function must return an object with a policyDocument, or isAuthorized where simple responses are on")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Context)) {
		if value := bytes.TrimSpace(r.Context[name]); z.flat && len(value) > 0 && (value[0] == '{' || value[0] == '[') {
			return verdict{}, fmt.Errorf("its context %s is an object or a list: text, numbers and booleans are taken", name)
		}
	}
	out := verdict{caller: &caller{principal: r.PrincipalID, context: r.Context, usageKey: r.UsageKey}}
	switch {
	case z.simple && r.IsAuthorized != nil:
		out.simple = r.IsAuthorized
	case r.IsAuthorized != nil && r.PolicyDocument == nil:
		return verdict{}, errors.New("isAuthorized is for authorizers with EnableSimpleResponses and payload format 2.0; return a policyDocument")
	case r.PolicyDocument == nil:
		return verdict{}, errors.New("its function returned no policyDocument")
	case z.payload != "2.0" && r.PrincipalID == "":
		return verdict{}, errors.New("its function returned no principalId")
	default:
		out.policy = r.PolicyDocument
	}
	return out, nil
}

// authorizeConnect asks for a new connection what $connect asks for. Messages are
// let in with their connection.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-control-access.html
func (g *Gateway) authorizeConnect(c *connection, live *liveStage, r *http.Request) *refusal {
	rt := live.socket["$connect"]
	if rt == nil || rt.auth == nil {
		return nil
	}
	s := c.requested(live, r)
	arn := c.api.source(live.name, "$connect")
	var refused *refusal
	switch rt.auth.kind {
	case "CUSTOM":
		c.caller, refused = g.askAuthorizer(rt.auth.authorizer, c.api, s, arn, c.authorizerEvent(live, r))
	case "AWS_IAM":
		c.caller, refused = g.checkSignature(r, nil, "execute-api", "execute-api:Invoke", arn, c.connected)
	}
	if refused == nil && rt.auth.key {
		s.caller = c.caller
		c.key.id, c.key.value, refused = g.checkKey(c.api, live.name, s)
	}
	return refused
}
