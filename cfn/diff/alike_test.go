package diff_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
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

// TestGoneAlikeIsOneItem: sixty functions, tables and queues that leave the stack are
// one item and one danger each, in every face; each table is named, for its data goes.
func TestGoneAlikeIsOneItem(t *testing.T) {
	before := &cfn.Document{Resources: map[string]cfn.ResourceDef{"Files": {Type: "AWS::S3::Bucket"}}}
	after := &cfn.Document{Resources: map[string]cfn.ResourceDef{"Files": {Type: "AWS::S3::Bucket"}}}
	for i := range 60 {
		before.Resources[fmt.Sprintf("Fn%d", i)] = cfn.ResourceDef{Type: "AWS::Lambda::Function", Properties: map[string]any{"Runtime": "nodejs22.x"}}
		before.Resources[fmt.Sprintf("Fn%dLogGroup", i)] = cfn.ResourceDef{Type: "AWS::Logs::LogGroup", Properties: map[string]any{"RetentionInDays": json.Number("30")}}
		before.Resources[fmt.Sprintf("Table%d", i)] = cfn.ResourceDef{Type: "AWS::DynamoDB::Table"}
		before.Resources[fmt.Sprintf("Kept%d", i)] = cfn.ResourceDef{Type: "AWS::SQS::Queue", DeletionPolicy: "Retain"}
	}
	before.Resources["Fn60"] = cfn.ResourceDef{Type: "AWS::Lambda::Function"}
	review := diff.Compose(before, after, diff.Options{Stack: "S"})
	for _, want := range []diff.ClassCount{{Class: diff.DataLoss, Count: 1}, {Class: diff.Removal, Count: 2}} {
		if !slices.Contains(review.Classes, want) {
			t.Errorf("not %d of %s: %s", want.Count, want.Class, review.Headline())
		}
	}
	for ext, print := range faces {
		var b bytes.Buffer
		if err := print(&b, review); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(regexp.MustCompile("</?.?>").ReplaceAllString(b.String(), "")), " ")
		for _, want := range []string{"60 functions", "60 × table: their data is deleted with them", "60 × queue are left alone outside of the stack, with their data"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%.3000s", ext, want, b.String())
			}
		}
		if ext == ".text" && strings.Count(b.String(), "\n") > 40 {
			t.Errorf("too many words:\n%s", b.String())
		}
	}
	var b bytes.Buffer
	if err := faces[".text"](&b, review); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if !strings.Contains(b.String(), fmt.Sprintf("Table%d", i)) {
			t.Errorf("Table%d is not named", i)
		}
	}
}

// TestNamesInTypes: resources of which each has a type that its own name ends are not
// alike, for what is said of them differs.
func TestNamesInTypes(t *testing.T) {
	app := func(value string) *cfn.Document {
		doc := &cfn.Document{Resources: map[string]cfn.ResourceDef{}}
		for _, name := range []string{"Job", "Queue", "Zone"} {
			doc.Resources[name] = cfn.ResourceDef{Type: "Custom::" + name, Properties: map[string]any{"ServiceToken": "a", "Value": value}}
		}
		return doc
	}
	review := diff.Compose(app("a"), app("b"), diff.Options{})
	if len(review.Groups) != 1 || len(review.Groups[0].Items) != 3 {
		t.Errorf("%+v", review.Groups)
	}
}
