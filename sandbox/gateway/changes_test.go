package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// TestIDs holds the IDs of resources to the lengths that API Gateway gives them.
func TestIDs(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	c.socketAPI(map[string]string{"$default": "fn"})
	c.create("RouteResponse", "Response", props{"ApiId": c.ids["WS"], "RouteId": c.ids["defaultWSRoute"], "RouteResponseKey": "$default"})
	for id, length := range map[string]int{"WS": 10, "defaultWSIntegration": 7, "defaultWSRoute": 7, "Response": 7, "WebsocketDeployment": 6} {
		if got := c.ids[id]; len(got) != length {
			t.Errorf("%s has the ID %q, want %d characters", id, got, length)
		}
	}
}

// TestIntegrationChanges updates an integration, which a stage that deploys by
// itself serves at once; an update that is refused changes nothing.
func TestIntegrationChanges(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"a": returns(`"a"`), "b": returns(`"b"`)}})
	endpoint := c.httpAPI(map[string]string{"GET /": "a"})
	integration := func(function string) props {
		return props{"ApiId": c.ids["HTTP"], "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": function}
	}
	c.create("Integration", "I", integration(uri("a")))
	c.create("Route", "R", props{"ApiId": c.ids["HTTP"], "RouteKey": "GET /x", "Target": "integrations/" + c.ids["I"]})
	answers := func(want string) {
		t.Helper()
		if _, got := call(t, "GET", endpoint+"/x", ""); got != want {
			t.Errorf("%s answers, want %s", got, want)
		}
	}
	answers("a")
	if err := c.change("Integration", "I", c.ids["I"], integration(uri("b"))); err != nil {
		t.Fatal(err)
	}
	answers("b")
	for _, wrong := range []string{
		"arn:aws:sns:us-east-1:123456789012:function:a", "arn:aws:lambda:us-east-1:123456789012:layer:a", "arn:aws:lambda:us-east-1:123456789012:function:",
		"arn:aws:lambda:us-east-1:123456789012:function", "arn:aws:lambda:us-east-1:123456789012:function:a:b:c",
	} {
		if err := c.change("Integration", "I", c.ids["I"], integration(wrong)); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
	answers("b")
	if err := c.change("Route", "R", c.ids["R"], props{"ApiId": c.ids["HTTP"], "RouteKey": "GET /y", "Target": "integrations/none"}); err == nil {
		t.Error("a route to an integration that is not there was taken")
	}
	answers("b")
}

// TestDeploymentOfAStage: a deployment that names a stage is live there at once.
func TestDeploymentOfAStage(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"a": returns(`"a"`)}})
	api := c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP"})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default"})
	c.create("Integration", "I", props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": uri("a")})
	c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "GET /", "Target": "integrations/" + c.ids["I"]})
	endpoint := api.Attributes["ApiEndpoint"].(string)
	if status, _ := call(t, "GET", endpoint+"/", ""); status != 404 {
		t.Errorf("before it was deployed: %d", status)
	}
	if _, err := c.try("Deployment", "D", props{"ApiId": api.PhysicalID, "StageName": "other"}); err == nil {
		t.Error("deployed to a stage that is not there")
	}
	c.create("Deployment", "D", props{"ApiId": api.PhysicalID, "StageName": "$default"})
	if status, got := call(t, "GET", endpoint+"/", ""); got != "a" {
		t.Errorf("deployed: %d %s", status, got)
	}
	if err := c.remove("Deployment", "D", c.ids["D"], props{"ApiId": api.PhysicalID}); err == nil {
		t.Error("the deployment of a stage was deleted")
	}
}

// TestCORSBesideABody: a Body without CORS leaves the API's own as it is.
func TestCORSBesideABody(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`"a"`)}})
	api := c.create("Api", "HTTP", props{
		"Body": props{"info": props{"title": "x"}, "paths": props{"/": props{"get": props{"x-amazon-apigateway-integration": props{
			"type": "aws_proxy", "payloadFormatVersion": "2.0", "uri": uri("fn")}}}}},
		"CorsConfiguration": props{"AllowOrigins": []any{"http://localhost:5173"}},
	})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	got := raw(t, api.Attributes["ApiEndpoint"].(string), "GET / HTTP/1.1\nHost: localhost:3333\nOrigin: http://localhost:5173\n\n")
	if !strings.Contains(got, "Access-Control-Allow-Origin: http://localhost:5173\n") {
		t.Errorf("the API's CORS is gone:\n%s", got)
	}
}

// TestLog reads what is told of calls: one line each, and what they waited for.
func TestLog(t *testing.T) {
	takes := func(waited, init time.Duration) func(context.Context, []byte) (invoke.Result, error) {
		return func(context.Context, []byte) (invoke.Result, error) {
			return invoke.Result{Payload: []byte(`{"statusCode":200}`), Waited: waited, Init: init}, nil
		}
	}
	c := newCloud(t, gateway.Options{Invoker: functions{
		"throws": throws("one\ntwo"), "quick": takes(50*time.Millisecond-1, time.Second-1), "slow": takes(50*time.Millisecond, time.Second),
	}})
	endpoint := c.httpAPI(map[string]string{"GET /throws": "throws", "GET /quick": "quick", "GET /slow": "slow"})
	for _, test := range []struct{ path, want string }{
		{"/throws", "GET /throws 500 0ms function throws: Error: one …"},
		{"/quick", "GET /quick 200 0ms"},
		{"/slow", "GET /slow 200 0ms (waited 0ms for a worker) (Init Duration: 0ms)"},
	} {
		call(t, "GET", endpoint+test.path, "")
		lines := strings.Split(c.log(), "\n")
		if got := took.ReplaceAllString(lines[len(lines)-1], "0ms"); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	if !strings.Contains(c.log(), "(waited 50ms for a worker) (Init Duration: 1000ms)") {
		t.Errorf("log:\n%s", c.log())
	}
}

// TestNoStatusCode: payload format 1.0 infers nothing.
func TestNoStatusCode(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"body":"x"}`)}})
	api := c.create("Api", "HTTP", props{"Body": props{"info": props{"title": "x"}, "paths": props{"/": props{"get": props{"x-amazon-apigateway-integration": props{
		"type": "aws_proxy", "payloadFormatVersion": "1.0", "uri": uri("fn")}}}}}})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	if status, _ := call(t, "GET", api.Attributes["ApiEndpoint"].(string)+"/", ""); status != 500 || !strings.Contains(c.log(), "statusCode: got missing, want") {
		t.Errorf("%d\n%s", status, c.log())
	}
}

// TestProxyTakesNoMore than API Gateway does.
func TestProxyTakesNoMore(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer upstream.Close()
	c := newCloud(t, gateway.Options{})
	api := c.create("Api", "HTTP", props{"Body": props{"info": props{"title": "x"}, "paths": props{"/": props{"post": props{"x-amazon-apigateway-integration": props{
		"type": "http_proxy", "payloadFormatVersion": "1.0", "httpMethod": "POST", "uri": upstream.URL}}}}}})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	for length, want := range map[int]int{10 << 20: 200, 10<<20 + 1: 413} {
		if status, body := call(t, "POST", api.Attributes["ApiEndpoint"].(string)+"/", strings.Repeat("x", length)); status != want {
			t.Errorf("%d bytes: %d %s", length, status, body)
		}
	}
}

// TestSelections sends what is no text where the route key is looked for.
func TestSelections(t *testing.T) {
	called := make(chan string, 1)
	invoker, keys := functions{}, map[string]string{}
	for _, name := range []string{"default", "null", "true", "7", "{}"} {
		invoker["fn"+name] = func(context.Context, []byte) (invoke.Result, error) {
			called <- name
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
		}
		keys[name] = "fn" + name
	}
	delete(keys, "default")
	delete(keys, "{}")
	keys["$default"] = "fndefault"
	c := newCloud(t, gateway.Options{Invoker: invoker})
	conn := dial(t, c.socketAPI(keys))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for message, want := range map[string]string{
		`{"action":null}`: "default", `{"action":true}`: "true", `{"action":7}`: "7", `{"action":{}}`: "default", `{"action":[]}`: "default",
		`{"action":""}`: "default", `{"action":"$default"}`: "default", `{}`: "default", `null`: "default", `{"action":"null"}`: "null",
	} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if got := <-called; got != want {
			t.Errorf("%s went to %s, want %s", message, got, want)
		}
	}
}

// TestConnectWithoutIntegration: the route is there, and leads nowhere.
func TestConnectWithoutIntegration(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`)}})
	api := c.create("Api", "WS", props{"Name": "x", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$connect"})
	c.create("Deployment", "D", props{"ApiId": api.PhysicalID})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "DeploymentId": c.ids["D"]})
	if got := handshake(t, api.Attributes["ApiEndpoint"].(string), "GET /staging HTTP/1.1\nHost: HOST\n"+upgradeLines); got != 500 || !strings.Contains(c.log(), "route $connect has no integration") {
		t.Errorf("%d\n%s", got, c.log())
	}
}

// TestALongFrameBehindAMessage: what comes in the same packet as the beginning
// of a frame that is too long is served.
func TestALongFrameBehindAMessage(t *testing.T) {
	got := make(chan string, 1)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		got <- string(event)
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}}})
	conn, _ := rawSocket(t, c.socketAPI(map[string]string{"$default": "fn"}))
	// Two text frames, masked with zeros: "hi", and the head of one with 40 KB.
	io.WriteString(conn, "\x81\x82\x00\x00\x00\x00hi\x81\xfe\xa0\x00\x00\x00\x00\x00")
	select {
	case event := <-got:
		if !strings.Contains(event, `"body":"hi"`) {
			t.Errorf("event %s", event)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("the message was lost; log:\n%s", c.log())
	}
}

// TestPostLimits: @connections takes 128 KB, and tells of more.
func TestPostLimits(t *testing.T) {
	ids := make(chan string, 1)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct{ RequestContext struct{ ConnectionID string } }
		err := json.Unmarshal(event, &e)
		ids <- e.RequestContext.ConnectionID
		return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
	}}})
	endpoint := c.socketAPI(map[string]string{"$connect": "fn"})
	conn := dial(t, endpoint)
	conn.SetReadLimit(-1)
	url := strings.Replace(endpoint, "ws:", "http:", 1) + "/staging/@connections/" + <-ids
	if status, _ := call(t, "POST", url, strings.Repeat("x", 128<<10)); status != 200 {
		t.Errorf("128 KB: %d", status)
	}
	if status, _ := call(t, "POST", url, strings.Repeat("x", 128<<10+1)); status != 413 || !strings.Contains(c.log(), "413 message longer than 128 KB") {
		t.Errorf("more: %d; log:\n%s", status, c.log())
	}
}
