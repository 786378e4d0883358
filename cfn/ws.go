package cfn

import (
	"strings"

	"arc/manifest"
	"arc/manifest/syntax"

	"github.com/awslabs/goformation/v7/cloudformation/apigatewayv2"
)

// Logical IDs of the WebSocket API, as existing stacks have them.
const (
	wsAPI   = "WS"
	wsStage = "WebsocketStage"
)

// ws compiles @ws: the API, and for each action a function, an integration, a
// route and a permission.
func (c *compiler) ws() {
	if len(c.app.WS) == 0 {
		return
	}
	pos := c.app.WS[0].Pos
	const selection = "$request.body.action"
	c.add(wsAPI, pos, &apigatewayv2.Api{
		Name:                     new(logicalName(c.app.Name + "-websocket-" + c.opts.Environment())),
		ProtocolType:             new("WEBSOCKET"),
		RouteSelectionExpression: new(selection),
	})
	names := c.actionNames()
	frozen := []any{selection}
	var routes []string
	for i, a := range c.app.WS {
		route, integration := c.action(names[i], a)
		routes = append(routes, route)
		frozen = append(frozen, route, c.t.Resources[route], integration, c.t.Resources[integration])
	}
	deployment := c.add("WebsocketDeployment"+c.frozenHash(pos, frozen), pos, &apigatewayv2.Deployment{
		ApiId:                      Ref(wsAPI),
		AWSCloudFormationDependsOn: routes,
	})
	c.add(wsStage, pos, &apigatewayv2.Stage{
		ApiId:        Ref(wsAPI),
		DeploymentId: new(Ref(deployment)),
		StageName:    c.opts.Environment(),
	})
	c.rights = append(c.rights, right{
		kind: "ws", action: "send", id: wsAPI,
		actions:   []string{"execute-api:ManageConnections"},
		resources: []string{Sub(executeARN(wsAPI) + "/" + c.opts.Environment() + "/*/@connections/*")},
	})
	c.output("WSS", "URL of the WebSocket API", c.socketURL())
}

// action compiles one action and gives its route's and its integration's
// logical IDs.
func (c *compiler) action(name string, a manifest.Action) (routeID, integrationID string) {
	f := c.function(name+"WSLambda", a.Function)
	integration := c.place(boundPart, f.id, c.add(name+"WSIntegration", a.Pos, &apigatewayv2.Integration{
		ApiId:           Ref(wsAPI),
		IntegrationType: "AWS_PROXY",
		IntegrationUri:  new(invocationURI(f)),
	}))
	c.permission(name+"WSPermission", a.Pos, f, "apigateway", Sub(executeARN(wsAPI)+"/*/"+SubText(routeKey(a))))
	route := &apigatewayv2.Route{
		ApiId:    Ref(wsAPI),
		RouteKey: routeKey(a),
		Target:   new(Sub("integrations/${" + integration + "}")),
	}
	id := c.place(boundPart, f.id, c.add(name+"WSRoute", a.Pos, route))
	route.OperationName = new(id[:min(len(id), 64)]) // API Gateway takes no longer one
	return id, integration
}

// routeKey is what API Gateway calls an action.
func routeKey(a manifest.Action) string {
	switch a.Name {
	case "connect", "default", "disconnect":
		return "$" + a.Name
	}
	return a.Name
}

func (c *compiler) actionNames() []string {
	items := make([]naming, len(c.app.WS))
	for i, a := range c.app.WS {
		items[i] = naming{base: logicalName(a.Name), key: a.Name, pos: a.Pos}
	}
	return c.names("ws", items)
}

// frozenHash names the Deployment after what it deploys. A Deployment is a
// picture of the API at the time it is made, with its routes, their
// integrations and what these call, and of what chooses among the routes; only
// a new one, under a new ID, makes a change of any of them live. A function's
// code and settings are not in it, nor are a stage's.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-websocket-deployment.html
func (c *compiler) frozenHash(pos syntax.Pos, frozen []any) string {
	var all strings.Builder
	for _, resource := range frozen {
		raw, err := rawJSON(resource)
		if err != nil { // strings: cannot happen
			c.errorf(pos, "internal", "report this", "%v", err)
		}
		all.Write(raw)
	}
	return shortHash(all.String())
}

// socketURL is where clients connect to; "" without @ws. ApiEndpoint holds
// the scheme, which is ws: in the local cloud.
func (c *compiler) socketURL() string {
	if len(c.app.WS) == 0 {
		return ""
	}
	return Sub("${" + wsAPI + ".ApiEndpoint}/" + c.opts.Environment())
}
