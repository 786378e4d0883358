package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// resources is a template's Resources section under construction.
type resources map[string]map[string]any

// demo is an app with a function, a table and static files.
func demo(code, secret string, change func(resources)) Deployment {
	res := resources{
		"AccountsTable": {"Type": "AWS::DynamoDB::Table", "Properties": map[string]any{
			"BillingMode":          "PAY_PER_REQUEST",
			"AttributeDefinitions": []any{map[string]any{"AttributeName": "id", "AttributeType": "S"}},
			"KeySchema":            []any{map[string]any{"AttributeName": "id", "KeyType": "HASH"}},
		}},
		"GetIndexHTTPLambda": {"Type": "AWS::Lambda::Function", "Properties": map[string]any{
			"Code":        map[string]any{"S3Bucket": map[string]any{"Ref": "ArtifactBucket"}, "S3Key": code + ".zip"},
			"Environment": map[string]any{"Variables": map[string]any{"SECRET": map[string]any{"Ref": "EnvSecret"}}},
			"Handler":     "index.handler", "Runtime": "nodejs22.x",
			"Role": "arn:aws:iam::111122223333:role/demo",
		}},
		"StaticBucket": {"Type": "AWS::S3::Bucket", "Properties": map[string]any{}},
	}
	if change != nil {
		change(res)
	}
	template, err := json.MarshalIndent(map[string]any{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Metadata":                 map[string]any{"arc": map[string]any{"app": "demo", "stage": "staging"}},
		"Parameters": map[string]any{
			"ArtifactBucket": map[string]any{"Type": "String"},
			"EnvSecret":      map[string]any{"Type": "String", "NoEcho": true},
			"LogDays":        map[string]any{"Type": "Number", "Default": 30},
		},
		"Resources": res,
		"Outputs":   map[string]any{"BucketURL": map[string]any{"Value": "here"}},
	}, "", "  ")
	if err != nil {
		panic(err)
	}
	return Deployment{
		App: "demo", Stage: "staging", StackName: "DemoStaging", Template: template,
		Parameters: map[string]string{"EnvSecret": secret},
		Artifacts:  []Artifact{artifact(code)},
		Origin: func(id string) string {
			return map[string]string{"GetIndexHTTPLambda": "app.arc:5:1", "AccountsTable": "app.arc:9:1"}[id]
		},
	}
}

func artifact(code string) Artifact {
	return Artifact{Key: code + ".zip", Label: "src/http/" + code, Write: func(w io.Writer) error {
		_, err := io.WriteString(w, "the zip of "+code)
		return err
	}}
}

func staticFiles(files map[string]string) *Static {
	s := &Static{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		s.Files = append(s.Files, StaticFile{Path: path, Fingerprinted: strings.Contains(path, "-0123"), Open: func() (io.ReadSeekCloser, error) {
			return nopCloser{strings.NewReader(files[path])}, nil
		}})
	}
	return s
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// deployTo runs a deployment as a process of its own.
func deployTo(t *testing.T, cloud *account, d Deployment) (*session, Outcome, error) {
	t.Helper()
	s := &session{account: cloud}
	var log bytes.Buffer
	dp := Deployer{Clients: s.clients(), Progress: func(step Step) { fmt.Fprintf(&log, "%+v\n", step) }}
	out, err := dp.Deploy(t.Context(), d)
	if secret := d.Parameters["EnvSecret"]; secret != "" && strings.Contains(log.String()+fmt.Sprint(err), secret) {
		t.Errorf("a secret was told:\n%s%v", log.String(), err)
	}
	return s, out, err
}

func mustDeploy(t *testing.T, cloud *account, d Deployment) (*session, Outcome) {
	t.Helper()
	s, out, err := deployTo(t, cloud, d)
	if err != nil {
		t.Fatal(err)
	}
	return s, out
}

func TestDeployCreatesUpdatesAndLeavesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		first := demo("aaaa", "s3cr3t", nil)
		first.Static = staticFiles(map[string]string{"index.html": "<p>", "app.js": "1"})
		_, out := mustDeploy(t, cloud, first)
		if !out.Created || out.Unchanged || out.Uploaded != 1 || out.Published != 2 || out.Outputs["BucketURL"] == "" {
			t.Errorf("first: %+v", out)
		}

		s, out := mustDeploy(t, cloud, first)
		if !out.Unchanged || out.Outputs["BucketURL"] == "" || out.Published != 0 {
			t.Errorf("again: %+v", out)
		}
		if calls := s.mutating(); len(calls) > 0 {
			t.Errorf("again: calls that change something: %q", calls)
		}

		second := demo("bbbb", "s3cr3t", nil)
		second.Artifacts = append(second.Artifacts, artifact("aaaa"))
		s, out = mustDeploy(t, cloud, second)
		if out.Created || out.Unchanged || out.Uploaded != 1 {
			t.Errorf("code changed: %+v", out)
		}
		want := []string{"PutObject", "CreateChangeSet", "ExecuteChangeSet", "PutParameter", "PutObject of the record"}
		if diff := cmp.Diff(want, s.mutating()); diff != "" {
			t.Errorf("code changed: calls:\n%s", diff)
		}
	})
}

// TestStoresNothingTwice: what the bucket has of these bytes stays.
func TestStoresNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		s, out := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", func(r resources) {
			r["GetIndexHTTPLambda"]["Properties"].(map[string]any)["MemorySize"] = 512
		}))
		if out.Uploaded != 0 || slices.Contains(s.calls, "PutObject") {
			t.Errorf("%+v, calls %q", out, s.calls)
		}
	})
}

// TestMoreThanAPage: CloudFormation gives resources, changes and events in pages
// of a hundred, and what matters is on the last one.
func TestMoreThanAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		large := demo("aaaa", "s3cr3t", func(r resources) {
			for i := range 110 {
				r[fmt.Sprintf("Role%d", i)] = map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{}}
			}
			r["ZTable"] = r["AccountsTable"]
		})
		cloud.fail("ZTable", "no room")
		var failed *FailedError
		if _, _, err := deployTo(t, cloud, large); !errors.As(err, &failed) || failed.LogicalID != "ZTable" {
			t.Errorf("creation: %v", err)
		}
		mustDeploy(t, cloud, large)
		var loss *LossError
		if _, _, err := destroyIn(t, cloud, Destruction{}); !errors.As(err, &loss) || len(loss.Losses) != 3 || loss.Losses[2].LogicalID != "ZTable" {
			t.Errorf("destruction: %v", err)
		}
		small := demo("aaaa", "s3cr3t", nil)
		if _, _, err := deployTo(t, cloud, small); !errors.As(err, &loss) || len(loss.Losses) != 1 || loss.Losses[0].LogicalID != "ZTable" {
			t.Errorf("update: %v", err)
		}
		small.AllowLoss = []string{"ZTable"}
		mustDeploy(t, cloud, small)
		if n := len(cloud.resources(t, "DemoStaging")); n != 3 {
			t.Errorf("%d resources are left", n)
		}
	})
}

func TestSecretsAreComparedWithoutBeingStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demo("aaaa", "old-secret", nil))
		_, out := mustDeploy(t, cloud, demo("aaaa", "new-secret", nil))
		if out.Unchanged {
			t.Error("a changed secret was not deployed")
		}
		if s, out := mustDeploy(t, cloud, demo("aaaa", "new-secret", nil)); !out.Unchanged || len(s.mutating()) > 0 {
			t.Errorf("unchanged secret: %+v %q", out, s.mutating())
		}
		for _, name := range []string{"/demo/deploy/bucket", "/demo/deploy/secrets/DemoStaging"} {
			if value := cloud.parameter(t, name); value == "" || strings.Contains(value, "secret") {
				t.Errorf("%s holds %q", name, value)
			}
		}
		// Something else changes the stack; that it still holds our secrets is
		// no longer known, so CloudFormation is asked, and the answer kept.
		cloud.updateAsAnother(t)
		if s, out := mustDeploy(t, cloud, demo("aaaa", "new-secret", nil)); !out.Unchanged || !slices.Contains(s.calls, "CreateChangeSet") || slices.Contains(s.calls, "ExecuteChangeSet") {
			t.Errorf("after another's update: %+v %q", out, s.calls)
		}
		if s, out := mustDeploy(t, cloud, demo("aaaa", "new-secret", nil)); !out.Unchanged || len(s.mutating()) > 0 {
			t.Errorf("after that: %+v %q", out, s.mutating())
		}
	})
}

func TestFailureNamesTheFirstCauseAndItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		cloud.fail("GetIndexHTTPLambda", "the runtime is unknown")
		_, _, err := deployTo(t, cloud, demo("aaaa", "s3cr3t", nil))
		var failed *FailedError
		if !errors.As(err, &failed) {
			t.Fatal(err)
		}
		want := "app.arc:5:1: GetIndexHTTPLambda (AWS::Lambda::Function) failed: the runtime is unknown; stack DemoStaging is now in ROLLBACK_COMPLETE: nothing was made; correct the cause and deploy again"
		if got := err.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}

		// A creation that was rolled back leaves an empty stack in the way.
		if _, out := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil)); !out.Created {
			t.Errorf("%+v", out)
		}

		cloud.fail("GetIndexHTTPLambda", "too large")
		_, _, err = deployTo(t, cloud, demo("bbbb", "s3cr3t", nil))
		if !errors.As(err, &failed) || failed.Status != "UPDATE_ROLLBACK_COMPLETE" || failed.Reason != "too large" {
			t.Errorf("update: %v", err)
		}
		mustDeploy(t, cloud, demo("bbbb", "s3cr3t", nil))
	})
}

func TestRolledBackStackThatHoldsSomethingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		cloud.fail("GetIndexHTTPLambda", "no")
		cloud.stuck["AccountsTable"] = "it is in use"
		deployTo(t, cloud, demo("aaaa", "s3cr3t", nil))
		s, _, err := deployTo(t, cloud, demo("aaaa", "s3cr3t", nil))
		var failed *FailedError
		if !errors.As(err, &failed) || failed.Status != "ROLLBACK_FAILED" || slices.Contains(s.calls, "DeleteStack") {
			t.Errorf("%v; calls %q", err, s.calls)
		}
		// Whatever the stack's status says, what is there is not cleared away.
		r := &run{Clients: s.clients(), d: Deployment{StackName: "DemoStaging"}}
		err = r.deleteRolledBack(t.Context(), Stack{Name: "DemoStaging", ID: "DemoStaging", Status: "ROLLBACK_COMPLETE"})
		if !errors.As(err, &failed) || failed.LogicalID != "AccountsTable" || slices.Contains(s.calls, "DeleteStack") {
			t.Errorf("%v; calls %q", err, s.calls)
		}
	})
}

func TestAttachesToAnOperationUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		outs, errs := make([]Outcome, 4), make([]error, 4)
		executed := 0
		done := make(chan *session)
		for i := range outs {
			go func() {
				s, out, err := deployTo(t, cloud, demo("aaaa", "s3cr3t", nil))
				outs[i], errs[i] = out, err
				done <- s
			}()
		}
		for range outs {
			s := <-done
			for _, name := range s.calls {
				if name == "ExecuteChangeSet" {
					executed++
				}
			}
		}
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		created := 0
		for _, out := range outs {
			if out.Created {
				created++
			}
		}
		if created != 1 || cloud.status(t, "DemoStaging") != "CREATE_COMPLETE" {
			t.Errorf("created %d times, executed %d", created, executed)
		}
		if buckets := cloud.buckets(t); len(buckets) != 2 { // artifacts and StaticBucket
			t.Errorf("buckets: %v", buckets)
		}
	})
}

func TestInterruptSaysHowToGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		cloud.resourceTime = time.Minute
		s := &session{account: cloud}
		ctx, cancel := context.WithCancel(t.Context())
		dp := Deployer{Clients: s.clients(), Progress: func(step Step) {
			if step.Kind == "event" && step.LogicalID == "AccountsTable" {
				cancel()
			}
		}}
		_, err := dp.Deploy(ctx, demo("aaaa", "s3cr3t", nil))
		var stopped *InterruptedError
		if !errors.As(err, &stopped) || !stopped.Executing || !errors.Is(err, context.Canceled) {
			t.Fatalf("%v", err)
		}
		_, out := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		if out.Created || cloud.status(t, "DemoStaging") != "CREATE_COMPLETE" {
			t.Errorf("%+v %s", out, cloud.status(t, "DemoStaging"))
		}
	})
}

func TestInterruptAfterTheStackWasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		ctx, cancel := context.WithCancel(t.Context())
		d := demo("aaaa", "s3cr3t", nil)
		d.Static = staticFiles(map[string]string{"a.html": "a", "b.html": "b"})
		dp := Deployer{Clients: cloud.clients(), Progress: func(step Step) {
			if step.Kind == "publish" {
				cancel()
			}
		}}
		_, err := dp.Deploy(ctx, d)
		var stopped *InterruptedError
		if !errors.As(err, &stopped) || stopped.Executing || !stopped.Changed || !strings.Contains(err.Error(), "interrupted after stack DemoStaging was changed") {
			t.Errorf("%v", err)
		}
		if _, out := mustDeploy(t, cloud, d); !out.Unchanged || out.Published == 0 {
			t.Errorf("%+v", out)
		}
	})
}

func TestPollingIsSparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		cloud.resourceTime = 10 * time.Minute
		s, _ := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		if n := len(s.calls); n > 400 {
			t.Errorf("%d calls in ten minutes", n)
		}
	})
}

func TestBucketOfAnotherAccountIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		taken := bucketName("demo", ourAccount, "us-west-2", 0)
		cloud.give(t, taken)
		cloud.setParameter(t, "/demo/deploy/bucket", taken)
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		bucket := cloud.parameter(t, "/demo/deploy/bucket")
		if bucket == taken || len(cloud.objectsIn(t, bucket)) != 1 {
			t.Errorf("bucket %s", bucket)
		}
		checkProtected(t, cloud.bucketsByTheSDK(), bucket)
	})
}

func TestMistakesAreFoundBeforeAnyCall(t *testing.T) {
	cloud := inBubble(t)
	d := demo("aaaa", "s3cr3t", nil)
	d.Parameters = map[string]string{"Typo": "1"}
	s, _, err := deployTo(t, cloud, d)
	want := "template of stack DemoStaging: it has no parameter Typo to give a value to\ntemplate of stack DemoStaging: parameter EnvSecret has neither a value nor a default"
	if err == nil || err.Error() != want || len(s.calls) > 0 {
		t.Errorf("%v, calls %q", err, s.calls)
	}
}

func TestBucketName(t *testing.T) {
	for _, app := range []string{"demo", "my_app", strings.Repeat("long-", 20)} {
		name := bucketName(app, "111122223333", "us-west-2", 0)
		if len(name) > 63 || strings.Contains(name, "_") || strings.Contains(name, "--") {
			t.Errorf("%s → %s", app, name)
		}
	}
}

func TestEnvIsReadByStage(t *testing.T) {
	cloud := newAccount(t)
	want := map[string]string{}
	for _, letter := range "ABCDEFGHIJKL" { // Parameter Store gives ten at once
		want[string(letter)] = "v staging/" + string(letter)
		cloud.setParameter(t, "/demo/staging/"+string(letter), want[string(letter)])
	}
	for _, name := range []string{"production/A", "deploy/bucket"} {
		cloud.setParameter(t, "/demo/"+name, "v "+name)
	}
	env, err := cloud.clients().Env(t.Context(), Scope{App: "demo", Stage: "staging"})
	values := map[string]string{}
	for name, v := range env {
		values[name] = v.Value
	}
	if diff := cmp.Diff(want, values); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
