package compare

import (
	"testing"

	"arc/cfn"
	"arc/cfn/diff/values"
)

func parse(t *testing.T, text string) *cfn.Document {
	t.Helper()
	doc, err := cfn.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestFlattenText: what a nested stack is given stands in its texts, outputs
// lead to what they name, and what is no variable stays.
func TestFlattenText(t *testing.T) {
	root := parse(t, `Resources:
  Topic: {Type: AWS::SNS::Topic}
  Part: {Type: AWS::CloudFormation::Stack, Properties: {Parameters: {Given: !Ref Topic}}}
  Other: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Part.Outputs.Name, Deep: !GetAtt [Part, Outputs.Name]}}`)
	part := parse(t, `Parameters: {Given: {Type: String}}
Resources:
  Inner: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "a-${Given}-${Self.Arn}-${!Given}", Rest: !Sub "b-${Given", More: !GetAtt Self.Arn}}
  Self: {Type: AWS::SNS::Topic}
Outputs: {Name: {Value: !Sub "${Self.TopicName}"}}`)
	flat, unread, err := Flatten(root, func(string, cfn.ResourceDef) (*cfn.Document, error) { return part, nil })
	if err != nil || len(unread) > 0 {
		t.Fatal(unread, err)
	}
	for at, want := range map[[2]string]string{
		{"Inner", "QueueName"}: "a-${Topic}-${Self.Arn}-${!Given}",
		{"Inner", "Rest"}:      "b-${Given",
		{"Inner", "More"}:      "${Self.Arn}",
		{"Other", "QueueName"}: "${Self.TopicName}",
		{"Other", "Deep"}:      "${Self.TopicName}",
	} {
		if got := values.PlainText(flat.Resources[at[0]].Properties[at[1]]); got != want {
			t.Errorf("%s.%s is %s, want %s", at[0], at[1], got, want)
		}
	}
}

// TestMovedIsRemoved: what goes to another stack leaves the old one, so that its
// DeletionPolicy counts and not the policy of replacements.
func TestMovedIsRemoved(t *testing.T) {
	table := func(policies string) string {
		return "{Type: AWS::DynamoDB::Table, " + policies + "Properties: {KeySchema: [{AttributeName: id}]}}"
	}
	for policies, lost := range map[string]bool{
		"": true, "UpdateReplacePolicy: Retain, ": true, "DeletionPolicy: Retain, ": false, "DeletionPolicy: Retain, UpdateReplacePolicy: Retain, ": false,
	} {
		before := parse(t, "Resources: {T: "+table(policies)+"}")
		root, part := parse(t, "Resources: {P: {Type: AWS::CloudFormation::Stack}}"), parse(t, "Resources: {T: "+table(policies)+"}")
		after, _, err := Flatten(root, func(string, cfn.ResourceDef) (*cfn.Document, error) { return part, nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range Templates(before, after) {
			if c.LogicalID == "T" && (c.Loss != "") != lost {
				t.Errorf("%q: %+v", policies, c)
			}
		}
	}
	// In one stack, both policies of replacements count.
	for policies, lost := range map[[2]string]bool{
		{"", ""}: true, {"UpdateReplacePolicy: Retain, ", ""}: true, {"", "UpdateReplacePolicy: Retain, "}: true, {"UpdateReplacePolicy: Retain, ", "UpdateReplacePolicy: Retain, "}: false,
	} {
		before, after := parse(t, "Resources: {T: "+table(policies[0])+"}"), parse(t, "Resources: {T: "+table(policies[1]+"DeletionPolicy: Retain, ")+"}")
		after.Resources["T"].Properties["KeySchema"] = []any{map[string]any{"AttributeName": "other"}}
		if c := Templates(before, after); len(c) != 1 || (c[0].Loss != "") != lost {
			t.Errorf("%q: %+v", policies, c)
		}
	}
}
