package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// Registrations are the resource types the gateway provides. Links into networks
// and the like are registered too, so that a template with one is refused with a
// sentence instead of being served without it.
func (g *Gateway) Registrations() map[string]stack.Registration {
	// The lock is taken here, once, so that what a step does to an API is one
	// step for everyone else.
	locked := func(do func(stack.Request) (stack.Resource, error)) func(context.Context, stack.Request) (stack.Resource, error) {
		return func(_ context.Context, req stack.Request) (stack.Resource, error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			return do(req)
		}
	}
	of := func(create, update func(stack.Request) (stack.Resource, error), remove func(stack.Request) error) stack.Registration {
		return stack.Registration{Provider: stack.Steps{
			OnCreate: locked(create), OnUpdate: locked(update), OnDelete: func(_ context.Context, req stack.Request) error {
				g.mu.Lock()
				defer g.mu.Unlock()
				return remove(req)
			},
		}}
	}
	types := map[string]stack.Registration{
		"AWS::ApiGatewayV2::Api":           of(g.createAPI, g.updateAPI, g.deleteAPI),
		"AWS::ApiGatewayV2::Integration":   of(g.createIntegration, g.updateIntegration, g.deleteIntegration),
		"AWS::ApiGatewayV2::Route":         of(g.createRoute, g.updateRoute, g.deleteRoute),
		"AWS::ApiGatewayV2::RouteResponse": of(g.putRouteResponse, g.putRouteResponse, g.deleteRouteResponse),
		"AWS::ApiGatewayV2::Authorizer":    of(g.createAuthorizer, g.updateAuthorizer, g.deleteAuthorizer),
		"AWS::ApiGatewayV2::ApiMapping":    of(g.putMapping, g.putMapping, g.deleteMapping),
		"AWS::ApiGatewayV2::DomainName":    of(g.putDomain, g.putDomain, g.deleteDomain),
		"AWS::ApiGatewayV2::Model":         of(g.putModel, g.putModel, g.deleteModel),
		"AWS::Lambda::Url":                 of(g.createURL, g.updateURL, g.deleteURL),
		"AWS::ApiGateway::BasePathMapping": of(g.putBasePath, g.putBasePath, g.deleteBasePath),
		"AWS::ApiGateway::DomainName":      of(g.putDomain1, g.putDomain1, g.deleteDomain),
		"AWS::ApiGateway::ApiKey":          of(g.putKey, g.putKey, g.deleteKey),
		"AWS::ApiGateway::UsagePlan":       of(g.putPlan, g.putPlan, g.deletePlan),
		"AWS::ApiGateway::UsagePlanKey":    of(g.putPlanKey, g.putPlanKey, g.deletePlanKey),

		"AWS::ApiGatewayV2::IntegrationResponse": of(g.putIntegrationResponse, g.putIntegrationResponse, g.deleteIntegrationResponse),

		"AWS::ApiGatewayV2::Deployment": of(g.createDeployment, g.updateDeployment, g.deleteDeployment),
		// It takes the lock itself: deleting a stage waits for $disconnect functions.
		"AWS::ApiGatewayV2::Stage": {
			Provider: stack.Steps{OnCreate: g.createStage, OnUpdate: g.updateStage, OnDelete: g.deleteStage},
		},
	}
	for name, check := range map[string]func(map[string]any) error{"Integration": checkIntegration, "IntegrationResponse": checkIntegrationResponse, "Model": checkModel} {
		checked := types["AWS::ApiGatewayV2::"+name]
		checked.Check = check
		types["AWS::ApiGatewayV2::"+name] = checked
	}
	for _, refused := range []string{"ApiGatewayManagedOverrides", "RoutingRule", "VpcLink"} {
		name := "AWS::ApiGatewayV2::" + refused
		why := name + " is not emulated by the local cloud; leave it out of the local stack with a Condition"
		refuse := func(stack.Request) (stack.Resource, error) { return stack.Resource{}, errors.New(why) }
		types[name] = of(refuse, refuse, nothing)
		types[name] = stack.Registration{Provider: types[name].Provider, Refused: why}
	}
	return types
}

func nothing(stack.Request) error { return nil }

// owner is the API that a resource's ApiId names.
func (g *Gateway) owner(p *problems, id string) *api {
	a := g.apis[id]
	if a == nil && p.err == nil {
		p.fail("ApiId", "invalid API identifier specified: %s", id)
	}
	return a
}

// taken adapts a map's keys to resourceID.
func taken[V any](m map[string]V) func(string) bool {
	return func(id string) bool { _, ok := m[id]; return ok }
}

func (g *Gateway) createAPI(req stack.Request) (stack.Resource, error) {
	a := &api{
		stack:        req.Stack,
		logical:      req.LogicalID,
		created:      time.Now().UTC(),
		integrations: map[string]*integration{},
		routes:       map[string]*explicitRoute{},
		authorizers:  map[string]*authorizer{},
		models:       map[string]model{},
		deployments:  map[string]*snapshot{},
		stages:       map[string]*stage{},
	}
	a.id = ingress.IDOf(req, 10, taken(g.apis))
	a.lenient = g.options.Lenient != nil && g.options.Lenient(req.Stack.Name)
	if err := a.configure(req.Properties); err != nil {
		return stack.Resource{}, err
	}
	if err := g.frontFor(a, req.Had("ApiEndpoint")); err != nil {
		return stack.Resource{}, err
	}
	g.apis[a.id] = a
	if len(a.stages) > 0 { // of its Target
		a.changed()
		g.announce(req, a, "$default")
	}
	return g.unlike(req, a.resource(), a.notes()...), nil
}

// notes says which of the Api's own properties change nothing here.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-disable-default-endpoint.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-endpoint-configuration.html
func (a *api) notes() []string {
	body, _ := a.raw["Body"].(map[string]any)
	configuration, _ := body["x-amazon-apigateway-endpoint-configuration"].(map[string]any)
	off, _ := stack.Text(cmp.Or(a.raw["DisableExecuteApiEndpoint"], configuration["disableExecuteApiEndpoint"]))
	if off == "true" {
		return []string{"DisableExecuteApiEndpoint: deployed, the API answers to its domain names alone, and here to its own address, too"}
	}
	return nil
}

// announce tells where a new stage answers, once it does and for the first time.
func (g *Gateway) announce(req stack.Request, a *api, stage string) {
	if !req.Whole() && g.options.Announce != nil {
		g.options.Announce(req.Stack, a.logical, a.stageURL(stage))
	}
}

func (a *api) resource() stack.Resource {
	return stack.Resource{PhysicalID: a.id, Attributes: map[string]any{"ApiId": a.id, "ApiEndpoint": a.endpoint()}, Note: "answers at " + a.endpoint()}
}

// configure reads the Api's own properties; on error a is unchanged.
func (a *api) configure(values map[string]any) error {
	var in struct {
		Name, ProtocolType, RouteSelectionExpression string
		ApiKeySelectionExpression                    string
		Target, RouteKey, CredentialsArn             string
		Body, CorsConfiguration                      map[string]any
	}
	p := read(values, &in, "BasePath", "Description", "DisableExecuteApiEndpoint", "DisableSchemaValidation", "FailOnWarnings", "IpAddressType", "Tags", "Version")
	protocol, body := in.ProtocolType, in.Body
	if protocol == "" && body != nil {
		protocol = protocolHTTP // what a Body describes
	}
	var imported document
	var selects selection
	key := cmp.Or(in.ApiKeySelectionExpression, keySelections[0])
	if !slices.Contains(keySelections, key) {
		p.fail("ApiKeySelectionExpression", "must be %s, not %q", strings.Join(keySelections, " or "), key)
	}
	cors := newCORS(in.CorsConfiguration, "CorsConfiguration", p)
	switch {
	case protocol == protocolHTTP:
		var err error
		if imported, err = importBody(body); err != nil {
			return err
		}
		if imported.cors != nil {
			cors = imported.cors
		}
	case protocol == protocolSocket && in.CorsConfiguration != nil:
		// https://github.com/badmintoncryer/cdk-preflight/tree/main/rules/apigatewayv2/pf-apigwv2-websocket-no-cors
		p.fail("CorsConfiguration", "is for HTTP APIs: CORS does not hold for WebSockets; let the function of $connect look at the header Origin")
	case protocol == protocolSocket && body == nil:
		selects = routeSelection(p, in.RouteSelectionExpression)
	default:
		p.fail("ProtocolType", "must be HTTP, or WEBSOCKET without a Body")
	}
	if in.Name == "" && imported.title == "" {
		p.fail("Name", "is required")
	}
	made := quickCreate(p, protocol, in.Target, in.RouteKey, in.CredentialsArn, body)
	if p.err != nil {
		return p.err
	}
	for _, r := range imported.routes {
		for id, other := range a.routes {
			if other.key == r.key {
				return fmt.Errorf("route with key %s already exists for this API (%s)", r.key, id)
			}
		}
	}
	if made != nil && a.raw != nil && a.routeTaken(made.key, importedID(a.id, "Target")) {
		return fmt.Errorf("property RouteKey: route with key %s already exists for this API", made.key)
	}
	a.raw = values
	a.adopt(made)
	a.protocol, a.imported, a.cors, a.selection, a.keySelection = protocol, imported.routes, cors, selects, key
	return nil
}

// routeSelection reads a RouteSelectionExpression.
func routeSelection(p *problems, expression string) selection {
	if expression == "" {
		p.fail("RouteSelectionExpression", "is required")
	}
	parsed, err := parseSelection(expression, false)
	if err != nil {
		p.fail("RouteSelectionExpression", "%v", err)
	}
	return parsed
}

func (g *Gateway) updateAPI(req stack.Request) (stack.Resource, error) {
	a := g.apis[req.PhysicalID]
	if a == nil {
		return stack.Resource{}, fmt.Errorf("API %s: not found", req.PhysicalID)
	}
	if err := a.configure(req.Properties); err != nil {
		return stack.Resource{}, err
	}
	a.changed()
	return g.unlike(req, a.resource(), a.notes()...), nil
}

func (g *Gateway) deleteAPI(req stack.Request) error {
	a := g.apis[req.PhysicalID]
	if a == nil {
		return nil
	}
	delete(g.apis, a.id)
	a.live.Store(nil)
	g.sockets.end(func(c *connection) bool { return c.api == a }, (*connection).doom)
	g.dropFront(a)
	return nil
}

func (g *Gateway) createRoute(req stack.Request) (stack.Resource, error) {
	a, r, err := g.readRoute(req)
	if err != nil {
		return stack.Resource{}, err
	}
	id := ingress.IDOf(req, 7, taken(a.routes))
	a.routes[id] = r
	a.changed()
	return g.routeResource(req, a, r, id), nil
}

// routeResource says of a route what of it does nothing here.
func (g *Gateway) routeResource(req stack.Request, a *api, r *explicitRoute, id string) stack.Resource {
	notes := r.parameterNotes(a.integrations[r.target])
	switch {
	case a.protocol != protocolSocket && len(r.parameters) > 0:
		notes = []string{"RequestParameters are for WebSocket APIs"}
	case len(r.models) > 0 && r.modelBy == nil:
		notes = append(notes, "RequestModels check messages where there is a ModelSelectionExpression, and there is none")
	}
	notes = append(notes, beyond(len(a.routes)+len(a.imported), 300, "routes")...)
	return g.unlike(req, stack.Resource{PhysicalID: id, Attributes: map[string]any{"RouteId": id}}, notes...)
}

func (g *Gateway) updateRoute(req stack.Request) (stack.Resource, error) {
	a, r, err := g.readRoute(req)
	if err != nil {
		return stack.Resource{}, err
	}
	if old := a.routes[req.PhysicalID]; old != nil {
		r.response = old.response
	}
	a.routes[req.PhysicalID] = r
	a.changed()
	return g.routeResource(req, a, r, req.PhysicalID), nil
}

func (g *Gateway) readRoute(req stack.Request) (*api, *explicitRoute, error) {
	var in struct {
		ApiId                                                       string `cfn:"required"`
		RouteKey                                                    string `cfn:"required"`
		Target, AuthorizationType, RouteResponseSelectionExpression string
		AuthorizerId, ModelSelectionExpression                      string
		AuthorizationScopes                                         []string
		ApiKeyRequired                                              bool
		RequestModels                                               map[string]string
		RequestParameters                                           map[string]struct {
			Required bool `cfn:"required"`
		}
	}
	p := read(req.Properties, &in, "OperationName")
	a := g.owner(p, in.ApiId)
	r := &explicitRoute{raw: req.Properties, key: in.RouteKey, promises: in.RouteResponseSelectionExpression != "", models: in.RequestModels}
	r.parameters = readRouteParameters(p, in.RequestParameters)
	if expression := in.RouteResponseSelectionExpression; expression != "" && expression != "$default" {
		p.fail("RouteResponseSelectionExpression", "must be $default, not %q", expression)
	}
	r.modelBy = readValidation(p, a, in.ModelSelectionExpression, in.RequestModels)
	r.auth, r.authorizer = routeAuthorization(p, a, r.key, in.AuthorizationType, in.AuthorizerId, in.AuthorizationScopes)
	if in.ApiKeyRequired && a != nil {
		if a.protocol != protocolSocket || r.key != "$connect" {
			p.fail("ApiKeyRequired", "is for $connect of a WebSocket API")
		}
		if r.auth == nil {
			r.auth = &authorization{}
		}
		r.auth.key = true
	}
	if target := in.Target; target != "" {
		var ok bool
		if r.target, ok = strings.CutPrefix(target, "integrations/"); !ok {
			p.fail("Target", "must be integrations/INTEGRATION_ID, not %q", target)
		} else if a != nil && a.integrations[r.target] == nil {
			p.fail("Target", "invalid integration identifier specified: %s", r.target)
		}
	}
	if a != nil && p.err == nil {
		if a.protocol == protocolHTTP {
			p.err = checkRouteKey(r.key)
		}
		if a.routeTaken(r.key, req.PhysicalID) {
			p.fail("RouteKey", "route with key %s already exists for this API", r.key)
		}
	}
	return a, r, p.err
}

func (g *Gateway) deleteRoute(req stack.Request) error {
	if a := g.apis[fmt.Sprint(req.Properties["ApiId"])]; a != nil {
		delete(a.routes, req.PhysicalID)
		a.changed()
	}
	return nil
}

type deploymentProperties struct {
	ApiId     string `cfn:"required"`
	StageName string
}

func (g *Gateway) createDeployment(req stack.Request) (stack.Resource, error) {
	var in deploymentProperties
	p := read(req.Properties, &in, "Description")
	a := g.owner(p, in.ApiId)
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	if len(a.routes)+len(a.imported) == 0 {
		return stack.Resource{}, fmt.Errorf("at least one route is required before deploying the Api; let the Deployment depend on its routes")
	}
	var target *stage
	if name := in.StageName; name != "" {
		if target = a.stages[name]; target == nil {
			return stack.Resource{}, fmt.Errorf("stage %s: not found; known are %v", name, slices.Sorted(maps.Keys(a.stages)))
		}
	}
	id := ingress.IDOf(req, 6, taken(a.deployments))
	a.deployments[id] = a.snapshot()
	if target != nil {
		target.deployment, target.serving = id, a.deployments[id]
		a.changed()
	}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"DeploymentId": id}}, nil
}

// updateDeployment changes the description at most: a deployment stays the
// picture it was.
func (g *Gateway) updateDeployment(req stack.Request) (stack.Resource, error) {
	p := read(req.Properties, &deploymentProperties{}, "Description")
	return stack.Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"DeploymentId": req.PhysicalID}}, p.err
}

func (g *Gateway) deleteDeployment(req stack.Request) error {
	a := g.apis[fmt.Sprint(req.Properties["ApiId"])]
	if a == nil {
		return nil
	}
	for _, s := range a.stages {
		if s.deployment == req.PhysicalID {
			return fmt.Errorf("active stages pointing to this deployment must be moved or deleted: %s", s.name)
		}
	}
	delete(a.deployments, req.PhysicalID)
	return nil
}
