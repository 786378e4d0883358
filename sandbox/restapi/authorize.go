package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"arc/cfn/iam"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// caller is what is known of who calls, once a method has let him in. A nil caller is
// anybody.
type caller struct {
	principal string
	context   map[string]string // of an authorizer's function
	claims    map[string]json.RawMessage
	iam       *ingress.Identity
	usageKey  string // the API key that an authorizer found
	took      int64  // milliseconds that the authorizer's function ran
}

// seen is requestContext.authorizer; nil = nobody was asked. All its values are text
// but the latency.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func (c *caller) seen() map[string]any {
	switch {
	case c == nil || c.iam != nil: // which the identity tells
		return nil
	case c.claims != nil:
		return map[string]any{"claims": ingress.ClaimTexts(c.claims)}
	}
	flat := map[string]any{"principalId": c.principal, "integrationLatency": c.took}
	for name, value := range c.context {
		flat[name] = value
	}
	return flat
}

// authorize asks what the API and the method ask for: the resource policy, the
// authorizer, the API key.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
func (g *APIs) authorize(c *call) *failure {
	arn := c.api.arn(c.stage.name + "/" + c.request.Method + ingress.Unescape(c.path))
	if failed := g.checkPolicy(c, arn); failed != nil {
		return failed
	}
	var failed *failure
	switch c.route.auth {
	case "AWS_IAM":
		failed = g.checkSignature(c, arn)
	case "CUSTOM":
		failed = g.askAuthorizer(c, c.route.authorizer, arn)
	case authCognito:
		failed = g.checkToken(c, c.route.authorizer)
	}
	if failed != nil {
		return failed
	}
	return g.checkKey(c)
}

// denied is a caller whom a policy does not let in.
func denied(message, why string) *failure {
	return &failure{kind: "ACCESS_DENIED", status: http.StatusForbidden, message: message, code: "AccessDeniedException", capital: true, why: why}
}

// unauthorized is a caller of whom nothing is known.
func unauthorized(format string, args ...any) *failure {
	return &failure{kind: "UNAUTHORIZED", status: http.StatusUnauthorized, message: "Unauthorized", code: "UnauthorizedException", why: fmt.Sprintf(format, args...)}
}

// checkPolicy asks the API's resource policy. Where callers come from is another thing
// deployed: what hangs on it is let through, and said once.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html
func (g *APIs) checkPolicy(c *call, arn string) *failure {
	policy := c.stage.policy
	if policy == nil || g.options.Unasked {
		return nil
	}
	decided := iam.Decide(iam.Request{
		Action: "execute-api:Invoke", Resource: arn, Account: c.api.stack.Account, Principal: "anonymous", Lookup: c.condition,
	}, iam.Policies{Resource: policy})
	switch {
	case decided.Effect == iam.Allowed:
		return nil
	case decided.Effect == iam.Unknown:
		c.stage.told.Do(func() {
			g.options.Tell.Notice("the policy of API %s: execute-api:Invoke on %s: %s: let through", c.stage.settings.name, arn, strings.Join(decided.Unknown, ", "))
		})
		return nil
	case c.route.auth == "AWS_IAM" && !decided.Explicit:
		return nil // the caller's own policies may let him in, who is of this account
	}
	message := "User: anonymous is not authorized to perform: execute-api:Invoke on resource: " + arn
	if decided.Explicit {
		message += " with an explicit deny"
	}
	return denied(message, "the API's resource policy does not let the caller in")
}

// condition is the value of a condition key of a request to an API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html
func (c *call) condition(key string) (values []string, known bool) {
	switch key {
	case "aws:useragent":
		return []string{c.request.UserAgent()}, true
	case "aws:referer":
		return []string{c.request.Referer()}, true
	case "aws:securetransport":
		return []string{"true"}, true // deployed, an API is called by https alone
	}
	return nil, false
}

// checkSignature says who signed a request, and asks whether he may call the method.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
func (g *APIs) checkSignature(c *call, arn string) *failure {
	s, err := ingress.ReadSignature(c.request)
	if err != nil {
		return missingToken("AWS_IAM: " + err.Error())
	}
	invalid := func(message, why string) *failure {
		return &failure{kind: "INVALID_SIGNATURE", status: http.StatusForbidden, message: message, code: "InvalidSignatureException", why: "AWS_IAM: " + why}
	}
	secret, who, ok := g.options.Signer(s.Key, s.Token)
	if !ok {
		f := invalid("The security token included in the request is invalid.", "the key "+ingress.OneLine(s.Key)+" is none of the local cloud's")
		f.code = "UnrecognizedClientException"
		return f
	}
	if err := s.Check(c.request, c.body, "execute-api", secret, c.at); err != nil {
		return invalid("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.", err.Error())
	}
	if g.options.Decide != nil {
		if err := g.options.Decide(who, "execute-api:Invoke", arn); err != nil {
			return denied("User: "+who.ARN+" is not authorized to perform: execute-api:Invoke on resource: "+arn, "AWS_IAM: "+err.Error())
		}
	}
	c.caller = &caller{iam: &who}
	return nil
}

// checkToken asks a Cognito authorizer whether a token lets its bearer in: an identity
// token, or an access token where the method wants scopes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
func (g *APIs) checkToken(c *call, z *authorizer) *failure {
	values, _ := c.value(z.identity[0], nil)
	text := strings.TrimSpace(strings.Join(values, ","))
	if prefix := "bearer "; len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		text = text[len(prefix):]
	}
	if text == "" {
		return unauthorized("the request has no token in %s", z.identity[0])
	}
	if z.pattern != nil && !z.pattern.MatchString(text) {
		return unauthorized("the token does not fit authorizer %s's IdentityValidationExpression", z.name)
	}
	var problem error
	for _, pool := range z.pools {
		claims, err := pool.Read(c.request.Context(), g.options.Keys, text, c.at)
		if err != nil {
			problem = errors.Join(problem, err)
			continue
		}
		use, _ := ingress.Plain(claims["token_use"])
		has := ingress.TokenScopes(claims)
		switch {
		case len(c.route.scopes) == 0 && use == "access":
			return unauthorized("authorizer %s: an access token is for methods with AuthorizationScopes; send the identity token", z.name)
		case len(c.route.scopes) > 0 && !slices.ContainsFunc(c.route.scopes, func(s string) bool { return slices.Contains(has, s) }):
			return unauthorized("authorizer %s: the token has none of the scopes that the method wants: %s", z.name, strings.Join(c.route.scopes, " "))
		}
		c.caller = &caller{claims: claims}
		return nil
	}
	return unauthorized("authorizer %s: %v", z.name, problem)
}

// askAuthorizer asks an authorizer's function, or what it said before, whether a
// caller may have an ARN.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
func (g *APIs) askAuthorizer(c *call, z *authorizer, arn string) *failure {
	var identity []string
	for _, expression := range z.identity {
		values, ok := c.value(expression, nil)
		text := strings.Join(values, ",")
		if !ok || text == "" {
			return unauthorized("the request has no %s, which authorizer %s wants; it was not called", expression, z.name)
		}
		identity = append(identity, text)
	}
	if z.pattern != nil && len(identity) == 1 && !z.pattern.MatchString(identity[0]) {
		return unauthorized("the token does not fit authorizer %s's IdentityValidationExpression; it was not called", z.name)
	}
	key := c.stage.name + "\x00" + strings.Join(identity, "\x00")
	said, ok := z.verdicts.get(key, c.at)
	if !ok {
		var failed *failure
		if said, failed = g.callAuthorizer(c, z, arn, identity); failed != nil {
			return failed
		}
		z.verdicts.put(key, said, c.at)
	}
	decided, err := ingress.Decide(said.policy, arn, ingress.Facts{Header: c.headers, Context: func(name string) string { text, _ := c.context(name); return text }})
	message := "User is not authorized to access this resource"
	switch {
	case err != nil:
		return z.broken("AUTHORIZER_CONFIGURATION_ERROR", "%v", err)
	case decided.Effect == iam.Unknown:
		z.told.Do(func() {
			g.options.Tell.Notice("the policy of authorizer %s: execute-api:Invoke on %s: %s: let through", z.name, arn, strings.Join(decided.Unknown, ", "))
		})
	case decided.Effect != iam.Allowed && decided.Explicit:
		return denied(message+" with an explicit deny", fmt.Sprintf("the policy of authorizer %s denies execute-api:Invoke on %s", z.name, arn))
	case decided.Effect != iam.Allowed:
		return denied(message, fmt.Sprintf("the policy of authorizer %s does not allow execute-api:Invoke on %s", z.name, arn))
	}
	c.caller = said.caller
	return nil
}

// broken is an authorizer that said nothing that could be understood.
func (z *authorizer) broken(kind, format string, args ...any) *failure {
	code := "AuthorizerConfigurationException"
	if kind == "AUTHORIZER_FAILURE" {
		code = "AuthorizerFailureException"
	}
	return &failure{kind: kind, status: http.StatusInternalServerError, nothing: true, code: code, why: "authorizer " + z.name + ": " + fmt.Sprintf(format, args...)}
}

// tokenEvent is what a TOKEN authorizer is asked.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
type tokenEvent struct {
	Type               string `json:"type"`
	MethodARN          string `json:"methodArn"`
	AuthorizationToken string `json:"authorizationToken"`
}

// requestEvent is what a REQUEST authorizer is asked.
type requestEvent struct {
	Type                            string              `json:"type"`
	MethodARN                       string              `json:"methodArn"`
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	RequestContext                  requestContext      `json:"requestContext"`
}

// callAuthorizer calls an authorizer's function and reads what it says.
func (g *APIs) callAuthorizer(c *call, z *authorizer, arn string, identity []string) (verdict, *failure) {
	var asked any = tokenEvent{authToken, arn, strings.Join(identity, ",")}
	if z.kind == authRequest {
		e := c.event()
		orEmpty := func(m map[string]string) map[string]string {
			if m == nil {
				return map[string]string{}
			}
			return m
		}
		if e.MultiValueQueryStringParameters == nil {
			e.MultiValueQueryStringParameters = map[string][]string{}
		}
		asked = requestEvent{
			authRequest, arn, e.Resource, e.Path, e.HTTPMethod, e.Headers, e.MultiValueHeaders, orEmpty(e.QueryStringParameters), e.MultiValueQueryStringParameters,
			orEmpty(e.PathParameters), orEmpty(e.StageVariables), e.RequestContext,
		}
	}
	payload, err := ingress.Encode(asked)
	if err != nil {
		return verdict{}, z.broken("AUTHORIZER_FAILURE", "%v", err)
	}
	t := z.call
	if z.uri != "" {
		named, err := functionOf(ingress.FillVariables(z.uri, c.stage.variables))
		if err != nil {
			return verdict{}, z.broken("AUTHORIZER_CONFIGURATION_ERROR", "%v", err)
		}
		t.function, t.qualifier = named.function, named.qualifier
	}
	began := time.Now()
	result, err := g.invoke(t, payload, c.api.arn("authorizers/"+z.id))
	var no forbidden
	switch {
	case errors.As(err, &no):
		return verdict{}, z.broken("AUTHORIZER_CONFIGURATION_ERROR", "%v", err)
	case err != nil:
		return verdict{}, z.broken("AUTHORIZER_FAILURE", "%v", err)
	case result.Failed != "":
		var object struct{ ErrorMessage string }
		if json.Unmarshal(result.Payload, &object) == nil && object.ErrorMessage == "Unauthorized" {
			return verdict{}, unauthorized("authorizer %s threw Unauthorized", z.name)
		}
		return verdict{}, z.broken("AUTHORIZER_FAILURE", "%s", thrown(result))
	}
	said, err := readVerdict(result.Payload)
	if err != nil {
		return verdict{}, z.broken("AUTHORIZER_CONFIGURATION_ERROR", "%v", err)
	}
	said.caller.took = time.Since(began).Milliseconds()
	return said, nil
}

// readVerdict reads the result of an authorizer's function.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func readVerdict(payload []byte) (verdict, error) {
	var r struct {
		PrincipalID    string                     `json:"principalId"`
		PolicyDocument json.RawMessage            `json:"policyDocument"`
		UsageKey       string                     `json:"usageIdentifierKey"`
		Context        map[string]json.RawMessage `json:"context"`
	}
	if err := invoke.Exact(payload, &r); err != nil || !bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) {
		return verdict{}, errors.New("its function must return an object with a principalId and a policyDocument")
	}
	if r.PrincipalID == "" || r.PolicyDocument == nil {
		return verdict{}, errors.New("its function returned no principalId, or no policyDocument")
	}
	who := &caller{principal: r.PrincipalID, usageKey: r.UsageKey, context: map[string]string{}}
	for name, value := range r.Context {
		if first := bytes.TrimSpace(value); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
			return verdict{}, fmt.Errorf("its context %s is an object or a list: text, numbers and booleans are taken", name)
		}
		if text, ok := ingress.Plain(value); ok {
			who.context[name] = text
		}
	}
	return verdict{policy: r.PolicyDocument, caller: who}, nil
}

// checkKey asks for an API key that a usage plan of the stage has.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html
func (g *APIs) checkKey(c *call) *failure {
	if !c.route.key {
		return nil
	}
	where := "the header x-api-key"
	c.key = c.headers.Get("X-Api-Key")
	if c.stage.keySource == "AUTHORIZER" {
		where, c.key = "the usageIdentifierKey of the authorizer", ""
		if c.caller != nil {
			c.key = c.caller.usageKey
		}
	}
	invalid := &failure{kind: "INVALID_API_KEY", status: http.StatusForbidden, message: "Forbidden", code: "ForbiddenException"}
	if c.key == "" {
		invalid.why = "the request has no API key in " + where
		return invalid
	}
	if g.options.KeyOf != nil {
		c.keyID = g.options.KeyOf(c.api.id, c.stage.name, c.key)
	}
	if c.keyID == "" {
		invalid.why = "no usage plan of the stage has this API key, enabled"
		return invalid
	}
	return nil
}
