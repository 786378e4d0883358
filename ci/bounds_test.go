package ci

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"arc/cfn"
	"arc/manifest"
)

// everyPragma is an app whose functions are given every right that there is.
const everyPragma = `@app
shopper
@aws
boundary shopper-github
@http
get /
@ws
@events
hit
@queues
jobs
@scheduled
daily rate(1 day)
@tables
accounts
  id *String
  stream true
@tables-indexes
accounts
  email *String
@static
staging acme-files
`

// TestBoundaryAllowsWhatTemplatesGive: a boundary that is too narrow would break
// functions only once they run.
func TestBoundaryAllowsWhatTemplatesGive(t *testing.T) {
	s := shop()
	app := manifest.Load(fstest.MapFS{"app.arc": {Data: []byte(everyPragma)}}, manifest.Options{}).App
	seen := map[string]bool{}
	for _, r := range s.roles() {
		if r.reads {
			continue
		}
		name := ""
		if r.stacks.open {
			name = "7"
		}
		stack, ds := cfn.Compile(app, cfn.Options{Stage: r.stage, Name: name})
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		text, err := stack.Template.JSON()
		if err != nil {
			t.Fatal(err)
		}
		doc, err := cfn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		account := s.account(r)
		bounds := s.bounds(r)
		for id, resource := range doc.Resources {
			if resource.Type != "AWS::IAM::Role" {
				continue
			}
			if got, want := resolved(doc, stack.Name, account, resource.Properties["PermissionsBoundary"]), s.boundary(r); got != want {
				t.Errorf("%s has the boundary %s, and the workflow's role may make it with %s", id, got, want)
			}
			for _, p := range resource.Properties["Policies"].([]any) {
				policy := p.(map[string]any)["PolicyDocument"].(map[string]any)
				for _, st := range policy["Statement"].([]any) {
					given := st.(map[string]any)
					for _, action := range given["Action"].([]any) {
						for _, on := range given["Resource"].([]any) {
							arn := resolved(doc, stack.Name, account, on)
							seen[action.(string)] = true
							if !bounds.allows(request{action: action.(string), resource: arn}) {
								t.Errorf("%s: %s: %s on %s is beyond the boundary", r.name, id, action, arn)
							}
						}
					}
				}
			}
		}
		text, err = bounds.json()
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
		if blank := regexp.MustCompile(`\s`); err != nil || len(blank.ReplaceAll(text, nil)) > 6_144 {
			t.Errorf("%s: %d characters, and a policy takes 6,144 (%v)", r.name, len(text), err)
		}
	}
	for _, action := range []string{"logs:PutLogEvents", "dynamodb:Query", "dynamodb:GetRecords", "sqs:SendMessage", "sqs:ReceiveMessage", "sns:Publish", "s3:GetObject", "ssm:GetParametersByPath", "execute-api:ManageConnections", "lambda:InvokeFunction"} {
		if !seen[action] {
			t.Errorf("no role of the test's app has %s: %v", action, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// resolved is a value as CloudFormation would put it in.
func resolved(doc *cfn.Document, stack, account string, value any) string {
	text := func(name string) string {
		id, attribute, _ := strings.Cut(name, ".")
		at := func(service, rest string) string {
			return "arn:aws:" + service + ":eu-central-1:" + account + ":" + rest
		}
		made := stack + "-" + id + "-AbCdEf123456"
		switch name {
		case "AWS::Partition":
			return "aws"
		case "AWS::Region":
			return "eu-central-1"
		case "AWS::AccountId":
			return account
		case "AWS::StackName":
			return stack
		}
		switch doc.Resources[id].Type {
		case "AWS::DynamoDB::Table":
			if attribute == "StreamArn" {
				return at("dynamodb", "table/"+made+"/stream/2026-01-01T00:00:00.000")
			}
			return at("dynamodb", "table/"+made)
		case "AWS::SQS::Queue":
			return at("sqs", made)
		case "AWS::SNS::Topic":
			return at("sns", made)
		case "AWS::Lambda::Function":
			return at("lambda", "function:"+made)
		case "AWS::S3::Bucket":
			return "arn:aws:s3:::" + strings.ToLower(made)
		case "AWS::ApiGatewayV2::Api":
			return "a1b2c3"
		}
		return "unknown " + name
	}
	m, ok := value.(map[string]any)
	if !ok {
		return fmt.Sprint(value)
	}
	if list, ok := m["Fn::GetAtt"].([]any); ok {
		return text(fmt.Sprint(list[0], ".", list[1]))
	}
	if sub, ok := m["Fn::Sub"].(string); ok {
		return regexp.MustCompile(`\$\{([^}]*)\}`).ReplaceAllStringFunc(sub, func(v string) string { return text(v[2 : len(v)-1]) })
	}
	return text(fmt.Sprint(m["Ref"]))
}
