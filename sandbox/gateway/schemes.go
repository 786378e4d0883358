package gateway

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// importSchemes reads the authorizers of an OpenAPI document, as SAM writes them:
// its securitySchemes, by name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
func importSchemes(p *problems, body map[string]any) map[string]*authorization {
	components, _ := body["components"].(map[string]any)
	schemes, _ := components["securitySchemes"].(map[string]any)
	out := map[string]*authorization{}
	for _, name := range slices.Sorted(maps.Keys(schemes)) {
		scheme, _ := schemes[name].(map[string]any)
		if scheme["x-amazon-apigateway-authtype"] == "awsSigv4" {
			out[name] = &authorization{kind: "AWS_IAM"}
			continue
		}
		values, ok := scheme["x-amazon-apigateway-authorizer"].(map[string]any)
		if !ok {
			p.fail("Body", "securitySchemes %s: has no x-amazon-apigateway-authorizer", name)
			continue
		}
		z, problem := importAuthorizer(name, values)
		if errors.Is(problem, stack.ErrUnknown) { // its function is not made yet
			if p.err == nil {
				p.err = problem
			}
		} else if problem != nil {
			p.fail("Body", "securitySchemes %s: %v", name, problem)
			continue
		}
		kind := "CUSTOM"
		if z.kind == authorizerJWT {
			kind = "JWT"
		}
		out[name] = &authorization{kind: kind, authorizer: z}
	}
	return out
}

func importAuthorizer(name string, values map[string]any) (*authorizer, error) {
	var in struct {
		Type        string `name:"type" cfn:"required"`
		URI         string `name:"authorizerUri"`
		Credentials string `name:"authorizerCredentials"`
		Payload     string `name:"authorizerPayloadFormatVersion"`
		Seconds     int    `name:"authorizerResultTtlInSeconds"`
		Simple      bool   `name:"enableSimpleResponses"`
		Identity    any    `name:"identitySource"`
		JWT         *struct {
			Audience []string `name:"audience"`
			Issuer   string   `name:"issuer"`
		} `name:"jwtConfiguration"`
	}
	p := read(values, &in, "identityValidationExpression")
	z := &authorizer{
		id: ingress.ResourceID(6, func(string) bool { return false }, name), name: name, kind: strings.ToUpper(in.Type), payload: in.Payload, simple: in.Simple,
		call: integration{kind: "AWS_PROXY", timeout: authorizerTimeout, credentials: in.Credentials != ""},
	}
	z.verdicts.ttl = time.Duration(in.Seconds) * time.Second
	switch source := in.Identity.(type) {
	case string:
		for expression := range strings.SplitSeq(source, ",") {
			z.identity = append(z.identity, strings.TrimSpace(expression))
		}
	case []any:
		for _, item := range source {
			z.identity = append(z.identity, fmt.Sprint(item))
		}
	}
	if in.JWT != nil {
		z.bearer = ingress.Bearer{Issuer: in.JWT.Issuer, Audience: in.JWT.Audience}
	}
	z.check(p, protocolHTTP, in.URI)
	return z, p.err
}

// secured is what a security requirement asks for, with its scopes.
func secured(schemes map[string]*authorization, value any) (*authorization, error) {
	list, _ := value.([]any)
	if len(list) == 0 {
		return nil, nil
	}
	one, _ := list[0].(map[string]any)
	if len(list) > 1 || len(one) != 1 {
		return nil, fmt.Errorf("security: an operation has one authorizer")
	}
	for name, scopes := range one {
		scheme := schemes[name]
		if scheme == nil {
			return nil, fmt.Errorf("security: %s is none of the securitySchemes", name)
		}
		auth := *scheme
		texts, _ := scopes.([]any)
		for _, scope := range texts {
			auth.scopes = append(auth.scopes, fmt.Sprint(scope))
		}
		return &auth, nil
	}
	return nil, nil
}
