package restapi_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/restapi"
)

// TestPolicy asks an API's resource policy. Where callers come from is another thing
// deployed: what hangs on it is let through, and said once.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
func TestPolicy(t *testing.T) {
	for name, test := range map[string]struct {
		statements string
		status     int
		words      string
	}{
		"everybody":         {`{Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*'}`, 200, "ok"},
		"another stage":     {`{Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/prod/*'}`, 403, `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:123456789012:`},
		"this one denied":   {`{Effect: Allow, Principal: '*', Action: '*', Resource: '*'}, {Effect: Deny, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/dev/GET/res'}`, 403, `/dev/GET/res with an explicit deny"}`},
		"somebody":          {`{Effect: Allow, Principal: {AWS: 'arn:aws:iam::123456789012:root'}, Action: 'execute-api:Invoke', Resource: '*'}`, 403, "User: anonymous"},
		"from some address": {`{Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: '*', Condition: {IpAddress: {'aws:SourceIp': 203.0.113.0/24}}}`, 200, "ok"},
		"by some agent":     {`{Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: '*', Condition: {StringEquals: {'aws:UserAgent': other}}}`, 403, "User: anonymous"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, functions{})
			c.apply(strings.Replace(base, "{Name: demo}", "{Name: demo, Policy: {Version: '2012-10-17', Statement: ["+test.statements+"]}}", 1) +
				text("M", "!Ref Res", "GET", "ok") + "  D: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api, StageName: dev}}\n")
			for range 2 {
				if resp, got := c.ask("GET", c.url("", "dev/res"), ""); resp.StatusCode != test.status || !strings.Contains(got, test.words) {
					t.Errorf("%d %s", resp.StatusCode, got)
				}
			}
			if n := strings.Count(c.log(), "let through"); name == "from some address" && n != 1 {
				t.Errorf("it is said %d times:\n%s", n, c.log())
			}
		})
	}
}

// TestVerdictsKept asks an authorizer's function once for a caller, and for a caller of
// another token again.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
func TestVerdictsKept(t *testing.T) {
	var calls atomic.Int32
	run := documentedFunctions()
	run["Guard"] = func(_ context.Context, _ []byte) (invoke.Result, error) {
		calls.Add(1)
		return result(props{"principalId": "me", "policyDocument": props{"Statement": []props{{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/dev/GET/res"}}}})
	}
	c := newCloud(t, run)
	c.apply(strings.ReplaceAll(base, "F:", "Guard:") + indented(`Z: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Api, Name: z, Type: TOKEN, IdentitySource: method.request.header.Token, AuthorizerUri: !Sub 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Guard.Arn}/invocations'}}
M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: ANY, AuthorizationType: CUSTOM, AuthorizerId: !Ref Z, MethodResponses: [{StatusCode: 200}], Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode":200}'}, IntegrationResponses: [{StatusCode: 200, ResponseTemplates: {application/json: '$context.authorizer.principalId'}}]}}}
D: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api, StageName: dev}}`))
	for i, step := range []struct {
		method, token string
		status, calls int
	}{{"GET", "a", 200, 1}, {"GET", "a", 200, 1}, {"PUT", "a", 403, 1}, {"GET", "b", 200, 2}, {"GET", "", 401, 2}} {
		if resp, got := c.ask(step.method, c.url("", "dev/res"), "", "Token", step.token); resp.StatusCode != step.status || int(calls.Load()) != step.calls {
			t.Errorf("%d: %d %s after %d calls", i, resp.StatusCode, got, calls.Load())
		}
	}
}

// TestUserPools checks tokens of a user pool by its key set: identity tokens, and
// access tokens for methods with scopes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
func TestUserPools(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool"
	encode := base64.RawURLEncoding.EncodeToString
	token := func(claims props) string {
		head, errHead := json.Marshal(props{"alg": "RS256", "kid": "k"})
		body, errBody := json.Marshal(claims)
		signed := encode(head) + "." + encode(body)
		sum := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil || errHead != nil || errBody != nil {
			t.Fatal(err, errHead, errBody)
		}
		return signed + "." + encode(signature)
	}
	c := newCloud(t, functions{}, func(o *restapi.Options) {
		o.Keys = func(_ context.Context, asked string) ([]byte, error) {
			if asked != issuer {
				t.Errorf("keys of %s", asked)
			}
			return json.Marshal(props{"keys": []props{{"kid": "k", "kty": "RSA", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes())}}})
		}
	})
	c.apply(base + indented(`Z: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Api, Name: z, Type: COGNITO_USER_POOLS, IdentitySource: method.request.header.Authorization, ProviderARNs: ['arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Pool']}}
M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: GET, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Z, MethodResponses: [{StatusCode: 200}], Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode":200}'}, IntegrationResponses: [{StatusCode: 200, ResponseTemplates: {application/json: '$context.authorizer.claims.sub'}}]}}}
N: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: PUT, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref Z, AuthorizationScopes: [notes/write], MethodResponses: [{StatusCode: 200}], Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode":200}'}, IntegrationResponses: [{StatusCode: 200, ResponseTemplates: {application/json: 'written'}}]}}}
D: {Type: AWS::ApiGateway::Deployment, DependsOn: [M, N], Properties: {RestApiId: !Ref Api, StageName: dev}}`))
	later, past := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	id := token(props{"iss": issuer, "aud": "client", "sub": "ann", "token_use": "id", "exp": later})
	access := token(props{"iss": issuer, "client_id": "client", "sub": "ann", "token_use": "access", "scope": "openid notes/write", "exp": later})
	for name, test := range map[string]struct {
		method, token string
		status        int
		want          string
	}{
		"an identity token":         {"GET", id, 200, "ann"},
		"after Bearer":              {"GET", "Bearer " + id, 200, "ann"},
		"an access token":           {"GET", access, 401, `{"message":"Unauthorized"}`},
		"with its scope":            {"PUT", access, 200, "written"},
		"an identity token, scopes": {"PUT", id, 401, ""},
		"none":                      {"GET", "", 401, `{"message":"Unauthorized"}`},
		"of another issuer":         {"GET", token(props{"iss": "https://other", "aud": "client", "exp": later}), 401, ""},
		"expired":                   {"GET", token(props{"iss": issuer, "aud": "client", "token_use": "id", "exp": past}), 401, ""},
		"another's signature":       {"GET", id[:len(id)-6] + "AAAAAA", 401, ""},
	} {
		if resp, got := c.ask(test.method, c.url("", "dev/res"), "", "Authorization", test.token); resp.StatusCode != test.status || !strings.Contains(got, test.want) {
			t.Errorf("%s: %d %s\n%s", name, resp.StatusCode, got, c.log())
		}
	}
}

// TestDomain reaches a stage by a custom domain's Host and base path.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
func TestDomain(t *testing.T) {
	c := newCloud(t, documentedFunctions(), opened)
	c.apply(strings.ReplaceAll(base, "F:", "Echo:") + indented(`M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: ANY, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations'}}}
D: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api}}
S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref D, StageName: dev}}
Name: {Type: AWS::ApiGateway::DomainName, Properties: {DomainName: api.example.com, RegionalCertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/x', EndpointConfiguration: {Types: [REGIONAL]}}}
To: {Type: AWS::ApiGateway::BasePathMapping, Properties: {DomainName: !Ref Name, RestApiId: !Ref Api, Stage: !Ref S, BasePath: v1}}`))
	resp, got := c.ask("GET", c.url("", "v1/res"), "", "Host", "api.example.com")
	var e struct {
		Path           string
		RequestContext struct{ Path, Stage string }
	}
	if err := json.Unmarshal([]byte(got), &e); err != nil || resp.StatusCode != 200 || e.Path != "/v1/res" || e.RequestContext.Path != "/v1/res" || e.RequestContext.Stage != "dev" {
		t.Errorf("%d %s", resp.StatusCode, got)
	}
	if resp, got := c.ask("GET", c.url("", "v2/res"), "", "Host", "api.example.com"); resp.StatusCode != 403 || got != `{"message":"Forbidden"}` {
		t.Errorf("%d %s", resp.StatusCode, got)
	}
}
