package gateway_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"arc/sandbox/gateway"
	"arc/sandbox/stack"
)

// TestRefusedParts gives APIs parts that API Gateway would not take, or that do
// nothing here, and compares what is said; "" = the part is made.
func TestRefusedParts(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{}})
	c.create("Api", "H", props{"Name": "h", "ProtocolType": "HTTP"})
	c.create("Api", "W", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	jwt := props{"AuthorizerType": "JWT", "IdentitySource": []any{"$request.header.Authorization"}, "JwtConfiguration": props{"Issuer": "http://localhost:1", "Audience": []any{"a"}}}
	request := props{"AuthorizerType": "REQUEST", "AuthorizerUri": uri("f"), "AuthorizerPayloadFormatVersion": "2.0"}
	socket := props{"AuthorizerType": "REQUEST", "AuthorizerUri": uri("f")}
	c.create("Authorizer", "J", merged(jwt, props{"ApiId": c.ids["H"], "Name": "j"}))
	c.create("Authorizer", "R", merged(request, props{"ApiId": c.ids["H"], "Name": "r"}))
	c.create("Integration", "WI", props{"ApiId": c.ids["W"], "IntegrationType": "MOCK"})
	c.create("Route", "WR", props{"ApiId": c.ids["W"], "RouteKey": "response"})
	c.twoWay(c.ids["W"], "WR")
	c.create("Integration", "HI", props{"ApiId": c.ids["H"], "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": "http://localhost:1"})
	c.create("Route", "Used", props{"ApiId": c.ids["H"], "RouteKey": "GET /used", "AuthorizationType": "JWT", "AuthorizerId": c.ids["J"]})
	c.create("Stage", "Stage", props{"ApiId": c.ids["H"], "StageName": "dev", "AutoDeploy": true})
	c.create("DomainName", "D", props{"DomainName": "api.example.com"})
	seconds := func(n string) props {
		return props{"AuthorizerResultTtlInSeconds": json.Number(n), "IdentitySource": []any{"$request.header.a"}}
	}
	for _, test := range []struct {
		api, kind   string
		base, parts props
		want        string
	}{
		{"H", "Authorizer", jwt, nil, ""},
		{"H", "Authorizer", jwt, props{"IdentitySource": []any{"$request.header.a", "$request.header.b"}}, "a JWT authorizer has one"},
		{"H", "Authorizer", jwt, props{"JwtConfiguration": props{"Issuer": "x"}}, "an Issuer and an Audience are required"},
		{"H", "Authorizer", jwt, props{"JwtConfiguration": props{"Audience": []any{"x"}}}, "an Issuer and an Audience are required"},
		{"H", "Authorizer", jwt, props{"JwtConfiguration": nil}, "an Issuer and an Audience are required"},
		{"W", "Authorizer", jwt, props{"IdentitySource": []any{"route.request.header.a"}}, "must be REQUEST, or JWT for an HTTP API"},
		{"H", "Authorizer", request, nil, ""},
		{"H", "Authorizer", request, props{"AuthorizerType": "TOKEN"}, `not "TOKEN"`},
		{"H", "Authorizer", request, props{"AuthorizerUri": "arn:aws:sqs:x"}, "AuthorizerUri"},
		{"H", "Authorizer", request, props{"AuthorizerPayloadFormatVersion": "3.0"}, "must be 1.0 or 2.0"},
		{"H", "Authorizer", request, props{"AuthorizerPayloadFormatVersion": "1.0"}, ""},
		{"H", "Authorizer", request, props{"AuthorizerPayloadFormatVersion": "1.0", "EnableSimpleResponses": true}, "goes with payload format version 2.0 only"},
		{"H", "Authorizer", request, props{"EnableSimpleResponses": true}, ""},
		{"H", "Authorizer", request, seconds("0"), ""},
		{"H", "Authorizer", request, seconds("3600"), ""},
		{"H", "Authorizer", request, seconds("3601"), "must be from 0 to 3600"},
		{"H", "Authorizer", request, seconds("-1"), "must be from 0 to 3600"},
		{"H", "Authorizer", request, props{"AuthorizerResultTtlInSeconds": json.Number("1")}, "is required where results are cached"},
		{"H", "Authorizer", request, props{"IdentitySource": []any{"$context.routeKey, $stageVariables.x,$request.querystring.q"}}, ""},
		{"H", "Authorizer", request, props{"IdentitySource": []any{"$request.header."}}, "is none; known are $request.header.NAME"},
		{"H", "Authorizer", request, props{"IdentitySource": []any{"route.request.header.a"}}, "is none; known are $request.header.NAME"},
		{"W", "Authorizer", socket, nil, ""},
		{"W", "Authorizer", socket, props{"IdentitySource": []any{"route.request.header.a", "context.stage", "stageVariables.x"}}, ""},
		{"W", "Authorizer", socket, props{"IdentitySource": []any{"$request.header.a"}}, "known are route.request.header.NAME"},
		{"W", "Authorizer", socket, props{"AuthorizerPayloadFormatVersion": "2.0"}, "are for HTTP APIs"},
		{"W", "Authorizer", socket, props{"EnableSimpleResponses": true}, "are for HTTP APIs"},
		{"W", "Authorizer", socket, props{"AuthorizerResultTtlInSeconds": json.Number("1"), "IdentitySource": []any{"route.request.header.a"}}, "are for HTTP APIs"},

		{"H", "Route", props{"RouteKey": "GET /a", "AuthorizationType": "JWT", "AuthorizerId": c.ids["J"], "AuthorizationScopes": []any{"s"}}, nil, ""},
		{"H", "Route", props{"RouteKey": "GET /b", "AuthorizationType": "CUSTOM", "AuthorizerId": c.ids["J"]}, nil, "authorizer j is a JWT one"},
		{"H", "Route", props{"RouteKey": "GET /b", "AuthorizationType": "CUSTOM", "AuthorizerId": "nope"}, nil, "invalid authorizer identifier specified: nope"},
		{"H", "Route", props{"RouteKey": "GET /b", "AuthorizationType": "CUSTOM", "AuthorizerId": c.ids["R"], "AuthorizationScopes": []any{"s"}}, nil, "go with AuthorizationType JWT only"},
		{"H", "Route", props{"RouteKey": "GET /b", "AuthorizationType": "COGNITO"}, nil, `must be NONE, AWS_IAM, CUSTOM or JWT, not "COGNITO"`},
		{"H", "Route", props{"RouteKey": "GET /b", "AuthorizationType": "AWS_IAM"}, nil, ""},
		{"H", "Route", props{"RouteKey": "GET /c", "AuthorizationType": "NONE"}, nil, ""},
		{"H", "Route", props{"RouteKey": "GET /d", "ApiKeyRequired": true}, nil, "is for $connect of a WebSocket API"},
		{"W", "Route", props{"RouteKey": "x", "AuthorizationType": "AWS_IAM"}, nil, "only $connect has one, not x"},
		{"W", "Route", props{"RouteKey": "y", "AuthorizationType": "NONE"}, nil, ""},
		{"W", "Route", props{"RouteKey": "z", "ApiKeyRequired": true}, nil, "is for $connect of a WebSocket API"},
		{"W", "Route", props{"RouteKey": "$connect", "ApiKeyRequired": true, "AuthorizationType": "AWS_IAM"}, nil, ""},

		{"H", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": "http://localhost:1", "PayloadFormatVersion": "2.0"}, nil, "takes 1.0 only"},
		{"H", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": "ftp://localhost:1"}, nil, "must be an http or https URL"},
		{"H", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationUri": "http://localhost:1"}, nil, "IntegrationMethod: HttpMethod parameter method must be specified for integrationType HTTPPROXY"},
		{"W", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationUri": "http://localhost:1"}, nil, "must be specified for integrationType HTTPPROXY"},
		{"W", "Integration", props{"IntegrationType": "HTTP", "IntegrationUri": "http://localhost:1"}, nil, "must be specified for integrationType HTTP:"},
		{"H", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "http://localhost:1"}, nil, ""},
		{"H", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("f")}, nil, "requires 1.0 or 2.0"},
		{"H", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-PurgeQueue", "CredentialsArn": "arn:aws:iam::123456789012:role/r", "RequestParameters": props{"QueueUrl": "q"}}, nil, "an integration with a service requires 1.0"},
		{"H", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-PurgeQueue", "PayloadFormatVersion": "1.0", "RequestParameters": props{"QueueUrl": "q"}}, nil, "CredentialsArn: is required"},
		{"H", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-PurgeQueue", "PayloadFormatVersion": "1.0", "CredentialsArn": "arn:aws:iam::123456789012:role/r"}, nil, "QueueUrl is required for SQS-PurgeQueue"},
		{"H", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "http://localhost:1", "ResponseParameters": props{"199": props{"overwrite:header.a": "b"}}}, nil, "Status Code 199 is not valid"},
		{"H", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "http://localhost:1", "ResponseParameters": props{"600": props{"overwrite:header.a": "b"}}}, nil, "Status Code 600 is not valid"},
		{"H", "Integration", props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": "http://localhost:1"}, nil, "not emulated for HTTP APIs"},
		{"W", "Integration", props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": "http://localhost:1"}, nil, ""},
		{"W", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": "nowhere"}, nil, "must be an http or https URL"},
		{"H", "Integration", props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": "http://localhost:1", "RequestTemplates": props{"a": "b"}}, nil, "are for WebSocket APIs"},
		{"W", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("f"), "RequestTemplates": props{"a": "b"}}, nil, "gets messages as they are"},
		{"W", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("f"), "RequestParameters": props{"integration.request.header.a": "'b'"}}, nil, "gets messages as they are"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestTemplates": props{"a": "#include($x)"}}, nil, "RequestTemplates: a: "},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestTemplates": props{"a": "$util.other('x')"}}, nil, "RequestTemplates: a: "},
		{"W", "Integration", props{"IntegrationType": "AWS", "IntegrationUri": uri("f")}, nil, ""},
		{"W", "Integration", props{"IntegrationType": "AWS", "IntegrationUri": uri("f"), "IntegrationMethod": "GET"}, nil, "must be POST for a function"},
		{"W", "Integration", props{"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:action/SendMessage", "IntegrationMethod": "POST", "CredentialsArn": "arn:aws:iam::123456789012:role/r"}, nil, ""},
		{"W", "Integration", props{"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:action/SendMessage", "CredentialsArn": "arn:aws:iam::123456789012:role/r"}, nil, "IntegrationMethod: is required"},
		{"W", "Integration", props{"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:action/SendMessage", "IntegrationMethod": "POST"}, nil, "CredentialsArn: role ARN must be specified"},
		{"W", "Integration", props{"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:action/SendMessage", "IntegrationMethod": "POST", "CredentialsArn": "arn:aws:iam::*:user/*"}, nil, "the caller's own rights"},
		{"W", "Integration", props{"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:kinesis:action/PutRecord", "IntegrationMethod": "POST"}, nil, "service kinesis are not emulated"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "ContentHandlingStrategy": "CONVERT"}, nil, "must be CONVERT_TO_TEXT or CONVERT_TO_BINARY"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "TemplateSelectionExpression": "${integration.response.statuscode}"}, nil, "TemplateSelectionExpression"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "TemplateSelectionExpression": "$nope"}, nil, "TemplateSelectionExpression"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.body.a": "'b'"}}, nil, "must be integration.request.header.NAME"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.": "'b'"}}, nil, "must be integration.request.header.NAME"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "b"}}, nil, `'text' in single quotes, not "b"`},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "'b"}}, nil, "in single quotes"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "route.request.header.a b"}}, nil, "in single quotes"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "route.request.path.a"}}, nil, "in single quotes"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "context."}}, nil, "in single quotes"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "route.request.body", "integration.request.header.b": "stageVariables.x", "integration.request.path.c": "route.request.body.a.b"}}, nil, ""},
		{"", "Api", props{"Name": "k", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.a[0]['b c'].d"}, nil, ""},
		{"", "Api", props{"Name": "k", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.a[?(@.b)]"}, nil, "[?(@.b)] is not evaluated by the local cloud"},
		{"", "Api", props{"Name": "k", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "${request.body..a}"}, nil, "only $request.body.FIELD"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "route.request.body.a[0]"}}, nil, ""},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "route.request.body.a[?(@.b)]"}}, nil, "in single quotes"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "route.request.body."}}, nil, "in single quotes"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestParameters": props{"integration.request.header.a": "route.request.bodyx"}}, nil, "in single quotes"},
		{"W", "Integration", props{"IntegrationType": "MOCK", "PassthroughBehavior": "WHEN_NO_TEMPLATE"}, nil, `must be WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER, not "WHEN_NO_TEMPLATE"`},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestTemplates": props{"a": strings.Repeat("x", 300<<10)}}, nil, ""},
		{"W", "Integration", props{"IntegrationType": "MOCK", "RequestTemplates": props{"a": strings.Repeat("x", 300<<10+1)}}, nil, "a mapping template has 300 KB at most"},
		{"W", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("f"), "PayloadFormatVersion": "1.0", "IntegrationMethod": "POST"}, nil, ""},
		{"W", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("f"), "PayloadFormatVersion": "2.0"}, nil, `1.0 is the only one of a WebSocket API, not "2.0"`},
		{"W", "Integration", props{"IntegrationType": "MOCK", "PayloadFormatVersion": "2.0"}, nil, "1.0 is the only one"},
		{"W", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("f"), "IntegrationMethod": "GET"}, nil, "must be POST for a function"},
		{"H", "Integration", props{"IntegrationType": "AWS_PROXY", "IntegrationUri": uri("f"), "PayloadFormatVersion": "2.0", "IntegrationMethod": "GET"}, nil, ""},
		{"W", "Model", props{"Name": "no-hyphen", "Schema": props{}}, nil, `must be letters and digits, not "no-hyphen"`},
		{"H", "Model", props{"Name": "h", "Schema": props{}}, nil, "models are for WebSocket APIs"},
		{"", "Api", props{"Name": "k", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.a", "CorsConfiguration": props{"AllowOrigins": []any{"*"}}}, nil, "CORS does not hold for WebSockets"},
		{"W", "Stage", props{"StageName": "s1", "AutoDeploy": true, "StageVariables": props{"a_1": "arn:aws:lambda:f~/?#&=,."}}, nil, ""},
		{"W", "Stage", props{"StageName": "s2", "AutoDeploy": true, "StageVariables": props{"a-b": "x"}}, nil, "a name has letters, digits and _"},
		{"W", "Stage", props{"StageName": "s3", "AutoDeploy": true, "StageVariables": props{"a": "x y"}}, nil, "a: a value has letters"},
		{"W", "Stage", props{"StageName": "s4", "AutoDeploy": true, "StageVariables": props{"a": ""}}, nil, "a: a value has letters"},
		{"W", "Stage", props{"StageName": "s5", "AutoDeploy": true, "RouteSettings": props{"response": props{"ThrottlingRateLimit": json.Number("0.5")}}}, nil, ""},
		{"W", "Stage", props{"StageName": "s6", "AutoDeploy": true, "RouteSettings": props{"nope": props{}}}, nil, "unable to find route by key nope"},
		{"W", "Stage", props{"StageName": "s7", "AutoDeploy": true, "AccessLogSettings": props{"Format": "$context.extendedRequestId"}}, nil, ""},
		{"W", "Stage", props{"StageName": "s8", "AutoDeploy": true, "AccessLogSettings": props{"Format": "$context.status"}}, nil, "must have $context.requestId or $context.extendedRequestId"},
		{"W", "Stage", props{"StageName": "s9", "AutoDeploy": true, "AccessLogSettings": props{"Format": "$context.requestId" + strings.Repeat("x", 3<<10)}}, nil, "has more than 3 KB"},
		{"W", "Stage", props{"StageName": "s10", "AutoDeploy": true, "DefaultRouteSettings": props{"Throttling": json.Number("1")}}, nil, "misspelled"},
		{"W", "Route", props{"RouteKey": "p1", "RequestParameters": props{"route.request.body.a": props{"Required": true}}}, nil, "must be route.request.querystring.NAME"},
		{"W", "Route", props{"RouteKey": "p2", "RequestParameters": props{"route.request.header.": props{"Required": true}}}, nil, "must be route.request.querystring.NAME"},
		{"W", "Route", props{"RouteKey": "p3", "RequestParameters": props{"route.request.header.a": props{}}}, nil, "Required: is required"},
		{"W", "Route", props{"RouteKey": "p4", "RequestParameters": props{"route.request.header.a": true}}, nil, "must be an object"},
		{"W", "Route", props{"RouteKey": "p5", "RequestParameters": props{"route.request.multivaluequerystring.a": props{"Required": "true"}}}, nil, ""},
		{"W", "Route", props{"RouteKey": "p6", "RouteResponseSelectionExpression": "$other"}, nil, `must be $default, not "$other"`},

		{"W", "IntegrationResponse", props{"IntegrationId": c.ids["WI"], "IntegrationResponseKey": "$default"}, nil, ""},
		{"W", "IntegrationResponse", props{"IntegrationId": "nope", "IntegrationResponseKey": "$default"}, nil, "invalid integration identifier specified: nope"},
		{"H", "IntegrationResponse", props{"IntegrationId": c.ids["HI"], "IntegrationResponseKey": "$default"}, nil, "are for WebSocket APIs"},
		{"W", "IntegrationResponse", props{"IntegrationId": c.ids["WI"], "IntegrationResponseKey": "x", "ResponseTemplates": props{"a": "#if(1)"}}, nil, "ResponseTemplates: a: "},
		{"W", "Model", props{"Name": "m", "Schema": props{}}, nil, ""},
		{"W", "IntegrationResponse", props{"IntegrationId": c.ids["WI"], "IntegrationResponseKey": "x", "ResponseParameters": props{"method.response.header.a": "integration.response.body.b"}}, nil, ""},
		{"W", "IntegrationResponse", props{"IntegrationId": c.ids["WI"], "IntegrationResponseKey": "x", "ResponseParameters": props{"route.response.header.a": "'b'"}}, nil, "must be method.response.header.NAME"},
		{"W", "IntegrationResponse", props{"IntegrationId": c.ids["WI"], "IntegrationResponseKey": "x", "ResponseParameters": props{"method.response.header.a": "b"}}, nil, "integration.response.body.FIELD"},
		{"W", "Model", props{"Name": "m"}, nil, "property Schema: is required"},
		{"W", "Model", props{"Name": "n", "Schema": `{"type":"object","patternProperties":{"a":{}}}`}, nil, "patternProperties is not checked by the local cloud"},
		{"W", "Model", props{"Name": "n", "Schema": "{"}, nil, "is no JSON"},
		{"W", "Route", props{"RouteKey": "m", "RequestModels": props{"a": "m"}, "ModelSelectionExpression": "${request.body.a}"}, nil, ""},
		{"W", "Route", props{"RouteKey": "n", "RequestModels": props{"a": "nope"}}, nil, "no model of this API is named nope"},
		{"W", "Route", props{"RouteKey": "n", "RequestModels": props{"a": "m"}, "ModelSelectionExpression": "$nope"}, nil, "ModelSelectionExpression"},
		{"W", "RouteResponse", props{"RouteId": c.ids["WR"], "RouteResponseKey": "$other"}, nil, "must be $default"},
		{"W", "RouteResponse", props{"RouteId": "nope", "RouteResponseKey": "$default"}, nil, "invalid route identifier specified: nope"},
		{"W", "RouteResponse", props{"RouteId": c.ids["WR"], "RouteResponseKey": "$default"}, nil, "already exists for this route"},
		{"H", "RouteResponse", props{"RouteId": c.ids["Used"], "RouteResponseKey": "$default"}, nil, "are for WebSocket APIs"},

		{"", "DomainName", props{"DomainName": "b.example.com"}, nil, ""},
		{"", "DomainName", props{"DomainName": "api.example.com"}, nil, "exists already"},
		{"H", "ApiMapping", props{"DomainName": "nope", "Stage": "dev"}, nil, "invalid domain name identifier specified: nope"},
		{"H", "ApiMapping", props{"DomainName": "api.example.com", "Stage": "nope"}, nil, "invalid stage identifier specified: nope"},
		{"H", "ApiMapping", props{"DomainName": "api.example.com", "Stage": "dev"}, nil, ""},
		{"H", "ApiMapping", props{"DomainName": "api.example.com", "Stage": "dev"}, nil, "has a mapping"},
		{"H", "ApiMapping", props{"DomainName": "api.example.com", "Stage": "dev", "ApiMappingKey": "v1"}, nil, ""},
		{"", "Api", props{"Name": "k", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.a", "ApiKeySelectionExpression": "$request.header.key"}, nil, "ApiKeySelectionExpression: must be $request.header.x-api-key or $context.authorizer.usageIdentifierKey"},
		{"", "Api", props{"Name": "k", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.a", "ApiKeySelectionExpression": "$context.authorizer.usageIdentifierKey"}, nil, ""},
	} {
		p := merged(props{}, test.base, test.parts)
		if test.api != "" {
			p["ApiId"] = c.ids[test.api]
		}
		if test.kind == "Authorizer" {
			p["Name"] = "z"
		}
		_, err := c.try(test.kind, "X"+test.kind, p)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s %v of %s: %v, want %s", test.kind, p, test.api, err, test.want)
		}
	}
	if err := c.remove("DomainName", "D", "api.example.com", props{}); err == nil || !strings.Contains(err.Error(), "[ v1]") {
		t.Errorf("a domain with mappings was deleted: %v", err)
	}
	for _, key := range []any{nil, "v1"} {
		if err := c.remove("ApiMapping", "M", "m", props{"DomainName": "api.example.com", "ApiMappingKey": key}); err != nil {
			t.Error(err)
		}
	}
	if err := c.remove("DomainName", "D", "api.example.com", props{}); err != nil {
		t.Error(err)
	}
	if _, err := c.try("DomainName", "D", props{"DomainName": "api.example.com"}); err != nil {
		t.Errorf("a deleted domain cannot be made again: %v", err)
	}
}

func merged(into props, more ...props) props {
	out := maps.Clone(into)
	for _, m := range more {
		maps.Copy(out, m)
	}
	return out
}

// TestIntegrationsBeforehand: what an integration lacks is said before anything of its
// stack is made, and what is only known then is not missed.
func TestIntegrationsBeforehand(t *testing.T) {
	check := newCloud(t, gateway.Options{}).Registrations()["AWS::ApiGatewayV2::Integration"].Check
	for _, test := range []struct {
		method any
		want   string
	}{{nil, "HttpMethod parameter method must be specified"}, {"ANY", ""}, {stack.Unknown{}, ""}} {
		values := props{"ApiId": "a", "IntegrationType": "HTTP_PROXY", "IntegrationUri": "http://localhost:1"}
		if test.method != nil {
			values["IntegrationMethod"] = test.method
		}
		if err := check(values); test.want == "" && err != nil && !errors.Is(err, stack.ErrUnknown) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v: %v", test.method, err)
		}
	}
}
