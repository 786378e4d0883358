package diff_test

import (
	"strings"
	"testing"

	"arc/cfn/diff"
)

// TestMacros: under a macro that is not expanded, no change is safe or nothing,
// unless both sides are written alike and the macro reads nothing else.
func TestMacros(t *testing.T) {
	const sam = "Transform: AWS::Serverless-2016-10-31\n"
	const function = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs22.x}}}\n"
	for _, c := range []struct {
		name, before, after string
		want                diff.Verdict
	}{
		{"the same", sam + function, sam + function, diff.NoChanges},
		{"a description", sam + function, sam + "Description: x\n" + function, diff.NoChanges},
		{"globals lose their authorizer", sam + "Globals: {Api: {Auth: {DefaultAuthorizer: A}}}\n" + function, sam + "Globals: {Api: {}}\n" + function, diff.Uncertain},
		{"a macro comes", "Resources: {T: {Type: AWS::SNS::Topic}}", sam + "Resources: {T: {Type: AWS::SNS::Topic}}", diff.NoChanges},
		{"an own macro", "Transform: Mine\n" + function, "Transform: Mine\n" + function, diff.Uncertain},
		{"a list", "Transform: [AWS::Serverless-2016-10-31, Mine]\n" + function, "Transform: [AWS::Serverless-2016-10-31, Mine]\n" + function, diff.Uncertain},
		{"an include of resources", "Resources: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: a}}, T: {Type: AWS::SNS::Topic}}",
			"Resources: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: a}}, T: {Type: AWS::SNS::Topic}}", diff.Uncertain},
		{"extensions that nothing uses", "Transform: AWS::LanguageExtensions\nResources: {T: {Type: AWS::SNS::Topic}}",
			"Transform: AWS::LanguageExtensions\nResources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: x}}}", diff.Safe},
		{"a policy that is computed", "Transform: AWS::LanguageExtensions\nParameters: {P: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic, DeletionPolicy: !Ref P}}",
			"Transform: AWS::LanguageExtensions\nParameters: {P: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic, DeletionPolicy: Delete}}", diff.Uncertain},
		{"text as JSON", "Transform: AWS::LanguageExtensions\nResources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: {Fn::ToJsonString: {a: 1}}}}}",
			"Transform: AWS::LanguageExtensions\nResources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: {Fn::ToJsonString: {a: 2}}}}}", diff.Uncertain},
		{"what is dangerous stays so", sam + "Resources: {B: {Type: AWS::S3::Bucket}, T: {Type: AWS::SNS::Topic}}", sam + "Resources: {T: {Type: AWS::SNS::Topic}}", diff.Dangerous},
		{"the first deploy", "", sam + function, diff.Uncertain},
	} {
		review := diff.Compose(parse(t, []byte(c.before)), parse(t, []byte(c.after)), diff.Options{})
		if review.Verdict != c.want {
			t.Errorf("%s: %s, want %s", c.name, review.Headline(), c.want)
		}
		if exit := review.Has(diff.DangerousClasses()); exit != (c.want == diff.Uncertain || c.want == diff.Dangerous) {
			t.Errorf("%s: fails a gate: %t", c.name, exit)
		}
	}
}

// TestUnknownIdentity: what the other side does not tell of its stack is said.
func TestUnknownIdentity(t *testing.T) {
	doc := parse(t, []byte("Resources: {T: {Type: AWS::SNS::Topic}}"))
	is := diff.Identity{App: "a", Region: "eu-west-1", Profile: "default"}
	for _, c := range []struct {
		was  diff.Identity
		want string
	}{
		{diff.Identity{}, "old.json does not tell its app, region and account"},
		{diff.Identity{App: "a"}, "old.json does not tell its region and account"},
		{is, ""},
	} {
		got := strings.Join(diff.Compose(doc, doc, diff.Options{Was: c.was, Is: is, Before: "old.json"}).Limits, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c.was, got)
		}
	}
	if got := diff.Compose(nil, doc, diff.Options{Is: is}).Limits; len(got) > 0 {
		t.Errorf("nothing is deployed: %q", got)
	}
}
