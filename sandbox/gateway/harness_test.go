package gateway_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

var update = flag.Bool("update", false, "rewrite golden sections")

// functions is an Invoker made of Go functions.
type functions map[string]func(ctx context.Context, event []byte) (invoke.Result, error)

func (f functions) Invoke(ctx context.Context, name string, event []byte) (invoke.Result, error) {
	run, ok := f[name]
	if !ok {
		return invoke.Result{}, fmt.Errorf("no such function")
	}
	return run(ctx, event)
}

func (f functions) Begin(ctx context.Context, name string, event []byte, limit time.Duration, then func(invoke.Result, error)) {
	go func() {
		if limit > 0 {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			ctx = limited
		}
		then(f.Invoke(ctx, name, event))
	}()
}

// returns is a function that always has the same result.
func returns(payload string) func(context.Context, []byte) (invoke.Result, error) {
	return func(context.Context, []byte) (invoke.Result, error) {
		return invoke.Result{Payload: []byte(payload)}, nil
	}
}

func throws(message string) func(context.Context, []byte) (invoke.Result, error) {
	return func(context.Context, []byte) (invoke.Result, error) {
		payload, err := json.Marshal(map[string]any{"errorType": "Error", "errorMessage": message, "trace": []string{"Error: " + message, "    at handler (/x/index.js:1:1)"}})
		return invoke.Result{Payload: payload, Failed: "Unhandled"}, err
	}
}

// cloud is a gateway with real listeners and one stack.
type cloud struct {
	t testing.TB
	*gateway.Gateway
	ref stack.Ref

	mu    sync.Mutex
	lines []string
	more  chan struct{}     // gets one after a line
	ids   map[string]string // physical IDs by logical ones
}

func newCloud(t testing.TB, options gateway.Options) *cloud {
	c := &cloud{t: t, more: make(chan struct{}, 1), ids: map[string]string{}, ref: stack.Ref{Name: "Demo", ID: "arn:aws:cloudformation:us-east-1:123456789012:stack/Demo/1", Region: "us-east-1", Account: "123456789012"}}
	if options.Bind == nil {
		options.Bind = bind
	}
	options.Tell = func(e activity.Event) {
		line := e.String()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.lines = append(c.lines, line)
		select {
		case c.more <- struct{}{}:
		default:
		}
	}
	c.Gateway = gateway.New(options)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return c
}

func bind(_ stack.Ref, _ string, guard door.Guard) (string, func(), error) {
	port, err := door.Listen(0)
	if err != nil {
		return "", nil, err
	}
	port.Serve(guard, nil, nil)
	return fmt.Sprintf("localhost:%d", port.Number), port.Close, nil
}

// awaitLines waits for lines of messages, which are told of when their function
// has returned, be the connection closed or not.
func (c *cloud) awaitLines(n int) {
	late := time.After(10 * time.Second)
	for {
		c.mu.Lock()
		enough := len(c.lines) >= n
		c.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-c.more:
		case <-late:
			return // the comparison tells what is missing
		}
	}
}

func (c *cloud) log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}

func (c *cloud) request(kind, id, physical string, properties map[string]any) stack.Request {
	return stack.Request{Stack: c.ref, LogicalID: id, Type: "AWS::ApiGatewayV2::" + kind, PhysicalID: physical, Properties: properties}
}

func (c *cloud) try(kind, id string, properties map[string]any) (stack.Resource, error) {
	return c.Registrations()["AWS::ApiGatewayV2::"+kind].Provider.Create(context.Background(), c.request(kind, id, "", properties))
}

func (c *cloud) create(kind, id string, properties map[string]any) stack.Resource {
	c.t.Helper()
	r, err := c.try(kind, id, properties)
	if err != nil {
		c.t.Fatalf("creating %s: %v", id, err)
	}
	c.ids[id] = r.PhysicalID
	return r
}

func (c *cloud) change(kind, id, physical string, properties map[string]any) error {
	_, err := c.Registrations()["AWS::ApiGatewayV2::"+kind].Provider.Update(context.Background(), c.request(kind, id, physical, properties))
	return err
}

func (c *cloud) remove(kind, id, physical string, properties map[string]any) error {
	return c.Registrations()["AWS::ApiGatewayV2::"+kind].Provider.Delete(context.Background(), c.request(kind, id, physical, properties))
}

type props = map[string]any

func uri(function string) string {
	return "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:" + function + "/invocations"
}

// httpAPI makes an HTTP API of routes: "GET /x" → function, format 2.0.
func (c *cloud) httpAPI(routes map[string]string) (endpoint string) {
	c.t.Helper()
	paths := props{}
	for key, function := range routes {
		method, path, _ := strings.Cut(key, " ")
		method = strings.ToLower(method)
		if method == "any" {
			method = "x-amazon-apigateway-any-method"
		}
		if paths[path] == nil {
			paths[path] = props{}
		}
		paths[path].(props)[method] = props{"x-amazon-apigateway-integration": props{
			"payloadFormatVersion": "2.0", "type": "aws_proxy", "httpMethod": "POST", "connectionType": "INTERNET", "uri": uri(function)}}
	}
	api := c.create("Api", "HTTP", props{"Body": props{"openapi": "3.0.1", "info": props{"title": "Demo"}, "paths": paths}})
	c.create("Stage", "HTTPApiGatewayDefaultStage", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	return api.Attributes["ApiEndpoint"].(string)
}

// socketAPI makes a WebSocket API with a stage "staging" of routes: "publish" → function.
func (c *cloud) socketAPI(routes map[string]string) (endpoint string) {
	c.t.Helper()
	api := c.create("Api", "WS", props{"Name": "DemoWebsocketStaging", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	for key, function := range routes {
		c.socketRoute(api.PhysicalID, key, function, props{})
	}
	d := c.create("Deployment", "WebsocketDeployment", props{"ApiId": api.PhysicalID})
	c.create("Stage", "WebsocketStage", props{"ApiId": api.PhysicalID, "StageName": "staging", "DeploymentId": d.PhysicalID})
	return api.Attributes["ApiEndpoint"].(string)
}

func (c *cloud) socketRoute(api, key, function string, more props) {
	c.t.Helper()
	name := strings.TrimPrefix(key, "$")
	i := c.create("Integration", name+"WSIntegration", props{"ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri(function)})
	p := props{"ApiId": api, "RouteKey": key, "OperationName": name + "WSRoute", "Target": "integrations/" + i.PhysicalID}
	for k, v := range more {
		p[k] = v
	}
	c.create("Route", name+"WSRoute", p)
}

// twoWay gives a route that was created its route response.
func (c *cloud) twoWay(api, route string) {
	c.t.Helper()
	c.create("RouteResponse", route+"Response", props{"ApiId": api, "RouteId": c.ids[route], "RouteResponseKey": "$default"})
}

// normal replaces what differs from run to run: ports, IDs (the same ID gets
// the same name throughout), traces, times.
type normal struct {
	port *regexp.Regexp
	ids  map[string]string
}

var (
	tokens   = regexp.MustCompile(`[A-Za-z0-9_-]{15}=`)
	traces   = regexp.MustCompile(`Root=1-[0-9a-f]{8}-[0-9a-f]{24}`)
	clocks   = regexp.MustCompile(`\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000`)
	epochs   = regexp.MustCompile(`("(?:timeEpoch|requestTimeEpoch|connectedAt)": )\d{13}`)
	dates    = regexp.MustCompile(`(?m)^(Date: ).*$`)
	took     = regexp.MustCompile(`\d+ms`)
	isoTimes = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	keys     = regexp.MustCompile(`("Sec-WebSocket-Key": (?:\[\s*)?")[^"]+`)
)

func newNormal(endpoint string) *normal {
	_, port, _ := net.SplitHostPort(strings.SplitN(endpoint, "//", 2)[1])
	// Alone, or behind an escaped colon: its digits may be in a trace ID, too.
	return &normal{port: regexp.MustCompile(`(^|[^0-9A-Za-z]|%3A)` + port + `($|[^0-9A-Za-z])`), ids: map[string]string{}}
}

func (n *normal) text(s string) string {
	s = n.port.ReplaceAllString(s, "${1}3333${2}")
	s = keys.ReplaceAllString(s, "${1}key") // before tokens, whose pattern it may match
	s = strings.ReplaceAll(s, "%3D", "=")   // an ID in a path
	s = tokens.ReplaceAllStringFunc(s, func(id string) string {
		if n.ids[id] == "" {
			n.ids[id] = fmt.Sprintf("id-%d", len(n.ids)+1)
		}
		return n.ids[id]
	})
	s = traces.ReplaceAllString(s, "Root=1-trace")
	s = clocks.ReplaceAllString(s, "29/Nov/2023:08:04:01 +0000")
	s = epochs.ReplaceAllString(s, "${1}1701245041000")
	s = dates.ReplaceAllString(s, "${1}now")
	return took.ReplaceAllString(s, "0ms")
}

func (n *normal) json(t testing.TB, data []byte) string {
	t.Helper()
	var b strings.Builder
	var raw json.RawMessage = data
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(raw); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return n.text(b.String())
}

// goldens runs check on every txtar file of a folder; sections it sets are
// compared with the file's, or written to it with -update.
func goldens(t *testing.T, folder string, check func(t *testing.T, a *archive)) {
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/%s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			parsed, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := &archive{Archive: parsed}
			check(t, a)
			if *update {
				if err := os.WriteFile(file, txtar.Format(parsed), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

type archive struct{ *txtar.Archive }

func (a *archive) section(name string) (string, bool) {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data), true
		}
	}
	return "", false
}

// golden compares a section, if the file wants it: one that is there, or,
// for a file without any golden yet, all of them.
func (a *archive) golden(t *testing.T, name, got string) {
	t.Helper()
	want, ok := a.section(name)
	if !*update {
		if diff := cmp.Diff(want, got); ok && diff != "" {
			t.Errorf("section %s (-want +got):\n%s", name, diff)
		}
		return
	}
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(got)
		}
	}
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		<-tick.C
	}
}

// TestNormalPort: only the port itself becomes 3333, not its digits among others.
func TestNormalPort(t *testing.T) {
	n := newNormal("http://localhost:37651")
	in := `http://localhost:37651/ localhost:37651,"37651" a%3A37651%2F Root=1-65376510-a37651a376513765137651ab 376510 137651`
	want := `http://localhost:3333/ localhost:3333,"3333" a%3A3333%2F Root=1-trace 376510 137651`
	if got := n.text(in); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
