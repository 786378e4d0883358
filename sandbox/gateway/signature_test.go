package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"arc/sandbox/gateway"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// TestSignatures signs requests with the SDK's own signer, rightly and wrongly.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
func TestSignatures(t *testing.T) {
	var seen struct {
		RequestContext struct {
			Authorizer json.RawMessage
			Identity   json.RawMessage
		}
		Body string
	}
	allowed := ""
	c := newCloud(t, gateway.Options{
		Signer: func(key, token string) (string, ingress.Identity, bool) {
			return "secret", ingress.Identity{AccessKey: key, Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/me", ID: "AIDA"}, key == "AKIA" && (token == "" || token == "session")
		},
		Decide: func(who ingress.Identity, action, resource string) error {
			allowed = who.ID + " " + action + " " + resource[strings.LastIndex(resource, ":")+12:]
			if strings.HasSuffix(resource, "/denied") {
				return errors.New("no policy allows it")
			}
			return nil
		},
		Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, json.Unmarshal(event, &seen)
		}},
	})
	api := c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP"})
	for _, format := range []string{"1.0", "2.0"} {
		i := c.create("Integration", "I"+format, props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fn"), "PayloadFormatVersion": format})
		c.create("Route", "R"+format, props{"ApiId": api.PhysicalID, "RouteKey": "ANY /" + format + "/{proxy+}", "Target": "integrations/" + i.PhysicalID, "AuthorizationType": "AWS_IAM"})
	}
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	endpoint := api.Attributes["ApiEndpoint"].(string)
	now := time.Now()
	type signing struct {
		method, path, body, key, secret, token, service string
		at                                              time.Time
		presign                                         string // seconds
		change                                          func(*http.Request)
	}
	right := signing{method: "GET", path: "/2.0/x", key: "AKIA", secret: "secret", service: "execute-api", at: now}
	request := func(s signing) *http.Request {
		req, err := http.NewRequest(s.method, endpoint+s.path, strings.NewReader(s.body))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(s.body))
		hash := hex.EncodeToString(sum[:])
		credentials := aws.Credentials{AccessKeyID: s.key, SecretAccessKey: s.secret, SessionToken: s.token}
		if s.presign != "" {
			q := req.URL.Query()
			q.Set("X-Amz-Expires", s.presign)
			req.URL.RawQuery = q.Encode()
			signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), credentials, req, hash, s.service, "us-east-1", s.at)
			if err != nil {
				t.Fatal(err)
			}
			if req, err = http.NewRequest(s.method, signed, nil); err != nil {
				t.Fatal(err)
			}
		} else if err := v4.NewSigner().SignHTTP(context.Background(), credentials, req, hash, s.service, "us-east-1", s.at); err != nil {
			t.Fatal(err)
		}
		if s.change != nil {
			s.change(req)
		}
		return req
	}
	for name, test := range map[string]struct {
		change func(*signing)
		status int
		why    string
	}{
		"right":            {func(s *signing) {}, 200, ""},
		"with a session":   {func(s *signing) { s.token = "session" }, 200, ""},
		"a body":           {func(s *signing) { s.method, s.body = "POST", "hello" }, 200, ""},
		"odd path, query":  {func(s *signing) { s.path = "/2.0/a%20b/%C3%BC~-_.?b=2&a=1&a=0&a-b=x&c=%2F+d&e" }, 200, ""},
		"presigned":        {func(s *signing) { s.presign = "60" }, 200, ""},
		"presigned, ended": {func(s *signing) { s.presign, s.at = "60", now.Add(-61*time.Second) }, 403, "has expired"},
		"presigned, oddly": {func(s *signing) { s.presign = "soon" }, 403, "no number of seconds"},
		"presigned, wrong": {func(s *signing) { s.presign, s.secret = "60", "wrong" }, 403, "not that of the key"},
		"unsigned":         {func(s *signing) { s.change = func(r *http.Request) { r.Header.Del("Authorization") } }, 403, "is not signed"},
		"another secret":   {func(s *signing) { s.secret = "wrong" }, 403, "not that of the key"},
		"another key":      {func(s *signing) { s.key = "ASIA" }, 403, "the key ASIA is none"},
		"another session":  {func(s *signing) { s.token = "other" }, 403, "the key AKIA is none"},
		"another service":  {func(s *signing) { s.service = "s3" }, 403, "signed for s3"},
		"another method":   {func(s *signing) { s.change = func(r *http.Request) { r.Method = "DELETE" } }, 403, "not that of the key"},
		"another query":    {func(s *signing) { s.change = func(r *http.Request) { r.URL.RawQuery = "a=1" } }, 403, "not that of the key"},
		"another body": {func(s *signing) {
			s.method, s.body = "POST", "hello"
			s.change = func(r *http.Request) { r.Body = http.NoBody; r.ContentLength = 0 }
		}, 403, "not that of the key"},
		"five minutes ago": {func(s *signing) { s.at = now.Add(-4 * time.Minute) }, 200, ""},
		"six minutes ago":  {func(s *signing) { s.at = now.Add(-6 * time.Minute) }, 403, "has expired"},
		"four minutes on":  {func(s *signing) { s.at = now.Add(4 * time.Minute) }, 200, ""},
		"six minutes on":   {func(s *signing) { s.at = now.Add(6 * time.Minute) }, 403, "not valid yet"},
		"another date": {func(s *signing) {
			s.change = func(r *http.Request) { replaceAuth(r, now.UTC().Format("/20060102/"), "/20010101/") }
		}, 403, "different ones"},
		"a short scope":   {func(s *signing) { s.change = func(r *http.Request) { replaceAuth(r, "/us-east-1/", "/") } }, 403, "is not KEY/DATE"},
		"no date":         {func(s *signing) { s.change = func(r *http.Request) { r.Header.Del("X-Amz-Date") } }, 403, "X-Amz-Date is no time"},
		"Host not signed": {func(s *signing) { s.change = func(r *http.Request) { replaceAuth(r, "host;", "") } }, 403, "Host is not signed"},
		"denied":          {func(s *signing) { s.path = "/2.0/denied" }, 403, "no policy allows it"},
	} {
		s := right
		test.change(&s)
		resp, err := http.DefaultTransport.RoundTrip(request(s))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != test.status || !strings.Contains(c.log(), test.why) {
			t.Errorf("%s: %d, want %d and %q\n%s", name, resp.StatusCode, test.status, test.why, c.log())
		}
	}
	s := right
	s.method, s.body = "POST", "hello"
	for path, want := range map[string]string{
		"/2.0/y": `{"iam":{"accessKey":"AKIA","accountId":"123456789012","callerId":"AIDA","cognitoIdentity":null,"principalOrgId":null,"userArn":"arn:aws:iam::123456789012:user/me","userId":"AIDA"}}`,
		"/1.0/y": "",
	} {
		s.path = path
		seen.RequestContext.Authorizer = nil
		resp, err := http.DefaultTransport.RoundTrip(request(s))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if string(seen.RequestContext.Authorizer) != want || allowed != "AIDA execute-api:Invoke $default/POST"+path || seen.Body == "" {
			t.Errorf("%s: the function sees %s of %s, body %q", path, seen.RequestContext.Authorizer, allowed, seen.Body)
		}
	}
	if !strings.Contains(string(seen.RequestContext.Identity), `"userArn":"arn:aws:iam::123456789012:user/me"`) {
		t.Logf("identity %s", seen.RequestContext.Identity)
	}
}

func replaceAuth(r *http.Request, old, with string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
}
