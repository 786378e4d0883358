package registry

// The types that the code knows by name.
const (
	AmazonMQBroker                           = "AWS::AmazonMQ::Broker"
	ApiGatewayAuthorizer                     = "AWS::ApiGateway::Authorizer"
	ApiGatewayDeployment                     = "AWS::ApiGateway::Deployment"
	ApiGatewayDomainName                     = "AWS::ApiGateway::DomainName"
	ApiGatewayMethod                         = "AWS::ApiGateway::Method"
	ApiGatewayResource                       = "AWS::ApiGateway::Resource"
	ApiGatewayRestApi                        = "AWS::ApiGateway::RestApi"
	ApiGatewayStage                          = "AWS::ApiGateway::Stage"
	ApiGatewayV2Api                          = "AWS::ApiGatewayV2::Api"
	ApiGatewayV2Authorizer                   = "AWS::ApiGatewayV2::Authorizer"
	ApiGatewayV2Deployment                   = "AWS::ApiGatewayV2::Deployment"
	ApiGatewayV2DomainName                   = "AWS::ApiGatewayV2::DomainName"
	ApiGatewayV2Integration                  = "AWS::ApiGatewayV2::Integration"
	ApiGatewayV2Route                        = "AWS::ApiGatewayV2::Route"
	ApiGatewayV2RouteResponse                = "AWS::ApiGatewayV2::RouteResponse"
	ApiGatewayV2Stage                        = "AWS::ApiGatewayV2::Stage"
	AppSyncGraphQLApi                        = "AWS::AppSync::GraphQLApi"
	BackupBackupVault                        = "AWS::Backup::BackupVault"
	CassandraTable                           = "AWS::Cassandra::Table"
	CloudFormationCustomResource             = "AWS::CloudFormation::CustomResource"
	CloudFormationStack                      = "AWS::CloudFormation::Stack"
	CloudFrontCachePolicy                    = "AWS::CloudFront::CachePolicy"
	CloudFrontCloudFrontOriginAccessIdentity = "AWS::CloudFront::CloudFrontOriginAccessIdentity"
	CloudFrontDistribution                   = "AWS::CloudFront::Distribution"
	CloudFrontFunction                       = "AWS::CloudFront::Function"
	CloudFrontOriginAccessControl            = "AWS::CloudFront::OriginAccessControl"
	CloudFrontOriginRequestPolicy            = "AWS::CloudFront::OriginRequestPolicy"
	CloudFrontResponseHeadersPolicy          = "AWS::CloudFront::ResponseHeadersPolicy"
	CloudWatchAlarm                          = "AWS::CloudWatch::Alarm"
	CloudWatchCompositeAlarm                 = "AWS::CloudWatch::CompositeAlarm"
	CloudWatchDashboard                      = "AWS::CloudWatch::Dashboard"
	CodeArtifactRepository                   = "AWS::CodeArtifact::Repository"
	CodeCommitRepository                     = "AWS::CodeCommit::Repository"
	CognitoIdentityPool                      = "AWS::Cognito::IdentityPool"
	CognitoUserPool                          = "AWS::Cognito::UserPool"
	CognitoUserPoolDomain                    = "AWS::Cognito::UserPoolDomain"
	DMSReplicationInstance                   = "AWS::DMS::ReplicationInstance"
	DSQLCluster                              = "AWS::DSQL::Cluster"
	DocDBDBCluster                           = "AWS::DocDB::DBCluster"
	DocDBDBInstance                          = "AWS::DocDB::DBInstance"
	DocDBElasticCluster                      = "AWS::DocDBElastic::Cluster"
	DynamoDBGlobalTable                      = "AWS::DynamoDB::GlobalTable"
	DynamoDBTable                            = "AWS::DynamoDB::Table"
	EC2EIP                                   = "AWS::EC2::EIP"
	EC2Instance                              = "AWS::EC2::Instance"
	EC2NatGateway                            = "AWS::EC2::NatGateway"
	EC2SecurityGroup                         = "AWS::EC2::SecurityGroup"
	EC2SecurityGroupIngress                  = "AWS::EC2::SecurityGroupIngress"
	EC2VPCEndpoint                           = "AWS::EC2::VPCEndpoint"
	EC2Volume                                = "AWS::EC2::Volume"
	ECRPublicRepository                      = "AWS::ECR::PublicRepository"
	ECRRepository                            = "AWS::ECR::Repository"
	ECSCluster                               = "AWS::ECS::Cluster"
	EFSFileSystem                            = "AWS::EFS::FileSystem"
	ElastiCacheCacheCluster                  = "AWS::ElastiCache::CacheCluster"
	ElastiCacheReplicationGroup              = "AWS::ElastiCache::ReplicationGroup"
	ElastiCacheServerlessCache               = "AWS::ElastiCache::ServerlessCache"
	ElasticLoadBalancingLoadBalancer         = "AWS::ElasticLoadBalancing::LoadBalancer"
	ElasticLoadBalancingV2LoadBalancer       = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	ElasticsearchDomain                      = "AWS::Elasticsearch::Domain"
	EventsArchive                            = "AWS::Events::Archive"
	EventsEventBus                           = "AWS::Events::EventBus"
	EventsEventBusPolicy                     = "AWS::Events::EventBusPolicy"
	EventsRule                               = "AWS::Events::Rule"
	FSxFileSystem                            = "AWS::FSx::FileSystem"
	HealthLakeFHIRDatastore                  = "AWS::HealthLake::FHIRDatastore"
	IAMGroup                                 = "AWS::IAM::Group"
	IAMGroupPolicy                           = "AWS::IAM::GroupPolicy"
	IAMInstanceProfile                       = "AWS::IAM::InstanceProfile"
	IAMManagedPolicy                         = "AWS::IAM::ManagedPolicy"
	IAMPolicy                                = "AWS::IAM::Policy"
	IAMRole                                  = "AWS::IAM::Role"
	IAMRolePolicy                            = "AWS::IAM::RolePolicy"
	IAMUser                                  = "AWS::IAM::User"
	IAMUserPolicy                            = "AWS::IAM::UserPolicy"
	IAMUserToGroupAddition                   = "AWS::IAM::UserToGroupAddition"
	KMSAlias                                 = "AWS::KMS::Alias"
	KMSKey                                   = "AWS::KMS::Key"
	KMSReplicaKey                            = "AWS::KMS::ReplicaKey"
	KinesisResourcePolicy                    = "AWS::Kinesis::ResourcePolicy"
	KinesisStream                            = "AWS::Kinesis::Stream"
	KinesisVideoStream                       = "AWS::KinesisVideo::Stream"
	LambdaAlias                              = "AWS::Lambda::Alias"
	LambdaEventSourceMapping                 = "AWS::Lambda::EventSourceMapping"
	LambdaFunction                           = "AWS::Lambda::Function"
	LambdaLayerVersion                       = "AWS::Lambda::LayerVersion"
	LambdaLayerVersionPermission             = "AWS::Lambda::LayerVersionPermission"
	LambdaPermission                         = "AWS::Lambda::Permission"
	LambdaUrl                                = "AWS::Lambda::Url"
	LambdaVersion                            = "AWS::Lambda::Version"
	LightsailBucket                          = "AWS::Lightsail::Bucket"
	LightsailDatabase                        = "AWS::Lightsail::Database"
	LightsailDisk                            = "AWS::Lightsail::Disk"
	LightsailInstance                        = "AWS::Lightsail::Instance"
	LogsLogGroup                             = "AWS::Logs::LogGroup"
	LogsResourcePolicy                       = "AWS::Logs::ResourcePolicy"
	MSKCluster                               = "AWS::MSK::Cluster"
	MSKServerlessCluster                     = "AWS::MSK::ServerlessCluster"
	MediaStoreContainer                      = "AWS::MediaStore::Container"
	MemoryDBCluster                          = "AWS::MemoryDB::Cluster"
	NeptuneDBCluster                         = "AWS::Neptune::DBCluster"
	NeptuneDBInstance                        = "AWS::Neptune::DBInstance"
	NeptuneGraphGraph                        = "AWS::NeptuneGraph::Graph"
	OpenSearchServerlessCollection           = "AWS::OpenSearchServerless::Collection"
	OpenSearchServiceDomain                  = "AWS::OpenSearchService::Domain"
	QLDBLedger                               = "AWS::QLDB::Ledger"
	RDSDBCluster                             = "AWS::RDS::DBCluster"
	RDSDBInstance                            = "AWS::RDS::DBInstance"
	RDSGlobalCluster                         = "AWS::RDS::GlobalCluster"
	RedshiftCluster                          = "AWS::Redshift::Cluster"
	RedshiftServerlessNamespace              = "AWS::RedshiftServerless::Namespace"
	RedshiftServerlessWorkgroup              = "AWS::RedshiftServerless::Workgroup"
	Route53HostedZone                        = "AWS::Route53::HostedZone"
	S3AccessPoint                            = "AWS::S3::AccessPoint"
	S3Bucket                                 = "AWS::S3::Bucket"
	S3BucketPolicy                           = "AWS::S3::BucketPolicy"
	S3ExpressDirectoryBucket                 = "AWS::S3Express::DirectoryBucket"
	S3OutpostsBucket                         = "AWS::S3Outposts::Bucket"
	S3TablesTable                            = "AWS::S3Tables::Table"
	S3TablesTableBucket                      = "AWS::S3Tables::TableBucket"
	S3VectorsIndex                           = "AWS::S3Vectors::Index"
	S3VectorsVectorBucket                    = "AWS::S3Vectors::VectorBucket"
	SDBDomain                                = "AWS::SDB::Domain"
	SNSSubscription                          = "AWS::SNS::Subscription"
	SNSTopic                                 = "AWS::SNS::Topic"
	SNSTopicInlinePolicy                     = "AWS::SNS::TopicInlinePolicy"
	SNSTopicPolicy                           = "AWS::SNS::TopicPolicy"
	SQSQueue                                 = "AWS::SQS::Queue"
	SQSQueueInlinePolicy                     = "AWS::SQS::QueueInlinePolicy"
	SQSQueuePolicy                           = "AWS::SQS::QueuePolicy"
	SSMParameter                             = "AWS::SSM::Parameter"
	SchedulerSchedule                        = "AWS::Scheduler::Schedule"
	SchedulerScheduleGroup                   = "AWS::Scheduler::ScheduleGroup"
	SecretsManagerResourcePolicy             = "AWS::SecretsManager::ResourcePolicy"
	SecretsManagerSecret                     = "AWS::SecretsManager::Secret"
	ServerlessFunction                       = "AWS::Serverless::Function"
	ServerlessSimpleTable                    = "AWS::Serverless::SimpleTable"
	StepFunctionsStateMachine                = "AWS::StepFunctions::StateMachine"
	TimestreamDatabase                       = "AWS::Timestream::Database"
	TimestreamInfluxDBInstance               = "AWS::Timestream::InfluxDBInstance"
	TimestreamTable                          = "AWS::Timestream::Table"
	WAFv2WebACL                              = "AWS::WAFv2::WebACL"
)

// descriptions are sorted by name: what is not said here is known by the
// schemas alone.
var descriptions = [...]Type{
	{Name: AmazonMQBroker, PublicAddress: "PubliclyAccessible"},
	{Name: ApiGatewayDomainName, Addressed: true},
	{Name: ApiGatewayRestApi, Addressed: true, ByContent: true, Policy: Policy{"Policy", ""}},
	{Name: ApiGatewayV2Api, Word: "API", Parts: []Part{{"/*", "everything"}}, Addressed: true, ByContent: true},
	{Name: ApiGatewayV2Deployment, Wiring: true},
	{Name: ApiGatewayV2DomainName, Addressed: true},
	{Name: ApiGatewayV2Integration, Wiring: true},
	{Name: ApiGatewayV2Route, Wiring: true},
	{Name: ApiGatewayV2Stage, Wiring: true},
	{Name: AppSyncGraphQLApi, Addressed: true, ByContent: true},
	{Name: BackupBackupVault, HoldsData: true, Policy: Policy{"AccessPolicy", ""}},
	{Name: CassandraTable, HoldsData: true},
	{Name: CloudFormationStack, InPlace: true},
	{Name: CloudFrontDistribution, Word: "CDN", Addressed: true, ByContent: true},
	{Name: CloudFrontFunction, CustomName: "Name"},
	{Name: CloudFrontOriginAccessControl, CustomName: "OriginAccessControlConfig.Name"},
	{Name: CloudWatchAlarm, CustomName: "AlarmName"},
	{Name: CloudWatchCompositeAlarm, Charge: Charge{"alarm-composite", "a composite alarm", false}},
	{Name: CloudWatchDashboard, Charge: Charge{"dashboard", "a dashboard", false}},
	{Name: CodeArtifactRepository, HoldsData: true},
	{Name: CodeCommitRepository, HoldsData: true},
	{Name: CognitoIdentityPool, HoldsData: true},
	{Name: CognitoUserPool, HoldsData: true, Settled: []string{"UsernameAttributes", "AliasAttributes", "UsernameConfiguration"}},
	{Name: CognitoUserPoolDomain, CustomName: "Domain"},
	{Name: DMSReplicationInstance, PublicAddress: "PubliclyAccessible"},
	{Name: DSQLCluster, HoldsData: true},
	{Name: DocDBDBCluster, HoldsData: true},
	{Name: DocDBDBInstance, HoldsData: true},
	{Name: DocDBElasticCluster, HoldsData: true},
	{Name: DynamoDBGlobalTable, HoldsData: true, CustomName: "TableName"},
	{Name: DynamoDBTable, Word: "table", HoldsData: true, CustomName: "TableName", ARN: "dynamodb:${AWS::Region}:${AWS::AccountId}:table/", Parts: []Part{{"/index/*", "the indexes"}, {"/stream/*", "the stream"}, {".StreamArn", "the stream"}}, Policy: Policy{"ResourcePolicy.PolicyDocument", ""}},
	{Name: EC2EIP, Charge: Charge{"ipv4-address", "a public IPv4 address", true}},
	{Name: EC2Instance, HoldsData: true},
	{Name: EC2NatGateway, Charge: Charge{"nat-gateway", "a NAT gateway", true}},
	{Name: EC2VPCEndpoint, Policy: Policy{"PolicyDocument", ""}},
	{Name: EC2Volume, HoldsData: true},
	{Name: ECRPublicRepository, HoldsData: true},
	{Name: ECRRepository, HoldsData: true, CustomName: "RepositoryName", Policy: Policy{"RepositoryPolicyText", ""}},
	{Name: ECSCluster, CustomName: "ClusterName"},
	{Name: EFSFileSystem, HoldsData: true, Policy: Policy{"FileSystemPolicy", ""}},
	{Name: ElastiCacheCacheCluster, HoldsData: true},
	{Name: ElastiCacheReplicationGroup, HoldsData: true},
	{Name: ElastiCacheServerlessCache, HoldsData: true},
	{Name: ElasticLoadBalancingLoadBalancer, Charge: Charge{"classic-load-balancer", "a classic load balancer", true}},
	{Name: ElasticLoadBalancingV2LoadBalancer, Addressed: true},
	{Name: ElasticsearchDomain, HoldsData: true, Policy: Policy{"AccessPolicies", ""}},
	{Name: EventsArchive, HoldsData: true},
	{Name: EventsEventBus, CustomName: "Name", Addressed: true},
	{Name: EventsEventBusPolicy, Policy: Policy{"Statement", "EventBusName"}},
	{Name: EventsRule, Word: "schedule"},
	{Name: FSxFileSystem, HoldsData: true},
	{Name: HealthLakeFHIRDatastore, HoldsData: true},
	{Name: IAMGroup, Word: "group", CustomName: "GroupName", Rights: HasRights},
	{Name: IAMGroupPolicy, Rights: GivesRights},
	{Name: IAMInstanceProfile, CustomName: "InstanceProfileName"},
	{Name: IAMManagedPolicy, CustomName: "ManagedPolicyName", Rights: GivesRights},
	{Name: IAMPolicy, Rights: GivesRights},
	{Name: IAMRole, Word: "role", CustomName: "RoleName", Rights: HasRights},
	{Name: IAMRolePolicy, Rights: GivesRights},
	{Name: IAMUser, Word: "user", CustomName: "UserName", Rights: HasRights},
	{Name: IAMUserPolicy, Rights: GivesRights},
	{Name: KMSAlias, CustomName: "AliasName"},
	{Name: KMSKey, HoldsData: true, Policy: Policy{"KeyPolicy", ""}, Charge: Charge{"kms-key", "a key", false}},
	{Name: KMSReplicaKey, Charge: Charge{"kms-key", "a key", false}},
	{Name: KinesisResourcePolicy, Policy: Policy{"ResourcePolicy", ""}},
	{Name: KinesisStream, HoldsData: true, Retention: Retention{"RetentionPeriodHours", "records", "hours", 24}, CustomName: "Name"},
	{Name: KinesisVideoStream, HoldsData: true},
	{Name: LambdaAlias, Addressed: true, Wiring: true},
	{Name: LambdaEventSourceMapping, Wiring: true},
	{Name: LambdaFunction, CustomName: "FunctionName", ARN: "lambda:${AWS::Region}:${AWS::AccountId}:function:", Addressed: true},
	{Name: LambdaPermission, Wiring: true},
	{Name: LambdaUrl, Addressed: true},
	{Name: LambdaVersion, Wiring: true},
	{Name: LightsailBucket, HoldsData: true},
	{Name: LightsailDatabase, HoldsData: true},
	{Name: LightsailDisk, HoldsData: true},
	{Name: LightsailInstance, HoldsData: true},
	{Name: LogsLogGroup, Word: "log group", Retention: Retention{"RetentionInDays", "events", "days", 0}, CustomName: "LogGroupName"},
	{Name: LogsResourcePolicy, Policy: Policy{"PolicyDocument", ""}},
	{Name: MSKCluster, HoldsData: true},
	{Name: MSKServerlessCluster, HoldsData: true},
	{Name: MediaStoreContainer, HoldsData: true, Policy: Policy{"Policy", ""}},
	{Name: MemoryDBCluster, HoldsData: true},
	{Name: NeptuneDBCluster, HoldsData: true},
	{Name: NeptuneDBInstance, HoldsData: true},
	{Name: NeptuneGraphGraph, HoldsData: true},
	{Name: OpenSearchServerlessCollection, HoldsData: true},
	{Name: OpenSearchServiceDomain, HoldsData: true, Policy: Policy{"AccessPolicies", ""}},
	{Name: QLDBLedger, HoldsData: true},
	{Name: RDSDBCluster, HoldsData: true, CustomName: "DBClusterIdentifier", PublicAddress: "PubliclyAccessible"},
	{Name: RDSDBInstance, HoldsData: true, CustomName: "DBInstanceIdentifier", PublicAddress: "PubliclyAccessible"},
	{Name: RDSGlobalCluster, HoldsData: true},
	{Name: RedshiftCluster, HoldsData: true, PublicAddress: "PubliclyAccessible"},
	{Name: RedshiftServerlessNamespace, HoldsData: true},
	{Name: RedshiftServerlessWorkgroup, PublicAddress: "PubliclyAccessible"},
	{Name: Route53HostedZone, Charge: Charge{"hosted-zone", "a hosted zone", false}},
	{Name: S3AccessPoint, Policy: Policy{"Policy", ""}},
	{Name: S3Bucket, Word: "bucket", HoldsData: true, CustomName: "BucketName", ARN: "s3:::", Parts: []Part{{"/*", "the objects"}}},
	{Name: S3BucketPolicy, Policy: Policy{"PolicyDocument", "Bucket"}},
	{Name: S3ExpressDirectoryBucket, HoldsData: true},
	{Name: S3OutpostsBucket, HoldsData: true},
	{Name: S3TablesTable, HoldsData: true},
	{Name: S3TablesTableBucket, HoldsData: true},
	{Name: S3VectorsIndex, HoldsData: true},
	{Name: S3VectorsVectorBucket, HoldsData: true},
	{Name: SDBDomain, HoldsData: true},
	{Name: SNSSubscription, Wiring: true},
	{Name: SNSTopic, Word: "topic", CustomName: "TopicName", Addressed: true},
	{Name: SNSTopicInlinePolicy, Policy: Policy{"PolicyDocument", "TopicArn"}},
	{Name: SNSTopicPolicy, Wiring: true, Policy: Policy{"PolicyDocument", "Topics"}},
	{Name: SQSQueue, Word: "queue", HoldsData: true, Retention: Retention{"MessageRetentionPeriod", "messages", "seconds", 345_600}, CustomName: "QueueName"},
	{Name: SQSQueueInlinePolicy, Policy: Policy{"PolicyDocument", "Queue"}},
	{Name: SQSQueuePolicy, Wiring: true, Policy: Policy{"PolicyDocument", "Queues"}},
	{Name: SSMParameter, CustomName: "Name", Wiring: true},
	{Name: SchedulerSchedule, Word: "schedule"},
	{Name: SchedulerScheduleGroup, CustomName: "Name"},
	{Name: SecretsManagerResourcePolicy, Policy: Policy{"ResourcePolicy", "SecretId"}},
	{Name: SecretsManagerSecret, HoldsData: true, CustomName: "Name"},
	{Name: ServerlessSimpleTable, HoldsData: true},
	{Name: StepFunctionsStateMachine, CustomName: "StateMachineName", Addressed: true},
	{Name: TimestreamDatabase, HoldsData: true},
	{Name: TimestreamInfluxDBInstance, HoldsData: true},
	{Name: TimestreamTable, HoldsData: true},
}
