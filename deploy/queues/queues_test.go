package queues_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"arc/deploy/queues"
	"arc/deploy/signed"
	"arc/sandbox"
	"arc/sandbox/activity"
)

func configFor(endpoint string) aws.Config {
	return aws.Config{Region: "us-west-2", BaseEndpoint: aws.String(endpoint), Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), HTTPClient: http.DefaultClient}
}

// account is SQS as the local cloud has it, and calls that the package has no use
// for.
type account struct {
	t *testing.T
	*queues.Client
	raw *signed.Client
}

func newAccount(t *testing.T) account {
	t.Helper()
	c, err := sandbox.Start(sandbox.Options{
		Project: t.TempDir(), Registry: sandbox.Registry{Dir: filepath.Join(t.TempDir(), "arc", "local")}, Region: "us-west-2",
		Path: os.Getenv("PATH"), Tell: func(activity.Event) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	cfg := configFor(c.Running().Endpoint)
	return account{t, queues.New(cfg), &signed.Client{Config: cfg, ID: "SQS", Name: "sqs", Target: "AmazonSQS", Version: "1.0"}}
}

func (a account) call(operation string, in map[string]any) map[string]any {
	a.t.Helper()
	out := map[string]any{}
	if err := a.raw.Call(a.t.Context(), operation, in, &out); err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a account) create(name string, attributes map[string]string) string {
	a.t.Helper()
	in := map[string]any{"QueueName": name}
	if attributes != nil {
		in["Attributes"] = attributes
	}
	return a.call("CreateQueue", in)["QueueUrl"].(string)
}

func (a account) describe(url string) queues.Queue {
	a.t.Helper()
	q, err := a.Describe(a.t.Context(), url)
	if err != nil {
		a.t.Fatal(err)
	}
	return q
}

// TestLook looks at the messages of a queue, which are there afterwards as they
// were, and brings dead letters back to where they came from.
func TestLook(t *testing.T) {
	a := newAccount(t)
	dead := a.create("dead", nil)
	deadARN := a.describe(dead).ARN
	jobs := a.create("jobs", map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"1"}`, deadARN)})
	for i := range 12 {
		a.call("SendMessage", map[string]any{"QueueUrl": jobs, "MessageBody": fmt.Sprint("m", i), "MessageAttributes": map[string]any{"n": map[string]any{"DataType": "Number", "StringValue": fmt.Sprint(i)}}})
	}
	a.call("SendMessage", map[string]any{"QueueUrl": jobs, "MessageBody": "later", "DelaySeconds": 900})
	if q := a.describe(jobs); q.Name != "jobs" || q.DeadLetters != deadARN || q.FIFO || q.Waiting != 12 || q.Delayed != 1 || q.All() != 13 {
		t.Fatalf("%+v", q)
	}
	for range 2 { // each is received once, and then a dead letter
		for {
			got, err := a.Receive(t.Context(), jobs, 10, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == 0 {
				break
			}
		}
	}
	if q := a.describe(dead); q.Waiting != 12 || q.DeadLetters != "" {
		t.Fatalf("%+v", q)
	}
	if sources, err := a.Sources(t.Context(), dead); err != nil || !slices.Equal(sources, []string{jobs}) {
		t.Errorf("sources %v %v", sources, err)
	}
	var bodies []string
	seen, err := a.Look(t.Context(), dead, 100, func(m queues.Message) error {
		bodies = append(bodies, m.Body)
		if m.Attributes["n"].Value != strings.TrimPrefix(m.Body, "m") || time.Since(m.Sent()) > time.Hour || m.ID == "" {
			t.Errorf("%+v", m)
		}
		return nil
	})
	slices.Sort(bodies)
	if err != nil || seen != 12 || len(slices.Compact(bodies)) != 12 {
		t.Errorf("%d seen, %v: %v", seen, bodies, err)
	}
	// All of them can be had again at once.
	if q := a.describe(dead); q.Waiting != 12 || q.InFlight != 0 {
		t.Errorf("after a look: %+v", q)
	}
	if seen, err := a.Look(t.Context(), dead, 3, func(queues.Message) error { return nil }); err != nil || seen != 3 {
		t.Errorf("%d of 3: %v", seen, err)
	}
	stop := fmt.Errorf("enough")
	if seen, err := a.Look(t.Context(), dead, 9, func(queues.Message) error { return stop }); err != stop || seen != 0 {
		t.Errorf("stopped: %d %v", seen, err)
	}
	if q := a.describe(dead); q.Waiting != 12 {
		t.Errorf("after one that was stopped: %+v", q)
	}
	got, err := a.Receive(t.Context(), dead, 1, time.Minute)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if err := a.Delete(t.Context(), dead, got[0]); err != nil {
		t.Fatal(err)
	}
	if moved, err := a.Move(t.Context(), deadARN, time.Millisecond); err != nil || moved != 11 {
		t.Errorf("%d moved: %v", moved, err)
	}
	if q := a.describe(jobs); q.Waiting != 11 {
		t.Errorf("after the move: %+v", q)
	}
	if err := a.Purge(t.Context(), jobs); err != nil || a.describe(jobs).All() != 0 {
		t.Errorf("purged: %v, %+v", err, a.describe(jobs))
	}
	if _, err := a.Describe(t.Context(), jobs+"x"); err == nil {
		t.Error("a queue that is not there was described")
	}
}

// TestRefusedRelease: what SQS does not take back of a batch is told.
func TestRefusedRelease(t *testing.T) {
	a := newAccount(t)
	jobs := a.create("jobs", nil)
	err := a.Release(t.Context(), jobs, []queues.Message{{Handle: "none"}})
	if err == nil || !strings.HasPrefix(err.Error(), "1 messages of jobs: ") {
		t.Error(err)
	}
}

// pages is a server that answers one page after another, and notes what was asked.
func pages(t *testing.T, asked *[]string, answers ...string) *queues.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in struct{ NextToken, SourceArn string }
		json.Unmarshal(body, &in)
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		*asked = append(*asked, operation+" "+in.NextToken)
		io.WriteString(w, answers[min(len(*asked), len(answers))-1])
	}))
	t.Cleanup(server.Close)
	return queues.New(configFor(server.URL))
}

// TestPages: queues come in pages and in no order.
func TestPages(t *testing.T) {
	var asked []string
	c := pages(t, &asked, `{"QueueUrls":["http://x/c","http://x/b"],"NextToken":"more"}`, `{"QueueUrls":["http://x/a"]}`)
	if urls, err := c.URLs(t.Context()); err != nil || strings.Join(urls, " ") != "http://x/a http://x/b http://x/c" || strings.Join(asked, ",") != "ListQueues ,ListQueues more" {
		t.Error(urls, asked, err)
	}
	asked = nil
	c = pages(t, &asked, `{"queueUrls":["http://x/c","http://x/b"],"NextToken":"more"}`, `{"queueUrls":["http://x/a"]}`)
	if urls, err := c.Sources(t.Context(), "http://x/d"); err != nil || strings.Join(urls, " ") != "http://x/a http://x/b http://x/c" || strings.Join(asked, ",") != "ListDeadLetterSourceQueues ,ListDeadLetterSourceQueues more" {
		t.Error(urls, asked, err)
	}
}

// TestMoveEnds: a move that is under way is waited for, and one that ends
// otherwise says how.
func TestMoveEnds(t *testing.T) {
	task := func(status string, n int) string {
		return fmt.Sprintf(`{"Results":[{"Status":%q,"FailureReason":"no right","ApproximateNumberOfMessagesMoved":%d}]}`, status, n)
	}
	for end, want := range map[string]string{"COMPLETED": "", "FAILED": "SQS stopped: no right", "CANCELLED": "somebody cancelled it"} {
		var asked []string
		moved, err := pages(t, &asked, `{"TaskHandle":"h"}`, `{"Results":[]}`, task("RUNNING", 1), task(end, 2)).Move(t.Context(), "arn", time.Millisecond)
		if moved != 2 || (err == nil) != (want == "") || err != nil && err.Error() != want || len(asked) != 4 {
			t.Errorf("%s: %d moved, %v, %q", end, moved, err, asked)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	var asked []string
	c := pages(t, &asked, `{"TaskHandle":"h"}`, task("RUNNING", 1))
	time.AfterFunc(20*time.Millisecond, func() { cancel(fmt.Errorf("Ctrl-C")) })
	if _, err := c.Move(ctx, "arn", time.Hour); err == nil {
		t.Error("a move that was not waited for was told as done")
	}
}
