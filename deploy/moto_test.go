package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"arc/cfn"
	"arc/deploy/queues"
	"arc/deploy/ssm"
)

// motoServer is one moto_server for all tests of the package; each uses an app
// name of its own.
var motoServer struct {
	sync.Once
	process *exec.Cmd
	url     string
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if p := motoServer.process; p != nil {
		p.Process.Kill()
		p.Wait()
	}
	os.Exit(code)
}

// moto gives the endpoint of a running moto_server, an independent stand-in
// for AWS written in Python (pip install 'moto[server]').
func moto(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"moto_server", "aws"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing; pip install 'moto[server]' awscli", tool)
			}
			t.Skipf("%s is missing; pip install 'moto[server]' awscli", tool)
		}
	}
	motoServer.Do(startMoto)
	if motoServer.err != nil {
		t.Fatal(motoServer.err)
	}
	return motoServer.url
}

func startMoto() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		motoServer.err = err
		return
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	cmd := exec.Command("moto_server", "-H", "127.0.0.1", "-p", port)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if motoServer.err = cmd.Start(); motoServer.err != nil {
		return
	}
	motoServer.process, motoServer.url = cmd, "http://127.0.0.1:"+port
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get(motoServer.url + "/moto-api/data.json")
		if err == nil {
			answer.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			motoServer.err = fmt.Errorf("moto_server does not answer: %w", err)
			return
		}
	}
}

// awscli runs the aws command against the endpoint and gives its output.
func awscli(t *testing.T, endpoint string, args ...string) string {
	t.Helper()
	cmd := exec.Command("aws", append([]string{"--endpoint-url", endpoint, "--region", "us-west-2", "--output", "json"}, args...)...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// motoDemo is the demo app with what a real stack needs beside it.
func motoDemo(app, code string) Deployment {
	d := demo(code, "s3cr3t", func(r resources) {
		r["Role"] = map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": map[string]any{
			"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}}},
		}}}
		properties(r, "GetIndexHTTPLambda")["Role"] = map[string]any{"Fn::GetAtt": []any{"Role", "Arn"}}
	})
	d.Template = bytes.Replace(d.Template, []byte(`"app": "demo"`), []byte(`"app": "`+app+`"`), 1)
	d.App, d.StackName = app, strings.ToUpper(app[:1])+app[1:]+"Staging"
	d.Static = staticFiles(map[string]string{"index.html": "<p>", "app.js": code})
	return d
}

func connectTo(t *testing.T, endpoint string) Clients {
	t.Helper()
	clients, err := Connect(t.Context(), ConnectOptions{Endpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	return clients
}

func TestMotoAndAWSCLISeeWhatIsDeployed(t *testing.T) {
	endpoint := moto(t)
	record := &faultProxy{target: endpoint}
	dp := Deployer{Clients: connectTo(t, record.start(t)), Progress: func(s Step) { t.Logf("%+v", s) }}

	out, err := dp.Deploy(t.Context(), motoDemo("motoapp", "aaaa"))
	if err != nil {
		t.Fatal(err)
	}
	if !out.Created || out.Uploaded != 1 || out.Published != 2 {
		t.Errorf("first: %+v", out)
	}
	recorded, err := dp.Clients.Parameters.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"/motoapp/deploy/bucket"}, WithDecryption: true})
	if err != nil || len(recorded.Parameters) != 1 || recorded.Parameters[0].Type != "SecureString" {
		t.Fatalf("bucket's name: %+v %v", recorded, err)
	}
	bucket := recorded.Parameters[0].Value
	if objects := awscli(t, endpoint, "s3", "ls", "s3://"+bucket); !strings.Contains(objects, "aaaa.zip") {
		t.Errorf("bucket %s: %s", bucket, objects)
	}
	checkProtected(t, bucketsOf(endpoint), bucket)
	made := physicalIDs(t, endpoint, "MotoappStaging")
	if got := awscli(t, endpoint, "lambda", "get-function", "--function-name", made["GetIndexHTTPLambda"]); !strings.Contains(got, "nodejs22.x") {
		t.Errorf("function: %s", got)
	}
	if got := awscli(t, endpoint, "s3api", "head-object", "--bucket", made["StaticBucket"], "--key", "index.html"); !strings.Contains(got, "text/html; charset=utf-8") || !strings.Contains(got, "no-store") {
		t.Errorf("index.html: %s", got)
	}

	record.forget()
	if out, err = dp.Deploy(t.Context(), motoDemo("motoapp", "aaaa")); err != nil || !out.Unchanged {
		t.Errorf("again: %+v %v", out, err)
	}
	for _, c := range record.calls() {
		if !strings.HasPrefix(c, "Describe") && !strings.HasPrefix(c, "Get") && !strings.HasPrefix(c, "List") && !strings.HasPrefix(c, "HEAD ") && !strings.HasPrefix(c, "GET ") {
			t.Errorf("again: %s changes something", c)
		}
	}
	if out, err = dp.Deploy(t.Context(), motoDemo("motoapp", "bbbb")); err != nil || out.Unchanged || out.Uploaded != 1 || out.Published != 1 {
		t.Errorf("changed: %+v %v", out, err)
	}

	stack, err := dp.Clients.Describe(t.Context(), "MotoappStaging")
	if err != nil || !stack.Exists || !strings.HasSuffix(stack.Status, "_COMPLETE") || !bytes.Contains(stack.Template, []byte("bbbb.zip")) || stack.Parameters["ArtifactBucket"] != bucket {
		t.Errorf("describe: %+v %v", stack, err)
	}
	if stack, err := dp.Clients.Describe(t.Context(), "NoSuchStack"); err != nil || stack.Exists {
		t.Errorf("describe: %+v %v", stack, err)
	}
}

// bucketsOf is AWS's own client of an endpoint.
func bucketsOf(endpoint string) *s3.Client {
	return s3.NewFromConfig(localConfig(ConnectOptions{Endpoint: endpoint}), func(o *s3.Options) { o.UsePathStyle = true })
}

// checkProtected asks S3 whether the bucket is private, encrypted and versioned.
func checkProtected(t *testing.T, objects *s3.Client, bucket string) {
	t.Helper()
	name := aws.String(bucket)
	if got, err := objects.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: name}); err != nil || !*got.PublicAccessBlockConfiguration.BlockPublicPolicy {
		t.Errorf("public access: %+v %v", got, err)
	}
	if got, err := objects.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: name}); err != nil || len(got.ServerSideEncryptionConfiguration.Rules) != 1 {
		t.Errorf("encryption: %+v %v", got, err)
	}
	if got, err := objects.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: name}); err != nil || got.Status != "Enabled" {
		t.Errorf("versioning: %+v %v", got, err)
	}
	if got, err := objects.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: name}); err != nil || got.OwnershipControls.Rules[0].ObjectOwnership != "BucketOwnerEnforced" {
		t.Errorf("ownership: %+v %v", got, err)
	}
}

// physicalIDs asks awscli what a stack holds.
func physicalIDs(t *testing.T, endpoint, stack string) map[string]string {
	t.Helper()
	var listed struct {
		StackResourceSummaries []struct{ LogicalResourceId, PhysicalResourceId string }
	}
	if err := json.Unmarshal([]byte(awscli(t, endpoint, "cloudformation", "list-stack-resources", "--stack-name", stack)), &listed); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, r := range listed.StackResourceSummaries {
		ids[r.LogicalResourceId] = r.PhysicalResourceId
	}
	return ids
}

func TestMotoTakesALargeTemplateFromTheBucket(t *testing.T) {
	endpoint := moto(t)
	dp := Deployer{Clients: connectTo(t, endpoint)}
	d := motoDemo("largeapp", "aaaa")
	d.Template = append(d.Template, bytes.Repeat([]byte(" \n"), cfn.MaxInlineTemplate)...)
	if out, err := dp.Deploy(t.Context(), d); err != nil || !out.Created {
		t.Fatalf("%+v %v", out, err)
	}
	if stack, err := dp.Clients.Describe(t.Context(), "LargeappStaging"); err != nil || stack.Status != "CREATE_COMPLETE" {
		t.Errorf("%+v %v", stack, err)
	}
}

// faults of the network and of AWS. Each meets every stride-th call of a
// deployment to moto, which takes its time, and every call to the local cloud.
var faults = []struct {
	kind   string
	stride int
}{{"lost answer", 1}, {"throttle", 3}, {"reset before", 6}, {"truncated", 4}, {"503", 6}, {"500", 6}}

func TestMotoWithFaults(t *testing.T) {
	endpoint := moto(t)
	clean := &faultProxy{target: endpoint}
	dp := Deployer{Clients: connectTo(t, clean.start(t))}
	if _, err := dp.Deploy(t.Context(), motoDemo("faults", "aaaa")); err != nil {
		t.Fatal(err)
	}
	total := len(clean.calls())
	if testing.Short() {
		total = 0
	}
	var all errgroup.Group // the time goes into waiting before second tries
	all.SetLimit(6)
	for i, fault := range faults {
		for at := 0; at < total; at += fault.stride {
			all.Go(func() error {
				proxy := &faultProxy{target: endpoint, fault: fault.kind, at: at + 1}
				dp := Deployer{Clients: connectTo(t, proxy.start(t))}
				app := fmt.Sprintf("fault%dat%d", i, at)
				out, err := dp.Deploy(t.Context(), motoDemo(app, "aaaa"))
				if err != nil || !out.Created && !out.Unchanged {
					t.Errorf("%s at call %d (%s): %+v %v", fault.kind, at+1, proxy.hit, out, err)
				}
				if proxy.hit == "CreateChangeSet" && (fault.kind == "lost answer" || fault.kind == "truncated") {
					return nil // moto takes the second try for a second stack of that name
				}
				if out, err := dp.Deploy(t.Context(), motoDemo(app, "aaaa")); err != nil || !out.Unchanged {
					t.Errorf("%s at call %d (%s), again: %+v %v", fault.kind, at+1, proxy.hit, out, err)
				}
				return nil
			})
		}
	}
	all.Wait()
}

func TestCallsOfADeploymentAreFew(t *testing.T) {
	endpoint := moto(t)
	proxy := &faultProxy{target: endpoint}
	dp := Deployer{Clients: connectTo(t, proxy.start(t))}
	d := motoDemo("fewcalls", "aaaa")
	if _, err := dp.Deploy(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	proxy.forget()
	if _, err := dp.Deploy(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	got := proxy.calls()
	slices.Sort(got)
	t.Logf("unchanged: %q", got)
	// One each to see what is there, whose it is and what it runs; moto tells the
	// mark otherwise than AWS, so the template is read twice.
	if len(got) > 11 {
		t.Errorf("an unchanged app takes %d calls: %q", len(got), got)
	}
}

// TestMotoInvokesAndShows: a deployed function is found and invoked, and the dead
// letters of a stack are listed and looked at, over the wire to a stand-in that is
// not ours. It runs no function: what it answers to an invocation is its own.
func TestMotoInvokesAndShows(t *testing.T) {
	endpoint := moto(t)
	clients := connectTo(t, endpoint)
	docker := func(use bool) {
		t.Helper()
		resp, err := http.Post(endpoint+"/moto-api/config", "application/json", strings.NewReader(fmt.Sprintf(`{"lambda": {"use_docker": %t}}`, use)))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	d := motoDemo("invoked", "aaaa")
	if _, err := (&Deployer{Clients: clients}).Deploy(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	name, err := clients.FindFunction(t.Context(), d.StackName, "GetIndexHTTPLambda")
	if err != nil || name == "" {
		t.Fatalf("the function is %q, %v", name, err)
	}
	docker(false)
	done, err := clients.Invoker.Invoke(t.Context(), name, []byte(`{"a":1}`))
	docker(true)
	if err != nil || done.Failed != "" || string(done.Payload) != `{"a":1}` {
		t.Errorf("invoked: %q %s, %v", done.Failed, done.Payload, err)
	}
	if found, err := clients.Resources(t.Context(), "Nowhere", "AWS::SQS::Queue"); err != nil || len(found) > 0 {
		t.Errorf("a stack that is not there has %v, %v", found, err)
	}
	template := t.TempDir() + "/queues.json"
	if err := os.WriteFile(template, []byte(`{"Resources": {"Dead": {"Type": "AWS::SQS::Queue"}, "Jobs": {"Type": "AWS::SQS::Queue", "Properties": {
		"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 1}}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	awscli(t, endpoint, "cloudformation", "create-stack", "--stack-name", "queues", "--template-body", "file://"+template)
	found, err := clients.Resources(t.Context(), "queues", "AWS::SQS::Queue")
	if err != nil || len(found) != 2 {
		t.Fatalf("queues: %v, %v", found, err)
	}
	awscli(t, endpoint, "sqs", "send-message", "--queue-url", found["Dead"], "--message-body", `{"n":1}`)
	jobs, err := clients.Queues.Describe(t.Context(), found["Jobs"])
	if err != nil || queues.NameOf(jobs.DeadLetters) != queues.NameOf(found["Dead"]) || jobs.All() != 0 {
		t.Errorf("the queue: %+v, %v", jobs, err)
	}
	for range 2 { // a look keeps nothing
		var bodies []string
		seen, err := clients.Queues.Look(t.Context(), found["Dead"], 10, func(m queues.Message) error {
			bodies = append(bodies, m.Body)
			return nil
		})
		if err != nil || seen != 1 || !slices.Equal(bodies, []string{`{"n":1}`}) {
			t.Errorf("looked at %d: %q, %v", seen, bodies, err)
		}
	}
	if sources, err := clients.Queues.Sources(t.Context(), found["Dead"]); err != nil || len(sources) != 1 || queues.NameOf(sources[0]) != queues.NameOf(found["Jobs"]) {
		t.Errorf("sources: %v, %v", sources, err)
	}
}
