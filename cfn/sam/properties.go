package sam

import (
	"slices"
	"strings"

	"arc/cfn/registry"
)

// properties are those that each SAM type has; "!" marks those that it needs.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-resources-and-properties.html
var properties = map[string]string{
	registry.ServerlessFunction: "FunctionName Handler Runtime CodeUri ImageUri PackageType InlineCode DeadLetterQueue Description MemorySize Timeout " +
		"VpcConfig Role AssumeRolePolicyDocument Policies RolePath PermissionsBoundary Environment Events Tags PropagateTags Tracing KmsKeyArn " +
		"DeploymentPreference ReservedConcurrentExecutions Layers EventInvokeConfig EphemeralStorage AutoPublishAlias AutoPublishCodeSha256 " +
		"AutoPublishAliasAllProperties VersionDescription ProvisionedConcurrencyConfig FileSystemConfigs ImageConfig CodeSigningConfigArn " +
		"Architectures SnapStart FunctionUrlConfig RuntimeManagementConfig LoggingConfig RecursiveLoop SourceKMSKeyArn CapacityProviderConfig " +
		"FunctionScalingConfig VersionDeletionPolicy PublishToLatestPublished TenancyConfig DurableConfig",
	registry.ServerlessHttpApi: "Name StageName Tags DefinitionBody DefinitionUri StageVariables CorsConfiguration AccessLogSettings " +
		"DefaultRouteSettings Auth RouteSettings Domain FailOnWarnings Description DisableExecuteApiEndpoint PropagateTags " + managedBody,
	registry.ServerlessApi: "Name StageName! Tags DefinitionUri DefinitionBody MergeDefinitions CacheClusterEnabled CacheClusterSize Variables " +
		"EndpointConfiguration MethodSettings BinaryMediaTypes MinimumCompressionSize Cors Auth GatewayResponses AccessLogSetting CanarySetting " +
		"TracingEnabled OpenApiVersion Models Domain FailOnWarnings Description Mode DisableExecuteApiEndpoint ApiKeySourceType AlwaysDeploy " +
		"PropagateTags Policy SecurityPolicy EndpointAccessMode " + managedBody,
	registry.ServerlessSimpleTable: "PointInTimeRecoverySpecification PrimaryKey ProvisionedThroughput TableName Tags SSESpecification",
	registry.ServerlessLayerVersion: "LayerName Description ContentUri! CompatibleArchitectures CompatibleRuntimes LicenseInfo RetentionPolicy " +
		"PublishLambdaVersion",
	registry.ServerlessStateMachine: "Definition DefinitionUri Logging Role RolePath DefinitionSubstitutions Events Name Type Tags PropagateTags " +
		"Policies Tracing PermissionsBoundary AutoPublishAlias DeploymentPreference UseAliasAsEventTarget",
	registry.ServerlessConnector:   "Source! Destination! Permissions!",
	registry.ServerlessApplication: "Location! TemplateUrl Parameters NotificationARNs Tags TimeoutInMinutes",
}

// checkProperties reports whether a SAM resource has all that it needs and
// nothing that SAM does not know; the translator refuses it otherwise.
func (x *expander) checkProperties(r object) bool {
	before := len(x.problems)
	known, ok := properties[asText(r["Type"])]
	p, isMap := r["Properties"].(object)
	switch {
	case !ok:
		return true // macro tells that the type is not known
	case !isMap:
		x.fail(x.at+".Properties", "write a map", "Properties is no map")
		return false
	case !isAlphanumeric(x.id):
		x.fail(x.at, "write letters and digits only", "%q is no logical ID", x.id)
	}
	names := strings.Fields(known)
	for _, name := range names {
		if need, ok := strings.CutSuffix(name, "!"); ok && p[need] == nil {
			x.fail(x.property(need), "write it", "the resource needs it")
		}
	}
	for _, name := range sorted(p) {
		if !slices.Contains(names, name) && !slices.Contains(names, name+"!") {
			x.fail(x.property(name), "write it as SAM spells it, or leave it out", "%s has no such property", r["Type"])
		}
	}
	return len(x.problems) == before
}
