package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// TestParameterMapping changes requests and responses on their way to and from
// functions and HTTP servers.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
func TestParameterMapping(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Back", "b")
		if r.URL.Query().Get("fail") != "" {
			w.WriteHeader(500)
		}
		fmt.Fprintf(w, `{"path":%q,"query":%q,"a":%q,"body":%q,"code":"418"}`, r.URL.EscapedPath(), r.URL.RawQuery, strings.Join(r.Header["A"], "+"), body)
	}))
	defer server.Close()
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
		var e struct {
			Headers        map[string]string
			RawPath        string
			RawQueryString string
			Body           string
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return invoke.Result{}, err
		}
		status := 200
		if e.Headers["fail"] != "" {
			status = 500
		}
		body, _ := json.Marshal(props{"path": e.RawPath, "query": e.RawQueryString, "a": e.Headers["a"], "b": e.Headers["b"], "body": e.Body, "code": "418"})
		payload, err := json.Marshal(props{"statusCode": status, "headers": props{"x-back": "b"}, "body": string(body)})
		return invoke.Result{Payload: payload}, err
	}}})
	api := c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP"})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true, "StageVariables": props{"v": "var"}})
	endpoint := api.Attributes["ApiEndpoint"].(string)
	for i, test := range []struct {
		proxy    bool
		request  props
		response props
		send     string // METHOD PATH [BODY]
		header   []string
		status   int
		has      string
		back     string // X-Back and X-New of the answer
	}{
		{false, props{"append:header.a": "$request.header.B"}, nil, "GET /x", []string{"A", "1", "B", "2"}, 200, `"a":"1,2"`, "b "},
		{false, props{"overwrite:header.a": "$request.querystring.q"}, nil, "GET /x?q=1&q=2", []string{"A", "0"}, 200, `"a":"1,2"`, "b "},
		{false, props{"remove:header.a": "''"}, nil, "GET /x", []string{"A", "0"}, 200, `"a":""`, "b "},
		{false, props{"overwrite:header.a": "$request.header.none"}, nil, "GET /x", []string{"A", "0"}, 200, `"a":"0"`, "b "},
		{false, props{"overwrite:header.a": "$request.header.B", "overwrite:header.b": "$request.header.A"}, nil, "GET /x", []string{"A", "1", "B", "2"}, 200, `"a":"2","b":"1"`, "b "},
		{false, props{"append:querystring.q": "$request.path.id"}, nil, "GET /x?q=0", nil, 200, `"query":"q=0\u0026q=x"`, "b "},
		{false, props{"overwrite:querystring.q": "a b&c"}, nil, "GET /x?q=0&r=%20&q=1", nil, 200, `"query":"r=%20\u0026q=a+b%26c"`, "b "},
		{false, props{"remove:querystring.q": "''"}, nil, "GET /x?q=0&r=1&q=2", nil, 200, `"query":"r=1"`, "b "},
		{false, props{"overwrite:path": "/new/$"}, nil, "GET /x", nil, 200, `"path":"/new/$"`, "b "},
		{false, props{"overwrite:header.a": "$request.path"}, nil, "GET /x", nil, 200, `"a":"/x"`, "b "},
		{false, props{"overwrite:header.a": "$request.body.m.n"}, nil, `POST /x {"m":{"n":3}}`, nil, 200, `"a":"3"`, "b "},
		{false, props{"overwrite:header.a": "$request.body.m.n"}, nil, `POST /x {"m":1}`, []string{"A", "0"}, 200, `"a":"0"`, "b "},
		{false, props{"overwrite:header.a": "$context.routeKey"}, nil, "GET /x", nil, 200, `"a":"ANY /{id}"`, "b "},
		{false, props{"overwrite:header.a": "$context.httpMethod"}, nil, "PUT /x", nil, 200, `"a":"PUT"`, "b "},
		{false, props{"overwrite:header.a": "$context.identity.sourceIp"}, nil, "PUT /x", nil, 200, `"a":"127.0.0.1"`, "b "},
		{false, props{"overwrite:header.a": "$context.nothing"}, nil, "PUT /x", []string{"A", "0"}, 200, `"a":"0"`, "b "},
		{false, props{"overwrite:header.a": "$stageVariables.v"}, nil, "GET /x", nil, 200, `"a":"var"`, "b "},
		{false, props{"overwrite:header.a": "plain"}, nil, "GET /x", nil, 200, `"a":"plain"`, "b "},
		{false, props{"overwrite:header.a": "${stageVariables.v}-${request.path.id}"}, nil, "GET /x", nil, 200, `"a":"var-x"`, "b "},
		{false, props{"overwrite:header.a": "${stageVariables.none}-x"}, nil, "GET /x", []string{"A", "0"}, 200, `"a":"0"`, "b "},

		{false, nil, props{"200": props{"append:header.x-new": "$response.header.x-back"}}, "GET /x", nil, 200, "", "b b"},
		{false, nil, props{"200": props{"overwrite:statuscode": "$response.body.code"}}, "GET /x", nil, 418, "", "b "},
		{false, nil, props{"200": props{"overwrite:statuscode": "99"}}, "GET /x", nil, 200, "", "b "},
		{false, nil, props{"200": props{"overwrite:statuscode": "600"}}, "GET /x", nil, 200, "", "b "},
		{false, nil, props{"200": props{"overwrite:statuscode": "$response.body.none"}}, "GET /x", nil, 200, "", "b "},
		{false, nil, props{"500": props{"remove:header.x-back": "''", "overwrite:statuscode": "403"}}, "GET /x", []string{"Fail", "1"}, 403, "", " "},
		{false, nil, props{"500": props{"remove:header.x-back": "''"}}, "GET /x", nil, 200, "", "b "},
		{false, nil, props{"200": props{"ResponseParameters": []any{props{"Destination": "overwrite:header.x-new", "Source": "$stageVariables.v"}}}}, "GET /x", nil, 200, "", "b var"},
		{false, nil, props{"200": props{"append:header.x-new": "$request.header.a"}}, "GET /x", []string{"A", "0"}, 200, "", "b 0"},

		{true, props{"append:header.a": "2", "append:querystring.r": "3"}, nil, "GET /x?q=0", []string{"A", "1"}, 200, `"path":"/base/x","query":"q=0\u0026r=3","a":"1+2"`, "b "},
		{true, props{"overwrite:path": "/over/$"}, nil, "GET /x", nil, 200, `"path":"/over/$"`, "b "},
		{true, props{"overwrite:header.a": "$request.body.m"}, nil, `POST /x {"m":"n"}`, nil, 200, `"a":"n","body":"{\"m\":\"n\"}"`, "b "},
		{true, nil, props{"500": props{"overwrite:statuscode": "$response.body.code", "append:header.x-new": "n"}}, "GET /x?fail=1", nil, 418, `"code":"418"`, "b n"},
		{true, nil, props{"200": props{"append:header.x-back": "c"}}, "GET /x", nil, 200, "", "b+c "},
	} {
		p := props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fn"), "PayloadFormatVersion": "2.0", "RequestParameters": test.request, "ResponseParameters": test.response}
		if test.proxy {
			p["IntegrationType"], p["IntegrationUri"], p["PayloadFormatVersion"], p["IntegrationMethod"] = "HTTP_PROXY", server.URL+"/base/{id}", "1.0", "ANY"
		}
		for name, value := range p {
			if m, ok := value.(props); ok && m == nil {
				delete(p, name)
			}
		}
		id := fmt.Sprint("I", i)
		integration := c.create("Integration", id, p)
		c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "ANY /{id}", "Target": "integrations/" + integration.PhysicalID})
		method, rest, _ := strings.Cut(test.send, " ")
		path, body, _ := strings.Cut(rest, " ")
		req, err := http.NewRequest(method, endpoint+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(test.header); i += 2 {
			req.Header.Set(test.header[i], test.header[i+1])
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		has := test.has
		if test.proxy {
			has = strings.ReplaceAll(has, `\u0026`, "&")
		}
		back := strings.Join(resp.Header["X-Back"], "+") + " " + resp.Header.Get("X-New")
		if resp.StatusCode != test.status || !strings.Contains(string(data), has) || back != test.back {
			t.Errorf("%v %v: %d %q\n%s", test.request, test.response, resp.StatusCode, back, data)
		}
		if err := c.remove("Route", "R", c.ids["R"], props{"ApiId": api.PhysicalID}); err != nil {
			t.Fatal(err)
		}
	}
	for key, ok := range map[string]bool{
		"append:header.a": true, "append:path": false, "overwrite:path.x": false, "overwrite:statuscode": false, "set:header.a": false, "append:header.": false, "append:cookie.a": false,
		"overwrite:header.Authorization": false, "remove:header.X-Amz-Date": false, "append:header.access-control-max-age": false, "append:header.x-amzx": true, "append:header.via": false, "append:header.viaduct": true,
	} {
		_, err := c.try("Integration", "X"+key, props{"ApiId": api.PhysicalID, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "RequestParameters": props{key: "x"}})
		if (err == nil) != ok {
			t.Errorf("request parameter %s: %v", key, err)
		}
	}
	for key, ok := range map[string]bool{"append:header.a": true, "overwrite:statuscode": true, "append:statuscode": false, "overwrite:path": false, "append:querystring.a": false, "overwrite:statuscode.x": false} {
		_, err := c.try("Integration", "Y"+key, props{"ApiId": api.PhysicalID, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "ResponseParameters": props{"200": props{key: "x"}}})
		if (err == nil) != ok {
			t.Errorf("response parameter %s: %v", key, err)
		}
	}
	for _, odd := range []props{{"2xx": props{}}, {"200": "x"}} {
		if _, err := c.try("Integration", "Z", props{"ApiId": api.PhysicalID, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "ResponseParameters": odd}); err == nil {
			t.Errorf("response parameters %v are taken", odd)
		}
	}
}
