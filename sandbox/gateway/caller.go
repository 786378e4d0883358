package gateway

import (
	"strings"

	"arc/sandbox/ingress"
)

// seen2 is requestContext.authorizer of payload format 2.0; nil = nobody was asked.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func (c *caller) seen2() any {
	switch {
	case c == nil:
		return nil
	case c.iam != nil:
		return map[string]any{"iam": map[string]any{
			"accessKey": c.iam.AccessKey, "accountId": c.iam.Account, "callerId": c.iam.ID, "cognitoIdentity": nil, "principalOrgId": nil,
			"userArn": c.iam.ARN, "userId": c.iam.ID,
		}}
	case c.claims != nil:
		return map[string]any{"jwt": map[string]any{"claims": ingress.ClaimTexts(c.claims), "scopes": c.scopes}}
	}
	return map[string]any{"lambda": c.context}
}

// seen1 is the same of payload format 1.0, where all has one level.
func (c *caller) seen1() any {
	switch {
	case c == nil || c.iam != nil: // which the identity tells
		return nil
	case c.claims != nil:
		return map[string]any{"claims": ingress.ClaimTexts(c.claims), "scopes": c.scopes}
	}
	flat := map[string]any{}
	for name, value := range c.context {
		flat[name] = value
	}
	if c.principal != "" {
		flat["principalId"] = c.principal
	}
	return flat
}

// seenSocket is the same of WebSocket APIs, where all is text.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func (c *caller) seenSocket() map[string]string {
	if c == nil || c.iam != nil {
		return nil
	}
	flat := map[string]string{}
	for name, value := range c.context {
		if text, ok := ingress.Plain(value); ok {
			flat[name] = text
		}
	}
	if c.principal != "" {
		flat["principalId"] = c.principal
	}
	return flat
}

// authorizerEvent2 is what an HTTP API's authorizer of payload format 2.0 is asked.
func (c *call) authorizerEvent2(z *authorizer, arn string, identity []string) ([]byte, error) {
	e := c.event2()
	e.Body, e.IsBase64Encoded = "", false
	return ingress.Encode(struct {
		Version        string   `json:"version"`
		Type           string   `json:"type"`
		RouteARN       string   `json:"routeArn"`
		IdentitySource []string `json:"identitySource"`
		RouteKey       string   `json:"routeKey"`
		RawPath        string   `json:"rawPath"`
		RawQueryString string   `json:"rawQueryString"`
		Cookies        []string `json:"cookies,omitempty"`

		Headers               map[string]string `json:"headers"`
		QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
		RequestContext        context2          `json:"requestContext"`
		PathParameters        map[string]string `json:"pathParameters,omitempty"`
		StageVariables        map[string]string `json:"stageVariables,omitempty"`
	}{
		"2.0", authorizerRequest, arn, identity, e.RouteKey, e.RawPath, e.RawQueryString, e.Cookies,
		e.Headers, e.QueryStringParameters, e.RequestContext, e.PathParameters, e.StageVariables,
	})
}

// authorizerEvent1 is what an HTTP API's authorizer of payload format 1.0 is asked.
func (c *call) authorizerEvent1(z *authorizer, arn string, identity []string) ([]byte, error) {
	e := c.event1()
	token := strings.Join(identity, ",")
	return ingress.Encode(struct {
		Version            string `json:"version"`
		Type               string `json:"type"`
		MethodARN          string `json:"methodArn"`
		IdentitySource     string `json:"identitySource"`
		AuthorizationToken string `json:"authorizationToken"`
		Resource           string `json:"resource"`
		Path               string `json:"path"`
		HTTPMethod         string `json:"httpMethod"`

		Headers               map[string]string `json:"headers"`
		QueryStringParameters map[string]string `json:"queryStringParameters"`
		PathParameters        map[string]string `json:"pathParameters"`
		StageVariables        map[string]string `json:"stageVariables"`
		RequestContext        context1          `json:"requestContext"`
	}{
		"1.0", authorizerRequest, arn, token, token, e.Resource, e.Path, e.HTTPMethod,
		e.Headers, orEmpty(e.QueryStringParameters), orEmpty(e.PathParameters), orEmpty(e.StageVariables), e.RequestContext,
	})
}
