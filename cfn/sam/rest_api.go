package sam

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strings"

	"arc/cfn/registry"
)

// deployments holds what several REST APIs share.
type deployments struct {
	shared  []any // the APIs of the usage plan that several share
	planned []any // their stages
	keyed   []any // the same for its key
	// What that plan and its key are given of all of those APIs.
	sharing       object   // DeletionPolicy and UpdateReplacePolicy
	conditions    []string // under each of which there is one of them
	unconditional bool     // there is one in any case
}

func swaggerSkeleton() object {
	return object{"swagger": "2.0", "info": object{"version": "1.0", "title": ref("AWS::StackName")}, "paths": object{}}
}

// openAPIVersions turns bodies that SAM writes into OpenAPI 3 where OpenApiVersion
// says so.
func (x *expander) openAPIVersions() {
	for _, id := range sorted(x.resources) {
		r := asObject(x.resources[id])
		p := asObject(r["Properties"])
		if asText(r["Type"]) != registry.ServerlessApi || p[managedBody] != true || !isVersion3(p["OpenApiVersion"]) {
			continue
		}
		body := asObject(p["DefinitionBody"])
		body["openapi"] = versionText(p["OpenApiVersion"])
		delete(body, "swagger")
	}
}

func versionText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	var b strings.Builder
	canonical(&b, v)
	return b.String()
}

func isVersion3(v any) bool { return given(v) && strings.HasPrefix(versionText(v), "3.") }

func isSwagger(body object) bool {
	return asObject(body["paths"]) != nil && (given(body["swagger"]) || isVersion3(body["openapi"]))
}

// restAPI expands AWS::Serverless::Api.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html
func (x *expander) restAPI(r object) {
	p := asObject(r["Properties"])
	passed := passedAttributes(r)
	for _, key := range []string{"BinaryMediaTypes", "Domain", "Auth"} {
		if p[key] != nil {
			p[key] = x.known(p[key])
		}
	}
	body := cloneObject(asObject(p["DefinitionBody"]))
	inline := len(body) > 0
	if inline && given(p["DefinitionUri"]) {
		x.fail(x.property("DefinitionUri"), "leave one of them out", "DefinitionBody is written, too")
	}
	if given(p["MergeDefinitions"]) {
		x.fail(x.property("MergeDefinitions"), "write the whole DefinitionBody", "merging definitions is not expanded here")
	}
	api := object{}
	pass(api, p, "BinaryMediaTypes", "MinimumCompressionSize")
	x.endpoints(p["EndpointConfiguration"], api)
	for _, part := range []struct {
		property string
		write    func(p, body object)
	}{{"Cors", x.restCORS}, {"Auth", x.restAuthorizers}, {"GatewayResponses", x.gatewayResponses}, {"Models", x.models}} {
		if !given(p[part.property]) {
			continue
		}
		if !isSwagger(body) {
			x.fail(x.property(part.property), "write a Swagger document as DefinitionBody", "SAM writes it into the body, and there is none that it can edit")
			continue
		}
		part.write(p, body)
		if part.property == "Auth" || part.property == "Models" {
			openAPI3(p, body) // again at the end, as the translator does: it nests the schemas of CORS headers
		}
	}
	if inline && given(p["BinaryMediaTypes"]) {
		body["x-amazon-apigateway-binary-media-types"] = withSlashes(p["BinaryMediaTypes"])
	}
	if p["DisableExecuteApiEndpoint"] != nil {
		if isVersion3(body["openapi"]) {
			x.endpointConfig(body, p["DisableExecuteApiEndpoint"])
		} else {
			config := cloneObject(asObject(body["x-amazon-apigateway-endpoint-configuration"]))
			config["disableExecuteApiEndpoint"] = p["DisableExecuteApiEndpoint"]
			body["x-amazon-apigateway-endpoint-configuration"] = config
		}
	}
	var content any
	switch {
	case given(p["DefinitionUri"]):
		place := asObject(x.location(p["DefinitionUri"], "DefinitionUri"))
		content = p["DefinitionUri"]
		if place != nil {
			at := object{"Bucket": place["S3Bucket"], "Key": place["S3Key"]}
			set(at, "Version", place["S3ObjectVersion"])
			content = at
		}
		api["BodyS3Location"] = content
	case inline:
		openAPI3(p, body)
		api["Body"], content = body, body
	}
	for _, key := range []string{"FailOnWarnings", "Name", "Description", "Mode", "ApiKeySourceType", "Policy", "SecurityPolicy", "EndpointAccessMode"} {
		if given(p[key]) {
			api[key] = p[key]
		}
	}
	x.emit(x.id, registry.ApiGatewayRestApi, api, ownAttributes(r))
	x.restDomain(p, passed)
	stage := x.restStage(p, passed, content)
	x.authorizerPermissions(p, passed)
	x.usagePlan(p, passed, stage)
	x.propagate(p["Tags"], p["PropagateTags"])
}

func withSlashes(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "~1", "/")
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = withSlashes(e)
		}
		return list
	case object:
		m := object{}
		for key, e := range v {
			m[strings.ReplaceAll(key, "~1", "/")] = withSlashes(e)
		}
		return m
	}
	return v
}

// endpoints says from where an API is reached.
func (x *expander) endpoints(v any, api object) {
	if !given(v) {
		return
	}
	m := asObject(v)
	if !given(m["Type"]) {
		api["EndpointConfiguration"], api["Parameters"] = object{"Types": []any{v}}, object{"endpointConfigurationTypes": v}
		return
	}
	config := object{"Types": []any{m["Type"]}}
	for _, key := range []string{"VPCEndpointIds", "VpcEndpointIds"} {
		set(config, "VpcEndpointIds", m[key])
	}
	set(config, "IpAddressType", m["IpAddressType"])
	api["EndpointConfiguration"], api["Parameters"] = config, object{"endpointConfigurationTypes": m["Type"]}
}

// restStage makes the deployment of the API and the stage that it is for.
func (x *expander) restStage(p, passed object, content any) string {
	deployment := object{"RestApiId": ref(x.id)}
	if !given(p["OpenApiVersion"]) {
		deployment["StageName"] = "Stage"
	}
	id := x.id + "Deployment"
	if given(content) {
		var b strings.Builder
		canonical(&b, []any{content, p["OpenApiVersion"], p["Domain"]})
		sum := sha1.Sum([]byte(b.String()))
		digest := hex.EncodeToString(sum[:])
		id += digest[:10]
		deployment["Description"] = "RestApi deployment id: " + digest
	}
	x.emit(id, registry.ApiGatewayDeployment, deployment, passed)
	stageID := x.id + "Stage"
	if name, ok := p["StageName"].(string); ok {
		stageID = x.id + name + "Stage"
		if !isAlphanumeric(name) {
			stageID = x.id + "Stage" + hashOf(name)
		}
	}
	stage := object{"RestApiId": ref(x.id), "DeploymentId": ref(id), "StageName": p["StageName"]}
	pass(stage, p, "CacheClusterEnabled", "CacheClusterSize", "Variables", "MethodSettings", "AccessLogSetting", "CanarySetting", "TracingEnabled")
	if p["Tags"] != nil {
		stage["Tags"] = tagList(asObject(p["Tags"]))
	}
	x.emit(stageID, registry.ApiGatewayStage, stage, passed)
	x.refersAs(x.id, "Stage", stageID)
	x.refersAs(x.id, "Deployment", id)
	return stageID
}

// openAPI3 moves what Swagger 2 has elsewhere, where OpenApiVersion asks for 3.
func openAPI3(p, body object) {
	if body["swagger"] != nil {
		return
	}
	version := p["OpenApiVersion"]
	if version == nil {
		version = body["openapi"]
	}
	if !isVersion3(version) {
		return
	}
	for from, to := range map[string]string{"securityDefinitions": "securitySchemes", "definitions": "schemas"} {
		if !given(body[from]) {
			continue
		}
		components := asObject(body["components"])
		if components == nil {
			components = object{}
		}
		components[to] = body[from]
		body["components"] = components
		delete(body, from)
	}
	for _, item := range asObject(body["paths"]) {
		options := asObject(asObject(item)["options"])
		delete(options, "produces")
		delete(options, "consumes")
		headers := asObject(asObject(asObject(options["responses"])["200"])["headers"])
		for name, v := range headers {
			headers[name] = object{"schema": v}
		}
	}
}

// restCORS answers OPTIONS at every path.
func (x *expander) restCORS(p, body object) {
	c := object{"AllowOrigin": p["Cors"]}
	if m := asObject(p["Cors"]); m != nil && !intrinsic(m) {
		c = m
		x.checkKeys("Cors", m, "AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge", "AllowCredentials")
	} else if _, ok := p["Cors"].(string); !ok && m == nil {
		x.fail(x.property("Cors"), "write an origin in quotes, or a map", "it is neither")
	}
	origin := c["AllowOrigin"]
	if origin == nil {
		origin = "'*'"
	}
	if c["AllowCredentials"] == true && origin == any("'*'") {
		x.fail(x.property("Cors"), "name the origin", "AllowCredentials is not for every origin")
	}
	paths := asObject(body["paths"])
	seen := map[string]bool{}
	names := sorted(paths)
	for _, path := range names {
		short := path
		if path != "/" {
			short = strings.TrimRight(path, "/")
		}
		if seen[short] {
			continue
		}
		seen[short] = true
		for _, item := range cases(paths[path]) {
			m := asObject(item)
			if m == nil || m["options"] != nil {
				continue
			}
			methods := c["AllowMethods"]
			if !given(methods) {
				methods = "'" + allMethods(m) + "'"
			}
			m["options"] = corsOperation(origin, c["AllowHeaders"], methods, c["MaxAge"], c["AllowCredentials"] == true)
		}
	}
}

// allMethods names the methods of a path for Access-Control-Allow-Methods.
func allMethods(item object) string {
	names := []string{"OPTIONS"}
	for method := range item {
		if method == "x-amazon-apigateway-any-method" {
			return "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
		}
		names = append(names, strings.ToUpper(method))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

func corsOperation(origin, allowed, methods, age any, credentials bool) object {
	parameters, headers := object{}, object{}
	add := func(name string, v any, typ string) {
		parameters["method.response.header.Access-Control-"+name] = v
		headers["Access-Control-"+name] = object{"type": typ}
	}
	add("Allow-Origin", origin, "string")
	if given(allowed) {
		add("Allow-Headers", allowed, "string")
	}
	add("Allow-Methods", methods, "string")
	if age != nil {
		add("Max-Age", age, "integer")
	}
	if credentials {
		add("Allow-Credentials", "'true'", "string")
	}
	return object{
		"summary": "CORS support", "consumes": []any{"application/json"}, "produces": []any{"application/json"},
		integrationKey: object{
			"type": "mock", "requestTemplates": object{"application/json": "{\n  \"statusCode\" : 200\n}\n"},
			"responses": object{"default": object{"statusCode": "200", "responseParameters": parameters, "responseTemplates": object{"application/json": "{}\n"}}},
		},
		"responses": object{"200": object{"description": "Default response for CORS method", "headers": headers}},
	}
}

// gatewayResponses writes what the API answers by itself.
func (x *expander) gatewayResponses(p, body object) {
	all := cloneObject(asObject(body["x-amazon-apigateway-gateway-responses"]))
	responses := asObject(p["GatewayResponses"])
	for _, name := range sorted(responses) {
		r, ok := responses[name].(object)
		path := "GatewayResponses." + name
		if !ok || intrinsic(r) {
			x.fail(x.property(path), "write a map", "it is no map")
			continue
		}
		x.checkKeys(path, r, "ResponseParameters", "ResponseTemplates", "StatusCode")
		parameters := object{}
		from := asObject(r["ResponseParameters"])
		x.checkKeys(path+".ResponseParameters", from, "Headers", "Paths", "QueryStrings")
		for _, pair := range [][2]string{{"Headers", "header."}, {"Paths", "path."}, {"QueryStrings", "querystring."}} {
			for key, v := range asObject(from[pair[0]]) {
				parameters["gatewayresponse."+pair[1]+key] = v
			}
		}
		templates := r["ResponseTemplates"]
		if templates == nil {
			templates = object{}
		}
		out := object{"responseParameters": parameters, "responseTemplates": templates}
		if given(r["StatusCode"]) {
			out["statusCode"] = versionText(r["StatusCode"])
		}
		all[name] = out
	}
	body["x-amazon-apigateway-gateway-responses"] = all
}

// models writes the models of bodies.
func (x *expander) models(p, body object) {
	all := cloneObject(asObject(body["definitions"]))
	for name, schema := range asObject(p["Models"]) {
		if !given(asObject(schema)["type"]) {
			x.fail(x.property("Models."+name), "write its type", "the model has no type")
		}
		all[strings.ToLower(name)] = schema
	}
	body["definitions"] = all
}
