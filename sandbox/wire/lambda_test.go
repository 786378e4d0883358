package wire_test

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
	"arc/sandbox/wire"
)

const handler = `export const handler = async (event, context) => {
  if (event.boom) throw new Error('boom')
  if (event.say) console.log(event.say)
  return { name: context.functionName, event }
}`

// TestFunctionsComeInPages: as AWS does, 50 an answer at most.
func TestFunctionsComeInPages(t *testing.T) {
	many := lambda.New(lambda.Options{})
	t.Cleanup(func() { many.Close(context.Background()) })
	for i := range 120 {
		many.Put(lambda.Function{Name: fmt.Sprintf("f%03d", i)})
	}
	server := httptest.NewServer(wire.New(many.Endpoint()))
	t.Cleanup(server.Close)
	c := cloud{endpoint: server.URL}
	for _, pages := range [][]string{nil, {"--page-size", "7"}} {
		got := strings.Fields(c.run(t, "aws", append([]string{"lambda", "list-functions", "--query", "Functions[].FunctionName", "--output", "text"}, pages...)...))
		if len(got) != 120 || got[0] != "f000" || got[119] != "f119" {
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

// startFunctions is an endpoint with one function of Node, and what it prints.
func startFunctions(t *testing.T) (cloud, *ssm.Store, *logs.Store) {
	t.Helper()
	need(t, "node")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.mjs"), []byte(handler), 0o600); err != nil {
		t.Fatal(err)
	}
	parameters, groups := ssm.New(testAccount, testRegion), logs.New(testAccount, testRegion)
	functions := lambda.New(lambda.Options{
		Account: testAccount, Region: testRegion, Path: os.Getenv("PATH"), Scratch: t.TempDir(), Keep: groups.Append, Tail: groups.Tail,
	})
	t.Cleanup(func() { functions.Close(context.Background()) })
	functions.Put(lambda.Function{Name: "app-Index", ARN: "arn:aws:lambda:us-west-2:123456789012:function:app-Index", Runtime: "nodejs22.x", Handler: "index.handler", Dir: dir, Timeout: 10, MemoryMB: 128})
	server := httptest.NewServer(wire.New(functions.Endpoint(), parameters.Endpoint(), groups.Endpoint()))
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
	text("lambda", "invoke", "--function-name", "app-Index", "--payload", `{"say":"for another request"}`, result)
	if got := unbase64(t, text("lambda", "invoke", "--function-name", "app-Index", "--payload", `{"say":"hello"}`, "--log-type", "Tail", "--query", "LogResult", result)); !strings.Contains(got, "hello\n") || strings.Contains(got, "another") {
		t.Errorf("log: %q", got)
	}
	text("logs", "delete-log-group", "--log-group-name", "/aws/lambda/app-Index")
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
