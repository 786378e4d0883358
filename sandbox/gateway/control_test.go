package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
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
	stage := ask("/v2/apis/" + api + "/stages")["items"].([]any)[0].(map[string]any)
	if fmt.Sprint(stage["stageVariables"]) != "map[Name:1]" || fmt.Sprint(stage["defaultRouteSettings"]) != "map[detailedMetricsEnabled:false]" || stage["autoDeploy"] != true {
		t.Errorf("the stage is %v", stage)
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

// TestSharedReads tells of keys and usage plans, which both versions have.
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html
func TestSharedReads(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	control := gateway.Control{Gateway: c.Gateway, Account: "123456789012", Region: "us-east-1"}
	made := func(kind, id string, properties props) string {
		r, err := c.Registrations()["AWS::ApiGateway::"+kind].Provider.Create(t.Context(), c.request(kind, id, "", properties))
		if err != nil {
			t.Fatal(err)
		}
		return r.PhysicalID
	}
	one := made("ApiKey", "K", props{"Name": "one", "Enabled": true, "Value": "a-value-of-twenty-and-more"})
	made("ApiKey", "L", props{"Name": "two", "Enabled": true})
	plan := made("UsagePlan", "P", props{"UsagePlanName": "plan"})
	made("UsagePlanKey", "PK", props{"KeyId": one, "KeyType": "API_KEY", "UsagePlanId": plan})
	for path, want := range map[string]string{
		"/apikeys/" + one: `"name":"one"`, "/apikeys/none": "Invalid API Key identifier specified", "/account": `"features":["UsagePlans"]`,
		"/usageplans/" + plan + "/keys": `"id":"` + one + `"`, "/usageplans/none/keys": "Invalid Usage Plan identifier specified", "/usageplans/" + plan: `"name":"plan"`,
	} {
		w := httptest.NewRecorder()
		control.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if text := strings.ReplaceAll(strings.ReplaceAll(w.Body.String(), " ", ""), "\n", ""); !strings.Contains(text, strings.ReplaceAll(want, " ", "")) {
			t.Errorf("%s: %d %s", path, w.Code, text)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s is answered more than once: %s", path, w.Body)
		}
	}
	w := httptest.NewRecorder()
	control.ServeHTTP(w, httptest.NewRequest("GET", "/apikeys", nil))
	if text := w.Body.String(); !strings.Contains(text, "one") || !strings.Contains(text, "two") || strings.Contains(text, "a-value-of") {
		t.Errorf("all keys: %s", text)
	}
}
