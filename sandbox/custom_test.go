package sandbox_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/sandbox"
)

const secretTemplate = `{"Resources": {
  "Maker": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": "const r = require('cfn-response'); exports.handler = (e, c) => { console.log('asked to ' + e.RequestType + ' ' + e.PhysicalResourceId); r.send(e, c, r.SUCCESS, { Word: 'sesame' }, 'it', true) }"}}},
  "Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Maker", "Arn"]}}},
  "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["Thing", "Word"]}}}},
  "Outputs": {"Word": {"Value": {"Fn::GetAtt": ["Thing", "Word"]}}}}`

// A custom resource is there in the next run without being asked for again, what it
// keeps secret is in no event and no line of the log, and its Delete has its ID.
func TestCustomResourceStays(t *testing.T) {
	t.Parallel()
	need(t, "node")
	p := newProject(t)
	opts := p.options()
	opts.State = sandbox.State{Dir: t.TempDir()}
	start := func() *sandbox.Cloud {
		c, err := sandbox.Start(opts)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := start()
	s := &publicStack{t: t, c: c, name: "Kept", files: map[string][]byte{"template.yaml": []byte(secretTemplate)}}
	s.up()
	if events := s.events(); s.outputs["Word"] != "*****" || strings.Contains(events, "sesame\"") {
		t.Errorf("the word is shown: %s\n%s", s.outputs, events)
	}
	c.Close()
	c = start()
	defer c.Close()
	s.c = c
	s.settled()
	if s.outputs["Word"] != "*****" {
		t.Errorf("the word is shown by the next run: %s", s.outputs)
	}
	s.step("delete")
	wait(t, func() bool { return p.logged("Maker | asked to Delete it") }, func() string { return strings.Join(p.lines, "\n") })
	p.mu.Lock()
	defer p.mu.Unlock()
	log := strings.Join(p.lines, "\n")
	if strings.Count(log, "asked to Create") != 1 || strings.Contains(log, "sesame") {
		t.Error("asked twice, or the word is in the log:\n" + log)
	}
}

// Answers come here, also where calls of S3 go to AWS itself, which knows nothing of
// them.
func TestCustomResourceBesideAWS(t *testing.T) {
	t.Parallel()
	need(t, "node")
	p := newProject(t)
	opts := p.options()
	opts.AWS = []string{"s3"}
	c, err := sandbox.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := &publicStack{t: t, c: c, name: "Beside", files: map[string][]byte{"template.yaml": []byte(secretTemplate)}}
	s.up()
	s.step("event Thing CREATE_COMPLETE it")
	s.step("delete")
}

// The newest CDK deploys, updates, rolls back and destroys an app with what it makes
// of custom resources: buckets that are emptied and filled, calls of AWS, log
// retention, and the provider framework.
// https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.custom_resources-readme.html
func TestCDKCustomResources(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	p, c := newPackaged(t, nil)
	a := newCDKApp(t, "cdk-custom", c.Running().Endpoint)
	defer func() {
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Log(strings.Join(p.lines, "\n"))
		}
	}()
	a.cdk("bootstrap")
	said := a.cdk("deploy", "--require-approval", "never")
	bucket := output(t, said, "Bucket")
	object := func(key string) string {
		_, text := get(t, c.Running().Endpoint+"/"+bucket+"/"+key, func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0")
		})
		return strings.TrimSpace(text)
	}
	check := func(name, version string) {
		t.Helper()
		for what, values := range map[string][2]string{
			"page": {object("index.html"), "<h1>" + name + "</h1>"}, "config": {object("config.json"), `{"bucket":"` + bucket + `","name":"` + name + `"}`},
			"Version": {output(t, said, "Version"), version}, "Greeting": {output(t, said, "Greeting"), "hello " + name}, "Provided": {output(t, said, "Provided"), "provided-" + name},
		} {
			if values[0] != values[1] {
				t.Errorf("%s: %q, want %q", what, values[0], values[1])
			}
		}
	}
	check("one", "1")
	groups := string(call(t, c, "logs", "Logs_20140328.DescribeLogGroups", map[string]string{"logGroupNamePrefix": "/aws/lambda/" + output(t, said, "Function")}))
	if !strings.Contains(groups, `"retentionInDays":7`) {
		t.Errorf("the log group is kept as %s", groups)
	}

	if err := os.WriteFile(filepath.Join(a.dir, "site", "index.html"), []byte("<h1>two</h1>"), 0o644); err != nil {
		t.Fatal(err)
	}
	said = a.cdk("deploy", "--require-approval", "never", "-c", "name=two")
	check("two", "2")

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	out, err := a.command(ctx, "deploy", "--require-approval", "never", "-c", "name=three", "-c", "fail=yes").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "the provider fails on purpose") {
		t.Errorf("a provider that fails: %v\n%s", err, out)
	}
	if got := object("config.json"); !strings.Contains(got, `"name":"two"`) {
		t.Errorf("after a rollback the deployment holds %s", got)
	}

	if said := a.cdk("destroy", "--force", "--app", "cdk.out"); !strings.Contains(said, "destroyed") {
		t.Errorf("cdk destroy: %s", said)
	}
	if got := object("index.html"); !strings.Contains(got, "NoSuchBucket") {
		t.Errorf("the bucket is there still: %s", got)
	}
	if got := string(call(t, c, "ssm", "AmazonSSM.GetParametersByPath", map[string]any{"Path": "/errands"})); strings.Contains(got, "/errands/name") {
		t.Errorf("the parameter is there still: %s", got)
	}
}
