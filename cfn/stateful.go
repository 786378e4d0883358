package cfn

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// stateful are the types whose replacement or removal loses what nobody can
// make again from the template: rows, files, messages, users, keys. Queues hold
// data as well, if on its way through. Log groups are not among them: a log
// goes with the function that wrote it. Nor are nested stacks: what is in them
// counts.
var stateful = map[string]bool{
	"AWS::Backup::BackupVault":              true,
	"AWS::Cassandra::Table":                 true,
	"AWS::CodeArtifact::Repository":         true,
	"AWS::CodeCommit::Repository":           true,
	"AWS::Cognito::IdentityPool":            true,
	"AWS::Cognito::UserPool":                true,
	"AWS::DSQL::Cluster":                    true,
	"AWS::DocDB::DBCluster":                 true,
	"AWS::DocDB::DBInstance":                true,
	"AWS::DocDBElastic::Cluster":            true,
	"AWS::DynamoDB::GlobalTable":            true,
	"AWS::DynamoDB::Table":                  true,
	"AWS::EC2::Instance":                    true,
	"AWS::EC2::Volume":                      true,
	"AWS::ECR::PublicRepository":            true,
	"AWS::ECR::Repository":                  true,
	"AWS::EFS::FileSystem":                  true,
	"AWS::ElastiCache::CacheCluster":        true,
	"AWS::ElastiCache::ReplicationGroup":    true,
	"AWS::ElastiCache::ServerlessCache":     true,
	"AWS::Elasticsearch::Domain":            true,
	"AWS::Events::Archive":                  true,
	"AWS::FSx::FileSystem":                  true,
	"AWS::HealthLake::FHIRDatastore":        true,
	"AWS::KMS::Key":                         true,
	"AWS::Kinesis::Stream":                  true,
	"AWS::KinesisVideo::Stream":             true,
	"AWS::Lightsail::Bucket":                true,
	"AWS::Lightsail::Database":              true,
	"AWS::Lightsail::Disk":                  true,
	"AWS::Lightsail::Instance":              true,
	"AWS::MSK::Cluster":                     true,
	"AWS::MSK::ServerlessCluster":           true,
	"AWS::MediaStore::Container":            true,
	"AWS::MemoryDB::Cluster":                true,
	"AWS::Neptune::DBCluster":               true,
	"AWS::Neptune::DBInstance":              true,
	"AWS::NeptuneGraph::Graph":              true,
	"AWS::OpenSearchServerless::Collection": true,
	"AWS::OpenSearchService::Domain":        true,
	"AWS::QLDB::Ledger":                     true,
	"AWS::RDS::DBCluster":                   true,
	"AWS::RDS::DBInstance":                  true,
	"AWS::RDS::GlobalCluster":               true,
	"AWS::Redshift::Cluster":                true,
	"AWS::RedshiftServerless::Namespace":    true,
	"AWS::S3::Bucket":                       true,
	"AWS::S3Express::DirectoryBucket":       true,
	"AWS::S3Outposts::Bucket":               true,
	"AWS::S3Tables::Table":                  true,
	"AWS::S3Tables::TableBucket":            true,
	"AWS::S3Vectors::Index":                 true,
	"AWS::S3Vectors::VectorBucket":          true,
	"AWS::SDB::Domain":                      true,
	"AWS::SQS::Queue":                       true,
	"AWS::SecretsManager::Secret":           true,
	"AWS::Serverless::SimpleTable":          true,
	"AWS::Timestream::Database":             true,
	"AWS::Timestream::InfluxDBInstance":     true,
	"AWS::Timestream::Table":                true,
}

// HoldsData reports whether resources of the type hold data.
func HoldsData(typ string) bool { return stateful[typ] }

// Keeps reports whether a DeletionPolicy or an UpdateReplacePolicy leaves the
// data in the world.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
func Keeps(policy string) bool {
	return policy == "Retain" || policy == "RetainExceptOnCreate" || policy == "Snapshot"
}

// OutlivesRemoval reports whether the resource, or a snapshot of its data, stays
// when it leaves its stack: by its DeletionPolicy, or because CloudFormation
// takes a snapshot of such databases by itself.
func (d ResourceDef) OutlivesRemoval() bool {
	if d.DeletionPolicy == "" {
		return d.Type == "AWS::RDS::DBCluster" || d.Type == "AWS::RDS::DBInstance" && d.Properties["DBClusterIdentifier"] == nil
	}
	return Keeps(d.DeletionPolicy)
}

// Retyped lists the attributes of a DynamoDB table's key, or of the keys of its
// local indexes, that have another type afterwards: a table cannot change
// these, so it is replaced. Other attributes may come, go and change. Before
// and after are the table's properties.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func Retyped(before, after map[string]any) []string {
	then := attributeTypes(after)
	var names []string
	for name, was := range attributeTypes(before) {
		if now, stays := then[name]; stays && now != was && isKeyOf(before, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func attributeTypes(table map[string]any) map[string]any {
	types := map[string]any{}
	definitions, _ := table["AttributeDefinitions"].([]any)
	for _, v := range definitions {
		def, _ := v.(map[string]any)
		if name, ok := def["AttributeName"].(string); ok {
			types[name] = fmt.Sprint(def["AttributeType"])
		}
	}
	return types
}

func isKeyOf(table map[string]any, attribute string) bool {
	schemas := []any{table["KeySchema"]}
	indexes, _ := table["LocalSecondaryIndexes"].([]any)
	for _, v := range indexes {
		index, _ := v.(map[string]any)
		schemas = append(schemas, index["KeySchema"])
	}
	for _, schema := range schemas {
		keys, _ := schema.([]any)
		for _, v := range keys {
			if key, _ := v.(map[string]any); key["AttributeName"] == attribute {
				return true
			}
		}
	}
	return false
}

// Update is what an update of a property does to the resource. They are in
// the order of their weight.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
type Update int

// What updates do.
const (
	NoInterruption Update = iota
	SomeInterruption
	MayReplace // depends on the values, or on the service
	Replacement
)

// String is the update in CloudFormation's words.
func (u Update) String() string {
	return [...]string{"no interruption", "some interruption", "may replace", "replacement"}[u]
}

// MarshalText writes the update as String does.
func (u Update) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// updates is the table that schemas/make.py writes. It is text to be searched,
// so that a program that never asks does not pay for it.
//
//go:embed schemas/updates.txt
var updates string

// UpdateOf says what an update of a property does to resources of a type, by
// the type's public schema. The property is a path: "Environment.Variables.A".
// A path above what the schema names counts as a change of that. Types that
// have no public schema, such as custom resources, may replace with any change.
func UpdateOf(typ, property string) Update {
	marked, known := updateLine(typ)
	if !known {
		return MayReplace
	}
	worst := NoInterruption
	for _, word := range strings.Fields(marked) {
		update := Replacement
		switch word[0] {
		case '?':
			update, word = MayReplace, word[1:]
		case '~':
			update, word = SomeInterruption, word[1:]
		}
		if touches(property, word) {
			worst = max(worst, update)
		}
	}
	return worst
}

// updateLine finds a type's properties in the table.
func updateLine(typ string) (properties string, known bool) {
	name, ours := strings.CutPrefix(typ, "AWS::")
	if !ours {
		return "", false
	}
	for _, end := range []string{" ", "\n"} {
		if at := strings.Index(updates, "\n"+name+end); at >= 0 {
			line, _, _ := strings.Cut(updates[at+1:], "\n")
			return strings.TrimPrefix(line, name), true
		}
	}
	return "", false
}

// touches reports whether one path is the other or above it. * is any index.
func touches(a, b string) bool {
	for {
		nameA, restA, moreA := strings.Cut(a, ".")
		nameB, restB, moreB := strings.Cut(b, ".")
		if nameA != nameB && nameB != "*" {
			return false
		}
		if !moreA || !moreB {
			return true
		}
		a, b = restA, restB
	}
}

// CreateOnly reports whether a change of the property (a path, of which the
// first name counts) replaces resources of the type.
func CreateOnly(typ, property string) bool { return UpdateOf(typ, property) == Replacement }
