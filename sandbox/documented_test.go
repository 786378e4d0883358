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

	"arc/sandbox/gateway/documented"
)

// TestDocumented plays the tables of docs/http.md and docs/websockets.md against
// their template as anybody deploys it, with the functions of Node that are in it.
func TestDocumented(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	c := p.start()
	template, err := os.ReadFile(filepath.Join("gateway", "documented", "template.json"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	client, name := stacksOf(c), aws.String("Documented")
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
	to := documented.Target{}
	for _, output := range made.Stacks[0].Outputs {
		switch aws.ToString(output.OutputKey) {
		case "Http":
			to.HTTP = aws.ToString(output.OutputValue)
		case "Socket":
			to.Socket = aws.ToString(output.OutputValue)
		}
	}
	for _, page := range []string{"http.md", "websockets.md"} {
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
