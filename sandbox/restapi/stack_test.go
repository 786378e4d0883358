package restapi_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
	"arc/sandbox/restapi"
	"arc/sandbox/stack"
)

// base begins the templates of this file.
const base = `Resources:
  F: {Type: AWS::Lambda::Function, Properties: {}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: demo}}
  Res: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: res}}
`

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
}

// TestRefused and what cannot be made: a section of the archives is a template.
func TestRefused(t *testing.T) {
	for _, name := range []string{"refused", "failed"} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			t.Run(name+"/"+file.Name, func(t *testing.T) {
				first, rest, _ := strings.Cut(string(file.Data), "\n")
				want := strings.TrimPrefix(first, "# ")
				c := newCloud(t, functions{})
				err := c.try(base + indented(rest))
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %s", err, want)
				}
				if name == "refused" && len(c.hosts) > 0 {
					t.Error("something was made")
				}
			})
		}
	}
}

// text is a MOCK method of a resource that answers with a text.
func text(id, resource, verb, words string) string {
	return indented(id + `: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: ` + resource + `, HttpMethod: ` + verb + `, AuthorizationType: NONE, MethodResponses: [{StatusCode: 200}],
  Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode":200}'}, IntegrationResponses: [{StatusCode: 200, ResponseTemplates: {application/json: '` + words + `'}}]}}}`)
}

// TestDeployments changes an API: what is changed is not live before the next
// deployment, which is a picture of its own.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
func TestDeployments(t *testing.T) {
	c := newCloud(t, functions{})
	made := func(words, deployments, stage string) string {
		return base + text("M", "!Ref Res", "GET", words) + deployments +
			"  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref " + stage + ", StageName: dev}}\n"
	}
	const one, two = "  One: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api}}\n", "  Two: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api}}\n"
	says := func(want string) {
		t.Helper()
		if resp, got := c.ask("GET", c.url("", "dev/res"), ""); resp.StatusCode != 200 || got != want {
			t.Errorf("%d %s, want %s", resp.StatusCode, got, want)
		}
	}
	c.apply(made("first", one, "One"))
	says("first")
	c.apply(made("second", one, "One"))
	says("first")
	c.apply(made("second", one+two, "Two"))
	says("second")
	c.apply(made("second", one+two, "One"))
	says("first")
	c.apply(made("second", two, "Two"))
	says("second")
	if len(c.hosts) != 1 {
		t.Errorf("the API moved: %v", c.hosts)
	}
	c.apply("Resources: {F: {Type: AWS::Lambda::Function, Properties: {}}}")
	if len(c.hosts) != 1 || c.Has("x", "") {
		t.Errorf("%v", c.hosts)
	}
}

// TestGone deletes what belongs to an API that is not there any longer: it is gone.
func TestGone(t *testing.T) {
	c := newCloud(t, functions{})
	for name, r := range c.Registrations() {
		if r.Refused != "" {
			continue
		}
		req := stack.Request{Stack: stack.Ref{Name: "Demo"}, Type: name, PhysicalID: "x", Properties: props{"RestApiId": "gone", "ResourceId": "gone"}}
		if err := r.Provider.Delete(t.Context(), req); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCut sends less of a body than was announced.
func TestCut(t *testing.T) {
	c := newCloud(t, documentedFunctions())
	c.apply(strings.ReplaceAll(base, "F:", "Echo:") + indented(`M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: ANY, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations'}}}
D: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api, StageName: dev}}`))
	conn, err := net.Dial("tcp", c.hosts[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /dev/res HTTP/1.1\r\nHost: %s\r\nContent-Length: 10\r\n\r\nabc", c.hosts[0])
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(c.log(), "reading the body: unexpected EOF") {
		t.Errorf("%v %s\n%s", err, answer, c.log())
	}
}

// TestStageOfDeployment has a stage that deployments bring with them, as osls writes
// it: it goes with the last one.
func TestStageOfDeployment(t *testing.T) {
	c := newCloud(t, functions{})
	with := func(words, id, variables string) string {
		return base + text("M", "!Ref Res", "GET", words) + "  " + id + ": {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api, StageName: dev, StageDescription: {Variables: {v: " + variables + "}}}}\n"
	}
	c.apply(with("first $stageVariables.v", "One", "a"))
	if _, got := c.ask("GET", c.url("", "dev/res"), ""); got != "first a" {
		t.Errorf("%s", got)
	}
	c.apply(with("second $stageVariables.v", "Two", "b"))
	if _, got := c.ask("GET", c.url("", "dev/res"), ""); got != "second b" {
		t.Errorf("%s", got)
	}
	c.apply(base + text("M", "!Ref Res", "GET", "x"))
	if resp, got := c.ask("GET", c.url("", "dev/res"), ""); resp.StatusCode != 403 || got != `{"message":"Forbidden"}` {
		t.Errorf("%d %s", resp.StatusCode, got)
	}
}

// TestPermission calls a function that does not let the API in: 500, and the log names
// the permission.
func TestPermission(t *testing.T) {
	ran := functions{"F": func(context.Context, []byte) (invoke.Result, error) { return result(props{"statusCode": 200}) }}
	var asked []string
	c := newCloud(t, ran, func(o *restapi.Options) {
		o.Permit = func(function string, sources ...string) error {
			asked = append([]string{function}, sources...)
			return invoke.ErrForbidden
		}
	})
	method := "M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: ANY, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, CREDENTIALSUri: !Sub 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${F.Arn}:live/invocations'}}}"
	deployment := "D: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api, StageName: dev}}"
	c.apply(base + indented(strings.Replace(method, "CREDENTIALS", "", 1)+"\n"+deployment))
	resp, got := c.ask("GET", c.url("", "dev/res"), "")
	if resp.StatusCode != 500 || got != `{"message": "Internal server error"}` || !strings.Contains(c.log(), invoke.ErrForbidden.Error()) {
		t.Errorf("%d %s\n%s", resp.StatusCode, got, c.log())
	}
	if len(asked) != 4 || asked[0] != "F:live" || !strings.HasSuffix(asked[1], "/dev/GET/res") || !strings.HasSuffix(asked[3], "/dev/ANY/res") {
		t.Errorf("asked of %v", asked)
	}
	c = newCloud(t, functions{"F:live": ran["F"]}, func(o *restapi.Options) {
		o.Permit = func(string, ...string) error { return invoke.ErrForbidden }
	})
	c.apply(base + indented(strings.Replace(method, "CREDENTIALS", "Credentials: 'arn:aws:iam::123456789012:role/r', ", 1)+"\n"+deployment))
	if resp, got := c.ask("GET", c.url("", "dev/res"), ""); resp.StatusCode != 200 {
		t.Errorf("with a role: %d %s\n%s", resp.StatusCode, got, c.log())
	}
}

// TestIdentity signs requests for a method under IAM.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
func TestIdentity(t *testing.T) {
	c := newCloud(t, documentedFunctions(), func(o *restapi.Options) {
		o.Decide = func(_ ingress.Identity, action, resource string) error {
			if action != "execute-api:Invoke" || !strings.HasSuffix(resource, "/dev/GET/res") {
				return invoke.ErrForbidden
			}
			return nil
		}
	})
	c.apply(strings.ReplaceAll(base, "F:", "Echo:") + indented(`M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: ANY, AuthorizationType: AWS_IAM, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations'}}}
D: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api, StageName: dev}}`))
	for name, test := range map[string]struct {
		key, secret, method string
		status              int
		body                string
	}{
		"a key of the local cloud": {"ann", "secret", "GET", 200, `"userArn":"arn:aws:iam::123456789012:user/ann"`},
		"another secret":           {"ann", "wrong", "GET", 403, "The request signature we calculated does not match"},
		"a key that nobody has":    {"bob", "secret", "GET", 403, "The security token included in the request is invalid."},
		"what it may not":          {"ann", "secret", "PUT", 403, `{"Message":"User: arn:aws:iam::123456789012:user/ann is not authorized to perform: execute-api:Invoke on resource: `},
	} {
		if status, got := c.signed(test.method, c.url("", "dev/res"), test.key, test.secret); status != test.status || !strings.Contains(got, test.body) {
			t.Errorf("%s: %d %s", name, status, got)
		}
	}
}
