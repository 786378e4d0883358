package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox"
)

// client runs a program that knows nothing but the endpoint.
func client(t *testing.T, c *sandbox.Cloud, name string, args ...string) string {
	t.Helper()
	need(t, name)
	cmd := exec.Command(name, args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ENDPOINT_URL=" + c.Running().Endpoint, "AWS_REGION=us-west-2", "AWS_DEFAULT_REGION=us-west-2",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestEventsOfBoto3 has boto3 make rules, buses and schedules, and receive what
// comes to their targets.
func TestEventsOfBoto3(t *testing.T) {
	t.Parallel()
	c := newProject(t).start()
	script, err := filepath.Abs(filepath.Join("testdata", "events.py"))
	if err != nil {
		t.Fatal(err)
	}
	if out := client(t, c, "python3", script); !strings.HasSuffix(out, "ok") {
		t.Error(out)
	}
}

// TestEventsOfAWSCLI has awscli do the same, in fewer words.
func TestEventsOfAWSCLI(t *testing.T) {
	t.Parallel()
	c := newProject(t).start()
	aws := func(args ...string) string {
		// For SQS alone, version 1 of the CLI does not look at AWS_ENDPOINT_URL.
		return client(t, c, "aws", append(args, "--endpoint-url", c.Running().Endpoint, "--output", "text")...)
	}
	const queue, policy = "arn:aws:sqs:us-west-2:000000000000:jobs", `{"Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}`
	url := aws("sqs", "create-queue", "--queue-name", "jobs", "--attributes", `{"Policy":"`+strings.ReplaceAll(policy, `"`, `\"`)+`"}`)
	aws("events", "create-event-bus", "--name", "shop")
	aws("events", "put-rule", "--name", "paid", "--event-bus-name", "shop", "--event-pattern", `{"detail":{"paid":[true]}}`)
	aws("events", "put-targets", "--rule", "paid", "--event-bus-name", "shop", "--targets", "Id=1,Arn="+queue+",InputPath=$.detail")
	entries := func(paid string) string {
		return `[{"EventBusName":"shop","Source":"web","DetailType":"order","Detail":"{\"paid\":` + paid + `}"}]`
	}
	aws("events", "put-events", "--entries", entries("false"))
	if got := aws("events", "put-events", "--entries", entries("true"), "--query", "FailedEntryCount"); got != "0" {
		t.Errorf("%s entries failed", got)
	}
	if got := aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "20", "--query", "Messages[].Body"); got != `{"paid":true}` {
		t.Errorf("the rule's target was given %s", got)
	}
	aws("scheduler", "create-schedule", "--name", "nightly", "--schedule-expression", "cron(30 2 * * ? *)", "--schedule-expression-timezone", "Europe/Berlin",
		"--flexible-time-window", "Mode=OFF", "--target", "Arn="+queue+",RoleArn=arn:aws:iam::000000000000:role/r")
	if got := aws("scheduler", "get-schedule", "--name", "nightly", "--query", "[ScheduleExpression,ScheduleExpressionTimezone,State]"); got != "cron(30 2 * * ? *)\tEurope/Berlin\tENABLED" {
		t.Errorf("the schedule is %s", got)
	}
	aws("scheduler", "delete-schedule", "--name", "nightly")
	if got := aws("scheduler", "list-schedules", "--query", "length(Schedules)"); got != "0" {
		t.Errorf("%s schedules are left", got)
	}
}
