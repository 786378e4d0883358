// Package gateway is API Gateway v2 on this machine: HTTP APIs with payload
// formats 2.0 and 1.0, WebSocket APIs with the whole connection life cycle,
// and the @connections management API. It provides the AWS::ApiGatewayV2::*
// resource types to the stack engine.
//
// An API is built up by its resources and served from snapshots: a stage
// points at the deployment it was given, and what changes afterwards is not
// live until another deployment is made, exactly as on AWS. A snapshot never
// changes, so serving a request takes no lock.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what the gateway needs from its surroundings.
type Options struct {
	Invoker invoke.Invoker
	// Bind opens a loopback listener for a stack's front end and serves handler
	// on it; it returns "localhost:3333" and a function that closes it. The
	// first HTTP API and the first WebSocket API of a stack share one front
	// end; each further API gets its own.
	// was is what it returned for the stack in an earlier run; "" = it had none.
	Bind func(ref stack.Ref, was string, guard door.Guard) (hostport string, release func(), err error)
	// Permit gives an error when API Gateway may not invoke a function ("name" or
	// "name:alias") in the name of any of the sources, ARNs of execute-api; nil =
	// it may invoke all.
	Permit func(function string, sources ...string) error
	// May gives an error, in AWS's words, when a request's caller may not do
	// something with a resource, given by ARN; nil = everybody may do everything.
	May func(r *http.Request, action, resource string) error
	// Call answers a request to a service in the name of a role; nil = there are no
	// services. Errand is asked whether API Gateway may take that role.
	Call   invoke.CallService
	Errand invoke.Permit
	// Send hands a message to a function that nobody waits for; nil = none is sent.
	Send invoke.Send
	// Announce is told where a stage of a stack's API answers, by the API's
	// logical ID, when it is made; nil = nobody.
	Announce func(of stack.Ref, what, url string)
	// Tell is told of each request, connection and message; nil = nobody.
	Tell activity.Tell
	// Called gives the words that people know a function by ("@http get /"),
	// from its name; nil or "" = the name itself.
	Called func(function string) string
	// Unhurried reports that a function has no timeout, since a debugger may pause
	// it; nil = none.
	Unhurried func(function string) bool
	// PermitURL gives an error when everybody may not call a function ("name" or
	// "name:alias") by its URL; nil = everybody may.
	PermitURL func(function string) error
	// Keys gives the JSON Web Key Set of an issuer of tokens; nil = nobody's.
	Keys ingress.KeySets
	// Signer gives the secret of an access key, with its session's token ("" = none),
	// and who has it; false = the key is none that the local cloud gave out.
	Signer func(accessKey, token string) (secret string, who ingress.Identity, ok bool)
	// Decide gives an error when somebody may not do an action of execute-api to an
	// ARN; nil = everybody with a key may.
	Decide func(who ingress.Identity, action, resource string) error
	// Lenient reports whether a stack's WebSocket API lets clients in at any path,
	// with a warning, where AWS does at its stage's alone; nil = none does.
	Lenient func(stackName string) bool
	// Known reports whether there is an API of another kind of an ID, with a stage of
	// a name ("" = any), and Other serves it: keys, usage plans and domains are for
	// REST APIs, too. nil = there is none.
	Known func(id, stage string) bool
	Other func(id string) http.Handler
	// Developer turns on pages that explain errors (handler missing, thrown
	// error with its stack, no such route); off, answers are those of AWS.
	Developer bool
	// IdleTimeout and MaxAge end WebSocket connections; zero means API
	// Gateway's own ten minutes without traffic and two hours in all.
	IdleTimeout time.Duration
	MaxAge      time.Duration
}

// Gateway holds the APIs of every stack of one local cloud.
type Gateway struct {
	options Options

	// ctx ends with Close, so that no invocation outlives the gateway.
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex // guards what resources build up: apis, fronts, and each api's parts
	apis   map[string]*api
	fronts map[string][]*front // by stack ID
	keys   map[string]*apiKey
	plans  map[string]*usagePlan
	urls   map[string]*functionURL // by ARN
	// domains are kept by name.
	domains map[string]*customDomain
	// hosted is what requests see of them, by name in small letters; nil = there are none.
	hosted atomic.Pointer[map[string]map[string]mappedTo]

	sockets sockets
}

// New gives a gateway without APIs. Close it to close its connections.
func New(options Options) *Gateway {
	options.Tell = options.Tell.Or()
	if options.IdleTimeout == 0 {
		options.IdleTimeout = 10 * time.Minute
	}
	if options.MaxAge == 0 {
		options.MaxAge = 2 * time.Hour
	}
	if options.Signer == nil {
		options.Signer = func(string, string) (string, ingress.Identity, bool) { return "", ingress.Identity{}, false }
	}
	if options.Known == nil {
		options.Known = func(string, string) bool { return false }
	}
	if options.Other == nil {
		options.Other = func(string) http.Handler { return nil }
	}
	g := &Gateway{
		options: options, apis: map[string]*api{}, fronts: map[string][]*front{},
		keys: map[string]*apiKey{}, plans: map[string]*usagePlan{}, domains: map[string]*customDomain{}, urls: map[string]*functionURL{},
	}
	g.sockets.open = map[string]*connection{}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// Close closes every WebSocket with code 1001, lets their $disconnect
// functions run until ctx ends, and closes all front ends. New connections
// are refused from the start. It returns ctx's error when not all was said.
func (g *Gateway) Close(ctx context.Context) error {
	err := g.sockets.shut(ctx)
	g.cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, fronts := range g.fronts {
		for _, f := range fronts {
			f.release()
		}
	}
	for _, u := range g.urls {
		u.release()
	}
	g.urls = map[string]*functionURL{}
	g.fronts = map[string][]*front{}
	g.apis = map[string]*api{}
	return err
}

// errTimedOut is an integration that took longer than its TimeoutInMillis.
var errTimedOut = errors.New("no answer within the integration's timeout")

// forbidden is why a function's policy does not let API Gateway in.
type forbidden struct{ error }

// invoke runs an integration's function, if that lets one of the sources in, for
// at most the integration's timeout. The client's going away does not end it: on
// AWS the function runs on as well.
func (g *Gateway) invoke(i *integration, event []byte, sources ...string) (invoke.Result, error) {
	if err := g.permit(i, sources...); err != nil {
		return invoke.Result{}, err
	}
	ctx := g.ctx
	if limit := g.limit(i); limit > 0 {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	result, err := g.options.Invoker.Invoke(ctx, i.target(), event)
	if err != nil && ctx.Err() == context.DeadlineExceeded {
		err = context.DeadlineExceeded
	}
	return result, g.ended(i, err)
}

// limit is how long an integration waits for its function; 0 = a debugger has it.
func (g *Gateway) limit(i *integration) time.Duration {
	if g.options.Unhurried != nil && g.options.Unhurried(i.target()) {
		return 0
	}
	return i.timeout
}

// ended is the error of an integration's function, in words.
func (g *Gateway) ended(i *integration, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w of %s", g.called(i.function), errTimedOut, i.timeout)
	}
	return g.named(i.function, err)
}

// beginner runs functions for who does not wait for them.
type beginner interface {
	Begin(ctx context.Context, name string, event []byte, limit time.Duration, then func(invoke.Result, error))
}

// begin is invoke for who does not wait: then is told of the end, on a goroutine that has
// other things to do.
func (g *Gateway) begin(i *integration, event []byte, then func(invoke.Result, error), sources ...string) {
	b, ok := g.options.Invoker.(beginner)
	if !ok {
		go func() { then(g.invoke(i, event, sources...)) }()
		return
	}
	if err := g.permit(i, sources...); err != nil {
		then(invoke.Result{}, err)
		return
	}
	b.Begin(g.ctx, i.target(), event, g.limit(i), func(result invoke.Result, err error) { then(result, g.ended(i, err)) })
}

// permit says why an integration's function may not be called.
func (g *Gateway) permit(i *integration, sources ...string) error {
	if g.options.Permit == nil || i.credentials {
		return nil
	}
	err := g.options.Permit(i.target(), sources...)
	if err != nil && !errors.Is(err, invoke.ErrNotFound) {
		err = forbidden{err}
	}
	return g.named(i.function, err)
}

// named begins an error with the words that people know its function by.
func (g *Gateway) named(function string, err error) error {
	if err != nil && g.options.Called != nil && g.options.Called(function) != "" {
		err = fmt.Errorf("%s: %w", g.called(function), err)
	}
	return err // which names the function by itself
}

// called is how a function is named to people.
func (g *Gateway) called(function string) string {
	if g.options.Called != nil {
		if words := g.options.Called(function); words != "" {
			return words
		}
	}
	return "function " + function
}

// delay says, for the log, what a call's time was spent on before the function
// had its event, where that is more than a moment.
func delay(result invoke.Result) (text string) {
	if result.Waited >= 50*time.Millisecond {
		text = fmt.Sprintf(" (waited %dms for a worker)", result.Waited.Milliseconds())
	}
	if result.Init >= time.Second {
		text += fmt.Sprintf(" (Init Duration: %dms)", result.Init.Milliseconds())
	}
	return text
}

func (g *Gateway) tell(e activity.Event) {
	e.Text = strings.TrimSpace(ingress.OneLine(e.Text))
	g.options.Tell(e)
}

// Endpoint is where functions find the connections of their WebSocket APIs.
func (g *Gateway) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "execute-api", Variable: "APIGATEWAYMANAGEMENTAPI", Base: managementPath, Unsigned: managementPath + "/", Handler: g.Connections()}
}

// Restore has nothing to do: APIs come back with their stacks.
func (g *Gateway) Restore(*journal.Log) error { return nil }
