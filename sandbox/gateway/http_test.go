package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// TestHTTP sends the raw request of each file to an API of its routes, whose
// functions all give its result, and compares event, response and log.
func TestHTTP(t *testing.T) {
	goldens(t, "http", func(t *testing.T, a *archive) {
		section := func(name, missing string) string {
			if s, ok := a.section(name); ok {
				return s
			}
			return missing
		}
		var event []byte
		answer := returns(section("result", `{"statusCode":200}`))
		if message, ok := strings.CutPrefix(section("result", ""), "throw "); ok {
			answer = throws(strings.TrimSpace(message))
		}
		invoker := functions{"fn": func(ctx context.Context, e []byte) (invoke.Result, error) {
			event = e
			return answer(ctx, e)
		}}
		c := newCloud(t, gateway.Options{Invoker: invoker, Developer: strings.Contains(section("options", ""), "developer")})
		var body map[string]any
		d := json.NewDecoder(strings.NewReader(section("body", `{"info":{"title":"x"},"paths":{}}`)))
		d.UseNumber()
		if err := d.Decode(&body); err != nil {
			t.Fatal(err)
		}
		api := c.create("Api", "HTTP", props{"Body": body})
		c.create("Stage", "Stage", props{"ApiId": api.PhysicalID, "StageName": strings.TrimSpace(section("stage", "$default")), "AutoDeploy": true})
		endpoint := api.Attributes["ApiEndpoint"].(string)
		n := newNormal(endpoint)

		resp := raw(t, endpoint, section("request", "GET / HTTP/1.1\nHost: localhost:3333\n\n"))
		if event != nil {
			a.golden(t, "event", n.json(t, event))
		} else {
			a.golden(t, "event", "not called\n")
		}
		a.golden(t, "response", n.text(resp)+"\n")
		c.Close(context.Background())
		a.golden(t, "log", n.text(c.log())+"\n")
	})
}

// raw sends a request, with line ends and length made right, and gives the
// response with sorted headers as text.
func raw(t *testing.T, endpoint, request string) string {
	t.Helper()
	host := strings.TrimPrefix(endpoint, "http://")
	request = strings.ReplaceAll(request, "localhost:3333", host)
	head, body, _ := strings.Cut(request, "\n\n")
	body = strings.TrimSuffix(body, "\n")
	if body != "" {
		head += fmt.Sprintf("\nContent-Length: %d", len(body))
	}
	conn, err := net.Dial("tcp", strings.Replace(host, "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body)
	method, _, _ := strings.Cut(head, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n", resp.Status)
	resp.Header.Write(&out)
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out.String(), "\r", "") + "\n" + string(data)
}

func call(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestRouting(t *testing.T) {
	routes := []string{"GET /", "GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "POST /pets/dog/1",
		"ANY /x/{a}/y", "GET /x/b/{c}", "GET /x/b/{rest+}", "PUT /only/put", "GET /{a}/{b}/{c}/{d}"}
	invoker := functions{}
	paths := map[string]string{}
	for i, key := range routes {
		name := fmt.Sprintf("f%d", i)
		paths[key] = name
		invoker[name] = returns(fmt.Sprintf("%q", key))
	}
	c := newCloud(t, gateway.Options{Invoker: invoker})
	endpoint := c.httpAPI(paths)
	for _, test := range []struct{ request, want string }{
		{"GET /", "GET /"},
		{"POST /", "ANY /{proxy+}"}, // a greedy variable may be empty
		{"GET /pets/dog/1", "GET /pets/dog/1"},
		{"POST /pets/dog/1", "POST /pets/dog/1"},
		{"PUT /pets/dog/1", "ANY /{proxy+}"},
		{"GET /pets/dog/2", "GET /pets/dog/{id}"},
		{"GET /pets/dog/a%2Fb", "GET /pets/dog/{id}"},
		{"GET /pets/cat/1", "GET /pets/{proxy+}"},
		{"GET /pets/", "GET /pets/{proxy+}"},
		{"GET /pets", "ANY /{proxy+}"},
		{"GET /pets/dog/", "GET /pets/{proxy+}"},
		{"POST /test/5", "ANY /{proxy+}"},
		{"GET /x/b/y", "GET /x/b/{c}"},
		{"POST /x/b/y", "ANY /x/{a}/y"},
		{"GET /x/b/c/d", "GET /{a}/{b}/{c}/{d}"}, // a full match goes before a greedy one
		{"GET /x/b/c/d/e", "GET /x/b/{rest+}"},
		{"PUT /only/put", "PUT /only/put"},
		{"HEAD /only/put", "ANY /{proxy+}"},
	} {
		method, path, _ := strings.Cut(test.request, " ")
		status, got := call(t, method, endpoint+path, "")
		if method == "HEAD" {
			got = test.want
		}
		if status != 200 || got != test.want {
			t.Errorf("%s: %d %s, want %s", test.request, status, got, test.want)
		}
	}
}

func TestNamedStage(t *testing.T) {
	echo := func(_ context.Context, event []byte) (invoke.Result, error) {
		return invoke.Result{Payload: event}, nil
	}
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": echo, "fn:live": echo}})
	endpoint := c.httpAPI(map[string]string{"GET /x": "fn"})
	status, _ := call(t, "GET", endpoint+"/dev/x", "")
	if status != 404 {
		t.Errorf("before the stage exists: %d", status)
	}
	api := strings.TrimSpace(c.create("Integration", "I", props{"ApiId": c.ids["HTTP"], "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": uri("fn:live")}).PhysicalID)
	c.create("Route", "R", props{"ApiId": c.ids["HTTP"], "RouteKey": "GET /y", "Target": "integrations/" + api})
	c.create("Stage", "Dev", props{"ApiId": c.ids["HTTP"], "StageName": "dev", "AutoDeploy": true, "StageVariables": props{"color": "red"}})
	for _, path := range []string{"/x", "/y"} { // from Body, from a Route
		status, body := call(t, "GET", endpoint+"/dev"+path, "")
		for _, want := range []string{`"rawPath":"/dev` + path + `"`, `"stage":"dev"`, `"stageVariables":{"color":"red"}`} {
			if status != 200 || !strings.Contains(body, want) {
				t.Errorf("%s: %d without %s in %s", path, status, want, body)
			}
		}
	}
}

func TestBodies(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200,"body":"ok"}`), "slow": func(ctx context.Context, _ []byte) (invoke.Result, error) {
		<-ctx.Done()
		return invoke.Result{}, ctx.Err()
	}}})
	endpoint := c.httpAPI(map[string]string{"POST /": "fn"})
	for _, test := range []struct {
		name   string
		length int
		status int
		body   string
	}{
		{"below both limits", 4 << 20, 200, "ok"},
		{"too long for an event, as base64", 5 << 20, 413, `{"message":"Request Entity Too Large"}`},
		{"too long for a request", 10<<20 + 1, 413, `{"message":"Request Entity Too Large"}`},
	} {
		status, body := call(t, "POST", endpoint+"/", strings.Repeat("x", test.length))
		if status != test.status || body != test.body {
			t.Errorf("%s: %d %s", test.name, status, body)
		}
	}
	slow := c.create("Integration", "Slow", props{"ApiId": c.ids["HTTP"], "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": uri("slow"), "TimeoutInMillis": json.Number("50")})
	c.create("Route", "SlowRoute", props{"ApiId": c.ids["HTTP"], "RouteKey": "GET /slow", "Target": "integrations/" + slow.PhysicalID})
	if status, body := call(t, "GET", endpoint+"/slow", ""); status != 503 || body != `{"message":"Service Unavailable"}` {
		t.Errorf("timeout: %d %s", status, body)
	}
	if !strings.Contains(c.log(), "no answer within the integration's timeout of 50ms") {
		t.Errorf("the log does not explain:\n%s", c.log())
	}
}

func TestProxyIntegration(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s forwarded=%s body=%s", r.Method, r.URL, r.Header.Get("Forwarded"), body)
	}))
	defer upstream.Close()
	c := newCloud(t, gateway.Options{})
	proxy := func(uri string) props {
		return props{"x-amazon-apigateway-integration": props{"type": "http_proxy", "payloadFormatVersion": "1.0", "httpMethod": "ANY", "uri": uri, "connectionType": "INTERNET", "timeoutInMillis": json.Number("30000")}}
	}
	api := c.create("Api", "HTTP", props{"Body": props{"info": props{"title": "x"}, "paths": props{
		"/_static/{proxy+}": props{"get": proxy(upstream.URL + "/bucket/{proxy}")},
		"/$default":         props{"x-amazon-apigateway-any-method": proxy(upstream.URL + "/base")},
		"/gone":             props{"get": proxy("http://127.0.0.1:1/")},
	}}})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": "true"})
	endpoint := api.Attributes["ApiEndpoint"].(string)
	host := strings.TrimPrefix(endpoint, "http://")
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/_static/a%20b/c.css?v=1", "", 200, "GET /bucket/a%20b/c.css?v=1 forwarded=for=127.0.0.1;host=" + host + ";proto=http body="},
		{"POST", "/api/x?y=1", "hello", 200, "POST /base/api/x?y=1 forwarded=for=127.0.0.1;host=" + host + ";proto=http body=hello"},
		{"GET", "/gone", "", 503, `{"message":"Service Unavailable"}`},
	} {
		if status, body := call(t, test.method, endpoint+test.path, test.body); status != test.status || body != test.want {
			t.Errorf("%s %s: %d %s", test.method, test.path, status, body)
		}
	}
}

// TestChunked sends a body in chunks, which the original sandbox loses.
func TestChunked(t *testing.T) {
	var event struct {
		Body    string
		Headers map[string]string
	}
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(_ context.Context, e []byte) (invoke.Result, error) {
		return invoke.Result{Payload: []byte(`"ok"`)}, json.Unmarshal(e, &event)
	}}})
	endpoint := c.httpAPI(map[string]string{"POST /": "fn"})
	req, err := http.NewRequest("POST", endpoint, io.MultiReader(strings.NewReader("one "), strings.NewReader("two")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/plain")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if event.Body != "one two" || event.Headers["content-length"] != "7" || event.Headers["transfer-encoding"] != "" {
		t.Errorf("event %+v", event)
	}
}

func TestLoopback(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`"in"`)}})
	endpoint := c.httpAPI(map[string]string{"ANY /": "fn"})
	c.socketAPI(map[string]string{"$default": "fn"})
	port := endpoint[strings.LastIndex(endpoint, ":"):]
	for _, test := range []struct {
		host, origin string
		status       int
	}{
		{"localhost" + port, "", 200},
		{"LOCALHOST" + port, "", 200},
		{"localhost." + port, "", 200},
		{"app.localhost" + port, "", 200},
		{"127.0.0.1" + port, "", 200},
		{"[::1]" + port, "", 200},
		{"localhost", "", 403},
		{"localhost:1", "", 403},
		{"127.0.0.2" + port, "", 403},
		{"evil.example" + port, "", 403},
		{"evillocalhost" + port, "", 403},
		{"localhost.evil.example" + port, "", 403},
		{"localhost" + port, "http://localhost:5173", 200},
		{"localhost" + port, "https://app.localhost", 200},
		{"localhost" + port, "http://[::1]:80", 200},
		{"localhost" + port, "http://evil.example", 403},
		{"localhost" + port, "http://localhost.evil.example", 403},
		{"localhost" + port, "http://localhost@evil.example", 403},
		{"localhost" + port, "null", 403},
		{"localhost" + port, "file://localhost", 403},
		{"localhost" + port, "chrome-extension://localhost", 403},
	} {
		header := []string{"Host", test.host}
		if test.origin != "" {
			header = append(header, "Origin", test.origin)
		}
		if status, body := call(t, "POST", endpoint+"/", "", header...); status != test.status {
			t.Errorf("host %s origin %s: %d %s", test.host, test.origin, status, body)
		}
		upgrade := append(header, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		want := test.status
		if want == 200 {
			want = 101
		}
		if status := upgradeStatus(t, endpoint, upgrade); status != want {
			t.Errorf("WebSocket: host %s origin %s: %d", test.host, test.origin, status)
		}
	}
}

func upgradeStatus(t *testing.T, endpoint string, header []string) int {
	t.Helper()
	conn, err := net.DialTimeout("tcp", "127.0.0.1"+endpoint[strings.LastIndex(endpoint, ":"):], time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "GET /staging HTTP/1.1\r\n"
	for i := 0; i < len(header); i += 2 {
		request += header[i] + ": " + header[i+1] + "\r\n"
	}
	io.WriteString(conn, request+"\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}
