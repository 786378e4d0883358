package why

// docs begins every page.
const docs = "https://docs.aws.amazon.com/"

// Page is the page of AWS's documentation that says most of a cause; "" = none is
// known that says more than the remedy.
func Page(code string) string {
	if page := pageOf(code); page != "" {
		return docs + page
	}
	return ""
}

func pageOf(code string) string {
	const (
		limits   = "lambda/latest/dg/gettingstarted-limits.html"
		trouble  = "AWSCloudFormation/latest/UserGuide/troubleshooting.html"
		iam      = "IAM/latest/UserGuide/reference_iam-quotas.html"
		denied   = "IAM/latest/UserGuide/troubleshoot_access-denied.html"
		answers  = "AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html"
		custom   = "AWSCloudFormation/latest/UserGuide/template-custom-resources.html"
		updates  = "amazondynamodb/latest/APIReference/API_UpdateTable.html"
		dynamodb = "amazondynamodb/latest/developerguide/ServiceQuotas.html"
	)
	switch code {
	// Of custom resources.
	case "custom-resource-failed", "custom-resource-silent", "custom-resource-function-missing":
		return custom
	case "custom-resource-id", "custom-resource-answer":
		return answers

	// Of functions.
	case "code-size", "code-inline", "code-storage", "memory-size":
		return limits
	case "code-missing", "code-region", "code-denied", "code-unreadable":
		return "lambda/latest/api/API_UpdateFunctionCode.html"
	case "env-size", "env-reserved":
		return "lambda/latest/dg/configuration-envvars.html"
	case "reserved-concurrency":
		return "lambda/latest/dg/configuration-concurrency.html"
	case "version-exists":
		return "lambda/latest/api/API_PublishVersion.html"
	case "runtime-retired", "runtime-unknown":
		return "lambda/latest/dg/lambda-runtimes.html"
	case "queue-visibility":
		return "lambda/latest/dg/services-sqs-configure.html"
	case "event-source-taken":
		return "lambda/latest/api/API_CreateEventSourceMapping.html"
	case "stream-disabled":
		return "lambda/latest/dg/with-ddb.html"
	case "function-busy":
		return "lambda/latest/dg/functions-states.html"
	case "layer-denied", "layer-missing":
		return "lambda/latest/dg/packaging-layers.html"
	case "permission-policy-size":
		return "lambda/latest/dg/access-control-resource-based.html"

	// Of roles and rights.
	case "explicit-deny", "not-authorized", "access-denied", "pass-role":
		return denied
	case "boundary-missing":
		return "IAM/latest/UserGuide/access_policies_boundaries.html"
	case "policies-per-role", "role-policy-size", "roles-quota":
		return iam
	case "role-exists":
		return "IAM/latest/APIReference/API_CreateRole.html"
	case "policy-malformed":
		return "IAM/latest/UserGuide/reference_policies_elements_principal.html"
	case "capabilities":
		return "AWSCloudFormation/latest/UserGuide/using-iam-template.html"

	// Of names.
	case "log-group-exists":
		return "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"
	case "bucket-taken", "bucket-name", "bucket-conflict":
		return "AmazonS3/latest/API/API_CreateBucket.html"
	case "custom-name-replace":
		return "AWSCloudFormation/latest/TemplateReference/aws-properties-name.html"

	// Of buckets and tables.
	case "bucket-policy-blocked":
		return "AmazonS3/latest/userguide/access-control-block-public-access.html"
	case "bucket-not-empty", "dependency-remains", "termination-protected", "rollback-resource-gone", "timeout", "quota", "signal-missing":
		return trouble
	case "index-one-at-a-time", "index-exists", "index-changed", "table-busy":
		return updates
	case "table-throughput", "tables-quota":
		return dynamodb
	case "table-exists", "table-keys-unused":
		return "amazondynamodb/latest/APIReference/API_CreateTable.html"
	case "table-ttl":
		return "amazondynamodb/latest/APIReference/API_TimeToLiveSpecification.html"

	// Of APIs.
	case "api-routes-quota":
		return "apigateway/latest/developerguide/http-api-quotas.html"
	case "api-body":
		return "apigateway/latest/developerguide/http-api-open-api.html"
	case "api-no-methods", "api-stage-deployment":
		return "apigateway/latest/developerguide/how-to-deploy-api.html"

	// Of queues, topics, rules and parameters.
	case "dead-letter-missing":
		return "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"
	case "queue-attribute":
		return "AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"
	case "topic-fifo":
		return "sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html"
	case "subscription-exists":
		return "sns/latest/api/API_Subscribe.html"
	case "schedule-expression":
		return "scheduler/latest/UserGuide/schedule-types.html"
	case "rule-targets":
		return "eventbridge/latest/APIReference/API_DeleteRule.html"
	case "ssm-missing", "secret-missing":
		return "AWSCloudFormation/latest/UserGuide/dynamic-references.html"

	// Of stacks.
	case "attribute-missing":
		return "AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html"
	case "template-format":
		return "AWSCloudFormation/latest/UserGuide/template-formats.html"
	case "transform-failed":
		return "AWSCloudFormation/latest/UserGuide/template-macros-overview.html"
	case "properties-invalid":
		return "AWSCloudFormation/latest/UserGuide/resource-type-schemas.html"
	}
	return ""
}
