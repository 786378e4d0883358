package logs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	client "arc/deploy/logs"
	"arc/sandbox/logs"
)

const account = "000000000000"

func serve(t *testing.T) (*logs.Store, *client.Client, string) {
	t.Helper()
	store := logs.New(account, "us-west-2")
	server := httptest.NewServer(store.Endpoint().Handler)
	t.Cleanup(server.Close)
	cfg := aws.Config{
		Region: "us-west-2", BaseEndpoint: aws.String(server.URL), HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
	return store, client.New(cfg, cfg), server.URL
}

// TestLiveTail follows two groups through AWS's protocol.
func TestLiveTail(t *testing.T) {
	store, c, _ := serve(t)
	store.Append("a", "s", "before")
	store.Append("b/c", "s", "before")
	store.Append("other", "s", "before")
	session, err := c.Live(t.Context(), []string{c.ARN(account, "a"), c.ARN(account, "b/c")}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	store.Append("a", "s", "one")
	store.Append("b/c", "s", "two")
	store.Append("other", "s", "not followed")
	update, err := session.Next()
	if err != nil || update.Sampled || len(update.Events) != 2 {
		t.Fatalf("%+v %v", update, err)
	}
	for i, want := range []client.Event{{Group: "a", Stream: "s", Message: "one"}, {Group: "b/c", Stream: "s", Message: "two"}} {
		if update.Events[i].At = 0; update.Events[i] != want {
			t.Errorf("%+v", update.Events[i])
		}
	}
	for i := range 800 {
		store.Append("a", "s", fmt.Sprint("many ", i))
	}
	if update, err := session.Next(); err != nil || !update.Sampled || len(update.Events) != 500 {
		t.Errorf("%d events, sampled %t, %v", len(update.Events), update.Sampled, err)
	}
	if update, err := session.Next(); err != nil || update.Sampled || len(update.Events) != 0 {
		t.Errorf("a quiet second: %+v %v", update, err)
	}
}

func TestLiveTailIsRefused(t *testing.T) {
	store, c, _ := serve(t)
	store.Append("a", "s", "x")
	eleven := make([]string, 11)
	for i := range eleven {
		eleven[i] = c.ARN(account, "a")
	}
	for name, try := range map[string]struct {
		arns    []string
		pattern string
		code    string
	}{
		"no group":        {nil, "", "InvalidParameterException"},
		"eleven groups":   {eleven, "", "InvalidParameterException"},
		"a group of none": {[]string{c.ARN(account, "none")}, "", "ResourceNotFoundException"},
		"a JSON pattern":  {eleven[:1], "{ $.level = 50 }", "InvalidParameterException"},
	} {
		_, err := c.Live(t.Context(), try.arns, try.pattern)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != try.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := c.Filter(t.Context(), "a", 0, 0, "[a, b]", ""); err == nil {
		t.Error("a pattern of columns was taken for words")
	}
}

// TestFollowed follows through the protocol with all parts that are real.
func TestFollowed(t *testing.T) {
	store, c, _ := serve(t)
	for i := range 20 {
		store.Append("a", "s", fmt.Sprint("early ", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := map[string]int{}
	f := client.Follower{API: c, Groups: []string{"a"}, ARNs: []string{c.ARN(account, "a")}, Note: t.Logf, Tell: func(events []client.Event) error {
		for _, e := range events {
			told[e.Message]++
		}
		return nil
	}}
	done := make(chan error)
	go func() { done <- f.Follow(ctx, time.Now().Add(-time.Minute)) }()
	for i := range 1200 {
		store.Append("a", "s", fmt.Sprint("late ", i))
		if i%300 == 0 {
			time.Sleep(200 * time.Millisecond)
		}
	}
	time.Sleep(5 * time.Second) // the search of what the stream left out comes after three
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for message, n := range told {
		if n != 1 {
			t.Errorf("%s was told %d times", message, n)
		}
	}
	if len(told) != 1220 {
		t.Errorf("%d of 1220", len(told))
	}
}

func TestDeleteStream(t *testing.T) {
	store, c, _ := serve(t)
	store.Append("a", "one", "1")
	store.Append("a", "two", "2")
	if err := c.DeleteStream(t.Context(), "a", "one"); err != nil {
		t.Fatal(err)
	}
	if names, _, err := c.Streams(t.Context(), "a", ""); err != nil || len(names) != 1 || names[0] != "two" {
		t.Errorf("%q %v", names, err)
	}
	if page, _, err := c.Filter(t.Context(), "a", 0, time.Now().Add(time.Hour).UnixMilli(), "", ""); err != nil || len(page) != 1 || page[0].Message != "2" {
		t.Errorf("%+v %v", page, err)
	}
	if err := c.DeleteStream(t.Context(), "a", "one"); err == nil {
		t.Error("deleted twice")
	}
}

// TestLiveTailOfBoto3 reads the stream with AWS's own client, which is told not
// to put a name in front of the host.
func TestLiveTailOfBoto3(t *testing.T) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("boto3 is not installed: CI needs it")
		}
		t.Skip("boto3 is not installed: its reading of the stream cannot be tried")
	}
	store, c, url := serve(t)
	store.Append("a", "s", "before")
	cmd := exec.CommandContext(t.Context(), "python3", "-c", `
import sys, boto3
from botocore.config import Config
logs = boto3.client("logs", endpoint_url=sys.argv[1], region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x",
                    config=Config(inject_host_prefix=False))
stream = logs.start_live_tail(logGroupIdentifiers=[sys.argv[2]])["responseStream"]
for event in stream:
    if "sessionStart" in event:
        print("started", event["sessionStart"]["logGroupIdentifiers"] == [sys.argv[2]], flush=True)
    for e in event.get("sessionUpdate", {}).get("sessionResults", []):
        print(e["logGroupIdentifier"], e["logStreamName"], e["message"], flush=True)
        sys.exit(0)
`, url, c.ARN(account, "a"))
	go func() {
		for t.Context().Err() == nil {
			store.Append("a", "s", "now")
			time.Sleep(500 * time.Millisecond)
		}
	}()
	out, err := cmd.CombinedOutput()
	if want := "started True\n" + account + ":a s now\n"; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v\n%s", err, out)
	}
}
