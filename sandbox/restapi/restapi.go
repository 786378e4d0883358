// Package restapi is version 1 of API Gateway on this machine: REST APIs with
// their resources, methods, integrations, mapping templates, authorizers and
// stages. It provides the AWS::ApiGateway::* resource types of an API to the
// stack engine; keys, usage plans and domains are both versions', and the
// gateway's of version 2.
//
// An API is built up by its resources, or imported from an OpenAPI document, and
// served from snapshots: a stage points at a deployment, and what changes
// afterwards is not live until another deployment is made, exactly as on AWS. A
// snapshot never changes, so serving a request takes no lock.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-rest-api.html
package restapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what REST APIs need from their surroundings.
type Options struct {
	Invoker invoke.Invoker
	// Bind opens a loopback listener for an API and serves the guard on it; it
	// returns "localhost:3333" and a function that closes it. was is what it
	// returned for the API in an earlier run; "" = it had none.
	Bind func(ref stack.Ref, was string, guard door.Guard) (hostport string, release func(), err error)
	// Permit gives an error when API Gateway may not invoke a function ("name" or
	// "name:alias") in the name of any of the sources, ARNs of execute-api; nil =
	// it may invoke all.
	Permit func(function string, sources ...string) error
	// Unasked lets everybody in whom an API's resource policy would not.
	Unasked bool
	// Send hands an event to a function that nobody waits for; nil = there is none.
	Send invoke.Send
	// Call answers a request to a service in the name of a role; nil = there are no
	// services. Errand is asked whether API Gateway may take that role.
	Call   invoke.CallService
	Errand invoke.Permit
	// Announce is told where a stage of a stack's API answers, by the API's
	// logical ID, when it is made; nil = nobody.
	Announce func(of stack.Ref, what, url string)
	// Tell is told of each request; nil = nobody.
	Tell activity.Tell
	// Called gives the words that people know a function by ("@http get /"),
	// from its name; nil or "" = the name itself.
	Called func(function string) string
	// Unhurried reports that a function has no timeout, since a debugger may pause
	// it; nil = none.
	Unhurried func(function string) bool
	// Keys gives the JSON Web Key Set of an issuer of tokens; nil = nobody's.
	Keys ingress.KeySets
	// Signer gives the secret of an access key, with its session's token ("" = none),
	// and who has it; false = the key is none that the local cloud gave out.
	Signer func(accessKey, token string) (secret string, who ingress.Identity, ok bool)
	// Decide gives an error when somebody may not do an action of execute-api to an
	// ARN; nil = everybody with a key may.
	Decide func(who ingress.Identity, action, resource string) error
	// KeyOf gives the ID of the enabled API key of a value that a usage plan has for
	// a stage of an API; "" = there is none. nil = there are no keys.
	KeyOf func(api, stage, value string) (id string)
	// Domain gives the handler of a request whose Host is a custom domain's, and the
	// request as it is for that; nil = it is none's.
	Domain func(r *http.Request) (http.Handler, *http.Request)
	// Object gives an object of S3; nil = there are none.
	Object func(bucket, key string) ([]byte, error)
}

// APIs are the REST APIs of every stack of one local cloud.
type APIs struct {
	options Options

	// ctx ends with Close, so that no invocation outlives the APIs.
	ctx    context.Context
	cancel context.CancelFunc

	mu   sync.Mutex // guards what resources build up: apis and each api's parts
	apis map[string]*api
}

// New gives a service without APIs.
func New(options Options) *APIs {
	options.Tell = options.Tell.Or()
	if options.Signer == nil {
		options.Signer = func(string, string) (string, ingress.Identity, bool) { return "", ingress.Identity{}, false }
	}
	g := &APIs{options: options, apis: map[string]*api{}}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// Close ends what calls functions, and closes all front ends.
func (g *APIs) Close(context.Context) error {
	g.cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.apis {
		a.release()
	}
	g.apis = map[string]*api{}
	return nil
}

// Restore has nothing to do: APIs come back with their stacks.
func (g *APIs) Restore(*journal.Log) error { return nil }

// Endpoint is where clients read which APIs there are.
func (g *APIs) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "apigateway", Variable: "API_GATEWAY", Path: controlPath, Handler: control{g}}
}

// Site is an API as its own host serves it, ID.execute-api.REGION.amazonaws.com,
// for callers that are no web pages; nil when there is none of that ID.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
func (g *APIs) Site(id string) http.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a := g.apis[id]; a != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, a) })
	}
	return nil
}

// Local is an API as a name of its own below localhost serves it,
// ID.execute-api.localhost; nil when there is none of that ID. Functions are told
// the address of its front end: not every resolver knows such names.
func (g *APIs) Local(id string) http.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.apis[id]
	if a == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = a.host
		g.serve(w, r, a)
	})
}

// Has reports whether there is an API of an ID with a stage of a name; "" = any.
func (g *APIs) Has(id, stage string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.apis[id]
	return a != nil && (stage == "" || a.stages[stage] != nil)
}

// errTimedOut is an integration that took longer than its timeout.
var errTimedOut = errors.New("no answer within the integration's timeout")

// forbidden is why a function's policy does not let API Gateway in.
type forbidden struct{ error }

// target is a function that is called, and how.
type target struct {
	function  string // physical name
	qualifier string // the alias or version that is called; "" = none
	// credentials says that a role is assumed for the call: the function's own
	// policy is not asked then.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
	credentials bool
	timeout     time.Duration
}

func (t target) name() string {
	if t.qualifier != "" {
		return t.function + ":" + t.qualifier
	}
	return t.function
}

// invoke runs a function, if that lets one of the sources in, for at most its
// timeout. The client's going away does not end it: on AWS the function runs on as
// well.
func (g *APIs) invoke(t target, event []byte, sources ...string) (invoke.Result, error) {
	if err := g.permit(t, sources...); err != nil {
		return invoke.Result{}, g.named(t.function, err)
	}
	ctx, cancel := context.WithTimeout(g.ctx, t.timeout)
	defer cancel()
	if g.options.Unhurried != nil && g.options.Unhurried(t.name()) {
		ctx = g.ctx
	}
	result, err := g.options.Invoker.Invoke(ctx, t.name(), event)
	if err != nil && ctx.Err() == context.DeadlineExceeded {
		return result, fmt.Errorf("%s: %w of %s", g.called(t.function), errTimedOut, t.timeout)
	}
	return result, g.named(t.function, err)
}

// permit asks whether a function lets one of the sources in. A function that is
// not there is found out by the call.
func (g *APIs) permit(t target, sources ...string) error {
	if g.options.Permit == nil || t.credentials {
		return nil
	}
	err := g.options.Permit(t.name(), sources...)
	if err != nil && !errors.Is(err, invoke.ErrNotFound) {
		err = forbidden{err}
	}
	return err
}

// named begins an error with the words that people know its function by.
func (g *APIs) named(function string, err error) error {
	if err != nil && g.options.Called != nil && g.options.Called(function) != "" {
		err = fmt.Errorf("%s: %w", g.called(function), err)
	}
	return err // which names the function by itself
}

// called is how a function is named to people.
func (g *APIs) called(function string) string {
	if g.options.Called != nil {
		if words := g.options.Called(function); words != "" {
			return words
		}
	}
	return "function " + function
}

func (g *APIs) tell(e activity.Event) {
	e.Text = strings.TrimSpace(ingress.OneLine(e.Text))
	g.options.Tell(e)
}
