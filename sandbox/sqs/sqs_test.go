package sqs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"arc/sandbox/door"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/sqs"
	"arc/sandbox/stack"
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

// A queue and what is in it are there in the next run, in its order: what was in
// flight comes again when its time is over, and what was taken is known.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sqs.log")
	ctx := t.Context()
	run := func(work func(*sqs.Service, *manual)) {
		t.Helper()
		log, err := journal.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		clock := &manual{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		s := sqs.New(sqs.Options{Account: "123456789012", Region: "us-west-2", Clock: clock})
		if err := s.Restore(log); err != nil {
			t.Fatal(err)
		}
		work(s, clock)
		s.Close(ctx)
		log.Close()
	}
	orders := map[string]any{"FifoQueue": true, "ContentBasedDeduplication": true, "RedrivePolicy": map[string]any{"deadLetterTargetArn": "arn:aws:sqs:us-west-2:123456789012:dead.fifo", "maxReceiveCount": "5"}}
	req := stack.Request{Stack: stack.Ref{Name: "app"}, LogicalID: "Orders", Type: "AWS::SQS::Queue", Token: "TOKEN", Properties: orders}
	url := ""
	run(func(s *sqs.Service, _ *manual) {
		must(t, s, "CreateQueue", `{"QueueName":"dead.fifo","Attributes":{"FifoQueue":"true"}}`)
		made, err := s.Registrations()[req.Type].Provider.Create(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		url = made.PhysicalID
		for _, body := range []string{"a", "b", "c"} {
			must(t, s, "SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"`+body+`","MessageGroupId":"g"}`)
		}
		got, err := s.Take(ctx, "arn:aws:sqs:us-west-2:123456789012:app-Orders-TOKEN.fifo", 2, 0)
		if err != nil || len(got) != 2 {
			t.Fatal(got, err)
		}
		s.Delete("arn:aws:sqs:us-west-2:123456789012:app-Orders-TOKEN.fifo", got[0].Handle)
	})
	run(func(s *sqs.Service, clock *manual) {
		req.Restored, req.PhysicalID, req.Token = true, url, "OTHER"
		made, err := s.Registrations()[req.Type].Provider.Create(ctx, req)
		if err != nil || made.PhysicalID != url {
			t.Fatalf("made again: %+v %v", made, err)
		}
		must(t, s, "SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"a","MessageGroupId":"g"}`) // known
		must(t, s, "SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"d","MessageGroupId":"g"}`)
		if got := bodies(t, s, made.Attributes["Arn"].(string)); got != "" {
			t.Errorf("in flight, and yet received: %s", got)
		}
		clock.advance(30 * time.Second)
		if got := bodies(t, s, made.Attributes["Arn"].(string)); got != "b2 c1 d1" {
			t.Errorf("after the restart: %s", got)
		}
	})
}

// bodies takes what there is and gives it with its receive counts.
func bodies(t *testing.T, s *sqs.Service, arn string) string {
	t.Helper()
	got, err := s.Take(t.Context(), arn, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range got {
		out = append(out, m.Body+m.System["ApproximateReceiveCount"])
	}
	return strings.Join(out, " ")
}

// must calls an operation that has to go well.
func must(t *testing.T, s *sqs.Service, operation, body string) any {
	t.Helper()
	out, err := s.Handle(t.Context(), operation, []byte(body))
	if err != nil {
		t.Fatalf("%s %s: %v", operation, body, err)
	}
	return out
}

// manual is a clock that stands still until it is told.
type manual struct {
	mu      sync.Mutex
	now     time.Time
	waiting map[chan time.Time]time.Time
}

var _ invoke.Clock = (*manual)(nil)

func (c *manual) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manual) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ready := make(chan time.Time, 1)
	if d <= 0 {
		ready <- c.now
		return ready
	}
	if c.waiting == nil {
		c.waiting = map[chan time.Time]time.Time{}
	}
	c.waiting[ready] = c.now.Add(d)
	return ready
}

func (c *manual) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for ready, at := range c.waiting {
		if !at.After(c.now) {
			ready <- c.now
			delete(c.waiting, ready)
		}
	}
}
