package sandbox_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestStatesOfBoto3 has boto3 make, run and read state machines.
func TestStatesOfBoto3(t *testing.T) {
	c := newProject(t).start()
	if out := client(t, c, "python3", filepath.Join("testdata", "states.py")); !strings.HasSuffix(out, "ok") {
		t.Error(out)
	}
}

// TestStatesOfAWSCLI has the AWS CLI do what its guide shows.
// https://docs.aws.amazon.com/cli/latest/reference/stepfunctions/
func TestStatesOfAWSCLI(t *testing.T) {
	c := newProject(t).start()
	aws := func(args ...string) string {
		return client(t, c, "aws", append([]string{"stepfunctions", "--output", "text"}, args...)...)
	}
	arn := aws("create-state-machine", "--name", "m", "--role-arn", "arn:aws:iam::000000000000:role/any", "--query", "stateMachineArn",
		"--definition", `{"StartAt":"S","States":{"S":{"Type":"Pass","Parameters":{"twice.$":"States.Format('{}{}', $.n, $.n)"},"End":true}}}`)
	x := aws("start-execution", "--state-machine-arn", arn, "--name", "one", "--input", `{"n":4}`, "--query", "executionArn")
	if x != "arn:aws:states:us-west-2:000000000000:execution:m:one" {
		t.Errorf("the execution is %s", x)
	}
	wait(t, func() bool {
		return aws("describe-execution", "--execution-arn", x, "--query", "[status,output]") == "SUCCEEDED\t"+`{"twice":"44"}`
	}, func() string { return aws("describe-execution", "--execution-arn", x) })
	if got := aws("get-execution-history", "--execution-arn", x, "--query", "events[].type"); got != "ExecutionStarted\tPassStateEntered\tPassStateExited\tExecutionSucceeded" {
		t.Errorf("history %s", got)
	}
	if got := aws("list-executions", "--state-machine-arn", arn, "--query", "executions[].name"); got != "one" {
		t.Errorf("executions %s", got)
	}
}
