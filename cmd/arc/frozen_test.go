package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/coder/websocket"
)

const frozenApp = `
-- app.arc --
@app
frozen
@ws
@http
get /
-- src/http/get-index/index.mjs --
export const handler = async () => ({ statusCode: 200, body: 'fine' })
-- src/ws/connect/index.mjs --
export const handler = async () => ({ statusCode: 200 })
-- src/ws/default/index.mjs --
export const handler = async ({ requestContext: { connectionId }, body }) => {
  const url = process.env.ARC_WSS_URL.replace(/^ws/, 'http') + '/@connections/' + encodeURIComponent(connectionId)
  await fetch(url, { method: 'POST', body })
  return { statusCode: 200 }
}
-- src/ws/disconnect/index.mjs --
export const handler = async () => ({ statusCode: 200 })
`

// TestFrozenIntegration adds and removes provisioned concurrency, which moves an
// integration to an alias and its permission with it, under a running local
// cloud: with the new Deployment that arc's templates have, the sockets answer;
// with the one of before, which keeps the integration that was replaced, they
// fail as on AWS, and the log says which permission is missing.
func TestFrozenIntegration(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	arc, dir := buildArc(t), t.TempDir()
	writeArchive(t, dir, frozenApp)
	p := startArc(t, arc, dir, "sandbox", "--port", fmt.Sprint(freePort(t)))
	p.url(t, "HTTP")
	endpoint := regexp.MustCompile(`local cloud at (\S+)`).FindStringSubmatch(p.stderr.String())[1]
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	client := cloudformation.New(cloudformation.Options{
		Region: "us-west-2", BaseEndpoint: aws.String(endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "y"}, nil
		}),
	})
	const stack = "FrozenStaging"
	ws := ""
	// deploy has arc deploy the app, with so much of its actions provisioned, and
	// gives the template and the logical ID of the Deployment in it.
	deploy := func(provisioned int, functions ...string) (template, deployment string) {
		t.Helper()
		for _, fn := range []string{"connect", "default"} {
			config := filepath.Join(dir, "src/ws", fn, "config.arc")
			os.Remove(config)
			if strings.Contains(strings.Join(functions, " "), fn) {
				if err := os.WriteFile(config, fmt.Appendf(nil, "@aws\nprovisionedConcurrency %d\n", provisioned), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
		cmd := exec.Command(arc, "deploy", "--local")
		cmd.Dir, cmd.Env = dir, arcEnv(dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		ws = regexp.MustCompile(`(?m)^WS +(\S+)$`).FindStringSubmatch(string(out))[1]
		got, err := client.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(stack)})
		if err != nil {
			t.Fatal(err)
		}
		template = aws.ToString(got.TemplateBody)
		var parsed struct {
			Resources map[string]struct{ Type string }
		}
		if err := json.Unmarshal([]byte(template), &parsed); err != nil {
			t.Fatal(err)
		}
		for id, r := range parsed.Resources {
			if r.Type == "AWS::ApiGatewayV2::Deployment" {
				deployment = id
			}
		}
		return template, deployment
	}
	// foreign brings a template to the stack with somebody else's tool.
	foreign := func(template string) {
		t.Helper()
		described, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)})
		if err != nil {
			t.Fatal(err)
		}
		var parameters []types.Parameter
		for _, p := range described.Stacks[0].Parameters {
			parameters = append(parameters, types.Parameter{ParameterKey: p.ParameterKey, UsePreviousValue: aws.Bool(true)})
		}
		if _, err := client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String(stack), TemplateBody: aws.String(template),
			Parameters: parameters, Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand}}); err != nil {
			t.Fatal(err)
		}
		if err := cloudformation.NewStackUpdateCompleteWaiter(client, func(o *cloudformation.StackUpdateCompleteWaiterOptions) {
			o.MinDelay, o.MaxDelay = 50*time.Millisecond, 200*time.Millisecond
		}).Wait(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stack)}, time.Minute); err != nil {
			events, _ := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(stack)})
			for _, e := range events.StackEvents {
				if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") {
					t.Logf("%s: %s", aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceStatusReason))
				}
			}
			t.Fatal(err)
		}
	}
	// again is a template whose functions differ in something else as well: Lambda has
	// no second version of what it has one of.
	again := func(template string) string {
		return strings.ReplaceAll(template, `"Handler":`, `"Description": "again", "Handler":`)
	}
	answers := func(want string) {
		t.Helper()
		conn, _, err := websocket.Dial(ctx, ws, nil)
		if err != nil {
			t.Errorf("connecting: %v", err)
			return
		}
		defer conn.CloseNow()
		if err := conn.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		_, answer, err := conn.Read(ctx)
		if err != nil || !strings.Contains(string(answer), want) {
			t.Errorf("%s %v, want %s", answer, err, want)
		}
	}
	says := func(text string) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if regexp.MustCompile(text).MatchString(p.stderr.String()) {
				return
			}
		}
		t.Errorf("%s is not in the log:\n%s", text, p.stderr)
	}

	plain, first := deploy(0)
	answers("hello")
	provisioned, second := deploy(1, "default")
	answers("hello")
	if first == second {
		t.Fatal("the integration moved, and there is no new Deployment")
	}
	deploy(0)
	answers("hello")

	// The integration, and its permission, move to the alias; the Deployment is
	// that of before.
	foreign(again(strings.ReplaceAll(provisioned, second, first)))
	answers("Internal server error")
	says(`apigateway.amazonaws.com may not invoke it: there is no AWS::Lambda::Permission .*/staging/\$default matches; one with another alias.*there must be a new AWS::ApiGatewayV2::Deployment`)
	// And back: the alias that the Deployment calls is gone.
	deploy(1, "default")
	answers("hello")
	foreign(strings.ReplaceAll(plain, first, second))
	answers("Internal server error")
	says(`no such function`)

	// Where that is $connect, nobody gets in.
	deploy(0)
	provisioned, second = deploy(1, "connect")
	answers("hello")
	_, first = deploy(0)
	foreign(again(strings.ReplaceAll(provisioned, second, first)))
	if _, resp, err := websocket.Dial(ctx, ws, nil); err == nil || resp == nil || resp.StatusCode != 500 {
		t.Errorf("connecting: %v %v", resp, err)
	}
}
