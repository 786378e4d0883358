package sam

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"arc/cfn/registry"
)

// target is what the events of a function invoke: the function, or its alias.
type target struct {
	id         string // logical ID of the function or the alias
	function   string // logical ID of the function
	name, arn  any
	condition  any
	attributes object // for what is made of the function
}

// function expands AWS::Serverless::Function.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
func (x *expander) function(r object) {
	p := asObject(r["Properties"])
	passed := passedAttributes(r)
	lambda := x.lambdaFunction(p)
	x.emit(x.id, registry.LambdaFunction, lambda, ownAttributes(r))
	to := target{id: x.id, function: x.id, name: ref(x.id), arn: getAtt(x.id, "Arn"), condition: r["Condition"], attributes: passed}
	alias := ""
	if given(p["AutoPublishAlias"]) {
		alias = x.publish(p, lambda, passed)
		to.id, to.name, to.arn = alias, ref(alias), ref(alias)
	} else if given(p["ProvisionedConcurrencyConfig"]) {
		x.fail(x.property("ProvisionedConcurrencyConfig"), "write AutoPublishAlias as well", "provisioned concurrency is for a version, which needs an alias")
	}
	x.functionURL(p, alias, passed)
	invokePolicies := x.invokeConfig(p, alias, r)
	x.deploymentPreference(p, r, alias)
	role := x.executionRole(p, invokePolicies)
	x.useRole(p, lambda, role, passed)
	x.events(p, to, role)
	x.propagate(p["Tags"], p["PropagateTags"])
}

// lambdaFunction gives the properties of the plain function.
func (x *expander) lambdaFunction(p object) object {
	lambda := object{"Tags": x.createdBySAM(p["Tags"])}
	if given(p["FunctionName"]) {
		lambda["FunctionName"] = p["FunctionName"]
	}
	pass(lambda, p, "Handler", "Runtime", "Description", "MemorySize", "Timeout", "VpcConfig", "Role", "Environment", "KmsKeyArn",
		"ReservedConcurrentExecutions", "Layers", "FileSystemConfigs", "ImageConfig", "PackageType", "Architectures", "SnapStart",
		"EphemeralStorage", "CodeSigningConfigArn", "RuntimeManagementConfig", "LoggingConfig", "TenancyConfig", "RecursiveLoop",
		"DurableConfig", "PublishToLatestPublished")
	if given(p["FunctionScalingConfig"]) {
		lambda["FunctionScalingConfig"] = p["FunctionScalingConfig"]
	}
	if capacity := asObject(p["CapacityProviderConfig"]); len(capacity) > 0 {
		config := object{"CapacityProviderArn": capacity["Arn"]}
		pass(config, capacity, "PerExecutionEnvironmentMaxConcurrency", "ExecutionEnvironmentMemoryGiBPerVCpu")
		lambda["CapacityProviderConfig"] = object{"LambdaManagedInstancesCapacityProviderConfig": config}
	}
	if x.traced(p) {
		lambda["TracingConfig"] = object{"Mode": p["Tracing"]}
	}
	if dead := asObject(p["DeadLetterQueue"]); len(dead) > 0 {
		if typ := asText(dead["Type"]); typ != "SQS" && typ != "SNS" || !given(dead["TargetArn"]) {
			x.fail(x.property("DeadLetterQueue"), "write Type SQS or SNS, and TargetArn", "the dead-letter queue is not complete")
		}
		lambda["DeadLetterConfig"] = object{"TargetArn": dead["TargetArn"]}
	}
	lambda["Code"] = x.code(p)
	image := p["PackageType"] == "Image"
	switch {
	case image && (given(p["Handler"]) || given(p["Runtime"]) || given(p["Layers"])):
		x.fail(x.at+".Properties", "leave Handler, Runtime and Layers out", "a function of an image has no handler, runtime or layers")
	case !image && (!given(p["Runtime"]) || !given(p["Handler"])):
		x.fail(x.at+".Properties", "write both", "a function needs a Runtime and a Handler")
	case !image && given(p["ImageConfig"]):
		x.fail(x.property("ImageConfig"), "write PackageType: Image, or leave it out", "only a function of an image has it")
	}
	return lambda
}

func (x *expander) traced(p object) bool {
	return given(p["Tracing"]) && x.known(p["Tracing"]) != any("Disabled")
}

// code gives Code of a function: where its zip or image is.
func (x *expander) code(p object) any {
	switch p["PackageType"] {
	case "Image":
		if !given(p["ImageUri"]) {
			x.fail(x.property("ImageUri"), "write the image's URI", "a function of PackageType Image has no ImageUri")
		}
		return object{"ImageUri": p["ImageUri"]}
	case nil, "Zip":
	default:
		x.fail(x.property("PackageType"), "write Zip or Image", "it is neither Zip nor Image")
	}
	if p["InlineCode"] != nil {
		code := object{"ZipFile": p["InlineCode"]}
		if given(p["SourceKMSKeyArn"]) {
			code["SourceKMSKeyArn"] = p["SourceKMSKeyArn"]
		}
		return code
	}
	if p["CodeUri"] == nil {
		x.fail(x.property("CodeUri"), "write CodeUri or InlineCode", "the function has no code")
		return nil
	}
	code := x.location(p["CodeUri"], "CodeUri")
	if m := asObject(code); m != nil && given(p["SourceKMSKeyArn"]) {
		m["SourceKMSKeyArn"] = p["SourceKMSKeyArn"]
	}
	return code
}

// location reads a CodeUri or ContentUri: {Bucket, Key, Version}, "s3://bucket/key",
// or a local path, which it gives as it is.
func (x *expander) location(v any, property string) any {
	switch v := v.(type) {
	case object:
		if !given(v["Bucket"]) || !given(v["Key"]) {
			x.fail(x.property(property), "write Bucket and Key", "the place of the code is not complete")
			return nil
		}
		at := object{"S3Bucket": v["Bucket"], "S3Key": v["Key"]}
		if v["Version"] != nil {
			at["S3ObjectVersion"] = v["Version"]
		}
		return at
	case string:
		if bucket, key, version, ok := s3Place(v); ok {
			at := object{"S3Bucket": bucket, "S3Key": key}
			if version != "" {
				at["S3ObjectVersion"] = version
			}
			return at
		}
		if strings.HasPrefix(v, "s3://") || strings.Contains(v, "{{resolve:") {
			x.fail(x.property(property), "write s3://bucket/key", "%q is no place in S3", v)
		}
		return v
	}
	x.fail(x.property(property), "write s3://bucket/key, or a map with Bucket and Key", "it is neither text nor a map")
	return nil
}

// s3Place takes "s3://bucket/key?versionId=v" apart.
func s3Place(uri string) (bucket, key, version string, ok bool) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	if !ok {
		return "", "", "", false
	}
	rest, query, _ := strings.Cut(rest, "?")
	bucket, key, _ = strings.Cut(rest, "/")
	version = strings.TrimPrefix(query, "versionId=")
	if query == version {
		version = ""
	}
	return bucket, key, version, bucket != "" && key != ""
}

// publish makes a version of the function and the alias that leads to it, and
// gives the alias's logical ID.
func (x *expander) publish(p, lambda, passed object) string {
	name, ok := x.knownText(p["AutoPublishAlias"])
	if !ok || !aliasName().MatchString(name) || strings.Trim(name, "0123456789") == "" {
		x.fail(x.property("AutoPublishAlias"), "write a name of letters, digits, - and _, not of digits alone", "it is no name of an alias")
		return ""
	}
	hash := ""
	if given(p["AutoPublishCodeSha256"]) {
		text, ok := x.knownText(p["AutoPublishCodeSha256"])
		if !ok {
			x.fail(x.property("AutoPublishCodeSha256"), "write text", "it is no text that is known here")
		}
		hash = text[:min(len(text), 10)]
		switch d := x.known(p["Description"]).(type) {
		case string:
			lambda["Description"] = strings.TrimSpace(d + " " + text)
		case nil:
			lambda["Description"] = text
		default:
			lambda["Description"] = join(" ", d, text)
		}
	}
	if hash == "" {
		hash = hashOf(x.published(p, lambda))
	}
	version := x.id + "Version" + hash
	attributes := cloneObject(passed)
	if attributes["DeletionPolicy"] == nil {
		switch {
		case p["VersionDeletionPolicy"] != nil:
			attributes["DeletionPolicy"] = p["VersionDeletionPolicy"]
		case p["CapacityProviderConfig"] != nil:
			attributes["DeletionPolicy"] = "Delete"
		default:
			attributes["DeletionPolicy"] = "Retain"
		}
	}
	properties := object{"FunctionName": ref(x.id)}
	set(properties, "Description", p["VersionDescription"])
	if p["CapacityProviderConfig"] != nil {
		set(properties, "FunctionScalingConfig", p["FunctionScalingConfig"])
	}
	x.emit(version, registry.LambdaVersion, properties, attributes)

	alias := x.id + "Alias" + strings.NewReplacer("-", "D", "_", "U").Replace(name)
	properties = object{"Name": name, "FunctionName": ref(x.id), "FunctionVersion": getAtt(version, "Version")}
	if given(p["ProvisionedConcurrencyConfig"]) {
		properties["ProvisionedConcurrencyConfig"] = p["ProvisionedConcurrencyConfig"]
	}
	x.emit(alias, registry.LambdaAlias, properties, passed)
	x.refersAs(x.id, "Version", version)
	x.refersAs(x.id, "Alias", alias)
	return alias
}

// published is what a new version is made for.
func (x *expander) published(p, lambda object) any {
	if p["AutoPublishAliasAllProperties"] == true {
		all := cloneObject(lambda)
		for _, layer := range asList(lambda["Layers"]) {
			id := referred(layer)
			if properties := asObject(asObject(x.resources[id])["Properties"]); properties["PublishLambdaVersion"] == true {
				all[id] = properties
			}
		}
		return all
	}
	code, ok := x.known(lambda["Code"]).(object)
	if !ok {
		code = object{"Code": lambda["Code"]}
	}
	content := cloneObject(code)
	for key, v := range asObject(lambda["Environment"]) {
		content[key] = v
	}
	if given(lambda["MemorySize"]) {
		content["MemorySize"] = lambda["MemorySize"]
	}
	if on := asObject(lambda["SnapStart"])["ApplyOn"]; on != nil && on != any("None") {
		content["SnapStart"] = lambda["SnapStart"]
	}
	return content
}

var aliasName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_-]+$`) })

// functionURL makes the function's own URL, open to everybody where AuthType is NONE.
func (x *expander) functionURL(p object, alias string, passed object) {
	config := asObject(p["FunctionUrlConfig"])
	if len(config) == 0 {
		return
	}
	auth := config["AuthType"]
	if !intrinsic(config) && !intrinsic(auth) && auth != any("AWS_IAM") && auth != any("NONE") {
		x.fail(x.property("FunctionUrlConfig.AuthType"), "write AWS_IAM or NONE", "the URL of the function has no AuthType")
	}
	var of any = ref(x.id)
	if alias != "" {
		of = ref(alias)
	}
	properties := object{"TargetFunctionArn": of}
	if given(config["Cors"]) {
		properties["Cors"] = config["Cors"]
		x.checkKeys("FunctionUrlConfig.Cors", config["Cors"], "AllowOrigins", "AllowMethods", "AllowCredentials", "AllowHeaders", "ExposeHeaders", "MaxAge")
	}
	pass(properties, config, "AuthType", "InvokeMode")
	x.emit(x.id+"Url", registry.LambdaUrl, properties, passed)
	if auth != any("NONE") || intrinsic(config) {
		return
	}
	x.emit(x.id+"UrlPublicPermissions", registry.LambdaPermission, object{
		"Action": "lambda:InvokeFunctionUrl", "FunctionName": of, "Principal": "*", "FunctionUrlAuthType": auth,
	}, passed)
	x.emit(x.id+"URLInvokeAllowPublicAccess", registry.LambdaPermission, object{
		"Action": "lambda:InvokeFunction", "FunctionName": of, "Principal": "*", "InvokedViaFunctionUrl": true,
	}, passed)
}

// checkKeys names the keys of a map that are none of those known.
func (x *expander) checkKeys(path string, v any, known ...string) {
	m, ok := v.(object)
	if !ok || intrinsic(m) {
		return
	}
	for _, key := range sorted(m) {
		if !slices.Contains(known, key) {
			x.fail(x.property(path+"."+key), "write one of "+strings.Join(known, ", "), "there is no such property")
		}
	}
}

// invokeConfig makes the settings of asynchronous calls, and gives the policies
// that their destinations need.
func (x *expander) invokeConfig(p object, alias string, r object) []any {
	config := asObject(x.known(p["EventInvokeConfig"]))
	if len(config) == 0 {
		return nil
	}
	id := x.id + "EventInvokeConfig"
	var policies []any
	destinations := object{}
	for _, on := range []string{"OnSuccess", "OnFailure"} {
		written := asObject(asObject(p["EventInvokeConfig"])["DestinationConfig"])[on]
		if written == nil {
			continue
		}
		destination, policy := x.destination(asObject(written), on, id, r)
		destinations[on] = object{"Destination": destination}
		policies = append(policies, policy)
	}
	attributes := ownAttributes(r)
	delete(attributes, "DependsOn")
	qualifier := "$LATEST"
	if alias != "" {
		attributes["DependsOn"] = []any{alias}
		qualifier = asText(asObject(asObject(x.made[alias])["Properties"])["Name"])
	}
	properties := object{"FunctionName": ref(x.id), "Qualifier": qualifier, "DestinationConfig": destinations}
	pass(properties, config, "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
	x.emit(id, registry.LambdaEventInvokeConfig, properties, attributes)
	return policies
}

// destination gives where the outcome of calls goes, and the right to send it
// there. Without an ARN, SAM makes a queue or a topic.
func (x *expander) destination(config object, on, id string, r object) (any, any) {
	path := "EventInvokeConfig.DestinationConfig." + on
	typ := asText(config["Type"])
	if !slices.Contains([]string{"SQS", "SNS", "EventBridge", "Lambda", "S3Bucket"}, typ) {
		x.fail(x.property(path+".Type"), "write SQS, SNS, EventBridge, Lambda or S3Bucket", "the destination has no type that SAM knows")
		return nil, nil
	}
	to := config["Destination"]
	condition, arn := x.destinationCondition(to)
	if to == nil || condition != nil {
		made, property := "", ""
		switch typ {
		case "SQS":
			made, property = id+on+"Queue", "DestinationQueue"
			x.emit(made, registry.SQSQueue, object{}, passedAttributes(r))
			to = getAtt(made, "Arn")
		case "SNS":
			made, property = id+on+"Topic", "DestinationTopic"
			x.emit(made, registry.SNSTopic, object{}, passedAttributes(r))
			to = ref(made)
		default:
			x.fail(x.property(path+".Destination"), "write its ARN", "SAM makes no destination of type %s", typ)
			return nil, nil
		}
		x.refersAs(x.id, property, made)
		if condition != nil {
			to = object{"Fn::If": []any{condition, to, arn}}
		}
		if both := x.both(r["Condition"], condition); both != nil {
			asObject(x.made[made])["Condition"] = both
		}
	}
	return to, destinationPolicy(typ, to, id+on)
}

// destinationCondition reads Fn::If of a destination that is there only in one of
// both cases: the condition under which SAM makes one, and the ARN otherwise.
func (x *expander) destinationCondition(v any) (condition, arn any) {
	args, ok := isIf(v)
	if !ok || noValue(args[1]) && noValue(args[2]) {
		return nil, nil
	}
	switch {
	case noValue(args[1]):
		return args[0], args[2]
	case noValue(args[2]):
		name := "NOT" + asText(args[0])
		name += hashOf(x.id + "EventInvokeConfig")
		x.addCondition(name, object{"Fn::Not": []any{object{"Condition": args[0]}}})
		return name, args[1]
	}
	return nil, nil
}

// both is the condition under which two hold, which it puts into the template.
func (x *expander) both(a, b any) any {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	name := asText(a) + "AND" + asText(b)
	name += hashOf(x.id)
	x.addCondition(name, object{"Fn::And": []any{object{"Condition": object{"Condition": a}}, object{"Condition": object{"Condition": b}}}})
	return name
}

func destinationPolicy(typ string, to any, id string) any {
	grant := func(name, action string) any {
		return object{"PolicyName": id + name, "PolicyDocument": object{"Statement": []any{
			object{"Action": action, "Effect": "Allow", "Resource": to},
		}}}
	}
	switch typ {
	case "SQS":
		return grant("SQSPolicy", "sqs:SendMessage")
	case "SNS":
		return grant("SNSPolicy", "sns:publish")
	case "EventBridge":
		return grant("EventBridgePolicy", "events:PutEvents")
	case "Lambda":
		return grant("LambdaPolicy", "lambda:InvokeFunction")
	case "S3", "S3Bucket":
		return object{"PolicyName": id + "S3Policy", "PolicyDocument": object{"Statement": []any{
			object{"Action": "s3:PutObject", "Effect": "Allow", "Resource": join("/", to, "*")},
			object{"Action": "s3:ListBucket", "Effect": "Allow", "Resource": to},
		}}}
	}
	return nil
}

// propagate gives the tags of a resource to all that is made of it and takes any.
func (x *expander) propagate(tags, asked any) {
	m := asObject(tags)
	if asked != true || len(m) == 0 {
		return
	}
	for _, bucket := range x.tagged {
		bucket["Tags"] = tagList(m)
	}
	for _, made := range x.made {
		r := asObject(made)
		properties := asObject(r["Properties"])
		switch typ := asText(r["Type"]); {
		case tagMaps[typ]:
			properties["Tags"] = cloneObject(m)
		case tagLists[typ]:
			properties["Tags"] = tagList(m)
		}
	}
}

// tagLists and tagMaps are the types that SAM passes tags on to, by the shape in
// which they take them.
var (
	tagLists = map[string]bool{
		registry.LambdaFunction: true, registry.IAMRole: true, registry.SQSQueue: true, registry.SNSTopic: true,
		registry.StepFunctionsStateMachine: true, registry.ApiGatewayRestApi: true, registry.ApiGatewayStage: true, registry.ApiGatewayApiKey: true,
		registry.ApiGatewayUsagePlan: true, registry.ApiGatewayDomainName: true, registry.DynamoDBTable: true, registry.CodeDeployApplication: true,
		registry.CodeDeployDeploymentGroup: true, registry.IoTTopicRule: true,
	}
	tagMaps = map[string]bool{registry.ApiGatewayV2Api: true, registry.ApiGatewayV2Stage: true, registry.ApiGatewayV2DomainName: true}
)
