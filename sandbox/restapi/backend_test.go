package restapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// echo is an HTTP server that says what it was sent.
func echo(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Back", "b")
		w.Header()["X-Two"] = []string{"one", "two"}
		w.Header().Set("Server", "echo")
		w.Header().Set("Content-Type", "text/plain")
		if r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusNotFound)
		}
		if r.URL.Path == "/hangs" {
			<-r.Context().Done()
			return
		}
		fmt.Fprintf(w, "%s %s?%s [%s] %s|%s", r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("X-Own"), r.Header.Get("Content-Type"), body)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// TestBackends calls HTTP servers behind a REST API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/setup-http-integrations.html
func TestBackends(t *testing.T) {
	c := newCloud(t, functions{})
	at := echo(t)
	method := func(id, path, properties string) string {
		return id + "R: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: '" + path + "'}}\n" +
			id + ": {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref " + id + "R, HttpMethod: ANY, AuthorizationType: NONE, " + properties + "}}\n"
	}
	c.apply(base + indented(
		method("Proxy", "{proxy+}", `RequestParameters: {method.request.path.proxy: true}, Integration: {Type: HTTP_PROXY, IntegrationHttpMethod: ANY, Uri: 'http://${stageVariables.host}/{proxy}', RequestParameters: {integration.request.path.proxy: method.request.path.proxy, integration.request.header.X-Own: "'set'", integration.request.querystring.more: context.stage}}`)+
			method("Mapped", "mapped", `MethodResponses: [{StatusCode: 200, ResponseParameters: {method.response.header.X-Of: true}}, {StatusCode: 410}], Integration: {Type: HTTP, IntegrationHttpMethod: POST, Uri: 'http://`+at+`/to', RequestParameters: {integration.request.header.X-Own: method.request.header.X-Own}, RequestTemplates: {application/json: '{"made":$input.json("$.a")}'}, IntegrationResponses: [{StatusCode: 200, ResponseParameters: {method.response.header.X-Of: integration.response.header.X-Back}}]}`)+
			method("Gone", "gone", `MethodResponses: [{StatusCode: 200}, {StatusCode: 410}], Integration: {Type: HTTP, IntegrationHttpMethod: GET, Uri: 'http://`+at+`/gone', IntegrationResponses: [{StatusCode: 200}, {StatusCode: 410, SelectionPattern: '4\d{2}', ResponseTemplates: {application/json: gone}}]}`)+
			method("Hangs", "hangs", `Integration: {Type: HTTP_PROXY, IntegrationHttpMethod: GET, Uri: 'http://`+at+`/hangs', TimeoutInMillis: 60}`)+
			method("Nobody", "nobody", `Integration: {Type: HTTP_PROXY, IntegrationHttpMethod: GET, Uri: 'http://127.0.0.1:1/'}`)+
			`D: {Type: AWS::ApiGateway::Deployment, DependsOn: [Proxy, Mapped, Gone, Hangs, Nobody], Properties: {RestApiId: !Ref Api}}
S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref D, StageName: dev, Variables: {host: '`+at+`'}}}`))
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		want               string
		header             [2]string
	}{
		"all is passed on":           {"PUT", "a/b%20c?x=1&x=2", "text", 200, "PUT /a/b%20c?more=dev&x=1&x=2 [set] text/csv|text", [2]string{"X-Back", "b"}},
		"a header is remapped":       {"GET", "a", "", 200, "GET /a?more=dev [set]", [2]string{"X-Amzn-Remapped-Server", "echo"}},
		"what is mapped, no more":    {"GET", "mapped?x=1", `{"a":[1]}`, 200, `POST /to? [own] text/csv|{"a":[1]}`, [2]string{"X-Of", "b"}},
		"its headers are not passed": {"GET", "mapped", `{}`, 200, `POST`, [2]string{"X-Back", ""}},
		"by its status":              {"GET", "gone", "", 410, "gone", [2]string{"X-Back", ""}},
		"no answer in time":          {"GET", "hangs", "", 504, `{"message": "Endpoint request timed out"}`, [2]string{"X-Amzn-Errortype", "InternalServerErrorException"}},
		"nobody there":               {"GET", "nobody", "", 504, `{"message": "Network error communicating with endpoint"}`, [2]string{}},
	} {
		resp, got := c.ask(test.method, c.url("", "dev/"+test.path), test.body, "X-Own", "own", "Content-Type", "text/csv")
		if resp.StatusCode != test.status || !strings.Contains(got, test.want) || test.header[0] != "" && resp.Header.Get(test.header[0]) != test.header[1] {
			t.Errorf("%s: %d %s %v\n%s", name, resp.StatusCode, got, resp.Header, c.log())
		}
	}
	if _, got := c.ask("POST", c.url("", "dev/mapped"), `{"a":[1]}`, "Content-Type", "application/json; charset=utf-8"); !strings.HasSuffix(got, `application/json|{"made":[1]}`) {
		t.Errorf("by the template: %s", got)
	}
}

// TestSize sends what is larger than API Gateway takes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
func TestSize(t *testing.T) {
	c := newCloud(t, documentedFunctions())
	c.apply(strings.ReplaceAll(base, "F:", "Echo:") + indented(`M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: ANY, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations'}}}
D: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api, StageName: dev}}`))
	for size, want := range map[int]int{10<<20 + 1: 413, 6 << 20: 413, 1 << 20: 200} {
		if resp, _ := c.ask("POST", c.url("", "dev/res"), strings.Repeat("x", size)); resp.StatusCode != want {
			t.Errorf("%d bytes: %d", size, resp.StatusCode)
		}
	}
}
