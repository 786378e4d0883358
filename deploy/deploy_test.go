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
func deployTo(t *testing.T, cloud *fakeCloud, d Deployment) (*session, Outcome, error) {
	t.Helper()
	s := &session{fakeCloud: cloud}
	var log bytes.Buffer
	dp := Deployer{Clients: s.clients(), Progress: func(step Step) { fmt.Fprintf(&log, "%+v\n", step) }}
	out, err := dp.Deploy(t.Context(), d)
	if secret := d.Parameters["EnvSecret"]; secret != "" && strings.Contains(log.String()+fmt.Sprint(err), secret) {
		t.Errorf("a secret was told:\n%s%v", log.String(), err)
	}
	return s, out, err
}

func mustDeploy(t *testing.T, cloud *fakeCloud, d Deployment) (*session, Outcome) {
	t.Helper()
	s, out, err := deployTo(t, cloud, d)
	if err != nil {
		t.Fatal(err)
	}
	return s, out
}

func TestDeployCreatesUpdatesAndLeavesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFakeCloud()
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
		want := []string{"PutObject", "CreateChangeSet", "ExecuteChangeSet", "PutParameter"}
		if diff := cmp.Diff(want, s.mutating()); diff != "" {
			t.Errorf("code changed: calls:\n%s", diff)
		}
	})
}

// TestStoresNothingTwice: what the bucket has of these bytes stays.
func TestStoresNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFakeCloud()
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		s, out := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", func(r resources) {
			r["GetIndexHTTPLambda"]["Properties"].(map[string]any)["MemorySize"] = 512
		}))
		if out.Uploaded != 0 || slices.Contains(s.calls, "PutObject") {
			t.Errorf("%+v, calls %q", out, s.calls)
		}
	})
}

func TestSecretsAreComparedWithoutBeingStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFakeCloud()
		mustDeploy(t, cloud, demo("aaaa", "old-secret", nil))
		_, out := mustDeploy(t, cloud, demo("aaaa", "new-secret", nil))
		if out.Unchanged {
			t.Error("a changed secret was not deployed")
		}
		if s, out := mustDeploy(t, cloud, demo("aaaa", "new-secret", nil)); !out.Unchanged || len(s.mutating()) > 0 {
			t.Errorf("unchanged secret: %+v %q", out, s.mutating())
		}
		for name, value := range cloud.parameters {
			if strings.Contains(value, "secret") {
				t.Errorf("%s holds a secret: %s", name, value)
			}
		}
		// Something else changes the stack; that it still holds our secrets is
		// no longer known, so CloudFormation is asked, and the answer kept.
		cloud.stacks[0].changeSetID = "somebody-elses"
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
		cloud := newFakeCloud()
		cloud.failing["GetIndexHTTPLambda"] = "the runtime is unknown"
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
		clear(cloud.failing)
		if _, out := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil)); !out.Created {
			t.Errorf("%+v", out)
		}

		cloud.failing["GetIndexHTTPLambda"] = "too large"
		_, _, err = deployTo(t, cloud, demo("bbbb", "s3cr3t", nil))
		if !errors.As(err, &failed) || failed.Status != "UPDATE_ROLLBACK_COMPLETE" || failed.Reason != "too large" {
			t.Errorf("update: %v", err)
		}
		clear(cloud.failing)
		mustDeploy(t, cloud, demo("bbbb", "s3cr3t", nil))
	})
}

func TestRolledBackStackThatHoldsSomethingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFakeCloud()
		cloud.failing["GetIndexHTTPLambda"] = "no"
		deployTo(t, cloud, demo("aaaa", "s3cr3t", nil))
		cloud.stacks[0].resources["AccountsTable"].status = "DELETE_FAILED"
		s, _, err := deployTo(t, cloud, demo("aaaa", "s3cr3t", nil))
		var failed *FailedError
		if !errors.As(err, &failed) || failed.LogicalID != "AccountsTable" || slices.Contains(s.calls, "DeleteStack") {
			t.Errorf("%v; calls %q", err, s.calls)
		}
	})
}

func TestAttachesToAnOperationUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFakeCloud()
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
		if created != 1 || len(cloud.stacks) != 1 || cloud.stacks[0].status != "CREATE_COMPLETE" {
			t.Errorf("created %d times, %d stacks, executed %d", created, len(cloud.stacks), executed)
		}
		if len(cloud.buckets) != 2 { // artifacts and StaticBucket
			t.Errorf("buckets: %v", slices.Sorted(maps.Keys(cloud.buckets)))
		}
	})
}

func TestInterruptSaysHowToGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFakeCloud()
		s := &session{fakeCloud: cloud}
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
		if out.Created || cloud.stacks[0].status != "CREATE_COMPLETE" {
			t.Errorf("%+v %s", out, cloud.stacks[0].status)
		}
	})
}

func TestPollingIsSparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFakeCloud()
		cloud.resourceTime = 200 * 1e9 // seconds: ten minutes in all
		s, _ := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		if n := len(s.calls); n > 400 {
			t.Errorf("%d calls in ten minutes", n)
		}
	})
}

func TestBucketOfAnotherAccountIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := newFakeCloud()
		taken := bucketName("demo", "111122223333", "us-west-2", 0)
		cloud.buckets[taken] = &fakeBucket{foreign: true, objects: map[string]fakeObject{}}
		cloud.parameters["/demo/deploy/bucket"] = taken
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		b := cloud.buckets[cloud.parameters["/demo/deploy/bucket"]]
		if b.foreign || !b.private || !b.encrypted || !b.versions || len(b.objects) != 1 {
			t.Errorf("%+v", b)
		}
	})
}

func TestMistakesAreFoundBeforeAnyCall(t *testing.T) {
	cloud := newFakeCloud()
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
	cloud := newFakeCloud()
	for _, name := range []string{"staging/A", "staging/B", "staging/C", "production/A", "deploy/bucket"} {
		cloud.parameters["/demo/"+name] = "v " + name
	}
	env, err := (&session{fakeCloud: cloud}).clients().Env(t.Context(), "demo", "staging")
	values := map[string]string{}
	for name, v := range env {
		values[name] = v.Value
	}
	if diff := cmp.Diff(map[string]string{"A": "v staging/A", "B": "v staging/B", "C": "v staging/C"}, values); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
