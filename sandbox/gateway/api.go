package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/ingress"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

const (
	protocolHTTP   = "HTTP"
	protocolSocket = "WEBSOCKET"
)

// api is one AWS::ApiGatewayV2::Api with the parts that its other resources
// added. Everything but live is guarded by Gateway.mu.
type api struct {
	id       string
	logical  string         // its logical ID
	raw      map[string]any // its properties, as the template has them
	created  time.Time
	stack    stack.Ref
	protocol string
	front    *front
	lenient  bool // see Options.Lenient

	selection    selection // WebSocket: of a message's route
	keySelection string    // WebSocket: of a caller's API key
	cors         *cors
	imported     []*route // from Body
	integrations map[string]*integration
	routes       map[string]*explicitRoute
	authorizers  map[string]*authorizer
	models       map[string]model
	deployments  map[string]*snapshot
	stages       map[string]*stage

	// live is what each stage serves right now; the map is replaced, never changed.
	live atomic.Pointer[map[string]*liveStage]
}

// explicitRoute is an AWS::ApiGatewayV2::Route; its target is looked up when
// a deployment is made.
type explicitRoute struct {
	key        string
	raw        map[string]any // its properties
	target     string         // integration ID, "" for none
	promises   bool           // it has a RouteResponseSelectionExpression
	response   string         // ID of its RouteResponse, "" for none
	modelBy    selection      // its ModelSelectionExpression; nil = messages are not checked
	models     map[string]string
	parameters map[string]bool // RequestParameters, as readRouteParameters gives them
	auth       *authorization  // without its authorizer
	authorizer string          // its ID
}

// integration is what a route calls.
type integration struct {
	raw      map[string]any // its properties
	kind     string         // AWS_PROXY, AWS, HTTP_PROXY, HTTP, MOCK
	function string         // AWS_PROXY, AWS: physical name
	// qualifier is the alias or version that is called; "" for none.
	qualifier string
	uri       string // HTTP_PROXY, HTTP, AWS
	method    string // of a call: "" or ANY for the request's own
	// parameters and responseParameters (by status) are the mappings of an HTTP API.
	parameters         []mapping
	responseParameters map[int][]mapping
	// requests, sent (RequestParameters), binary (ContentHandlingStrategy) and responses
	// are of a WebSocket API.
	requests  templates
	sent      []parameter
	binary    string
	responses []integrationResponse
	payload   string // "2.0" or "1.0"
	timeout   time.Duration
	// subtype is the action of a service that an HTTP API calls; "" = a function.
	subtype string
	given   map[string]string // RequestParameters of a subtype
	role    string            // in whose name: ARN
	// credentials says that a role is assumed for the call: the function's own
	// policy is not asked then.
	// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
	credentials bool
}

// target is how the integration calls its function.
func (i *integration) target() string {
	if i.qualifier != "" {
		return i.function + ":" + i.qualifier
	}
	return i.function
}

// source is the ARN in whose name the API invokes functions: what follows the
// stage is a message's route, or a request's method and path.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func (a *api) source(stage, rest string) string { return a.arn(stage + "/" + rest) }

// arn is that of a part of the API, for policies.
func (a *api) arn(rest string) string {
	return stack.ARN(a.stack.Region, "execute-api", a.stack.Region, a.stack.Account, a.id+"/"+rest)
}

// sources are the ARNs that a request to an HTTP API may be in the name of:
// documents show both, its own method and path, and its route's, whose variables
// people write as * or as they are.
func (c *call) sources(path string) []string {
	key := c.route.key
	list := []string{c.api.source(c.stage.name, c.request.Method+path)}
	if method, routePath, ok := strings.Cut(key, " "); ok {
		list = append(list, c.api.source(c.stage.name, c.request.Method+routePath), c.api.source(c.stage.name, method+routePath))
	} else {
		list = append(list, c.api.source(c.stage.name, key))
	}
	return list
}

// stage is an AWS::ApiGatewayV2::Stage.
type stage struct {
	name       string
	raw        map[string]any // its properties
	created    time.Time
	variables  map[string]string
	auto       bool
	deployment string
	serving    *snapshot // nil: nothing deployed yet
}

// snapshot is an API as it was at one deployment.
type snapshot struct {
	http      *router
	socket    map[string]*route
	selection selection
	cors      *cors
}

// liveStage is a stage as requests see it.
type liveStage struct {
	*snapshot
	name      string
	variables map[string]string
}

// snapshot takes a picture of the API as it is.
func (a *api) snapshot() *snapshot {
	s := &snapshot{selection: a.selection, cors: a.cors}
	routes := slices.Clone(a.imported)
	for _, r := range a.routes {
		made := &route{key: r.key, integration: a.integrations[r.target], respond: r.response != "", auth: a.authorization(r), models: a.validation(r), parameters: r.parameters}
		if r.promises && !made.respond {
			made.unsent = unanswered
		}
		routes = append(routes, made)
	}
	if a.protocol == protocolHTTP {
		s.http = newRouter(routes)
		return s
	}
	s.socket = map[string]*route{}
	for _, r := range routes {
		s.socket[r.key] = r
	}
	return s
}

// authorization is what an explicit route asks for, with the authorizer as it is.
func (a *api) authorization(r *explicitRoute) *authorization {
	if r.auth == nil {
		return nil
	}
	auth := *r.auth
	auth.authorizer = a.authorizers[r.authorizer]
	return &auth
}

// changed redeploys the stages that deploy by themselves and publishes what
// every stage serves.
func (a *api) changed() {
	live := map[string]*liveStage{}
	var now *snapshot
	for _, s := range a.stages {
		if s.auto {
			if now == nil {
				now = a.snapshot()
			}
			s.serving = now
		}
		if s.serving != nil {
			live[s.name] = &liveStage{snapshot: s.serving, name: s.name, variables: s.variables}
		}
	}
	a.live.Store(&live)
}

func (a *api) stage(name string) *liveStage {
	if live := a.live.Load(); live != nil {
		return (*live)[name]
	}
	return nil
}

// routeTaken says whether another route than except has this key.
func (a *api) routeTaken(key, except string) bool {
	for _, r := range a.imported {
		if r.key == key {
			return true
		}
	}
	for id, r := range a.routes {
		if r.key == key && id != except {
			return true
		}
	}
	return false
}

// front is a listener with the handler of at most one HTTP and one WebSocket
// API of a stack behind it.
type front struct {
	gateway *Gateway
	host    string // "localhost:3333"
	release func()
	http    atomic.Pointer[api]
	socket  atomic.Pointer[api]
}

func (f *front) slot(protocol string) *atomic.Pointer[api] {
	if protocol == protocolSocket {
		return &f.socket
	}
	return &f.http
}

// frontFor puts a into the stack's first front end with a free place for its
// protocol, binding another where there is none: where it was in an earlier run,
// if that place ("http://localhost:3334") is free. Gateway.mu is held.
func (g *Gateway) frontFor(a *api, was string) error {
	for _, f := range g.fronts[a.stack.ID] {
		if f.slot(a.protocol).CompareAndSwap(nil, a) {
			a.front = f
			return nil
		}
	}
	f := &front{gateway: g}
	_, was, _ = strings.Cut(was, "://")
	host, release, err := g.options.Bind(a.stack, was, door.Guard{Kind: door.Site, Handler: f, Refused: f.refused, Answer: wire.Refusal, Names: f.names})
	if err != nil {
		return fmt.Errorf("front end of stack %s: %w", a.stack.Name, err)
	}
	f.host, f.release = host, release
	a.front = f
	f.slot(a.protocol).Store(a)
	g.fronts[a.stack.ID] = append(g.fronts[a.stack.ID], f)
	return nil
}

// dropFront takes a out of its front end and closes that when it was the last.
func (g *Gateway) dropFront(a *api) {
	f := a.front
	f.slot(a.protocol).CompareAndSwap(a, nil)
	if f.http.Load() != nil || f.socket.Load() != nil {
		return
	}
	f.release()
	left := slices.DeleteFunc(g.fronts[a.stack.ID], func(other *front) bool { return other == f })
	if len(left) == 0 {
		delete(g.fronts, a.stack.ID)
		return
	}
	g.fronts[a.stack.ID] = left
}

// endpoint is the Api's ApiEndpoint.
func (a *api) endpoint() string {
	if a.protocol == protocolSocket {
		return "ws://" + a.front.host
	}
	return "http://" + a.front.host
}

// Site is an API as its own host serves it, ID.execute-api.REGION.amazonaws.com,
// for callers that are no web pages; nil when there is none of that ID.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html
func (g *Gateway) Site(id string) http.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.apis[id]
	if a == nil {
		return nil
	}
	// One of its kind: requests to this host are for no other API.
	f := &front{gateway: g, host: a.front.host}
	f.slot(a.protocol).Store(a)
	return f
}

// Local is an API as a name of its own below localhost serves it,
// ID.execute-api.localhost; nil when there is none of that ID. Functions are told
// the address of its front end: not every resolver knows such names.
func (g *Gateway) Local(id string) http.Handler {
	site, _ := g.Site(id).(*front)
	if site == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = site.host
		site.ServeHTTP(w, r)
	})
}

// ServeHTTP sends WebSocket upgrades and @connections calls to the WebSocket
// API and everything else to the HTTP API. The first of these are called by
// programs, so pages may not.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := ingress.ChosenStage(r); !ok {
		site, mapped := f.gateway.Domain(r)
		if site != nil {
			site.ServeHTTP(w, mapped)
			return
		}
	}
	if ws := f.socket.Load(); ws != nil {
		if stage, path, ok := ingress.ChosenStage(r); ok { // a WebSocket API has its stage in its path
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = "/"+stage+strings.TrimSuffix(path, "/"), ""
		}
		if isUpgrade(r) {
			f.gateway.connect(w, r, ws)
			return
		}
		if prefix, id, ok := connectionPath(r); ok {
			if (door.Guard{Kind: door.Unsigned, Refused: f.refused, Answer: wire.Refusal}).Refuse(w, r) {
				return
			}
			f.gateway.serveConnection(w, r, prefix, id, ws)
			return
		}
	}
	if a := f.http.Load(); a != nil {
		f.gateway.serveHTTP(w, r, a)
		return
	}
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	writeMessage(w, http.StatusUpgradeRequired, "Upgrade Required", "")
}

// names reports whether the front end's HTTP API names an origin in its CORS
// configuration. WebSocket APIs have none.
func (f *front) names(r *http.Request, origin string) bool {
	a := f.http.Load()
	if a == nil || isUpgrade(r) {
		return false
	}
	live, _ := a.stageFor(r.URL.EscapedPath())
	return live != nil && live.cors.names(origin)
}

// refused logs a request that was turned away.
func (f *front) refused(r *http.Request, why string) {
	f.gateway.tell(activity.Event{Kind: activity.Request, Method: r.Method, Path: r.URL.EscapedPath(), Status: http.StatusForbidden, Text: why})
}

// stageNames lists the stages that serve something, for messages.
func (a *api) stageNames() []string {
	if live := a.live.Load(); live != nil {
		return slices.Sorted(maps.Keys(*live))
	}
	return nil
}
