package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"arc/sandbox/gateway"
)

// CreateApi with a target makes what a template's Target does; without one it is refused,
// and so is deleting what a stack made.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html#CreateApi
func TestQuickCreateByClients(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`"function"`)}})
	control := gateway.Control{Gateway: c.Gateway, Account: "123456789012", Region: "us-east-1"}
	ask := func(method, path, body string) (int, string) {
		w := httptest.NewRecorder()
		control.ServeHTTP(w, httptest.NewRequest(method, "/v2/apis"+path, strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	for range 2 { // of one name there may be several
		status, body := ask("POST", "", `{"name": "q", "protocolType": "HTTP", "target": "arn:aws:lambda:us-east-1:123456789012:function:fn", "routeKey": "GET /it", "corsConfiguration": {"allowOrigins": ["https://app.example"]}, "tags": {"of": "me"}}`)
		var made struct {
			APIID, APIEndpoint, Name string
			Tags                     map[string]string
		}
		if err := json.Unmarshal([]byte(body), &made); err != nil || status != 201 || made.Name != "q" || made.Tags["of"] != "me" {
			t.Fatalf("%d %s %v", status, body, err)
		}
		for path, want := range map[string]int{"/it": 200, "/other": 404} {
			if status, body := call(t, "GET", made.APIEndpoint+path, ""); status != want {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		defer func() {
			if status, body := ask("DELETE", "/"+made.APIID, ""); status != 204 {
				t.Errorf("deleted: %d %s", status, body)
			}
			if status, _ := ask("GET", "/"+made.APIID, ""); status != 404 {
				t.Errorf("a deleted API is told of: %d", status)
			}
		}()
	}
	for body, want := range map[string]string{
		`{"name": "q", "protocolType": "HTTP"}`:                        "without a target",
		`{"name": "q", "protocolType": "WEBSOCKET", "target": "x"}`:    "RouteSelectionExpression",
		`{"protocolType": "HTTP", "target": "https://there.example"}`:  "Name",
		`{"name": "q", "target": "https://there.example", "other": 1}`: "Other",
		`{`: "not the JSON",
	} {
		if status, said := ask("POST", "", body); status < 400 || !strings.Contains(said, want) {
			t.Errorf("%s: %d %s", body, status, said)
		}
	}
	of := c.create("Api", "Q", props{"Name": "q", "ProtocolType": "HTTP"})
	if status, said := ask("DELETE", "/"+of.PhysicalID, ""); status != 501 || !strings.Contains(said, "which deletes it") {
		t.Errorf("a stack's: %d %s", status, said)
	}
}

// An Api with a Target answers by itself, without an integration, a route and a
// stage of its own in the template, and its update changes what it answers.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop.html
func TestQuickCreate(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "upstream ", r.Method) }))
	defer upstream.Close()
	const function = "arn:aws:lambda:us-east-1:123456789012:function:fn"
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`"function"`), "other": returns(`"other"`)}})
	plain := func(more props) props { return merged(props{"Name": "q", "ProtocolType": "HTTP"}, more) }
	api := c.create("Api", "Q", plain(props{"Target": function}))
	endpoint := api.Attributes["ApiEndpoint"].(string)
	answers := func(method, path string, status int, want string) {
		t.Helper()
		if got, body := call(t, method, endpoint+path, ""); got != status || body != want {
			t.Errorf("%s %s: %d %s, want %d %s", method, path, got, body, status, want)
		}
	}
	answers("GET", "/", 200, "function")
	answers("POST", "/any/thing", 200, "function")

	// Its parts are told, as managed ones.
	control := gateway.Control{Gateway: c.Gateway, Account: "123456789012"}
	for _, part := range []string{"routes", "integrations", "stages"} {
		w := httptest.NewRecorder()
		control.ServeHTTP(w, httptest.NewRequest("GET", "/v2/apis/"+api.PhysicalID+"/"+part, nil))
		var out struct {
			Items []struct{ ApiGatewayManaged bool }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || len(out.Items) != 1 || !out.Items[0].ApiGatewayManaged {
			t.Errorf("%s: %s", part, w.Body)
		}
	}

	// A route of one's own goes beside it, one of the same key does not; nor does a second $default stage.
	own := props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": uri("other")}
	c.create("Integration", "I", own)
	route := func(key string) props {
		return props{"ApiId": api.PhysicalID, "RouteKey": key, "Target": "integrations/" + c.ids["I"]}
	}
	c.create("Route", "R", route("GET /own"))
	answers("GET", "/own", 200, "other")
	answers("POST", "/own", 200, "function")
	if _, err := c.try("Route", "R2", route("$default")); err == nil || !strings.Contains(err.Error(), "route with key $default already exists") {
		t.Errorf("a second $default: %v", err)
	}
	if _, err := c.try("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true}); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("a second stage: %v", err)
	}

	update := func(more props) {
		t.Helper()
		if err := c.change("Api", "Q", api.PhysicalID, plain(more)); err != nil {
			t.Fatal(err)
		}
	}
	update(props{"Target": upstream.URL, "RouteKey": "GET /up"})
	answers("GET", "/up", 200, "upstream GET")
	answers("POST", "/up", 404, `{"message":"Not Found"}`)
	answers("GET", "/own", 200, "other")
	if err := c.change("Api", "Q", api.PhysicalID, plain(props{"Target": function, "RouteKey": "GET /own"})); err == nil || !strings.Contains(err.Error(), "route with key GET /own already exists") {
		t.Errorf("a key that is taken: %v", err)
	}
	answers("GET", "/up", 200, "upstream GET") // the failed update changed nothing
	update(nil)
	answers("GET", "/up", 404, `{"message":"Not Found"}`)

	for _, test := range []struct {
		more props
		want string
	}{
		{props{"Target": "arn:aws:sqs:us-east-1:123456789012:q"}, "property Target"},
		{props{"Target": "ftp://localhost"}, "property Target"},
		{props{"Target": function, "RouteKey": "GET"}, "property RouteKey"},
		{props{"Target": function, "Body": props{"info": props{"title": "x"}}}, "is for HTTP APIs without a Body"},
		{props{"Target": function, "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}, "is for HTTP APIs without a Body"},
	} {
		if _, err := c.try("Api", "Wrong", plain(test.more)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v", test.more, err)
		}
	}
}

// A Body may name the route for everything with and without a slash: SAM writes it
// without one, for a function whose event HttpApi has no path.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-httpapi.html
func TestDefaultOfBody(t *testing.T) {
	for _, path := range []string{"$default", "/$default"} {
		c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`"all"`), "get": returns(`"one"`)}})
		proxy := func(function string) props {
			return props{"x-amazon-apigateway-integration": props{"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": uri(function)}, "isDefaultRoute": true}
		}
		api := c.create("Api", "HTTP", props{"Body": props{"openapi": "3.0.1", "info": props{"title": "x"}, "paths": props{
			path:   props{"x-amazon-apigateway-any-method": proxy("fn")},
			"/one": props{"get": proxy("get")},
		}}})
		c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": "true"})
		endpoint := api.Attributes["ApiEndpoint"].(string)
		for request, want := range map[string]string{"GET /": "all", "PUT /a/b": "all", "GET /one": "one", "POST /one": "all"} {
			method, at, _ := strings.Cut(request, " ")
			if status, body := call(t, method, endpoint+at, ""); status != 200 || body != want {
				t.Errorf("%s: %s: %d %s", path, request, status, body)
			}
		}
	}
}
