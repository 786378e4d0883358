package sandbox_test

import (
	"strings"
	"testing"
	"time"
)

// aws cloudformation deploy looks at a stack at once and then every 30 s: it does
// not sleep over one that is done in no time. Nor do its waiters.
// https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/
func TestDeployOfAWSCLI(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	c := p.start()
	aws := func(args ...string) string {
		return client(t, c, "aws", append([]string{"cloudformation", "--output", "text"}, args...)...)
	}
	file := p.write("template.yaml", "Resources: {Queue: {Type: AWS::SQS::Queue}, Table: {Type: AWS::SNS::Topic}}\nOutputs: {Queue: {Value: !GetAtt Queue.Arn}}\n") + "/template.yaml"
	began := time.Now()
	aws("deploy", "--stack-name", "quick", "--template-file", file)
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("deploy took %v: it slept", took)
	} else {
		t.Logf("deploy took %v", took)
	}
	if got := aws("describe-stacks", "--stack-name", "quick", "--query", "Stacks[].[StackStatus,Outputs[0].OutputValue]"); !strings.HasPrefix(got, "CREATE_COMPLETE\tarn:aws:sqs:us-west-2:000000000000:quick-Queue-") {
		t.Errorf("the stack is %s", got)
	}
	began = time.Now()
	aws("delete-stack", "--stack-name", "quick")
	aws("wait", "stack-delete-complete", "--stack-name", "quick")
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("deletion took %v: its waiter slept", took)
	}
}
