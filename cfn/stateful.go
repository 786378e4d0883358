package cfn

import (
	_ "embed"
	"strings"
)

// stateful are the types whose deletion loses data that no deploy can bring
// back. Queues and log groups hold data as well, but data on its way through;
// they are here because the rule is: nothing that holds data goes unasked.
var stateful = map[string]bool{
	"AWS::Backup::BackupVault":              true,
	"AWS::Cassandra::Table":                 true,
	"AWS::CloudFormation::Stack":            true,
	"AWS::CodeCommit::Repository":           true,
	"AWS::Cognito::IdentityPool":            true,
	"AWS::Cognito::UserPool":                true,
	"AWS::DocDB::DBCluster":                 true,
	"AWS::DocDB::DBInstance":                true,
	"AWS::DynamoDB::GlobalTable":            true,
	"AWS::DynamoDB::Table":                  true,
	"AWS::EC2::Instance":                    true,
	"AWS::EC2::Volume":                      true,
	"AWS::ECR::Repository":                  true,
	"AWS::EFS::FileSystem":                  true,
	"AWS::ElastiCache::CacheCluster":        true,
	"AWS::ElastiCache::ReplicationGroup":    true,
	"AWS::ElastiCache::ServerlessCache":     true,
	"AWS::Elasticsearch::Domain":            true,
	"AWS::Events::Archive":                  true,
	"AWS::FSx::FileSystem":                  true,
	"AWS::KMS::Key":                         true,
	"AWS::Kinesis::Stream":                  true,
	"AWS::Logs::LogGroup":                   true,
	"AWS::MSK::Cluster":                     true,
	"AWS::MemoryDB::Cluster":                true,
	"AWS::Neptune::DBCluster":               true,
	"AWS::Neptune::DBInstance":              true,
	"AWS::OpenSearchServerless::Collection": true,
	"AWS::OpenSearchService::Domain":        true,
	"AWS::QLDB::Ledger":                     true,
	"AWS::RDS::DBCluster":                   true,
	"AWS::RDS::DBInstance":                  true,
	"AWS::Redshift::Cluster":                true,
	"AWS::S3::Bucket":                       true,
	"AWS::S3Express::DirectoryBucket":       true,
	"AWS::S3Tables::Table":                  true,
	"AWS::S3Tables::TableBucket":            true,
	"AWS::SDB::Domain":                      true,
	"AWS::SQS::Queue":                       true,
	"AWS::SecretsManager::Secret":           true,
	"AWS::Serverless::SimpleTable":          true,
	"AWS::Timestream::Table":                true,
	"AWS::Timestream::Database":             true,
}

// HoldsData reports whether resources of the type hold data.
func HoldsData(typ string) bool { return stateful[typ] }

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
