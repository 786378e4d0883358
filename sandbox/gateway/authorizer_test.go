package gateway_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// guarded makes an HTTP API whose $default route an authorizer of the properties
// guards, over functions "guard" and "fn".
func guarded(c *cloud, authorizer props) (endpoint string) {
	c.t.Helper()
	api := c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP"})
	p := props{"ApiId": api.PhysicalID, "Name": "guard", "AuthorizerType": "REQUEST", "AuthorizerUri": uri("guard"), "AuthorizerPayloadFormatVersion": "2.0"}
	maps.Copy(p, authorizer)
	z := c.create("Authorizer", "Z", p)
	i := c.create("Integration", "I", props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fn"), "PayloadFormatVersion": "2.0"})
	for _, key := range []string{"GET /a", "GET /b", "$default"} {
		c.create("Route", "R"+key, props{"ApiId": api.PhysicalID, "RouteKey": key, "Target": "integrations/" + i.PhysicalID, "AuthorizationType": "CUSTOM", "AuthorizerId": z.PhysicalID})
	}
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	return api.Attributes["ApiEndpoint"].(string)
}

const arnOfAll = `"arn:aws:execute-api:us-east-1:123456789012:*"`

// conditional is a policy that allows everything under a condition.
func conditional(condition string) string {
	return `{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{` + condition + `}}]}}`
}

func policy(effect, action, resource string) string {
	return `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"` + action + `","Resource":` + resource + `}]},"context":{"n":1,"s":"x"}}`
}

// TestAuthorizerResults gives what authorizers' functions may say, and what their
// callers hear.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func TestAuthorizerResults(t *testing.T) {
	simple := props{"EnableSimpleResponses": true}
	for name, test := range map[string]struct {
		authorizer props
		result     string
		status     int
		log        string
	}{
		"simple, yes":               {simple, `{"isAuthorized":true,"context":{"n":1}}`, 200, ""},
		"simple, no":                {simple, `{"isAuthorized":false}`, 403, "isAuthorized: false"},
		"simple, but a policy":      {simple, policy("Allow", "execute-api:Invoke", arnOfAll), 200, ""},
		"simple, neither":           {simple, `{}`, 500, "no policyDocument"},
		"not simple":                {props{}, `{"isAuthorized":true}`, 500, "EnableSimpleResponses"},
		"policy":                    {props{}, policy("Allow", "execute-api:Invoke", arnOfAll), 200, ""},
		"policy, other action":      {props{}, policy("Allow", "lambda:*", arnOfAll), 403, "does not allow"},
		"policy, other resource":    {props{}, policy("Allow", "*", `["arn:aws:execute-api:us-east-1:123456789012:*/$default/POST/*"]`), 403, "does not allow"},
		"policy, one of two":        {props{}, policy("Allow", "*", `["x","arn:aws:execute-api:us-east-1:123456789012:*/$default/GET/x"]`), 200, ""},
		"policy, deny":              {props{}, policy("Deny", "execute-api:*", arnOfAll), 403, "does not allow"},
		"one statement, no list":    {props{}, `{"policyDocument":{"Statement":{"Effect":"Allow","Action":["execute-api:Invoke"],"Resource":"*"}}}`, 200, ""},
		"allow and deny":            {props{}, `{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}}`, 403, ""},
		"deny of something else":    {props{}, `{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"x"}]}}`, 200, ""},
		"no statements":             {props{}, `{"policyDocument":{"Statement":[]}}`, 403, ""},
		"no Statement":              {props{}, `{"policyDocument":{}}`, 500, "has no Statement"},
		"odd effect":                {props{}, policy("Perhaps", "*", arnOfAll), 500, "no Effect, Action or Resource"},
		"no action":                 {props{}, `{"policyDocument":{"Statement":[{"Effect":"Allow","Resource":"*"}]}}`, 500, "no Effect, Action or Resource"},
		"no resource":               {props{}, `{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*"}]}}`, 500, "no Effect, Action or Resource"},
		"an address it comes from":  {props{}, conditional(`"IpAddress":{"aws:SourceIp":["10.0.0.0/8","127.0.0.0/8"]}`), 200, ""},
		"an address of elsewhere":   {props{}, conditional(`"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`), 403, "does not allow"},
		"a time that has come":      {props{}, conditional(`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"},"NumericLessThan":{"aws:EpochTime":"9999999999"}`), 200, ""},
		"a time that is over":       {props{}, conditional(`"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`), 403, "does not allow"},
		"by https":                  {props{}, conditional(`"Bool":{"aws:SecureTransport":"true"}`), 200, ""},
		"from a page":               {props{}, conditional(`"StringLike":{"aws:Referer":"https://shop.example/*"}`), 403, "does not allow"},
		"with a client":             {props{}, conditional(`"StringLike":{"aws:UserAgent":"Go-http-client/*"}`), 200, ""},
		"from a network":            {props{}, conditional(`"StringEquals":{"aws:SourceVpc":"vpc-1"}`), 403, "does not allow"},
		"of whoever signs":          {props{}, conditional(`"StringEquals":{"aws:PrincipalTag/team":"shop"}`), 403, "does not allow"},
		"a key that nobody knows":   {props{}, conditional(`"Bool":{"a":"b"}`), 200, "the condition key a is not known here: let through"},
		"all but an action":         {props{}, `{"policyDocument":{"Statement":[{"Effect":"Allow","NotAction":"execute-api:ManageConnections","Resource":"*"}]}}`, 200, ""},
		"a member of no statement":  {props{}, `{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Conditions":{}}]}}`, 500, "does not read"},
		"a statement that is none":  {props{}, `{"policyDocument":{"Statement":"x"}}`, 500, "cannot be read"},
		"text":                      {props{}, `"yes"`, 500, "must return an object"},
		"null":                      {props{}, `null`, 500, "must return an object"},
		"1.0 without principalId":   {props{"AuthorizerPayloadFormatVersion": "1.0"}, `{"policyDocument":{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}}`, 500, "no principalId"},
		"1.0":                       {props{"AuthorizerPayloadFormatVersion": "1.0"}, policy("Allow", "*", arnOfAll), 200, ""},
		"thrown Unauthorized":       {props{}, "throw Unauthorized", 401, "threw Unauthorized"},
		"thrown something else":     {props{}, "throw Unauthorised", 500, "Unauthorised"},
		"no function":               {props{"AuthorizerUri": uri("nobody")}, ``, 500, "no such function"},
		"a function that lets none": {props{"AuthorizerUri": uri("closed")}, ``, 500, "no permission"},
		"a role lets":               {props{"AuthorizerUri": uri("closed"), "AuthorizerCredentialsArn": "arn:aws:iam::123456789012:role/r"}, ``, 500, "no such function"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := returns(test.result)
			if message, ok := strings.CutPrefix(test.result, "throw "); ok {
				answer = throws(message)
			}
			c := newCloud(t, gateway.Options{Invoker: functions{"guard": answer, "fn": returns(`{"statusCode":200,"body":"in"}`)},
				Permit: func(function string, sources ...string) error {
					if function == "closed" && strings.Contains(sources[0], "/authorizers/") {
						return invoke.ErrForbidden
					}
					return nil
				}})
			status, body := call(t, "GET", guarded(c, test.authorizer)+"/x", "")
			want := map[int]string{200: "in", 401: `{"message":"Unauthorized"}`, 403: `{"message":"Forbidden"}`, 500: `{"message":"Internal Server Error"}`}[test.status]
			if status != test.status || body != want {
				t.Errorf("%d %s", status, body)
			}
			if !strings.Contains(c.log(), test.log) {
				t.Errorf("the log lacks %q:\n%s", test.log, c.log())
			}
		})
	}
}

// TestAuthorizerCache counts how often an authorizer is asked: once for the same
// identity sources within the time to live, for all routes, or for each one where
// the route is among the sources.
func TestAuthorizerCache(t *testing.T) {
	for name, test := range map[string]struct {
		authorizer props
		asked      int
	}{
		"not kept":        {props{"IdentitySource": []any{"$request.header.Auth"}}, 5},
		"kept":            {props{"IdentitySource": []any{"$request.header.Auth"}, "AuthorizerResultTtlInSeconds": json.Number("300")}, 2},
		"kept by route":   {props{"IdentitySource": []any{"$request.header.Auth", "$context.routeKey"}, "AuthorizerResultTtlInSeconds": json.Number("300")}, 3},
		"without sources": {props{}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`), "guard": func(_ context.Context, event []byte) (invoke.Result, error) {
				asked++
				return invoke.Result{Payload: []byte(policy("Allow", "*", `"*"`))}, nil
			}}})
			endpoint := guarded(c, test.authorizer)
			for _, request := range []string{"/a one", "/a one", "/a two", "/b one", "/a one", "/a "} {
				path, auth, _ := strings.Cut(request, " ")
				want := 200
				if auth == "" && test.authorizer["IdentitySource"] != nil {
					want = 401
				}
				if status, _ := call(t, "GET", endpoint+path, "", "Auth", auth); status != want {
					t.Errorf("%s: %d", request, status)
				}
			}
			if asked != test.asked {
				t.Errorf("asked %d times, want %d", asked, test.asked)
			}
		})
	}
}

// TestAuthorizerEvents compares what authorizers are told, and what of their
// answers the function is.
func TestAuthorizerEvents(t *testing.T) {
	for format, want := range map[string]struct{ told, seen string }{
		"1.0": {`{"version":"1.0","type":"REQUEST","methodArn":"arn:aws:execute-api:us-east-1:123456789012:API/$default/GET/x","identitySource":"me,q","authorizationToken":"me,q","resource":"$default","path":"/x","httpMethod":"GET"}`,
			`{"lambda":{"n":1,"s":"x"}}`},
		"2.0": {`{"version":"2.0","type":"REQUEST","routeArn":"arn:aws:execute-api:us-east-1:123456789012:API/$default/GET/x","identitySource":["me","q"],"routeKey":"$default","rawPath":"/x","rawQueryString":"b=q"}`,
			`{"lambda":{"n":1,"s":"x"}}`},
	} {
		var told, seen map[string]json.RawMessage
		c := newCloud(t, gateway.Options{Invoker: functions{
			"guard": func(_ context.Context, event []byte) (invoke.Result, error) {
				return invoke.Result{Payload: []byte(policy("Allow", "*", `"*"`))}, json.Unmarshal(event, &told)
			},
			"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
				return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, json.Unmarshal(event, &seen)
			},
		}})
		endpoint := guarded(c, props{"IdentitySource": []any{"$request.header.a, $request.querystring.b"}, "AuthorizerPayloadFormatVersion": format})
		if status, body := call(t, "GET", endpoint+"/x?b=q", "", "A", "me"); status != 200 {
			t.Fatal(status, body)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(strings.ReplaceAll(want.told, "API", c.ids["HTTP"])), &fields); err != nil {
			t.Fatal(err)
		}
		for name, value := range fields {
			if string(told[name]) != string(value) {
				t.Errorf("%s: %s is %s, want %s", format, name, told[name], value)
			}
		}
		for _, name := range []string{"headers", "requestContext"} {
			if told[name] == nil {
				t.Errorf("%s: no %s", format, name)
			}
		}
		if told["body"] != nil || told["isBase64Encoded"] != nil {
			t.Errorf("%s: the body is told", format)
		}
		var context struct{ Authorizer json.RawMessage }
		if err := json.Unmarshal(seen["requestContext"], &context); err != nil || string(context.Authorizer) != want.seen {
			t.Errorf("%s: the function sees %s", format, context.Authorizer)
		}
	}
}

// TestConnectAuthorizer lets connections in by $connect's authorizer, whose context
// comes with all of their messages.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
func TestConnectAuthorizer(t *testing.T) {
	results := map[string]string{
		"yes": policy("Allow", "execute-api:Invoke", `"arn:aws:execute-api:us-east-1:123456789012:*/staging/$connect"`),
		"no":  policy("Deny", "*", `"*"`), "nothing": policy("Allow", "*", `"arn:aws:execute-api:us-east-1:123456789012:*/staging/other"`),
	}
	const open = `"policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	for name, result := range map[string]string{
		"a list": `{"principalId":"p","context":{"a":1,"l":[]},` + open + `}`, "an object": `{"principalId":"p","context":{"o": {}},` + open + `}`,
		"a context that is none": `{"principalId":"p","context":"x",` + open + `}`, "a principal that is none": `{"principalId":["p"],` + open + `}`,
		"no principal": `{` + open + `}`, "a policy that is text": `{"principalId":"p","policyDocument":"x"}`, "null": "null",
		"a statement that is none": `{"principalId":"p","policyDocument":{"Statement":[null]}}`,
		"long":                     `{"principalId":"` + strings.Repeat("p", 8<<10) + `",` + open + `}`, "simple": `{"isAuthorized":true}`,
	} {
		results[name] = result
	}
	short := `{"principalId":"` + strings.Repeat("p", 8<<10-len(`{"principalId":"",`+open+`}`)) + `",` + open + `}`
	results["as long as can be"] = short
	var told map[string]json.RawMessage
	authorized := make(chan string, 10)
	c := newCloud(t, gateway.Options{Invoker: functions{
		"guard": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct{ Headers map[string]string }
			told = nil
			if err := json.Unmarshal(event, &e); err != nil {
				return invoke.Result{}, err
			}
			return invoke.Result{Payload: []byte(results[e.Headers["Auth"]])}, json.Unmarshal(event, &told)
		},
		"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct {
				RequestContext struct{ Authorizer json.RawMessage }
			}
			err := json.Unmarshal(event, &e)
			authorized <- string(e.RequestContext.Authorizer)
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
		},
	}})
	api := c.create("Api", "WS", props{"Name": "W", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	z := c.create("Authorizer", "Z", props{"ApiId": api.PhysicalID, "Name": "guard", "AuthorizerType": "REQUEST", "AuthorizerUri": uri("guard"), "IdentitySource": []any{"route.request.header.Auth"}})
	for _, key := range []string{"$connect", "$default", "$disconnect"} {
		more := props{}
		if key == "$connect" {
			more = props{"AuthorizationType": "CUSTOM", "AuthorizerId": z.PhysicalID}
		}
		c.socketRoute(api.PhysicalID, key, "fn", more)
	}
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "AutoDeploy": true})
	endpoint := api.Attributes["ApiEndpoint"].(string) + "/staging"
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	wanted := map[string]int{"": 401, "yes": 101, "as long as can be": 101, "no": 403, "nothing": 403, "odd": 500}
	for name := range results {
		if wanted[name] == 0 {
			wanted[name] = 500
		}
	}
	for auth, want := range wanted {
		conn, resp, err := websocket.Dial(ctx, endpoint+"?q=1", &websocket.DialOptions{HTTPHeader: http.Header{"Auth": {auth}}})
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%q: %v %v", auth, resp, err)
		}
		if conn == nil {
			continue
		}
		if err := conn.Write(ctx, websocket.MessageText, []byte("x")); err != nil {
			t.Fatal(err)
		}
		conn.Close(1000, "")
		sees := `{"n":"1","principalId":"me","s":"x"}`
		if auth != "yes" {
			sees = `{"principalId":"` + strings.Repeat("p", strings.Count(short, "p")-strings.Count(`"principalId"`+open, "p")) + `"}`
		}
		for _, when := range []string{"$connect", "$default", "$disconnect"} {
			if got := <-authorized; got != sees {
				t.Errorf("%s sees %s", when, got)
			}
		}
		for name, value := range map[string]string{
			"type": `"REQUEST"`, "methodArn": `"arn:aws:execute-api:us-east-1:123456789012:` + api.PhysicalID + `/staging/$connect"`,
			"queryStringParameters": `{"q":"1"}`, "multiValueQueryStringParameters": `{"q":["1"]}`, "stageVariables": "{}",
		} {
			if string(told[name]) != value {
				t.Errorf("the authorizer is told %s: %s", name, told[name])
			}
		}
		var headers map[string]string
		if err := json.Unmarshal(told["headers"], &headers); err != nil || headers["Connection"] != "upgrade" || headers["Upgrade"] != "websocket" || headers["content-length"] != "0" {
			t.Errorf("the authorizer is told the headers %v", headers)
		}
	}
	for _, want := range []string{
		"route.request.header.Auth", "does not allow", "must return an object", "its context l is an object or a list", "its context o is an object", "its context may not be a JSON string",
		"its principalId may not be a JSON array", "no principalId", "has no Statement", "a statement is no object", "a WebSocket API takes 8 KB", "isAuthorized is for authorizers with",
	} {
		if !strings.Contains(c.log(), want) {
			t.Errorf("the log lacks %q:\n%s", want, c.log())
		}
	}
	// A route that uses it keeps an authorizer.
	if err := c.remove("Authorizer", "Z", z.PhysicalID, props{"ApiId": api.PhysicalID}); err == nil {
		t.Error("an authorizer in use was deleted")
	}
}
