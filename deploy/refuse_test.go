package deploy

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func properties(r resources, id string) map[string]any {
	return r[id]["Properties"].(map[string]any)
}

// Each case is a change to the demo app, and what is refused of it.
var lossCases = []struct {
	name   string
	before func(resources)
	after  func(resources)
	want   string // "" = goes through
}{
	{"table replaced", nil, func(r resources) {
		properties(r, "AccountsTable")["KeySchema"] = []any{map[string]any{"AttributeName": "key", "KeyType": "HASH"}}
	}, "app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be replaced by an empty one, and the old one deleted, because of KeySchema"},
	{"table replaced, old one retained", func(r resources) { r["AccountsTable"]["UpdateReplacePolicy"] = "Retain" }, func(r resources) {
		r["AccountsTable"]["UpdateReplacePolicy"] = "Retain"
		properties(r, "AccountsTable")["KeySchema"] = []any{map[string]any{"AttributeName": "key", "KeyType": "HASH"}}
	}, "app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be replaced by an empty one, and the old one left behind outside the stack, because of KeySchema"},
	{"table replaced, and no longer to be retained", func(r resources) { r["AccountsTable"]["UpdateReplacePolicy"] = "Retain" }, func(r resources) {
		properties(r, "AccountsTable")["KeySchema"] = []any{map[string]any{"AttributeName": "key", "KeyType": "HASH"}}
	}, "app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be replaced by an empty one, and the old one deleted, because of KeySchema"},
	{"table removed", nil, func(r resources) { delete(r, "AccountsTable") },
		"app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be deleted"},
	{"table removed but retained", func(r resources) { r["AccountsTable"]["DeletionPolicy"] = "Retain" }, func(r resources) { delete(r, "AccountsTable") }, ""},
	{"bucket renamed", nil, func(r resources) { properties(r, "StaticBucket")["BucketName"] = "other" },
		"StaticBucket (AWS::S3::Bucket) would be replaced by an empty one, and the old one deleted, because of BucketName"},
	{"local index added", nil, func(r resources) {
		properties(r, "AccountsTable")["LocalSecondaryIndexes"] = []any{map[string]any{"IndexName": "by"}}
	}, "app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be replaced by an empty one, and the old one deleted, because of LocalSecondaryIndexes"},
	{"index added", nil, func(r resources) {
		properties(r, "AccountsTable")["AttributeDefinitions"] = []any{
			map[string]any{"AttributeName": "id", "AttributeType": "S"}, map[string]any{"AttributeName": "email", "AttributeType": "S"},
		}
	}, ""},
	{"key's type changed", nil, func(r resources) {
		properties(r, "AccountsTable")["AttributeDefinitions"] = []any{map[string]any{"AttributeName": "id", "AttributeType": "N"}}
	}, "app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be replaced by an empty one, and the old one deleted, because of AttributeDefinitions"},
	{"function replaced", nil, func(r resources) { properties(r, "GetIndexHTTPLambda")["FunctionName"] = "other" }, ""},
	{"function removed", nil, func(r resources) { delete(r, "GetIndexHTTPLambda") }, ""},
}

// TestRefusesToLoseData: against the local cloud, what would be lost is refused
// before anything happens, and goes through when it is named.
func TestRefusesToLoseData(t *testing.T) {
	for _, c := range lossCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			first, next := demo("aaaa", "s3cr3t", c.before), demo("aaaa", "s3cr3t", c.after)
			first.Static, next.Static = nil, nil
			cloud := engineFor(t, parseOrEmpty(first.Template), parseOrEmpty(next.Template))
			if _, err := cloud.deploy(t, first); err != nil {
				t.Fatal(err)
			}
			before := describe(t, cloud, next.StackName)
			_, err := cloud.deploy(t, next)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var loss *LossError
			if !errors.As(err, &loss) || len(loss.Losses) != 1 || loss.Losses[0].String() != c.want {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if after := describe(t, cloud, next.StackName); !bytes.Equal(after.Template, before.Template) || after.version != before.version {
				t.Errorf("the stack was touched: %+v", after)
			}
			next.AllowLoss = []string{"SomethingElse"}
			if _, err := cloud.deploy(t, next); !errors.As(err, &loss) {
				t.Errorf("another one named: %v", err)
			}
			next.AllowLoss = []string{loss.Losses[0].LogicalID}
			if _, err := cloud.deploy(t, next); err != nil {
				t.Errorf("named: %v", err)
			}
		})
	}
}

func describe(t *testing.T, cloud *localCloud, name string) Stack {
	t.Helper()
	stack, err := connectTo(t, cloud.endpoint).Describe(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// TestDoesNotBelieveTheChangeSetAlone: a change set that says False of a table
// whose key gets another type is overruled; one that does not list the property
// is not, since its value may be the same as before.
func TestDoesNotBelieveTheChangeSetAlone(t *testing.T) {
	table := func(attribute, more string) []byte {
		return []byte(`{"Resources": {"Accounts": {"Type": "AWS::DynamoDB::Table", "Properties": {
			"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "` + attribute + `"}]` + more + `}}}}`)
	}
	modify := func(names ...string) []types.Change {
		rc := &types.ResourceChange{
			Action: types.ChangeActionModify, LogicalResourceId: aws.String("Accounts"), PhysicalResourceId: aws.String("accounts-1"),
			ResourceType: aws.String("AWS::DynamoDB::Table"), Replacement: types.ReplacementFalse,
		}
		for _, name := range names {
			rc.Details = append(rc.Details, types.ResourceChangeDetail{Target: &types.ResourceTargetDefinition{Name: aws.String(name), RequiresRecreation: types.RequiresRecreationNever}})
		}
		return []types.Change{{ResourceChange: rc}}
	}
	for _, c := range []struct {
		name    string
		changes []types.Change
		after   []byte
		want    []string // causes
	}{
		{"a key's type", modify("AttributeDefinitions"), table("N", ""), []string{"AttributeDefinitions"}},
		{"no details", modify(), table("N", ""), []string{"AttributeDefinitions"}},
		{"a local index", modify("LocalSecondaryIndexes", "AttributeDefinitions"), table("S", `, "LocalSecondaryIndexes": [{"IndexName": "by"}]`), []string{"LocalSecondaryIndexes"}},
		{"a name that the change set does not list", modify("BillingMode"), table("S", `, "TableName": {"Ref": "AWS::NoValue"}, "BillingMode": "PAY_PER_REQUEST"`), nil},
		{"what replaces nothing", modify("BillingMode"), table("S", `, "BillingMode": "PAY_PER_REQUEST"`), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &run{template: parseOrEmpty(c.after)}
			losses, err := r.losses(t.Context(), c.changes, table("S", ""), "")
			if err != nil {
				t.Fatal(err)
			}
			var causes []string
			for _, l := range losses {
				if !l.Replaced || l.LogicalID != "Accounts" || l.PhysicalID != "accounts-1" {
					t.Errorf("%+v", l)
				}
				causes = l.Causes
			}
			if !slices.Equal(causes, c.want) {
				t.Errorf("refused because of %v, want %v", causes, c.want)
			}
		})
	}
}
