package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"arc/sandbox/door"
	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// A domain leads to the APIs and stages that its mappings name, by the longest key,
// for those whom the port lets in by that name, and nobody else.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
func TestDomains(t *testing.T) {
	tells := func(name string) func(context.Context, []byte) (invoke.Result, error) {
		return func(_ context.Context, event []byte) (invoke.Result, error) {
			_, path, _ := strings.Cut(string(event), `"rawPath":"`)
			path, _, _ = strings.Cut(path, `"`)
			return invoke.Result{Payload: fmt.Appendf(nil, `{"statusCode":200,"body":"%s %s"}`, name, path)}, nil
		}
	}
	c := newCloud(t, gateway.Options{Invoker: functions{"one": tells("one"), "two": tells("two"), "socket": tells("socket")}, Bind: func(_ stack.Ref, _ string, guard door.Guard) (string, func(), error) {
		guard.Open = &door.Openings{Hosts: []string{"api.example.com"}}
		return bind(stack.Ref{}, "", guard)
	}})
	endpoint := c.httpAPI(map[string]string{"GET /": "one", "GET /pets": "one", "GET /dev/pets": "one"})
	c.create("Stage", "Dev", props{"ApiId": c.ids["HTTP"], "StageName": "dev", "AutoDeploy": true})
	second := c.create("Api", "Second", props{"Name": "two", "ProtocolType": "HTTP", "Target": "arn:aws:lambda:us-east-1:123456789012:function:two"})
	c.socketAPI(map[string]string{"$default": "socket", "$connect": "socket"})
	c.create("DomainName", "Domain", props{"DomainName": "api.Example.com"})
	ask := func(path, host string) string {
		t.Helper()
		req, err := http.NewRequest("GET", endpoint+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d %s", resp.StatusCode, text)
	}
	if got := ask("/pets", "api.example.com"); !strings.HasPrefix(got, "403") {
		t.Errorf("without a mapping: %s", got)
	}
	stage := map[string]any{"ApiId": c.ids["HTTP"], "DomainName": "api.Example.com", "Stage": "$default"}
	root := c.create("ApiMapping", "Root", stage)
	c.create("ApiMapping", "Deep", merged(stage, props{"ApiMappingKey": "v1/dev", "Stage": "dev"}))
	c.create("ApiMapping", "Two", props{"ApiId": second.PhysicalID, "DomainName": "api.Example.com", "Stage": "$default", "ApiMappingKey": "v1"})
	c.create("ApiMapping", "Socket", props{"ApiId": c.ids["WS"], "DomainName": "api.Example.com", "Stage": "staging", "ApiMappingKey": "ws"})
	for path, want := range map[string]string{
		"/":                "200 one /",
		"/pets":            "200 one /pets",
		"/dev/pets":        "200 one /dev/pets", // of the stage $default: a domain's path has no stage
		"/nothing":         "404",
		"/v1":              "200 two /v1",
		"/v1/a/b":          "200 two /v1/a/b",
		"/v1x":             "404",
		"/v1/dev/pets":     "200 one /v1/dev/pets",
		"/v1/dev/dev/pets": "200 one /v1/dev/dev/pets",
	} {
		if got := ask(path, "api.example.com"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := ask("/pets", "other.example.com"); !strings.HasPrefix(got, "403 403 Forbidden: the Host") {
		t.Errorf("another host: %s", got)
	}
	if got := ask("/pets", ""); !strings.HasPrefix(got, "200 one /pets") {
		t.Errorf("the API's own host: %s", got)
	}
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(endpoint, "http", "ws", 1)+"/ws", &websocket.DialOptions{Host: "api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	conn.CloseNow()
	if err := c.remove("ApiMapping", "Root", root.PhysicalID, stage); err != nil {
		t.Fatal(err)
	}
	if got := ask("/pets", "api.example.com"); !strings.HasPrefix(got, "403") {
		t.Errorf("after the mapping went: %s", got)
	}
}
