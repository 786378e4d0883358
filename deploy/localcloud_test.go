package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// localCloud is an account behind a real socket.
type localCloud struct {
	*account
	endpoint string
}

func newLocalCloud(t testing.TB, types ...string) *localCloud {
	t.Helper()
	c := newAccount(t, types...)
	server := httptest.NewServer(c.handler)
	t.Cleanup(server.Close)
	return &localCloud{c, server.URL}
}

// deploy runs a deployment as a process of its own.
func (c *localCloud) deploy(t *testing.T, d Deployment) (Outcome, error) {
	t.Helper()
	return (&Deployer{Clients: connectTo(t, c.endpoint)}).Deploy(t.Context(), d)
}

func TestLocalCloudCreatesUpdatesFailsAndRefuses(t *testing.T) {
	cloud := newLocalCloud(t)
	out, err := cloud.deploy(t, motoDemo("demo", "aaaa"))
	if err != nil || !out.Created || out.Uploaded != 1 || out.Published != 2 || out.Outputs["BucketURL"] != "here" {
		t.Fatalf("create: %+v %v", out, err)
	}
	if out, err = cloud.deploy(t, motoDemo("demo", "aaaa")); err != nil || !out.Unchanged {
		t.Errorf("again: %+v %v", out, err)
	}
	if out, err = cloud.deploy(t, motoDemo("demo", "bbbb")); err != nil || out.Unchanged || out.Created || out.Uploaded != 1 {
		t.Errorf("update: %+v %v", out, err)
	}
	secret := motoDemo("demo", "bbbb")
	secret.Parameters["EnvSecret"] = "0ther"
	if out, err = cloud.deploy(t, secret); err != nil || out.Unchanged {
		t.Errorf("secret: %+v %v", out, err)
	}
	if out, err = cloud.deploy(t, secret); err != nil || !out.Unchanged {
		t.Errorf("secret again: %+v %v", out, err)
	}

	cloud.fail("GetIndexHTTPLambda", "no room")
	var failed *FailedError
	if _, err = cloud.deploy(t, motoDemo("demo", "cccc")); !errors.As(err, &failed) || failed.Status != "UPDATE_ROLLBACK_COMPLETE" || failed.LogicalID != "GetIndexHTTPLambda" || !strings.Contains(failed.Reason, "no room") {
		t.Errorf("failed update: %v", err)
	}
	cloud.fail("GetIndexHTTPLambda", "no room")
	if _, err = cloud.deploy(t, motoDemo("other", "cccc")); !errors.As(err, &failed) || failed.Status != "ROLLBACK_COMPLETE" {
		t.Errorf("failed creation: %v", err)
	}
	if out, err = cloud.deploy(t, motoDemo("other", "cccc")); err != nil || !out.Created {
		t.Errorf("created after all: %+v %v", out, err)
	}

	next := motoDemo("demo", "cccc")
	next.Template = []byte(strings.Replace(string(next.Template), `"KeyType": "HASH"`, `"KeyType": "RANGE"`, 1))
	var loss *LossError
	if _, err = cloud.deploy(t, next); !errors.As(err, &loss) || loss.Losses[0].LogicalID != "AccountsTable" || !loss.Losses[0].Replaced {
		t.Errorf("refused: %v", err)
	}
	next.AllowLoss = []string{"AccountsTable"}
	if _, err = cloud.deploy(t, next); err != nil {
		t.Errorf("allowed: %v", err)
	}
}

func TestLocalCloudWithFaultsAtEveryCall(t *testing.T) {
	clean := &faultProxy{target: newLocalCloud(t).endpoint}
	if _, err := (&Deployer{Clients: connectTo(t, clean.start(t))}).Deploy(t.Context(), motoDemo("demo", "aaaa")); err != nil {
		t.Fatal(err)
	}
	total := len(clean.calls())
	var all errgroup.Group // the time goes into waiting before second tries
	all.SetLimit(20)
	for _, fault := range faults {
		for at := range total {
			all.Go(func() error {
				cloud := newLocalCloud(t)
				proxy := &faultProxy{target: cloud.endpoint, fault: fault.kind, at: at + 1}
				out, err := (&Deployer{Clients: connectTo(t, proxy.start(t))}).Deploy(t.Context(), motoDemo("demo", "aaaa"))
				if err != nil || !out.Created && !out.Unchanged {
					t.Errorf("%s at call %d (%s): %+v %v", fault.kind, at+1, proxy.hit, out, err)
				}
				if out, err := cloud.deploy(t, motoDemo("demo", "aaaa")); err != nil || !out.Unchanged {
					t.Errorf("%s at call %d (%s), again: %+v %v", fault.kind, at+1, proxy.hit, out, err)
				}
				return nil
			})
		}
	}
	all.Wait()
}

// TestLocalCloudInterruptedAtEveryCall ends the context of a deployment at each of its calls.
func TestLocalCloudInterruptedAtEveryCall(t *testing.T) {
	for at := 1; ; at++ {
		cloud := newLocalCloud(t)
		ctx, cancel := context.WithCancel(t.Context())
		proxy := &faultProxy{target: cloud.endpoint, at: at, onHit: cancel}
		_, err := (&Deployer{Clients: connectTo(t, proxy.start(t))}).Deploy(ctx, motoDemo("demo", "aaaa"))
		var stopped *InterruptedError
		switch {
		case proxy.hit == "":
			t.Logf("%d calls", at-1)
			return
		case err != nil && !errors.As(err, &stopped):
			t.Errorf("at call %d (%s): %v", at, proxy.hit, err)
		}
		if _, err := cloud.deploy(t, motoDemo("demo", "aaaa")); err != nil {
			t.Errorf("after call %d (%s): %v", at, proxy.hit, err)
		}
		if out, err := cloud.deploy(t, motoDemo("demo", "aaaa")); err != nil || !out.Unchanged {
			t.Errorf("after call %d (%s), again: %+v %v", at, proxy.hit, out, err)
		}
		cancel()
	}
}

func TestLocalCloudWithSeveralRunsAtOnce(t *testing.T) {
	cloud := newLocalCloud(t)
	const runs = 6
	errs := make(chan error, runs)
	for i := range runs {
		go func() {
			_, err := cloud.deploy(t, motoDemo("demo", fmt.Sprint("code", i%2)))
			errs <- err
		}()
	}
	for range runs {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	stack, err := connectTo(t, cloud.endpoint).Describe(t.Context(), "DemoStaging")
	if err != nil || !slices.Contains([]string{"CREATE_COMPLETE", "UPDATE_COMPLETE"}, stack.Status) {
		t.Errorf("%s %v", stack.Status, err)
	}
}

func BenchmarkUnchanged(b *testing.B) {
	benchmarkDeploy(b, func(int) string { return "aaaa" })
}

func BenchmarkOneFunctionChanged(b *testing.B) {
	benchmarkDeploy(b, func(i int) string { return fmt.Sprint("code", i) })
}

// benchmarkDeploy deploys to the local cloud over HTTP; every call of a
// deployment is in it, and nothing of AWS's own time.
func benchmarkDeploy(b *testing.B, code func(int) string) {
	cloud := newLocalCloud(b)
	clients, err := Connect(b.Context(), ConnectOptions{Endpoint: cloud.endpoint})
	if err != nil {
		b.Fatal(err)
	}
	dp := Deployer{Clients: clients}
	for i := 0; b.Loop(); i++ {
		if _, err := dp.Deploy(b.Context(), motoDemo("demo", code(i))); err != nil {
			b.Fatal(err)
		}
	}
}
