package stack

import (
	"context"
	"slices"
	"testing"
)

// TestBeforehand makes a deployment after the route responses of its API, which it
// says where the template does not ask for that.
func TestBeforehand(t *testing.T) {
	c := &counter{}
	types := map[string]Registration{}
	for _, name := range []string{"Deployment", "RouteResponse"} {
		types["AWS::ApiGatewayV2::"+name] = Registration{Provider: c}
	}
	types["Test::Thing"] = Registration{Provider: c}
	e := New(Options{Account: "123456789012", Region: "us-east-1", Registrations: types})
	t.Cleanup(e.Close)
	order := func(name, template string) (made []string, why string) {
		err := e.Apply(context.Background(), name, []byte(template), nil, func(ev Event) {
			if ev.ResourceStatus == CreateComplete && ev.LogicalResourceID != name {
				made = append(made, ev.LogicalResourceID)
			}
			if ev.LogicalResourceID == "A" && ev.ResourceStatus == CreateComplete {
				why = ev.ResourceStatusReason
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return made, why
	}
	const slow = "{Type: AWS::ApiGatewayV2::RouteResponse, Properties: {ApiId: x, Slow: 1}}"
	for name, test := range map[string]struct{ rest, why string }{
		"open":    {"A: {Type: AWS::ApiGatewayV2::Deployment, Properties: {ApiId: x}}", "made after Z, without a DependsOn: AWS may make it before and then it does not have them"},
		"said":    {"A: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: Z, Properties: {ApiId: x}}", ""},
		"by":      {"A: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: B, Properties: {ApiId: x}}, B: {Type: Test::Thing, DependsOn: Z}", ""},
		"another": {"A: {Type: AWS::ApiGatewayV2::Deployment, Properties: {ApiId: y}}", ""},
		"circle":  {"A: {Type: AWS::ApiGatewayV2::Deployment, Properties: {ApiId: x}}, Y: {Type: AWS::ApiGatewayV2::RouteResponse, DependsOn: A, Properties: {ApiId: x}}", "made after Z, without a DependsOn: AWS may make it before and then it does not have them"},
	} {
		made, why := order(name, "Resources: {Z: "+slow+", "+test.rest+"}")
		if why != test.why || name != "another" && slices.Index(made, "Z") > slices.Index(made, "A") {
			t.Errorf("%s: made %v, says %q", name, made, why)
		}
	}
}
