package sandbox_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/sandbox"
	"arc/sandbox/gateway/documented"
)

// TestDocumented plays the tables of docs/http.md, docs/websockets.md and docs/rest.md
// against their templates as anybody deploys them, with the functions of Node that are
// in them.
func TestDocumented(t *testing.T) {
	t.Parallel()
	need(t, "node")
	p := newProject(t)
	c := p.start()
	made := deployed(t, c, "Documented", filepath.Join("gateway", "documented", "template.json"))
	deployed(t, c, "DocumentedRest", filepath.Join("restapi", "documented", "template.yaml"))
	socket := documented.Target{HTTP: made["Http"], Socket: made["Socket"]}
	for page, to := range map[string]documented.Target{"http.md": socket, "websockets.md": socket, "rest.md": {HTTP: p.restAddress()}} {
		cases, err := documented.Read(filepath.Join("..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range cases {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			if err := row.Play(ctx, to); err != nil {
				t.Errorf("docs/%s:%d: %s: %v\n%s", page, row.Line, row.Says, err, row.Page)
			}
			cancel()
		}
	}
}

// deployed makes a stack of a file and gives its outputs.
func deployed(t *testing.T, c *sandbox.Cloud, stack, file string) map[string]string {
	t.Helper()
	template, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	client, name := stacksOf(c), aws.String(stack)
	if _, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: name, TemplateBody: aws.String(string(template)), Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	}); err != nil {
		t.Fatal(err)
	}
	waiter := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	made, err := waiter.WaitForOutput(ctx, &cloudformation.DescribeStacksInput{StackName: name}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	for _, output := range made.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return outputs
}
