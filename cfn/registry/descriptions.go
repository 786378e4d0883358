package registry

// descriptions are sorted by name: what is not said here is known by the
// schemas alone.
var descriptions = [...]Type{
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-accessanalyzer-analyzer.html
	{Name: "AWS::AccessAnalyzer::Analyzer", Watches: "nobody looks any more for what is open to others"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-amazonmq-broker.html
	{Name: AmazonMQBroker, PublicAddress: "PubliclyAccessible", HoldsData: true, Settings: []Setting{
		{"Logs.Audit", "true", "", "no longer logs who does what", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-amplify-app.html
	{Name: "AWS::Amplify::App", Addressed: true, Settings: []Setting{
		{"EnableBranchAutoDeletion", "!true", "", "deletes branches by itself", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-amplify-branch.html
	{Name: "AWS::Amplify::Branch", Names: []string{"BranchName"}, Gone: "nothing answers at its address any more", Settings: []Setting{
		{"EnableBasicAuth", "true", "", "asks visitors for no password any more", Opens},
		{"EnablePullRequestPreview", "!true", "", "publishes previews of pull requests", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-amplify-domain.html
	{Name: "AWS::Amplify::Domain", Names: []string{"DomainName"}, Gone: "the name leads to the app no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-apikey.html
	{Name: "AWS::ApiGateway::ApiKey", Addressed: true, Settings: []Setting{
		{"Enabled", "true", "", "lets nobody in any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-basepathmapping.html
	{Name: "AWS::ApiGateway::BasePathMapping", Names: []string{"BasePath", "DomainName"}, Gone: "the domain leads to the API no more"},
	{Name: ApiGatewayDeployment, Wiring: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-domainname.html
	{Name: ApiGatewayDomainName, Addressed: true, Names: []string{"DomainName"}, Settings: []Setting{
		{"SecurityPolicy", "TLS_1_0<TLS_1_2", "", "lets clients speak an older TLS", Guards},
		{"MutualTlsAuthentication", "set", "", "no longer asks clients for a certificate", Opens},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html
	{Name: ApiGatewayRestApi, Addressed: true, ByContent: true, Policy: Policy{"Policy", ""}, Settings: []Setting{
		{"DisableExecuteApiEndpoint", "!true", "", "answers at its own address no more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html
	{Name: ApiGatewayStage, Names: []string{"StageName"}, Gone: "nothing answers at its address any more", Settings: []Setting{
		{"AccessLogSetting", "set", "", "no longer logs who calls", Guards},
		{"ClientCertificateId", "set", "", "no longer shows its backend a certificate", Guards},
		{"MethodSettings.*.ThrottlingRateLimit", "set", "", "no longer limits how much is asked of it", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-usageplan.html
	{Name: "AWS::ApiGateway::UsagePlan", Watches: "nothing limits any more how much is asked", Settings: []Setting{
		{"Throttle", "set", "", "no longer limits how much is asked at a time", Guards},
		{"Quota", "set", "", "no longer limits how much is asked in all", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html
	{Name: ApiGatewayV2Api, Word: "API", Parts: []Part{{"/*", "everything"}}, Addressed: true, ByContent: true, Settings: []Setting{
		{"DisableExecuteApiEndpoint", "!true", "", "answers at its own address no more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-apimapping.html
	{Name: "AWS::ApiGatewayV2::ApiMapping", Names: []string{"ApiMappingKey", "DomainName"}, Gone: "the domain leads to the API no more"},
	{Name: ApiGatewayV2Deployment, Wiring: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-domainname.html
	{Name: ApiGatewayV2DomainName, Addressed: true, Names: []string{"DomainName"}, Settings: []Setting{
		{"DomainNameConfigurations.*.SecurityPolicy", "TLS_1_0<TLS_1_2", "", "lets clients speak an older TLS", Guards},
		{"MutualTlsAuthentication", "set", "", "no longer asks clients for a certificate", Opens},
	}},
	{Name: ApiGatewayV2Integration, Wiring: true},
	{Name: ApiGatewayV2Route, Wiring: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-stage.html
	{Name: ApiGatewayV2Stage, Wiring: true, Names: []string{"StageName"}, Settings: []Setting{
		{"AccessLogSettings", "set", "", "no longer logs who calls", Guards},
		{"DefaultRouteSettings.ThrottlingRateLimit", "set", "", "no longer limits how much is asked of it", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appconfig-environment.html
	{Name: "AWS::AppConfig::Environment", Settings: []Setting{
		{"Monitors", "set", "", "no longer takes back a configuration that breaks something", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apprunner-service.html
	{Name: "AWS::AppRunner::Service", Addressed: true, Settings: []Setting{
		{"NetworkConfiguration.IngressConfiguration.IsPubliclyAccessible", "!true", "true", "has a public address", Opens},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appsync-apikey.html
	{Name: "AWS::AppSync::ApiKey", Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appsync-domainname.html
	{Name: "AWS::AppSync::DomainName", Names: []string{"DomainName"}, Gone: "the name leads to the API no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appsync-graphqlapi.html
	{Name: AppSyncGraphQLApi, Addressed: true, ByContent: true, Settings: []Setting{
		{"LogConfig", "set", "", "no longer logs what is asked", Guards},
		{"QueryDepthLimit", "set", "", "no longer limits how deep a query goes", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalabletarget.html
	{Name: "AWS::ApplicationAutoScaling::ScalableTarget", Watches: "it grows no more under load", Settings: []Setting{
		{"SuspendedState.DynamicScalingOutSuspended", "!true", "", "grows no more under load", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalingpolicy.html
	{Name: "AWS::ApplicationAutoScaling::ScalingPolicy", Watches: "nothing grows any more by it under load"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-athena-workgroup.html
	{Name: "AWS::Athena::WorkGroup", Names: []string{"Name"}, Settings: []Setting{
		{"WorkGroupConfiguration.EnforceWorkGroupConfiguration", "true", "true", "lets clients choose where results go and how they are encrypted", Guards},
		{"State", "ENABLED", "ENABLED", "runs no query any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-autoscalinggroup.html
	{Name: "AWS::AutoScaling::AutoScalingGroup", Gone: "its instances are terminated", Settings: []Setting{
		{"MaxSize", ">0", "", "may have no instance any more", Runs},
		{"DesiredCapacity", ">0", "", "has no instance any more", Runs},
		{"DeletionProtection", "none<prevent-force-deletion<prevent-all-deletion", "none", "is less protected from deletion", Locks},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-launchconfiguration.html
	{Name: "AWS::AutoScaling::LaunchConfiguration", Settings: []Setting{
		{"MetadataOptions.HttpTokens", "optional<required", "", "lets instances give their role to whoever tricks them into one request (IMDSv1)", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-scalingpolicy.html
	{Name: "AWS::AutoScaling::ScalingPolicy", Watches: "nothing grows any more by it under load"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-backup-backupplan.html
	{Name: "AWS::Backup::BackupPlan", Watches: "what it backed up is backed up no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-backup-backupselection.html
	{Name: "AWS::Backup::BackupSelection", Watches: "what it chose is backed up no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-backup-backupvault.html
	{Name: BackupBackupVault, HoldsData: true, Policy: Policy{"AccessPolicy", ""}, Settings: []Setting{
		{"LockConfiguration", "set", "", "lets its backups be deleted at any time", Backs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-batch-computeenvironment.html
	{Name: "AWS::Batch::ComputeEnvironment", Settings: []Setting{
		{"State", "ENABLED", "ENABLED", "takes no jobs any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-batch-jobdefinition.html
	{Name: "AWS::Batch::JobDefinition", Settings: []Setting{
		{"ContainerProperties.Privileged", "!true", "", "runs with the rights of its host (Privileged)", Grants},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-batch-jobqueue.html
	{Name: "AWS::Batch::JobQueue", Names: []string{"JobQueueName"}, Settings: []Setting{
		{"State", "ENABLED", "ENABLED", "takes no jobs any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrock-agent.html
	{Name: "AWS::Bedrock::Agent", Addressed: true, Gone: "nothing answers under its ID any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrock-agentalias.html
	{Name: "AWS::Bedrock::AgentAlias", Addressed: true, Gone: "nothing answers under its ID any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrock-knowledgebase.html
	{Name: "AWS::Bedrock::KnowledgeBase", Addressed: true, Gone: "nothing answers under its ID any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-budgets-budget.html
	{Name: "AWS::Budgets::Budget", Watches: "nobody is told any more when it costs too much"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cassandra-table.html
	{Name: CassandraTable, HoldsData: true, Settings: []Setting{
		{"PointInTimeRecoveryEnabled", "true", "", "loses its continuous backups", Backs},
	}},
	{Name: CloudFormationStack, InPlace: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-distribution.html
	{Name: CloudFrontDistribution, Word: "CDN", Addressed: true, ByContent: true, Settings: []Setting{
		{"DistributionConfig.Enabled", "true", "", "answers no more: it is switched off", Runs},
		{"DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy", "!allow-all", "", "takes requests without TLS", Guards},
		{"DistributionConfig.CacheBehaviors.*.ViewerProtocolPolicy", "!allow-all", "", "takes requests without TLS at a path", Guards},
		{"DistributionConfig.WebACLId", "set", "", "has no web firewall in front any more", Guards},
		{"DistributionConfig.Origins.*.OriginAccessControlId", "set", "", "no longer signs what it asks its origin for", Guards},
		{"DistributionConfig.ViewerCertificate.MinimumProtocolVersion", "SSLv3<TLSv1<TLSv1_2016<TLSv1.1_2016<TLSv1.2_2018<TLSv1.2_2019<TLSv1.2_2021<TLSv1.2_2025<TLSv1.3_2025", "", "lets viewers speak an older TLS", Guards},
		{"DistributionConfig.Logging", "set", "", "no longer logs who calls", Guards},
		{"DistributionConfig.DefaultCacheBehavior.TrustedKeyGroups", "set", "", "gives everyone what only signed requests got", Opens},
		{"DistributionConfig.Origins.*.CustomOriginConfig.OriginProtocolPolicy", "http-only<match-viewer<https-only", "", "speaks to its origin without TLS", Guards},
	}},
	{Name: CloudFrontFunction, CustomName: "Name"},
	{Name: CloudFrontOriginAccessControl, CustomName: "OriginAccessControlConfig.Name"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-responseheaderspolicy.html
	{Name: CloudFrontResponseHeadersPolicy, Settings: []Setting{
		{"ResponseHeadersPolicyConfig.SecurityHeadersConfig.StrictTransportSecurity", "set", "", "no longer tells browsers to use TLS only", Guards},
		{"ResponseHeadersPolicyConfig.SecurityHeadersConfig.ContentSecurityPolicy", "set", "", "no longer tells browsers what a page may load", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudtrail-eventdatastore.html
	{Name: "AWS::CloudTrail::EventDataStore", HoldsData: true, Settings: []Setting{
		{"TerminationProtectionEnabled", "true", "true", "is no longer protected from deletion", Locks},
		{"IngestionEnabled", "true", "true", "records nothing any more", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudtrail-trail.html
	{Name: "AWS::CloudTrail::Trail", Watches: "nobody records any more who did what in the account", Settings: []Setting{
		{"IsLogging", "true", "", "records nothing any more", Guards},
		{"EnableLogFileValidation", "true", "", "no longer tells whether its files were altered", Guards},
		{"IsMultiRegionTrail", "true", "", "records one region only", Guards},
		{"IncludeGlobalServiceEvents", "true", "", "no longer records IAM and other global services", Guards},
		{"KMSKeyId", "set", "", "is no longer encrypted with a key of its own", Encrypts},
		{"CloudWatchLogsLogGroupArn", "set", "", "no longer sends its events to CloudWatch", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
	{Name: CloudWatchAlarm, CustomName: "AlarmName", Watches: "nobody is told any more", Settings: []Setting{
		{"ActionsEnabled", "true", "true", "tells nobody any more", Guards},
		{"AlarmActions", "set", "", "tells nobody any more when it goes off", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-anomalydetector.html
	{Name: "AWS::CloudWatch::AnomalyDetector", Watches: "nobody is told any more of what is unusual"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html
	{Name: CloudWatchCompositeAlarm, Charge: Charge{"alarm-composite", "a composite alarm", false}, Watches: "nobody is told any more", Settings: []Setting{
		{"ActionsEnabled", "true", "true", "tells nobody any more", Guards},
		{"AlarmActions", "set", "", "tells nobody any more when it goes off", Guards},
	}},
	{Name: CloudWatchDashboard, Charge: Charge{"dashboard", "a dashboard", false}},
	{Name: CodeArtifactRepository, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codebuild-project.html
	{Name: "AWS::CodeBuild::Project", Settings: []Setting{
		{"Environment.PrivilegedMode", "!true", "", "builds with the rights of its host (PrivilegedMode)", Grants},
		{"Artifacts.EncryptionDisabled", "!true", "", "no longer encrypts what it makes", Encrypts},
		{"LogsConfig.CloudWatchLogs.Status", "ENABLED", "", "no longer logs its builds", Guards},
	}},
	{Name: CodeCommitRepository, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codedeploy-deploymentgroup.html
	{Name: CodeDeployDeploymentGroup, Settings: []Setting{
		{"AlarmConfiguration.Alarms", "set", "", "goes on with its deployments whatever alarms say", Guards},
		{"AutoRollbackConfiguration.Enabled", "true", "", "no longer goes back by itself when a deployment fails", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codepipeline-pipeline.html
	{Name: "AWS::CodePipeline::Pipeline", Gone: "nothing is released by it any more"},
	{Name: CognitoIdentityPool, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html
	{Name: CognitoUserPool, HoldsData: true, Settled: []string{"UsernameAttributes", "AliasAttributes", "UsernameConfiguration"}, Settings: []Setting{
		{"DeletionProtection", "ACTIVE", "", "is no longer protected from deletion", Locks},
		{"MfaConfiguration", "OFF<OPTIONAL<ON", "OFF", "asks for a second factor less often", Guards},
		{"UserPoolAddOns.AdvancedSecurityMode", "OFF<AUDIT<ENFORCED", "OFF", "is guarded less against stolen passwords", Guards},
		{"Policies.PasswordPolicy.MinimumLength", ">", "8", "takes shorter passwords", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html
	{Name: "AWS::Cognito::UserPoolClient", Addressed: true, Settings: []Setting{
		{"EnableTokenRevocation", "true", "", "no longer lets tokens be revoked", Guards},
		{"PreventUserExistenceErrors", "LEGACY<ENABLED", "LEGACY", "tells strangers which users there are", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpooldomain.html
	{Name: CognitoUserPoolDomain, CustomName: "Domain", Names: []string{"Domain"}, Gone: "nobody can sign in at its address any more", Unique: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolgroup.html
	{Name: "AWS::Cognito::UserPoolGroup", Names: []string{"GroupName"}, Gone: "its members lose what the group gave them"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolidentityprovider.html
	{Name: "AWS::Cognito::UserPoolIdentityProvider", Names: []string{"ProviderName"}, Gone: "nobody signs in through it any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolresourceserver.html
	{Name: "AWS::Cognito::UserPoolResourceServer", Names: []string{"Identifier"}, Gone: "its scopes are granted no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolriskconfigurationattachment.html
	{Name: "AWS::Cognito::UserPoolRiskConfigurationAttachment", Watches: "nothing is done any more about suspicious sign-ins"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-config-configrule.html
	{Name: "AWS::Config::ConfigRule", Watches: "nobody checks it any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-config-configurationrecorder.html
	{Name: "AWS::Config::ConfigurationRecorder", Watches: "nobody records any more what resources were like"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-config-deliverychannel.html
	{Name: "AWS::Config::DeliveryChannel", Watches: "what the recorder finds is kept nowhere"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dax-cluster.html
	{Name: "AWS::DAX::Cluster", Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dlm-lifecyclepolicy.html
	{Name: "AWS::DLM::LifecyclePolicy", Watches: "it makes no snapshots any more", Settings: []Setting{
		{"State", "ENABLED", "", "makes no snapshots any more", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dms-endpoint.html
	{Name: "AWS::DMS::Endpoint", Settings: []Setting{
		{"SslMode", "none<require<verify-ca<verify-full", "none", "speaks to the database without TLS, or checks its certificate less", Guards},
	}},
	{Name: DMSReplicationInstance, PublicAddress: "PubliclyAccessible"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dms-replicationtask.html
	{Name: "AWS::DMS::ReplicationTask", Gone: "nothing is copied by it any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dsql-cluster.html
	{Name: DSQLCluster, HoldsData: true, Settings: []Setting{
		{"DeletionProtectionEnabled", "true", "", "is no longer protected from deletion", Locks},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-directoryservice-microsoftad.html
	{Name: "AWS::DirectoryService::MicrosoftAD", HoldsData: true, Names: []string{"Name"}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-directoryservice-simplead.html
	{Name: "AWS::DirectoryService::SimpleAD", HoldsData: true, Names: []string{"Name"}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-docdb-dbcluster.html
	{Name: DocDBDBCluster, HoldsData: true, Snapshots: true, Settings: []Setting{
		{"BackupRetentionPeriod", ">", "1", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"DeletionProtection", "true", "", "is no longer protected from deletion", Locks},
		{"EnableCloudwatchLogsExports", "set", "", "no longer sends its logs to CloudWatch", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-docdb-dbinstance.html
	{Name: DocDBDBInstance, Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-docdbelastic-cluster.html
	{Name: DocDBElasticCluster, HoldsData: true, Settings: []Setting{
		{"BackupRetentionPeriod", ">", "1", "keeps its backups for a shorter time, or makes none any more", Backs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
	{Name: DynamoDBGlobalTable, HoldsData: true, CustomName: "TableName", Settings: []Setting{
		{"Replicas.*.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "true", "", "loses its continuous backups", Backs},
		{"Replicas.*.DeletionProtectionEnabled", "true", "", "is no longer protected from deletion", Locks},
		{"SSESpecification.SSEEnabled", "true", "", "is no longer encrypted with a key of its own", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
	{Name: DynamoDBTable, Word: "table", HoldsData: true, CustomName: "TableName", ARN: "dynamodb:${AWS::Region}:${AWS::AccountId}:table/", Parts: []Part{{"/index/*", "the indexes"}, {"/stream/*", "the stream"}, {".StreamArn", "the stream"}}, Policy: Policy{"ResourcePolicy.PolicyDocument", ""}, Settings: []Setting{
		{"PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "true", "", "loses its continuous backups", Backs},
		{"PointInTimeRecoverySpecification.RecoveryPeriodInDays", ">", "35", "can be brought back to fewer days before", Guards},
		{"DeletionProtectionEnabled", "true", "", "is no longer protected from deletion", Locks},
		{"SSESpecification.SSEEnabled", "true", "", "is no longer encrypted with a key of its own", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-clientvpnendpoint.html
	{Name: "AWS::EC2::ClientVpnEndpoint", Addressed: true, Settings: []Setting{
		{"ConnectionLogOptions.Enabled", "true", "", "no longer logs who connects", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-eip.html
	{Name: EC2EIP, Charge: Charge{"ipv4-address", "a public IPv4 address", true}, Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-flowlog.html
	{Name: "AWS::EC2::FlowLog", Watches: "nobody records who speaks to whom any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-instance.html
	{Name: EC2Instance, HoldsData: true, Settings: []Setting{
		{"DisableApiTermination", "true", "", "may be terminated by a call", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-launchtemplate.html
	{Name: "AWS::EC2::LaunchTemplate", Settings: []Setting{
		{"LaunchTemplateData.MetadataOptions.HttpTokens", "optional<required", "", "lets instances give their role to whoever tricks them into one request (IMDSv1)", Guards},
		{"LaunchTemplateData.DisableApiTermination", "true", "", "lets instances be terminated by a call", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-natgateway.html
	{Name: EC2NatGateway, Charge: Charge{"nat-gateway", "a NAT gateway", true}, Gone: "what goes out through it reaches nothing any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-networkaclentry.html
	{Name: "AWS::EC2::NetworkAclEntry", Watches: "what it forbade or let in follows the other rules"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-subnet.html
	{Name: "AWS::EC2::Subnet", Settings: []Setting{
		{"MapPublicIpOnLaunch", "!true", "", "gives what starts in it a public address", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcendpoint.html
	{Name: EC2VPCEndpoint, Inner: true, Policy: Policy{"PolicyDocument", ""}, Gone: "what reaches the service through it goes another way, or none", Settings: []Setting{
		{"PrivateDnsEnabled", "true", "", "is found by the service's own name no more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcendpointservice.html
	{Name: "AWS::EC2::VPCEndpointService", Addressed: true, Settings: []Setting{
		{"AcceptanceRequired", "true", "true", "takes whoever asks to be connected", Opens},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpnconnection.html
	{Name: "AWS::EC2::VPNConnection", Addressed: true, Gone: "the network on the other side is cut off"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-volume.html
	{Name: EC2Volume, HoldsData: true, Snapshots: true},
	{Name: ECRPublicRepository, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-repository.html
	{Name: ECRRepository, HoldsData: true, CustomName: "RepositoryName", Policy: Policy{"RepositoryPolicyText", ""}, Settings: []Setting{
		{"ImageTagMutability", "MUTABLE<MUTABLE_WITH_EXCLUSION<IMMUTABLE_WITH_EXCLUSION<IMMUTABLE", "MUTABLE", "lets what a tag names be overwritten", Guards},
		{"ImageScanningConfiguration.ScanOnPush", "true", "", "no longer scans what is pushed", Guards},
	}},
	{Name: ECSCluster, CustomName: "ClusterName"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html
	{Name: "AWS::ECS::Service", Gone: "its tasks are stopped, and nothing answers in their place", Settings: []Setting{
		{"DesiredCount", ">0", "", "runs no task any more", Runs},
		{"DeploymentConfiguration.DeploymentCircuitBreaker.Enable", "true", "", "no longer stops a deployment whose tasks fail", Guards},
		{"NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp", "!ENABLED", "", "gives its tasks public addresses", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html
	{Name: "AWS::ECS::TaskDefinition", Settings: []Setting{
		{"ContainerDefinitions.*.Privileged", "!true", "", "has a container with the rights of its host (Privileged)", Grants},
		{"ContainerDefinitions.*.ReadonlyRootFilesystem", "true", "", "has a container that may write to its own file system", Guards},
		{"Volumes.*.EFSVolumeConfiguration.TransitEncryption", "ENABLED", "DISABLED", "no longer encrypts what goes to its file system", Encrypts},
		{"NetworkMode", "!host", "", "is in the network of its host", Grants},
		{"PidMode", "!host", "", "sees the processes of its host", Grants},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-efs-accesspoint.html
	{Name: "AWS::EFS::AccessPoint", Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-efs-filesystem.html
	{Name: EFSFileSystem, HoldsData: true, Policy: Policy{"FileSystemPolicy", ""}, Settings: []Setting{
		{"BackupPolicy.Status", "ENABLED", "", "is backed up no more", Guards},
		{"FileSystemProtection.ReplicationOverwriteProtection", "ENABLED", "ENABLED", "may be overwritten by a replication", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-efs-mounttarget.html
	{Name: "AWS::EFS::MountTarget", Gone: "what mounts the file system there reaches it no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-eks-accessentry.html
	{Name: "AWS::EKS::AccessEntry", Gone: "who came in by it is let in no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-eks-cluster.html
	{Name: "AWS::EKS::Cluster", HoldsData: true, CustomName: "Name", Settings: []Setting{
		{"DeletionProtection", "true", "", "is no longer protected from deletion", Locks},
		{"ResourcesVpcConfig.EndpointPublicAccess", "!true", "true", "answers on a public address", Opens},
		{"Logging.ClusterLogging.EnabledTypes", "set", "", "no longer logs what is asked of it", Guards},
		{"EncryptionConfig", "set", "", "no longer encrypts its secrets with a key of its own", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-eks-nodegroup.html
	{Name: "AWS::EKS::Nodegroup", Gone: "its nodes are drained, and what ran on them must find others", Settings: []Setting{
		{"ScalingConfig.DesiredSize", ">0", "", "has no nodes any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-emr-cluster.html
	{Name: "AWS::EMR::Cluster", HoldsData: true, Settings: []Setting{
		{"Instances.TerminationProtected", "true", "", "is no longer protected from termination", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-cachecluster.html
	{Name: ElastiCacheCacheCluster, HoldsData: true, Snapshots: true, Settings: []Setting{
		{"SnapshotRetentionLimit", ">", "0", "keeps its backups for a shorter time, or makes none any more", Backs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-replicationgroup.html
	{Name: ElastiCacheReplicationGroup, HoldsData: true, Snapshots: true, Settings: []Setting{
		{"SnapshotRetentionLimit", ">", "0", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"AutomaticFailoverEnabled", "true", "false", "has no replica any more that takes over when the primary fails", Guards},
		{"TransitEncryptionMode", "preferred<required", "", "takes connections without TLS", Guards},
		{"TransitEncryptionEnabled", "true", "false", "no longer encrypts what goes to and from it", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-serverlesscache.html
	{Name: ElastiCacheServerlessCache, HoldsData: true, Settings: []Setting{
		{"SnapshotRetentionLimit", ">", "0", "keeps its backups for a shorter time, or makes none any more", Backs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticbeanstalk-environment.html
	{Name: "AWS::ElasticBeanstalk::Environment", Addressed: true, Names: []string{"CNAMEPrefix", "EnvironmentName"}, Gone: "nothing answers at its address any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancing-loadbalancer.html
	{Name: ElasticLoadBalancingLoadBalancer, Charge: Charge{"classic-load-balancer", "a classic load balancer", true}, Addressed: true, Settings: []Setting{
		{"AccessLoggingPolicy.Enabled", "true", "", "no longer logs who calls", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listener.html
	{Name: "AWS::ElasticLoadBalancingV2::Listener", Gone: "nothing answers at its port any more", Settings: []Setting{
		{"SslPolicy", "ELBSecurityPolicy-TLS-1-0-2015-04<ELBSecurityPolicy-2015-05<ELBSecurityPolicy-2016-08<ELBSecurityPolicy-TLS-1-1-2017-01<ELBSecurityPolicy-TLS-1-2-2017-01<ELBSecurityPolicy-TLS-1-2-Ext-2018-06<ELBSecurityPolicy-TLS13-1-2-2021-06<ELBSecurityPolicy-TLS13-1-3-2021-06", "", "lets clients speak an older TLS, or weaker ciphers", Guards},
		{"Protocol", "HTTP<HTTPS", "", "takes requests without TLS", Guards},
		{"Port", "same", "", "answers at another port", Runs},
		{"MutualAuthentication.Mode", "off<passthrough<verify", "off", "no longer asks clients for a certificate", Opens},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listenerrule.html
	{Name: "AWS::ElasticLoadBalancingV2::ListenerRule", Gone: "what it led somewhere follows the other rules"},
	{Name: ElasticLoadBalancingV2LoadBalancer, Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-targetgroup.html
	{Name: "AWS::ElasticLoadBalancingV2::TargetGroup", Settings: []Setting{
		{"HealthCheckEnabled", "true", "", "no longer asks whether its targets are well", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticsearch-domain.html
	{Name: ElasticsearchDomain, HoldsData: true, Policy: Policy{"AccessPolicies", ""}, Settings: []Setting{
		{"DomainEndpointOptions.EnforceHTTPS", "true", "", "takes requests without TLS", Guards},
		{"DomainEndpointOptions.TLSSecurityPolicy", "Policy-Min-TLS-1-0-2019-07<Policy-Min-TLS-1-2-2019-07", "", "lets clients speak an older TLS", Guards},
		{"NodeToNodeEncryptionOptions.Enabled", "true", "", "no longer encrypts what goes between its nodes", Encrypts},
		{"EncryptionAtRestOptions.Enabled", "true", "", "is no longer encrypted", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html
	{Name: EventsArchive, HoldsData: true, Settings: []Setting{
		{"RetentionDays", ">", "", "deletes its events sooner", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html
	{Name: EventsEventBus, CustomName: "Name", Addressed: true, Settings: []Setting{
		{"DeadLetterConfig", "set", "", "has no dead-letter queue any more", Guards},
	}},
	{Name: EventsEventBusPolicy, Policy: Policy{"Statement", "EventBusName"}},
	{Name: EventsRule, Word: "schedule"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-fms-policy.html
	{Name: "AWS::FMS::Policy", Watches: "what it demands is demanded no more", Settings: []Setting{
		{"RemediationEnabled", "true", "", "puts right nothing any more", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-fsx-filesystem.html
	{Name: FSxFileSystem, HoldsData: true, Settings: []Setting{
		{"WindowsConfiguration.AutomaticBackupRetentionDays", ">", "30", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"OntapConfiguration.AutomaticBackupRetentionDays", ">", "30", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"OpenZFSConfiguration.AutomaticBackupRetentionDays", ">", "30", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"LustreConfiguration.AutomaticBackupRetentionDays", ">", "0", "keeps its backups for a shorter time, or makes none any more", Backs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-globalaccelerator-accelerator.html
	{Name: "AWS::GlobalAccelerator::Accelerator", Addressed: true, Settings: []Setting{
		{"Enabled", "true", "true", "takes no traffic any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-glue-datacatalogencryptionsettings.html
	{Name: "AWS::Glue::DataCatalogEncryptionSettings", Watches: "the catalogue is encrypted no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-glue-securityconfiguration.html
	{Name: "AWS::Glue::SecurityConfiguration", Settings: []Setting{
		{"EncryptionConfiguration", "set", "", "no longer encrypts", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-glue-trigger.html
	{Name: "AWS::Glue::Trigger", Settings: []Setting{
		{"StartOnCreation", "true", "", "is not started", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-guardduty-detector.html
	{Name: "AWS::GuardDuty::Detector", Watches: "nobody looks for threats any more", Settings: []Setting{
		{"Enable", "true", "", "looks for threats no more", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-guardduty-filter.html
	{Name: "AWS::GuardDuty::Filter", Settings: []Setting{
		{"Action", "!ARCHIVE", "", "has the findings that it matches put away unseen", Mutes},
	}},
	{Name: HealthLakeFHIRDatastore, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html
	{Name: "AWS::IAM::AccessKey", Addressed: true, Gone: "what signs with it is refused", Unique: true, Settings: []Setting{
		{"Status", "Active", "Active", "lets nobody in any more", Runs},
	}},
	{Name: IAMGroup, Word: "group", CustomName: "GroupName", Rights: HasRights},
	{Name: IAMGroupPolicy, Rights: GivesRights},
	{Name: IAMInstanceProfile, CustomName: "InstanceProfileName"},
	{Name: IAMManagedPolicy, CustomName: "ManagedPolicyName", Rights: GivesRights},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-oidcprovider.html
	{Name: "AWS::IAM::OIDCProvider", Names: []string{"Url"}, Gone: "nobody who signs in through it gets a role any more", Unique: true},
	{Name: IAMPolicy, Rights: GivesRights},
	{Name: IAMRole, Word: "role", CustomName: "RoleName", Rights: HasRights},
	{Name: IAMRolePolicy, Rights: GivesRights},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-samlprovider.html
	{Name: "AWS::IAM::SAMLProvider", Names: []string{"Name"}, Gone: "nobody who signs in through it gets a role any more", Unique: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-user.html
	{Name: IAMUser, Word: "user", CustomName: "UserName", Rights: HasRights, Names: []string{"UserName"}, Gone: "its access keys and its password are gone with it", Unique: true},
	{Name: IAMUserPolicy, Rights: GivesRights},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-certificate.html
	{Name: "AWS::IoT::Certificate", Gone: "the device that has it is let in no more", Unique: true, Settings: []Setting{
		{"Status", "ACTIVE", "", "lets its device in no more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-rolealias.html
	{Name: "AWS::IoT::RoleAlias", Names: []string{"RoleAlias"}, Gone: "devices get no credentials by it any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-thing.html
	{Name: "AWS::IoT::Thing", Names: []string{"ThingName"}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-topicrule.html
	{Name: "AWS::IoT::TopicRule", Settings: []Setting{
		{"TopicRulePayload.RuleDisabled", "!true", "", "does nothing any more", Runs},
		{"TopicRulePayload.ErrorAction", "set", "", "does nothing any more with what fails", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-alias.html
	{Name: KMSAlias, CustomName: "AliasName", Names: []string{"AliasName"}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
	{Name: KMSKey, HoldsData: true, Policy: Policy{"KeyPolicy", ""}, Charge: Charge{"kms-key", "a key", false}, Settings: []Setting{
		{"EnableKeyRotation", "true", "", "is no longer rotated", Guards},
		{"Enabled", "true", "true", "is disabled: what it encrypts can be neither read nor written", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-replicakey.html
	{Name: KMSReplicaKey, Charge: Charge{"kms-key", "a key", false}, Settings: []Setting{
		{"Enabled", "true", "true", "is disabled: what it encrypts can be neither read nor written", Runs},
	}},
	{Name: KinesisResourcePolicy, Policy: Policy{"ResourcePolicy", ""}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kinesis-stream.html
	{Name: KinesisStream, HoldsData: true, Retention: Retention{"RetentionPeriodHours", "records", "hours", 24}, CustomName: "Name", Settings: []Setting{
		{"StreamEncryption", "set", "", "is no longer encrypted with a key of its own", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kinesisfirehose-deliverystream.html
	{Name: "AWS::KinesisFirehose::DeliveryStream", CustomName: "DeliveryStreamName", Names: []string{"DeliveryStreamName"}, Settings: []Setting{
		{"DeliveryStreamEncryptionConfigurationInput", "set", "", "is no longer encrypted with a key of its own", Encrypts},
	}},
	{Name: KinesisVideoStream, HoldsData: true},
	{Name: LambdaAlias, Addressed: true, Wiring: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-codesigningconfig.html
	{Name: "AWS::Lambda::CodeSigningConfig", Settings: []Setting{
		{"CodeSigningPolicies.UntrustedArtifactOnDeployment", "Warn<Enforce", "Warn", "takes code that nobody signed, with a warning", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html
	{Name: "AWS::Lambda::EventInvokeConfig", Settings: []Setting{
		{"DestinationConfig.OnFailure", "set", "", "has no place any more for what fails", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
	{Name: LambdaEventSourceMapping, Wiring: true, Settings: []Setting{
		{"Enabled", "true", "true", "is switched off: the function gets nothing from it any more", Runs},
		{"DestinationConfig.OnFailure", "set", "", "has no place any more for what always fails", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
	{Name: LambdaFunction, CustomName: "FunctionName", ARN: "lambda:${AWS::Region}:${AWS::AccountId}:function:", Addressed: true, Settings: []Setting{
		{"ReservedConcurrentExecutions", ">0", "", "may not run any more: its reserved concurrency is 0", Runs},
		{"DeadLetterConfig", "set", "", "has no dead-letter queue any more: events that fail are lost", Guards},
		{"CodeSigningConfigArn", "set", "", "takes code that nobody signed", Guards},
	}},
	{Name: LambdaPermission, Wiring: true},
	{Name: LambdaUrl, Addressed: true},
	{Name: LambdaVersion, Wiring: true},
	{Name: LightsailBucket, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lightsail-container.html
	{Name: "AWS::Lightsail::Container", Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lightsail-database.html
	{Name: LightsailDatabase, HoldsData: true, Settings: []Setting{
		{"BackupRetention", "true", "", "is backed up no more", Guards},
	}},
	{Name: LightsailDisk, HoldsData: true},
	{Name: LightsailInstance, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lightsail-staticip.html
	{Name: "AWS::Lightsail::StaticIp", Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
	{Name: LogsLogGroup, Word: "log group", Retention: Retention{"RetentionInDays", "events", "days", 0}, CustomName: "LogGroupName", Settings: []Setting{
		{"KmsKeyId", "set", "", "is no longer encrypted with a key of its own", Encrypts},
		{"DataProtectionPolicy", "set", "", "no longer hides sensitive data", Guards},
		{"DeletionProtectionEnabled", "true", "", "is no longer protected from deletion", Locks},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-metricfilter.html
	{Name: "AWS::Logs::MetricFilter", Watches: "what alarms count by it is counted no more"},
	{Name: LogsResourcePolicy, Policy: Policy{"PolicyDocument", ""}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-subscriptionfilter.html
	{Name: "AWS::Logs::SubscriptionFilter", Watches: "what reads the log through it gets nothing any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-msk-cluster.html
	{Name: MSKCluster, HoldsData: true, Settings: []Setting{
		{"EncryptionInfo.EncryptionInTransit.ClientBroker", "PLAINTEXT<TLS_PLAINTEXT<TLS", "TLS", "takes connections without TLS", Guards},
		{"ClientAuthentication.Unauthenticated.Enabled", "!true", "", "lets clients in that do not say who they are", Opens},
	}},
	{Name: MSKServerlessCluster, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-mwaa-environment.html
	{Name: "AWS::MWAA::Environment", Addressed: true, Names: []string{"Name"}, Settings: []Setting{
		{"WebserverAccessMode", "PUBLIC_ONLY<PRIVATE_ONLY", "PRIVATE_ONLY", "has a web page on a public address", Opens},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-macie-session.html
	{Name: "AWS::Macie::Session", Watches: "nobody looks for sensitive data any more", Settings: []Setting{
		{"Status", "ENABLED", "ENABLED", "looks for sensitive data no more", Guards},
	}},
	{Name: MediaStoreContainer, HoldsData: true, Policy: Policy{"Policy", ""}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-memorydb-cluster.html
	{Name: MemoryDBCluster, HoldsData: true, Settings: []Setting{
		{"SnapshotRetentionLimit", ">", "0", "keeps its backups for a shorter time, or makes none any more", Backs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-neptune-dbcluster.html
	{Name: NeptuneDBCluster, HoldsData: true, Snapshots: true, Settings: []Setting{
		{"BackupRetentionPeriod", ">", "1", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"DeletionProtection", "true", "", "is no longer protected from deletion", Locks},
		{"IamAuthEnabled", "true", "", "lets in whoever reaches it, without signing in by IAM", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-neptune-dbinstance.html
	{Name: NeptuneDBInstance, Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-neptunegraph-graph.html
	{Name: NeptuneGraphGraph, HoldsData: true, Settings: []Setting{
		{"DeletionProtection", "true", "", "is no longer protected from deletion", Locks},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-networkfirewall-firewall.html
	{Name: "AWS::NetworkFirewall::Firewall", Watches: "what went through it is looked at no more", Settings: []Setting{
		{"DeleteProtection", "true", "", "is no longer protected from deletion", Locks},
		{"FirewallPolicyChangeProtection", "true", "", "may get another policy", Guards},
		{"SubnetChangeProtection", "true", "", "may be taken out of its subnets", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-networkfirewall-loggingconfiguration.html
	{Name: "AWS::NetworkFirewall::LoggingConfiguration", Watches: "the firewall logs nothing any more"},
	{Name: OpenSearchServerlessCollection, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-opensearchservice-domain.html
	{Name: OpenSearchServiceDomain, HoldsData: true, Policy: Policy{"AccessPolicies", ""}, Settings: []Setting{
		{"DomainEndpointOptions.EnforceHTTPS", "true", "", "takes requests without TLS", Guards},
		{"DomainEndpointOptions.TLSSecurityPolicy", "Policy-Min-TLS-1-0-2019-07<Policy-Min-TLS-1-2-2019-07<Policy-Min-TLS-1-2-PFS-2023-10", "", "lets clients speak an older TLS", Guards},
		{"AdvancedSecurityOptions.Enabled", "true", "", "no longer asks who may see which documents", Guards},
		{"NodeToNodeEncryptionOptions.Enabled", "true", "", "no longer encrypts what goes between its nodes", Encrypts},
		{"EncryptionAtRestOptions.Enabled", "true", "", "is no longer encrypted", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-organizations-policy.html
	{Name: "AWS::Organizations::Policy", Watches: "what it forbade is forbidden no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-pipes-pipe.html
	{Name: "AWS::Pipes::Pipe", Settings: []Setting{
		{"DesiredState", "RUNNING", "RUNNING", "is stopped: nothing passes it any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-qldb-ledger.html
	{Name: QLDBLedger, HoldsData: true, Settings: []Setting{
		{"DeletionProtection", "true", "true", "is no longer protected from deletion", Locks},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html
	{Name: RDSDBCluster, HoldsData: true, CustomName: "DBClusterIdentifier", PublicAddress: "PubliclyAccessible", Snapshots: true, Settings: []Setting{
		{"BackupRetentionPeriod", ">", "1", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"DeletionProtection", "true", "", "is no longer protected from deletion", Locks},
		{"EnableIAMDatabaseAuthentication", "true", "", "no longer lets in who signs in by IAM", Runs},
		{"EnableHttpEndpoint", "true", "", "no longer answers the Data API", Runs},
		{"EnableCloudwatchLogsExports", "set", "", "no longer sends its logs to CloudWatch", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html
	{Name: RDSDBInstance, HoldsData: true, CustomName: "DBInstanceIdentifier", PublicAddress: "PubliclyAccessible", HeldBy: "DBClusterIdentifier", Snapshots: true, Settings: []Setting{
		{"BackupRetentionPeriod", ">", "1", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"DeletionProtection", "true", "", "is no longer protected from deletion", Locks},
		{"MultiAZ", "true", "", "has no second instance any more that takes over when its zone fails", Guards},
		{"EnableIAMDatabaseAuthentication", "true", "", "no longer lets in who signs in by IAM", Runs},
		{"EnableCloudwatchLogsExports", "set", "", "no longer sends its logs to CloudWatch", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbproxy.html
	{Name: "AWS::RDS::DBProxy", Addressed: true, Settings: []Setting{
		{"RequireTLS", "true", "", "takes connections without TLS", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-globalcluster.html
	{Name: RDSGlobalCluster, HoldsData: true, Settings: []Setting{
		{"DeletionProtection", "true", "", "is no longer protected from deletion", Locks},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-redshift-cluster.html
	{Name: RedshiftCluster, HoldsData: true, PublicAddress: "PubliclyAccessible", Snapshots: true, Settings: []Setting{
		{"AutomatedSnapshotRetentionPeriod", ">", "1", "keeps its backups for a shorter time, or makes none any more", Backs},
		{"LoggingProperties", "set", "", "no longer logs who does what", Guards},
		{"Encrypted", "true", "", "is no longer encrypted", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-redshiftserverless-namespace.html
	{Name: RedshiftServerlessNamespace, HoldsData: true, Settings: []Setting{
		{"LogExports", "set", "", "no longer sends its logs to CloudWatch", Guards},
	}},
	{Name: RedshiftServerlessWorkgroup, PublicAddress: "PubliclyAccessible"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rolesanywhere-profile.html
	{Name: "AWS::RolesAnywhere::Profile", Settings: []Setting{
		{"Enabled", "true", "", "lets nobody in any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rolesanywhere-trustanchor.html
	{Name: "AWS::RolesAnywhere::TrustAnchor", Gone: "nobody whose certificate it vouched for is let in any more", Unique: true, Settings: []Setting{
		{"Enabled", "true", "", "lets nobody in any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-dnssec.html
	{Name: "AWS::Route53::DNSSEC", Watches: "the zone signs its answers no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-healthcheck.html
	{Name: "AWS::Route53::HealthCheck", Watches: "nobody asks any more whether what it watched is well", Settings: []Setting{
		{"HealthCheckConfig.Disabled", "!true", "", "takes what it watches for well, always", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-hostedzone.html
	{Name: Route53HostedZone, Charge: Charge{"hosted-zone", "a hosted zone", false}, Names: []string{"Name"}, Gone: "the names in it are answered no more", Unique: true, Settings: []Setting{
		{"QueryLoggingConfig", "set", "", "no longer logs what it is asked", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-recordset.html
	{Name: Route53RecordSet, Names: []string{"Name"}, Gone: "the name is answered no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-recordsetgroup.html
	{Name: "AWS::Route53::RecordSetGroup", Gone: "its names are answered no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-accesspoint.html
	{Name: S3AccessPoint, Policy: Policy{"Policy", ""}, Names: []string{"Name"}, Settings: []Setting{
		{"PublicAccessBlockConfiguration.BlockPublicPolicy", "true", "true", "takes policies that let everyone in", Guards},
		{"VpcConfiguration", "set", "", "answers from the internet, no longer in its VPC alone", Opens},
		{"VpcConfiguration", "!set", "", "answers nobody outside of its VPC any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
	{Name: S3Bucket, Word: "bucket", HoldsData: true, CustomName: "BucketName", ARN: "s3:::", Parts: []Part{{"/*", "the objects"}}, Settings: []Setting{
		{"BucketEncryption", "set", "", "is no longer encrypted with a key of its own", Encrypts},
		{"LoggingConfiguration", "set", "", "no longer logs who reads and writes it", Guards},
		{"ObjectLockConfiguration", "set", "", "no longer locks its objects against deletion", Guards},
		{"ReplicationConfiguration", "set", "", "is no longer copied to another bucket", Guards},
	}},
	{Name: S3BucketPolicy, Policy: Policy{"PolicyDocument", "Bucket"}},
	{Name: S3ExpressDirectoryBucket, HoldsData: true},
	{Name: S3OutpostsBucket, HoldsData: true},
	{Name: S3TablesTable, HoldsData: true},
	{Name: S3TablesTableBucket, HoldsData: true},
	{Name: S3VectorsIndex, HoldsData: true},
	{Name: S3VectorsVectorBucket, HoldsData: true},
	{Name: SDBDomain, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ses-configurationset.html
	{Name: "AWS::SES::ConfigurationSet", Names: []string{"Name"}, Settings: []Setting{
		{"DeliveryOptions.TlsPolicy", "OPTIONAL<REQUIRE", "OPTIONAL", "sends mail without TLS", Guards},
		{"SendingOptions.SendingEnabled", "true", "true", "sends no mail any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ses-emailidentity.html
	{Name: "AWS::SES::EmailIdentity", Names: []string{"EmailIdentity"}, Gone: "no mail is sent from it any more", Settings: []Setting{
		{"DkimAttributes.SigningEnabled", "true", "true", "no longer signs its mail", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ses-receiptrule.html
	{Name: "AWS::SES::ReceiptRule", Gone: "mail for it is dealt with no more", Settings: []Setting{
		{"Rule.Enabled", "true", "", "takes no mail any more", Runs},
		{"Rule.TlsPolicy", "Optional<Require", "Optional", "takes mail without TLS", Guards},
		{"Rule.ScanEnabled", "true", "", "no longer looks for viruses and spam", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html
	{Name: SNSSubscription, Wiring: true, Settings: []Setting{
		{"RedrivePolicy", "set", "", "has no dead-letter queue any more: what cannot be delivered is lost", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html
	{Name: SNSTopic, Word: "topic", CustomName: "TopicName", Addressed: true, Settings: []Setting{
		{"KmsMasterKeyId", "set", "", "is no longer encrypted with a key of its own", Encrypts},
		{"DataProtectionPolicy", "set", "", "no longer hides or refuses sensitive data", Guards},
	}},
	{Name: SNSTopicInlinePolicy, Policy: Policy{"PolicyDocument", "TopicArn"}},
	{Name: SNSTopicPolicy, Wiring: true, Policy: Policy{"PolicyDocument", "Topics"}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
	{Name: SQSQueue, Word: "queue", HoldsData: true, Retention: Retention{"MessageRetentionPeriod", "messages", "seconds", 345_600}, CustomName: "QueueName", Settings: []Setting{
		{"RedrivePolicy", "set", "", "has no dead-letter queue any more: what always fails is tried until it expires, and lost", Guards},
		{"SqsManagedSseEnabled", "true", "true", "is no longer encrypted with a key of its own", Encrypts},
		{"KmsMasterKeyId", "set", "", "is no longer encrypted with a key of its own", Encrypts},
	}},
	{Name: SQSQueueInlinePolicy, Policy: Policy{"PolicyDocument", "Queue"}},
	{Name: SQSQueuePolicy, Wiring: true, Policy: Policy{"PolicyDocument", "Queues"}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-association.html
	{Name: "AWS::SSM::Association", Watches: "what it kept in order is left to itself"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-maintenancewindow.html
	{Name: "AWS::SSM::MaintenanceWindow", Settings: []Setting{
		{"Enabled", "true", "", "does nothing any more", Runs},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html
	{Name: SSMParameter, CustomName: "Name", Wiring: true, Names: []string{"Name"}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-patchbaseline.html
	{Name: "AWS::SSM::PatchBaseline", Watches: "what it patched follows another baseline, or none"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sso-assignment.html
	{Name: "AWS::SSO::Assignment", Gone: "who had it is let in no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sso-permissionset.html
	{Name: "AWS::SSO::PermissionSet", Gone: "who had it is let in no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-endpoint.html
	{Name: "AWS::SageMaker::Endpoint", Names: []string{"EndpointName"}, Gone: "what asks the model gets no answer any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-notebookinstance.html
	{Name: "AWS::SageMaker::NotebookInstance", HoldsData: true, Settings: []Setting{
		{"RootAccess", "!Enabled", "Enabled", "gives its users root", Grants},
		{"DirectInternetAccess", "!Enabled", "Enabled", "reaches the internet past the VPC", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html
	{Name: SchedulerSchedule, Word: "schedule", Settings: []Setting{
		{"Target.DeadLetterConfig", "set", "", "has no dead-letter queue any more: runs that fail are lost", Guards},
	}},
	{Name: SchedulerScheduleGroup, CustomName: "Name"},
	{Name: SecretsManagerResourcePolicy, Policy: Policy{"ResourcePolicy", "SecretId"}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-rotationschedule.html
	{Name: "AWS::SecretsManager::RotationSchedule", Watches: "the secret is changed by itself no more", Settings: []Setting{
		{"RotationRules", "set", "", "no longer says when the secret is changed", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
	{Name: SecretsManagerSecret, HoldsData: true, CustomName: "Name", Settings: []Setting{
		{"KmsKeyId", "set", "", "is no longer encrypted with a key of its own", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-securityhub-automationrule.html
	{Name: "AWS::SecurityHub::AutomationRule", Settings: []Setting{
		{"Actions.*.FindingFieldsUpdate.Workflow.Status", "!SUPPRESSED", "", "has the findings that it matches put away unseen", Mutes},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-securityhub-hub.html
	{Name: "AWS::SecurityHub::Hub", Watches: "nobody collects findings any more"},
	{Name: ServerlessSimpleTable, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-servicediscovery-httpnamespace.html
	{Name: "AWS::ServiceDiscovery::HttpNamespace", Names: []string{"Name"}, Gone: "the names in it are answered no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-servicediscovery-privatednsnamespace.html
	{Name: "AWS::ServiceDiscovery::PrivateDnsNamespace", Names: []string{"Name"}, Gone: "the names in it are answered no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-servicediscovery-publicdnsnamespace.html
	{Name: "AWS::ServiceDiscovery::PublicDnsNamespace", Names: []string{"Name"}, Gone: "the names in it are answered no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-servicediscovery-service.html
	{Name: "AWS::ServiceDiscovery::Service", Names: []string{"Name"}, Gone: "the name is answered no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-shield-protection.html
	{Name: "AWS::Shield::Protection", Watches: "nobody fends off floods any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-activity.html
	{Name: "AWS::StepFunctions::Activity", Addressed: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
	{Name: StepFunctionsStateMachine, CustomName: "StateMachineName", Addressed: true, Settings: []Setting{
		{"LoggingConfiguration.Level", "OFF<FATAL<ERROR<ALL", "OFF", "logs less of its executions", Guards},
		{"EncryptionConfiguration.Type", "AWS_OWNED_KEY<CUSTOMER_MANAGED_KMS_KEY", "AWS_OWNED_KEY", "is no longer encrypted with a key of its own", Encrypts},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-synthetics-canary.html
	{Name: "AWS::Synthetics::Canary", Watches: "nobody tries any more whether the service works"},
	{Name: TimestreamDatabase, HoldsData: true},
	{Name: TimestreamInfluxDBInstance, HoldsData: true},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-timestream-table.html
	{Name: TimestreamTable, HoldsData: true, Settings: []Setting{
		{"MagneticStoreWriteProperties.EnableMagneticStoreWrites", "true", "", "no longer takes what comes late", Runs},
		{"RetentionProperties.MagneticStoreRetentionPeriodInDays", ">", "", "deletes its records sooner", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-transfer-server.html
	{Name: "AWS::Transfer::Server", Addressed: true, Settings: []Setting{
		{"SecurityPolicyName", "same", "", "has other ciphers and key exchanges", Guards},
		{"LoggingRole", "set", "", "no longer logs who does what", Guards},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-transfer-user.html
	{Name: "AWS::Transfer::User", Names: []string{"UserName"}, Gone: "the user is let in no more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-waf-webacl.html
	{Name: "AWS::WAF::WebACL", Watches: "what it kept out gets in"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafregional-webaclassociation.html
	{Name: "AWS::WAFRegional::WebACLAssociation", Watches: "nothing keeps out any more what the web firewall did"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-loggingconfiguration.html
	{Name: "AWS::WAFv2::LoggingConfiguration", Watches: "the web firewall logs nothing any more"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webacl.html
	{Name: WAFv2WebACL, Watches: "what it kept out gets in", Settings: []Setting{
		{"DefaultAction.Allow", "!set", "", "lets in what no rule forbids", Opens},
	}},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webaclassociation.html
	{Name: "AWS::WAFv2::WebACLAssociation", Watches: "nothing keeps out any more what the web firewall did"},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-workspaces-workspace.html
	{Name: "AWS::WorkSpaces::Workspace", HoldsData: true},
}
