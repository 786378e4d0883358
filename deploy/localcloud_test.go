package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"arc/sandbox/cloudformation"
	"arc/sandbox/s3"
	"arc/sandbox/ssm"
	"arc/sandbox/stack"
	"arc/sandbox/sts"
	"arc/sandbox/wire"
)

// localCloud is the sandbox's own stack engine, S3 and SSM behind AWS's
// protocols on a real socket; tables are only pretended, and of functions but
// the code is there.
type localCloud struct {
	endpoint string

	mu      sync.Mutex
	failing map[string]string // logical ID → why it cannot be made or changed the next time
}

// pretender takes its time and makes nothing.
type pretender struct{}

func (pretender) Create(_ context.Context, req stack.Request) (stack.Resource, error) {
	time.Sleep(2 * time.Millisecond)
	return stack.Resource{PhysicalID: req.Name(64), Attributes: map[string]any{"Arn": "arn:aws:x:us-west-2:000000000000:" + req.LogicalID}}, nil
}

func (pretender) Update(_ context.Context, req stack.Request) (stack.Resource, error) {
	time.Sleep(2 * time.Millisecond)
	return stack.Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"Arn": "arn:aws:x:us-west-2:000000000000:" + req.LogicalID}}, nil
}

func (pretender) Delete(context.Context, stack.Request) error { return nil }

// functions are pretended as far as their code goes: it is read when Lambda
// would read it, and its hash is told.
type functions struct {
	objects *s3.Server

	mu   sync.Mutex
	code map[string]string // name → SHA-256 of its zip
}

func (f *functions) read(req stack.Request, name string) (stack.Resource, error) {
	code, _ := req.Properties["Code"].(map[string]any)
	zip, err := f.objects.Get(fmt.Sprint(code["S3Bucket"]), fmt.Sprint(code["S3Key"]))
	if err != nil {
		return stack.Resource{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.code[name] = sha256Text(zip)
	return stack.Resource{PhysicalID: name, Attributes: map[string]any{"Arn": "arn:aws:lambda:us-west-2:000000000000:function:" + name}}, nil
}

func (f *functions) Create(_ context.Context, req stack.Request) (stack.Resource, error) {
	return f.read(req, req.Name(64))
}

func (f *functions) Update(_ context.Context, req stack.Request) (stack.Resource, error) {
	return f.read(req, req.PhysicalID)
}

func (f *functions) Delete(_ context.Context, req stack.Request) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.code, req.PhysicalID)
	return nil
}

func (f *functions) endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "lambda", Path: "/2015-03-31/functions", Handler: f}
}

// ServeHTTP answers ListFunctions.
func (f *functions) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(f.code)) {
		list = append(list, map[string]any{"FunctionName": name, "CodeSha256": f.code[name]})
	}
	wire.WriteJSON(w, http.StatusOK, map[string]any{"Functions": list})
}

func newLocalCloud(t testing.TB) *localCloud {
	t.Helper()
	cloud := &localCloud{failing: map[string]string{}}
	const account, region = "000000000000", DefaultRegion
	objects := s3.New(s3.Options{Account: account, Region: region})
	registrations := objects.Registrations()
	pretended := &functions{objects: objects, code: map[string]string{}}
	registrations["AWS::Lambda::Function"] = stack.Registration{Provider: pretended}
	registrations["AWS::IAM::Role"] = stack.Registration{Provider: pretender{}}
	registrations["AWS::DynamoDB::Table"] = stack.Registration{Provider: pretender{}}
	engine := stack.New(stack.Options{
		Account: account, Region: region, Registrations: registrations, Fetch: objects.Fetch,
		Fault: func(op, logicalID string) error {
			cloud.mu.Lock()
			defer cloud.mu.Unlock()
			reason := cloud.failing[logicalID]
			if reason == "" || op == "Delete" {
				return nil
			}
			delete(cloud.failing, logicalID) // the way back is free
			return errors.New(reason)
		},
	})
	t.Cleanup(engine.Close)
	handler := wire.New(cloudformation.New(engine).Endpoint(), sts.New(account, region).Endpoint(), objects.Endpoint(), ssm.New(account, region).Endpoint(), pretended.endpoint())
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	cloud.endpoint = server.URL
	return cloud
}

func (c *localCloud) fail(logicalID, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing[logicalID] = reason
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
