package deploy

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
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
		properties(r, "AccountsTable")["KeySchema"] = []any{map[string]any{"AttributeName": "key", "KeyType": "HASH"}}
	}, "app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be replaced by an empty one, and the old one left behind outside the stack, because of KeySchema"},
	{"table removed", nil, func(r resources) { delete(r, "AccountsTable") },
		"app.arc:9:1: AccountsTable (AWS::DynamoDB::Table) would be deleted"},
	{"table removed but retained", func(r resources) { r["AccountsTable"]["DeletionPolicy"] = "Retain" }, func(r resources) { delete(r, "AccountsTable") }, ""},
	{"bucket renamed", nil, func(r resources) { properties(r, "StaticBucket")["BucketName"] = "other" },
		"StaticBucket (AWS::S3::Bucket) would be replaced by an empty one, and the old one deleted, because of BucketName"},
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

func TestRefusesToLoseData(t *testing.T) {
	for _, c := range lossCases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := newFakeCloud()
				mustDeploy(t, cloud, demo("aaaa", "s3cr3t", c.before))
				next := demo("aaaa", "s3cr3t", c.after)
				s, _, err := deployTo(t, cloud, next)
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
				if slices.Contains(s.calls, "ExecuteChangeSet") || !slices.Contains(s.calls, "DeleteChangeSet") {
					t.Errorf("calls %q", s.calls)
				}
				next.AllowLoss = []string{"SomethingElse"}
				if _, _, err := deployTo(t, cloud, next); !errors.As(err, &loss) {
					t.Errorf("another one named: %v", err)
				}
				next.AllowLoss = []string{loss.Losses[0].LogicalID}
				if _, _, err := deployTo(t, cloud, next); err != nil {
					t.Errorf("named: %v", err)
				}
			})
		})
	}
}
