package gateway

import (
	"fmt"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// A route is two-way when it has an AWS::ApiGatewayV2::RouteResponse, of the key
// $default, the only one that there is; what is returned to any other route goes
// nowhere. Its RouteResponseSelectionExpression alone makes it nothing.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html

// unanswered is what the log says of a route whose expression promises an answer.
const unanswered = "what it returned is not sent: the route has a RouteResponseSelectionExpression, but was deployed without an AWS::ApiGatewayV2::RouteResponse"

func (g *Gateway) putRouteResponse(req stack.Request) (stack.Resource, error) {
	var in struct {
		ApiId            string `cfn:"required"`
		RouteId          string `cfn:"required"`
		RouteResponseKey string `cfn:"required"`
	}
	// Models and parameters of a response describe it, for documents and SDKs.
	p := read(req.Properties, &in, "ModelSelectionExpression", "ResponseModels", "ResponseParameters")
	if in.RouteResponseKey != "$default" {
		p.fail("RouteResponseKey", "must be $default, not %q", in.RouteResponseKey)
	}
	a := g.owner(p, in.ApiId)
	if a != nil && a.protocol != protocolSocket {
		p.fail("ApiId", "route responses are for WebSocket APIs")
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	r := a.routes[in.RouteId]
	id := ingress.IDOf(req, 7, func(string) bool { return false })
	switch {
	case r == nil:
		p.fail("RouteId", "invalid route identifier specified: %s", in.RouteId)
	case r.response != "" && r.response != id:
		p.fail("RouteId", "route response with key $default already exists for this route")
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	r.response = id
	a.changed()
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"RouteResponseId": id}}, nil
}

func (g *Gateway) deleteRouteResponse(req stack.Request) error {
	a := g.apis[fmt.Sprint(req.Properties["ApiId"])]
	if a == nil {
		return nil
	}
	if r := a.routes[fmt.Sprint(req.Properties["RouteId"])]; r != nil && r.response == req.PhysicalID {
		r.response = ""
		a.changed()
	}
	return nil
}
