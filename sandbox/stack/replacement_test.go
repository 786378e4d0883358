package stack

import (
	"context"
	"fmt"
	"runtime"
	"testing"
)

// TestReplacement: what a change set says of an edit, and whether its execution
// makes another resource. The words are those of the type's "Update requires"
// lines, as of AttributeDefinitions:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func TestReplacement(t *testing.T) {
	key := `KeySchema: [{AttributeName: id, KeyType: HASH}], AttributeDefinitions: [{AttributeName: id, AttributeType: S}`
	for _, c := range []struct {
		typ, before, after string
		says               string // Replacement of the change set
		made               int32  // how many are made in all
	}{
		{"AWS::DynamoDB::Table", key + "]", key + "], LocalSecondaryIndexes: [{IndexName: by}]", "True", 2},
		{"AWS::DynamoDB::Table", key + "]", key + ", {AttributeName: by, AttributeType: S}]", "Conditional", 1},
		{"AWS::DynamoDB::Table", key + "]", `KeySchema: [{AttributeName: id, KeyType: HASH}], AttributeDefinitions: [{AttributeName: id, AttributeType: N}]`, "True", 2},
		{"AWS::DynamoDB::Table", key + "]", key + "], BillingMode: PAY_PER_REQUEST", "False", 1},
		{"AWS::S3::Bucket", "BucketNamePrefix: a", "BucketNamePrefix: b", "True", 2},
		{"AWS::Lambda::Version", "FunctionName: f", "FunctionName: f, ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 1}", "True", 2},
		{"AWS::Events::Rule", "EventBusName: a", "EventBusName: b", "Conditional", 2},
		{"AWS::Lambda::Function", "Code: {S3Key: a}", "Code: {S3Key: b}", "False", 1},
		{"AWS::Lambda::Function", "Code: {S3Key: a}", "Code: {ImageUri: b}", "True", 2},
		{"AWS::Scheduler::Schedule", "Target: {Arn: a, Input: b}", "Target: {Arn: a, Input: c}", "False", 1},
	} {
		t.Run(c.typ+" "+c.after, func(t *testing.T) {
			made := &counter{}
			e := New(Options{Account: "123456789012", Region: "us-east-1", Registrations: map[string]Registration{c.typ: {Provider: made}}})
			t.Cleanup(e.Close)
			ctx := context.Background()
			template := func(properties string) string {
				return fmt.Sprintf("Resources: {A: {Type: %s, Properties: {%s}}}", c.typ, properties)
			}
			if err := e.Apply(ctx, "app", []byte(template(c.before)), nil, nil); err != nil {
				t.Fatal(err)
			}
			in := CreateChangeSetInput{StackName: "app", ChangeSetName: "edit", TemplateBody: template(c.after)}
			if _, err := e.CreateChangeSet(ctx, in); err != nil {
				t.Fatal(err)
			}
			var set ChangeSetDescription
			for set.Status == "" || set.Status == changeSetCreatePending {
				var err error
				if set, err = e.DescribeChangeSet(ctx, DescribeChangeSetInput{StackName: "app", ChangeSetName: "edit"}); err != nil {
					t.Fatal(err)
				}
				runtime.Gosched()
			}
			if len(set.Changes) != 1 {
				t.Fatal(set)
			}
			if got := set.Changes[0].ResourceChange.Replacement; got != c.says {
				t.Errorf("the change set says %s, want %s", got, c.says)
			}
			if err := e.Apply(ctx, "app", []byte(template(c.after)), nil, nil); err != nil {
				t.Fatal(err)
			}
			if got := made.created.Load(); got != c.made {
				t.Errorf("%d are made, want %d", got, c.made)
			}
		})
	}
}
