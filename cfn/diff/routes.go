package diff

import (
	"sort"
	"strings"

	"arc/cfn"
)

// route is where a request goes.
type route struct {
	api      string // logical ID
	function string // logical ID; "" = elsewhere
	target   string // how it is reached, in text
	guard    string // what asks who calls: an authorizer or IAM; "" = nothing
	resource string // logical ID of what holds the route
	parts    []string
}

const anyMethod = "x-amazon-apigateway-any-method"

var methodsOfOpenAPI = map[string]bool{
	"get": true, "put": true, "post": true, "delete": true, "options": true, "head": true, "patch": true, "trace": true, anyMethod: true,
}

// readRoutes reads the routes of all APIs: those in an OpenAPI body, and those
// that are resources.
func (m *model) readRoutes() {
	for _, typ := range []string{"AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"} {
		for _, id := range m.byType[typ] {
			if body, ok := m.doc.Resources[id].Properties["Body"].(map[string]any); ok {
				m.readBody(id, body)
			}
		}
	}
	for _, id := range m.byType["AWS::ApiGatewayV2::Route"] {
		m.readRoute(id)
	}
	for _, id := range m.byType["AWS::ApiGateway::Method"] {
		m.readMethod(id)
	}
	for name, r := range m.routes {
		m.triggers[r.function] = append(m.triggers[r.function], "@http "+name)
	}
	for name, r := range m.actions {
		m.triggers[r.function] = append(m.triggers[r.function], "@ws "+strings.TrimPrefix(name, "$"))
	}
	delete(m.triggers, "")
}

// readBody reads an OpenAPI document of API Gateway.
func (m *model) readBody(api string, body map[string]any) {
	paths, _ := body["paths"].(map[string]any)
	for path, v := range paths {
		operations, _ := v.(map[string]any)
		for method, v := range operations {
			op, ok := v.(map[string]any)
			if !ok || !methodsOfOpenAPI[method] {
				continue
			}
			security := list(body["security"])
			if own, ok := op["security"].([]any); ok {
				security = own
			}
			guard := ""
			if len(security) > 0 {
				guard = guardOf("security", security)
			}
			integration, _ := op["x-amazon-apigateway-integration"].(map[string]any)
			if method == anyMethod {
				method = "any"
			}
			uri := integration["uri"]
			m.routes[m.routeName(api, method+" "+manifestPath(path), m.routes)] = route{
				api: api, function: m.functionOf(uri), target: plainText(uri), guard: guard, resource: api,
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
func (m *model) routeName(api, name string, taken map[string]route) string {
	if r, ok := taken[name]; ok && r.api != api {
		return name + " (" + bare(api) + ")"
	}
	return name
}

// readRoute reads a route that is a resource.
func (m *model) readRoute(id string) {
	p := m.doc.Resources[id].Properties
	key := plainText(p["RouteKey"])
	r := route{resource: id, parts: []string{id}}
	for _, api := range cfn.References(p["ApiId"]) {
		r.api = api
	}
	r.guard = guardOf(plainText(p["AuthorizationType"]), p["AuthorizerId"], p["AuthorizationScopes"])
	if r.guard == "" && on(p["ApiKeyRequired"]) {
		r.guard = "API key"
	}
	for _, integration := range cfn.References(p["Target"]) {
		uri := m.doc.Resources[integration].Properties["IntegrationUri"]
		r.function, r.target = m.functionOf(uri), plainText(uri)
		r.parts = append(r.parts, integration)
	}
	if m.doc.Resources[r.api].Properties["ProtocolType"] == "WEBSOCKET" || !strings.Contains(key, " ") && key != "$default" {
		m.actions[m.routeName(r.api, key, m.actions)] = r
		return
	}
	method, path, ok := strings.Cut(key, " ")
	if ok {
		key = strings.ToLower(method) + " " + manifestPath(path)
	}
	m.routes[m.routeName(r.api, key, m.routes)] = r
}

func (r *reviewer) routes() []Item {
	items := r.compareRoutes(r.before.routes, r.after.routes, shownRoute)
	return append(items, r.apis()...)
}

// shownRoute is a route in words.
func shownRoute(name string) string {
	if strings.HasSuffix(name, "$default") {
		return "every other request"
	}
	return name
}

func (r *reviewer) actions() []Item {
	return r.compareRoutes(r.before.actions, r.after.actions, func(name string) string { return strings.TrimPrefix(name, "$") })
}

func (r *reviewer) compareRoutes(before, after map[string]route, show func(string) string) []Item {
	var items []Item
	for _, name := range keysOfBoth(before, after) {
		b, had := before[name]
		a, has := after[name]
		switch {
		case !had:
			it := r.item(Add, show(name), "", a.parts...)
			it.place(r, a.function)
			it.place(r, a.resource)
			if text := r.leadsTo(a); !strings.HasSuffix(text, " "+show(name)) { // its own function
				it.Text = text
			}
			items = append(items, it)
		case !has:
			it := r.item(Remove, show(name), "", b.parts...)
			it.Risks = append(it.Risks, Risk{Removal, show(name) + " is answered no more"})
			items = append(items, it)
		case b.function != a.function || b.function == "" && b.target != a.target:
			it := r.item(Modify, show(name), "", a.parts...)
			it.place(r, a.function)
			it.place(r, a.resource)
			it.Text = "leads " + r.leadsTo(a) + " instead of " + strings.TrimPrefix(r.leadsTo(b), "to ")
			it.guards(show(name), b, a)
			items = append(items, it)
		case b.guard != a.guard && a.guard != "":
			it := r.item(Modify, show(name), "", a.parts...)
			it.place(r, a.function)
			it.place(r, a.resource)
			it.guards(show(name), b, a)
			items = append(items, it)
		}
	}
	return sortItems(items)
}

// guards tells that others may call a route. What asks nobody any more is told
// as an exposure.
func (it *Item) guards(name string, before, after route) {
	switch {
	case before.guard == after.guard || after.guard == "":
	case before.guard == "":
		it.Details = append(it.Details, "asks who calls from now on")
	default:
		it.Details = append(it.Details, "asks otherwise who calls")
		it.Risks = append(it.Risks, Risk{Rights, name + ": others may call it than before"})
	}
}

// place takes the position of a resource without standing for it.
func (it *Item) place(r *reviewer, id string) {
	if it.Position == nil && id != "" && r.opts.Origin != nil {
		if p, ok := r.opts.Origin(id); ok {
			it.Position = &p
		}
	}
}

func (r *reviewer) leadsTo(to route) string {
	switch {
	case to.function != "" && r.opts.Name != nil && r.opts.Name(to.function) != "":
		return "to " + r.opts.Name(to.function)
	case to.function != "":
		return "to the function " + bare(to.function)
	case to.target != "":
		return "to " + to.target
	}
	return ""
}

// apis tells of APIs that come, go or become others.
func (r *reviewer) apis() []Item {
	var items []Item
	var ids []string
	for id, c := range r.changes {
		if c.Type == "AWS::ApiGatewayV2::Api" || c.Type == "AWS::ApiGateway::RestApi" {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	for _, id := range ids {
		c := r.changes[id]
		var it Item
		switch {
		case c.Action != Modify:
			it = r.item(c.Action, r.describe(id), "", id)
		case c.Update >= cfn.MayReplace:
			it = r.item(Modify, r.describe(id), "gets another URL", id)
		default:
			it = r.item(Modify, r.describe(id), "", id)
			it.Details = r.settingsOf(*c, "Body")
			if len(it.Details) == 0 && len(it.Risks) == 0 {
				continue
			}
		}
		it.place(r, id)
		items = append(items, it)
	}
	return items
}

// settingsOf lists a resource's differences but those below some properties.
func (r *reviewer) settingsOf(c Change, but ...string) []string {
	var out []string
	for _, p := range c.Properties {
		skip := p.Because != ""
		for _, b := range but {
			skip = skip || under(p.Path, b)
		}
		if !skip {
			out = append(out, strings.Trim(p.Path, "()")+": "+arrow(p))
		}
	}
	return out
}
