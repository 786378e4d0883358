package deploy

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
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

// TestLossOf: what one change of a change set means for the data, word by word.
func TestLossOf(t *testing.T) {
	table := func(policies, attribute string) cfn.ResourceDef {
		doc := parseOrEmpty([]byte(`{"Resources": {"T": {"Type": "AWS::DynamoDB::Table", ` + policies + `"Properties": {
			"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "` + attribute + `"}]}}}}`))
		return doc.Resources["T"]
	}
	plain, kept := table("", "S"), table(`"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", `, "S")
	conditional := func(names ...string) (details []types.ResourceChangeDetail) {
		for _, name := range names {
			details = append(details, types.ResourceChangeDetail{Target: &types.ResourceTargetDefinition{Name: aws.String(name), RequiresRecreation: types.RequiresRecreationConditionally}})
		}
		return details
	}
	for _, c := range []struct {
		name          string
		rc            types.ResourceChange
		before, after cfn.ResourceDef
		lost, kept    bool
	}{
		{"removed", types.ResourceChange{Action: types.ChangeActionRemove}, plain, cfn.ResourceDef{}, true, false},
		{"removed and kept by the template", types.ResourceChange{Action: types.ChangeActionRemove}, kept, cfn.ResourceDef{}, false, false},
		{"removed, deleted by CloudFormation's word", types.ResourceChange{Action: types.ChangeActionRemove, PolicyAction: types.PolicyActionDelete}, kept, cfn.ResourceDef{}, true, false},
		{"removed, kept by CloudFormation's word", types.ResourceChange{Action: types.ChangeActionRemove, PolicyAction: types.PolicyActionRetain}, plain, cfn.ResourceDef{}, false, false},
		{"removed, with a snapshot", types.ResourceChange{Action: types.ChangeActionRemove, PolicyAction: types.PolicyActionSnapshot}, plain, cfn.ResourceDef{}, false, false},
		{"replaced", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementTrue}, plain, plain, true, false},
		{"replaced and kept by the template", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementTrue}, kept, kept, true, true},
		{"replaced and deleted by CloudFormation's word", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementTrue, PolicyAction: types.PolicyActionReplaceAndDelete}, kept, kept, true, false},
		{"replaced and kept by CloudFormation's word", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementTrue, PolicyAction: types.PolicyActionReplaceAndRetain}, plain, plain, true, true},
		{"changed in place", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementFalse}, plain, plain, false, false},
		{"changed with what is not known yet", types.ResourceChange{Action: types.ChangeActionDynamic, Replacement: types.ReplacementTrue}, plain, plain, true, false},
		{"added", types.ResourceChange{Action: types.ChangeActionAdd}, cfn.ResourceDef{}, plain, false, false},
		{"an attribute more", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional, Details: conditional("AttributeDefinitions")}, plain, plain, false, false},
		{"an attribute more, twice", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional, Details: conditional("AttributeDefinitions", "AttributeDefinitions")}, plain, plain, false, false},
		{"a key's type", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional, Details: conditional("AttributeDefinitions")}, plain, table("", "N"), true, false},
		{"an attribute more and something else", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional, Details: conditional("AttributeDefinitions", "TableName")}, plain, plain, true, false},
		{"something else", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional, Details: conditional("TableName")}, plain, plain, true, false},
		{"nothing named", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional}, plain, plain, true, false},
		{"the old template is not at hand", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional, Details: conditional("AttributeDefinitions")}, cfn.ResourceDef{}, plain, true, false},
		{"the new template is not at hand", types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional, Details: conditional("AttributeDefinitions")}, plain, cfn.ResourceDef{}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rc.ResourceType, c.rc.PhysicalResourceId = aws.String("AWS::DynamoDB::Table"), aws.String("t-1")
			loss, lost := lossOf(&c.rc, c.before, c.after)
			if lost != c.lost || lost && loss.Retained != c.kept {
				t.Errorf("lost is %t, retained %t", lost, loss.Retained)
			}
			c.rc.ResourceType = aws.String("AWS::SNS::Topic")
			if _, lost := lossOf(&c.rc, c.before, c.after); lost {
				t.Error("a topic holds data")
			}
		})
	}
	rc := &types.ResourceChange{ResourceType: aws.String("AWS::KMS::Key"), Action: types.ChangeActionModify, Replacement: types.ReplacementConditional, Details: conditional("AttributeDefinitions")}
	if _, lost := lossOf(rc, plain, plain); !lost {
		t.Error("only of tables is it known what attribute definitions do")
	}
	// An instance of a cluster holds nothing that the cluster does not.
	instance := func(properties string) cfn.ResourceDef {
		return parseOrEmpty([]byte(`{"Resources": {"I": {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Delete", "Properties": {` + properties + `}}}}`)).Resources["I"]
	}
	rc = &types.ResourceChange{ResourceType: aws.String("AWS::RDS::DBInstance"), Action: types.ChangeActionRemove}
	if _, lost := lossOf(rc, instance(`"DBClusterIdentifier": {"Ref": "Cluster"}`), cfn.ResourceDef{}); lost {
		t.Error("an instance of a cluster holds data")
	}
	if _, lost := lossOf(rc, instance(`"Engine": "mysql"`), cfn.ResourceDef{}); !lost {
		t.Error("an instance of its own holds no data")
	}
}

// TestUnchanged: what a deploy finds to be as it should be already.
func TestUnchanged(t *testing.T) {
	template := []byte(`{"Parameters": {"Days": {"Type": "Number", "Default": 7}, "Zone": {"Type": "String"}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}`)
	parameters := map[string]string{"Days": "7", "Zone": "a"}
	for _, c := range []struct {
		name        string
		stack       Stack
		tags, given map[string]string
		unchanged   bool
	}{
		{"the same", Stack{Template: template, Parameters: parameters}, nil, map[string]string{"Zone": "a"}, true},
		{"other spaces", Stack{Template: []byte(strings.ReplaceAll(string(template), ": ", ":  ")), Parameters: parameters}, nil, map[string]string{"Zone": "a"}, true},
		{"another template", Stack{Template: []byte(`{}`), Parameters: parameters}, nil, map[string]string{"Zone": "a"}, false},
		{"another value", Stack{Template: template, Parameters: parameters}, nil, map[string]string{"Zone": "b"}, false},
		{"no value", Stack{Template: template, Parameters: parameters}, nil, nil, false},
		{"another default", Stack{Template: template, Parameters: map[string]string{"Days": "8", "Zone": "a"}}, nil, map[string]string{"Zone": "a"}, false},
		{"tags of somebody", Stack{Template: template, Parameters: parameters, Tags: map[string]string{"owner": "x"}}, nil, map[string]string{"Zone": "a"}, true},
		{"the same tags", Stack{Template: template, Parameters: parameters, Tags: map[string]string{"owner": "x"}}, map[string]string{"owner": "x"}, map[string]string{"Zone": "a"}, true},
		{"other tags", Stack{Template: template, Parameters: parameters, Tags: map[string]string{"owner": "x"}}, map[string]string{"owner": "y"}, map[string]string{"Zone": "a"}, false},
		{"a tag more", Stack{Template: template, Parameters: parameters}, map[string]string{"owner": "y"}, map[string]string{"Zone": "a"}, false},
	} {
		r := &run{d: Deployment{Template: template, Tags: c.tags, Parameters: c.given}, template: parseOrEmpty(template)}
		if got, err := r.unchanged(t.Context(), c.stack); err != nil || got != c.unchanged {
			t.Errorf("%s: unchanged is %t, %v", c.name, got, err)
		}
	}
}

// TestInlineTemplate: a template of 51,200 bytes stands in the request; one byte
// more goes through the bucket.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
func TestInlineTemplate(t *testing.T) {
	for size, uploads := range map[int]int{51_200: 1, 51_201: 2} { // the zip is one
		synctest.Test(t, func(t *testing.T) {
			d := demo("aaaa", "s3cr3t", nil)
			d.Template = append(d.Template, bytes.Repeat([]byte(" "), size-len(d.Template))...)
			s, _ := mustDeploy(t, inBubble(t), d)
			n := 0
			for _, call := range s.calls {
				if call == "PutObject" {
					n++
				}
			}
			if n != uploads {
				t.Errorf("%d bytes: %d uploads, want %d", size, n, uploads)
			}
		})
	}
}
