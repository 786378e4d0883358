package restapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"arc/cfn/iam"
	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/ingress"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// api is one AWS::ApiGateway::RestApi with the parts that its other resources
// added. Everything but live is guarded by APIs.mu.
type api struct {
	id, root string         // its ID, and that of its resource /
	logical  string         // its logical ID
	raw      map[string]any // its properties, as the template has them
	created  time.Time
	stack    stack.Ref
	host     string // of its front end: "localhost:3334"
	release  func()

	settings
	imported  document // what its Body describes
	resources map[string]*resource
	// By ID: authorizers, validators, deployments; by name or type: models,
	// responses, stages.
	authorizers map[string]*authorizer
	validators  map[string]*validator
	models      map[string]*model
	responses   map[string]*gatewayResponse
	deployments map[string]*deployment
	stages      map[string]*stage

	// live is what each stage serves right now; the map is replaced, never changed.
	live atomic.Pointer[map[string]*liveStage]
}

// newAPI is an API without anything but its resource /.
func newAPI(of stack.Ref, logical, id string) *api {
	a := &api{
		id: id, stack: of, logical: logical, created: time.Now().UTC(), resources: map[string]*resource{}, authorizers: map[string]*authorizer{},
		validators: map[string]*validator{}, models: map[string]*model{}, responses: map[string]*gatewayResponse{}, deployments: map[string]*deployment{}, stages: map[string]*stage{},
	}
	a.root = ingress.ResourceID(10, never, a.id, "/")
	a.resources[a.root] = &resource{id: a.root, path: "/", methods: map[string]*method{}}
	return a
}

// settings are an API's own properties that its deployments have.
type settings struct {
	name   string
	binary []string // media types
	// keySource is HEADER, or AUTHORIZER: an API key comes from what that said.
	keySource string
	policy    *iam.Policy // nil = everybody may call
	told      *sync.Once  // of what the policy hangs on
	off       bool        // DisableExecuteApiEndpoint
}

// resource is an AWS::ApiGateway::Resource, or one that a Body describes.
type resource struct {
	id, parent, part string
	path             string
	methods          map[string]*method // by verb, or ANY
	imported         bool
}

// method is an AWS::ApiGateway::Method. It does not change: an update makes another.
type method struct {
	raw         map[string]any // its properties
	imported    bool           // a Body describes it
	verb        string
	auth        string // NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS
	authorizer  string // its ID
	scopes      []string
	key         bool // an API key is asked for
	operation   string
	validator   string          // ID of a request validator
	parameters  map[string]bool // method.request.…, and whether it must be there
	models      map[string]string
	responses   map[string]methodResponse // by status
	integration *integration
}

// methodResponse is one of a method's MethodResponses.
type methodResponse struct {
	parameters map[string]bool
	models     map[string]string
}

// deployment is an AWS::ApiGateway::Deployment.
type deployment struct {
	*snapshot
	created     time.Time
	description string
	picture     string // of what it was taken, for the next run of the cloud
}

// snapshot is an API as it was at one deployment.
type snapshot struct {
	settings
	router    *router
	responses map[string]*gatewayResponse
}

// stage is an AWS::ApiGateway::Stage, or one that a deployment brought with it.
type stage struct {
	name       string
	raw        map[string]any
	created    time.Time
	variables  map[string]string
	deployment string
	brought    bool // by a deployment
}

// liveStage is a stage as requests see it.
type liveStage struct {
	*snapshot
	name       string
	variables  map[string]string
	deployment string
}

// route is a method of a resource with all that serving it takes.
type route struct {
	*method
	resource   *resource
	authorizer *authorizer
	validator  *validator
	schemas    map[string]*model // of bodies, by content type
}

// snapshot takes a picture of the API as it is.
func (a *api) snapshot() *snapshot {
	s := &snapshot{settings: a.settings, router: &router{}, responses: maps.Clone(a.responses)}
	for kind, r := range a.imported.responses {
		if s.responses[kind] == nil {
			s.responses[kind] = r
		}
	}
	for _, id := range slices.Sorted(maps.Keys(a.resources)) {
		r := a.resources[id]
		for _, m := range r.methods {
			s.router.add(&route{method: m, resource: r, authorizer: a.authorizer(m.authorizer), validator: a.validator(m.validator), schemas: a.schemas(m)})
		}
	}
	return s
}

func (a *api) authorizer(id string) *authorizer {
	if z := a.authorizers[id]; z != nil {
		return z
	}
	return a.imported.authorizers[id]
}

func (a *api) validator(id string) *validator {
	if v := a.validators[id]; v != nil {
		return v
	}
	return a.imported.validators[id]
}

func (a *api) model(name string) *model {
	if m := a.models[name]; m != nil {
		return m
	}
	return a.imported.models[name]
}

func (a *api) schemas(m *method) map[string]*model {
	out := map[string]*model{}
	for kind, name := range m.models {
		if found := a.model(name); found != nil {
			out[kind] = found
		}
	}
	return out
}

// changed publishes what every stage serves.
func (a *api) changed() {
	live := map[string]*liveStage{}
	for _, s := range a.stages {
		if d := a.deployments[s.deployment]; d != nil {
			live[s.name] = &liveStage{snapshot: d.snapshot, name: s.name, variables: s.variables, deployment: s.deployment}
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

// stageNames lists the stages that serve something, for messages.
func (a *api) stageNames() []string {
	if live := a.live.Load(); live != nil {
		return slices.Sorted(maps.Keys(*live))
	}
	return nil
}

// arn is that of a part of the API, for policies.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func (a *api) arn(rest string) string {
	return stack.ARN(a.stack.Region, "execute-api", a.stack.Region, a.stack.Account, a.id+"/"+rest)
}

// url is where a stage answers here.
func (a *api) url(stage string) string { return "http://" + a.host + "/" + stage }

// path is the path of a resource, from its parents'.
func (a *api) pathOf(r *resource) string {
	parent := a.resources[r.parent]
	switch {
	case parent == nil:
		return "/"
	case parent.path == "/":
		return "/" + r.part
	}
	return parent.path + "/" + r.part
}

// openFront opens the API's own port: where it was in an earlier run
// ("localhost:3334"), if that place is free.
func (g *APIs) openFront(a *api, was string) error {
	refused := func(r *http.Request, why string) {
		g.tell(activity.Event{Kind: activity.Request, Method: r.Method, Path: r.URL.EscapedPath(), Status: http.StatusForbidden, Text: why})
	}
	own := a.stack
	own.Name += "/" + a.logical // the port of the stack's HTTP and WebSocket APIs is theirs
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, chosen := ingress.ChosenStage(r); !chosen && g.options.Domain != nil {
			if site, mapped := g.options.Domain(r); site != nil {
				site.ServeHTTP(w, mapped)
				return
			}
		}
		g.serve(w, r, a)
	})
	host, release, err := g.options.Bind(own, was, door.Guard{Kind: door.Site, Handler: handler, Refused: refused, Answer: wire.Refusal})
	if err != nil {
		return fmt.Errorf("front end of %s: %w", a.logical, err)
	}
	a.host, a.release = host, release
	return nil
}

// stageOf splits a request's path into the stage's name and what is below it.
func stageOf(path string) (name, below string) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return name, "/" + rest
}
