package wire_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// These tests drive the endpoint with clients that are not ours, over a real
// socket and by their own defaults.

const handWritten = `{
  "Resources": {
    "Store": {"Type": "AWS::S3::Bucket"},
    "Pointer": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Store"}}}
  },
  "Outputs": {"Store": {"Value": {"Ref": "Store"}}}
}`

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "template.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAWSCLIStacks(t *testing.T) {
	c := start(t)
	template := writeFile(t, handWritten)
	out := c.run(t, "aws", "cloudformation", "deploy", "--stack-name", "hand", "--template-file", template)
	if !strings.Contains(out, "Successfully created/updated stack - hand") {
		t.Errorf("deploy said %s", out)
	}
	out = c.run(t, "aws", "cloudformation", "deploy", "--stack-name", "hand", "--template-file", template, "--no-fail-on-empty-changeset")
	if !strings.Contains(out, "No changes to deploy") {
		t.Errorf("a second deploy said %s", out)
	}
	var stacks struct {
		Stacks []struct {
			StackStatus string
			Outputs     []struct{ OutputKey, OutputValue string }
		}
	}
	if err := json.Unmarshal([]byte(c.run(t, "aws", "cloudformation", "describe-stacks", "--stack-name", "hand")), &stacks); err != nil {
		t.Fatal(err)
	}
	if s := stacks.Stacks[0]; s.StackStatus != "CREATE_COMPLETE" || len(s.Outputs) != 1 {
		t.Fatalf("stack: %+v", s)
	}
	bucket := stacks.Stacks[0].Outputs[0].OutputValue
	text := func(args ...string) string {
		return strings.TrimSpace(c.run(t, "aws", append(args, "--output", "text")...))
	}
	if got := text("cloudformation", "describe-stack-events", "--stack-name", "hand", "--query", "StackEvents[0].[LogicalResourceId,ResourceStatus]"); got != "hand\tCREATE_COMPLETE" {
		t.Errorf("newest event: %q", got)
	}
	if got := text("cloudformation", "list-stack-resources", "--stack-name", "hand", "--query", "StackResourceSummaries[].LogicalResourceId"); got != "Pointer\tStore" {
		t.Errorf("resources: %q", got)
	}
	if got := text("cloudformation", "get-template", "--stack-name", "hand", "--query", "TemplateBody.Outputs.Store.Value.Ref"); got != "Store" {
		t.Errorf("template: %q", got)
	}
	if got := text("s3", "ls"); !strings.HasSuffix(got, bucket) {
		t.Errorf("buckets: %q", got)
	}
	if got := text("sts", "get-caller-identity", "--query", "Account"); got != testAccount {
		t.Errorf("account: %q", got)
	}
	if got := text("ssm", "describe-parameters", "--query", "Parameters[].Type"); got != "String" {
		t.Errorf("parameters: %q", got)
	}
	c.run(t, "aws", "s3", "cp", template, "s3://"+bucket+"/t.json")
	out, err := c.try(t, "aws", "cloudformation", "delete-stack", "--stack-name", "hand")
	if err != nil {
		t.Fatal(out)
	}
	out, err = c.try(t, "aws", "cloudformation", "wait", "stack-delete-complete", "--stack-name", "hand")
	if err == nil || !strings.Contains(out, "DELETE_FAILED") {
		t.Errorf("a stack with a full bucket: %v %s", err, out)
	}
	if got := text("cloudformation", "describe-stack-events", "--stack-name", "hand", "--query", "StackEvents[?ResourceStatus=='DELETE_FAILED'&&LogicalResourceId=='Store'].ResourceStatusReason"); !strings.Contains(got, "not empty") {
		t.Errorf("reason: %q", got)
	}
}

func TestAWSCLIObjects(t *testing.T) {
	c := start(t)
	text := func(args ...string) string {
		return strings.TrimSpace(c.run(t, "aws", append(args, "--output", "text")...))
	}
	c.run(t, "aws", "s3", "mb", "s3://files")
	c.run(t, "aws", "s3api", "put-bucket-versioning", "--bucket", "files", "--versioning-configuration", "Status=Enabled")
	file := writeFile(t, strings.Repeat("0123456789", 1_000_000)) // large enough for a multipart upload
	c.run(t, "aws", "s3", "cp", file, "s3://files/big", "--content-type", "text/plain", "--cache-control", "no-cache")
	if got := text("s3api", "head-object", "--bucket", "files", "--key", "big", "--query", "[ContentLength,ContentType,CacheControl]"); got != "10000000\ttext/plain\tno-cache" {
		t.Errorf("head: %q", got)
	}
	back := filepath.Join(t.TempDir(), "back")
	c.run(t, "aws", "s3", "cp", "s3://files/big", back)
	if data, err := os.ReadFile(back); err != nil || len(data) != 10_000_000 {
		t.Errorf("came back: %d bytes, %v", len(data), err)
	}
	c.run(t, "aws", "s3", "cp", "s3://files/big", "s3://files/copy", "--cache-control", "max-age=1", "--metadata-directive", "REPLACE")
	if got := text("s3api", "head-object", "--bucket", "files", "--key", "copy", "--query", "CacheControl"); got != "max-age=1" {
		t.Errorf("copy: %q", got)
	}
	c.run(t, "aws", "s3", "rm", "s3://files", "--recursive")
	if got := text("s3api", "list-object-versions", "--bucket", "files", "--query", "[length(Versions),length(DeleteMarkers)]"); got != "2\t2" {
		t.Errorf("versions: %q", got)
	}
	if out, err := c.try(t, "aws", "s3", "rb", "s3://files"); err == nil || !strings.Contains(out, "BucketNotEmpty") {
		t.Errorf("a bucket with versions: %v %s", err, out)
	}
}

func TestAWSCLIRoles(t *testing.T) {
	c := start(t)
	template := writeFile(t, `
Resources:
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /g, RetentionInDays: 30}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: runner
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
      ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
      Policies: [{PolicyName: inside, PolicyDocument: {Version: "2012-10-17", Statement: []}}]
  Policy: {Type: AWS::IAM::Policy, Properties: {PolicyName: beside, Roles: [!Ref Role], PolicyDocument: {Version: "2012-10-17", Statement: []}}}
  Managed: {Type: AWS::IAM::ManagedPolicy, Properties: {Roles: [!Ref Role], PolicyDocument: {Version: "2012-10-17", Statement: []}}}
`)
	c.run(t, "aws", "cloudformation", "deploy", "--stack-name", "roles", "--template-file", template, "--capabilities", "CAPABILITY_NAMED_IAM")
	text := func(args ...string) string {
		return strings.TrimSpace(c.run(t, "aws", append(args, "--output", "text")...))
	}
	if got := text("iam", "get-role", "--role-name", "runner", "--query", "Role.[Arn,AssumeRolePolicyDocument.Statement[0].Principal.Service]"); got != "arn:aws:iam::"+testAccount+":role/runner\tlambda.amazonaws.com" {
		t.Errorf("role: %q", got)
	}
	if got := text("iam", "list-role-policies", "--role-name", "runner", "--query", "PolicyNames"); got != "beside\tinside" {
		t.Errorf("inline policies: %q", got)
	}
	if got := text("iam", "list-attached-role-policies", "--role-name", "runner", "--query", "AttachedPolicies[].PolicyName"); !strings.HasPrefix(got, "AWSLambdaBasicExecutionRole\troles-Managed-") {
		t.Errorf("attached policies: %q", got)
	}
	c.run(t, "aws", "cloudformation", "delete-stack", "--stack-name", "roles")
	c.run(t, "aws", "cloudformation", "wait", "stack-delete-complete", "--stack-name", "roles")
	if out, err := c.try(t, "aws", "iam", "get-role", "--role-name", "runner"); err == nil || !strings.Contains(out, "NoSuchEntity") {
		t.Errorf("a deleted role: %v %s", err, out)
	}
}

// boto3 with its waiters, its paginators and its own way of uploading streams.
func TestBoto3(t *testing.T) {
	c := start(t)
	script := filepath.Join("testdata", "boto3_client.py")
	absolute, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	need(t, "python3")
	if out, err := c.try(t, "python3", "-c", "import boto3"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("boto3 is not installed: CI needs it\n%s", out)
		}
		t.Skip("boto3 is not installed: this client cannot be tried")
	}
	if out := c.run(t, "python3", absolute); !strings.HasSuffix(out, "ok\n") {
		t.Error(out)
	}
}

// What the endpoint does not run is refused in words, in the protocol's own shape.
func TestUnknownOperations(t *testing.T) {
	c := start(t)
	for _, call := range []struct{ args, want string }{
		{"cloudformation detect-stack-drift --stack-name x", `"DetectStackDrift"`},
		{"ssm list-documents", "ListDocuments"},
		{"lambda list-layers", "runs no lambda"},
		{"kms list-keys", "runs no kms"},
		{"events list-rules", "runs no events"},
		{"apigatewayv2 get-apis", "runs no apigateway"},
		{"iam list-users", `"ListUsers"`},
	} {
		out, err := c.try(t, "aws", strings.Fields(call.args)...)
		if err == nil || !strings.Contains(out, call.want) || strings.Contains(out, "<html") {
			t.Errorf("%s: %v %s", call.args, err, out)
		}
	}
}
