//go:build unix

package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
	"arc/sandbox/stack"
)

type props = map[string]any

// stacks is a stack engine that knows Lambda's types.
type stacks struct {
	*service
	engine *stack.Engine
}

func newStacks(t *testing.T, options lambda.Options) *stacks {
	s := newService(t, options)
	e := stack.New(stack.Options{Account: account, Region: "us-west-2", Registrations: s.Registrations()})
	t.Cleanup(e.Close)
	return &stacks{s, e}
}

// apply brings a stack up to date with a template of these resources, and of
// outputs that are all of them have to tell.
func (s *stacks) apply(resources, outputs props) error {
	s.t.Helper()
	out := props{}
	for name, value := range outputs {
		out[name] = props{"Value": value}
	}
	body, err := json.Marshal(props{"Resources": resources, "Outputs": out})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.engine.Apply(context.Background(), "Demo", body, nil, nil)
}

func (s *stacks) must(resources, outputs props) map[string]string {
	s.t.Helper()
	if err := s.apply(resources, outputs); err != nil {
		s.t.Fatal(err)
	}
	return s.engine.Outputs("Demo")
}

func resource(kind string, properties props) props {
	return props{"Type": "AWS::Lambda::" + kind, "Properties": properties}
}

func inline(code string, more props) props {
	p := props{"Runtime": "nodejs22.x", "Handler": "index.handler", "Role": "arn:aws:iam::" + account + ":role/x", "Code": props{"ZipFile": code}}
	for k, v := range more {
		p[k] = v
	}
	return resource("Function", p)
}

func ref(id string) props { return props{"Ref": id} }

func attribute(id, name string) props { return props{"Fn::GetAtt": []string{id, name}} }

// TestFunctionResource takes a function through its life as a resource.
func TestFunctionResource(t *testing.T) {
	need(t, "node")
	s := newStacks(t, lambda.Options{})
	outputs := props{"Name": ref("Hello"), "Arn": attribute("Hello", "Arn")}
	const code = "exports.handler = async () => [process.env.WHO, process.pid]"
	out := s.must(props{"Hello": inline(code, props{"Timeout": "7", "Environment": props{"Variables": props{"WHO": 5}}})}, outputs)
	if !regexp.MustCompile(`^Demo-Hello-[A-Z0-9]{12}$`).MatchString(out["Name"]) || out["Arn"] != "arn:aws:lambda:us-west-2:"+account+":function:"+out["Name"] {
		t.Errorf("made %v", out)
	}
	if fn := s.Functions()[0]; fn.Timeout != 7 || fn.MemoryMB != 128 || fn.Label != "Hello" {
		t.Errorf("%+v", fn)
	}
	first := s.invoke(out["Arn"], "{}")
	if !strings.HasPrefix(first, `["5",`) {
		t.Errorf("answers %s", first)
	}
	changed := s.must(props{"Hello": inline(code, props{"Environment": props{"Variables": props{"WHO": true}}})}, outputs)
	if changed["Name"] != out["Name"] {
		t.Error("a new variable replaced the function")
	}
	if got := s.invoke(out["Name"], "{}"); !strings.HasPrefix(got, `["true",`) {
		t.Errorf("after the update: %s", got)
	}
	renamed := s.must(props{"Hello": inline(code, props{"FunctionName": "hello"})}, outputs)
	if renamed["Name"] != "hello" || len(s.Functions()) != 1 {
		t.Errorf("a new name: %v, %d functions", renamed, len(s.Functions()))
	}
	if err := s.engine.Remove(context.Background(), "Demo", nil); err != nil || len(s.Functions()) != 0 {
		t.Errorf("deleted: %v, %d functions left", err, len(s.Functions()))
	}
}

// TestCode asks for the folder of a zip, once for each zip, and prefers the
// folder of a live function.
func TestCode(t *testing.T) {
	need(t, "node")
	var asked []string
	zipped := folder(t, "-- index.mjs --\nexport const handler = async () => 'zipped'")
	source := folder(t, "-- fn/index.mjs --\nimport { name } from '@architect/shared/name.mjs'\nexport const handler = async () => name\n-- shared/name.mjs --\nexport const name = 'live'\n")
	live := ""
	s := newStacks(t, lambda.Options{
		Code: func(_ context.Context, bucket, key string) (lambda.Unpacked, error) {
			asked = append(asked, bucket+"/"+key)
			if key == "none" {
				return lambda.Unpacked{}, fmt.Errorf("s3://%s/%s: no such object", bucket, key)
			}
			return lambda.Unpacked{Dir: zipped, SHA256: "sum of " + key}, nil
		},
		Live: func(ref stack.Ref, logicalID string) (lambda.Folders, bool) {
			return lambda.Folders{Dir: filepath.Join(source, "fn"), Shared: filepath.Join(source, "shared"), Label: "@http get /"}, ref.Name == "Demo" && logicalID == live
		},
	})
	fn := func(key string, more props) props {
		p := props{"Runtime": "nodejs22.x", "Handler": "index.handler", "Code": props{"S3Bucket": "b", "S3Key": key}}
		for k, v := range more {
			p[k] = v
		}
		return props{"Fn": resource("Function", p)}
	}
	out := s.must(fn("1.zip", nil), props{"Name": ref("Fn")})
	if got := s.invoke(out["Name"], "{}"); got != `"zipped"` {
		t.Errorf("answers %s", got)
	}
	if sum := s.Functions()[0].CodeSHA256; sum != "sum of 1.zip" {
		t.Errorf("hash of the code: %q", sum)
	}
	s.must(fn("1.zip", props{"Timeout": 9}), props{"Name": ref("Fn")})
	if sum := s.Functions()[0].CodeSHA256; sum != "sum of 1.zip" {
		t.Errorf("hash of the same code with other settings: %q", sum)
	}
	s.must(fn("2.zip", props{"Timeout": 9}), props{"Name": ref("Fn")})
	if got := strings.Join(asked, " "); got != "b/1.zip b/2.zip" {
		t.Errorf("asked for %s", got)
	}
	live = "Fn"
	s.must(fn("none", nil), props{"Name": ref("Fn")})
	if got := s.invoke(out["Name"], "{}"); got != `"live"` || s.Functions()[0].CodeSHA256 != "" || s.Functions()[0].Label != "@http get /" {
		t.Errorf("live: %s %+v", got, s.Functions()[0])
	}
	live = ""
	if err := s.apply(fn("none", props{"Timeout": 3}), nil); err == nil || !strings.Contains(err.Error(), "no such object") {
		t.Errorf("a zip that is not there: %v", err)
	}
}

func TestRefusedProperties(t *testing.T) {
	for want, fn := range map[string]props{
		"container images are not run":      resource("Function", props{"PackageType": "Image", "Code": props{"ImageUri": "x"}}),
		"property Runtime: is required":     resource("Function", props{"Handler": "index.handler", "Code": props{"ZipFile": "x"}}),
		"property Handlr: not known":        inline("x", props{"Handlr": "x"}),
		"must be 1 to 900 seconds":          inline("x", props{"Timeout": 901}),
		"must be 128 to 10240 MB":           inline("x", props{"MemorySize": 64}),
		"must be a whole number":            inline("x", props{"MemorySize": "much"}),
		"is for Node and Python only":       inline("x", props{"Runtime": "ruby3.3"}),
		"there is no S3 to read it from":    inline("", props{"Code": props{"S3Bucket": "b", "S3Key": "k"}}),
		"needs S3Bucket and S3Key":          inline("", props{"Code": props{"S3Bucket": "b"}}),
		"must be 0 or more":                 inline("x", props{"ReservedConcurrentExecutions": -1}),
		"Function not found: nobody":        resource("Permission", props{"Action": "lambda:InvokeFunction", "FunctionName": "nobody", "Principal": "x"}),
		"property Principal: is required":   resource("Permission", props{"Action": "lambda:InvokeFunction", "FunctionName": "nobody"}),
		"Name and FunctionVersion: are req": resource("Alias", props{"FunctionName": "nobody", "Name": "live"}),
	} {
		s := newStacks(t, lambda.Options{})
		if err := s.apply(props{"It": fn}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// TestOtherResources makes one of each type around a function.
func TestOtherResources(t *testing.T) {
	need(t, "node")
	layer := t.TempDir()
	s := newStacks(t, lambda.Options{Code: func(context.Context, string, string) (lambda.Unpacked, error) {
		return lambda.Unpacked{Dir: layer}, nil
	}})
	const queue = "arn:aws:sqs:us-west-2:" + account + ":jobs"
	out := s.must(props{
		"Fn":      inline("exports.handler = async () => 'fine'", nil),
		"Version": resource("Version", props{"FunctionName": ref("Fn")}),
		"Alias":   resource("Alias", props{"FunctionName": ref("Fn"), "FunctionVersion": attribute("Version", "Version"), "Name": "live"}),
		"Layer":   resource("LayerVersion", props{"LayerName": "stuff", "Content": props{"S3Bucket": "b", "S3Key": "k"}}),
		"Source": resource("EventSourceMapping", props{"FunctionName": attribute("Fn", "Arn"), "EventSourceArn": queue, "BatchSize": "5", "Enabled": "false",
			"FunctionResponseTypes": []string{"ReportBatchItemFailures"}}),
		"Allow": resource("Permission", props{"Action": "lambda:InvokeFunction", "FunctionName": ref("Alias"), "Principal": "apigateway.amazonaws.com",
			"SourceArn": "arn:aws:execute-api:us-west-2:" + account + ":abc/*/GET/*"}),
	}, props{"Fn": ref("Fn"), "Version": ref("Version"), "Number": attribute("Version", "Version"), "Alias": ref("Alias"), "Layer": ref("Layer"),
		"Source": ref("Source"), "Mapping": attribute("Source", "EventSourceMappingArn"), "Allow": ref("Allow")})
	arn := "arn:aws:lambda:us-west-2:" + account + ":"
	for name, want := range map[string]string{
		"Version": arn + "function:" + out["Fn"] + ":1", "Number": "1", "Alias": arn + "function:" + out["Fn"] + ":live", "Layer": arn + "layer:stuff:1",
		"Mapping": arn + "event-source-mapping:" + out["Source"],
	} {
		if out[name] != want {
			t.Errorf("%s is %s, want %s", name, out[name], want)
		}
	}
	for _, called := range []string{out["Alias"], out["Version"], out["Fn"] + ":live", out["Fn"] + ":$LATEST", account + ":function:" + out["Fn"]} {
		if got := s.invoke(called, "{}"); got != `"fine"` {
			t.Errorf("%s answers %s", called, got)
		}
	}
	want := lambda.EventSource{ID: out["Source"], Function: out["Fn"], Called: out["Fn"], Source: queue, BatchSize: 5, Disabled: true, ReportsFailures: true}
	if got := s.EventSources(); len(got) != 1 || got[0] != want {
		t.Errorf("event sources %+v", got)
	}
	allowed := func(source string) bool { return s.Allowed(out["Alias"], "apigateway.amazonaws.com", source) }
	if !allowed("arn:aws:execute-api:us-west-2:"+account+":abc/$default/GET/x/y") || allowed("arn:aws:execute-api:us-west-2:"+account+":abc/$default/POST/x") {
		t.Error("the permission is not told by the method")
	}
	if s.Allowed(out["Fn"], "apigateway.amazonaws.com", "arn:aws:execute-api:us-west-2:"+account+":abc/$default/GET/x/y") {
		t.Error("what is for the alias counts for the function")
	}
	s.must(props{"Fn": inline("exports.handler = async () => 'fine'", nil)}, nil)
	if allowed("arn:aws:execute-api:us-west-2:"+account+":abc/$default/GET/x/y") || len(s.EventSources()) > 0 {
		t.Error("what was deleted is still there")
	}
	if _, err := s.Invoke(context.Background(), out["Alias"], nil); err == nil {
		t.Error("the deleted alias can be invoked")
	}
}

func TestAllowed(t *testing.T) {
	s := newService(t, lambda.Options{})
	s.Put(lambda.Function{Name: "fn"})
	permissions := s.Registrations()["AWS::Lambda::Permission"].Provider
	allow := func(p props) string {
		p["FunctionName"] = "fn"
		made, err := permissions.Create(context.Background(), stack.Request{LogicalID: p["Principal"].(string), Properties: p})
		if err != nil {
			t.Fatal(err)
		}
		return made.PhysicalID
	}
	allow(props{"Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com", "SourceArn": "arn:aws:sns:*:" + account + ":demo-*"})
	allow(props{"Action": "lambda:GetFunction", "Principal": "s3.amazonaws.com"})
	last := allow(props{"Action": "lambda:*", "Principal": "events.amazonaws.com", "SourceAccount": account})
	for _, c := range []struct {
		principal, source string
		want              bool
	}{
		{"sns.amazonaws.com", "arn:aws:sns:us-west-2:" + account + ":demo-topic", true},
		{"sns.amazonaws.com", "arn:aws:sns:us-west-2:" + account + ":other", false},
		{"sns.amazonaws.com", "arn:aws:sns:us-west-2:111111111111:demo-topic", false},
		{"sns.amazonaws.com", "", false},
		{"s3.amazonaws.com", "arn:aws:s3:::bucket", false},
		{"events.amazonaws.com", "arn:aws:events:us-west-2:" + account + ":rule/x", true},
		{"events.amazonaws.com", "arn:aws:events:us-west-2:111111111111:rule/x", false},
		{"sqs.amazonaws.com", "arn:aws:sqs:us-west-2:" + account + ":q", false},
	} {
		if got := s.Allowed("fn", c.principal, c.source); got != c.want {
			t.Errorf("%s from %s: %v", c.principal, c.source, got)
		}
		if got := s.Allowed("fn:$LATEST", c.principal, c.source); got != c.want {
			t.Errorf("$LATEST: %s from %s: %v", c.principal, c.source, got)
		}
		if s.Allowed("fn:live", c.principal, c.source) {
			t.Errorf("%s from %s: what is for the function counts for its alias", c.principal, c.source)
		}
	}
	err := s.Permit("fn", "s3.amazonaws.com", "arn:aws:s3:::a", "arn:aws:s3:::b")
	if err == nil || !strings.Contains(err.Error(), "FunctionName fn, and a SourceArn that arn:aws:s3:::a matches") {
		t.Errorf("the missing permission is not named: %v", err)
	}
	for _, nothing := range []string{"fn:live", "other"} {
		if err := s.Permit(nothing, "events.amazonaws.com", "arn:aws:events:us-west-2:"+account+":rule/x"); !errors.Is(err, invoke.ErrNotFound) {
			t.Errorf("%s: %v", nothing, err)
		}
	}
	if err := s.Permit("fn", "sns.amazonaws.com", "arn:aws:sns:us-west-2:"+account+":other", "arn:aws:sns:us-west-2:"+account+":demo-b"); err != nil {
		t.Error(err)
	}
	rule := "arn:aws:events:us-west-2:" + account + ":rule/x"
	if err := permissions.Delete(context.Background(), stack.Request{PhysicalID: last}); err != nil {
		t.Fatal(err)
	}
	if s.Allowed("fn", "events.amazonaws.com", rule) {
		t.Error("a permission that was deleted still counts")
	}
	allow(props{"Action": "lambda:*", "Principal": "events.amazonaws.com", "SourceAccount": account})
	if !s.Allowed("fn", "events.amazonaws.com", rule) {
		t.Error("a permission that came does not count")
	}
}

// TestUpdateAtWork changes a function while it handles an event: the update is
// done when that event is.
func TestUpdateAtWork(t *testing.T) {
	need(t, "node")
	s := newStacks(t, lambda.Options{})
	const code = "exports.handler = async (event) => { if (event.gate) await fetch(event.gate); return process.env.NEW ?? 'old' }"
	out := s.must(props{"Fn": inline(code, nil)}, props{"Name": ref("Fn")})
	server, g := newGate(t)
	old, updated := make(chan string, 1), make(chan error, 1)
	go func() { old <- s.invoke(out["Name"], `{"gate":"`+server.URL+`"}`) }()
	<-g.entered
	go func() {
		updated <- s.apply(props{"Fn": inline(code, props{"Environment": props{"Variables": props{"NEW": "new"}}})}, nil)
	}()
	eventually(t, "the new settings are in place", func() bool { return s.Functions()[0].Env["NEW"] == "new" })
	if got := s.invoke(out["Name"], "{}"); got != `"new"` {
		t.Errorf("during the update: %s", got)
	}
	select {
	case err := <-updated:
		t.Errorf("the update did not wait: %v", err)
	default:
	}
	close(g.leave)
	if got, err := <-old, <-updated; got != `"old"` || err != nil {
		t.Errorf("the event under way: %s, the update: %v", got, err)
	}
}
