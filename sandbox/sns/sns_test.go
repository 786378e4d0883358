package sns_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/door"
	"arc/sandbox/invoke"
	"arc/sandbox/sns"
	"arc/sandbox/wire"
)

// boto3 makes topics and subscriptions and publishes; it asks an HTTP server of
// the test what came there, and the test's own queue and function what came to
// them.
func TestBoto3(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(python, "-c", "import boto3").Run()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("boto3 is not installed: CI needs it: %v", err)
		}
		t.Skipf("boto3 is not installed: %v", err)
	}
	var mu sync.Mutex
	came := []map[string]any{} // in order
	take := func(to string, more map[string]any) {
		mu.Lock()
		defer mu.Unlock()
		more["to"] = to
		came = append(came, more)
	}
	endpoint := ""
	s := sns.New(sns.Options{
		Account: "123456789012", Region: "us-west-2", URL: func() string { return endpoint },
		Send: func(_ context.Context, arn string, m invoke.Message) error {
			if strings.HasSuffix(arn, ":missing") || strings.HasSuffix(arn, ":forbidden") {
				return fmt.Errorf("%s: %w", arn, invoke.ErrForbidden)
			}
			attributes := map[string]string{}
			for name, a := range m.Attributes {
				attributes[name] = a.Type + "=" + a.Value
			}
			take(arn[strings.LastIndexByte(arn, ':')+1:], map[string]any{"body": string(m.Body), "group": m.Group, "dedup": m.Dedup, "attributes": attributes})
			return nil
		},
	})
	t.Cleanup(func() { s.Close(context.Background()) })
	port, err := door.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	e := s.Endpoint()
	port.Serve(door.Routes(door.Guard{},
		door.Route{Pattern: e.Unsigned, Guard: door.Guard{Kind: door.Unsigned, Handler: e.Handler}},
		door.Route{Pattern: "/", Guard: door.Guard{Kind: door.Signed, Handler: wire.New(e)}},
	), door.NewBudget(64<<20), nil)
	t.Cleanup(port.Close)
	endpoint = "http://" + port.Address()

	// /came tells what came; everything else is a subscriber.
	subscriber := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/came" {
			mu.Lock()
			defer mu.Unlock()
			json.NewEncoder(w).Encode(came)
			came = came[:0]
			return
		}
		body, _ := io.ReadAll(r.Body)
		take("http", map[string]any{"body": string(body), "type": r.Header.Get("x-amz-sns-message-type"), "raw": r.Header.Get("x-amz-sns-rawdelivery")})
		if r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusGone)
		}
	}))
	t.Cleanup(subscriber.Close)

	script, err := filepath.Abs(filepath.Join("testdata", "client.py"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, script, subscriber.URL)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ENDPOINT_URL=" + endpoint, "AWS_REGION=us-west-2", "AWS_DEFAULT_REGION=us-west-2",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true",
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "ok\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
