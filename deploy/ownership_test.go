package deploy

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
	"arc/deploy/s3"
)

// create makes a stack as another tool would.
func create(t *testing.T, clients Clients, name, template string) {
	t.Helper()
	_, err := clients.Stacks.(*awscfn.Client).CreateStack(t.Context(), &awscfn.CreateStackInput{
		StackName: aws.String(name), TemplateBody: aws.String(template), Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiter := awscfn.NewStackCreateCompleteWaiter(clients.Stacks.(*awscfn.Client), func(o *awscfn.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, time.Second
	})
	if err := waiter.Wait(t.Context(), &awscfn.DescribeStacksInput{StackName: aws.String(name)}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// TestStacksThatAreNotOurs: a deploy, a destruction and a plan leave a stack
// alone that is another app's, another stage's, or a stranger's.
func TestStacksThatAreNotOurs(t *testing.T) {
	const role = `"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}`
	for name, c := range map[string]struct {
		template string
		want     string // of the refusal; "" = none
		adopted  bool   // with Adopt it goes
	}{
		"a stranger's":     {`{"Resources": {` + role + `}}`, "nothing shows that arc or Architect made it for demo, staging", true},
		"another app's":    {`{"Metadata": {"arc": {"app": "shop-staging", "stage": "production"}}, "Resources": {` + role + `}}`, "it belongs to shop-staging, production, and not to demo, staging", false},
		"another stage's":  {`{"Metadata": {"arc": {"app": "demo", "stage": "preview", "name": "x"}}, "Resources": {` + role + `}}`, "it belongs to demo, preview (x), and not to demo, staging", false},
		"a mark of others": {`{"Metadata": {"arc": [1]}, "Resources": {` + role + `}}`, "whose it is cannot be read", false},
		"arc's of old":     {`{"Description": "demo, staging", "Resources": {` + role + `}}`, "", true},
		"another's of old": {`{"Description": "demo, staging (x)", "Resources": {` + role + `}}`, "nothing shows that arc or Architect made it", true},
		"arc's":            {`{"Metadata": {"arc": {"app": "demo", "stage": "staging"}}, "Resources": {` + role + `}}`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clients := connectTo(t, newLocalCloud(t).endpoint)
			create(t, clients, "DemoStaging", c.template)
			before, err := clients.Describe(t.Context(), "DemoStaging")
			if err != nil {
				t.Fatal(err)
			}
			dp := Deployer{Clients: clients}
			d := motoDemo("demo", "aaaa")
			order := Destruction{App: "demo", Mark: cfn.Mark{App: "demo", Stage: "staging"}, StackName: "DemoStaging", Force: true}
			if c.want == "" {
				if _, err := dp.Deploy(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				if err := clients.Owned(t.Context(), "DemoStaging", order.Mark); err != nil {
					t.Error(err)
				}
				if _, err := dp.Destroy(t.Context(), order); err != nil {
					t.Error(err)
				}
				return
			}
			_, deployed := dp.Deploy(t.Context(), d)
			_, destroyed := dp.Destroy(t.Context(), order)
			d.AllowLoss = []string{"Topic"}
			planned := d
			planned.Plan = &Planned{ID: "0123456789abcdef"}
			_, byPlan := dp.Deploy(t.Context(), planned)
			for what, err := range map[string]error{"deploy": deployed, "destroy": destroyed, "plan": byPlan} {
				if foreign, ok := errors.AsType[*ForeignError](err); !ok || !strings.Contains(err.Error(), c.want) || foreign.Unmarked() != c.adopted {
					t.Errorf("%s: %v", what, err)
				}
			}
			if after, err := clients.Describe(t.Context(), "DemoStaging"); err != nil || after.version != before.version || string(after.Template) != c.template {
				t.Errorf("the stack was changed: %v %s", err, after.Template)
			}
			d.Adopt = true
			_, err = dp.Deploy(t.Context(), d)
			if c.adopted != (err == nil) {
				t.Errorf("adopted: %v", err)
			}
			if c.adopted {
				if err := clients.Owned(t.Context(), "DemoStaging", order.Mark); err != nil {
					t.Errorf("adopted, and not marked: %v", err)
				}
			}
		})
	}
}

// TestAFailedStackOfAnother: what is left of a creation that failed is cleared
// away, unless it is another app's.
func TestAFailedStackOfAnother(t *testing.T) {
	cloud := newLocalCloud(t)
	other := motoDemo("demo", "aaaa")
	other.Template = []byte(strings.Replace(string(other.Template), `"app": "demo"`, `"app": "another"`, 1))
	cloud.fail("GetIndexHTTPLambda", "no room")
	if _, err := cloud.deploy(t, other); err == nil {
		t.Fatal("deployed")
	}
	if _, err := cloud.deploy(t, motoDemo("demo", "aaaa")); !strings.Contains(err.Error(), "it belongs to another, staging") {
		t.Errorf("another's: %v", err)
	}
	if _, err := cloud.deploy(t, other); err != nil {
		t.Errorf("its own: %v", err)
	}
}

// TestABucketOfAnotherAccount hands code and files to nobody else: the name of
// a bucket that was given up may be a stranger's now.
func TestABucketOfAnotherAccount(t *testing.T) {
	cloud := newLocalCloud(t)
	clients := connectTo(t, cloud.endpoint)
	for _, name := range []string{"given-up", "files-given-up"} {
		cloud.give(t, name)
	}
	dp := Deployer{Clients: clients}

	d := motoDemo("demo", "aaaa")
	d.Bucket = "given-up"
	if _, err := dp.Deploy(t.Context(), d); err == nil || !strings.Contains(err.Error(), "does not belong to account "+ourAccount) {
		t.Errorf("artifact bucket: %v", err)
	}
	d = Deployment{App: "demo", Stage: "staging", StackName: "DemoStaging", Template: []byte(`{"Metadata": {"arc": {"app": "demo", "stage": "staging"}},
		"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {}}}}`), Static: staticFiles(map[string]string{"index.html": "<p>"})}
	d.Static.Bucket = "files-given-up"
	if _, err := dp.Deploy(t.Context(), d); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("static files: %v", err)
	}
	if _, err := clients.OpenObject(t.Context(), ourAccount, "given-up", "x"); err == nil {
		t.Error("a diff reads the stranger's zip")
	}
	for _, name := range []string{"given-up", "files-given-up"} {
		list, err := clients.Objects.ListObjectsV2(t.Context(), s3.Bucket{Name: name}, "", "")
		if err != nil || len(list.Objects) != 1 {
			t.Errorf("%s holds %d objects: %v", name, len(list.Objects), err)
		}
	}
}

// TestTheBucketChangesHands right before the change set is made, and right
// before it is executed.
func TestTheBucketChangesHands(t *testing.T) {
	for _, at := range []string{"CreateChangeSet", "ExecuteChangeSet"} {
		synctest.Test(t, func(t *testing.T) {
			cloud := inBubble(t)
			mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
			bucket := cloud.parameter(t, "/demo/deploy/bucket")
			// The last question before that call.
			s := &session{account: cloud}
			heads := 0
			want := map[string]int{"CreateChangeSet": 2, "ExecuteChangeSet": 3}[at]
			s.before = func(call string) {
				if call == "HeadBucket" {
					if heads++; heads == want {
						cloud.give(t, bucket)
					}
				}
			}
			_, err := (&Deployer{Clients: s.clients()}).Deploy(t.Context(), demo("bbbb", "s3cr3t", nil))
			calls := strings.Join(s.calls, " ")
			if err == nil || !strings.Contains(err.Error(), "does not belong to account") || strings.Contains(calls, at) {
				t.Errorf("before %s: %v, calls %s", at, err, calls)
			}
			if at == "ExecuteChangeSet" && !strings.Contains(calls, "DeleteChangeSet") {
				t.Errorf("the change set is left behind: %s", calls)
			}
		})
	}
}
