package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"arc/sandbox/gateway"
)

// TestControlReads tells of APIs and of their parts as the API of API Gateway does: a
// page of a hundred at a time, names with a small letter, those of users as they are.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
func TestControlReads(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`"x"`)}})
	control := gateway.Control{Gateway: c.Gateway, Account: "123456789012", Region: "us-east-1"}
	ask := func(path string) map[string]any {
		t.Helper()
		w := httptest.NewRecorder()
		control.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		var out map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return out
	}
	api := c.create("Api", "H", props{"Name": "h", "ProtocolType": "HTTP", "Tags": map[string]any{"Owner": "me"}}).PhysicalID
	socket := c.create("Api", "W", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}).PhysicalID
	c.create("Stage", "S", props{"ApiId": api, "StageName": "$default", "AutoDeploy": true, "StageVariables": map[string]any{"Name": "1"}})
	c.create("Route", "R", props{"ApiId": api, "RouteKey": "GET /"})
	d := c.create("Deployment", "D", props{"ApiId": api}).PhysicalID
	if a := ask("/v2/apis/" + api); a["routeSelectionExpression"] != "$request.method $request.path" || fmt.Sprint(a["tags"]) != "map[Owner:me]" || a["protocolType"] != "HTTP" {
		t.Errorf("the HTTP API is %v", a)
	}
	if a := ask("/v2/apis/" + socket); a["routeSelectionExpression"] != "$request.body.action" {
		t.Errorf("the WebSocket API is %v", a)
	}
	if s := ask("/v2/apis/" + api + "/stages"); fmt.Sprint(s["items"].([]any)[0].(map[string]any)["stageVariables"]) != "map[Name:1]" {
		t.Errorf("stages: %v", s)
	}
	of := ask("/v2/apis/" + api + "/deployments/" + d)
	if of["deploymentId"] != d || of["autoDeployed"] != false {
		t.Errorf("the deployment is %v", of)
	}
	for n := range 99 {
		c.create("Api", fmt.Sprint("A", n), props{"Name": "a", "ProtocolType": "HTTP"})
	}
	first := ask("/v2/apis")
	if n := len(first["items"].([]any)); n != 100 || first["nextToken"] != "100" {
		t.Errorf("a page of %d, then %v", n, first["nextToken"])
	}
	if rest := ask("/v2/apis?nextToken=100"); len(rest["items"].([]any)) != 1 || rest["nextToken"] != nil {
		t.Errorf("the rest is %v", rest)
	}
	if two := ask("/v2/apis?maxResults=2"); len(two["items"].([]any)) != 2 || two["nextToken"] != "2" {
		t.Errorf("two are %v", two)
	}
}
