package cfn

import "strings"

// stateful are the types whose deletion loses data that no deploy can bring
// back. Queues and log groups hold data as well, but data on its way through;
// they are here because the rule is: nothing that holds data goes unasked.
var stateful = map[string]bool{
	"AWS::DynamoDB::Table":               true,
	"AWS::DynamoDB::GlobalTable":         true,
	"AWS::S3::Bucket":                    true,
	"AWS::SQS::Queue":                    true,
	"AWS::Logs::LogGroup":                true,
	"AWS::RDS::DBInstance":               true,
	"AWS::RDS::DBCluster":                true,
	"AWS::Cognito::UserPool":             true,
	"AWS::EFS::FileSystem":               true,
	"AWS::KMS::Key":                      true,
	"AWS::SecretsManager::Secret":        true,
	"AWS::ElastiCache::ReplicationGroup": true,
	"AWS::OpenSearchService::Domain":     true,
	"AWS::Kinesis::Stream":               true,
	"AWS::CloudFormation::Stack":         true,
}

// HoldsData reports whether resources of the type hold data.
func HoldsData(typ string) bool { return stateful[typ] }

// createOnly lists, by type, the properties that cannot change in place: a
// change replaces the resource. From the createOnlyProperties of the public
// resource schemas, for the types that arc writes.
var createOnly = map[string][]string{
	"AWS::ApiGatewayV2::Api":          {"ProtocolType"},
	"AWS::ApiGatewayV2::Deployment":   {"ApiId"},
	"AWS::ApiGatewayV2::Integration":  {"ApiId"},
	"AWS::ApiGatewayV2::Route":        {"ApiId"},
	"AWS::ApiGatewayV2::Stage":        {"ApiId", "StageName"},
	"AWS::DynamoDB::Table":            {"TableName", "KeySchema", "LocalSecondaryIndexes", "ImportSourceSpecification"},
	"AWS::Events::Rule":               {"Name", "EventBusName"},
	"AWS::IAM::ManagedPolicy":         {"ManagedPolicyName", "Path", "Description"},
	"AWS::IAM::Role":                  {"RoleName", "Path"},
	"AWS::Lambda::Alias":              {"FunctionName", "Name"},
	"AWS::Lambda::EventSourceMapping": {"EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "SelfManagedEventSource"},
	"AWS::Lambda::Function":           {"FunctionName", "PackageType", "TenancyConfig"},
	"AWS::Lambda::LayerVersion":       {"LayerName", "Content", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo", "Description"},
	"AWS::Lambda::Permission":         {"Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "Principal", "PrincipalOrgID", "SourceAccount", "SourceArn"},
	"AWS::Lambda::Version":            {"FunctionName", "CodeSha256", "Description", "ProvisionedConcurrencyConfig", "RuntimePolicy"},
	"AWS::Logs::LogGroup":             {"LogGroupName"},
	"AWS::S3::Bucket":                 {"BucketName"},
	"AWS::S3::BucketPolicy":           {"Bucket"},
	"AWS::SNS::Subscription":          {"Endpoint", "Protocol", "TopicArn"},
	"AWS::SNS::Topic":                 {"TopicName", "FifoTopic"},
	"AWS::SQS::Queue":                 {"QueueName", "FifoQueue"},
	"AWS::SSM::Parameter":             {"Name"},
	"AWS::Scheduler::Schedule":        {"Name"},
}

// CreateOnly reports whether a change of the property (a path, of which the
// first name counts) replaces resources of the type.
func CreateOnly(typ, property string) bool {
	top, _, _ := strings.Cut(property, ".")
	for _, p := range createOnly[typ] {
		if p == top {
			return true
		}
	}
	return false
}
