package model

import (
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// Route is where a request goes.
type Route struct {
	API      string // logical ID
	Function string // logical ID; "" = elsewhere
	Target   string // how it is reached, in text
	Guard    string // what asks who calls: an authorizer or IAM; "" = nothing
	Resource string // logical ID of what holds the route
	Parts    []string
}

var methodsOfOpenAPI = map[string]bool{
	"get": true, "put": true, "post": true, "delete": true, "options": true, "head": true, "patch": true, "trace": true, cfn.AnyMethod: true,
}

// readRoutes reads the routes of all APIs: those in an OpenAPI body, and those
// that are resources.
func (m *App) readRoutes() {
	for _, typ := range []string{registry.ApiGatewayV2Api, registry.ApiGatewayRestApi} {
		for _, id := range m.ByType[typ] {
			if body, ok := m.Doc.Resources[id].Properties["Body"].(map[string]any); ok {
				m.readBody(id, body)
			}
		}
	}
	for _, id := range m.ByType[registry.ApiGatewayV2Route] {
		m.readRoute(id)
	}
	for _, id := range m.ByType[registry.ApiGatewayMethod] {
		m.readMethod(id)
	}
	for name, r := range m.Routes {
		m.Triggers[r.Function] = append(m.Triggers[r.Function], "@http "+name)
	}
	for name, r := range m.Actions {
		m.Triggers[r.Function] = append(m.Triggers[r.Function], "@ws "+strings.TrimPrefix(name, "$"))
	}
	delete(m.Triggers, "")
}

// readBody reads an OpenAPI document of API Gateway.
func (m *App) readBody(api string, body map[string]any) {
	paths, _ := body["paths"].(map[string]any)
	for path, v := range paths {
		operations, _ := v.(map[string]any)
		for method, v := range operations {
			op, ok := v.(map[string]any)
			if !ok || !methodsOfOpenAPI[method] {
				continue
			}
			security := values.List(body["security"])
			if own, ok := op["security"].([]any); ok {
				security = own
			}
			guard := ""
			if len(security) > 0 {
				guard = guardOf("security", security)
			}
			integration, _ := op["x-amazon-apigateway-integration"].(map[string]any)
			if method == cfn.AnyMethod {
				method = "any"
			}
			uri := integration["uri"]
			m.Routes[m.routeName(api, method+" "+manifestPath(path), m.Routes)] = Route{
				API: api, Function: m.FunctionOf(uri), Target: values.PlainText(uri), Guard: guard, Resource: api,
			}
		}
	}
}

// manifestPath writes a path of API Gateway as the manifest does: /a/:b/*.
func manifestPath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, ok := strings.CutPrefix(part, "{")
		name, closed := strings.CutSuffix(name, "}")
		switch {
		case !ok || !closed:
		case strings.HasSuffix(name, "+"):
			parts[i] = "*"
		default:
			parts[i] = ":" + name
		}
	}
	return strings.Join(parts, "/")
}

// routeName keeps the routes of several APIs apart.
func (m *App) routeName(api, name string, taken map[string]Route) string {
	if r, ok := taken[name]; ok && r.API != api {
		return name + " (" + Bare(api) + ")"
	}
	return name
}

// readRoute reads a route that is a resource.
func (m *App) readRoute(id string) {
	p := m.Doc.Resources[id].Properties
	key := values.PlainText(p["RouteKey"])
	r := Route{Resource: id, Parts: []string{id}}
	for _, api := range cfn.References(p["ApiId"]) {
		r.API = api
	}
	r.Guard = guardOf(values.PlainText(p["AuthorizationType"]), p["AuthorizerId"], p["AuthorizationScopes"])
	if r.Guard == "" && values.On(p["ApiKeyRequired"]) {
		r.Guard = "API key"
	}
	for _, integration := range cfn.References(p["Target"]) {
		uri := m.Doc.Resources[integration].Properties["IntegrationUri"]
		r.Function, r.Target = m.FunctionOf(uri), values.PlainText(uri)
		r.Parts = append(r.Parts, integration)
	}
	if m.Doc.Resources[r.API].Properties["ProtocolType"] == "WEBSOCKET" || !strings.Contains(key, " ") && key != "$default" {
		m.Actions[m.routeName(r.API, key, m.Actions)] = r
		return
	}
	method, path, ok := strings.Cut(key, " ")
	if ok {
		key = strings.ToLower(method) + " " + manifestPath(path)
	}
	m.Routes[m.routeName(r.API, key, m.Routes)] = r
}

// Private reports whether an API is only there for a VPC.
func (m *App) Private(api string) bool {
	configuration, _ := m.Doc.Resources[api].Properties["EndpointConfiguration"].(map[string]any)
	types := values.List(configuration["Types"])
	return len(types) == 1 && types[0] == "PRIVATE"
}
