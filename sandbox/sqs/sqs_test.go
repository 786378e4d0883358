package sqs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox/door"
	"arc/sandbox/sqs"
	"arc/sandbox/wire"
)

// serve runs the service behind a port of the local cloud.
func serve(t *testing.T, s *sqs.Service) (endpoint string) {
	t.Helper()
	port, err := door.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	port.Serve(door.Guard{Kind: door.Signed, Handler: wire.New(s.Endpoint())}, door.NewBudget(64<<20), nil)
	t.Cleanup(port.Close)
	return "http://" + port.Address()
}

// need finds a tool on this machine. Where CI runs, it must be there.
func need(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed: CI needs it", tool)
		}
		t.Skipf("%s is not installed: this client cannot be tried", tool)
	}
	return path
}

// client runs a program that knows nothing but the endpoint.
func client(t *testing.T, endpoint, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(need(t, name), args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ENDPOINT_URL=" + endpoint, "AWS_REGION=us-west-2", "AWS_DEFAULT_REGION=us-west-2",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// boto3 speaks JSON, and compares the digests of what it sends.
func TestBoto3(t *testing.T) {
	endpoint := ""
	s := sqs.New(sqs.Options{Account: "123456789012", Region: "us-west-2", URL: func() string { return endpoint }})
	defer s.Close(t.Context())
	endpoint = serve(t, s)
	script, err := filepath.Abs(filepath.Join("testdata", "client.py"))
	if err != nil {
		t.Fatal(err)
	}
	if out := client(t, endpoint, "python3", script); !strings.HasSuffix(out, "ok") {
		t.Error(out)
	}
}

func TestAWSCLI(t *testing.T) {
	endpoint := ""
	s := sqs.New(sqs.Options{Account: "123456789012", Region: "us-west-2", URL: func() string { return endpoint }})
	defer s.Close(t.Context())
	endpoint = serve(t, s)
	aws := func(args ...string) string {
		// For SQS alone, version 1 of the CLI does not look at AWS_ENDPOINT_URL.
		return client(t, endpoint, "aws", append(append([]string{"sqs", "--endpoint-url", endpoint}, args...), "--output", "text")...)
	}
	url := aws("create-queue", "--queue-name", "jobs", "--attributes", "VisibilityTimeout=0")
	if url != endpoint+"/123456789012/jobs" {
		t.Fatalf("queue: %s", url)
	}
	if got := aws("send-message", "--queue-url", url, "--message-body", "hello", "--query", "MD5OfMessageBody"); got != "5d41402abc4b2a76b9719d911017c592" {
		t.Errorf("digest: %s", got)
	}
	if got := aws("receive-message", "--queue-url", url, "--query", "Messages[].Body"); got != "hello" {
		t.Errorf("received: %s", got)
	}
}
