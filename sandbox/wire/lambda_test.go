package wire

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox/lambda"
	"arc/sandbox/logs"
	"arc/sandbox/ssm"
)

// shelf is one function, told and invoked without a worker.
type shelf struct{}

func (shelf) List() []map[string]any {
	return []map[string]any{{"FunctionName": "app-Index", "Runtime": "nodejs22.x", "Handler": "index.handler",
		"LoggingConfig": map[string]any{"LogGroup": "/aws/lambda/app-Index"}}}
}

func (s shelf) Function(name string) (map[string]any, bool) {
	if name != "app-Index" && !strings.HasSuffix(name, ":function:app-Index") {
		return nil, false
	}
	return s.List()[0], true
}

func (shelf) Invoke(_ context.Context, name string, event []byte) (lambda.Result, error) {
	if strings.Contains(string(event), "boom") {
		return lambda.Result{Payload: []byte(`{"errorMessage":"boom"}`), Failed: "Unhandled", RequestID: "r"}, nil
	}
	return lambda.Result{Payload: fmt.Appendf(nil, `{"name":%q,"event":%s}`, name, event), RequestID: "r"}, nil
}

// TestFunctionsComeInPages: as AWS does, 50 an answer at most.
func TestFunctionsComeInPages(t *testing.T) {
	server := httptest.NewServer(New(Options{Account: testAccount, Region: testRegion, Functions: manyFunctions(120)}))
	t.Cleanup(server.Close)
	c := cloud{endpoint: server.URL}
	for _, pages := range [][]string{nil, {"--page-size", "7"}} {
		got := strings.Fields(c.run(t, "aws", append([]string{"lambda", "list-functions", "--query", "Functions[].FunctionName", "--output", "text"}, pages...)...))
		if len(got) != 120 || got[0] != "f0" || got[119] != "f119" {
			t.Errorf("%q: %d functions: %.60q", pages, len(got), got)
		}
	}
	for _, query := range []string{"?Marker=x", "?MaxItems=0", "?Marker=-1"} {
		resp, err := http.Get(server.URL + "/2015-03-31/functions/" + query)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", query, resp.Status)
		}
	}
}

type manyFunctions int

func (n manyFunctions) List() []map[string]any {
	var list []map[string]any
	for i := range int(n) {
		list = append(list, map[string]any{"FunctionName": fmt.Sprint("f", i)})
	}
	return list
}

func (manyFunctions) Function(string) (map[string]any, bool) { return nil, false }

func startFunctions(t *testing.T) (cloud, *ssm.Store, *logs.Store) {
	t.Helper()
	parameters, groups := ssm.New(testAccount, testRegion), logs.New(testAccount, testRegion)
	server := httptest.NewServer(New(Options{
		Account: testAccount, Region: testRegion, Functions: shelf{}, Invoker: shelf{}, Parameters: parameters, Logs: groups,
	}))
	t.Cleanup(server.Close)
	return cloud{endpoint: server.URL}, parameters, groups
}

func TestAWSCLIFunctionsAndLogs(t *testing.T) {
	c, _, groups := startFunctions(t)
	text := func(args ...string) string {
		return strings.TrimSpace(c.run(t, "aws", append(args, "--output", "text")...))
	}
	if got := text("lambda", "list-functions", "--query", "Functions[].FunctionName"); got != "app-Index" {
		t.Errorf("functions: %q", got)
	}
	if got := text("lambda", "get-function", "--function-name", "app-Index", "--query", "Configuration.Handler"); got != "index.handler" {
		t.Errorf("function: %q", got)
	}
	if out, err := c.try(t, "aws", "lambda", "get-function-configuration", "--function-name", "none"); err == nil || !strings.Contains(out, "ResourceNotFoundException") {
		t.Errorf("no function: %v %s", err, out)
	}
	result := filepath.Join(t.TempDir(), "out")
	if got := text("lambda", "invoke", "--function-name", "app-Index", "--payload", `{"a":1}`, "--query", "FunctionError", result); got != "None" {
		t.Errorf("error: %q", got)
	}
	if data, err := os.ReadFile(result); err != nil || string(data) != `{"name":"app-Index","event":{"a":1}}` {
		t.Errorf("payload: %s %v", data, err)
	}
	if got := text("lambda", "invoke", "--function-name", "app-Index", "--payload", `{"boom":1}`, "--query", "FunctionError", result); got != "Unhandled" {
		t.Errorf("error: %q", got)
	}
	if out, err := c.try(t, "aws", "lambda", "invoke", "--function-name", "app-Index", "--payload", `not JSON`, result); err == nil || !strings.Contains(out, "InvalidRequestContentException") {
		t.Errorf("a payload that is not JSON: %v %s", err, out)
	}
	groups.Append("/aws/lambda/app-Index", "2026/11/23/[$LATEST]a", "said for another request")
	groups.Append("/aws/lambda/app-Index", "2026/11/23/[$LATEST]a", "r says hello")
	if got := text("lambda", "invoke", "--function-name", "app-Index", "--log-type", "Tail", "--query", "LogResult", result); !strings.Contains(unbase64(t, got), "r says hello\n") {
		t.Errorf("log: %q", got)
	}
	for i := range 3 {
		groups.Append("/aws/lambda/app-Index", "2026/11/23/[$LATEST]a", fmt.Sprintf("line %d", i))
	}
	if got := text("logs", "describe-log-streams", "--log-group-name", "/aws/lambda/app-Index", "--order-by", "LastEventTime", "--descending", "--query", "logStreams[0].logStreamName"); got != "2026/11/23/[$LATEST]a" {
		t.Errorf("streams: %q", got)
	}
	if got := text("logs", "get-log-events", "--log-group-name", "/aws/lambda/app-Index", "--log-stream-name", "2026/11/23/[$LATEST]a", "--limit", "2", "--query", "events[].message"); got != "line 1\tline 2" {
		t.Errorf("events: %q", got)
	}
	if got := text("logs", "filter-log-events", "--log-group-name", "/aws/lambda/app-Index", "--filter-pattern", "line -0", "--query", "events[].message"); got != "line 1\tline 2" {
		t.Errorf("filtered: %q", got)
	}
	text("logs", "delete-log-group", "--log-group-name", "/aws/lambda/app-Index")
	if got := text("logs", "describe-log-groups", "--query", "length(logGroups)"); got != "0" {
		t.Errorf("groups: %q", got)
	}
}

func unbase64(t *testing.T, text string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Discovery as the npm library asks: unsigned, at a path of its own.
func TestArcDiscovery(t *testing.T) {
	c, parameters, _ := startFunctions(t)
	if _, err := parameters.Put(ssm.Parameter{Name: "/AppStaging/static/bucket", Type: "String", Value: "b"}, false); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", c.endpoint+"/_arc/ssm", strings.NewReader(`{"Path":"/AppStaging","Recursive":true}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "AmazonSSM.GetParametersByPath")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		Parameters []struct{ Name, Value string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || len(out.Parameters) != 1 || out.Parameters[0].Value != "b" {
		t.Errorf("discovery: %+v %v", out, err)
	}
}
