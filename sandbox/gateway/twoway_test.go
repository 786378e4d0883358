package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
)

// asked sends a message to a stage and then one that is answered in any case, and
// gives the first answer.
func (c *cloud) asked(t *testing.T, endpoint, stage, message string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, endpoint+"/"+stage, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for _, text := range []string{message, `{"action":"last"}`} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if text == message && strings.Contains(message, "silent") {
			eventually(t, "the log says why nothing is sent", func() bool { return strings.Contains(c.log(), "without an AWS::ApiGatewayV2::RouteResponse") })
		} else if text == message {
			return read(t, conn)
		}
	}
	return read(t, conn)
}

// TestTwoWay gives a route its response, changes the route, and takes the response
// away: what was deployed stays what it was.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html
func TestTwoWay(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"hi": returns(`{"statusCode":200,"body":"hi"}`), "last": returns(`{"statusCode":200,"body":"last"}`)}})
	api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	endpoint := api.Attributes["ApiEndpoint"].(string)
	c.socketRoute(api.PhysicalID, "last", "last", props{})
	c.twoWay(api.PhysicalID, "lastWSRoute")
	promises := props{"RouteResponseSelectionExpression": "$default"}
	c.socketRoute(api.PhysicalID, "hi", "hi", promises)
	d := c.create("Deployment", "D", props{"ApiId": api.PhysicalID})
	c.create("Stage", "Frozen", props{"ApiId": api.PhysicalID, "StageName": "frozen", "DeploymentId": d.PhysicalID})
	c.create("Stage", "Live", props{"ApiId": api.PhysicalID, "StageName": "live", "AutoDeploy": true})
	const hi, silent = `{"action":"hi"}`, `{"action":"hi","silent":true}`
	if got := c.asked(t, endpoint, "live", silent); got != "last" {
		t.Errorf("without a response: %s", got)
	}
	c.twoWay(api.PhysicalID, "hiWSRoute")
	if got := c.asked(t, endpoint, "live", hi); got != "hi" {
		t.Errorf("with one: %s", got)
	}
	if got := c.asked(t, endpoint, "frozen", silent); got != "last" {
		t.Errorf("deployed without one: %s", got)
	}
	if err := c.change("Route", "hiWSRoute", c.ids["hiWSRoute"], merged(promises, props{"ApiId": api.PhysicalID, "RouteKey": "hi", "OperationName": "other", "Target": "integrations/" + c.ids["hiWSIntegration"]})); err != nil {
		t.Fatal(err)
	}
	if got := c.asked(t, endpoint, "live", hi); got != "hi" {
		t.Errorf("a changed route: %s", got)
	}
	response := props{"ApiId": api.PhysicalID, "RouteId": c.ids["hiWSRoute"], "RouteResponseKey": "$default"}
	if err := c.change("RouteResponse", "hiWSRouteResponse", c.ids["hiWSRouteResponse"], merged(response, props{"ResponseModels": props{"$default": "m"}})); err != nil {
		t.Error(err)
	}
	if err := c.remove("RouteResponse", "hiWSRouteResponse", "another", response); err != nil {
		t.Error(err)
	}
	if got := c.asked(t, endpoint, "live", hi); got != "hi" {
		t.Errorf("another route's response is removed: %s", got)
	}
	if err := c.remove("RouteResponse", "hiWSRouteResponse", c.ids["hiWSRouteResponse"], response); err != nil {
		t.Error(err)
	}
	if got := c.asked(t, endpoint, "live", silent); got != "last" {
		t.Errorf("its response is removed: %s", got)
	}
}

// TestModels changes the model of a route: what was deployed keeps the one that it
// was made with. The log says what does not fit.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-request-validation.html
func TestModels(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200,"body":"fits"}`)}})
	api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	endpoint := api.Attributes["ApiEndpoint"].(string)
	schema := func(field string) props {
		return props{"ApiId": api.PhysicalID, "Name": "whole", "Schema": props{"type": "object", "required": []any{field}, "properties": props{"part": props{"$ref": "https://apigateway.amazonaws.com/restapis/x/models/part"}}}}
	}
	c.create("Model", "Part", props{"ApiId": api.PhysicalID, "Name": "part", "Schema": `{"type":"integer"}`})
	m := c.create("Model", "M", schema("first"))
	c.socketRoute(api.PhysicalID, "$default", "fn", props{"ModelSelectionExpression": "$request.body.kind", "RequestModels": props{"a": "whole"}})
	c.twoWay(api.PhysicalID, "defaultWSRoute")
	d := c.create("Deployment", "D", props{"ApiId": api.PhysicalID})
	c.create("Stage", "Frozen", props{"ApiId": api.PhysicalID, "StageName": "frozen", "DeploymentId": d.PhysicalID})
	c.create("Stage", "Live", props{"ApiId": api.PhysicalID, "StageName": "live", "AutoDeploy": true})
	if err := c.change("Model", "M", m.PhysicalID, schema("second")); err != nil {
		t.Fatal(err)
	}
	const refused = "Invalid request body"
	for _, test := range []struct{ stage, message, answer, says string }{
		{"frozen", `{"kind":"a","first":1}`, "fits", ""},
		{"frozen", `{"kind":"a","second":1}`, refused, "the message does not fit the model of a: body: first is missing"},
		{"live", `{"kind":"a","second":1,"part":2}`, "fits", ""},
		{"live", `{"kind":"a","first":1}`, refused, "body: second is missing"},
		{"live", `{"kind":"a","second":1,"part":"x"}`, refused, "body.part: must be integer"},
		{"live", `{"kind":"b","second":1}`, refused, `the route has no model for it; RequestModels has ["a"], and none for $default`},
		{"live", `kind a`, refused, "the route has no model for it"},
	} {
		if got := c.asked(t, endpoint, test.stage, test.message); !strings.Contains(got, test.answer) {
			t.Errorf("%s of %s: %s", test.message, test.stage, got)
		}
		eventually(t, "the log says "+test.says, func() bool { return strings.Contains(c.log(), test.says) })
	}
	if _, err := c.try("Model", "Twin", schema("third")); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("a second model of the name: %v", err)
	}
	if err := c.remove("Model", "M", m.PhysicalID, schema("second")); err != nil {
		t.Error(err)
	}
	if _, err := c.try("Model", "Twin", schema("third")); err != nil {
		t.Errorf("the name of a model that is gone: %v", err)
	}
}
