package cfn

import (
	"regexp"
	"sync"

	"arc/cfn/registry"
)

// Limit is what AWS takes for one property of a resource, or for how much of
// something a stack, an API or a function may have.
type Limit struct {
	Type     string // resource type; "" = no property of one
	Property string // path of the property: "KeySchema[].AttributeName"; or what is counted
	Unit     string // what Min and Max count: "characters", "items", "levels"; "" = the number itself
	Min, Max int    // Max 0 = none is known
	Pattern  string // of the whole value, as the service's API model has it
	// API is where the model of the service has the same value: service,
	// operation and path, [] standing for the members of a list. "" = only the
	// page has it.
	API  string
	Page string // AWS documentation
	Code string // of the mistake
	Hint string // remedy
}

const (
	apiReference = "https://docs.aws.amazon.com/"

	lambdaCreate   = apiReference + "lambda/latest/api/API_CreateFunction.html"
	dynamoCreate   = apiReference + "amazondynamodb/latest/APIReference/API_CreateTable.html"
	dynamoKey      = apiReference + "amazondynamodb/latest/APIReference/API_KeySchemaElement.html"
	dynamoIndex    = apiReference + "amazondynamodb/latest/APIReference/API_GlobalSecondaryIndex.html"
	dynamoProject  = apiReference + "amazondynamodb/latest/APIReference/API_Projection.html"
	dynamoTTL      = apiReference + "amazondynamodb/latest/APIReference/API_TimeToLiveSpecification.html"
	schedulerPage  = apiReference + "scheduler/latest/APIReference/API_CreateSchedule.html"
	mappingPage    = apiReference + "lambda/latest/api/API_CreateEventSourceMapping.html"
	httpQuotas     = apiReference + "apigateway/latest/developerguide/http-api-quotas.html"
	wsQuotas       = apiReference + "apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"
	stackLimits    = apiReference + "AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
	lambdaLimits   = apiReference + "lambda/latest/dg/gettingstarted-limits.html"
	logGroupPage   = apiReference + "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"
	parameterPage  = apiReference + "systems-manager/latest/userguide/sysman-paramstore-su-create.html"
	functionCDN    = apiReference + "cloudfront/latest/APIReference/API_CreateFunction.html"
	accessCDN      = apiReference + "cloudfront/latest/APIReference/API_OriginAccessControlConfig.html"
	rolePage       = apiReference + "IAM/latest/APIReference/API_CreateRole.html"
	rolePolicyPage = apiReference + "IAM/latest/APIReference/API_AttachRolePolicy.html"
	topicPage      = apiReference + "sns/latest/api/API_SetTopicAttributes.html"
	dynamoLimits   = apiReference + "amazondynamodb/latest/developerguide/ServiceQuotas.html"

	shorten   = "give it a shorter name"
	divideApp = "divide the app into several, each with a manifest of its own"
)

// Limits is the one table of what AWS takes, in the order of docs/limits.md,
// which is written from it. What it says of a property is checked on every
// value of a compiled template that is known before a deploy; what it says of a
// number, where that is counted. The figures are those of the services' own API
// models, as botocore has them, and of the pages named; a test compares.
var Limits = sync.OnceValue(func() []Limit {
	attribute := func(property, api, page string) Limit {
		return Limit{Type: registry.DynamoDBTable, Property: property, Unit: "characters", Min: 1, Max: 255,
			API: api, Page: page, Code: "attribute-name", Hint: "give the attribute a shorter name"}
	}
	return []Limit{
		{Property: "characters of a stack's name", Min: 1, Max: maxStackName, Page: stackLimits, Code: "stack-name"},
		{Property: "resources of a stack", Max: MaxResources, Page: stackLimits, Code: "resource-count"},
		{Property: "parameters of a stack", Max: MaxParameters, Page: stackLimits, Code: "env-count"},
		{Property: "outputs of a stack", Max: MaxOutputs, Page: stackLimits, Code: "output-count"},
		{Property: "characters of a logical ID", Min: 1, Max: MaxLogicalID, Page: stackLimits},
		{Property: "characters of a template's description", Max: maxDescription, Page: stackLimits, Code: "stack-name"},
		{Property: "bytes of a template in a bucket", Max: MaxTemplate, Page: stackLimits},
		{Property: "bytes of a template in a request", Max: MaxInlineTemplate, Page: stackLimits},
		{Property: "integrations of an HTTP API", Max: maxIntegrations, Page: httpQuotas, Code: "integration-count"},
		{Property: "routes of an HTTP API", Max: maxIntegrations, Page: httpQuotas, Code: "integration-count"},
		{Property: "routes of a WebSocket API", Max: maxActions, Page: wsQuotas, Code: "action-count"},
		{Property: "bytes of a function's environment variables, with their names", Max: maxEnvironment, Page: lambdaLimits, Code: "env-size"},
		{Property: "layers of a function", Max: 5, Page: lambdaLimits, Code: "layer-count"},
		{Property: "bytes of a function's code, unzipped", Max: 250 << 20, Page: lambdaLimits, Code: "code-unfit"},
		{Property: "indexes of a table", Max: maxIndexes, Page: dynamoLimits, Code: "index-count"},

		{Type: registry.LambdaFunction, Property: "Handler", Unit: "characters", Max: 128, Pattern: `[^\s]+`,
			API: "lambda CreateFunction Handler", Page: lambdaCreate, Code: "handler-name", Hint: "give the file or the function a shorter name"},
		{Type: registry.LambdaFunction, Property: "Layers[]", Unit: "characters", Min: 1, Max: 140,
			Pattern: `arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+`,
			API:     "lambda CreateFunction Layers.[]", Page: lambdaCreate, Code: "layer-arn",
			Hint: "write the ARN of a layer's version: arn:aws:lambda:us-east-1:123456789012:layer:name:1"},
		{Type: registry.LambdaFunction, Property: "Code.S3Key", Unit: "characters", Min: 1, Max: 1024,
			API: "lambda CreateFunction Code.S3Key", Page: lambdaCreate, Code: "name-length", Hint: shorten},
		{Type: registry.LambdaFunction, Property: "MemorySize", Min: 128, Max: 32768, // the console and @aws stop at 10240
			API: "lambda CreateFunction MemorySize", Page: lambdaCreate, Code: "setting-range", Hint: "write a number in between"},
		{Type: registry.LambdaFunction, Property: "Timeout", Min: 1,
			API: "lambda CreateFunction Timeout", Page: lambdaCreate, Code: "setting-range", Hint: "write a number in between"},
		{Type: registry.LambdaFunction, Property: "EphemeralStorage.Size", Min: 512, Max: 10240,
			API: "lambda CreateFunction EphemeralStorage.Size", Page: lambdaCreate, Code: "setting-range", Hint: "write a number in between"},
		{Type: registry.LambdaEventSourceMapping, Property: "BatchSize", Min: 1, Max: 10000,
			API: "lambda CreateEventSourceMapping BatchSize", Page: mappingPage, Code: "setting-range", Hint: "write a number in between"},
		{Type: registry.LambdaEventSourceMapping, Property: "MaximumBatchingWindowInSeconds", Max: 300,
			API: "lambda CreateEventSourceMapping MaximumBatchingWindowInSeconds", Page: mappingPage, Code: "setting-range", Hint: "write a number in between"},

		attribute("AttributeDefinitions[].AttributeName", "dynamodb CreateTable AttributeDefinitions.[].AttributeName", dynamoCreate),
		attribute("KeySchema[].AttributeName", "dynamodb CreateTable KeySchema.[].AttributeName", dynamoKey),
		{Type: registry.DynamoDBTable, Property: "GlobalSecondaryIndexes[].IndexName", Unit: "characters", Min: 3, Max: 255, Pattern: `[a-zA-Z0-9_.-]+`,
			API: "dynamodb CreateTable GlobalSecondaryIndexes.[].IndexName", Page: dynamoIndex, Code: "index-name",
			Hint: "write name below the index, with 3 to 255 letters, digits, _ . or -"},
		attribute("GlobalSecondaryIndexes[].KeySchema[].AttributeName", "dynamodb CreateTable GlobalSecondaryIndexes.[].KeySchema.[].AttributeName", dynamoKey),
		{Type: registry.DynamoDBTable, Property: "GlobalSecondaryIndexes[].Projection.NonKeyAttributes", Unit: "items", Min: 1, Max: 20,
			API: "dynamodb CreateTable GlobalSecondaryIndexes.[].Projection.NonKeyAttributes", Page: dynamoProject, Code: "projection-count",
			Hint: "write projection all, or fewer attributes"},
		attribute("GlobalSecondaryIndexes[].Projection.NonKeyAttributes[]", "dynamodb CreateTable GlobalSecondaryIndexes.[].Projection.NonKeyAttributes.[]", dynamoProject),
		attribute("TimeToLiveSpecification.AttributeName", "dynamodb UpdateTimeToLive TimeToLiveSpecification.AttributeName", dynamoTTL),

		{Type: registry.SchedulerSchedule, Property: "ScheduleExpression", Unit: "characters", Min: 1, Max: 256,
			API: "scheduler CreateSchedule ScheduleExpression", Page: schedulerPage, Code: "expression-length", Hint: "write a shorter expression, or several schedules"},
		{Type: registry.SchedulerSchedule, Property: "ScheduleExpressionTimezone", Unit: "characters", Min: 1, Max: 50,
			API: "scheduler CreateSchedule ScheduleExpressionTimezone", Page: schedulerPage, Code: "timezone-length", Hint: "write the name of a time zone"},

		{Type: registry.ApiGatewayV2Api, Property: "Name", Unit: "characters", Min: 1, Max: 128,
			Page: apiReference + "apigatewayv2/latest/api-reference/apis.html", Code: "name-length", Hint: shorten},
		{Type: registry.ApiGatewayV2Route, Property: "OperationName", Unit: "characters", Min: 1, Max: 64,
			Page: apiReference + "apigatewayv2/latest/api-reference/apis-apiid-routes.html", Code: "name-length", Hint: shorten},
		{Type: registry.LogsLogGroup, Property: "LogGroupName", Unit: "characters", Min: 1, Max: 512, Pattern: `[\.\-_/#A-Za-z0-9]+`,
			API: "logs CreateLogGroup logGroupName", Page: logGroupPage, Code: "name-length", Hint: shorten},
		{Type: registry.SNSTopic, Property: "DisplayName", Unit: "characters", Max: 100, Page: topicPage, Code: "name-length", Hint: shorten},
		{Type: registry.SSMParameter, Property: "Name", Unit: "characters", Min: 1, Max: 2048,
			API: "ssm PutParameter Name", Page: parameterPage, Code: "name-length", Hint: shorten},
		{Type: registry.SSMParameter, Property: "Name", Unit: "levels", Max: 15, Page: parameterPage, Code: "name-length", Hint: "write fewer slashes in its name"},
		{Type: registry.CloudFrontFunction, Property: "Name", Unit: "characters", Min: 1, Max: 64, Pattern: `[a-zA-Z0-9-_]{1,64}`,
			API: "cloudfront CreateFunction Name", Page: functionCDN, Code: "name-length", Hint: shorten},
		{Type: registry.CloudFrontOriginAccessControl, Property: "OriginAccessControlConfig.Name", Unit: "characters", Min: 1, Max: 64,
			Page: accessCDN, Code: "name-length", Hint: shorten},
		{Type: registry.IAMRole, Property: "Path", Unit: "characters", Min: 1, Max: 512, Pattern: `(\x{002F})|(\x{002F}[\x{0021}-\x{007E}]+\x{002F})`,
			API: "iam CreateRole Path", Page: rolePage, Code: "name-length", Hint: shorten},
		{Type: registry.IAMRole, Property: "ManagedPolicyArns[]", Unit: "characters", Min: 20, Max: 2048,
			API: "iam AttachRolePolicy PolicyArn", Page: rolePolicyPage, Code: "policy-arn", Hint: "write the policy's whole ARN"},
		{Type: registry.IAMRole, Property: "PermissionsBoundary", Unit: "characters", Min: 20, Max: 2048,
			API: "iam CreateRole PermissionsBoundary", Page: rolePage, Code: "policy-arn", Hint: "write the policy's whole ARN"},
		{Type: registry.IAMRole, Property: "Policies[].PolicyName", Unit: "characters", Min: 1, Max: 128, Pattern: `[\w+=,.@-]+`,
			API: "iam PutRolePolicy PolicyName", Page: apiReference + "IAM/latest/APIReference/API_PutRolePolicy.html", Code: "name-length", Hint: shorten},
	}
})

// limitsByType is Limits of properties, ready to be asked.
var limitsByType = sync.OnceValue(func() map[string][]propertyLimit {
	all := map[string][]propertyLimit{}
	for _, l := range Limits() {
		if l.Type == "" {
			continue
		}
		p := propertyLimit{Limit: l, path: pathOf(l.Property)}
		if l.Pattern != "" {
			p.pattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:` + l.Pattern + `)$`) })
		}
		all[l.Type] = append(all[l.Type], p)
	}
	return all
})
