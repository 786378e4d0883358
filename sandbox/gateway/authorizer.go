package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

const (
	authorizerRequest = "REQUEST"
	authorizerJWT     = "JWT"
)

// authorizer is an AWS::ApiGatewayV2::Authorizer: who lets callers in, and by what
// it knows them. It does not change; an update makes another.
type authorizer struct {
	told           sync.Once // of what its policy hangs on
	id, name, kind string

	// call is the function of a REQUEST authorizer.
	call integration
	// payload is the format of its event and result: 1.0, 2.0, or "" of a
	// WebSocket API, which has one format alone.
	payload  string
	simple   bool     // its result may be {"isAuthorized": true}
	flat     bool     // its context may have neither objects nor lists: of a WebSocket API
	identity []string // expressions that must have a value, and tell callers apart
	verdicts verdicts

	// JWT
	bearer ingress.Bearer
}

// authorization is what a route asks of its callers; nil = nothing.
type authorization struct {
	kind       string // CUSTOM, JWT or AWS_IAM; "" = a key alone
	authorizer *authorizer
	scopes     []string
	key        bool // an API key, on WebSocket APIs
}

// authorizerTimeout is how long an authorizer's function may take.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const authorizerTimeout = 10 * time.Second

func (g *Gateway) createAuthorizer(req stack.Request) (stack.Resource, error) {
	a, z, err := g.readAuthorizer(req)
	if err != nil {
		return stack.Resource{}, err
	}
	z.id = ingress.IDOf(req, 6, taken(a.authorizers))
	a.authorizers[z.id] = z
	return g.unlike(req, z.resource(), beyond(len(a.authorizers), 10, "authorizers")...), nil
}

func (g *Gateway) updateAuthorizer(req stack.Request) (stack.Resource, error) {
	a, z, err := g.readAuthorizer(req)
	if err != nil {
		return stack.Resource{}, err
	}
	z.id = req.PhysicalID
	a.authorizers[z.id] = z
	a.changed()
	return z.resource(), nil
}

func (z *authorizer) resource() stack.Resource {
	return stack.Resource{PhysicalID: z.id, Attributes: map[string]any{"AuthorizerId": z.id}}
}

func (g *Gateway) deleteAuthorizer(req stack.Request) error {
	a := g.apis[fmt.Sprint(req.Properties["ApiId"])]
	if a == nil {
		return nil
	}
	for _, r := range a.routes {
		if r.authorizer == req.PhysicalID {
			return fmt.Errorf("cannot delete authorizer %s: route %s references it", req.PhysicalID, r.key)
		}
	}
	delete(a.authorizers, req.PhysicalID)
	return nil
}

// readAuthorizer reads the resource's properties.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-authorizer.html
func (g *Gateway) readAuthorizer(req stack.Request) (*api, *authorizer, error) {
	var in struct {
		ApiId                                                                   string `cfn:"required"`
		AuthorizerType                                                          string `cfn:"required"`
		Name                                                                    string `cfn:"required"`
		AuthorizerUri, AuthorizerPayloadFormatVersion, AuthorizerCredentialsArn string
		AuthorizerResultTtlInSeconds                                            int
		EnableSimpleResponses                                                   bool
		IdentitySource                                                          []string
		JwtConfiguration                                                        *struct {
			Audience []string
			Issuer   string
		}
	}
	p := read(req.Properties, &in, "IdentityValidationExpression")
	a := g.owner(p, in.ApiId)
	if a == nil || p.err != nil {
		return nil, nil, p.err
	}
	z := &authorizer{
		name: in.Name, kind: in.AuthorizerType, payload: in.AuthorizerPayloadFormatVersion, simple: in.EnableSimpleResponses,
		call: integration{kind: "AWS_PROXY", timeout: authorizerTimeout, credentials: in.AuthorizerCredentialsArn != ""},
	}
	for _, list := range in.IdentitySource {
		for _, expression := range strings.Split(list, ",") {
			z.identity = append(z.identity, strings.TrimSpace(expression))
		}
	}
	if in.JwtConfiguration != nil {
		z.bearer = ingress.Bearer{Issuer: in.JwtConfiguration.Issuer, Audience: in.JwtConfiguration.Audience}
	}
	z.flat = a.protocol == protocolSocket
	z.verdicts.ttl = time.Duration(in.AuthorizerResultTtlInSeconds) * time.Second
	z.check(p, a.protocol, in.AuthorizerUri)
	return a, z, p.err
}

// check refuses what API Gateway would not take.
func (z *authorizer) check(p *problems, protocol, uri string) {
	for _, expression := range z.identity {
		if problem := identityProblem(expression, protocol); problem != "" {
			p.fail("IdentitySource", "%s", problem)
		}
	}
	if z.verdicts.ttl < 0 || z.verdicts.ttl > time.Hour {
		p.fail("AuthorizerResultTtlInSeconds", "must be from 0 to 3600")
	}
	switch {
	case z.kind == authorizerJWT && protocol == protocolHTTP:
		if len(z.identity) != 1 {
			p.fail("IdentitySource", "a JWT authorizer has one, as in $request.header.Authorization")
		}
		if z.bearer.Issuer == "" || len(z.bearer.Audience) == 0 {
			p.fail("JwtConfiguration", "an Issuer and an Audience are required")
		}
	case z.kind == authorizerRequest:
		name, qualifier, err := ingress.LambdaName(uri)
		if err != nil {
			p.fail("AuthorizerUri", "%v", err)
		}
		z.call.function, z.call.qualifier = name, qualifier
		z.checkFormat(p, protocol)
	default:
		p.fail("AuthorizerType", "must be REQUEST, or JWT for an HTTP API, not %q", z.kind)
	}
}

func (z *authorizer) checkFormat(p *problems, protocol string) {
	if protocol == protocolSocket {
		if z.payload != "" || z.simple || z.verdicts.ttl != 0 {
			p.fail("AuthorizerPayloadFormatVersion", "this, EnableSimpleResponses and AuthorizerResultTtlInSeconds are for HTTP APIs")
		}
		return
	}
	if z.payload != "1.0" && z.payload != "2.0" {
		p.fail("AuthorizerPayloadFormatVersion", "must be 1.0 or 2.0; HTTP APIs require it")
	}
	if z.simple && z.payload == "1.0" {
		p.fail("EnableSimpleResponses", "goes with payload format version 2.0 only")
	}
	if z.verdicts.ttl > 0 && len(z.identity) == 0 {
		p.fail("IdentitySource", "is required where results are cached: it tells callers apart")
	}
}

// identityProblem says why an expression is no identity source, "" if it is.
func identityProblem(expression, protocol string) string {
	prefixes := []string{"$request.header.", "$request.querystring.", "$context.", "$stageVariables."}
	if protocol == protocolSocket {
		prefixes = []string{"route.request.header.", "route.request.querystring.", "context.", "stageVariables."}
	}
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(expression, prefix); ok && rest != "" {
			return ""
		}
	}
	return fmt.Sprintf("%q is none; known are %sNAME", expression, strings.Join(prefixes, "NAME, "))
}

// verdicts are an authorizer's results, kept for a time by what they were asked of.
type verdicts struct {
	ttl time.Duration
	mu  sync.Mutex
	by  map[string]verdict
}

// verdict is what an authorizer's function said.
type verdict struct {
	until  time.Time
	simple *bool           // isAuthorized
	policy json.RawMessage // or the policy document
	caller *caller
}

// get is a result that still holds.
func (v *verdicts) get(key string, now time.Time) (verdict, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	found, ok := v.by[key]
	return found, ok && now.Before(found.until)
}

// put keeps a result, and drops those that hold no longer.
func (v *verdicts) put(key string, one verdict, now time.Time) {
	if v.ttl <= 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.by == nil {
		v.by = map[string]verdict{}
	}
	for other, old := range v.by {
		if !now.Before(old.until) {
			delete(v.by, other)
		}
	}
	one.until = now.Add(v.ttl)
	v.by[key] = one
}

// routeAuthorization reads what a route asks of its callers. Of a WebSocket API,
// $connect alone asks for something.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-route.html
func routeAuthorization(p *problems, a *api, key, kind, authorizer string, scopes []string) (*authorization, string) {
	if a == nil {
		return nil, ""
	}
	if a.protocol == protocolSocket && key != "$connect" && kind != "" && kind != "NONE" {
		p.fail("AuthorizationType", "of a WebSocket API only $connect has one, not %s", key)
	}
	wanted := map[string]string{"CUSTOM": authorizerRequest, "JWT": authorizerJWT}[kind]
	z := a.authorizers[authorizer]
	switch {
	case kind == "" || kind == "NONE":
		return nil, ""
	case kind == "AWS_IAM":
		return &authorization{kind: kind}, ""
	case wanted == "":
		p.fail("AuthorizationType", "must be NONE, AWS_IAM, CUSTOM or JWT, not %q", kind)
	case z == nil:
		p.fail("AuthorizerId", "invalid authorizer identifier specified: %s", authorizer)
	case z.kind != wanted:
		p.fail("AuthorizerId", "authorizer %s is a %s one, AuthorizationType %s wants a %s one", z.name, z.kind, kind, wanted)
	}
	if len(scopes) > 0 && kind != "JWT" {
		p.fail("AuthorizationScopes", "go with AuthorizationType JWT only")
	}
	return &authorization{kind: kind, scopes: scopes}, authorizer
}
