package diff_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
)

// TestAlikeIsOneItem: one line of a manifest that changes sixty functions and
// their roles is one item and one danger, in every face. A function to which
// something else happens stays by itself.
func TestAlikeIsOneItem(t *testing.T) {
	app := func(runtime, action string, odd bool) *cfn.Document {
		doc := &cfn.Document{Resources: map[string]cfn.ResourceDef{"Files": {Type: "AWS::S3::Bucket"}}}
		for i := range 60 {
			actions := []any{"s3:GetObject"}
			if action != "" && (i > 0 || !odd) {
				actions = append(actions, action)
			}
			id := fmt.Sprintf("Fn%d", i)
			doc.Resources[id] = cfn.ResourceDef{Type: "AWS::Lambda::Function", Properties: map[string]any{
				"Runtime": runtime, "Role": map[string]any{"Fn::GetAtt": []any{id + "Role", "Arn"}}}}
			doc.Resources[id+"Role"] = cfn.ResourceDef{Type: "AWS::IAM::Role", Properties: map[string]any{
				"AssumeRolePolicyDocument": map[string]any{"Statement": []any{map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}}}},
				"Policies": []any{map[string]any{"PolicyName": "p", "PolicyDocument": map[string]any{"Statement": []any{map[string]any{
					"Effect": "Allow", "Action": actions, "Resource": map[string]any{"Fn::Sub": "${Files.Arn}/*"}}}}}}}}
		}
		return doc
	}
	name := func(id string) string {
		if strings.HasSuffix(id, "Role") {
			return ""
		}
		return "@http get /" + strings.ToLower(id)
	}
	for _, c := range []struct {
		odd  bool
		want string
	}{{false, "all 60 functions"}, {true, "59 functions"}} {
		review := diff.Compose(app("nodejs20.x", "", c.odd), app("nodejs22.x", "s3:DeleteObject", c.odd), diff.Options{Stack: "S", Name: name})
		if len(review.Classes) != 1 || review.Classes[0] != (diff.ClassCount{Class: diff.Rights, Count: 1}) {
			t.Errorf("%s", review.Headline())
		}
		for ext, print := range faces {
			var b bytes.Buffer
			if err := print(&b, review); err != nil {
				t.Fatal(err)
			}
			if want := c.want + ": now also s3:DeleteObject"; !strings.Contains(strings.Join(strings.Fields(b.String()), " "), want) {
				t.Errorf("%s does not say %q:\n%.2000s", ext, want, b.String())
			}
			if ext == ".text" && strings.Count(b.String(), "\n") > 20 {
				t.Errorf("too many words:\n%s", b.String())
			}
		}
	}
}
