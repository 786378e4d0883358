package restapi

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

const (
	authToken   = "TOKEN"
	authRequest = "REQUEST"
	authCognito = "COGNITO_USER_POOLS"
)

// authorizer is an AWS::ApiGateway::Authorizer: who lets callers in, and by what it
// knows them. It does not change; an update makes another.
type authorizer struct {
	told           sync.Once // of what its policy hangs on
	raw            map[string]any
	id, name, kind string
	call           target
	uri            string         // with stage variables in it; "" = it has none
	identity       []string       // method.request.header.NAME and the like
	pattern        *regexp.Regexp // of a token; nil = any
	pools          []ingress.Bearer
	verdicts       verdicts
}

// authorizerTimeout is how long an authorizer's function may take.
const authorizerTimeout = most

// authorizerProperties are those of the resource; an OpenAPI document has them, too.
type authorizerProperties struct {
	Type, Name, AuthorizerUri, AuthorizerCredentials string
	IdentitySource, IdentityValidationExpression     string
	AuthorizerResultTtlInSeconds                     *int
	ProviderARNs                                     []string
}

// putAuthorizer makes or changes an authorizer.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-authorizer.html
func (g *APIs) putAuthorizer(req stack.Request) (stack.Resource, error) {
	var in struct {
		RestApiId                                    string `cfn:"required"`
		Type                                         string `cfn:"required"`
		Name                                         string `cfn:"required"`
		AuthorizerUri, AuthorizerCredentials         string
		IdentitySource, IdentityValidationExpression string
		AuthorizerResultTtlInSeconds                 *int
		ProviderARNs                                 []string
	}
	p := read(req.Properties, &in, "AuthType")
	z := authorizerProperties{in.Type, in.Name, in.AuthorizerUri, in.AuthorizerCredentials, in.IdentitySource, in.IdentityValidationExpression, in.AuthorizerResultTtlInSeconds, in.ProviderARNs}.read(p)
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a := g.owner(p, in.RestApiId)
	if a == nil {
		return stack.Resource{}, p.err
	}
	z.raw, z.id = req.Properties, req.PhysicalID
	if a.authorizers[z.id] == nil {
		z.id = ingress.IDOf(req, 6, taken(a.authorizers))
	}
	a.authorizers[z.id] = z
	return stack.Resource{PhysicalID: z.id, Attributes: map[string]any{"AuthorizerId": z.id}, Note: z.note()}, nil
}

func (g *APIs) deleteAuthorizer(req stack.Request) error {
	a := g.apis[fmt.Sprint(req.Properties["RestApiId"])]
	if a == nil {
		return nil
	}
	for _, r := range a.resources {
		for _, m := range r.methods {
			if m.authorizer == req.PhysicalID {
				return fmt.Errorf("cannot delete authorizer '%s', is referenced in method: %s %s", req.PhysicalID, m.verb, r.path)
			}
		}
	}
	delete(a.authorizers, req.PhysicalID)
	return nil
}

// note says whose tokens are taken here.
func (z *authorizer) note() string {
	if z.kind != authCognito {
		return ""
	}
	var issuers []string
	for _, pool := range z.pools {
		issuers = append(issuers, pool.Issuer)
	}
	return "tokens are checked with the key set of " + strings.Join(issuers, ", ") + ", which is not fetched from the network: the line of the first token says how to name it"
}

// read checks an authorizer's properties.
func (in authorizerProperties) read(p *problems) *authorizer {
	z := &authorizer{name: in.Name, kind: strings.ToUpper(in.Type), call: target{credentials: in.AuthorizerCredentials != "", timeout: authorizerTimeout}}
	z.verdicts.ttl = 300 * time.Second
	if in.AuthorizerResultTtlInSeconds != nil {
		z.verdicts.ttl = time.Duration(*in.AuthorizerResultTtlInSeconds) * time.Second
	}
	if z.verdicts.ttl < 0 || z.verdicts.ttl > time.Hour {
		p.fail("AuthorizerResultTtlInSeconds", "must be from 0 to 3600")
	}
	for expression := range strings.SplitSeq(in.IdentitySource, ",") {
		if expression = strings.TrimSpace(expression); expression != "" {
			z.identity = append(z.identity, expression)
		}
	}
	z.checkIdentity(p)
	if in.IdentityValidationExpression != "" {
		var err error
		if z.pattern, err = regexp.Compile("^(?:" + in.IdentityValidationExpression + ")$"); err != nil {
			p.fail("IdentityValidationExpression", "cannot be evaluated by the local cloud: %v", err)
		}
	}
	switch z.kind {
	case authCognito:
		for _, arn := range in.ProviderARNs {
			pool := strings.SplitN(arn, ":", 6)
			_, id, ok := strings.Cut(arn, ":userpool/")
			if len(pool) < 6 || pool[2] != "cognito-idp" || !ok {
				p.fail("ProviderARNs", "%q is no user pool's: arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID", arn)
				continue
			}
			z.pools = append(z.pools, ingress.Bearer{Issuer: "https://cognito-idp." + pool[3] + ".amazonaws.com/" + id})
		}
		if len(in.ProviderARNs) == 0 && p.err == nil {
			p.fail("ProviderARNs", "a %s authorizer has at least one", authCognito)
		}
	case authToken, authRequest:
		z.point(p, in.AuthorizerUri)
	default:
		if p.err == nil || in.Type != "" {
			p.fail("Type", "must be TOKEN, REQUEST or %s, not %q", authCognito, in.Type)
		}
	}
	return z
}

func (z *authorizer) point(p *problems, uri string) {
	if uri == "" {
		if p.err == nil {
			p.fail("AuthorizerUri", "is required")
		}
		return
	}
	t, err := functionOf(uri)
	if err != nil {
		p.fail("AuthorizerUri", "%v", err)
	}
	if strings.Contains(uri, "${stageVariables.") {
		z.uri = uri
	}
	z.call.function, z.call.qualifier = t.function, t.qualifier
}

// checkIdentity checks identity sources.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/configure-api-gateway-lambda-authorization.html
func (z *authorizer) checkIdentity(p *problems) {
	if z.kind == authRequest {
		for _, expression := range z.identity {
			known := false
			for _, prefix := range []string{"method.request.header.", "method.request.querystring.", "method.request.multivalueheader.", "method.request.multivaluequerystring.", "stageVariables.", "context."} {
				known = known || strings.HasPrefix(expression, prefix) && len(expression) > len(prefix)
			}
			if !known {
				p.fail("IdentitySource", "%q is none; use method.request.header.NAME, method.request.querystring.NAME, stageVariables.NAME or context.NAME", expression)
			}
		}
		if len(z.identity) == 0 && z.verdicts.ttl > 0 && p.err == nil {
			p.fail("IdentitySource", "is required where results are cached: it tells callers apart; or set AuthorizerResultTtlInSeconds to 0")
		}
		return
	}
	if len(z.identity) == 0 {
		z.identity = []string{"method.request.header.Authorization"}
	}
	if len(z.identity) > 1 || !strings.HasPrefix(z.identity[0], "method.request.header.") {
		p.fail("IdentitySource", "a %s authorizer has one, as in method.request.header.Authorization", z.kind)
	}
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
	policy []byte
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
