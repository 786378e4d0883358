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
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// TestBackends answers messages by HTTP servers and by templates alone.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
func TestBackends(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/hang":
			<-hang
		case "/moved":
			http.Redirect(w, r, "/else", http.StatusFound)
		case "/fail":
			w.WriteHeader(404)
		case "/long":
			io.WriteString(w, strings.Repeat("x", 128<<10+1))
		}
		w.Header().Set("At", r.RequestURI)
		fmt.Fprintf(w, `{"method":%q,"id":%q,"body":%q}`, r.Method, r.Header.Get("Id"), body)
	}))
	defer server.Close()
	defer close(hang)
	for name, test := range map[string]struct {
		integration props
		responses   []props
		send, recv  string // ID stands for the connection's
		says        string // in the log
	}{
		"proxy":                {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL}, nil, `{"a":1}`, `{"method":"POST","id":"","body":"{\"a\":1}"}`, ""},
		"proxy, by PUT":        {props{"IntegrationType": "HTTP_PROXY", "IntegrationUri": server.URL, "IntegrationMethod": "PUT", "RequestParameters": props{"integration.request.header.Id": "context.connectionId"}}, nil, `x`, `{"method":"PUT","id":"ID","body":"x"}`, ""},
		"proxy, ANY":           {props{"IntegrationType": "HTTP_PROXY", "IntegrationUri": server.URL, "IntegrationMethod": "ANY", "RequestParameters": props{"integration.request.header.Id": "'fixed'"}}, nil, `x`, `{"method":"POST","id":"fixed","body":"x"}`, ""},
		"proxy, of a body":     {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "RequestParameters": props{"integration.request.header.Id": "route.request.body.a"}}, nil, `{"a":"b"}`, `{"method":"POST","id":"b","body":"{\"a\":\"b\"}"}`, ""},
		"proxy, within a body": {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "RequestParameters": props{"integration.request.header.Id": "route.request.body.a[1].b"}}, nil, `{"a":[0,{"b":"c"}]}`, `{"method":"POST","id":"c","body":"{\"a\":[0,{\"b\":\"c\"}]}"}`, ""},
		"proxy, none of it":    {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "RequestParameters": props{"integration.request.header.Id": "route.request.body.b"}}, nil, `{"a":"b"}`, `{"method":"POST","id":"","body":"{\"a\":\"b\"}"}`, ""},
		"proxy, fails":         {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/fail"}, nil, `x`, `{"method":"POST","id":"","body":"x"}`, ""},
		"proxy, moved":         {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/moved"}, nil, `x`, `{"method":"POST","id":"","body":"x"}`, ""},
		"proxy, too long":      {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/long"}, nil, `x`, "Internal server error", "longer than 128 KB"},
		"proxy, hangs":         {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/hang", "TimeoutInMillis": json.Number("50")}, nil, `x`, "Endpoint request timed out", "no answer within"},
		"proxy, nobody":        {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": "http://127.0.0.1:1"}, nil, `x`, "Internal server error", "refused"},
		"http, as it is":       {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL}, []props{{"IntegrationResponseKey": "$default"}}, `{"a":1}`, `{"method":"POST","id":"","body":"{\"a\":1}"}`, ""},
		"http, templates":      {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "RequestTemplates": props{"$default": `<$input.path('$.a')>`}}, []props{{"IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": "got $input.json('$.body') ${input.path('$.method')}"}}}, `{"a":"b"}`, `got "<b>" POST`, ""},
		"http, by status":      {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/fail"}, []props{{"IntegrationResponseKey": "$default"}, {"IntegrationResponseKey": `/4\d\d/`, "ResponseTemplates": props{"$default": "failed"}}}, `x`, "failed", ""},
		"http, other status":   {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL}, []props{{"IntegrationResponseKey": `/4\d\d/`, "ResponseTemplates": props{"$default": "failed"}}, {"IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": "fine"}}}, `x`, "fine", ""},
		"http, part of status": {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL}, []props{{"IntegrationResponseKey": `/0/`, "ResponseTemplates": props{"$default": "part"}}, {"IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": "fine"}}}, `x`, "fine", ""},
		"mock":                 {props{"IntegrationType": "MOCK", "RequestTemplates": props{"$default": `{"statusCode":200}`}}, []props{{"IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": `{"id":"$context.connectionId","stage":"${context.stage}","v":"$stageVariables.v","said":$input.body,"a":$input.json('$.a'),"b":$input.json("$.b.c"),"n":$input.json('$.none'),"all":$input.json('$')}`}}}, `{"a":[1],"b":{"c":"d"}}`, `{"id":"ID","stage":"staging","v":"var","said":{"a":[1],"b":{"c":"d"}},"a":[1],"b":"d","n":"","all":{"a":[1],"b":{"c":"d"}}}`, ""},
		"mock, escapes":        {props{"IntegrationType": "MOCK"}, []props{{"IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": `$util.escapeJavaScript($input.path('$.a')) $util.urlEncode( $input.path('$.a') ) $util.base64Encode($input.path('$.a')) $util.base64Decode($input.path('$.c')) $util.urlDecode($input.path('$.d')) $nothing $5`}}}, `{"a":"it's \"x\"","c":"aGk=","d":"a%20b"}`, `it\'s \"x\" it%27s+%22x%22 aXQncyAieCI= hi a b $nothing $5`, ""},
		"mock, bad base64":     {props{"IntegrationType": "MOCK"}, []props{{"IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": `<$util.base64Decode($input.body)>`}}}, `!`, "Internal server error", "mapping template of the response: $util.base64Decode"},
		"mock, whole path":     {props{"IntegrationType": "MOCK"}, []props{{"IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": `<$input.path('$')>`}}}, `x`, `<x>`, ""},
		"mock, by status":      {props{"IntegrationType": "MOCK", "RequestTemplates": props{"$default": `{"statusCode":$input.json('$.s')}`}}, []props{{"IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": "fine"}}, {"IntegrationResponseKey": "/5../", "ResponseTemplates": props{"$default": "bad"}}}, `{"s":503}`, "bad", ""},
		"mock, no status":      {props{"IntegrationType": "MOCK", "RequestTemplates": props{"$default": `{}`}}, nil, `x`, "Internal server error", "must make a JSON object with a statusCode"},
		"mock, selected":       {props{"IntegrationType": "MOCK", "TemplateSelectionExpression": "${request.body.t}", "RequestTemplates": props{"a": `{"statusCode":201}`, "$default": `{"statusCode":202}`}}, []props{{"IntegrationResponseKey": "/201/", "ResponseTemplates": props{"$default": "one"}}, {"IntegrationResponseKey": "/202/", "ResponseTemplates": props{"$default": "two"}}}, `{"t":"a"}`, "one", ""},
		"mock, not selected":   {props{"IntegrationType": "MOCK", "TemplateSelectionExpression": "${request.body.t}", "RequestTemplates": props{"a": `{"statusCode":201}`, "$default": `{"statusCode":202}`}}, []props{{"IntegrationResponseKey": "/201/", "ResponseTemplates": props{"$default": "one"}}, {"IntegrationResponseKey": "/202/", "ResponseTemplates": props{"$default": "two"}}}, `{"t":"b"}`, "two", ""},
		"mock, selects answer": {props{"IntegrationType": "MOCK"}, []props{{"IntegrationResponseKey": "$default", "TemplateSelectionExpression": "$request.body.t", "ResponseTemplates": props{"a": "A", "b": "B"}}}, `{"t":"b"}`, "B", ""},
		"mock, answer as is":   {props{"IntegrationType": "MOCK"}, []props{{"IntegrationResponseKey": "$default", "TemplateSelectionExpression": "$request.body.t", "ResponseTemplates": props{"a": "A"}}}, `{"t":"c"}`, `{"t":"c"}`, ""},
		"http, parameters":     {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/{at}?b=1", "RequestParameters": props{"integration.request.path.at": "'up there'", "integration.request.querystring.id": "context.connectionId", "integration.request.header.Id": "context.eventType"}}, []props{{"IntegrationResponseKey": "$default", "TemplateSelectionExpression": "${integration.response.header.At}", "ResponseTemplates": props{"/up there?b=1&id=ID": "no"}}}, `x`, `{"method":"POST","id":"MESSAGE","body":"x"}`, ""},
		"http, header selects": {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/{at}?b=1", "RequestParameters": props{"integration.request.path.at": "'up'", "integration.request.querystring.n": "'2'"}}, []props{{"IntegrationResponseKey": "$default", "TemplateSelectionExpression": "$integration.response.header.At", "ResponseTemplates": props{"/up?b=1&n=2": "found"}}}, `x`, `found`, ""},
		"http, message picks":  {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL}, []props{{"IntegrationResponseKey": "$default", "TemplateSelectionExpression": "${request.body.a}-${integration.response.statuscode}", "ResponseTemplates": props{"b-200": "picked"}}}, `{"a":"b"}`, `picked`, ""},
		"http, to binary":      {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "ContentHandlingStrategy": "CONVERT_TO_BINARY"}, nil, `aGk=`, `{"method":"POST","id":"","body":"hi"}`, ""},
		"http, no base64":      {props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "ContentHandlingStrategy": "CONVERT_TO_BINARY"}, nil, `!`, "Internal server error", "the message is no base64"},
		"http, to text":        {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL}, []props{{"IntegrationResponseKey": "$default", "ContentHandlingStrategy": "CONVERT_TO_TEXT", "ResponseTemplates": props{"$default": "hi"}}}, `x`, `aGk=`, ""},
		"http, no response":    {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL}, nil, `x`, "Internal server error", "no match for output mapping"},
		"http, by type":        {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "RequestTemplates": props{"application/json": "json", "$default": "default"}}, []props{{"IntegrationResponseKey": "$default"}}, `x`, `{"method":"POST","id":"","body":"json"}`, ""},
		"aws, function":        {props{"IntegrationType": "AWS", "IntegrationUri": uri("echo"), "RequestTemplates": props{"$default": `{"said":$input.json('$')#if($context.messageId),"id":"$context.connectionId"#end}`}}, []props{{"IntegrationResponseKey": "$default"}}, `{"a":1}`, `{"said":{"a":1},"id":"ID"}`, ""},
		"aws, no JSON":         {props{"IntegrationType": "AWS", "IntegrationUri": uri("echo")}, nil, `x`, "Internal server error", "is to get JSON"},
		"aws, throws":          {props{"IntegrationType": "AWS", "IntegrationUri": uri("throws")}, []props{{"IntegrationResponseKey": "$default"}, {"IntegrationResponseKey": "/not .*/", "ResponseTemplates": props{"$default": "it says $input.path('$.errorMessage')"}}}, `{}`, "it says not now", ""},
		"aws, no services":     {props{"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:action/SendMessage", "IntegrationMethod": "POST", "CredentialsArn": "arn:aws:iam::123456789012:role/r"}, nil, `x`, "Internal server error", "no services to call"},
		"never":                {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "PassthroughBehavior": "NEVER"}, nil, `x`, "Internal server error", "no template is for this message"},
		"no templates":         {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "PassthroughBehavior": "WHEN_NO_TEMPLATES"}, []props{{"IntegrationResponseKey": "$default"}}, `x`, `{"method":"POST","id":"","body":"x"}`, ""},
		"other templates":      {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "PassthroughBehavior": "WHEN_NO_TEMPLATES", "RequestTemplates": props{"a": "b"}}, nil, `x`, "Internal server error", "no template is for this message"},
		"no match":             {props{"IntegrationType": "HTTP", "IntegrationMethod": "ANY", "IntegrationUri": server.URL, "PassthroughBehavior": "WHEN_NO_MATCH", "RequestTemplates": props{"a": "b"}}, []props{{"IntegrationResponseKey": "$default"}}, `x`, `{"method":"POST","id":"","body":"x"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			id := make(chan string, 1)
			c := newCloud(t, gateway.Options{Invoker: functions{"throws": throws("not now"), "echo": func(_ context.Context, event []byte) (invoke.Result, error) {
				return invoke.Result{Payload: event}, nil
			}, "connect": func(_ context.Context, event []byte) (invoke.Result, error) {
				var e struct{ RequestContext struct{ ConnectionID string } }
				err := json.Unmarshal(event, &e)
				id <- e.RequestContext.ConnectionID
				return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
			}}})
			api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
			c.socketRoute(api.PhysicalID, "$connect", "connect", props{})
			i := c.create("Integration", "I", merged(test.integration, props{"ApiId": api.PhysicalID}))
			c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$default", "Target": "integrations/" + i.PhysicalID, "RouteResponseSelectionExpression": "$default"})
			c.twoWay(api.PhysicalID, "R")
			for n, response := range test.responses {
				c.create("IntegrationResponse", fmt.Sprint("IR", n), merged(response, props{"ApiId": api.PhysicalID, "IntegrationId": i.PhysicalID}))
			}
			c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "AutoDeploy": true, "StageVariables": props{"v": "var"}})
			conn := dial(t, api.Attributes["ApiEndpoint"].(string))
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := conn.Write(ctx, websocket.MessageText, []byte(test.send)); err != nil {
				t.Fatal(err)
			}
			got := read(t, conn)
			want := strings.ReplaceAll(test.recv, "ID", <-id)
			if test.says != "" {
				if !strings.Contains(got, want) || !strings.Contains(got, "connectionId") {
					t.Errorf("received %s", got)
				}
				eventually(t, "the log says "+test.says, func() bool { return strings.Contains(c.log(), test.says) })
			} else if got != want {
				t.Errorf("received %s\nwant %s\n%s", got, want, c.log())
			}
		})
	}
}

// TestConnectBackends lets connections in by the status of an integration that is
// no function, and asks such a one when they end.
func TestConnectBackends(t *testing.T) {
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path + r.Header.Get("Token")
		if r.Header.Get("Token") == "no" {
			w.WriteHeader(http.StatusPaymentRequired)
		}
	}))
	defer server.Close()
	mock := func(status string) props {
		return props{"IntegrationType": "MOCK", "RequestTemplates": props{"$default": `{"statusCode":` + status + `}`}}
	}
	proxy := props{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/in", "RequestParameters": props{"integration.request.header.Token": "route.request.querystring.token"}}
	for name, test := range map[string]struct {
		integration props
		query       string
		status      int
	}{
		"mock":         {props{"IntegrationType": "MOCK"}, "", 101},
		"mock, 200":    {mock("200"), "", 101},
		"mock, 401":    {mock("401"), "", 401},
		"mock, 600":    {mock("600"), "", 502},
		"mock, 199":    {mock("199"), "", 502},
		"mock, broken": {mock("x"), "", 500},
		"aws":          {props{"IntegrationType": "AWS", "IntegrationUri": uri("echo")}, "", 101},
		"aws, throws":  {props{"IntegrationType": "AWS", "IntegrationUri": uri("throws")}, "", 502},
		"proxy":        {proxy, "?token=yes", 101},
		"proxy, no":    {proxy, "?token=no", 402},
	} {
		c := newCloud(t, gateway.Options{Invoker: functions{"echo": returns(`{"statusCode":403}`), "throws": throws("no")}})
		api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
		i := c.create("Integration", "I", merged(test.integration, props{"ApiId": api.PhysicalID}))
		c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$connect", "Target": "integrations/" + i.PhysicalID, "RequestParameters": props{"route.request.querystring.token": props{"Required": false}}})
		bye := c.create("Integration", "B", props{"ApiId": api.PhysicalID, "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": server.URL + "/bye"})
		c.create("Route", "RB", props{"ApiId": api.PhysicalID, "RouteKey": "$disconnect", "Target": "integrations/" + bye.PhysicalID})
		c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "AutoDeploy": true})
		if got := handshake(t, api.Attributes["ApiEndpoint"].(string), "GET /staging"+test.query+" HTTP/1.1\nHost: HOST\n"+upgradeLines); got != test.status {
			t.Errorf("%s: %d\n%s", name, got, c.log())
		}
		if strings.HasPrefix(name, "proxy") {
			if got := <-asked; got != "/in"+strings.TrimPrefix(test.query, "?token=") {
				t.Errorf("%s: asked %s", name, got)
			}
		}
		if test.status == 101 {
			if got := <-asked; got != "/bye" {
				t.Errorf("%s: asked %s", name, got)
			}
		}
	}
}

// TestConnectParameters asks an HTTP server whether clients may connect, and reads what
// it is sent of their requests.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
func TestConnectParameters(t *testing.T) {
	asked := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r }))
	defer server.Close()
	const query = "?q=1&q=2&p=%26"
	sent := []string{"X-A: 1", "X-A: 2", "X-B: 3", "Content-Length: 0"}
	for name, test := range map[string]struct {
		kind    string
		defined []string
		mapped  props
		header  http.Header
		query   string
	}{
		"all that comes is passed on by a proxy":   {"HTTP_PROXY", nil, nil, http.Header{"X-A": {"1", "2"}, "X-B": {"3"}, "Sec-Websocket-Version": {"13"}, "Connection": nil, "Upgrade": nil}, "p=%26&q=1&q=2"},
		"nothing is, else":                         {"HTTP", nil, nil, http.Header{"X-A": nil, "X-B": nil, "Sec-Websocket-Version": nil, "X-Amzn-Apigateway-Api-Id": nil}, ""},
		"the last of a header":                     {"HTTP", []string{"header.x-a"}, props{"header.Mine": "route.request.header.X-A"}, http.Header{"Mine": {"2"}}, ""},
		"all of a header":                          {"HTTP", []string{"multivalueheader.X-A"}, props{"header.Mine": "route.request.multivalueheader.x-a"}, http.Header{"Mine": {"1", "2"}}, ""},
		"all of a header of which one is defined":  {"HTTP", []string{"header.X-A"}, props{"header.Mine": "route.request.multivalueheader.X-A"}, http.Header{"Mine": {"1", "2"}}, ""},
		"the last of a query":                      {"HTTP", []string{"querystring.q"}, props{"querystring.mine": "route.request.querystring.q"}, nil, "mine=2"},
		"all of a query":                           {"HTTP", []string{"multivaluequerystring.q"}, props{"querystring.mine": "route.request.multivaluequerystring.q"}, nil, "mine=1&mine=2"},
		"the names of a query are told apart":      {"HTTP", []string{"querystring.q"}, props{"querystring.mine": "route.request.querystring.Q"}, nil, ""},
		"what is not defined is not found":         {"HTTP", []string{"querystring.X-A"}, props{"header.Mine": "route.request.header.X-A"}, http.Header{"Mine": nil}, ""},
		"what the client has not sent is left out": {"HTTP", []string{"header.x-c"}, props{"header.Mine": "route.request.header.x-c"}, http.Header{"Mine": nil}, ""},
		"its Host":                                  {"HTTP", []string{"header.Host"}, props{"header.Mine": "route.request.header.Host"}, http.Header{"Mine": {"HOST"}}, ""},
		"what is mapped stands for what comes":      {"HTTP_PROXY", []string{"header.X-B"}, props{"header.x-a": "route.request.header.X-B", "querystring.q": "'9'"}, http.Header{"X-A": {"3"}}, "p=%26&q=9"},
		"a proxy is told who asks if no agent does": {"HTTP_PROXY", nil, nil, http.Header{"User-Agent": {"AmazonAPIGateway_ID"}, "X-Amzn-Apigateway-Api-Id": {"ID"}}, "p=%26&q=1&q=2"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, gateway.Options{})
			api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
			defined, mapped := props{}, props{}
			for _, key := range test.defined {
				defined["route.request."+key] = props{"Required": false}
			}
			for key, value := range test.mapped {
				mapped["integration.request."+key] = value
			}
			i := c.create("Integration", "I", props{"ApiId": api.PhysicalID, "IntegrationType": test.kind, "IntegrationMethod": "POST", "IntegrationUri": server.URL, "RequestParameters": mapped})
			c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$connect", "Target": "integrations/" + i.PhysicalID, "RequestParameters": defined})
			c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "AutoDeploy": true})
			endpoint := api.Attributes["ApiEndpoint"].(string)
			if got := handshake(t, endpoint, "GET /staging"+query+" HTTP/1.1\nHost: HOST\n"+strings.Join(sent, "\n")+"\n"+upgradeLines); got != 101 {
				t.Fatalf("%d\n%s", got, c.log())
			}
			got := <-asked
			if got.URL.RawQuery != test.query {
				t.Errorf("the query is %s", got.URL.RawQuery)
			}
			for name, want := range test.header {
				text := strings.NewReplacer("HOST", strings.TrimPrefix(endpoint, "ws://"), "ID", api.PhysicalID).Replace(fmt.Sprint(want))
				if values := got.Header[name]; fmt.Sprint(values) != text {
					t.Errorf("%s is %v, want %s", name, values, text)
				}
			}
		})
	}
}

// TestFrozenResponses changes the responses of an integration: a deployment keeps
// those that it was made with.
func TestFrozenResponses(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	i := c.create("Integration", "I", props{"ApiId": api.PhysicalID, "IntegrationType": "MOCK"})
	c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$default", "Target": "integrations/" + i.PhysicalID, "RouteResponseSelectionExpression": "$default"})
	c.twoWay(api.PhysicalID, "R")
	response := func(text string) props {
		return props{"ApiId": api.PhysicalID, "IntegrationId": i.PhysicalID, "IntegrationResponseKey": "$default", "ResponseTemplates": props{"$default": text}}
	}
	r := c.create("IntegrationResponse", "IR", response("first"))
	d := c.create("Deployment", "D", props{"ApiId": api.PhysicalID})
	c.create("Stage", "Frozen", props{"ApiId": api.PhysicalID, "StageName": "frozen", "DeploymentId": d.PhysicalID})
	c.create("Stage", "Live", props{"ApiId": api.PhysicalID, "StageName": "live", "AutoDeploy": true})
	says := func(stage string) string {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		conn, _, err := websocket.Dial(ctx, api.Attributes["ApiEndpoint"].(string)+"/"+stage, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		if err := conn.Write(ctx, websocket.MessageText, []byte("x")); err != nil {
			t.Fatal(err)
		}
		return read(t, conn)
	}
	changed := c.request("IntegrationResponse", "IR", r.PhysicalID, response("second"))
	changed.Old = response("first")
	if _, err := c.Registrations()["AWS::ApiGatewayV2::IntegrationResponse"].Provider.Update(context.Background(), changed); err != nil {
		t.Fatal(err)
	}
	if got := says("frozen") + " " + says("live"); got != "first second" {
		t.Errorf("says %s", got)
	}
	if err := c.change("Integration", "I", i.PhysicalID, props{"ApiId": api.PhysicalID, "IntegrationType": "MOCK"}); err != nil {
		t.Fatal(err)
	}
	if got := says("live"); got != "second" {
		t.Errorf("a changed integration says %s", got)
	}
	other := response("third")
	other["IntegrationResponseKey"] = "/200/"
	c.create("IntegrationResponse", "IR2", other)
	if got := says("live"); got != "third" {
		t.Errorf("with another response it says %s", got)
	}
	if err := c.remove("IntegrationResponse", "IR2", "x", other); err != nil {
		t.Fatal(err)
	}
	if got := says("live"); got != "second" {
		t.Errorf("without it it says %s", got)
	}
}

// TestAPIKeys wants a key of a usage plan of the stage at $connect.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-api-key.html
func TestAPIKeys(t *testing.T) {
	key := func(c rune) string { return strings.Repeat(string(c), 20) }
	for _, selects := range []string{"$request.header.x-api-key", "$context.authorizer.usageIdentifierKey"} {
		identities := make(chan string, 10)
		c := newCloud(t, gateway.Options{Invoker: functions{"in": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct {
				RequestContext struct {
					Identity struct{ APIKey, APIKeyID string }
				}
			}
			err := json.Unmarshal(event, &e)
			identities <- e.RequestContext.Identity.APIKey + " " + e.RequestContext.Identity.APIKeyID
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, err
		}, "guard": returns(`{"principalId":"me","usageIdentifierKey":"` + key('a') + `","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}`)}})
		rest := func(kind, id string, p props) stack.Resource {
			t.Helper()
			r, err := c.Registrations()["AWS::ApiGateway::"+kind].Provider.Create(context.Background(), stack.Request{Stack: c.ref, LogicalID: id, Properties: p})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action", "ApiKeySelectionExpression": selects})
		route := props{"ApiId": api.PhysicalID, "RouteKey": "$connect", "ApiKeyRequired": true, "Target": "integrations/" + c.create("Integration", "I", props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri("in")}).PhysicalID}
		if strings.Contains(selects, "authorizer") {
			z := c.create("Authorizer", "Z", props{"ApiId": api.PhysicalID, "Name": "z", "AuthorizerType": "REQUEST", "AuthorizerUri": uri("guard")})
			route["AuthorizationType"], route["AuthorizerId"] = "CUSTOM", z.PhysicalID
		}
		c.create("Route", "R", route)
		for _, stage := range []string{"staging", "other"} {
			c.create("Stage", stage, props{"ApiId": api.PhysicalID, "StageName": stage, "AutoDeploy": true})
		}
		plan := rest("UsagePlan", "P", props{"ApiStages": []any{props{"ApiId": api.PhysicalID, "Stage": "staging"}}, "Quota": props{"Limit": json.Number("1")}})
		if !strings.Contains(plan.Note, "not counted") {
			t.Errorf("the plan's event says %q", plan.Note)
		}
		good, off, loose := rest("ApiKey", "K", props{"Enabled": true, "Value": key('a')}), rest("ApiKey", "Off", props{"Enabled": false, "Value": key('b')}), rest("ApiKey", "L", props{"Enabled": true, "Value": key('c')})
		for _, id := range []string{good.PhysicalID, off.PhysicalID} {
			rest("UsagePlanKey", "U"+id, props{"KeyId": id, "KeyType": "API_KEY", "UsagePlanId": plan.PhysicalID})
		}
		asks := func(stage, key string) int {
			header := ""
			if key != "" {
				header = "X-Api-Key: " + key + "\n"
			}
			return handshake(t, api.Attributes["ApiEndpoint"].(string), "GET /"+stage+" HTTP/1.1\nHost: HOST\n"+header+upgradeLines)
		}
		if strings.Contains(selects, "authorizer") {
			if got := fmt.Sprint(asks("staging", ""), asks("other", "")); got != "101 403" {
				t.Errorf("with the authorizer's key: %s\n%s", got, c.log())
			}
			if got := <-identities; got != key('a')+" "+good.PhysicalID {
				t.Errorf("$connect is told the key %s", got)
			}
			continue
		}
		for _, test := range []struct {
			stage, key string
			want       int
		}{
			{"staging", key('a'), 101}, {"staging", "", 403}, {"staging", key('b'), 403}, {"staging", key('c'), 403}, {"staging", key('d'), 403}, {"other", key('a'), 403},
		} {
			if got := asks(test.stage, test.key); got != test.want {
				t.Errorf("%s %s: %d\n%s", test.stage, test.key, got, c.log())
			}
		}
		if got := <-identities; got != key('a')+" "+good.PhysicalID {
			t.Errorf("$connect is told the key %s", got)
		}
		of := func(kind string) stack.Provider { return c.Registrations()["AWS::ApiGateway::"+kind].Provider }
		// An update keeps what it is, and what hangs on it.
		for kind, req := range map[string]stack.Request{
			"ApiKey":    {Stack: c.ref, LogicalID: "L", PhysicalID: loose.PhysicalID, Properties: props{"Enabled": true, "Value": key('e')}},
			"UsagePlan": {Stack: c.ref, LogicalID: "P", PhysicalID: plan.PhysicalID, Properties: props{"ApiStages": []any{props{"ApiId": api.PhysicalID, "Stage": "other", "Throttle": props{}}}}},
		} {
			if r, err := of(kind).Update(context.Background(), req); err != nil || r.PhysicalID != req.PhysicalID {
				t.Errorf("updating %s: %v %v", kind, r, err)
			}
		}
		if got := fmt.Sprint(asks("staging", key('a')), asks("other", key('a'))); got != "403 101" {
			t.Errorf("after the plan's update: %s", got)
		}
		for _, req := range []stack.Request{
			{Properties: props{"KeyId": "nope", "KeyType": "API_KEY", "UsagePlanId": plan.PhysicalID}},
			{Properties: props{"KeyId": good.PhysicalID, "KeyType": "API_KEY", "UsagePlanId": "nope"}},
			{Properties: props{"KeyId": good.PhysicalID, "KeyType": "KEY", "UsagePlanId": plan.PhysicalID}},
		} {
			if _, err := of("UsagePlanKey").Create(context.Background(), req); err == nil {
				t.Errorf("%v was made", req.Properties)
			}
		}
		for length, ok := range map[int]bool{19: false, 20: true, 128: true, 129: false} {
			if _, err := of("ApiKey").Create(context.Background(), stack.Request{Stack: c.ref, LogicalID: fmt.Sprint("N", length), Properties: props{"Value": strings.Repeat("x", length)}}); (err == nil) != ok {
				t.Errorf("a key of %d characters: %v", length, err)
			}
		}
		if _, err := of("UsagePlan").Create(context.Background(), stack.Request{Stack: c.ref, LogicalID: "Q", Properties: props{"ApiStages": []any{props{"ApiId": "nope", "Stage": "x"}}}}); err == nil {
			t.Error("a plan of no API was made")
		}
		if err := of("UsagePlanKey").Delete(context.Background(), stack.Request{Properties: props{"KeyId": good.PhysicalID, "UsagePlanId": plan.PhysicalID}}); err != nil {
			t.Error(err)
		}
		if got := asks("other", key('a')); got != 403 {
			t.Errorf("after the key left the plan: %d", got)
		}
		rest("UsagePlanKey", "U", props{"KeyId": good.PhysicalID, "KeyType": "API_KEY", "UsagePlanId": plan.PhysicalID})
		if err := of("ApiKey").Delete(context.Background(), stack.Request{PhysicalID: good.PhysicalID}); err != nil {
			t.Error(err)
		}
		if got := asks("other", key('a')); got != 403 {
			t.Errorf("after the key was deleted: %d", got)
		}
		if err := of("UsagePlan").Delete(context.Background(), stack.Request{PhysicalID: plan.PhysicalID}); err != nil {
			t.Error(err)
		}
	}
}

// TestImportedSchemes reads authorizers from an OpenAPI document, as SAM writes it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
func TestImportedSchemes(t *testing.T) {
	c := newCloud(t, gateway.Options{Invoker: functions{"guard": returns(`{"isAuthorized":true}`), "no": returns(`{"isAuthorized":false}`), "fn": returns(`{"statusCode":200}`)}})
	extension := func(values props) props { return props{"type": "apiKey", "x-amazon-apigateway-authorizer": values} }
	request := func(fn string, source any) props {
		return extension(props{"type": "request", "authorizerUri": uri(fn), "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": true, "identitySource": source})
	}
	schemes := props{
		"yes": request("guard", "$request.header.A, $request.header.B"), "list": request("guard", []any{"$request.header.A"}), "no": request("no", nil), "iam": props{"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"},
		"jwt": extension(props{"type": "jwt", "identitySource": "$request.header.Authorization", "jwtConfiguration": props{"issuer": "http://localhost:1", "audience": []any{"a"}}}),
	}
	operation := func(security any) props {
		o := props{"x-amazon-apigateway-integration": props{"type": "aws_proxy", "payloadFormatVersion": "2.0", "uri": uri("fn")}}
		if security != nil {
			o["security"] = security
		}
		return props{"get": o}
	}
	by := func(name string, scopes ...any) any { return []any{props{name: scopes}} }
	body := func(schemes props, paths props) props {
		return props{"info": props{"title": "x"}, "components": props{"securitySchemes": schemes}, "paths": paths, "security": by("no")}
	}
	api := c.create("Api", "HTTP", props{"Body": body(schemes, props{"/yes": operation(by("yes")), "/list": operation(by("list")), "/rest": operation(nil), "/open": operation([]any{}), "/iam": operation(by("iam")), "/jwt": operation(by("jwt", "s"))})})
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	for request, want := range map[string]int{"/yes 1 2": 200, "/yes 1": 401, "/yes  2": 401, "/list 1": 200, "/list": 401, "/rest": 403, "/open": 200, "/iam": 403, "/jwt": 401} {
		fields := append(strings.Split(request, " "), "", "")
		if got, _ := call(t, "GET", api.Attributes["ApiEndpoint"].(string)+fields[0], "", "A", fields[1], "B", fields[2]); got != want {
			t.Errorf("%s: %d\n%s", request, got, c.log())
		}
	}
	for name, test := range map[string]struct {
		schemes, paths props
	}{
		"has no x-amazon-apigateway-authorizer":         {props{"no": props{"type": "apiKey"}}, nil},
		"property type: is required":                    {props{"no": extension(props{})}, nil},
		"IdentitySource":                                {props{"no": request("guard", "nope")}, nil},
		"security: else is none of the securitySchemes": {schemes, props{"/": operation(by("else"))}},
		"security: an operation has one authorizer":     {schemes, props{"/": operation([]any{props{"yes": nil}, props{"no": nil}})}},
		"security: an operation has one authorizer ":    {schemes, props{"/": operation([]any{props{"yes": nil, "no": nil}})}},
	} {
		if _, err := c.try("Api", "X", props{"Body": body(test.schemes, test.paths)}); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
