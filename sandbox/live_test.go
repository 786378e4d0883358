package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/coder/websocket"

	"arc/sandbox"
)

// live is the seed app as arc sandbox hands it over: the template of its golden
// and source folders.
func (p *project) live() sandbox.App {
	p.t.Helper()
	template, err := os.ReadFile("../testdata/templates/seed-staging.json")
	if err != nil {
		p.t.Fatal(err)
	}
	var read struct {
		Resources map[string]struct {
			Properties struct{ Code struct{ S3Key string } }
		}
	}
	if err := json.Unmarshal(template, &read); err != nil {
		p.t.Fatal(err)
	}
	return sandbox.App{
		StackName: "MywsappTesting", Template: template, Port: freePort(p.t), Exact: true,
		Functions: map[string]sandbox.LiveFunction{
			"GetIndexHTTPLambda": {Label: "@http get /", Dir: p.write("src/http/get-index/index.mjs", index("one"))},
			"ConnectWSLambda":    {Label: "@ws connect", Dir: p.write("src/ws/connect/index.mjs", "export const handler = async () => ({ statusCode: 200 })")},
			"DisconnectWSLambda": {Label: "@ws disconnect", Dir: p.write("src/ws/disconnect/index.mjs", "export const handler = async () => ({ statusCode: 200 })")},
			"DefaultWSLambda":    {Label: "@ws default", Dir: p.write("src/ws/default/index.mjs", echo)},
		},
		Static: p.write("public/a.txt", "static"), Bucket: "StaticBucket",
		AssetKey: read.Resources["StaticAssetHTTPLambda"].Properties.Code.S3Key,
		Warm:     []string{"GetIndexHTTPLambda"},
	}
}

func index(text string) string {
	return fmt.Sprintf("console.log('says %s')\nexport const handler = async () => ({ statusCode: 200, body: '%s' })", text, text)
}

// echo answers through the connection's management API, which the environment names.
const echo = `
export const handler = async ({ body, requestContext }) => {
  const { ports } = JSON.parse(process.env.ARC_SANDBOX)
  const url = 'http://localhost:' + ports._arc + '/_arc/ws/@connections/' + encodeURIComponent(requestContext.connectionId)
  const { status } = await fetch(url, { method: 'POST', body: 'echo ' + body })
  return { statusCode: status }
}
`

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (p *project) run(c *sandbox.Cloud, app sandbox.App) map[string]string {
	p.t.Helper()
	outputs, err := c.Run(context.Background(), app)
	if err != nil {
		p.t.Fatal(err)
	}
	return outputs
}

// get fetches a page; with host, it asks for it in that name.
func get(t testing.TB, url string, change func(*http.Request)) (status int, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
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

// say sends a message and gives the answer.
func say(t testing.TB, conn *websocket.Conn, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	_, answer, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestLiveApp runs an app from its folders, changes its code and its template
// while a socket is open, and lets a deployed stack run beside it.
func TestLiveApp(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	c := p.start()
	app := p.live()
	outputs := p.run(c, app)
	page := func() string { _, body := get(t, outputs["API"], nil); return body }
	if got := page(); got != "one" {
		t.Fatalf("%s answers %q", outputs["API"], got)
	}
	if status, body := get(t, outputs["API"]+"/_static/a.txt", nil); status != 200 || body != "static" {
		t.Errorf("/_static/a.txt: %d %q", status, body)
	}
	conn, _, err := websocket.Dial(context.Background(), outputs["WSS"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if got := say(t, conn, "hello"); got != "echo hello" {
		t.Errorf("the socket answers %q", got)
	}

	p.write("src/http/get-index/index.mjs", index("two"))
	c.Changed(func(fn sandbox.LiveFunction) bool { return fn.Label == "@http get /" })
	if got := page(); got != "two" {
		t.Errorf("after a change: %q", got)
	}
	app.Template = bytes.ReplaceAll(app.Template, []byte(`"Description": "mywsapp, staging"`), []byte(`"Description": "again"`))
	if again := p.run(c, app); again["API"] != outputs["API"] {
		t.Errorf("the app moved from %s to %s", outputs["API"], again["API"])
	}
	p.write("public/b.txt", "new file")
	if _, body := get(t, outputs["API"]+"/_static/b.txt", nil); body != "new file" {
		t.Errorf("a new static file: %q", body)
	}
	if got := say(t, conn, "still there?"); got != "echo still there?" {
		t.Errorf("after the update the socket answers %q", got)
	}
	if !p.logged("@http get / | says two") {
		t.Errorf("no line of the function in %q", p.lines)
	}
	if got := logLines(t, c, "/arc/MywsappTesting/GetIndexHTTPLambda"); !slices.Contains(got, "says one") || !slices.Contains(got, "says two") {
		t.Errorf("its log group holds %q", got)
	}

	second := p.deploy(c)
	if status, _ := get(t, second, nil); status != http.StatusOK {
		t.Errorf("a deployed stack's %s: %d", second, status)
	}
	p.foreign(c.Running().Endpoint+"/_arc/health", outputs["API"], outputs["API"]+"/_static/a.txt", second, c.Running().Endpoint+"/")
	c.Close()
	if _, _, err := conn.Read(context.Background()); err == nil {
		t.Error("a socket outlived the cloud")
	}
}

// deploy brings a a hand-written stack to the running cloud with the SDK, and gives
// its URL.
func (p *project) deploy(c *sandbox.Cloud) string {
	p.t.Helper()
	return p.deployTemplate(c, "Hello", helloTemplate)
}

// helloTemplate is what deploy brings.
const helloTemplate = `{
  "Resources": {
    "Hello": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "Role": "arn:aws:iam::000000000000:role/r",
      "Code": {"ZipFile": "exports.handler = async () => 'hello'"}}},
    "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "hello", "ProtocolType": "HTTP"}},
    "Integration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {"ApiId": {"Ref": "Api"}, "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": {"Fn::GetAtt": ["Hello", "Arn"]}}},
    "Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Api"}, "RouteKey": "$default", "Target": {"Fn::Sub": "integrations/${Integration}"}}},
    "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": true}},
    "Allow": {"Type": "AWS::Lambda::Permission", "Properties": {"FunctionName": {"Ref": "Hello"}, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}}
  },
  "Outputs": {"URL": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}}
}`

// stacksOf is a client of the cloud's CloudFormation.
func stacksOf(c *sandbox.Cloud) *cloudformation.Client {
	return cloudformation.New(cloudformation.Options{
		Region: "us-west-2", BaseEndpoint: aws.String(c.Running().Endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "y"}, nil
		}),
	})
}

// refusal gives the reasons why a template does not become a stack.
func (p *project) refusal(c *sandbox.Cloud, name, template string) string {
	p.t.Helper()
	ctx, client := context.Background(), stacksOf(c)
	if _, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}); err != nil {
		return err.Error()
	}
	for {
		out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
		if err != nil {
			p.t.Fatal(err)
		}
		switch out.Stacks[0].StackStatus {
		case types.StackStatusCreateInProgress, types.StackStatusRollbackInProgress:
			continue
		}
		events, err := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(name)})
		if err != nil {
			p.t.Fatal(err)
		}
		var reasons []string
		for _, e := range events.StackEvents {
			reasons = append(reasons, aws.ToString(e.ResourceStatusReason))
		}
		return string(out.Stacks[0].StackStatus) + " " + strings.Join(reasons, " ")
	}
}

// deployTemplate makes a stack of a template whose only output is a URL.
func (p *project) deployTemplate(c *sandbox.Cloud, name, template string) string {
	p.t.Helper()
	ctx, client := context.Background(), stacksOf(c)
	if _, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template)}); err != nil {
		p.t.Fatal(err)
	}
	for {
		out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
		if err != nil {
			p.t.Fatal(err)
		}
		switch out.Stacks[0].StackStatus {
		case types.StackStatusCreateInProgress:
			continue
		case types.StackStatusCreateComplete:
			return aws.ToString(out.Stacks[0].Outputs[0].OutputValue)
		default:
			events, _ := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(name)})
			for _, e := range events.StackEvents {
				p.t.Logf("%s %s %s", aws.ToString(e.LogicalResourceId), e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
			}
			p.t.Fatalf("stack: %s", out.Stacks[0].StackStatus)
		}
	}
}

// logLines reads a log group as an AWS client does.
func logLines(t testing.TB, c *sandbox.Cloud, group string) (lines []string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"logGroupName": group})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, c.Running().Endpoint, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "Logs_20140328.FilterLogEvents")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/logs/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct{ Events []struct{ Message string } }
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	for _, e := range out.Events {
		lines = append(lines, e.Message)
	}
	return lines
}

// foreign asks every address in the name of other sites, on both loopback
// addresses.
func (p *project) foreign(addresses ...string) {
	p.t.Helper()
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, ip := range []string{"127.0.0.1", "[::1]"} {
			u.Host = ip + ":" + u.Port()
			if ip == "[::1]" && !hasIPv6() {
				continue
			}
			for what, change := range map[string]func(*http.Request){
				"Host":          func(r *http.Request) { r.Host = "attacker.example:" + u.Port() },
				"numeric Host":  func(r *http.Request) { r.Host = "10.0.0.1:" + u.Port() },
				"similar Host":  func(r *http.Request) { r.Host = "localhost.attacker.example:" + u.Port() },
				"other port":    func(r *http.Request) { r.Host = "localhost:1" },
				"Origin":        func(r *http.Request) { r.Header.Set("Origin", "https://attacker.example") },
				"opaque Origin": func(r *http.Request) { r.Header.Set("Origin", "null") },
				"WebSocket": func(r *http.Request) {
					r.Header.Set("Origin", "https://attacker.example")
					r.Header.Set("Connection", "Upgrade")
					r.Header.Set("Upgrade", "websocket")
					r.Header.Set("Sec-WebSocket-Version", "13")
					r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
				},
			} {
				if status, body := get(p.t, u.String(), change); status != http.StatusForbidden {
					p.t.Errorf("%s, foreign %s: %d %.80s", u, what, status, body)
				}
			}
		}
	}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// TestBusyPort refuses an app whose port somebody else has, and runs it later.
func TestBusyPort(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	c := p.start()
	app := p.live()
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", app.Port))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Run(context.Background(), app)
	busy, ok := errors.AsType[*sandbox.PortBusyError](err)
	if !ok || busy.Port != app.Port {
		t.Fatalf("a busy port: %v", err)
	}
	l.Close()
	if status, body := get(t, p.run(c, app)["API"], nil); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// TestFailedUpdate keeps the app as it was when its next template cannot be made.
func TestFailedUpdate(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	c := p.start()
	app := p.live()
	api := p.run(c, app)["API"]
	good := app.Template
	app.Template = bytes.Replace(good, []byte(`"Timeout": 5`), []byte(`"Timeout": 5000`), 1)
	if bytes.Equal(good, app.Template) {
		t.Fatal("the template has no timeout")
	}
	if _, err := c.Run(context.Background(), app); err == nil || !strings.Contains(err.Error(), "Timeout") {
		t.Errorf("a timeout of 5000 s: %v", err)
	}
	if _, body := get(t, api, nil); body != "one" {
		t.Errorf("after the failure: %q", body)
	}
	app.Template = good
	if again := p.run(c, app)["API"]; again != api {
		t.Errorf("the app moved to %s", again)
	}
}
