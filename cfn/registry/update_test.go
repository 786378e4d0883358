package registry

import (
	"encoding/json"
	"testing"
)

// TestUpdateOf: what the schemas say of single properties, and of those above
// and below them.
func TestUpdateOf(t *testing.T) {
	for at, want := range map[[2]string]Update{
		{"AWS::Batch::ComputeEnvironment", "ComputeResources"}:                  Replacement, // the gravest below it, wherever it stands
		{"AWS::Batch::ComputeEnvironment", "ComputeResources.SpotIamFleetRole"}: Replacement,
		{"AWS::Batch::ComputeEnvironment", "ComputeResources.Subnets.0"}:        MayReplace,
		{"AWS::Batch::ComputeEnvironment", "ComputeResources.MaxvCpus"}:         NoInterruption,
		{"AWS::Batch::ComputeEnvironment", "State"}:                             NoInterruption,
		{"AWS::ODB::CloudVmCluster", "DbNodes.3.DbServerId"}:                    Replacement,
		{"AWS::ODB::CloudVmCluster", "DbNodes.3.HostName"}:                      MayReplace,
		{"AWS::DynamoDB::Table", "KeySchema.0.AttributeName"}:                   Replacement,
		{"AWS::DynamoDB::Table", "LocalSecondaryIndexes"}:                       Replacement,
		{"AWS::DynamoDB::Table", "AttributeDefinitions"}:                        MayReplace,
		{"AWS::DynamoDB::Table", "SSESpecification.SSEEnabled"}:                 SomeInterruption,
		{"AWS::DynamoDB::Table", "BillingMode"}:                                 NoInterruption,
		{"AWS::Amplify::App", "Name"}:                                           NoInterruption, // a type of which nothing replaces
		{"AWS::S3::Bucket", "BucketNamePrefix"}:                                 Replacement,
		{"AWS::S3::BucketPolicy", "Bucket"}:                                     Replacement,
		{"AWS::S3::Nothing", "Bucket"}:                                          MayReplace,
		{"Custom::Thing", "A"}:                                                  MayReplace,
	} {
		if got := UpdateOf(at[0], at[1]); got != want {
			t.Errorf("%v: %s, want %s", at, got, want)
		}
	}
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestEffect: what turning one resource into another does, and what a change
// set announces of the property.
func TestEffect(t *testing.T) {
	const table = `"KeySchema": [{"AttributeName": "id"}], "LocalSecondaryIndexes": [{"KeySchema": [{"AttributeName": "id"}, {"AttributeName": "by"}]}]`
	attributes := func(id, by, other string) string {
		return `{` + table + `, "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "` + id + `"}, {"AttributeName": "by", "AttributeType": "` + by + `"}, {"AttributeName": "other", "AttributeType": "` + other + `"}]}`
	}
	for _, c := range []struct {
		typ, property, before, after string
		effect, announced            Update
	}{
		{"AWS::DynamoDB::Table", "AttributeDefinitions", attributes("S", "S", "S"), attributes("S", "S", "S"), NoInterruption, MayReplace},
		{"AWS::DynamoDB::Table", "AttributeDefinitions", attributes("S", "S", "S"), attributes("N", "S", "S"), Replacement, Replacement},
		{"AWS::DynamoDB::Table", "AttributeDefinitions", attributes("S", "S", "S"), attributes("S", "N", "S"), Replacement, Replacement},
		{"AWS::DynamoDB::GlobalTable", "AttributeDefinitions", attributes("S", "S", "S"), attributes("S", "N", "S"), Replacement, Replacement},
		{"AWS::DynamoDB::Table", "AttributeDefinitions", attributes("S", "S", "S"), attributes("S", "S", "N"), NoInterruption, MayReplace},
		{"AWS::DynamoDB::Table", "AttributeDefinitions", attributes("S", "S", "S"), `{` + table + `, "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "by", "AttributeType": "S"}]}`, NoInterruption, MayReplace},
		{"AWS::Lambda::Function", "Code", `{"Code": {"S3Key": "a"}}`, `{"Code": {"S3Key": "b"}}`, NoInterruption, NoInterruption},
		{"AWS::Lambda::Function", "Code", `{"Code": {"S3Key": "a"}}`, `{"Code": {"ImageUri": "b"}}`, Replacement, Replacement},
		{"AWS::Lambda::Function", "Code", `{"PackageType": "Image", "Code": {"ImageUri": "a"}}`, `{"PackageType": "Image", "Code": {"ImageUri": "b"}}`, NoInterruption, NoInterruption},
		{"AWS::Lambda::Function", "MemorySize", `{"Code": {"S3Key": "a"}, "MemorySize": 1}`, `{"Code": {"S3Key": "a"}, "MemorySize": 2}`, NoInterruption, NoInterruption},
		{"AWS::CloudFormation::Stack", "TemplateURL", `{"TemplateURL": "a"}`, `{"TemplateURL": "b"}`, NoInterruption, NoInterruption},
		{"Custom::Thing", "A", `{"A": 1}`, `{}`, MayReplace, MayReplace},
		{"Custom::Thing", "ServiceToken", `{"ServiceToken": 1}`, `{"ServiceToken": 2}`, Replacement, Replacement},
		{"AWS::CloudFormation::CustomResource", "ServiceToken", `{"ServiceToken": 1}`, `{"ServiceToken": 2}`, Replacement, Replacement},
		{"AWS::Batch::ComputeEnvironment", "ComputeResources", `{"ComputeResources": {"MaxvCpus": 1, "Subnets": ["a"]}}`, `{"ComputeResources": {"MaxvCpus": 2, "Subnets": ["a"]}}`, NoInterruption, NoInterruption},
		{"AWS::Batch::ComputeEnvironment", "ComputeResources", `{"ComputeResources": {"Subnets": ["a"]}}`, `{"ComputeResources": {"Subnets": ["a", "b"]}}`, MayReplace, MayReplace},
		{"AWS::Batch::ComputeEnvironment", "ComputeResources", `{"ComputeResources": {}}`, `{"ComputeResources": {"SpotIamFleetRole": "a"}}`, Replacement, Replacement},
		// The gravest counts, and not the last one.
		{"AWS::Batch::ComputeEnvironment", "ComputeResources", `{"ComputeResources": {}}`, `{"ComputeResources": {"SpotIamFleetRole": "a", "Subnets": ["a"]}}`, Replacement, Replacement},
		{"Custom::Thing", "ServiceToken", `{"ServiceToken": 1, "Z": 1}`, `{"ServiceToken": 2, "Z": 2}`, Replacement, Replacement},
		{"AWS::ODB::CloudVmCluster", "DbNodes", `{"DbNodes": [{"DbServerId": "a"}]}`, `{"DbNodes": [{"DbServerId": "b"}]}`, Replacement, Replacement},
	} {
		before, after := object(t, c.before), object(t, c.after)
		if got := Effect(c.typ, before, after); got != c.effect {
			t.Errorf("%s %s → %s: %s, want %s", c.typ, c.before, c.after, got, c.effect)
		}
		if got := Announced(c.typ, c.property, before, after); got != c.announced {
			t.Errorf("%s %s → %s: announced %s, want %s", c.typ, c.before, c.after, got, c.announced)
		}
	}
	if got := Announced("AWS::DynamoDB::Table", "TableName", nil, nil); got != Replacement {
		t.Errorf("a name that is not known yet: %s", got)
	}
}

// TestFreeTypes: stars stand for the rest of a name.
func TestFreeTypes(t *testing.T) {
	for typ, want := range map[string]bool{
		"AWS::ApiGatewayV2::Api": true, "AWS::ApiGateway::DocumentationPart": true, "Custom::X": true, "AWS::EC2::NatGateway": false, "AWS::ApiGatewayV2::Ap": false,
	} {
		if IsFree(typ) != want {
			t.Errorf("%s is free: %t", typ, !want)
		}
	}
}
