package dynamodb_test

import (
	"context"
	"strings"
	"testing"

	"arc/sandbox/dynamodb"
)

func (c *tables) applyGlobal(properties string) error {
	c.t.Helper()
	return c.engine.Apply(context.Background(), "App", []byte(`{"Resources":{"Notes":{"Type":"AWS::DynamoDB::GlobalTable","Properties":`+properties+`}},
		"Outputs":{"Name":{"Value":{"Ref":"Notes"}},"Arn":{"Value":{"Fn::GetAtt":["Notes","Arn"]}},"Stream":{"Value":{"Fn::GetAtt":["Notes","StreamArn"]}},"Id":{"Value":{"Fn::GetAtt":["Notes","TableId"]}}}}`), nil, nil)
}

// TestGlobalTable makes what the CDK's TableV2 writes, and changes it: the table of
// its region is there, with indexes, a stream and its capacity.
func TestGlobalTable(t *testing.T) {
	c := start(t, installed(t))
	const keys = `"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"StreamSpecification":{"StreamViewType":"NEW_AND_OLD_IMAGES"},`
	if err := c.applyGlobal(`{"BillingMode":"PAY_PER_REQUEST",` + keys + `"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
		"Replicas":[{"Region":"us-east-2"},{"Region":"eu-west-1","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true},"DeletionProtectionEnabled":false,"TableClass":"STANDARD"}]}`); err != nil {
		t.Fatal(err)
	}
	out := c.engine.Outputs("App")
	if out["Arn"] != "arn:aws:dynamodb:eu-west-1:123456789012:table/"+out["Name"] || !strings.HasPrefix(out["Stream"], out["Arn"]+"/stream/") || len(out["Id"]) != 36 {
		t.Errorf("outputs %v", out)
	}
	c.aws("put-item", "--table-name", out["Name"], "--item", `{"id":{"S":"1"},"a":{"S":"x"}}`)
	if got := c.aws("describe-continuous-backups", "--table-name", out["Name"], "--query", "ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus", "--output", "text"); got != "ENABLED" {
		t.Errorf("backups: %s", got)
	}
	// Capacity that AWS scales is its least here, that of reads each replica's own.
	if err := c.applyGlobal(`{"BillingMode":"PROVISIONED",` + keys + `"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}` + a + `],
		"WriteProvisionedThroughputSettings":{"WriteCapacityAutoScalingSettings":{"MinCapacity":3,"MaxCapacity":9,"TargetTrackingScalingPolicyConfiguration":{"TargetValue":70}}},
		"GlobalSecondaryIndexes":[{"IndexName":"byA","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"},"WriteProvisionedThroughputSettings":{"WriteCapacityAutoScalingSettings":{"MinCapacity":2,"MaxCapacity":9,"TargetTrackingScalingPolicyConfiguration":{"TargetValue":70}}}}],
		"Replicas":[{"Region":"us-east-2"},{"Region":"eu-west-1","ReadProvisionedThroughputSettings":{"ReadCapacityUnits":5},"GlobalSecondaryIndexes":[{"IndexName":"byA","ReadProvisionedThroughputSettings":{"ReadCapacityAutoScalingSettings":{"MinCapacity":4,"MaxCapacity":9,"TargetTrackingScalingPolicyConfiguration":{"TargetValue":70}}}}]}]}`); err != nil {
		t.Fatal(err)
	}
	const capacity = "Table.ProvisionedThroughput.[ReadCapacityUnits,WriteCapacityUnits]"
	if got := c.aws("describe-table", "--table-name", out["Name"], "--query", capacity, "--output", "text"); got != "5\t3" {
		t.Errorf("capacity %q", got)
	}
	if got := c.aws("query", "--table-name", out["Name"], "--index-name", "byA", "--key-condition-expression", "a = :a", "--expression-attribute-values", `{":a":{"S":"x"}}`, "--query", "Count"); got != "1" {
		t.Errorf("the index finds %s", got)
	}
}

// TestGlobalTableIsChecked refuses what AWS refuses, before anything is made where
// the stack's region is not needed.
func TestGlobalTableIsChecked(t *testing.T) {
	check := dynamodb.New(dynamodb.Options{}).Registrations()["AWS::DynamoDB::GlobalTable"].Check
	key := map[string]any{"KeySchema": []any{map[string]any{"AttributeName": "id", "KeyType": "HASH"}}, "AttributeDefinitions": []any{map[string]any{"AttributeName": "id", "AttributeType": "S"}}}
	with := func(more map[string]any) map[string]any {
		for name, value := range key {
			if _, given := more[name]; !given {
				more[name] = value
			}
		}
		return more
	}
	one := []any{map[string]any{"Region": "eu-west-1"}}
	for want, properties := range map[string]map[string]any{
		"":                               with(map[string]any{"Replicas": one}),
		"property Replicas: is required": with(map[string]any{}),
		"property ProvisionedThroughput": with(map[string]any{"Replicas": one, "ProvisionedThroughput": map[string]any{}}),
		"x is a key and not among":       with(map[string]any{"Replicas": one, "KeySchema": []any{map[string]any{"AttributeName": "x", "KeyType": "HASH"}, map[string]any{"AttributeName": "id", "KeyType": "RANGE"}}}),
		"property Replicas[0].Sorts":     with(map[string]any{"Replicas": []any{map[string]any{"Region": "eu-west-1", "Sorts": 1}}}),
	} {
		err := check(properties)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	c := start(t, dynamodb.Options{})
	err := c.applyGlobal(`{"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"Replicas":[{"Region":"us-east-2"}]}`)
	if err == nil || !strings.Contains(err.Error(), "must have a replica in the region eu-west-1 of its stack") {
		t.Errorf("elsewhere: %v", err)
	}
	err = c.applyGlobal(`{"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"Replicas":[{"Region":"us-east-2"},{"Region":"eu-west-1"}]}`)
	if err == nil || !strings.Contains(err.Error(), "StreamSpecification: is required where there is more than one replica") {
		t.Errorf("without a stream: %v", err)
	}
}
