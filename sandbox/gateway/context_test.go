package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// TestAuthorizerContext takes what an authorizer said to functions of both formats,
// and through mappings; an authorizer that is changed says something else, and what
// a result said before counts until its time is over.
func TestAuthorizerContext(t *testing.T) {
	var seen struct {
		Headers        map[string]string
		RequestContext struct{ Authorizer json.RawMessage }
	}
	c := newCloud(t, gateway.Options{Invoker: functions{
		"guard":  returns(policy("Allow", "*", `"*"`)),
		"other":  returns(`{"policyDocument":{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}}`),
		"closed": returns(`{"policyDocument":{"Statement":[]}}`),
		"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
			seen.Headers, seen.RequestContext.Authorizer = nil, nil
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, json.Unmarshal(event, &seen)
		},
	}})
	api := c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP"})
	authorizer := func(fn string, more props) props {
		return merged(props{"ApiId": api.PhysicalID, "Name": "z", "AuthorizerType": "REQUEST", "AuthorizerUri": uri(fn), "AuthorizerPayloadFormatVersion": "2.0", "IdentitySource": []any{"$request.header.Auth"}}, more)
	}
	z := c.create("Authorizer", "Z", authorizer("guard", nil))
	for _, format := range []string{"1.0", "2.0"} {
		i := c.create("Integration", "I"+format, props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fn"), "PayloadFormatVersion": format, "RequestParameters": props{
			"append:header.n": "$context.authorizer.n", "append:header.who": "$context.authorizer.principalId", "append:header.none": "$context.authorizer.none", "append:header.all": "$request.body", "append:header.odd": "$nothing.at.all"}})
		c.create("Route", "R"+format, props{"ApiId": api.PhysicalID, "RouteKey": "POST /" + format, "Target": "integrations/" + i.PhysicalID, "AuthorizationType": "CUSTOM", "AuthorizerId": z.PhysicalID})
	}
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	endpoint := api.Attributes["ApiEndpoint"].(string)
	asks := func(path string) int {
		status, _ := call(t, "POST", endpoint+path, "hi", "Auth", "me")
		return status
	}
	for path, want := range map[string]string{"/1.0": `{"n":1,"principalId":"me","s":"x"}`, "/2.0": `{"lambda":{"n":1,"s":"x"}}`} {
		if status := asks(path); status != 200 || string(seen.RequestContext.Authorizer) != want {
			t.Errorf("%s: %d, the function sees %s", path, status, seen.RequestContext.Authorizer)
		}
		h := seen.Headers
		_, none := h["none"]
		_, odd := h["odd"]
		if h["n"] != "1" || h["who"] != "me" || h["all"] != "hi" || none || odd {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	if err := c.change("Authorizer", "Z", z.PhysicalID, authorizer("other", props{"AuthorizerResultTtlInSeconds": json.Number("1")})); err != nil {
		t.Fatal(err)
	}
	if asks("/1.0") != 200 || string(seen.RequestContext.Authorizer) != "{}" {
		t.Errorf("a changed authorizer: the function sees %s", seen.RequestContext.Authorizer)
	}
	if asks("/2.0"); string(seen.RequestContext.Authorizer) != `{"lambda":null}` {
		t.Errorf("a changed authorizer: the function sees %s", seen.RequestContext.Authorizer)
	}
	if err := c.change("Authorizer", "Z", z.PhysicalID, authorizer("closed", nil)); err != nil {
		t.Fatal(err)
	}
	if status := asks("/2.0"); status != 403 {
		t.Errorf("an authorizer that lets nobody in: %d", status)
	}
	if err := c.change("Authorizer", "Z", z.PhysicalID, authorizer("guard", props{"AuthorizerType": "JWT"})); err == nil {
		t.Error("a change that is none was taken")
	}
	for id, format := range map[string]string{"R1.0": "1.0", "R2.0": "2.0"} {
		if err := c.remove("Route", id, c.ids[id], props{"ApiId": api.PhysicalID}); err != nil {
			t.Fatal(format, err)
		}
	}
	if err := c.remove("Authorizer", "Z", z.PhysicalID, props{"ApiId": api.PhysicalID}); err != nil {
		t.Error(err)
	}
	if _, err := c.try("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "POST /", "AuthorizationType": "CUSTOM", "AuthorizerId": z.PhysicalID}); err == nil {
		t.Error("a deleted authorizer is still there")
	}
	if err := c.remove("Authorizer", "Z", z.PhysicalID, props{"ApiId": "gone"}); err != nil {
		t.Error(err)
	}
}

// TestVerdictsEnd asks an authorizer again when the time of its result is over.
func TestVerdictsEnd(t *testing.T) {
	asked := 0
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": returns(`{"statusCode":200}`), "guard": func(context.Context, []byte) (invoke.Result, error) {
		asked++
		return invoke.Result{Payload: []byte(policy("Allow", "*", `"*"`))}, nil
	}}})
	endpoint := guarded(c, props{"IdentitySource": []any{"$request.header.Auth"}, "AuthorizerResultTtlInSeconds": json.Number("1")})
	call(t, "GET", endpoint+"/", "", "Auth", "other")
	eventually(t, "it is asked again", func() bool {
		if status, _ := call(t, "GET", endpoint+"/", "", "Auth", "me"); status != 200 {
			t.Fatal(status)
		}
		return asked == 3
	})
}

// TestConnectSigned opens WebSockets with signatures.
func TestConnectSigned(t *testing.T) {
	c := newCloud(t, gateway.Options{
		Signer: func(key, _ string) (string, ingress.Identity, bool) {
			return "secret", ingress.Identity{AccessKey: key, ID: "me", ARN: "arn:me", Account: "123456789012"}, key == "AKIA"
		},
		Decide: func(who ingress.Identity, action, resource string) error {
			if who.ID != "me" || action != "execute-api:Invoke" || !strings.HasSuffix(resource, "/staging/$connect") {
				return invoke.ErrForbidden
			}
			return nil
		},
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html ($context.identity)
		Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
			var e struct{ RequestContext struct{ Identity props } }
			if err := json.Unmarshal(event, &e); err != nil {
				return invoke.Result{}, err
			}
			delete(e.RequestContext.Identity, "userAgent")
			if got := fmt.Sprint(e.RequestContext.Identity); got != "map[accountId:123456789012 caller:me sourceIp:127.0.0.1 user:me userArn:arn:me]" {
				return invoke.Result{Payload: []byte(`{"statusCode":418}`)}, nil
			}
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, nil
		}},
	})
	api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	c.socketRoute(api.PhysicalID, "$connect", "fn", props{"AuthorizationType": "AWS_IAM"})
	for _, stage := range []string{"staging", "other"} {
		c.create("Stage", stage, props{"ApiId": api.PhysicalID, "StageName": stage, "AutoDeploy": true})
	}
	endpoint := api.Attributes["ApiEndpoint"].(string)
	sum := sha256.Sum256(nil)
	for _, test := range []struct {
		stage, secret string
		presign       bool
		status        int
	}{
		{"staging", "secret", false, 101}, {"staging", "secret", true, 101}, {"staging", "wrong", false, 403}, {"staging", "wrong", true, 403}, {"other", "secret", false, 403},
	} {
		req, err := http.NewRequest("GET", strings.Replace(endpoint, "ws:", "http:", 1)+"/"+test.stage, nil)
		if err != nil {
			t.Fatal(err)
		}
		credentials := aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: test.secret}
		url, header := req.URL.String(), http.Header{}
		if test.presign {
			req.URL.RawQuery = "X-Amz-Expires=60"
			url, _, err = v4.NewSigner().PresignHTTP(context.Background(), credentials, req, hex.EncodeToString(sum[:]), "execute-api", "us-east-1", time.Now())
		} else {
			err = v4.NewSigner().SignHTTP(context.Background(), credentials, req, hex.EncodeToString(sum[:]), "execute-api", "us-east-1", time.Now())
			header.Set("Authorization", req.Header.Get("Authorization"))
			header.Set("X-Amz-Date", req.Header.Get("X-Amz-Date"))
		}
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		conn, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header})
		cancel()
		if resp == nil || resp.StatusCode != test.status {
			t.Errorf("%+v: %v %v\n%s", test, resp, err, c.log())
		}
		if conn != nil {
			conn.CloseNow()
		}
	}
}

// TestKeptNotes reads what the events say of parts that do nothing here, and of
// keys whose values nobody gave.
func TestKeptNotes(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	c.create("Model", "Model", props{"ApiId": api.PhysicalID, "Name": "m", "Schema": props{}})
	c.create("Integration", "I", props{"ApiId": api.PhysicalID, "IntegrationType": "MOCK"})
	for kind, p := range map[string]props{
		"DomainName":          {"DomainName": "a.example"},
		"Route":               {"ApiId": api.PhysicalID, "RouteKey": "x", "RequestModels": props{"$default": "m"}, "RequestParameters": props{"route.request.header.a": props{"Required": true}}},
		"IntegrationResponse": {"ApiId": api.PhysicalID, "IntegrationId": c.ids["I"], "IntegrationResponseKey": "$default", "ResponseParameters": props{"method.response.header.a": "'b'"}},
	} {
		r := c.create(kind, kind, p)
		if r.Note == "" {
			t.Errorf("the event of a %s says nothing", kind)
		}
		var logged []string
		for line := range strings.SplitSeq(c.log(), "\n") {
			if note, ok := strings.CutPrefix(line, kind+" "+kind+": "); ok {
				logged = append(logged, note)
			}
		}
		if got := strings.Join(logged, "; "); kind != "DomainName" && got != r.Note {
			t.Errorf("the log says of a %s: %s", kind, got)
		}
		req := c.request(kind, kind, r.PhysicalID, p)
		req.Old = p
		again, err := c.Registrations()["AWS::ApiGatewayV2::"+kind].Provider.Update(context.Background(), req)
		if err != nil || again.PhysicalID != r.PhysicalID {
			t.Errorf("an update of a %s: %v %v", kind, again, err)
		}
		if kind == "DomainName" && (r.PhysicalID != "a.example" || r.Attributes["DomainNameArn"] != "arn:aws:apigateway:us-east-1::/domainnames/a.example" || !strings.HasSuffix(r.Attributes["RegionalDomainName"].(string), ".execute-api.us-east-1.amazonaws.com")) {
			t.Errorf("a domain has %v", r.Attributes)
		}
	}
	if r := c.create("Route", "Plain", props{"ApiId": api.PhysicalID, "RouteKey": "y"}); r.Note != "" {
		t.Errorf("the event of a plain route says %q", r.Note)
	}
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "s", "AutoDeploy": true})
	mapping := props{"ApiId": api.PhysicalID, "DomainName": "a.example", "Stage": "s"}
	m := c.create("ApiMapping", "M", mapping)
	req := c.request("ApiMapping", "M", m.PhysicalID, merged(mapping, props{"ApiMappingKey": "v2"}))
	req.Old = mapping
	if again, err := c.Registrations()["AWS::ApiGatewayV2::ApiMapping"].Provider.Update(context.Background(), req); err != nil || again.PhysicalID != m.PhysicalID {
		t.Errorf("an update of a mapping: %v %v", again, err)
	}
	c.create("ApiMapping", "M2", mapping) // whose key is free again
	keys := c.Registrations()["AWS::ApiGateway::ApiKey"].Provider
	first, err := keys.Create(context.Background(), stack.Request{Stack: c.ref, LogicalID: "K", Properties: props{"Enabled": true}})
	if err != nil || len(first.PhysicalID) != 10 || first.Attributes["APIKeyId"] != first.PhysicalID {
		t.Errorf("%v %v", first, err)
	}
}
