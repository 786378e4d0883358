package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"

	"arc/cfn"
	"arc/deploy/s3"
	"arc/sandbox/stack"
)

// destroyIn runs a destruction as a process of its own.
func destroyIn(t *testing.T, cloud *account, order Destruction) (*session, Destroyed, error) {
	t.Helper()
	s := &session{account: cloud}
	order.App, order.Mark, order.StackName = "demo", cfn.Mark{App: "demo", Stage: "staging"}, "DemoStaging"
	done, err := (&Deployer{Clients: s.clients()}).Destroy(t.Context(), order)
	return s, done, err
}

// demoWithFiles is the demo app with two published files.
func demoWithFiles(change func(resources)) Deployment {
	d := demo("aaaa", "s3cr3t", change)
	d.Static = staticFiles(map[string]string{"index.html": "<p>", "app.js": "1"})
	return d
}

func TestDestroyRefusesUntilEachLossIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demoWithFiles(nil))
		origin := func(id string) string { return map[string]string{"AccountsTable": "app.arc:9:1"}[id] }

		s, _, err := destroyIn(t, cloud, Destruction{Origin: origin})
		want := "stack DemoStaging is left as it is, because data would be lost:\n" +
			"  app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be deleted\n" +
			"  StaticBucket (AWS::S3::Bucket) would be deleted\n" +
			"to let it be lost, add --allow-loss AccountsTable --allow-loss StaticBucket"
		if err == nil || err.Error() != want || len(s.mutating()) > 0 {
			t.Errorf("calls %q\n got %v\nwant %s", s.mutating(), err, want)
		}

		s, _, err = destroyIn(t, cloud, Destruction{AllowLoss: []string{"AccountsTable"}})
		var loss *LossError
		if !errors.As(err, &loss) || len(loss.Losses) != 1 || loss.Losses[0].LogicalID != "StaticBucket" || len(s.mutating()) > 0 {
			t.Errorf("one named: %v, calls %q", err, s.mutating())
		}
		s, _, err = destroyIn(t, cloud, Destruction{Force: true, AllowLoss: []string{"AcountsTable"}})
		if err == nil || err.Error() != "stack DemoStaging has no resource AcountsTable to be lost; it is left as it is" || len(s.mutating()) > 0 {
			t.Errorf("mistyped: %v, calls %q", err, s.mutating())
		}

		// More than S3 lists or deletes at once.
		bucket := cloud.physicalID(t, "StaticBucket")
		for i := range 1000 {
			if err := cloud.objects.Put(bucket, fmt.Sprint("upload", i), nil); err != nil {
				t.Fatal(err)
			}
		}
		s, done, err := destroyIn(t, cloud, Destruction{AllowLoss: []string{"AccountsTable", "StaticBucket"}})
		if err != nil || done.Missing || done.Emptied != 1002 || len(done.Kept) > 0 {
			t.Errorf("%+v %v", done, err)
		}
		if diff := cmp.Diff([]string{"DeleteObjects", "DeleteObjects", "DeleteStack", "DeleteParameters"}, s.mutating()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDestroyTouchesNothingThatOthersUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		cloud.setParameter(t, "/demo/staging/SECRET", "kept")
		mustDeploy(t, cloud, demoWithFiles(nil))
		other := demoWithFiles(nil)
		other.StackName = "DemoStagingPr7"
		mustDeploy(t, cloud, other)
		if err := cloud.objects.Put("users-own", "precious", nil); err != nil {
			t.Fatal(err)
		}

		_, done, err := destroyIn(t, cloud, Destruction{Force: true})
		if err != nil || done.Missing {
			t.Fatalf("%+v %v", done, err)
		}
		if len(cloud.objectsIn(t, cloud.parameter(t, "/demo/deploy/bucket"))) != 1 || len(cloud.objectsIn(t, "users-own")) != 1 || len(cloud.buckets(t)) != 3 {
			t.Errorf("buckets: %v", cloud.buckets(t))
		}
		if cloud.parameter(t, "/demo/deploy/secrets/DemoStaging") != "" {
			t.Error("the digest of the secrets is still in SSM")
		}
		for _, name := range []string{"/demo/staging/SECRET", "/demo/deploy/bucket", "/demo/deploy/secrets/DemoStagingPr7"} {
			if cloud.parameter(t, name) == "" {
				t.Errorf("%s is gone", name)
			}
		}
		if s, out := mustDeploy(t, cloud, other); !out.Unchanged || len(s.mutating()) > 0 {
			t.Errorf("the other stack: %+v, calls %q", out, s.mutating())
		}
		if s, done, err := destroyIn(t, cloud, Destruction{Force: true}); err != nil || !done.Missing || slices.Contains(s.calls, "DeleteStack") {
			t.Errorf("again: %+v %v", done, err)
		}
		if _, out := mustDeploy(t, cloud, demoWithFiles(nil)); !out.Created {
			t.Errorf("deployed anew: %+v", out)
		}
	})
}

func TestDestroyTellsWhatOutlivesTheStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demoWithFiles(func(r resources) {
			r["AccountsTable"]["DeletionPolicy"] = "Retain"
			r["StaticBucket"]["DeletionPolicy"] = "Retain"
			r["Version1"] = map[string]any{"Type": "AWS::Lambda::Version", "DeletionPolicy": "Retain", "Properties": map[string]any{}}
		}))
		table, bucket := cloud.physicalID(t, "AccountsTable"), cloud.physicalID(t, "StaticBucket")
		s, done, err := destroyIn(t, cloud, Destruction{})
		want := []Kept{
			{LogicalID: "AccountsTable", Type: "AWS::DynamoDB::Table", PhysicalID: table},
			{LogicalID: "StaticBucket", Type: "AWS::S3::Bucket", PhysicalID: bucket},
		}
		if diff := cmp.Diff(want, done.Kept); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if slices.Contains(s.calls, "DeleteObjects") || len(cloud.objectsIn(t, bucket)) != 2 {
			t.Errorf("the bucket was emptied: calls %q", s.calls)
		}
	})
}

func TestDestroyShowsWhatCannotBeDeletedAndGoesOnLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demoWithFiles(nil))
		cloud.stuck["AccountsTable"] = "Table is being backed up"
		table := cloud.physicalID(t, "AccountsTable")
		_, _, err := destroyIn(t, cloud, Destruction{Force: true})
		want := "stack DemoStaging could not be deleted and is now in DELETE_FAILED\n" +
			"  AccountsTable (AWS::DynamoDB::Table) " + table + ": Table is being backed up\n" +
			"remove the cause, then destroy it again"
		if err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
		clear(cloud.stuck)
		// The bucket that is named has been deleted already.
		order := Destruction{AllowLoss: []string{"AccountsTable", "StaticBucket"}}
		if _, done, err := destroyIn(t, cloud, order); err != nil || done.Missing || cloud.status(t, "DemoStaging") != "DELETE_COMPLETE" {
			t.Errorf("%+v %v", done, err)
		}
	})
}

func TestDestroyLeavesAProtectedStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demoWithFiles(nil))
		if _, err := cloud.engine.UpdateTerminationProtection(t.Context(), stack.UpdateTerminationProtectionInput{StackName: "DemoStaging", EnableTerminationProtection: true}); err != nil {
			t.Fatal(err)
		}
		s, _, err := destroyIn(t, cloud, Destruction{Force: true})
		if err == nil || !strings.Contains(err.Error(), "--no-enable-termination-protection --stack-name DemoStaging") || len(s.mutating()) > 0 {
			t.Errorf("%v, calls %q", err, s.mutating())
		}
	})
}

func TestDestroyClearsAwayAStackThatWasOnlyReviewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		s := &session{account: cloud}
		_, err := s.clients().Stacks.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{
			StackName: aws.String("DemoStaging"), ChangeSetName: aws.String("first"), ChangeSetType: "CREATE", TemplateBody: aws.String(string(demo("aaaa", "", nil).Template)),
			Parameters: []types.Parameter{{ParameterKey: aws.String(cfn.ArtifactBucketParameter), ParameterValue: aws.String("b")}, {ParameterKey: aws.String("EnvSecret"), ParameterValue: aws.String("s")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = destroyIn(t, cloud, Destruction{})
		synctest.Wait() // the deletion is not waited for
		if status := cloud.status(t, "DemoStaging"); err != nil || status != "DELETE_COMPLETE" {
			t.Error(status, err)
		}
	})
}

// TestDestroyKilledAtEveryCall runs a destruction again after it was killed at each of its calls.
func TestDestroyKilledAtEveryCall(t *testing.T) {
	for _, late := range []bool{false, true} {
		for at, more := 1, true; more; at++ {
			synctest.Test(t, func(t *testing.T) {
				cloud := inBubble(t)
				mustDeploy(t, cloud, demoWithFiles(nil))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := &session{account: cloud, killAt: at, late: late, kill: cancel}
				order := Destruction{App: "demo", Mark: cfn.Mark{App: "demo", Stage: "staging"}, StackName: "DemoStaging", AllowLoss: []string{"AccountsTable", "StaticBucket"}}
				_, err := (&Deployer{Clients: s.clients()}).Destroy(ctx, order)
				if more = err != nil; more && !strings.Contains(err.Error(), "interrupted") {
					t.Errorf("at call %d: %v", at, err)
				}
				if _, _, err := destroyIn(t, cloud, order); err != nil {
					t.Errorf("after call %d: %v", at, err)
				}
				if cloud.parameter(t, "/demo/deploy/secrets/DemoStaging") != "" || cloud.status(t, "DemoStaging") != "DELETE_COMPLETE" || len(cloud.buckets(t)) != 1 {
					t.Errorf("after call %d: %s, buckets %v", at, cloud.status(t, "DemoStaging"), cloud.buckets(t))
				}
			})
		}
	}
}

func TestDestroyFollowsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		destroyed := make(chan error, 2)
		begun := false
		dp := Deployer{Clients: cloud.clients(), Progress: func(step Step) {
			if step.Kind != "event" || begun {
				return
			}
			begun = true
			for range 2 {
				go func() {
					_, _, err := destroyIn(t, cloud, Destruction{Force: true})
					destroyed <- err
				}()
			}
		}}
		// It may see its stack made, or gone again.
		_, _ = dp.Deploy(t.Context(), demo("aaaa", "s3cr3t", nil))
		if err := errors.Join(<-destroyed, <-destroyed); err != nil || cloud.status(t, "DemoStaging") != "DELETE_COMPLETE" {
			t.Errorf("%s %v", cloud.status(t, "DemoStaging"), err)
		}
	})
}

func TestLocalCloudDestroysWithAllVersions(t *testing.T) {
	cloud := newLocalCloud(t)
	d := motoDemo("demo", "aaaa")
	if _, err := cloud.deploy(t, d); err != nil {
		t.Fatal(err)
	}
	clients := connectTo(t, cloud.endpoint)
	bucket := staticBucketOf(t, clients, "DemoStaging")
	if err := clients.Objects.PutBucketVersioning(t.Context(), s3.Bucket{Name: bucket}); err != nil {
		t.Fatal(err)
	}
	d.Static = staticFiles(map[string]string{"index.html": "<p>2", "app.js": "2"})
	d.Static.Prune = true
	if _, err := cloud.deploy(t, d); err != nil {
		t.Fatal(err)
	}
	d.Static = staticFiles(map[string]string{"index.html": "<p>2"})
	d.Static.Prune = true
	if _, err := cloud.deploy(t, d); err != nil { // app.js gets a delete marker
		t.Fatal(err)
	}

	var loss *LossError
	dp := Deployer{Clients: clients}
	order := Destruction{App: "demo", Mark: cfn.Mark{App: "demo", Stage: "staging"}, StackName: "DemoStaging"}
	if _, err := dp.Destroy(t.Context(), order); !errors.As(err, &loss) || len(loss.Losses) != 2 {
		t.Errorf("refused: %v", err)
	}
	order.Force = true
	done, err := dp.Destroy(t.Context(), order)
	if err != nil || done.Emptied < 4 {
		t.Errorf("%+v %v", done, err)
	}
	if err := clients.Objects.HeadBucket(t.Context(), s3.Bucket{Name: bucket}); err == nil {
		t.Error("the bucket is still there")
	}
	if done, err = dp.Destroy(t.Context(), order); err != nil || !done.Missing {
		t.Errorf("again: %+v %v", done, err)
	}
	if out, err := cloud.deploy(t, motoDemo("demo", "aaaa")); err != nil || !out.Created || out.Uploaded != 0 {
		t.Errorf("deployed anew: %+v %v", out, err)
	}
}

func TestMotoDestroys(t *testing.T) {
	endpoint := moto(t)
	dp := Deployer{Clients: connectTo(t, endpoint)}
	if _, err := dp.Deploy(t.Context(), motoDemo("gone", "aaaa")); err != nil {
		t.Fatal(err)
	}
	done, err := dp.Destroy(t.Context(), Destruction{App: "gone", Mark: cfn.Mark{App: "gone", Stage: "staging"}, StackName: "GoneStaging", Force: true})
	if err != nil || done.Emptied != 2 {
		t.Errorf("%+v %v", done, err)
	}
	if left := awscli(t, endpoint, "cloudformation", "list-stacks", "--stack-status-filter", "CREATE_COMPLETE"); strings.Contains(left, "GoneStaging") {
		t.Error(left)
	}
}

// staticBucketOf is the name of the bucket that a stack made for static files.
func staticBucketOf(t *testing.T, clients Clients, stackName string) string {
	t.Helper()
	all, err := clients.listResources(t.Context(), stackName)
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range all {
		if aws.ToString(res.LogicalResourceId) == staticBucketID {
			return aws.ToString(res.PhysicalResourceId)
		}
	}
	t.Fatal("no static bucket")
	return ""
}
