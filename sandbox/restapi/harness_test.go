package restapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"arc/sandbox/activity"
	"arc/sandbox/door"
	"arc/sandbox/gateway"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/restapi"
	"arc/sandbox/stack"
)

type props = map[string]any

// functions is an Invoker made of Go functions.
type functions map[string]func(ctx context.Context, event []byte) (invoke.Result, error)

func (f functions) Invoke(ctx context.Context, name string, event []byte) (invoke.Result, error) {
	run, ok := f[name]
	if !ok {
		return invoke.Result{}, fmt.Errorf("%s: %w", name, invoke.ErrNotFound)
	}
	return run(ctx, event)
}

// fakeLambda provides the types of functions without running anything.
type fakeLambda struct{}

func (fakeLambda) Create(_ context.Context, req stack.Request) (stack.Resource, error) {
	return stack.Resource{PhysicalID: req.LogicalID, Attributes: map[string]any{"Arn": "arn:aws:lambda:us-east-1:123456789012:function:" + req.LogicalID}}, nil
}

func (f fakeLambda) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return f.Create(ctx, req)
}

func (fakeLambda) Delete(context.Context, stack.Request) error { return nil }

// cloud is the REST APIs of one stack, with real listeners, beside the gateway that
// has keys and domains.
type cloud struct {
	t testing.TB
	*restapi.APIs
	options restapi.Options
	engine  *stack.Engine

	mu    sync.Mutex
	lines []string
	sent  []string
	hosts []string
}

func newCloud(t testing.TB, run functions, with ...func(*restapi.Options)) *cloud {
	c := &cloud{t: t}
	var g *gateway.Gateway
	c.options = restapi.Options{
		Invoker: run,
		Bind: func(_ stack.Ref, _ string, guard door.Guard) (string, func(), error) {
			port, err := door.Listen(0)
			if err != nil {
				return "", nil, err
			}
			port.Serve(guard, nil, nil)
			host := fmt.Sprintf("localhost:%d", port.Number)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.hosts = append(c.hosts, host)
			return host, port.Close, nil
		},
		Tell: func(e activity.Event) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.lines = append(c.lines, e.String())
		},
		Send: func(_ context.Context, arn string, m invoke.Message) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.sent = append(c.sent, arn+" "+string(m.Body))
			return nil
		},
		KeyOf:  func(api, stage, value string) string { return g.KeyOf(api, stage, value) },
		Domain: func(r *http.Request) (http.Handler, *http.Request) { return g.Domain(r) },
		Signer: func(key, _ string) (string, ingress.Identity, bool) {
			return "secret", ingress.Identity{AccessKey: key, Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/ann", ID: "AIDAANN"}, key == "ann"
		},
	}
	for _, change := range with {
		change(&c.options)
	}
	c.APIs = restapi.New(c.options)
	g = gateway.New(gateway.Options{Known: c.Has, Other: c.Site})
	types := g.Registrations()
	for name, r := range c.Registrations() {
		types[name] = r
	}
	for name, r := range types {
		r.Reads = true
		types[name] = r
	}
	for _, name := range []string{"AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::IAM::Role"} {
		types[name] = stack.Registration{Provider: fakeLambda{}}
	}
	c.engine = stack.New(stack.Options{Account: "123456789012", Region: "us-east-1", Registrations: types})
	t.Cleanup(func() {
		c.engine.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return c
}

// try makes or changes the stack.
func (c *cloud) try(template string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return c.engine.Apply(ctx, "Demo", []byte(template), nil, nil)
}

func (c *cloud) apply(template string) {
	c.t.Helper()
	if err := c.try(template); err != nil {
		c.t.Fatal(err)
	}
}

// url is where a stage answers of the stack's only API.
func (c *cloud) url(_, stage string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return "http://" + c.hosts[0] + "/" + stage
}

func (c *cloud) log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}

// ask sends a request and gives the answer's status and body.
func (c *cloud) ask(method, address, body string, header ...string) (*http.Response, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp, string(data)
}

// signed sends a request with a signature of version 4.
func (c *cloud) signed(method, address, key, secret string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, address, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	empty := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}, r, empty, "execute-api", "us-east-1", time.Now()); err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// opened lets any Host in, as --allow-host does.
func opened(o *restapi.Options) {
	bind := o.Bind
	o.Bind = func(ref stack.Ref, was string, guard door.Guard) (string, func(), error) {
		guard.Open = &door.Openings{Hosts: []string{"api.example.com"}}
		return bind(ref, was, guard)
	}
}
