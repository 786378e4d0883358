package sam

import (
	"fmt"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// Logical IDs that Architect's templates and ours have in common, and those that
// only Architect's have.
const (
	sharedRole           = "Role"
	httpAPI              = "HTTP"
	httpStage            = "HTTPApiGatewayDefaultStage"
	wsAPI                = "WS"
	websocketDeployment  = "WebsocketDeployment"
	parameterStorePolicy = "ParameterStorePolicy"
	webSocketPolicy      = "WebSocketPolicy"
	staticBucket         = "StaticBucket"
	staticBucketPolicy   = "StaticBucketPolicy"
)

// View writes a plain template of ours, in JSON and in one piece, as the SAM
// template that Architect's packager would make of the app, which is what its
// plugins and macros expect to change: functions with their Events, the shared
// Role with the policies that Architect gives it, HTTP as an API of SAM's, the
// static bucket as a public website. What Architect has not (log groups, dead-letter
// queues) is in it as it is.
//
// functions are the compiler's; the code of each is its folder, and of arc's own
// asset function it is AssetCode. The result goes to Carry, as "before" unchanged
// and as "after" changed.
func View(plain []byte, functions []cfn.Function) ([]byte, error) {
	root, err := decode(plain)
	if err != nil {
		return nil, err
	}
	v := &viewer{root: root, resources: asObject(root["Resources"]), sources: map[string]cfn.Function{}}
	if v.resources == nil {
		return nil, fmt.Errorf("the template has no Resources")
	}
	for _, f := range functions {
		v.sources[f.LogicalID] = f
	}
	root["Transform"] = Transform
	for _, id := range sorted(v.resources) {
		if r := asObject(v.resources[id]); asText(r["Type"]) == registry.LambdaFunction {
			v.function(id, r)
		}
	}
	v.api()
	v.websockets()
	v.bucket()
	v.topics()
	v.roles()
	return encode(root), nil
}

// AssetCode stands for the code of arc's own asset function in a view.
const AssetCode = "arc:static-asset"

type viewer struct {
	root, resources object
	sources         map[string]cfn.Function
}

// function turns a plain function, and what invokes it, into SAM's.
func (v *viewer) function(id string, r object) {
	p := asObject(r["Properties"])
	sam := object{"Events": object{}}
	for key, value := range p {
		switch key {
		case "Code", "DeadLetterConfig", "Role", "Tags":
		default:
			sam[key] = value
		}
	}
	f, known := v.sources[id]
	code := asObject(p["Code"])
	switch {
	case known && f.Asset:
		sam["CodeUri"] = AssetCode
	case known:
		sam["CodeUri"] = f.Dir
	case code["ZipFile"] != nil:
		sam["InlineCode"] = code["ZipFile"]
	default:
		sam["CodeUri"] = object{"Bucket": code["S3Bucket"], "Key": code["S3Key"]}
	}
	if to := asObject(p["DeadLetterConfig"])["TargetArn"]; to != nil {
		sam["DeadLetterQueue"] = object{"Type": "SQS", "TargetArn": to}
	}
	v.role(id, p, sam)
	v.alias(id, sam)
	events := asObject(sam["Events"])
	for _, other := range sorted(v.resources) {
		name, ok := strings.CutPrefix(other, id)
		if !ok || name == "" {
			continue
		}
		if e := v.eventOf(id, other, name); e != nil {
			events[name] = e
		}
	}
	if e := v.httpEvent(id); e != nil {
		events["HTTPEvent"] = e
	}
	made := object{"Type": registry.ServerlessFunction, "Properties": sam}
	for key, value := range r {
		if key != "Type" && key != "Properties" {
			made[key] = value
		}
	}
	if known {
		made["ArcMetadata"] = metadata(f)
	}
	v.resources[id] = made
}

// metadata is what Architect says of a function in its template.
func metadata(f cfn.Function) object {
	m := object{"pragma": f.Pragma, "name": f.Name}
	if method, path, ok := strings.Cut(f.Name, " "); ok && f.Pragma == "http" {
		m["method"], m["path"] = method, path
	}
	if f.Asset {
		m["arcStaticAssetProxy"] = true
	}
	return m
}

// role shows the shared role as Architect refers to it, and a function's own as
// Policies, of which SAM makes one with the same logical ID. That of the asset
// function stays a role: no function of Architect's has documents among its Policies,
// and plugins that go through all Policies take each for one that has a name.
func (v *viewer) role(id string, p, sam object) {
	switch of := referred(p["Role"]); {
	case v.sources[id].Asset:
		set(sam, "Role", p["Role"])
	case of == sharedRole:
		sam["Role"] = object{"Fn::Sub": []any{"arn:aws:iam::${AWS::AccountId}:role/${roleName}", object{"roleName": ref(sharedRole)}}}
	case of == id+"Role" && asObject(v.resources[of]) != nil:
		own := asObject(asObject(v.resources[of])["Properties"])
		policies := []any{}
		for _, arn := range asList(own["ManagedPolicyArns"]) {
			policies = append(policies, arn)
		}
		for _, inline := range asList(own["Policies"]) {
			policies = append(policies, asObject(inline)["PolicyDocument"])
		}
		sam["Policies"] = policies
		set(sam, "PermissionsBoundary", own["PermissionsBoundary"])
		set(sam, "RolePath", own["Path"])
		delete(v.resources, of)
	default:
		set(sam, "Role", p["Role"])
	}
}

// alias shows a published version with its alias as AutoPublishAlias.
func (v *viewer) alias(id string, sam object) {
	alias := asObject(v.resources[id+"Aliaslive"])
	if asText(alias["Type"]) != registry.LambdaAlias {
		return
	}
	p := asObject(alias["Properties"])
	sam["AutoPublishAlias"] = p["Name"]
	set(sam, "ProvisionedConcurrencyConfig", p["ProvisionedConcurrencyConfig"])
	delete(v.resources, id+"Aliaslive")
	delete(v.resources, referred(p["FunctionVersion"]))
}

// eventOf shows a subscription or a queue's mapping as the event of which SAM
// makes it, and takes it away.
func (v *viewer) eventOf(function, id, name string) object {
	r := asObject(v.resources[id])
	p := asObject(r["Properties"])
	e := object{}
	switch asText(r["Type"]) {
	case registry.SNSSubscription:
		if p["Protocol"] != any("lambda") || referred(p["Endpoint"]) != function && referred(p["Endpoint"]) != function+"Aliaslive" {
			return nil
		}
		e["Topic"] = p["TopicArn"]
		pass(e, p, "Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")
		delete(v.resources, id+"Permission")
		delete(v.resources, id)
		return object{"Type": "SNS", "Properties": e}
	case registry.LambdaEventSourceMapping:
		if p["StartingPosition"] != nil || referred(p["FunctionName"]) != function && referred(p["FunctionName"]) != function+"Aliaslive" {
			return nil // a stream's, which is a plain resource in Architect's template as well
		}
		for key, value := range p {
			switch key {
			case "EventSourceArn":
				e["Queue"] = value
			case "FunctionName":
			default:
				e[key] = value
			}
		}
		delete(v.resources, id)
		return object{"Type": "SQS", "Properties": e}
	}
	return nil
}

// httpEvent shows the permission for a function's route as its event. The route
// is the one whose calls the permission is for.
func (v *viewer) httpEvent(id string) object {
	permission := asObject(v.resources[id+"HTTPEventPermission"])
	source := asText(asObject(asObject(permission["Properties"])["SourceArn"])["Fn::Sub"])
	_, call, ok := strings.Cut(source, "${"+httpAPI+"}/*/")
	if !ok {
		return nil
	}
	paths := asObject(asObject(asObject(asObject(v.resources[httpAPI])["Properties"])["Body"])["paths"])
	for _, path := range sorted(paths) {
		for _, method := range sorted(asObject(paths[path])) {
			star := strings.ToUpper(method)
			written := star
			if method == cfn.AnyMethod {
				star, written = "*", "ANY"
			}
			if call == star+sourcePath(path) && invokes(asObject(asObject(paths[path])[method]), id) {
				delete(v.resources, id+"HTTPEventPermission")
				return object{"Type": "HttpApi", "Properties": object{"Path": path, "Method": written, "ApiId": ref(httpAPI)}}
			}
		}
	}
	return nil
}

func invokes(operation object, id string) bool {
	uri := asText(asObject(asObject(operation[integrationKey])["uri"])["Fn::Sub"])
	return strings.Contains(uri, "${"+id+".Arn}") || strings.Contains(uri, "${"+id+"Aliaslive}")
}

// api shows the HTTP API and its stage as SAM's.
func (v *viewer) api() {
	api, stage := asObject(v.resources[httpAPI]), asObject(v.resources[httpStage])
	if asText(api["Type"]) != registry.ApiGatewayV2Api || stage == nil {
		return
	}
	p := object{"StageName": defaultPath, "DefinitionBody": asObject(api["Properties"])["Body"]}
	of := asObject(stage["Properties"])
	pass(p, of, "StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")
	v.resources[httpAPI] = object{"Type": registry.ServerlessHttpApi, "Properties": p}
	delete(v.resources, httpStage)
}

// websockets gives the deployment the name that Architect has for it.
func (v *viewer) websockets() {
	if id := deploymentOf(v.resources); id != "" {
		x := &expander{renamed: map[string]string{id: websocketDeployment}}
		v.resources[websocketDeployment] = v.resources[id]
		if id != websocketDeployment {
			delete(v.resources, id)
		}
		v.root = asObject(x.resolveReferences(v.root))
		v.resources = asObject(v.root["Resources"])
	}
}

// deploymentOf is the logical ID of the WebSocket API's deployment; "" = none.
func deploymentOf(resources object) string {
	for _, id := range sorted(resources) {
		r := asObject(resources[id])
		if asText(r["Type"]) == registry.ApiGatewayV2Deployment && strings.HasPrefix(id, websocketDeployment) &&
			referred(asObject(r["Properties"])["ApiId"]) == wsAPI {
			return id
		}
	}
	return ""
}

// roles shows what the shared role may do as Architect writes it. Ours may do
// less, and is not what is shown: only what is changed in it is carried over.
func (v *viewer) roles() {
	tables, topics, queues, static, published := v.publishes("/tables/"), v.publishes("/events/"), v.publishes("/queues/"), v.publishes("/static/"), v.publishes("/")
	inline := []any{inlinePolicy("ArcGlobalPolicy", allow([]any{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}, "arn:aws:logs:*:*:*"))}
	if len(static) > 0 {
		var bucket any = ref("StaticBucket")
		if id := referred(static[0]); id == "" && v.resources["StaticBucket"] == nil {
			bucket = static[0]
		}
		arn := func(text string) any { return object{"Fn::Sub": []any{text, object{"bukkit": bucket}}} }
		inline = append(inline, inlinePolicy("ArcStaticBucketPolicy", allow(
			[]any{"s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject", "s3:ListBucket"},
			[]any{arn("arn:aws:s3:::${bukkit}"), arn("arn:aws:s3:::${bukkit}/*")})))
	}
	if len(tables) > 0 {
		var arns []any
		for _, table := range tables {
			arn := func(end string) any {
				return object{"Fn::Sub": []any{"arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${tablename}" + end, object{"tablename": table}}}
			}
			arns = append(arns, arn(""), arn("/*"))
		}
		inline = append(inline, inlinePolicy("ArcDynamoPolicy", allow("dynamodb:*", arns), object{
			"Effect": "Deny", "Action": "dynamodb:DeleteTable", "Resource": sub("arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/*", nil),
		}))
	}
	if len(topics) > 0 {
		inline = append(inline, inlinePolicy("ArcSimpleNotificationServicePolicy", allow([]any{"sns:Publish"},
			object{"Fn::Sub": []any{"arn:aws:sns:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}*", object{}}})))
	}
	if len(queues) > 0 {
		inline = append(inline, inlinePolicy("ArcSimpleQueueServicePolicy", allow(
			[]any{"sqs:SendMessageBatch", "sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, "*")))
	}
	v.resources[sharedRole] = object{"Type": registry.IAMRole, "Properties": object{
		"AssumeRolePolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
			"Effect": "Allow", "Principal": object{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
		}}},
		"Policies": inline,
	}}
	attached := func(name string, statements ...any) object {
		return object{"Type": registry.IAMPolicy, "DependsOn": sharedRole, "Properties": object{
			"PolicyName": name, "PolicyDocument": object{"Statement": statements}, "Roles": []any{ref(sharedRole)},
		}}
	}
	if len(published) > 0 {
		var statements []any
		for _, end := range []string{"", "/*", "/*/*"} {
			statements = append(statements, allow([]any{"ssm:GetParametersByPath", "ssm:GetParameter"},
				object{"Fn::Sub": []any{"arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}" + end, object{}}}))
		}
		v.resources[parameterStorePolicy] = attached("ArcParameterStorePolicy", statements...)
	}
	if asText(asObject(v.resources[wsAPI])["Type"]) == registry.ApiGatewayV2Api {
		v.resources[webSocketPolicy] = attached("ArcWebSocketPolicy", allow([]any{"execute-api:Invoke", "execute-api:ManageConnections"},
			[]any{object{"Fn::Sub": []any{"arn:aws:execute-api:${AWS::Region}:*:${api}/*", object{"api": ref(wsAPI)}}}}))
	}
}

// topics gives topics the list of subscriptions that Architect's have.
func (v *viewer) topics() {
	for _, r := range v.resources {
		if m := asObject(r); asText(m["Type"]) == registry.SNSTopic {
			if p := asObject(m["Properties"]); p != nil && p["Subscription"] == nil {
				p["Subscription"] = []any{}
			}
		}
	}
}

// bucket shows the static bucket as Architect has it, a public website. Ours is
// private, and stays so unless that is changed.
func (v *viewer) bucket() {
	r := asObject(v.resources[staticBucket])
	if asText(r["Type"]) != registry.S3Bucket {
		return
	}
	p := asObject(r["Properties"])
	if p["WebsiteConfiguration"] == nil {
		p["WebsiteConfiguration"] = object{"IndexDocument": "index.html", "ErrorDocument": "404.html"}
	}
	v.resources[staticBucketPolicy] = object{"Type": registry.S3BucketPolicy, "Properties": object{
		"Bucket": ref(staticBucket),
		"PolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
			"Sid": "PublicReadGetObject", "Effect": "Allow", "Principal": "*", "Action": []any{"s3:GetObject"},
			"Resource": []any{object{"Fn::Sub": []any{"arn:aws:s3:::${bukkit}/*", object{"bukkit": ref(staticBucket)}}}},
		}}},
	}}
}

func allow(action, resource any) object {
	return object{"Effect": "Allow", "Action": action, "Resource": resource}
}

func inlinePolicy(name string, statements ...any) object {
	return object{"PolicyName": name, "PolicyDocument": object{"Statement": statements}}
}

// publishes gives the values of the parameters below the stack's name, in the
// order of their logical IDs.
func (v *viewer) publishes(folder string) []any {
	var values []any
	for _, id := range sorted(v.resources) {
		r := asObject(v.resources[id])
		p := asObject(r["Properties"])
		if asText(r["Type"]) == registry.SSMParameter && strings.HasPrefix(asText(asObject(p["Name"])["Fn::Sub"]), "/${AWS::StackName}"+folder) {
			values = append(values, p["Value"])
		}
	}
	return values
}
