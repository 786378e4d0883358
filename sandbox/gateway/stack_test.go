package gateway_test

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// fakeLambda provides AWS::Lambda::Function without running anything.
type fakeLambda struct{}

func (fakeLambda) Create(_ context.Context, req stack.Request) (stack.Resource, error) {
	return stack.Resource{PhysicalID: req.LogicalID, Attributes: map[string]any{"Arn": "arn:aws:lambda:us-east-1:123456789012:function:" + req.LogicalID}}, nil
}

func (f fakeLambda) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return f.Create(ctx, req)
}

func (fakeLambda) Delete(context.Context, stack.Request) error { return nil }

func newEngine(t *testing.T, c *cloud) *stack.Engine {
	types := c.Registrations()
	types["AWS::Lambda::Function"] = stack.Registration{Provider: fakeLambda{}}
	e := stack.New(stack.Options{Account: "123456789012", Region: "us-east-1", Registrations: types})
	t.Cleanup(e.Close)
	return e
}

type resources map[string]any

func (r resources) json(t *testing.T) []byte {
	body, err := json.Marshal(map[string]any{"Resources": r, "Outputs": map[string]any{
		"WSS": map[string]any{"Value": map[string]any{"Fn::Join": []any{"/", []any{map[string]any{"Fn::GetAtt": []any{"WS", "ApiEndpoint"}}, "staging"}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// socketStack is a WebSocket API of actions as our templates have it.
func socketStack(deployment string, actions ...string) resources {
	ref := func(id string) any { return map[string]any{"Ref": id} }
	r := resources{
		"WS": props{"Type": "AWS::ApiGatewayV2::Api", "Properties": props{"Name": "W", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}},
		"WebsocketStage": props{"Type": "AWS::ApiGatewayV2::Stage", "Properties": props{
			"ApiId": ref("WS"), "DeploymentId": ref(deployment), "StageName": "staging"}},
	}
	var routes []string
	for _, action := range actions {
		name := strings.TrimPrefix(action, "$")
		r[name+"Lambda"] = props{"Type": "AWS::Lambda::Function", "Properties": props{}}
		r[name+"Integration"] = props{"Type": "AWS::ApiGatewayV2::Integration", "Properties": props{"ApiId": ref("WS"), "IntegrationType": "AWS_PROXY",
			"IntegrationUri": props{"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${" + name + "Lambda.Arn}/invocations"}}}
		r[name+"Route"] = props{"Type": "AWS::ApiGatewayV2::Route", "Properties": props{"ApiId": ref("WS"), "RouteKey": action,
			"Target": props{"Fn::Join": []any{"/", []any{"integrations", ref(name + "Integration")}}}}}
		routes = append(routes, name+"Route")
	}
	r[deployment] = props{"Type": "AWS::ApiGatewayV2::Deployment", "DependsOn": routes, "Properties": props{"ApiId": ref("WS")}}
	return r
}

// TestDeployments follows an API through its updates: an action is live after
// the deployment that has it, not before, and open connections stay open.
func TestDeployments(t *testing.T) {
	called := make(chan string, 10)
	note := func(name string) func(context.Context, []byte) (invoke.Result, error) {
		return func(context.Context, []byte) (invoke.Result, error) {
			called <- name
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
		}
	}
	c := newCloud(t, gateway.Options{Invoker: functions{
		"defaultLambda": note("default"), "publishLambda": note("publish"), "disconnectLambda": note("disconnect")}})
	e := newEngine(t, c)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	apply := func(r resources) {
		t.Helper()
		if err := e.Apply(ctx, "Demo", r.json(t), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	apply(socketStack("Deployment1", "$default", "$disconnect"))
	conn, _, err := websocket.Dial(ctx, e.Outputs("Demo")["WSS"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	reaches := func(want string) {
		t.Helper()
		if err := conn.Write(ctx, websocket.MessageText, []byte(`{"action":"publish"}`)); err != nil {
			t.Fatal(err)
		}
		if got := <-called; got != want {
			t.Errorf("reached %s, want %s", got, want)
		}
	}
	reaches("default")
	apply(socketStack("Deployment1", "$default", "$disconnect", "publish"))
	reaches("default") // the route is there, but not deployed
	apply(socketStack("Deployment2", "$default", "$disconnect", "publish"))
	reaches("publish")
	// CloudFormation removes what a template no longer has after everything
	// else, so the deployment of that update still has the route, as on AWS.
	apply(socketStack("Deployment3", "$default", "$disconnect"))
	reaches("publish")
	apply(socketStack("Deployment4", "$default", "$disconnect"))
	reaches("default")

	host := strings.TrimPrefix(strings.TrimSuffix(e.Outputs("Demo")["WSS"], "/staging"), "ws://")
	go conn.Read(ctx) // answers the close frame
	if err := e.Remove(ctx, "Demo", nil); err != nil {
		t.Fatal(err)
	}
	if got := <-called; got != "disconnect" {
		t.Errorf("removing the stack called %s", got)
	}
	if conn, err := net.Dial("tcp", host); err == nil {
		conn.Close()
		t.Error("the front end is still there after the stack")
	}
}

func TestAutoDeploy(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"a": returns(`"a"`), "b": returns(`"b"`)}})
	endpoint := c.httpAPI(map[string]string{"GET /": "a"})
	body := func(function string) props {
		return props{"Body": props{"info": props{"title": "x"}, "paths": props{"/": props{"get": props{"x-amazon-apigateway-integration": props{
			"type": "aws_proxy", "payloadFormatVersion": "2.0", "uri": uri(function)}}}}}}
	}
	if _, got := call(t, "GET", endpoint+"/", ""); got != "a" {
		t.Errorf("got %s", got)
	}
	if err := c.change("Api", "HTTP", c.ids["HTTP"], body("b")); err != nil {
		t.Fatal(err)
	}
	if _, got := call(t, "GET", endpoint+"/", ""); got != "b" {
		t.Errorf("after the update: %s", got)
	}
	if err := c.change("Api", "HTTP", c.ids["HTTP"], props{"Body": "oops"}); err == nil {
		t.Error("a wrong Body was taken")
	}
	if _, got := call(t, "GET", endpoint+"/", ""); got != "b" {
		t.Errorf("after the failed update: %s", got)
	}
}

// TestFronts shows which APIs share a port.
func TestFronts(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`)}})
	http := c.httpAPI(map[string]string{"GET /": "fn"})
	ws := c.socketAPI(map[string]string{"$default": "fn"})
	if strings.TrimPrefix(http, "http://") != strings.TrimPrefix(ws, "ws://") {
		t.Errorf("HTTP at %s, WebSocket at %s", http, ws)
	}
	second := c.create("Api", "Second", props{"Name": "x", "ProtocolType": "HTTP"})
	if second.Attributes["ApiEndpoint"] == http {
		t.Error("a second HTTP API shares the first one's port")
	}
	if err := c.remove("Api", "Second", second.PhysicalID, nil); err != nil {
		t.Fatal(err)
	}
	other := c.ref
	other.ID += "2"
	api, err := c.Registrations()["AWS::ApiGatewayV2::Api"].Provider.Create(context.Background(),
		stack.Request{Stack: other, LogicalID: "HTTP", Properties: props{"Name": "x", "ProtocolType": "HTTP"}})
	if err != nil || api.Attributes["ApiEndpoint"] == http || api.PhysicalID == c.ids["HTTP"] {
		t.Errorf("another stack's API: %+v %v", api, err)
	}
	if status, _ := call(t, "GET", http+"/", ""); status != 200 {
		t.Errorf("the first API answers %d", status)
	}
}

// TestRefused gives each file's resources to an engine and compares the
// reasons that it gives.
func TestRefused(t *testing.T) {
	goldens(t, "refused", func(t *testing.T, a *archive) {
		c := newCloud(t, gateway.Options{Invoker: functions{}})
		e := newEngine(t, c)
		template, _ := a.section("template.json")
		var reasons strings.Builder
		err := e.Apply(context.Background(), "Demo", []byte(template), nil, func(event stack.Event) {
			if strings.HasSuffix(string(event.ResourceStatus), "FAILED") && event.LogicalResourceID != "Demo" {
				reasons.WriteString(event.LogicalResourceID + ": " + event.ResourceStatusReason + "\n")
			}
		})
		if err == nil {
			t.Error("not refused")
		} else if _, why, before := strings.Cut(err.Error(), "Properties validation failed: "); before {
			reasons.WriteString(why + "\n") // before anything was made
		}
		a.golden(t, "reasons", reasons.String())
	})
}
