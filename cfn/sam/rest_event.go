package sam

import (
	"regexp"
	"slices"
	"strings"
)

// apiEvent adds a method to a REST API, and lets the API invoke the function.
func (x *expander) apiEvent(e event, to target) {
	p := e.properties
	method := strings.ToLower(asText(p["Method"]))
	path := asText(p["Path"])
	apiID := apiName(p["RestApiId"])
	api := asObject(asObject(x.resources[apiID])["Properties"])
	if api == nil {
		x.fail(e.path+".Properties.RestApiId", "refer to an API of the template", "there is no REST API %q", apiID)
		return
	}
	stage, isText := api["StageName"].(string)
	suffix := "Stage"
	if isText {
		if suffix = stage; !isAlphanumeric(stage) {
			suffix = hashOf(stage)
		}
	} else {
		stage = "Stage"
	}
	star := strings.ToUpper(method)
	if method == "any" {
		star = "*"
	}
	resource := "arn:" + partition + ":execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/" + star + restPath(path)
	permission := x.permission(e.id+"Permission"+suffix, to, "apigateway.amazonaws.com")
	permission["SourceArn"] = sub(resource, object{"__ApiId__": p["RestApiId"], "__Stage__": "*"})
	body := asObject(api["DefinitionBody"])
	if given(api["MergeDefinitions"]) {
		x.fail("Resources."+apiID+".Properties.MergeDefinitions", "write the whole DefinitionBody", "merging definitions is not expanded here")
		return
	}
	if api[managedBody] == true {
		x.restOperation(e, to, api, body, path, methodName(method), stage)
	} else if auth := asObject(p["Auth"]); body != nil && auth["OverrideApiAuth"] == true {
		x.restAuth(e, api, body, path, methodName(method), stage)
	}
}

// restPath is a path as it stands in the ARN of calls of REST APIs.
func restPath(path string) string {
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return regexp.MustCompile(`\{[a-zA-Z0-9._-]+\+?\}`).ReplaceAllString(path, "*")
}

// restOperation writes the operation of a route into the API's body.
func (x *expander) restOperation(e event, to target, api, body object, path, method, stage string) {
	p := e.properties
	paths := asObject(body["paths"])
	if hasIntegration(paths, path, method) {
		x.fail(e.path, "leave one of them out", "%s %s is there twice", p["Method"], path)
		return
	}
	if !x.operation(apiName(p["RestApiId"]), paths, path, method) {
		return
	}
	version, call := "2015-03-31", "invocations"
	streams := p["ResponseTransferMode"] == any("RESPONSE_STREAM")
	if streams {
		version, call = "2021-11-15", "response-streaming-invocations"
	}
	var uri any = invokeURI(to, partition, version, call)
	if to.condition != nil {
		uri = conditional(to.condition, uri)
	}
	auth, ofAPI := asObject(p["Auth"]), asObject(x.known(api["Auth"]))
	for _, item := range cases(paths[path]) {
		m := asObject(item)
		operation := asObject(m[method])
		i := object{"type": "aws_proxy", "httpMethod": "POST", "uri": uri}
		if streams {
			i["responseTransferMode"] = "STREAM"
		}
		if auth["Authorizer"] == any("AWS_IAM") || ofAPI["DefaultAuthorizer"] == any("AWS_IAM") && len(auth) == 0 {
			if credentials := invokeRole(auth, ofAPI); credentials != "NONE" {
				i["credentials"] = credentials
			}
		}
		operation[integrationKey] = i
		if operation["responses"] == nil {
			operation["responses"] = object{}
		}
		if to.condition != nil {
			m[method] = conditional(to.condition, operation)
		}
	}
	if len(auth) > 0 {
		x.restAuth(e, api, body, path, method, stage)
	}
	for _, operation := range operations(paths, path, method) {
		if given(p["TimeoutInMillis"]) {
			asObject(operation[integrationKey])["timeoutInMillis"] = p["TimeoutInMillis"]
		}
		x.requestModel(e, api, body, operation)
		x.requestParameters(e, operation)
	}
}

// invokeRole is in whose name an API under IAM calls a function: the caller's,
// unless a role is named.
func invokeRole(auth, api object) any {
	for _, a := range []object{auth, api} {
		if role, written := a["InvokeRole"]; written {
			if !given(role) {
				return "NONE"
			}
			if role != any("CALLER_CREDENTIALS") {
				return role
			}
			break
		}
	}
	return "arn:" + partition + ":iam::*:user/*"
}

// restAuth says who may call a route.
func (x *expander) restAuth(e event, api, body object, path, method, stage string) {
	auth, ofAPI := asObject(e.properties["Auth"]), asObject(x.known(api["Auth"]))
	at := e.path + ".Properties.Auth"
	authorizers := asObject(ofAPI["Authorizers"])
	name := auth["Authorizer"]
	switch {
	case !given(name):
		if given(auth["AuthorizationScopes"]) {
			x.fail(at+".AuthorizationScopes", "write Authorizer", "scopes are an authorizer's")
		}
	case name == any("AWS_IAM"):
	case name == any("NONE"):
		if !given(ofAPI["DefaultAuthorizer"]) {
			x.fail(at+".Authorizer", "leave it out", "NONE is for routes of an API with a DefaultAuthorizer")
		}
	case !given(authorizers[asText(name)]):
		x.fail(at+".Authorizer", "write it below Auth.Authorizers of the API", "the API has no authorizer %v", name)
	}
	if required := auth["ApiKeyRequired"]; required != nil && !given(required) && !given(ofAPI["ApiKeyRequired"]) {
		x.fail(at+".ApiKeyRequired", "leave it out", "the API asks for no key")
	}
	for _, operation := range operations(asObject(body["paths"]), path, method) {
		if !given(operation[integrationKey]) {
			continue
		}
		security := slices.Clone(asList(operation["security"]))
		if given(name) {
			var scopes any = []any{}
			if a := asObject(authorizers[asText(name)]); name != any("NONE") && a != nil {
				if own := a["AuthorizationScopes"]; own != nil {
					scopes = own
				}
				if own := auth["AuthorizationScopes"]; own != nil {
					scopes = own
				}
			}
			security = append(security, object{asText(name): scopes})
			operation["security"] = security
			if _, ok := asObject(security[0])["AWS_IAM"]; ok {
				addScheme(body, "AWS_IAM", iamScheme())
			}
		}
		if required := auth["ApiKeyRequired"]; required != nil {
			key := "api_key_false"
			if given(required) {
				key = "api_key"
				addScheme(body, "api_key", object{"type": "apiKey", "name": "x-api-key", "in": "header"})
			}
			operation["security"] = append(security, object{key: []any{}})
		}
	}
	if policy := asObject(auth["ResourcePolicy"]); policy != nil {
		x.resourcePolicy(body, policy, path, stage)
		addStatements(body, policy["CustomStatements"])
	}
}

func iamScheme() object {
	return object{"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
}

// addScheme adds a way to prove who one is to a body, unless it is there.
func addScheme(body object, name string, scheme object) {
	schemes := asObject(body["securityDefinitions"])
	if schemes == nil {
		schemes = object{}
		body["securityDefinitions"] = schemes
	}
	if schemes[name] == nil {
		schemes[name] = scheme
	}
}

// requestModel says what a route's body must look like.
func (x *expander) requestModel(e event, api, body, operation object) {
	m := asObject(e.properties["RequestModel"])
	name := asText(m["Model"])
	if name == "" {
		return
	}
	if asObject(api["Models"])[name] == nil {
		x.fail(e.path+".Properties.RequestModel.Model", "write it below Models of the API", "the API has no model %s", name)
		return
	}
	name = strings.ToLower(name)
	if body["swagger"] != nil {
		parameter := object{"in": "body", "name": name, "schema": object{"$ref": "#/definitions/" + name}}
		set(parameter, "required", m["Required"])
		operation["parameters"] = append(slices.Clone(asList(operation["parameters"])), parameter)
	} else {
		request := object{"content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/" + name}}}}
		set(request, "required", m["Required"])
		operation["requestBody"] = request
	}
	if m["ValidateBody"] == nil && m["ValidateParameters"] == nil {
		return
	}
	checksBody, checksParameters := m["ValidateBody"] == true, m["ValidateParameters"] == true
	validator := map[[2]bool]string{{true, true}: "body-and-params", {true, false}: "body-only", {false, true}: "params-only", {false, false}: "no-validation"}[[2]bool{checksBody, checksParameters}]
	validators := asObject(body["x-amazon-apigateway-request-validators"])
	if validators == nil {
		validators = object{}
		body["x-amazon-apigateway-request-validators"] = validators
	}
	validators[validator] = object{"validateRequestBody": checksBody, "validateRequestParameters": checksParameters}
	operation["x-amazon-apigateway-request-validator"] = validator
}

// requestParameters names the parameters of a route.
func (x *expander) requestParameters(e event, operation object) {
	list := asList(e.properties["RequestParameters"])
	if len(list) == 0 {
		return
	}
	parameters := slices.Clone(asList(operation["parameters"]))
	for _, v := range list {
		settings := object{"Required": false, "Caching": false}
		name, ok := v.(string)
		if m := asObject(v); len(m) == 1 {
			for key, own := range m {
				name, ok = key, true
				for k, s := range asObject(own) {
					settings[k] = s
				}
			}
		}
		rest, prefixed := strings.CutPrefix(name, "method.request.")
		in, short, dotted := strings.Cut(rest, ".")
		if !ok || !prefixed || !dotted || !slices.Contains([]string{"querystring", "path", "header"}, in) {
			x.fail(e.path+".Properties.RequestParameters", "write method.request.header.NAME, .querystring.NAME or .path.NAME", "%v is no parameter", v)
			continue
		}
		if in == "querystring" {
			in = "query"
		}
		parameters = append(parameters, object{"in": in, "name": short, "required": settings["Required"], "type": "string"})
		if given(settings["Caching"]) {
			i := asObject(operation[integrationKey])
			i["cacheKeyParameters"] = append(slices.Clone(asList(i["cacheKeyParameters"])), name)
		}
	}
	operation["parameters"] = parameters
}
