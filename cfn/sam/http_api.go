package sam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// managedBody marks an API whose body SAM writes, on its way through the
// expansion.
const managedBody = "__MANAGE_SWAGGER"

func (x *expander) openAPISkeleton() object {
	return object{"openapi": "3.0.1", "info": object{"version": "1.0", "title": ref("AWS::StackName")}, "paths": object{}}
}

// httpEvent adds a route to an HTTP API, and lets the API invoke the function.
func (x *expander) httpEvent(e event, to target) {
	p := e.properties
	apiID := apiName(p["ApiId"])
	api := asObject(asObject(x.resources[apiID])["Properties"])
	if api == nil {
		x.fail(e.path+".Properties.ApiId", "refer to an API of the template", "there is no HTTP API %q", apiID)
		return
	}
	path, method := asText(p["Path"]), asText(p["Method"])
	body := asObject(api["DefinitionBody"])
	paths := asObject(body["paths"])
	x.httpPermission(e, to, path, method, paths)
	if body == nil {
		return
	}
	if !isOpenAPI(body) {
		x.fail("Resources."+apiID+".Properties.DefinitionBody", "write openapi and paths", "the body of the API is no OpenAPI 3 document")
		return
	}
	method = methodName(method)
	if hasIntegration(paths, path, method) {
		if api[managedBody] == true {
			x.fail(e.path, "leave one of them out", "%s %s is there twice", p["Method"], path)
		}
	} else if x.operation(apiID, paths, path, method) {
		var uri any = invokeURI(to, "${AWS::Partition}", "2015-03-31", "invocations")
		if to.condition != nil {
			uri = conditional(to.condition, uri)
		}
		for _, item := range cases(paths[path]) {
			m := asObject(item)
			operation := asObject(m[method])
			operation[integrationKey] = object{"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": uri}
			if path == defaultPath && method == cfn.AnyMethod {
				operation["isDefaultRoute"] = true
			}
			if operation["responses"] == nil {
				operation["responses"] = object{}
			}
			if to.condition != nil {
				m[method] = conditional(to.condition, operation)
			}
		}
	}
	x.httpOperation(e, api, apiID, operations(paths, path, method))
}

// apiName is the logical ID of the API that an event names.
func apiName(v any) string {
	if id := asText(asObject(v)["Ref"]); id != "" {
		return id
	}
	return asText(v)
}

// httpOperation says of a route's operations what its event does.
func (x *expander) httpOperation(e event, api object, apiID string, list []object) {
	p := e.properties
	list = slices.DeleteFunc(list, func(o object) bool { return !given(o[integrationKey]) })
	if given(p["Auth"]) {
		x.httpAuth(e, api, list)
	}
	for _, operation := range list {
		i := asObject(operation[integrationKey])
		if given(p["TimeoutInMillis"]) {
			i["timeoutInMillis"] = p["TimeoutInMillis"]
		}
		if given(p["PayloadFormatVersion"]) {
			i["payloadFormatVersion"] = p["PayloadFormatVersion"]
		}
		names := pathVariables(asText(p["Path"]))
		if len(names) == 0 {
			continue
		}
		parameters := slices.Clone(asList(operation["parameters"]))
		for _, name := range names {
			at := slices.IndexFunc(parameters, func(v any) bool { return asObject(v)["name"] == any(name) })
			if at < 0 {
				parameters, at = append(parameters, object{"name": name}), len(parameters)
			}
			m := asObject(parameters[at])
			m["in"], m["required"] = "path", true
		}
		operation["parameters"] = parameters
	}
}

// httpPermission lets the API invoke the function for a route. Where the default
// route is the function's, its permission holds for all.
func (x *expander) httpPermission(e event, to target, path, method string, paths object) {
	path = strings.TrimSpace(path)
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	if path == defaultPath {
		path = ""
	} else if x.answersDefault(paths, to) {
		return
	}
	path = pathVariable().ReplaceAllString(path, "*")
	star := strings.ToUpper(method)
	if methodName(method) == cfn.AnyMethod {
		star = "*"
	}
	resource := "${__ApiId__}/${__Stage__}"
	if strings.EqualFold(method, "any") && path == "/"+defaultPath {
		resource += path
	} else {
		resource += "/" + star + path
	}
	source := sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"+resource, object{"__ApiId__": e.properties["ApiId"], "__Stage__": "*"})
	x.permission(e.id+"Permission", to, "apigateway.amazonaws.com")["SourceArn"] = source
}

// answersDefault reports whether the default route's integration is the function.
func (x *expander) answersDefault(paths object, to target) bool {
	if !hasIntegration(paths, defaultPath, cfn.AnyMethod) {
		return false
	}
	for _, operation := range operations(paths, defaultPath, cfn.AnyMethod) {
		uri, ok := asObject(operation[integrationKey])["uri"].(object)
		if !ok {
			return false
		}
		for _, v := range cases(uri) {
			found := regexp.MustCompile(`([A-Za-z0-9]+)\.Arn`).FindStringSubmatch(asText(asObject(v)["Fn::Sub"]))
			if found == nil || found[1] != to.id {
				return false
			}
		}
	}
	return true
}

// httpAuth says who may call a route.
func (x *expander) httpAuth(e event, api object, list []object) {
	auth := asObject(e.properties["Auth"])
	path := e.path + ".Properties.Auth"
	ofAPI := asObject(api["Auth"])
	name := auth["Authorizer"]
	if !given(name) {
		name = ofAPI["DefaultAuthorizer"]
	}
	if !given(name) {
		x.fail(path+".Authorizer", "write Authorizer, or DefaultAuthorizer at the API", "Auth of the event has no authorizer")
		return
	}
	authorizers := asObject(ofAPI["Authorizers"])
	builtIn := name == any("AWS_IAM") && ofAPI["EnableIamAuthorizer"] == true
	switch {
	case name == any("NONE"):
		if !given(ofAPI["DefaultAuthorizer"]) {
			x.fail(path+".Authorizer", "leave it out", "NONE is for routes of an API with a DefaultAuthorizer")
		}
	case !builtIn && !given(authorizers[asText(name)]):
		x.fail(path+".Authorizer", "write it below Auth.Authorizers of the API", "the API has no authorizer %v", name)
		return
	}
	scopes := []any{}
	if name != any("NONE") && name != any("AWS_IAM") {
		own := asObject(authorizers[asText(name)])["AuthorizationScopes"]
		if given(auth["AuthorizationScopes"]) {
			own = auth["AuthorizationScopes"]
		}
		if given(own) {
			scopes = asList(own)
		}
	}
	for _, operation := range list {
		operation["security"] = append(slices.Clone(asList(operation["security"])), object{asText(name): scopes})
	}
}

// httpAPI expands AWS::Serverless::HttpApi.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html
func (x *expander) httpAPI(r object) {
	p := asObject(r["Properties"])
	passed := passedAttributes(r)
	body := cloneObject(asObject(p["DefinitionBody"]))
	inline := len(body) > 0
	api := object{}
	if inline && given(p["DefinitionUri"]) {
		x.fail(x.property("DefinitionUri"), "leave one of them out", "DefinitionBody is written, too")
	}
	need := func(property string) bool {
		if !given(p[property]) {
			return false
		}
		if !isOpenAPI(body) {
			x.fail(x.property(property), "write an OpenAPI 3 document as DefinitionBody", "SAM writes it into the body, and there is none that it can edit")
			return false
		}
		return true
	}
	if need("CorsConfiguration") {
		x.httpCORS(p, body)
	}
	if need("Auth") {
		x.httpAuthorizers(p, body)
	}
	tags := cloneObject(asObject(p["Tags"]))
	if isOpenAPI(body) {
		tags["httpapi:createdBy"] = "SAM"
		x.bodyTags(body, tags)
	} else {
		need("Tags")
	}
	if given(p["FailOnWarnings"]) {
		api["FailOnWarnings"] = p["FailOnWarnings"]
	}
	if p["DisableExecuteApiEndpoint"] != nil {
		x.endpointConfig(body, p["DisableExecuteApiEndpoint"])
	}
	info := asObject(body["info"])
	if need("Name") && same(info["title"], ref("AWS::StackName")) {
		info["title"] = p["Name"]
	}
	if need("Description") && !given(info["description"]) {
		if info == nil {
			info = object{}
			body["info"] = info
		}
		info["description"] = p["Description"]
	}
	if paths := asObject(body["paths"]); given(p["FailOnWarnings"]) && paths[defaultPath] != nil {
		paths["/"+defaultPath] = paths[defaultPath]
		delete(paths, defaultPath)
	}
	switch {
	case given(p["DefinitionUri"]):
		place := asObject(x.location(p["DefinitionUri"], "DefinitionUri"))
		api["BodyS3Location"] = object{"Bucket": place["S3Bucket"], "Key": place["S3Key"]}
		if place["S3ObjectVersion"] != nil {
			asObject(api["BodyS3Location"])["Version"] = place["S3ObjectVersion"]
		}
		if place == nil {
			api["BodyS3Location"] = p["DefinitionUri"]
		}
	case inline:
		api["Body"] = body
	default:
		x.fail(x.property("DefinitionBody"), "write DefinitionBody, or an HttpApi event at a function", "the API has no routes")
	}
	x.emit(x.id, registry.ApiGatewayV2Api, api, ownAttributes(r))
	x.httpDomain(p, passed)
	x.httpAuthorizerPermissions(p, passed)
	stage := x.httpStage(p, passed)
	x.refersAs(x.id, "Stage", stage)
	for _, made := range x.made {
		m := asObject(made)
		if inline && len(tags) > 0 && tagMaps[asText(m["Type"])] && m["Type"] != any(registry.ApiGatewayV2Api) {
			asObject(m["Properties"])["Tags"] = cloneObject(tags)
		}
	}
}

// httpStage makes the API's stage, and gives its logical ID.
func (x *expander) httpStage(p object, passed object) string {
	name := p["StageName"]
	if !given(name) {
		name = defaultPath
	}
	id := x.id + "Stage" + hashOf(asText(name))
	if text := asText(name); text == defaultPath {
		id = x.id + "ApiGatewayDefaultStage"
	} else if isAlphanumeric(text) {
		id = x.id + text + "Stage"
	}
	stage := object{"ApiId": ref(x.id), "StageName": name, "AutoDeploy": true}
	pass(stage, p, "StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")
	set(stage, "Tags", p["Tags"])
	x.emit(id, registry.ApiGatewayV2Stage, stage, passed)
	return id
}

func (x *expander) bodyTags(body, tags object) {
	list := slices.Clone(asList(body["tags"]))
	for _, name := range sorted(tags) {
		at := slices.IndexFunc(list, func(v any) bool { return asObject(v)["name"] == any(name) })
		if at < 0 {
			list, at = append(list, object{"name": name}), len(list)
		}
		asObject(list[at])["x-amazon-apigateway-tag-value"] = tags[name]
	}
	body["tags"] = list
}

func (x *expander) endpointConfig(body object, disabled any) {
	servers := asList(body["servers"])
	if servers == nil {
		servers = []any{object{}}
	}
	for i, server := range servers {
		m := asObject(server)
		if m == nil {
			x.fail(x.property(fmt.Sprintf("DefinitionBody.servers.%d", i)), "write a map, such as {\"url\": …}", "a server of the API is no map")
			return
		}
		config := asObject(m["x-amazon-apigateway-endpoint-configuration"])
		if config == nil {
			config = object{}
		}
		config["disableExecuteApiEndpoint"] = disabled
		m["x-amazon-apigateway-endpoint-configuration"] = config
	}
	body["servers"] = servers
}

// httpCORS writes which pages of other origins may call the API.
func (x *expander) httpCORS(p, body object) {
	config := asObject(body["x-amazon-apigateway-cors"])
	if config == nil {
		config = object{}
	}
	body["x-amazon-apigateway-cors"] = config
	keys := map[string]string{"AllowOrigins": "allowOrigins", "AllowHeaders": "allowHeaders", "AllowMethods": "allowMethods",
		"ExposeHeaders": "exposeHeaders", "MaxAge": "maxAge", "AllowCredentials": "allowCredentials"}
	switch c := x.known(p["CorsConfiguration"]).(type) {
	case bool:
		config["allowOrigins"] = []any{"*"}
	case object:
		if intrinsic(c) {
			// The keys inside the call are written as OpenAPI has them.
			for key, v := range asObject(renamedKeys(c, keys)) {
				config[key] = v
			}
			return
		}
		if c["AllowCredentials"] == true && same(c["AllowOrigins"], []any{"*"}) {
			x.fail(x.property("CorsConfiguration"), "name the origins", "AllowCredentials is not for every origin")
		}
		for _, key := range sorted(c) {
			to, ok := keys[key]
			if !ok {
				x.fail(x.property("CorsConfiguration."+key), "write one of "+strings.Join(sorted(keys), ", "), "there is no such property")
				continue
			}
			if v := c[key]; given(v) || key == "MaxAge" && v != nil {
				config[to] = v
			}
		}
	default:
		x.fail(x.property("CorsConfiguration"), "write true or a map", "it is neither")
	}
}

// renamedKeys renames keys anywhere in a value.
func renamedKeys(v any, keys map[string]string) any {
	switch v := v.(type) {
	case object:
		m := object{}
		for key, e := range v {
			if to, ok := keys[key]; ok {
				key = to
			}
			m[key] = renamedKeys(e, keys)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = renamedKeys(e, keys)
		}
		return list
	}
	return v
}

// httpAuthorizers writes who may call the API: its authorizers, and the default
// one at every route that has none.
func (x *expander) httpAuthorizers(p, body object) {
	auth := asObject(p["Auth"])
	x.checkKeys("Auth", p["Auth"], "Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer")
	schemes := object{}
	if components := asObject(body["components"]); components != nil {
		schemes = cloneObject(asObject(components["securitySchemes"]))
	}
	scopes := map[string]any{}
	if auth["EnableIamAuthorizer"] == true {
		schemes["AWS_IAM"] = object{"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
		scopes["AWS_IAM"] = nil
	}
	authorizers := asObject(auth["Authorizers"])
	for _, name := range sorted(authorizers) {
		a, ok := authorizers[name].(object)
		if !ok {
			x.fail(x.property("Auth.Authorizers."+name), "write a map", "it is no map")
			continue
		}
		schemes[name] = x.httpAuthorizer(name, a)
		scopes[name] = a["AuthorizationScopes"]
	}
	if len(schemes) > 0 {
		if asObject(body["components"]) == nil {
			body["components"] = object{}
		}
		asObject(body["components"])["securitySchemes"] = schemes
	}
	name := auth["DefaultAuthorizer"]
	if !given(name) || noValue(name) {
		return
	}
	own, ok := scopes[asText(name)]
	if !ok {
		x.fail(x.property("Auth.DefaultAuthorizer"), "write it below Authorizers", "the API has no authorizer %v", name)
		return
	}
	if own == nil {
		own = []any{}
	}
	paths := asObject(body["paths"])
	for _, path := range sorted(paths) {
		for _, item := range cases(paths[path]) {
			for method, operation := range asObject(item) {
				if method == "parameters" || method == "options" {
					continue
				}
				for _, o := range cases(operation) {
					if m := asObject(o); given(m[integrationKey]) && !given(m["security"]) {
						m["security"] = []any{object{asText(name): own}}
					}
				}
			}
		}
	}
}

// httpAuthorizer writes one authorizer: of tokens, or a function.
func (x *expander) httpAuthorizer(name string, a object) object {
	path := "Auth.Authorizers." + name
	x.checkKeys(path, a, "AuthorizationScopes", "JwtConfiguration", "IdentitySource", "FunctionArn", "FunctionInvokeRole", "Identity",
		"AuthorizerPayloadFormatVersion", "EnableSimpleResponses", "EnableFunctionDefaultPermissions")
	if jwt := asObject(a["JwtConfiguration"]); len(jwt) > 0 {
		if !given(a["IdentitySource"]) {
			x.fail(x.property(path+".IdentitySource"), "write where the token is", "the authorizer has none")
		}
		config := object{}
		for key, v := range jwt {
			config[strings.ToLower(key)] = v
		}
		return object{"type": "oauth2", authorizerKey: object{"jwtConfiguration": config, "identitySource": a["IdentitySource"], "type": "jwt"}}
	}
	for _, key := range []string{"FunctionArn", "AuthorizerPayloadFormatVersion"} {
		if !given(a[key]) {
			x.fail(x.property(path+"."+key), "write it, or JwtConfiguration", "the authorizer is a function, and has none")
		}
	}
	for _, key := range []string{"AuthorizationScopes", "IdentitySource"} {
		if a[key] != nil {
			x.fail(x.property(path+"."+key), "leave it out, or write JwtConfiguration", "only an authorizer of tokens has it")
		}
	}
	config := object{
		"type": "request", "authorizerPayloadFormatVersion": a["AuthorizerPayloadFormatVersion"],
		"authorizerUri": sub("arn:"+partition+":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations", object{"__FunctionArn__": a["FunctionArn"]}),
	}
	if role := a["FunctionInvokeRole"]; given(role) && role != any("NONE") {
		config["authorizerCredentials"] = role
	}
	if identity := asObject(a["Identity"]); len(identity) > 0 {
		set(config, "authorizerResultTtlInSeconds", identity["ReauthorizeEvery"])
		source := []any{}
		for _, from := range [][2]string{{"$request.header.", "Headers"}, {"$request.querystring.", "QueryStrings"}, {"$stageVariables.", "StageVariables"}, {"$context.", "Context"}} {
			for _, v := range asList(identity[from[1]]) {
				source = append(source, from[0]+asText(v))
			}
		}
		config["identitySource"] = source
	}
	if given(a["EnableSimpleResponses"]) {
		config["enableSimpleResponses"] = a["EnableSimpleResponses"]
	}
	return object{"type": "apiKey", "name": "Unused", "in": "header", authorizerKey: config}
}

func (x *expander) httpAuthorizerPermissions(p, passed object) {
	authorizers := asObject(asObject(p["Auth"])["Authorizers"])
	for _, name := range sorted(authorizers) {
		a := asObject(authorizers[name])
		if !given(a["FunctionArn"]) || a["EnableFunctionDefaultPermissions"] != true {
			continue
		}
		x.emit(x.id+name+"AuthorizerPermission", registry.LambdaPermission, object{
			"Action": "lambda:InvokeFunction", "FunctionName": a["FunctionArn"], "Principal": "apigateway.amazonaws.com",
			"SourceArn": sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*", object{"__ApiId__": ref(x.id)}),
		}, passed)
	}
}
