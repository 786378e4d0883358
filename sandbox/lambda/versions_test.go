package lambda_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/lambda"
	"arc/sandbox/stack"
)

// versions is a service with a function that a stack made, and makes its resources.
type versions struct {
	*service
	t     *testing.T
	ref   stack.Ref
	token int
}

func newVersions(t *testing.T, options lambda.Options) *versions {
	need(t, "node")
	options.Account, options.Region = account, "us-west-2"
	return &versions{service: newService(t, options), t: t, ref: stack.Ref{Name: "App", Region: "us-west-2", Account: account}}
}

// code is a function's resource whose answer is a text, its version and the ARN by
// which it was called.
func code(text string, more map[string]any) map[string]any {
	properties := map[string]any{
		"FunctionName": "fn", "Runtime": "nodejs22.x", "Handler": "index.handler", "Environment": map[string]any{"Variables": map[string]any{"TEXT": "env " + text}},
		"Code": map[string]any{"ZipFile": `exports.handler = async (event, context) => "` + text + ` " + process.env.TEXT + " " + context.functionVersion + " " + context.invokedFunctionArn.split(":").slice(6).join(":")`},
	}
	for name, value := range more {
		properties[name] = value
	}
	return properties
}

// request is a piece of work for a provider.
func (v *versions) request(id string, properties map[string]any) stack.Request {
	v.token++
	return stack.Request{Stack: v.ref, LogicalID: id, Type: "AWS::Lambda::" + strings.TrimRight(id, "0123456789"), Token: fmt.Sprint("TOKEN", v.token), Properties: properties}
}

func (v *versions) create(id string, properties map[string]any) (string, error) {
	v.t.Helper()
	req := v.request(id, properties)
	made, err := v.Registrations()[req.Type].Provider.Create(context.Background(), req)
	return made.PhysicalID, err
}

func (v *versions) must(id string, properties map[string]any) string {
	v.t.Helper()
	made, err := v.create(id, properties)
	if err != nil {
		v.t.Fatalf("%s: %v", id, err)
	}
	return made
}

func (v *versions) update(id, physical string, old, properties map[string]any) {
	v.t.Helper()
	req := v.request(id, properties)
	req.PhysicalID, req.Old = physical, old
	if _, err := v.Registrations()[req.Type].Provider.Update(context.Background(), req); err != nil {
		v.t.Fatalf("%s: %v", id, err)
	}
}

// api sends a request to Lambda's API; the answer's status, version and body.
func (v *versions) api(method, path, body string) (status int, version, text string) {
	w := httptest.NewRecorder()
	v.ServeHTTP(w, httptest.NewRequest(method, "http://localhost/2015-03-31/functions/"+path, bytes.NewReader([]byte(body))))
	return w.Code, w.Header().Get("X-Amz-Executed-Version"), strings.TrimSpace(w.Body.String())
}

// says calls a function and compares its answer.
func (v *versions) says(called, want, version string) {
	v.t.Helper()
	status, ran, text := v.api("POST", called, "{}")
	if status != 200 || text != `"`+want+`"` || ran != version {
		v.t.Errorf("%s: %d %s by version %s, want %q by %s", called, status, text, ran, want, version)
	}
}

// TestVersions freezes code and configuration under a number, and lets aliases
// stand for numbers.
func TestVersions(t *testing.T) {
	v := newVersions(t, lambda.Options{})
	one, two := code("one", nil), code("two", map[string]any{"Description": "second"})
	v.must("Function", one)
	first := v.must("Version", map[string]any{"FunctionName": "fn", "Description": "the first"})
	if _, err := v.create("Version2", map[string]any{"FunctionName": "fn"}); err == nil || !strings.Contains(err.Error(), "A version for this Lambda function exists ( 1 )") {
		t.Errorf("the same once more: %v", err)
	}
	alias := map[string]any{"FunctionName": "fn", "Name": "live", "FunctionVersion": "1"}
	live := v.must("Alias", alias)
	v.update("Function", "fn", one, two)
	v.says("fn/invocations", "two env two $LATEST fn", "$LATEST")
	v.says("fn/invocations?Qualifier=1", "one env one 1 fn:1", "1")
	v.says("fn:live/invocations", "one env one 1 fn:live", "1")
	v.says(live+"/invocations?Qualifier=live", "one env one 1 fn:live", "1")
	if status, _, text := v.api("POST", "fn:live/invocations?Qualifier=1", "{}"); status != 400 {
		t.Errorf("two qualifiers: %d %s", status, text)
	}
	if status, _, text := v.api("POST", "fn/invocations?Qualifier=2", "{}"); status != 404 {
		t.Errorf("a version that there is not: %d %s", status, text)
	}
	second := v.must("Version2", map[string]any{"FunctionName": "fn"})
	if first != "arn:aws:lambda:us-west-2:"+account+":function:fn:1" || second != "arn:aws:lambda:us-west-2:"+account+":function:fn:2" {
		t.Errorf("versions %s, %s", first, second)
	}
	v.update("Alias", live, alias, map[string]any{"FunctionName": "fn", "Name": "live", "FunctionVersion": "2"})
	v.says("fn:live/invocations", "two env two 2 fn:live", "2")

	for path, wants := range map[string][]string{
		"fn/configuration?Qualifier=1":    {`"Version":"1"`, `"Description":"the first"`, `"TEXT":"env one"`},
		"fn/configuration":                {`"Version":"$LATEST"`, `"Description":"second"`, `"TEXT":"env two"`},
		"fn/configuration?Qualifier=live": {`"Version":"2"`, `function:fn:live"`},
		"fn/versions":                     {`"TEXT":"env one"`, `"Version":"2"`},
		"fn/aliases/live":                 {`"FunctionVersion":"2"`},
	} {
		if _, _, text := v.api("GET", path, ""); !containsAll(text, wants) {
			t.Errorf("%s: %s, want %q", path, text, wants)
		}
	}
	// A version that goes is not there any more; the others are.
	req := v.request("Version", nil)
	req.PhysicalID = first
	if err := v.Registrations()["AWS::Lambda::Version"].Provider.Delete(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	if status, _, text := v.api("POST", "fn:1/invocations", "{}"); status != 404 {
		t.Errorf("a version that went: %d %s", status, text)
	}
	v.says("fn:2/invocations", "two env two 2 fn:2", "2")
	if all := v.Functions(); len(all) != 1 {
		t.Errorf("versions are among the functions: %+v", all)
	}
	v.Remove("fn")
	if status, _, text := v.api("POST", "fn:2/invocations", "{}"); status != 404 {
		t.Errorf("a version of a function that went: %d %s", status, text)
	}
}

func containsAll(text string, wants []string) bool {
	for _, want := range wants {
		if !strings.Contains(text, want) {
			return false
		}
	}
	return true
}

// TestPublish changes and publishes a function by its API, as hotswaps do.
func TestPublish(t *testing.T) {
	v := newVersions(t, lambda.Options{})
	v.must("Function", code("one", nil))
	publish := func(body, want string) {
		t.Helper()
		if status, _, text := v.api("POST", "fn/versions", body); status/100 != 2 && !strings.Contains(text, want) || !strings.Contains(text, want) {
			t.Errorf("publish %s: %d %s, want %s", body, status, text, want)
		}
	}
	publish(`{"Description":"x"}`, `"Version":"1"`)
	publish(`{"Description":"y"}`, `"Version":"1"`) // nothing has changed
	change := func(path, body, want string) {
		t.Helper()
		if _, _, text := v.api("PUT", "fn"+path, body); !strings.Contains(text, want) {
			t.Errorf("PUT %s %s: %s, want %s", path, body, text, want)
		}
	}
	change("/configuration", `{"Environment":{"Variables":{"TEXT":"new"}},"EphemeralStorage":{"Size":1024},"Timeout":5}`, `"EphemeralStorage":{"Size":1024}`)
	publish(`{}`, `"Version":"2"`)
	change("/concurrency", `{"ReservedConcurrentExecutions":3}`, "3")
	publish(`{}`, `"Version":"2"`) // which is no part of a version
	v.says("fn:1/invocations", "one env one 1 fn:1", "1")
	v.says("fn:2/invocations", "one new 2 fn:2", "2")

	v.must("Alias", map[string]any{"FunctionName": "fn", "Name": "live", "FunctionVersion": "1"})
	change("/aliases/live", `{"RoutingConfig":{"AdditionalVersionWeights":{"2":1}}}`, `"RoutingConfig":{"AdditionalVersionWeights":{"2":1}}`)
	v.says("fn:live/invocations", "one new 2 fn:live", "2")
	change("/aliases/live", `{"RoutingConfig":{"AdditionalVersionWeights":{"2":0.5}}}`, "0.5")
	ran := map[string]bool{}
	for range 100 {
		_, version, _ := v.api("POST", "fn:live/invocations", "{}")
		ran[version] = true
	}
	if len(ran) != 2 {
		t.Errorf("of two versions with a half each ran %v", ran)
	}
	change("/aliases/live", `{"RoutingConfig":{"AdditionalVersionWeights":{}},"FunctionVersion":"2"}`, `"FunctionVersion":"2"`)
	v.says("fn:live/invocations", "one new 2 fn:live", "2")

	change("/configuration", `{"Description":"other"}`, `"other"`)
	publish(`{}`, `"Version":"3"`)

	// What is not taken is refused by name, and nothing is half done.
	for _, c := range []struct{ path, body, want string }{
		{"/configuration", `{"FileSystemConfigs":[]}`, "FileSystemConfigs: the local cloud does not take it"},
		{"/configuration", `{"RevisionId":"x"}`, "RevisionId: the local cloud does not take it"},
		{"/configuration", `{"EphemeralStorage":{"Size":100}}`, "must be 512 to 10240 MB"},
		{"/configuration", `{"Layers":["arn:aws:lambda:us-west-2:000000000000:layer:none:1"]}`, "does not exist"},
		{"/configuration", `{"Timeout":1000}`, "must be 1 to 900"},
		{"/code", `{"ImageUri":"x"}`, "ImageUri: the local cloud does not take it"},
		{"/aliases/live", `{"FunctionVersion":"7"}`, "Function not found"},
		{"/aliases/live", `{"RoutingConfig":{"AdditionalVersionWeights":{"1":0.1,"2":0.1}}}`, "one further version"},
		{"/aliases/live", `{"RoutingConfig":{"AdditionalVersionWeights":{"1":2}}}`, "a share is 0 to 1"},
		{"/aliases/nobody", `{"FunctionVersion":"1"}`, "Function not found"},
		{":1/configuration", `{"Timeout":7}`, "a version is what it is"},
	} {
		change(c.path, c.body, c.want)
	}
	if _, _, text := v.api("GET", "fn/configuration", ""); !containsAll(text, []string{`"Timeout":5`, `"Size":1024`}) {
		t.Errorf("after what was refused: %s", text)
	}
	change("/configuration", `{"TracingConfig":{"Mode":"Active"}}`, `"Timeout":5`)
}

// TestRecordOfVersion names in the record of an asynchronous event the alias that was
// called, and the version that ran.
func TestRecordOfVersion(t *testing.T) {
	records := make(chan []byte, 1)
	v := newVersions(t, lambda.Options{Send: func(_ context.Context, _ string, m invoke.Message) error {
		records <- m.Body
		return nil
	}})
	v.must("Function", code("one", nil))
	v.must("Version", map[string]any{"FunctionName": "fn"})
	v.must("Alias", map[string]any{"FunctionName": "fn", "Name": "live", "FunctionVersion": "1"})
	v.must("EventInvokeConfig", map[string]any{"FunctionName": "fn", "Qualifier": "live", "DestinationConfig": map[string]any{"OnSuccess": map[string]any{"Destination": "arn:aws:sqs:us-west-2:000000000000:jobs"}}})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "http://localhost/2015-03-31/functions/fn:live/invocations", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Invocation-Type", "Event")
	if v.ServeHTTP(w, r); w.Code != 202 {
		t.Fatal(w.Code, w.Body)
	}
	if record := string(<-records); !containsAll(record, []string{`function:fn:live"`, `"executedVersion":"1"`, `one env one 1 fn:live`}) {
		t.Error(record)
	}
}

// TestPolicyOfEachQualifier has the events of a function handed on as is configured for
// what it is called by: its name, an alias, a version; one that has nothing of its own
// hands on nothing, and what is deleted leaves the others alone.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
func TestPolicyOfEachQualifier(t *testing.T) {
	sent := make(chan string, 1)
	v := newVersions(t, lambda.Options{Send: func(_ context.Context, arn string, m invoke.Message) error {
		sent <- arn[strings.LastIndexByte(arn, ':')+1:]
		return nil
	}})
	v.must("Function", code("one", nil))
	v.must("Version", map[string]any{"FunctionName": "fn"})
	v.must("Alias", map[string]any{"FunctionName": "fn", "Name": "live", "FunctionVersion": "1"})
	to := func(qualifier, queue string) map[string]any {
		return map[string]any{"FunctionName": "fn", "Qualifier": qualifier, "DestinationConfig": map[string]any{"OnSuccess": map[string]any{"Destination": "arn:aws:sqs:us-west-2:000000000000:" + queue}}}
	}
	v.must("EventInvokeConfig", to("$LATEST", "latest"))
	v.must("EventInvokeConfig", to("1", "first"))
	v.must("EventInvokeConfig", to("live", "live"))
	ask := func(called, want string) {
		t.Helper()
		if err := v.Deliver(called, "", []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if got := <-sent; got != want {
			t.Errorf("%s: handed on to %s, want %s", called, got, want)
		}
	}
	ask("fn", "latest")
	ask("fn:$LATEST", "latest")
	ask("fn:1", "first")
	ask("arn:aws:lambda:us-west-2:000000000000:function:fn:live", "live")
	gone := v.request("EventInvokeConfig", to("live", "live"))
	if err := v.Registrations()[gone.Type].Provider.Delete(context.Background(), gone); err != nil {
		t.Fatal(err)
	}
	if err := v.Deliver("fn:live", "", []byte("{}")); err != nil { // nothing is told of its end
		t.Fatal(err)
	}
	ask("fn:1", "first")
}

// TestLeftOut says of a function what of its resource, and of a change, makes no
// difference here.
func TestLeftOut(t *testing.T) {
	var told []string
	v := newVersions(t, lambda.Options{Tell: func(e activity.Event) { told = append(told, e.Text) }})
	req := v.request("Function", code("one", map[string]any{
		"TracingConfig": map[string]any{"Mode": "Active"}, "Tags": []any{}, "Architectures": []any{"arm64"}, "LoggingConfig": map[string]any{"LogFormat": "JSON"},
	}))
	made, err := v.Registrations()[req.Type].Provider.Create(context.Background(), req)
	if err != nil || made.Note != "makes no difference here: TracingConfig, LoggingConfig.LogFormat" {
		t.Errorf("%q, %v", made.Note, err)
	}
	for range 2 {
		if status, _, text := v.api("PUT", "fn/configuration", `{"SnapStart":{"ApplyOn":"None"},"LoggingConfig":{"LogFormat":"JSON","LogGroup":"/mine"}}`); status != 200 || !strings.Contains(text, `"/mine"`) {
			t.Errorf("%d %s", status, text)
		}
	}
	if got := strings.Join(told, "\n"); got != "function fn: its LoggingConfig.LogFormat makes no difference here\nfunction fn: its SnapStart makes no difference here" {
		t.Errorf("told %q", got)
	}
}

// TestLiveVersions has every version of a function that runs from its folder run
// what is saved, and says so.
func TestLiveVersions(t *testing.T) {
	dir := folder(t, "-- index.js --\nexports.handler = async () => 'saved'\n")
	v := newVersions(t, lambda.Options{Live: func(stack.Ref, string) (lambda.Folders, bool) { return lambda.Folders{Dir: dir}, true }})
	v.must("Function", code("one", nil))
	for _, id := range []string{"Version", "Version2"} {
		req := v.request(id, map[string]any{"FunctionName": "fn"})
		made, err := v.Registrations()[req.Type].Provider.Create(context.Background(), req)
		if err != nil || !strings.Contains(made.Note, "runs what is saved") {
			t.Errorf("%s: %v, %q", id, err, made.Note)
		}
	}
	v.says("fn:1/invocations", "saved", "$LATEST")
}

// TestPublishedVersionsStay gives versions that a client published, after a restart, the
// code and the settings that they had, also those of no template; they go with their
// function.
func TestPublishedVersionsStay(t *testing.T) {
	file, folder := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "published")
	one := code("one", nil)
	start := func(whole bool) (*versions, func()) {
		t.Helper()
		log, err := journal.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		v := newVersions(t, lambda.Options{Published: folder})
		if err := v.Restore(log); err != nil {
			t.Fatal(err)
		}
		req := v.request("Function", one)
		if whole {
			req.PhysicalID, req.Restored, req.Attributes = "fn", true, map[string]any{}
		}
		if _, err := v.Registrations()[req.Type].Provider.Create(context.Background(), req); err != nil {
			t.Fatal(err)
		}
		return v, func() { v.Close(); log.Close() }
	}
	publish := func(v *versions, want string) {
		t.Helper()
		if status, _, text := v.api("POST", "fn/versions", "{}"); status/100 != 2 || !strings.Contains(text, `"Version":"`+want+`"`) {
			t.Errorf("published: %d %s, want version %s", status, text, want)
		}
	}
	v, end := start(false)
	publish(v, "1")
	if _, _, text := v.api("PUT", "fn/configuration", `{"Environment":{"Variables":{"TEXT":"changed"}}}`); !strings.Contains(text, "changed") {
		t.Fatal(text)
	}
	publish(v, "2")
	end()

	v, end = start(true)
	v.says("fn:1/invocations", "one env one 1 fn:1", "1")
	v.says("fn:2/invocations", "one changed 2 fn:2", "2")
	publish(v, "3") // the function is as its template says again, and version 2 is not
	end()
	v, end = start(true)
	publish(v, "3")
	v.update("Function", "fn", one, code("two", nil))
	publish(v, "4")
	v.says("fn:4/invocations", "two env two 4 fn:4", "4")
	end()
	v, end = start(false) // made anew
	if status, _, _ := v.api("POST", "fn:1/invocations", "{}"); status != 404 {
		t.Errorf("a version of a function that is no more answers %d", status)
	}
	publish(v, "1")
	gone := v.request("Function", one)
	gone.PhysicalID = "fn"
	if err := v.Registrations()[gone.Type].Provider.Delete(context.Background(), gone); err != nil {
		t.Fatal(err)
	}
	end()
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestVersionsStay gives a version, after a restart, the code that it was made of.
func TestVersionsStay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	open := func() *journal.Log {
		log, err := journal.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		return log
	}
	log := open()
	v := newVersions(t, lambda.Options{})
	if err := v.Restore(log); err != nil {
		t.Fatal(err)
	}
	one, two := code("one", nil), code("two", nil)
	v.must("Function", one)
	v.must("Version", map[string]any{"FunctionName": "fn"})
	v.update("Function", "fn", one, two)
	v.Close()
	log.Close()

	v = newVersions(t, lambda.Options{})
	if err := v.Restore(open()); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		id, physical string
		properties   map[string]any
	}{{"Function", "fn", two}, {"Version", "arn:aws:lambda:us-west-2:" + account + ":function:fn:1", map[string]any{"FunctionName": "fn"}}} {
		req := v.request(r.id, r.properties)
		req.PhysicalID, req.Restored, req.Attributes = r.physical, true, map[string]any{}
		if _, err := v.Registrations()[req.Type].Provider.Create(context.Background(), req); err != nil {
			t.Fatal(err)
		}
	}
	v.says("fn/invocations", "two env two $LATEST fn", "$LATEST")
	v.says("fn:1/invocations", "one env one 1 fn:1", "1")
}
