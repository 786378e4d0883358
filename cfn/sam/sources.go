package sam

import (
	"strings"

	"arc/cfn/registry"
)

// pullSource is a source that Lambda asks for messages.
type pullSource struct {
	arn     string // the property that names it; "" = none does
	managed string // the managed policy that lets a function read it; "" = none
}

var pullSources = map[string]pullSource{
	"SQS":              {"Queue", "service-role/AWSLambdaSQSQueueExecutionRole"},
	"DynamoDB":         {"Stream", "service-role/AWSLambdaDynamoDBExecutionRole"},
	"Kinesis":          {"Stream", "service-role/AWSLambdaKinesisExecutionRole"},
	"MSK":              {"Stream", "service-role/AWSLambdaMSKExecutionRole"},
	"MQ":               {"Broker", ""},
	"DocumentDB":       {"Cluster", ""},
	"SelfManagedKafka": {"", ""},
}

const pullProperties = "BatchSize StartingPosition StartingPositionTimestamp Enabled MaximumBatchingWindowInSeconds MaximumRetryAttempts " +
	"BisectBatchOnFunctionError MaximumRecordAgeInSeconds DestinationConfig ParallelizationFactor Topics Queues SourceAccessConfigurations " +
	"SecretsManagerKmsKeyId TumblingWindowInSeconds FunctionResponseTypes KafkaBootstrapServers FilterCriteria KmsKeyArn ConsumerGroupId " +
	"ScalingConfig ProvisionedPollerConfig SchemaRegistryConfig MetricsConfig LoggingConfig"

// eventProperties are the properties that each type of event has; "!" marks those
// that it needs.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
var eventProperties = map[string]string{
	"SQS":              pullProperties + " Queue!",
	"DynamoDB":         strings.Replace(pullProperties, "StartingPosition ", "StartingPosition! ", 1) + " Stream!",
	"Kinesis":          strings.Replace(pullProperties, "StartingPosition ", "StartingPosition! ", 1) + " Stream!",
	"MSK":              strings.Replace(pullProperties, "StartingPosition ", "StartingPosition! ", 1) + " Stream!",
	"MQ":               pullProperties + " Broker! DynamicPolicyName",
	"DocumentDB":       pullProperties + " Cluster! DatabaseName! CollectionName FullDocument",
	"SelfManagedKafka": pullProperties,
	"SNS":              "Topic! Region FilterPolicy FilterPolicyScope SqsSubscription RedrivePolicy",
	"Schedule":         "Schedule! RuleName Input Enabled State Name Description DeadLetterConfig RetryPolicy",
	"ScheduleV2": "ScheduleExpression! PermissionsBoundary FlexibleTimeWindow Name State Description StartDate EndDate ScheduleExpressionTimezone " +
		"GroupName KmsKeyArn Input RoleArn DeadLetterConfig RetryPolicy OmitName",
	"EventBridgeRule": "EventBusName RuleName Pattern DeadLetterConfig RetryPolicy Input InputPath Target Enabled State InputTransformer",
	"CloudWatchEvent": "EventBusName RuleName Pattern DeadLetterConfig RetryPolicy Input InputPath Target Enabled State InputTransformer",
	"S3":              "Bucket! Events! Filter",
	"Cognito":         "UserPool! Trigger!",
	"CloudWatchLogs":  "LogGroupName! FilterPattern!",
	"AlexaSkill":      "SkillId",
	"IoTRule":         "Sql! AwsIotSqlVersion",
	"HttpApi":         "Path Method ApiId Stage Auth TimeoutInMillis RouteSettings PayloadFormatVersion",
	"Api":             "Path! Method! RestApiId! Stage Auth RequestModel RequestParameters TimeoutInMillis ResponseTransferMode",
}

// filtering are the types of sources whose messages Lambda filters.
var filtering = map[string]bool{"DocumentDB": true, "DynamoDB": true, "Kinesis": true, "MQ": true, "MSK": true, "SelfManagedKafka": true, "SQS": true}

// pull makes the mapping of a source that Lambda asks for messages.
func (x *expander) pull(typ string, source pullSource, e event, to target, r *role) {
	p := e.properties
	mapping := object{"FunctionName": to.name}
	if source.arn != "" {
		mapping["EventSourceArn"] = p[source.arn]
	}
	pass(mapping, p, "StartingPosition", "StartingPositionTimestamp", "BatchSize", "Enabled", "MaximumBatchingWindowInSeconds",
		"MaximumRetryAttempts", "BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds", "ParallelizationFactor", "Topics", "Queues",
		"SourceAccessConfigurations", "TumblingWindowInSeconds", "FunctionResponseTypes", "FilterCriteria", "KmsKeyArn", "ScalingConfig",
		"ProvisionedPollerConfig", "MetricsConfig", "LoggingConfig")
	if given(p["KafkaBootstrapServers"]) {
		mapping["SelfManagedEventSource"] = object{"Endpoints": object{"KafkaBootstrapServers": p["KafkaBootstrapServers"]}}
	}
	x.kafka(typ, e, mapping)
	if criteria := asObject(p["FilterCriteria"]); len(criteria) > 0 && !intrinsic(criteria) {
		x.checkFilter(e, criteria)
	}
	var policy any
	if given(p["DestinationConfig"]) {
		mapping["DestinationConfig"], policy = x.failureDestination(e)
	}
	if typ == "DocumentDB" {
		config := object{"DatabaseName": p["DatabaseName"]}
		for _, key := range []string{"CollectionName", "FullDocument"} {
			if given(p[key]) {
				config[key] = p[key]
			}
		}
		mapping["DocumentDBEventSourceConfig"] = config
	}
	x.emit(e.id, registry.LambdaEventSourceMapping, mapping, to.attributes)
	if source.managed != "" {
		r.addManaged(managedARN(source.managed))
	}
	if own := x.sourcePolicy(typ, e); own != nil {
		r.addInline(own)
	}
	if policy != nil {
		r.addInline(policy)
	}
}

func (x *expander) checkFilter(e event, criteria object) {
	for _, key := range sorted(criteria) {
		if key != "Filters" {
			x.fail(e.path+".Properties.FilterCriteria."+key, "write Filters", "FilterCriteria has no such property")
		}
	}
}

func (x *expander) kafka(typ string, e event, mapping object) {
	config := object{}
	if given(e.properties["ConsumerGroupId"]) {
		config["ConsumerGroupId"] = e.properties["ConsumerGroupId"]
	}
	if given(e.properties["SchemaRegistryConfig"]) {
		config["SchemaRegistryConfig"] = e.properties["SchemaRegistryConfig"]
	}
	if len(config) == 0 {
		return
	}
	switch typ {
	case "MSK":
		mapping["AmazonManagedKafkaEventSourceConfig"] = config
	case "SelfManagedKafka":
		mapping["SelfManagedKafkaEventSourceConfig"] = config
	default:
		x.fail(e.path+".Properties", "leave ConsumerGroupId and SchemaRegistryConfig out", "they are for Kafka alone")
	}
}

// failureDestination gives where a mapping sends what failed, without SAM's Type,
// and the right to send it there that comes with Type.
func (x *expander) failureDestination(e event) (config, policy any) {
	destination := cloneObject(asObject(e.properties["DestinationConfig"]))
	failure := asObject(destination["OnFailure"])
	path := e.path + ".Properties.DestinationConfig.OnFailure"
	if failure == nil {
		x.fail(path, "write a map with Destination", "it is no map")
		return destination, nil
	}
	if typ := failure["Type"]; given(typ) {
		delete(failure, "Type")
		switch typ {
		case "SQS", "SNS", "S3":
			policy = destinationPolicy(asText(typ), failure["Destination"], e.id)
		case "Kafka":
		default:
			x.fail(path+".Type", "write SQS, SNS, S3 or Kafka", "it is of no type that SAM knows")
		}
	}
	return destination, policy
}

// sourcePolicy is the policy with which a function reads a source that has no
// managed one, or that is behind a secret.
func (x *expander) sourcePolicy(typ string, e event) any {
	p := e.properties
	secret := func(uri any) object {
		return object{"Action": []any{"secretsmanager:GetSecretValue"}, "Effect": "Allow", "Resource": uri}
	}
	grant := func(resource any, actions ...any) object {
		return object{"Action": actions, "Effect": "Allow", "Resource": resource}
	}
	network := []any{"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"}
	key := sub("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/"+asText(p["SecretsManagerKmsKeyId"]), nil)
	var statements []any
	switch typ {
	case "MQ":
		name := "SamAutoGeneratedAMQPolicy"
		if p["DynamicPolicyName"] == true {
			name = e.id + "AMQPolicy"
		}
		statements = []any{secret(x.accessURI(e, "BASIC_AUTH")), grant(p["Broker"], "mq:DescribeBroker")}
		if given(p["SecretsManagerKmsKeyId"]) {
			statements = append(statements, object{"Action": "kms:Decrypt", "Effect": "Allow", "Resource": key})
		}
		return object{"PolicyName": name, "PolicyDocument": object{"Statement": statements}}
	case "DocumentDB":
		statements = []any{
			secret(x.accessURI(e, "BASIC_AUTH")),
			grant(sub("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster-pg:*", nil), "rds:DescribeDBClusterParameters"),
			grant(sub("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:subgrp:*", nil), "rds:DescribeDBSubnetGroups"),
			grant(p["Cluster"], "rds:DescribeDBClusters"),
			grant("*", network...),
		}
		if given(p["SecretsManagerKmsKeyId"]) {
			statements = append(statements, grant(key, "kms:Decrypt"))
		}
		return object{"PolicyName": "SamAutoGeneratedDocumentDBPolicy", "PolicyDocument": object{"Statement": statements}}
	case "MSK":
		if given(p["SchemaRegistryConfig"]) {
			x.fail(e.path+".Properties.SchemaRegistryConfig", "write the mapping as a resource of its own", "schema registries are not expanded here")
		}
		for _, c := range asList(p["SourceAccessConfigurations"]) {
			if m := asObject(c); m["Type"] == any("CLIENT_CERTIFICATE_TLS_AUTH") && given(m["URI"]) {
				statements = append(statements, secret(m["URI"]))
			}
		}
		if statements != nil {
			return object{"PolicyName": "MSKExecutionRolePolicy", "PolicyDocument": object{"Statement": statements}}
		}
	case "SelfManagedKafka":
		if given(p["SchemaRegistryConfig"]) {
			x.fail(e.path+".Properties.SchemaRegistryConfig", "write the mapping as a resource of its own", "schema registries are not expanded here")
		}
		if !given(p["KafkaBootstrapServers"]) || len(asList(p["Topics"])) != 1 || !given(p["SourceAccessConfigurations"]) {
			x.fail(e.path+".Properties", "write KafkaBootstrapServers, one of Topics, and SourceAccessConfigurations", "the source is not complete")
		}
		statements = []any{}
		inVPC, root := false, false
		var uri any
		for _, c := range asList(p["SourceAccessConfigurations"]) {
			switch m := asObject(c); m["Type"] {
			case "SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH", "BASIC_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH":
				uri = m["URI"]
			case "SERVER_ROOT_CA_CERTIFICATE":
				root = true
			case "VPC_SUBNET", "VPC_SECURITY_GROUP":
				inVPC = true
			default:
				x.fail(e.path+".Properties.SourceAccessConfigurations", "see Lambda's list of them", "there is no access of type %v", m["Type"])
			}
		}
		if uri != nil {
			statements = append(statements, secret(uri))
		}
		if root {
			statements = append(statements, secret(uri)) // the translator names the same secret twice
		}
		if inVPC {
			statements = append(statements, grant("*", network...))
		}
		if given(p["SecretsManagerKmsKeyId"]) {
			statements = append(statements, grant(key, "kms:Decrypt"))
		}
		return object{"PolicyName": "SelfManagedKafkaExecutionRolePolicy", "PolicyDocument": object{"Version": "2012-10-17", "Statement": statements}}
	}
	return nil
}

// accessURI is the secret with which a source lets a function in.
func (x *expander) accessURI(e event, typ string) any {
	for _, c := range asList(e.properties["SourceAccessConfigurations"]) {
		if m := asObject(c); m["Type"] == any(typ) && given(m["URI"]) {
			return m["URI"]
		}
	}
	x.fail(e.path+".Properties.SourceAccessConfigurations", "write the URI of a secret of type "+typ, "the source has no %s", typ)
	return nil
}

// scheduleV2 makes a schedule of EventBridge Scheduler, and the role with which
// it invokes the function.
func (x *expander) scheduleV2(e event, to target) {
	invoke := object{"PolicyName": e.id + "LambdaPolicy", "PolicyDocument": object{"Statement": []any{
		object{"Action": "lambda:InvokeFunction", "Effect": "Allow", "Resource": to.arn},
	}}}
	x.schedulerSchedule(e, to.arn, invoke, to.attributes)
}

func (x *expander) schedulerSchedule(e event, arn, invoke any, attributes object) {
	p := e.properties
	schedule := object{"ScheduleExpression": p["ScheduleExpression"], "FlexibleTimeWindow": object{"Mode": "OFF"}}
	if given(p["FlexibleTimeWindow"]) {
		schedule["FlexibleTimeWindow"] = p["FlexibleTimeWindow"]
	}
	if given(p["State"]) {
		schedule["State"] = p["State"]
	}
	pass(schedule, p, "Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName", "KmsKeyArn")
	switch {
	case p["OmitName"] == true && given(p["Name"]):
		x.fail(e.path+".Properties.Name", "leave one of them out", "OmitName is written, too")
	case p["OmitName"] == true:
	case given(p["Name"]):
		schedule["Name"] = p["Name"]
	default:
		schedule["Name"] = e.id
	}
	entry := object{"Arn": arn}
	pass(entry, p, "Input", "RetryPolicy")
	var dead any
	if p["DeadLetterConfig"] != nil {
		dead = x.ruleDeadLetters(e, nil, attributes)
		entry["DeadLetterConfig"] = object{"Arn": dead}
	}
	entry["RoleArn"] = p["RoleArn"]
	if !given(p["RoleArn"]) {
		policies := []any{invoke}
		if dead != nil {
			policies = append(policies, destinationPolicy("SQS", dead, e.id))
		}
		role := object{"AssumeRolePolicyDocument": assumeRole("scheduler.amazonaws.com"), "Policies": policies}
		if given(p["PermissionsBoundary"]) {
			role["PermissionsBoundary"] = p["PermissionsBoundary"]
		}
		x.emit(e.id+"Role", registry.IAMRole, role, attributes)
		entry["RoleArn"] = getAtt(e.id+"Role", "Arn")
	}
	schedule["Target"] = entry
	x.emit(e.id, registry.SchedulerSchedule, schedule, attributes)
}
