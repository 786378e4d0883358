package recorded

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"arc/sandbox/stack"
)

const everything = `
Resources:
  Distribution: {Type: AWS::CloudFront::Distribution, Properties: {DistributionConfig: {Enabled: true}}}
  Access: {Type: AWS::CloudFront::OriginAccessControl, Properties: {OriginAccessControlConfig: {}}}
  Identity: {Type: AWS::CloudFront::CloudFrontOriginAccessIdentity, Properties: {CloudFrontOriginAccessIdentityConfig: {}}}
  Cache: {Type: AWS::CloudFront::CachePolicy, Properties: {CachePolicyConfig: {}}}
  Origin: {Type: AWS::CloudFront::OriginRequestPolicy, Properties: {OriginRequestPolicyConfig: {}}}
  Headers: {Type: AWS::CloudFront::ResponseHeadersPolicy, Properties: {ResponseHeadersPolicyConfig: {}}}
  Edge: {Type: AWS::CloudFront::Function, Properties: {Name: edge, FunctionCode: x, FunctionConfig: {}}}
  Images: {Type: AWS::ECR::Repository}
  Key: {Type: AWS::KMS::Key}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/app, TargetKeyId: {Ref: Key}}}
  CDKMetadata: {Type: AWS::CDK::Metadata, Properties: {Analytics: x}}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
Outputs:
`

// outputs are Ref or Fn::GetAtt of each, with what it must look like. T is the
// random part of a name.
var outputs = map[string]string{
	"Distribution":                      `T`,
	"Distribution.DomainName":           `dt.cloudfront.net`,
	"Access.Id":                         `T`,
	"Identity.S3CanonicalUserId":        `t`,
	"Cache":                             `T`,
	"Origin":                            `T`,
	"Headers":                           `T`,
	"Edge.FunctionMetadata.FunctionARN": `arn:aws:cloudfront::123456789012:function/edge`,
	"Images":                            `app-images-t`,
	"Images.RepositoryUri":              `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app-images-t`,
	"Alias":                             `alias/app`,
}

func TestEverythingComesUp(t *testing.T) {
	var body strings.Builder
	body.WriteString(everything)
	names := map[string]string{}
	for i, what := range slices.Sorted(maps.Keys(outputs)) {
		names[fmt.Sprintf("O%d", i)] = what
		id, attribute, isAttribute := strings.Cut(what, ".")
		if isAttribute {
			fmt.Fprintf(&body, "  O%d: {Value: {Fn::GetAtt: [%s, %s]}}\n", i, id, attribute)
		} else {
			fmt.Fprintf(&body, "  O%d: {Value: {Ref: %s}}\n", i, id)
		}
	}
	e := stack.New(stack.Options{Account: "123456789012", Region: "eu-west-1", Registrations: New().Registrations()})
	t.Cleanup(e.Close)
	said := 0
	err := e.Apply(context.Background(), "app", []byte(body.String()), nil, func(ev stack.Event) {
		if strings.HasPrefix(ev.ResourceStatusReason, "recorded only: ") {
			said++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Count(everything, "Type: AWS::") - 2; said != want { // two of them do nothing on AWS either
		t.Errorf("%d of %d resources say that they do not run", said, want)
	}
	random := regexp.MustCompile(`\bE?[A-Z2-7]{12}\b`)
	lower := regexp.MustCompile(`[a-z2-7]{12}($|\.cloudfront)`)
	for name, value := range e.Outputs("app") {
		got := lower.ReplaceAllString(random.ReplaceAllString(value, "T"), "t$1")
		if want := outputs[names[name]]; got != want {
			t.Errorf("%s = %s, want %s", names[name], got, want)
		}
	}
	if err := e.Remove(context.Background(), "app", nil); err != nil {
		t.Error(err)
	}
}

// A name of the wrong type is no reason to make one up.
func TestNamesAreRead(t *testing.T) {
	for want, resource := range map[string]string{
		"property Name: must be a string":       "{Type: AWS::CloudFront::Function, Properties: {Name: [a], FunctionCode: x, FunctionConfig: {}}}",
		"required key [FunctionCode] not found": "{Type: AWS::CloudFront::Function, Properties: {Name: a, FunctionConfig: {}}}",
	} {
		e := stack.New(stack.Options{Account: "123456789012", Region: "eu-west-1", Registrations: New().Registrations()})
		err := e.Apply(context.Background(), "app", []byte("Resources: {It: "+resource+"}"), nil, nil)
		e.Close()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// TestOther: the app that runs from its source may have any type that AWS has, also
// in a nested stack; other stacks may not, and nobody one that there is not.
func TestOther(t *testing.T) {
	s := New()
	var told []string
	const inner = "Resources: {Mail: {Type: AWS::SES::Template}}"
	e := stack.New(stack.Options{
		Account: "123456789012", Region: "us-east-1", Registrations: s.Registrations(), Recorded: s.Other,
		SetAside: func(name string) bool { return name == "app" },
		NotRun:   func(name string, types []string) { told = append(told, fmt.Sprint(name, " ", types)) },
		Fetch:    func(context.Context, string) ([]byte, error) { return []byte(inner), nil },
	})
	t.Cleanup(e.Close)
	const outer = `
Resources:
  Search: {Type: AWS::OpenSearchService::Domain}
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://s3.amazonaws.com/b/inner}}
Outputs:
  Where: {Value: !GetAtt Search.DomainEndpoint}
  Arn: {Value: !GetAtt Search.Arn}
`
	if err := e.Apply(t.Context(), "app", []byte(outer), nil, nil); err != nil {
		t.Fatal(err)
	}
	out := e.Outputs("app")
	if !regexp.MustCompile(`^\w+\.DomainEndpoint$`).MatchString(out["Where"]) || !strings.HasPrefix(out["Arn"], "arn:aws:opensearchservice:us-east-1:123456789012:") {
		t.Errorf("outputs %v", out)
	}
	for _, name := range []string{"other", "other"} { // the second time it is not told again
		if err := e.Apply(t.Context(), name, []byte(outer), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 3 || told[0] != "other [AWS::OpenSearchService::Domain]" && told[1] != "other [AWS::OpenSearchService::Domain]" {
		t.Errorf("told %q", told)
	}
	// A user pool has the names by which authorizers know it.
	if err := e.Apply(t.Context(), "app", []byte("Resources: {Pool: {Type: AWS::Cognito::UserPool}}\nOutputs: {Pool: {Value: !Ref Pool}, Arn: {Value: !GetAtt Pool.Arn}, URL: {Value: !GetAtt Pool.ProviderURL}}"), nil, nil); err != nil {
		t.Fatal(err)
	}
	if pool := e.Outputs("app"); !strings.HasPrefix(pool["Pool"], "us-east-1_") || pool["Arn"] != "arn:aws:cognito-idp:us-east-1:123456789012:userpool/"+pool["Pool"] || pool["URL"] != "https://cognito-idp.us-east-1.amazonaws.com/"+pool["Pool"] {
		t.Errorf("a user pool: %v", pool)
	}
	for _, typ := range []string{"AWS::OpenSearchService::Dommain", "AWS::ApiGateway::ClientCertificate", "Own::Kind"} {
		err := e.Apply(t.Context(), "wrong", []byte("Resources: {Search: {Type: "+typ+"}}"), nil, nil)
		if err == nil || !strings.Contains(err.Error(), "Unrecognized resource types: ["+typ) {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// ECR tells of the repositories that stacks made in the region of a request, and of
// no other.
func TestRepositories(t *testing.T) {
	s := New()
	e := stack.New(stack.Options{Account: "123456789012", Region: "eu-west-1", Registrations: s.Registrations()})
	defer e.Close()
	if err := e.Apply(t.Context(), "app", []byte("Resources: {Images: {Type: AWS::ECR::Repository, Properties: {RepositoryName: one}}, Key: {Type: AWS::KMS::Key}}"), nil, nil); err != nil {
		t.Fatal(err)
	}
	const one = `map[repositories:[{arn:aws:ecr:eu-west-1:123456789012:repository/one 123456789012 one 123456789012.dkr.ecr.eu-west-1.amazonaws.com/one}]]`
	for _, test := range []struct{ region, operation, in, want string }{
		{"eu-west-1", "DescribeRepositories", `{}`, one},
		{"eu-west-1", "DescribeRepositories", `{"repositoryNames":["one"],"registryId":"123456789012"}`, one},
		{"us-east-1", "DescribeRepositories", `{}`, `map[repositories:[]]`},
		{"eu-west-1", "DescribeRepositories", `{"repositoryNames":["two"]}`, "RepositoryNotFoundException: The repository with name 'two' does not exist"},
		{"eu-west-1", "ListImages", `{}`, "UnknownOperationException: the local cloud's ECR does not run ListImages"},
	} {
		out, err := s.Handle(stack.WithRegion(t.Context(), test.region), test.operation, []byte(test.in))
		got := fmt.Sprint(out)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%s %s in %s: %s", test.operation, test.in, test.region, got)
		}
	}
}
