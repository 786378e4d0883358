package sam

import (
	"slices"
	"strings"

	"arc/cfn/registry"
)

// globalProperties are those that the section Globals may give to all resources
// of a type.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
var globalProperties = map[string]string{
	"Function": "Handler Runtime CodeUri DeadLetterQueue Description MemorySize Timeout VpcConfig Environment Tags PropagateTags Tracing KmsKeyArn " +
		"AutoPublishAlias AutoPublishAliasAllProperties Layers DeploymentPreference RolePath PermissionsBoundary ReservedConcurrentExecutions " +
		"ProvisionedConcurrencyConfig AssumeRolePolicyDocument EventInvokeConfig FileSystemConfigs CodeSigningConfigArn Architectures SnapStart " +
		"EphemeralStorage FunctionUrlConfig RuntimeManagementConfig LoggingConfig RecursiveLoop SourceKMSKeyArn TenancyConfig DurableConfig " +
		"CapacityProviderConfig FunctionScalingConfig PublishToLatestPublished VersionDeletionPolicy",
	"Api": "Auth Name DefinitionUri CacheClusterEnabled CacheClusterSize MergeDefinitions Variables EndpointConfiguration MethodSettings " +
		"BinaryMediaTypes MinimumCompressionSize Cors GatewayResponses AccessLogSetting CanarySetting TracingEnabled OpenApiVersion Domain " +
		"AlwaysDeploy PropagateTags SecurityPolicy EndpointAccessMode",
	"HttpApi":          "Auth AccessLogSettings StageVariables Tags CorsConfiguration DefaultRouteSettings Domain RouteSettings FailOnWarnings PropagateTags",
	"SimpleTable":      "SSESpecification",
	"StateMachine":     "PropagateTags",
	"LayerVersion":     "PublishLambdaVersion",
	"CapacityProvider": "VpcConfig OperatorRole Tags InstanceRequirements ScalingConfig KmsKeyArn PropagateTags",
	"WebSocketApi": "AccessLogSettings ApiKeySelectionExpression DefaultRouteSettings DisableExecuteApiEndpoint DisableSchemaValidation Domain " +
		"FailOnWarnings IpAddressType PropagateTags RouteSelectionExpression RouteSettings StageVariables Tags",
}

// globals gives every resource what Globals says for its type. It runs before
// implicit APIs are made, which take theirs when they are.
func (x *expander) globals() {
	if x.template["Globals"] == nil {
		return
	}
	sections, ok := x.template["Globals"].(object)
	if !ok {
		x.fail("Globals", "write a map of types to properties", "Globals is no map")
		return
	}
	for _, name := range sorted(sections) {
		supported, ok := globalProperties[name]
		properties, isMap := sections[name].(object)
		switch {
		case !ok:
			x.fail("Globals."+name, "write one of "+strings.Join(sorted(globalProperties), ", "), "Globals has no such section")
			continue
		case !isMap:
			x.fail("Globals."+name, "write a map of properties", "it is no map")
			continue
		}
		for _, property := range sorted(properties) {
			if !slices.Contains(strings.Fields(supported), property) {
				x.fail("Globals."+name+"."+property, "write it in each resource", "Globals takes no such property for %s", name)
			}
		}
		for _, id := range sorted(x.resources) {
			if r := asObject(x.resources[id]); asText(r["Type"]) == registry.ServerlessPrefix+name {
				x.mergeGlobals(id, r, properties)
			}
		}
	}
}

func (x *expander) mergeGlobals(id string, r, properties object) {
	switch ignored := r["IgnoreGlobals"].(type) {
	case nil:
	case string:
		if ignored == "*" {
			return
		}
		x.fail("Resources."+id+".IgnoreGlobals", `write "*" or a list of properties`, "IgnoreGlobals is %q", ignored)
	case []any:
		properties = cloneObject(properties)
		for _, name := range ignored {
			if _, ok := properties[asText(name)]; !ok {
				x.fail("Resources."+id+".IgnoreGlobals", "leave it out", "Globals has no %v to ignore", name)
			}
			delete(properties, asText(name))
		}
	default:
		x.fail("Resources."+id+".IgnoreGlobals", `write "*" or a list of properties`, "IgnoreGlobals is neither text nor a list")
	}
	r["Properties"] = merged(properties, r["Properties"])
}

// merged lays a resource's own value over that of Globals: maps are merged, lists
// are joined, of all else the own one counts.
func merged(global, own any) any {
	switch g := global.(type) {
	case object:
		o, ok := own.(object)
		if !ok || intrinsic(g) || intrinsic(o) {
			return own
		}
		m := cloneObject(g)
		for key, v := range o {
			if _, both := m[key]; both {
				v = merged(m[key], v)
			}
			m[key] = v
		}
		return m
	case []any:
		if o, ok := own.([]any); ok {
			return append(clone(g).([]any), o...)
		}
	}
	return own
}

// global is what Globals says for a type.
func (x *expander) global(name string) object {
	return asObject(asObject(x.template["Globals"])[name])
}
