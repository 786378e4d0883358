// Package sandbox is the local cloud: one process that takes a CloudFormation
// template and runs it. It holds the services together (a folder each: stack,
// gateway, lambda, s3, ssm …), gives them their ports, and answers AWS clients
// on one endpoint. It knows templates and folders of code, not manifests.
package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"arc/cfn"
	"arc/sandbox/activity"
	"arc/sandbox/custom"
	"arc/sandbox/door"
	"arc/sandbox/dynamodb"
	"arc/sandbox/gateway"
	"arc/sandbox/iam"
	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
	"arc/sandbox/reload"
	"arc/sandbox/restapi"
	"arc/sandbox/rights"
	"arc/sandbox/s3"
	"arc/sandbox/sqs"
	"arc/sandbox/ssm"
	"arc/sandbox/stack"
	"arc/sandbox/states"
	"arc/sandbox/wire"
	"arc/source"
)

// Account is the account number of the local cloud; no real one has it.
const Account = "000000000000"

// Default ports: the endpoint of the cloud, and the first front end of an app.
// Both are what users of Architect have in their fingers.
const (
	DefaultInternalPort = 2222
	DefaultAppPort      = 3333
)

// Options are what a local cloud needs from its surroundings.
type Options struct {
	Project  string   // absolute folder of the project it serves
	Registry Registry // where it is written down
	Region   string
	Internal int                      // port of the endpoint; 0 = the first free one from 2222 on
	Path     string                   // PATH for finding node, python3 …
	User     func(name string) string // the developer's environment, for finding interpreters; nil = PATH alone
	Warn     func(text string)        // takes what the developer should know at the start; nil = nobody wants to know
	Cache    string                   // folder where runtimes may keep compiled code; "" = none
	// Self is this program, whose main calls opt.Enter: it mounts layers at /opt; "" =
	// they are not mounted.
	Self string
	// Offer gives what the code in an unpacked folder asks of its runtime, or the packages
	// of names; for Node it puts that beside the folder. nil = nothing is offered.
	Offer func(dir, runtime string, names ...string) (source.Offered, error)
	// AWS names the services whose calls go to AWS itself, with the developer's
	// own credentials; "all" = all of them.
	AWS []string
	// Open is whom the apps' ports let in beside this machine's pages; nil = nobody.
	Open *door.Openings
	// Liberal is what ARC_SANDBOX_ENABLE_CORS asks of the live app (door.Liberal).
	Liberal bool
	// JWKS are files with the key sets of issuers of tokens, by issuer.
	JWKS map[string]string
	// NoSchedules keeps schedules and scheduled rules from firing.
	NoSchedules bool
	Clock       invoke.Clock // of schedules and scheduled rules; nil = the machine's
	Workers     int          // how many functions' processes at most; 0 = what half of the free memory holds
	// State is where data is kept between runs; its zero value keeps none.
	State State
	Fresh bool // what was kept is deleted first
	// Asleep leaves the stacks of earlier runs alone: somebody looks at data only.
	Asleep bool
	// Inspect reports whether a debugger may attach to a function, by its label
	// ("@http get /") and folder, and at which of the ports of its language, counted
	// from 0, when that is free; nil = to none.
	Inspect func(label, dir string) (port int, attach bool)
	// Tables is a DynamoDB endpoint to use instead of one of our own; "" = none.
	Tables string
	// NoRights asks nothing of IAM: no role what it may, and no policy of a function,
	// queue, topic, bucket or API whom it lets in.
	NoRights bool
	// As are callers who may do what a policy says, beside the functions.
	As []As
	// Tell takes what happens; nil = nobody hears of it.
	Tell activity.Tell
}

// bodyMemory is how much of requests' bodies is kept in memory at a time; what
// S3 stores is counted by itself.
const bodyMemory = 128 << 20

// Cloud is a running local cloud.
type Cloud struct {
	opts    Options
	running Running
	scratch string // unpacked code of deployed functions, and what workers need
	data    string // folder of what is kept between runs; "" = nothing is

	endpoint *door.Port
	hosts    *hosts
	bodies   *door.Budget // of all ports but the workers'
	all      []Service    // in the order in which they start
	named    sync.Once
	byName   map[string][]Service // see servicesOf
	tell     activity.Tell
	root     *os.Root // the project, for its static folder
	live     liveApp
	fresh    atomic.Pointer[func(LiveFunction)] // see BeforeCalls
	pages    reload.Pages                       // of the live app
	// What a live app needs of some services beyond their interface.
	lambda     *lambda.Service
	gateway    *gateway.Gateway
	rest       *restapi.APIs
	engine     *stack.Engine
	s3         *s3.Server
	parameters *ssm.Store
	tables     *dynamodb.Service
	custom     *custom.Desk
	queues     *sqs.Service
	roles      *iam.Store
	guard      *rights.Guard
	states     *states.Service
	answers    http.Handler // of all services

	ready     atomic.Bool
	closeOnce sync.Once
	closing   atomic.Bool // Close has begun
	done      chan struct{}
	undo      []func() // what Close does, last first

	mu     sync.Mutex
	fronts map[*door.Port]bool
	// letterboxes are the ports to which one function each publishes unsigned.
	letterboxes map[string]*door.Port
}

// Start runs a local cloud for a project. It returns ErrRunning when the
// project has one already.
func Start(opts Options) (*Cloud, error) {
	c := &Cloud{opts: opts, bodies: door.NewBudget(bodyMemory), done: make(chan struct{}), fronts: map[*door.Port]bool{}, letterboxes: map[string]*door.Port{}}
	tell := opts.Tell.Or()
	c.tell = func(e activity.Event) {
		e.Time = time.Now().UTC()
		tell(e)
	}
	if err := c.start(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Cloud) start() error {
	unlock, err := c.opts.Registry.lock(c.opts.Project)
	if err != nil {
		return err
	}
	c.undo = append(c.undo, unlock)
	tidied := make(chan struct{})
	go func() {
		defer close(tidied)
		c.opts.Registry.sweep(c.opts.Project)()
	}()
	c.undo = append(c.undo, func() { <-tidied })
	if c.root, err = os.OpenRoot(c.opts.Project); err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	c.undo = append(c.undo, func() { c.root.Close() })
	if c.scratch, err = c.opts.Registry.scratch(c.opts.Project); err != nil {
		return err
	}
	c.undo = append(c.undo, func() { os.RemoveAll(c.scratch) })

	if err := c.openHosts(); err != nil {
		return err
	}
	first, exact := DefaultInternalPort, false
	if c.opts.Internal != 0 {
		first, exact = c.opts.Internal, true
	}
	if c.endpoint, err = c.listen(first, exact); err != nil {
		return fmt.Errorf("endpoint of the local cloud: %w", err)
	}
	c.undo = append(c.undo, c.endpoint.Close)
	c.running = Running{
		Project:  c.opts.Project,
		Endpoint: fmt.Sprintf("http://127.0.0.1:%d", c.endpoint.Number),
		PID:      os.Getpid(),
		Token:    newToken(),
	}
	if err := c.remember(); err != nil {
		return err
	}
	services, err := c.assemble()
	if err != nil {
		return err
	}
	if !c.opts.Asleep {
		c.revive(context.Background())
		c.states.Resume()
	}
	c.endpoint.Brief(gateway.Brief)
	c.endpoint.Serve(door.ByHost(c.routes(services), c.apiOf), c.bodies, c.problems())
	c.serveHosts(services)
	unregister, err := c.opts.Registry.register(c.running)
	if err != nil {
		return err
	}
	c.undo = append(c.undo, unregister)
	go c.watchHome()
	return nil
}

// revive brings back the stacks of earlier runs, and says so: their schedules
// fire, and their functions take messages.
func (c *Cloud) revive(ctx context.Context) {
	for _, problem := range c.engine.Revive(ctx) {
		c.tell.Notice("%s", problem)
	}
	var names []string
	for next := ""; ; {
		page, err := c.engine.DescribeStacks(ctx, stack.DescribeStacksInput{NextToken: next})
		if err != nil {
			c.tell.Notice("stacks of earlier runs: %v", err)
			return
		}
		for _, s := range page.Stacks {
			if s.ParentID == "" {
				names = append(names, s.StackName)
			}
		}
		if next = page.NextToken; next == "" {
			break
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		c.tell.Notice("stacks of earlier runs are back: %s; arc destroy --local ends one, --fresh all", strings.Join(names, ", "))
	}
}

// homeCheck is how often a cloud looks whether it is still wanted.
const homeCheck = time.Second

// watchHome ends a cloud that nobody can find any more: its project, or its
// registration, was deleted. One in the background would run for ever.
func (c *Cloud) watchHome() {
	for {
		select {
		case <-c.done:
			return
		case <-time.After(homeCheck):
		}
		gone := ""
		if _, err := os.Stat(c.opts.Project); errors.Is(err, fs.ErrNotExist) {
			gone = c.opts.Project
		} else if !c.opts.Registry.has(c.running) {
			gone = "its registration in " + c.opts.Registry.Dir
		}
		if c.closing.Load() {
			return // it takes its registration away itself
		}
		if gone != "" {
			if c.Stopping() {
				return // which takes the registration away
			}
			c.tell.Notice("the local cloud ends: %s is gone", gone)
			c.Close()
			return
		}
	}
}

// routes are the cloud's own pages and the AWS protocols, each behind the
// guard of its kind.
func (c *Cloud) routes(services http.Handler) door.Guard {
	health := func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(health{ID: c.running.ID(), Project: c.opts.Project, Ready: c.ready.Load()})
	}
	stop := func(w http.ResponseWriter, r *http.Request) {
		token, err := io.ReadAll(io.LimitReader(r.Body, 1024))
		if err != nil || string(token) != c.running.Token {
			http.Error(w, "stopping needs the token of this cloud", http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		go c.Close()
	}
	guarded := func(kind door.Kind, h http.Handler) door.Guard {
		return door.Guard{Kind: kind, Handler: h}
	}
	routes := []door.Route{
		{Pattern: "GET /_arc/health", Guard: guarded(door.Unsigned, http.HandlerFunc(health))},
		{Pattern: "POST /_arc/stop", Guard: guarded(door.Unsigned, http.HandlerFunc(stop))},
		{Pattern: "/events", Guard: guarded(door.Unsigned, c.published("events", ""))},
		{Pattern: "/queues", Guard: guarded(door.Unsigned, c.published("queues", ""))},
		{Pattern: "/", Guard: guarded(door.Signed, open{services, c.running.ID(), &c.closing})},
	}
	for _, s := range c.all {
		if e := c.guard.Wrap(s.Endpoint()); e.Unsigned != "" {
			routes = append(routes, door.Route{Pattern: e.Unsigned, Guard: guarded(door.Unsigned, e.Handler)})
		}
	}
	return door.Routes(door.Guard{Refused: c.refused, Answer: wire.Refusal}, routes...)
}

// refused tells of a request that was turned away at the endpoint.
func (c *Cloud) refused(r *http.Request, why string) {
	c.tell(activity.Event{Kind: activity.Request, Method: r.Method, Path: r.URL.EscapedPath(), Status: http.StatusForbidden, Text: why})
}

// Running says where the cloud is, for others to find it.
func (c *Cloud) Running() Running { return c.running }

// Scratch is a folder for what its functions run from. It goes with the cloud.
func (c *Cloud) Scratch() string { return c.scratch }

// Ready tells whoever waits for the cloud that what it was started for is up.
func (c *Cloud) Ready() { c.ready.Store(true) }

// Done is closed when the cloud has been stopped.
func (c *Cloud) Done() <-chan struct{} { return c.done }

// Stopping tells that the cloud ends or has ended: what fails then is no
// mistake of anybody's.
func (c *Cloud) Stopping() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fronts == nil
}

// Close ends the cloud: connections, functions, listeners, files.
func (c *Cloud) Close() {
	c.closeOnce.Do(func() {
		c.closing.Store(true)
		c.mu.Lock()
		fronts := c.fronts
		c.fronts = nil
		c.mu.Unlock()
		for f := range fronts {
			f.Close()
		}
		for i := len(c.undo) - 1; i >= 0; i-- {
			c.undo[i]()
		}
		close(c.done)
	})
	<-c.done
}

// bind opens a front end for a stack: the live app's on its own port, every
// other stack's where it was in an earlier run, or on the next free one. They
// begin as far above the endpoint as 3334 lies above 2222: two clouds do not
// take each other's, and a stack is at its old URL when its cloud is back.
func (c *Cloud) bind(ref stack.Ref, was string, guard door.Guard) (string, func(), error) {
	first, exact := DefaultAppPort+1, false
	if above := c.endpoint.Number + first - DefaultInternalPort; above+portTries < 1<<16 {
		first = above
	}
	if _, port, ok := strings.Cut(was, ":"); ok {
		if n, err := strconv.Atoi(port); err == nil {
			first = n
		}
	}
	guard.Open = c.opts.Open
	if c.live.is(ref.Name) && ref.Region == c.opts.Region {
		first, exact = c.live.port()
		if c.opts.Liberal {
			guard.Handler = door.Liberal(guard.Handler)
		}
		guard.Handler = c.live.held(c.pages.Serve(guard.Handler))
	}
	f, err := c.listen(first, exact)
	if err != nil {
		return "", nil, err
	}
	f.Serve(guard, c.bodies, c.problems())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fronts == nil {
		f.Close()
		return "", nil, fmt.Errorf("the local cloud is stopping")
	}
	c.fronts[f] = true
	return "localhost:" + strconv.Itoa(f.Number), func() {
		c.mu.Lock()
		delete(c.fronts, f)
		c.mu.Unlock()
		f.Close()
	}, nil
}

// App is an app to run from its source folders: arc sandbox.
type App struct {
	StackName  string
	Template   []byte
	Parameters map[string]string
	Functions  map[string]LiveFunction // by logical ID
	Static     string                  // absolute folder served as the static bucket; "" = none
	Published  string                  // file with the text of static.json, by whose names the files are found as well; "" = none
	Bucket     string                  // logical ID of that bucket
	Prefix     string                  // in front of the files' keys
	Warm       []string                // logical IDs of functions to have ready before the first call
	Objects    map[string][]byte       // what the template finds in its artifact bucket, by key: nested templates
	AssetKey   string                  // key that the template gives the asset function's code; "" = it has none
	Port       int                     // 0 = 3333
	Exact      bool                    // no other port will do
	APIType    string                  // ARC_SANDBOX.apiType
	Reload     bool                    // pages reload when something was saved
	Uses       []cfn.Use               // what lines of @uses allow
}

// LiveFunction is a function whose code is run from where it is written.
type LiveFunction struct {
	Dir    string // absolute
	Shared string // absolute folders of shared code; "" = none
	Views  string
	Label  string // "@http get /"
	// Env are variables of this machine alone, which no template could hold:
	// NAME=value, each ended by a NUL.
	Env string
	// Code builds what runs, when that is not what Dir holds; nil = it is.
	Code *source.Live
	// Remedy says what brings the handler, for a call that finds none in Dir.
	Remedy string
	// Config is the file in which the function is given rights, as people know it.
	Config string
}

// ports are where libraries of Architect find what.
func (c *Cloud) ports() map[string]int {
	httpPort, _ := c.live.port()
	return map[string]int{
		"http": httpPort, "tables": c.endpoint.Number, "events": c.endpoint.Number, "queues": c.endpoint.Number, "_arc": c.endpoint.Number,
	}
}

// arcSandbox is the variable that tells those libraries of the local cloud.
func (c *Cloud) arcSandbox() string { return c.arcSandboxWith(c.ports()) }

func (c *Cloud) arcSandboxWith(ports map[string]int) string {
	text, _ := json.Marshal(map[string]any{
		"apiType": c.live.apiType(),
		"cwd":     c.opts.Project,
		"ports":   ports,
		"version": "9.0.0", // the npm library compares part by part as text; 10 would count as smaller than 5
	})
	return string(text)
}

// discovered is the app that runs from its source, for those who look for it.
func (c *Cloud) discovered() (stackName, ports string) {
	text, _ := json.Marshal(c.ports())
	return c.live.name(), string(text)
}

// Variables are what a program of the app's project needs to be one with its
// functions: where the local cloud is, and who the app is.
func (c *Cloud) Variables() map[string]string {
	return map[string]string{
		"ARC_SANDBOX": c.arcSandbox(), "ARC_ENV": "testing", "ARC_STACK_NAME": c.live.name(), "AWS_ENDPOINT_URL": c.running.Endpoint,
		"AWS_REGION": c.opts.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local",
	}
}

// environment is what a function of the local cloud sees beside its own variables
// (sandbox reference, 4). Its keys are those of a session of its role.
func (c *Cloud) environment(fn lambda.Function) map[string]string {
	now := c.running.Endpoint
	keys, ports := c.keys(fn), c.ports()
	if box := c.letterbox(fn); box != 0 {
		ports["events"], ports["queues"] = box, box
	}
	env := map[string]string{
		"ARC_SANDBOX":           c.arcSandboxWith(ports),
		"AWS_ACCESS_KEY_ID":     keys.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"AWS_SESSION_TOKEN":     keys.SessionToken,
	}
	c.hosts.environment(env)
	if len(c.opts.AWS) > 0 {
		c.ownCredentials(env)
	}
	for _, s := range c.all {
		if e := s.Endpoint(); e.Variable != "" && !c.hosts.lets(e.Variable) {
			env["AWS_ENDPOINT_URL_"+e.Variable] = now + e.Base
		}
	}
	return env
}

// stopTimeout bounds how long a function may take to finish when the cloud stops.
const stopTimeout = 2 * time.Second
