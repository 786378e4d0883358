package sandbox_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"arc/sandbox"
)

const restTemplate = `Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Runtime: nodejs22.x, Handler: index.handler, Role: 'arn:aws:iam::000000000000:role/r', Code: {ZipFile: "exports.handler = async e => ({ statusCode: 200, body: 'hello ' + e.requestContext.stage })"}}}
  Allow: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com, SourceArn: !Sub 'arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/PERMITTED'}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: kept}}
  Get: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations'}}}
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: dev}}
`

var restAddress = regexp.MustCompile(`Api answers at (http://localhost:\d+/dev)`)

// restAddress is where the stack's API said that it answers.
func (p *project) restAddress() string {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	found := restAddress.FindStringSubmatch(strings.Join(p.lines, "\n"))
	if found == nil {
		p.t.Fatalf("no address is told:\n%s", strings.Join(p.lines, "\n"))
	}
	return found[1]
}

// askREST sends a GET there.
func (p *project) askREST() (int, string) {
	p.t.Helper()
	resp, err := http.Get(p.restAddress())
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// A REST API is where it was in the next run of the cloud.
func TestRESTStays(t *testing.T) {
	t.Parallel()
	need(t, "node")
	p := newProject(t)
	opts := p.options()
	opts.State = sandbox.State{Dir: t.TempDir()}
	id := ""
	for run := range 2 {
		c, err := sandbox.Start(opts)
		if err != nil {
			t.Fatal(err)
		}
		s := &publicStack{t: t, c: c, name: "Kept", files: map[string][]byte{"template.yaml": []byte(strings.Replace(restTemplate, "PERMITTED", "*/GET/", 1) + "Outputs: {Api: {Value: !Ref Api}}\n")}}
		if run == 0 {
			s.up()
			id = s.outputs["Api"]
		}
		if status, got := p.askREST(); status != 200 || got != "hello dev" {
			t.Errorf("run %d: %d %s", run, status, got)
		}
		if got := s.rest(http.MethodGet, "apigateway", "/restapis/"+id, nil); !strings.Contains(got, `"name":"kept"`) {
			t.Errorf("run %d: API %s is %s", run, id, got)
		}
		c.Close()
	}
}

// What is changed after a deployment is not live, in the next run of the cloud neither.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
func TestRESTDeploymentStays(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	opts := p.options()
	opts.State = sandbox.State{Dir: t.TempDir()}
	template := strings.Replace(restTemplate, "PERMITTED", "*/GET/", 1)
	changed := strings.Replace(template, "AuthorizationType: NONE", "AuthorizationType: NONE, ApiKeyRequired: true", 1)
	for run := range 2 {
		c, err := sandbox.Start(opts)
		if err != nil {
			t.Fatal(err)
		}
		if run == 0 {
			s := &publicStack{t: t, c: c, name: "Taken", files: map[string][]byte{"template.yaml": []byte(template)}}
			s.up()
			ctx, client := t.Context(), stacksOf(c)
			if _, err := client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("Taken"), TemplateBody: aws.String(changed)}); err != nil {
				t.Fatal(err)
			}
			waiter := cloudformation.NewStackUpdateCompleteWaiter(client, func(o *cloudformation.StackUpdateCompleteWaiterOptions) {
				o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
			})
			if err := waiter.Wait(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("Taken")}, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if status, got := p.askREST(); status != 200 {
			t.Errorf("run %d: %d %s", run, status, got)
		}
		c.Close()
	}
}

// A permission for another method lets the API in no more than none does: 500, and the
// log says why.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
func TestRESTPermission(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	c := p.start()
	s := &publicStack{t: t, c: c, name: "Closed", files: map[string][]byte{"template.yaml": []byte(strings.Replace(restTemplate, "PERMITTED", "*/POST/", 1))}}
	s.up()
	if status, got := p.askREST(); status != 500 || got != `{"message": "Internal server error"}` {
		t.Errorf("%d %s", status, got)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if log := strings.Join(p.lines, "\n"); !strings.Contains(log, "AWS::Lambda::Permission") {
		t.Errorf("the log says nothing of a permission:\n%s", log)
	}
}
