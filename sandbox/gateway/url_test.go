package gateway_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"arc/sandbox/gateway"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

func functionARN(name string) string {
	return "arn:aws:lambda:us-east-1:123456789012:function:" + name
}

// functionURL makes an AWS::Lambda::Url.
func (c *cloud) functionURL(id string, p props) (stack.Resource, error) {
	return c.Registrations()["AWS::Lambda::Url"].Provider.Create(context.Background(), stack.Request{Stack: c.ref, LogicalID: id, Type: "AWS::Lambda::Url", Properties: p})
}

// TestFunctionURLs calls functions by URLs of their own.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
func TestFunctionURLs(t *testing.T) {
	var seen struct {
		Version, RouteKey, RawPath, Body string
		RequestContext                   struct {
			Stage, DomainName string
			Authorizer        json.RawMessage
		}
	}
	var decided []string
	refusedAction := ""
	results := map[string]string{
		"/object": `{"statusCode":201,"headers":{"X-A":"b"},"body":"made"}`, "/text": `"hello"`, "/odd": `{"statusCode":"x"}`,
	}
	c := newCloud(t, gateway.Options{
		PermitURL: func(function string) error {
			if function == "closed" {
				return errors.New("not everybody may call it")
			}
			return nil
		},
		Signer: func(key, _ string) (string, ingress.Identity, bool) {
			return "secret", ingress.Identity{AccessKey: key, ID: "me"}, key == "AKIA"
		},
		Decide: func(_ ingress.Identity, action, resource string) error {
			decided = append(decided, action)
			if action == refusedAction || resource != functionARN("signed:live") {
				return fmt.Errorf("%s of %s", action, resource)
			}
			return nil
		},
		Invoker: functions{
			"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
				if err := json.Unmarshal(event, &seen); err != nil {
					return invoke.Result{}, err
				}
				switch seen.RawPath {
				case "/throw":
					return invoke.Result{Payload: []byte(`{"errorType":"Error","errorMessage":"no"}`), Failed: "Unhandled"}, nil
				case "/busy":
					return invoke.Result{}, invoke.ErrThrottled
				case "/lost":
					return invoke.Result{}, invoke.ErrNotFound
				}
				return invoke.Result{Payload: []byte(results[seen.RawPath])}, nil
			},
			"closed": returns(`"in"`),
			"signed:live": func(_ context.Context, event []byte) (invoke.Result, error) {
				return invoke.Result{Payload: []byte(`"in"`)}, json.Unmarshal(event, &seen)
			},
		},
	})
	r, err := c.functionURL("U", props{"TargetFunctionArn": functionARN("fn"), "AuthType": "NONE", "Cors": props{"AllowOrigins": []any{"https://app.example"}, "AllowMethods": []any{"GET"}}})
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSuffix(r.Attributes["FunctionUrl"].(string), "/")
	if r.PhysicalID != functionARN("fn") || r.Attributes["FunctionArn"] != functionARN("fn") || !strings.HasSuffix(r.Attributes["FunctionUrl"].(string), "/") || !strings.Contains(r.Note, url) {
		t.Errorf("%+v", r)
	}
	for path, want := range map[string]string{
		"/object": "201 made", "/text": "200 hello", "/odd": `502 {"Message":"Internal Server Error"}`, "/throw": `502 {"Message":"Internal Server Error"}`,
		"/busy": `429 {"Message":"Rate Exceeded."}`, "/lost": `502 {"Message":"Internal Server Error"}`,
	} {
		if status, body := call(t, "POST", url+path, "hi", "Content-Type", "text/plain"); fmt.Sprint(status, " ", body) != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if call(t, "POST", url+"/text", "hi", "Content-Type", "text/plain"); seen.Version != "2.0" || seen.RouteKey != "$default" || seen.Body != "hi" || seen.RequestContext.Stage != "$default" || !strings.Contains(url, seen.RequestContext.DomainName) {
		t.Errorf("the function is told %+v", seen)
	}
	if status, _ := call(t, "POST", url+"/text", strings.Repeat("x", 6<<20), "Content-Type", "text/plain"); status != 413 {
		t.Errorf("6 MB of body: %d", status)
	}
	for origin, want := range map[string]string{"https://app.example": "204 [https://app.example] [GET]", "https://b.example": "403 [] []"} {
		req, err := http.NewRequest("OPTIONS", url+"/text", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "GET")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := fmt.Sprint(resp.StatusCode, resp.Header["Access-Control-Allow-Origin"], resp.Header["Access-Control-Allow-Methods"]); got != want {
			t.Errorf("preflight of %s: %s", origin, got)
		}
	}
	for _, path := range []string{"/text", "/throw"} {
		req, _ := http.NewRequest("GET", url+path, nil)
		req.Header.Set("Origin", "https://app.example")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
			t.Errorf("%s has no CORS headers: %v", path, resp.Header)
		}
	}
	closed, err := c.functionURL("C", props{"TargetFunctionArn": functionARN("closed"), "AuthType": "NONE"})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := call(t, "GET", closed.Attributes["FunctionUrl"].(string), ""); status != 403 || body != `{"Message":"Forbidden"}` || !strings.Contains(c.log(), "not everybody may call it") {
		t.Errorf("without a permission: %d %s", status, body)
	}
	signed, err := c.functionURL("S", props{"TargetFunctionArn": functionARN("signed"), "Qualifier": "live", "AuthType": "AWS_IAM"})
	if err != nil {
		t.Fatal(err)
	}
	signedCall := func(service string) int {
		t.Helper()
		req, _ := http.NewRequest("GET", signed.Attributes["FunctionUrl"].(string), nil)
		if service != "" {
			sum := sha256.Sum256(nil)
			if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, req, hex.EncodeToString(sum[:]), service, "us-east-1", time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for service, want := range map[string]int{"": 403, "execute-api": 403, "lambda": 200} {
		if status := signedCall(service); status != want {
			t.Errorf("signed for %q: %d\n%s", service, status, c.log())
		}
	}
	if !strings.Contains(string(seen.RequestContext.Authorizer), `"userId":"me"`) {
		t.Errorf("the function sees %s", seen.RequestContext.Authorizer)
	}
	if want := []string{"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}; !slices.Equal(decided, want) {
		t.Errorf("a signed call asks for %q, want %q", decided, want)
	}
	for _, refusedAction = range decided[:2:2] {
		if status := signedCall("lambda"); status != http.StatusForbidden {
			t.Errorf("without %s it answers %d", refusedAction, status)
		}
	}
	refusedAction = ""
	of := c.Registrations()["AWS::Lambda::Url"].Provider
	update := stack.Request{Stack: c.ref, LogicalID: "C", PhysicalID: closed.PhysicalID, Properties: props{"TargetFunctionArn": functionARN("closed"), "AuthType": "AWS_IAM"}}
	if changed, err := of.Update(context.Background(), update); err != nil || changed.Attributes["FunctionUrl"] != closed.Attributes["FunctionUrl"] {
		t.Errorf("an update gives %v %v", changed, err)
	}
	if call(t, "GET", closed.Attributes["FunctionUrl"].(string), ""); !strings.Contains(c.log(), "is not signed") {
		t.Errorf("the updated URL wants no signature:\n%s", c.log())
	}
	update.Properties = props{"TargetFunctionArn": functionARN("other"), "AuthType": "NONE"}
	if _, err := of.Update(context.Background(), update); err == nil {
		t.Error("a URL changed its function")
	}
	for name, p := range map[string]props{
		"has a URL already": {"TargetFunctionArn": functionARN("fn"), "AuthType": "NONE"},
		"AuthType: must be": {"TargetFunctionArn": functionARN("x"), "AuthType": "JWT"},
		"InvokeMode":        {"TargetFunctionArn": functionARN("x"), "AuthType": "NONE", "InvokeMode": "SLOW"},
		"is required":       {"AuthType": "NONE"},
	} {
		if _, err := c.functionURL("X", p); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := of.Delete(context.Background(), stack.Request{PhysicalID: closed.PhysicalID}); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(closed.Attributes["FunctionUrl"].(string)); err == nil {
		t.Error("a deleted URL answers")
	}
	if _, err := c.functionURL("N", props{"TargetFunctionArn": "closed", "AuthType": "NONE", "InvokeMode": "BUFFERED"}); err != nil {
		t.Errorf("a function by its name: %v", err)
	}
}

// TestStreamedURL reads a response while the function makes it.
// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
func TestStreamedURL(t *testing.T) {
	const integration = "application/vnd.awslambda.http-integration-response"
	goOn := make(chan struct{})
	left := make(chan error, 1)
	c := newCloud(t, gateway.Options{Invoker: functions{"fn": func(ctx context.Context, event []byte) (invoke.Result, error) {
		var e struct{ RawPath string }
		if err := json.Unmarshal(event, &e); err != nil {
			return invoke.Result{}, err
		}
		stream := invoke.StreamOf(ctx)
		write := func(kind string, chunks ...string) (err error) {
			stream.Begin(kind)
			for _, chunk := range chunks {
				err = stream.Write([]byte(chunk))
			}
			return err
		}
		done := invoke.Result{Streamed: true}
		switch e.RawPath {
		case "/plain":
			write("text/x", "a", "b")
		case "/bare":
			write("", "a")
		case "/empty":
		case "/prelude":
			write(integration, `{"statusCode":201,"headers":{"X-A":"b","Content-Length":"9"},"coo`, `kies":["c=1","d=2"]}`+"\x00\x00\x00", "\x00\x00\x00\x00\x00bo", "dy")
		case "/no-status":
			write(integration, "{}\x00\x00\x00\x00\x00\x00\x00\x00x")
		case "/odd-status":
			left <- write(integration, `{"statusCode":"x"}`+"\x00\x00\x00\x00\x00\x00\x00\x00x")
			return invoke.Result{Failed: "Unhandled", Payload: []byte("{}")}, nil
		case "/odd":
			left <- write(integration, "no object\x00\x00\x00\x00\x00\x00\x00\x00x")
			return invoke.Result{Failed: "Unhandled", Payload: []byte("{}")}, nil
		case "/long":
			left <- write(integration, strings.Repeat(" ", 64<<10))
			return invoke.Result{Failed: "Unhandled", Payload: []byte("{}")}, nil
		case "/slow":
			write("text/plain", "first\n")
			<-goOn
			write("text/plain", "second\n")
		case "/breaks":
			write("text/plain", "part")
			return invoke.Result{Failed: "Unhandled"}, nil
		case "/buffered":
			return invoke.Result{Payload: []byte(`{"statusCode":202}`)}, nil
		case "/late":
			write("text/plain", "part")
			go func() { <-goOn; left <- stream.Write([]byte("late")) }()
		}
		return done, nil
	}}})
	r, err := c.functionURL("U", props{"TargetFunctionArn": functionARN("fn"), "AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM", "Cors": props{"AllowOrigins": []any{"*"}}})
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSuffix(r.Attributes["FunctionUrl"].(string), "/")
	for path, want := range map[string]string{
		"/plain": "200 text/x ab", "/bare": "200 application/octet-stream a", "/empty": "200 application/octet-stream ", "/no-status": "200  x", "/buffered": "202 text/plain; charset=utf-8 ",
		"/odd": `502 application/json {"Message":"Internal Server Error"}`, "/odd-status": `502 application/json {"Message":"Internal Server Error"}`, "/long": `502 application/json {"Message":"Internal Server Error"}`, "/breaks": "200 text/plain part",
	} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		kind := resp.Header.Get("Content-Type")
		if path == "/no-status" {
			kind = "" // what the server guesses
		}
		if got := fmt.Sprint(resp.StatusCode, " ", kind, " ", string(body)); got != want {
			t.Errorf("%s: %s", path, got)
		}
		if strings.HasPrefix(path, "/odd") || path == "/long" {
			if err := <-left; err == nil {
				t.Errorf("%s: the function is not told", path)
			}
		}
	}
	if !strings.Contains(c.log(), "broken off: function fn: Unhandled") {
		t.Errorf("the log does not say what broke:\n%s", c.log())
	}
	req, _ := http.NewRequest("GET", url+"/prelude", nil)
	req.Header.Set("Origin", "http://localhost:1")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 201 || string(body) != "body" || resp.Header.Get("X-A") != "b" || len(resp.Header["Set-Cookie"]) != 2 || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	if resp, err = http.Get(url + "/slow"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(resp.Body)
	if first, _ := lines.ReadString('\n'); first != "first\n" {
		t.Errorf("received %q before the function went on", first)
	}
	goOn <- struct{}{}
	if second, _ := lines.ReadString('\n'); second != "second\n" {
		t.Errorf("received %q", second)
	}
	resp.Body.Close()
	if status, body := call(t, "GET", url+"/late", ""); status != 200 || body != "part" {
		t.Errorf("%d %s", status, body)
	}
	goOn <- struct{}{}
	if err := <-left; err == nil {
		t.Error("a function writes to a request that has ended")
	}
}
