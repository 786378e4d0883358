package sam

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// restAuthorizers writes who may call the API: its authorizers, the default one at
// every method that has none, keys, and the policy of the API.
func (x *expander) restAuthorizers(p, body object) {
	auth := asObject(p["Auth"])
	x.checkKeys("Auth", auth, "Authorizers", "DefaultAuthorizer", "InvokeRole", "AddDefaultAuthorizerToCorsPreflight",
		"AddApiKeyRequiredToCorsPreflight", "ApiKeyRequired", "ResourcePolicy", "UsagePlan")
	schemes := asObject(body["securityDefinitions"])
	if schemes == nil {
		schemes = object{}
	}
	name := asText(auth["DefaultAuthorizer"])
	names := map[string]any{"AWS_IAM": nil}
	if name == "AWS_IAM" {
		schemes[name] = iamScheme()
	}
	authorizers := asObject(auth["Authorizers"])
	for _, key := range sorted(authorizers) {
		a, ok := authorizers[key].(object)
		if !ok {
			x.fail(x.property("Auth.Authorizers."+key), "write a map", "it is no map")
			continue
		}
		schemes[key] = x.restAuthorizer(key, a)
		names[key] = a["AuthorizationScopes"]
	}
	if len(schemes) > 0 {
		body["securityDefinitions"] = schemes
	}
	paths := asObject(body["paths"])
	if given(auth["DefaultAuthorizer"]) {
		if _, ok := names[name]; !ok {
			x.fail(x.property("Auth.DefaultAuthorizer"), "write it below Authorizers", "the API has no authorizer %v", auth["DefaultAuthorizer"])
			return
		}
		preflight := auth["AddDefaultAuthorizerToCorsPreflight"]
		eachMethod(paths, func(method string, operation object) {
			if method != "options" || preflight == nil || given(preflight) {
				defaultAuthorizer(body, operation, name, names)
			}
		})
	}
	if given(auth["ApiKeyRequired"]) {
		addScheme(body, "api_key", object{"type": "apiKey", "name": "x-api-key", "in": "header"})
		preflight := auth["AddApiKeyRequiredToCorsPreflight"]
		eachMethod(paths, func(method string, operation object) {
			defaultKey(operation, method != "options" || preflight == nil || given(preflight))
		})
	}
	if policy := asObject(auth["ResourcePolicy"]); len(policy) > 0 {
		for _, path := range sorted(paths) {
			x.resourcePolicy(body, policy, path, p["StageName"])
		}
		addStatements(body, policy["CustomStatements"])
	}
}

// eachMethod visits the operations that somebody answers.
func eachMethod(paths object, visit func(method string, operation object)) {
	for _, path := range sorted(paths) {
		for _, item := range cases(paths[path]) {
			m := asObject(item)
			for _, method := range sorted(m) {
				if method == "parameters" {
					continue
				}
				for _, v := range cases(m[method]) {
					if operation := asObject(v); given(operation[integrationKey]) {
						visit(method, operation)
					}
				}
			}
		}
	}
}

func defaultAuthorizer(body, operation object, name string, names map[string]any) {
	var others, own []any
	none := -1
	for _, v := range asList(operation["security"]) {
		isOwn := false
		for key := range asObject(v) {
			_, known := names[key]
			isOwn = isOwn || known
			if key == "NONE" {
				none = len(others)
			}
		}
		if isOwn {
			own = append(own, v)
		} else {
			others = append(others, v)
		}
	}
	switch {
	case none >= 0:
		others, own = slices.Delete(slices.Clone(others), none, none+1), nil
	case own == nil:
		scopes := names[name]
		if scopes == nil {
			scopes = []any{}
		}
		own = []any{object{name: scopes}}
	}
	security := append(others, own...)
	if len(security) == 0 {
		return
	}
	operation["security"] = security
	if _, ok := asObject(security[0])["AWS_IAM"]; ok {
		addScheme(body, "AWS_IAM", iamScheme())
	}
}

func defaultKey(operation object, required bool) {
	var others []any
	off := false
	for _, v := range asList(operation["security"]) {
		m := asObject(v)
		_, isKey := m["api_key"]
		_, isOff := m["api_key_false"]
		if off = off || isOff; !isKey && !isOff {
			others = append(others, v)
		}
	}
	security := others
	if !off && required {
		security = append(slices.Clone(others), object{"api_key": []any{}})
	}
	if !same(any(security), any(asList(operation["security"]))) {
		if security == nil {
			security = []any{}
		}
		operation["security"] = security
	}
}

// restAuthorizer writes one authorizer: a user pool, or a function.
func (x *expander) restAuthorizer(name string, a object) object {
	path := "Auth.Authorizers." + name
	identity := asObject(a["Identity"])
	header := identity["Header"]
	if !given(header) {
		header = "Authorization"
	}
	scheme := object{"type": "apiKey", "name": header, "in": "header", "x-amazon-apigateway-authtype": "custom"}
	if pool := a["UserPoolArn"]; given(pool) {
		arns, ok := pool.([]any)
		if !ok {
			arns = []any{pool}
		}
		config := object{"type": "cognito_user_pools", "providerARNs": arns}
		if given(identity["ValidationExpression"]) {
			config["identityValidationExpression"] = identity["ValidationExpression"]
		}
		scheme["x-amazon-apigateway-authtype"], scheme[authorizerKey] = "cognito_user_pools", config
		return scheme
	}
	config := object{
		"type":          "token",
		"authorizerUri": sub("arn:"+partition+":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations", object{"__FunctionArn__": a["FunctionArn"]}),
	}
	set(config, "authorizerResultTtlInSeconds", identity["ReauthorizeEvery"])
	if role := a["FunctionInvokeRole"]; given(role) && role != any("NONE") {
		config["authorizerCredentials"] = role
	}
	switch a["FunctionPayloadType"] {
	case "REQUEST":
		config["type"], scheme["name"] = "request", "Unused"
		var source []string
		for _, from := range [][2]string{{"Headers", "method.request.header."}, {"QueryStrings", "method.request.querystring."}, {"StageVariables", "stageVariables."}, {"Context", "context."}} {
			for _, v := range asList(identity[from[0]]) {
				source = append(source, from[1]+asText(v))
			}
		}
		if len(source) == 0 && same(identity["ReauthorizeEvery"], number(0)) {
			break
		}
		if len(source) == 0 {
			x.fail(x.property(path+".Identity"), "write Headers, QueryStrings, StageVariables or Context", "the authorizer has nothing to tell callers apart by")
		}
		config["identitySource"] = strings.Join(source, ", ")
	case nil, "", "TOKEN":
		if given(identity["ValidationExpression"]) {
			config["identityValidationExpression"] = identity["ValidationExpression"]
		}
	default:
		x.fail(x.property(path+".FunctionPayloadType"), "write TOKEN or REQUEST", "it is neither")
	}
	scheme[authorizerKey] = config
	return scheme
}

// authorizerPermissions lets the API call the functions that are authorizers.
func (x *expander) authorizerPermissions(p, passed object) {
	authorizers := asObject(asObject(p["Auth"])["Authorizers"])
	for _, name := range sorted(authorizers) {
		a := asObject(authorizers[name])
		if !given(a["FunctionArn"]) || given(a["DisableFunctionDefaultPermissions"]) {
			continue
		}
		x.emit(x.id+name+"AuthorizerPermission", registry.LambdaPermission, object{
			"Action": "lambda:InvokeFunction", "FunctionName": a["FunctionArn"], "Principal": "apigateway.amazonaws.com",
			"SourceArn": sub("arn:"+partition+":execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*", object{"__ApiId__": ref(x.id)}),
		}, passed)
	}
}

const apiPolicy = "x-amazon-apigateway-policy"

// resourcePolicy lets accounts, addresses and networks in at a path, or keeps them
// out.
func (x *expander) resourcePolicy(body, policy object, path string, stage any) {
	x.checkKeys("Auth.ResourcePolicy", policy, "AwsAccountWhitelist", "AwsAccountBlacklist", "IpRangeWhitelist", "IpRangeBlacklist", "SourceVpcWhitelist",
		"SourceVpcBlacklist", "IntrinsicVpcWhitelist", "IntrinsicVpceWhitelist", "IntrinsicVpcBlacklist", "IntrinsicVpceBlacklist", "CustomStatements")
	var resources []any
	for _, item := range cases(asObject(body["paths"])[path]) {
		for _, method := range sorted(asObject(item)) {
			star := strings.ToUpper(method)
			if method == cfn.AnyMethod {
				star = "*"
			}
			resources = append(resources, sub("execute-api:/${__Stage__}/"+star+restVariables(path), object{"__Stage__": stage}))
		}
	}
	all := cloneObject(asObject(body[apiPolicy]))
	add := func(statement object, once bool) {
		all["Version"] = "2012-10-17"
		list, isList := all["Statement"].([]any)
		switch {
		case all["Statement"] == nil && !once:
			all["Statement"] = statement
			return
		case !isList && all["Statement"] != nil:
			list = []any{all["Statement"]}
		}
		if !once || !contains(list, statement) {
			list = append(list, statement)
		}
		all["Statement"] = list
	}
	statement := func(effect string, principal, condition any) object {
		s := object{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resources, "Principal": principal}
		set(s, "Condition", condition)
		return s
	}
	asListOf := func(v any) []any {
		if list, ok := v.([]any); ok {
			return list
		}
		return []any{v}
	}
	for _, pair := range [][2]string{{"AwsAccountWhitelist", "Allow"}, {"AwsAccountBlacklist", "Deny"}} {
		if v := policy[pair[0]]; given(v) {
			add(statement(pair[1], object{"AWS": asListOf(v)}, nil), false)
		}
	}
	for _, pair := range [][2]string{{"IpRangeWhitelist", "NotIpAddress"}, {"IpRangeBlacklist", "IpAddress"}} {
		if v := policy[pair[0]]; given(v) {
			add(statement("Allow", "*", nil), true)
			add(statement("Deny", "*", object{pair[1]: object{"aws:SourceIp": asListOf(v)}}), true)
		}
	}
	for _, list := range [][2]string{{"Blacklist", "StringEquals"}, {"Whitelist", "StringNotEquals"}} {
		var vpcs, endpoints []any
		for _, v := range asList(policy["SourceVpc"+list[0]]) {
			switch text := asText(v); {
			case strings.HasPrefix(text, "vpce-"):
				endpoints = append(endpoints, v)
			case strings.HasPrefix(text, "vpc-"):
				vpcs = append(vpcs, v)
			case text == "":
				x.fail(x.property("Auth.ResourcePolicy.SourceVpc"+list[0]), "use IntrinsicVpc"+list[0], "it takes text alone")
			}
		}
		vpcs = append(vpcs, asList(policy["IntrinsicVpc"+list[0]])...)
		endpoints = append(endpoints, asList(policy["IntrinsicVpce"+list[0]])...)
		condition := object{}
		if len(vpcs) > 0 {
			condition["aws:SourceVpc"] = vpcs
		}
		if len(endpoints) > 0 {
			condition["aws:SourceVpce"] = endpoints
		}
		if len(condition) > 0 {
			add(statement("Allow", "*", nil), true)
			add(statement("Deny", "*", object{list[1]: condition}), true)
		}
	}
	body[apiPolicy] = all
}

func restVariables(path string) string {
	short := restPath(path)
	if len(path) > 1 && strings.HasSuffix(path, "/") {
		short += "/"
	}
	return short
}

// addStatements adds statements of one's own to the policy of an API.
func addStatements(body object, statements any) {
	if !given(statements) {
		return
	}
	policy := cloneObject(asObject(body[apiPolicy]))
	policy["Version"] = "2012-10-17"
	if policy["Statement"] == nil {
		policy["Statement"] = statements
	} else {
		list, ok := policy["Statement"].([]any)
		if !ok {
			list = []any{policy["Statement"]}
		}
		own, ok := statements.([]any)
		if !ok {
			own = []any{statements}
		}
		for _, s := range own {
			if !contains(list, s) {
				list = append(list, s)
			}
		}
		policy["Statement"] = list
	}
	body[apiPolicy] = policy
}

// sharedCondition holds where any API is that shares the usage plan.
const sharedCondition = "SharedUsagePlanCondition"

// sharedAttributes are those of a plan that one API more shares, which has
// attributes itself: it is there where any of them is, and kept where one of them
// is to be.
func (x *expander) sharedAttributes(passed object) object {
	if x.sharing == nil {
		x.sharing = object{}
	}
	for _, name := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
		before, now := x.sharing[name], passed[name]
		if given(now) && (before == nil || now == "Retain" || name == "UpdateReplacePolicy" && now == "Snapshot" && before == "Delete") {
			x.sharing[name] = now
		}
	}
	condition := asText(passed["Condition"])
	if condition == "" {
		x.unconditional = true
		delete(asObject(x.template["Conditions"]), sharedCondition)
	} else if !slices.Contains(x.conditions, condition) {
		x.conditions = append(x.conditions, condition)
		slices.Sort(x.conditions)
	}
	attributes := cloneObject(x.sharing)
	switch {
	case x.unconditional:
	case len(x.conditions) == 1:
		attributes["Condition"] = condition
	default:
		attributes["Condition"] = sharedCondition
		x.anyOf(sharedCondition, x.conditions)
	}
	return attributes
}

// usagePlan makes the plan and the key with which an API is used: its own, or one
// that all APIs of the template share.
func (x *expander) usagePlan(p, passed object, stage string) {
	settings := asObject(asObject(p["Auth"])["UsagePlan"])
	if settings == nil {
		return
	}
	x.checkKeys("Auth.UsagePlan", settings, "CreateUsagePlan", "Description", "Quota", "Tags", "Throttle", "UsagePlanName")
	plan, key, planKey := x.id+"UsagePlan", x.id+"ApiKey", x.id+"UsagePlanKey"
	waits := []any{x.id}
	stages := []any{object{"ApiId": ref(x.id), "Stage": ref(stage)}}
	keys := []any{object{"RestApiId": ref(x.id), "StageName": ref(stage)}}
	switch settings["CreateUsagePlan"] {
	case "NONE":
		return
	case "PER_API":
	case "SHARED":
		plan, key, planKey = "ServerlessUsagePlan", "ServerlessApiKey", "ServerlessUsagePlanKey"
		x.shared, x.planned, x.keyed = append(x.shared, waits...), append(x.planned, stages...), append(x.keyed, keys...)
		waits, stages, keys = slices.Clone(x.shared), slices.Clone(x.planned), slices.Clone(x.keyed)
		passed = x.sharedAttributes(passed)
	default:
		x.fail(x.property("Auth.UsagePlan.CreateUsagePlan"), "write PER_API, SHARED or NONE", "it is none of them")
		return
	}
	attributes := func(on ...any) object {
		a := cloneObject(passed)
		a["DependsOn"] = on
		return a
	}
	properties := object{"ApiStages": stages}
	for _, name := range []string{"UsagePlanName", "Description", "Quota", "Tags", "Throttle"} {
		if given(settings[name]) {
			properties[name] = settings[name]
		}
	}
	x.emit(plan, registry.ApiGatewayUsagePlan, properties, attributes(waits...))
	x.emit(key, registry.ApiGatewayApiKey, object{"Enabled": true, "StageKeys": keys}, attributes(plan))
	x.emit(planKey, registry.ApiGatewayUsagePlanKey, object{"KeyId": ref(key), "KeyType": "API_KEY", "UsagePlanId": ref(plan)}, attributes(key))
	x.refersAs(x.id, "UsagePlan", plan)
	x.refersAs(x.id, "ApiKey", key)
	x.refersAs(x.id, "UsagePlanKey", planKey)
}

// restDomain gives a REST API a name of its own.
func (x *expander) restDomain(p, passed object) {
	d := asObject(p["Domain"])
	if d == nil {
		return
	}
	x.checkKeys("Domain", d, "DomainName", "CertificateArn", "EndpointConfiguration", "IpAddressType", "MutualTlsAuthentication", "SecurityPolicy",
		"EndpointAccessMode", "Policy", "OwnershipVerificationCertificateArn", "BasePath", "NormalizeBasePath", "Route53")
	if d["DomainName"] == nil || d["CertificateArn"] == nil {
		x.fail(x.property("Domain"), "write DomainName and CertificateArn", "a domain needs both")
		return
	}
	id := "ApiGatewayDomainName" + hashOf(d["DomainName"])
	endpoint := asText(d["EndpointConfiguration"])
	certificate := "CertificateArn"
	switch endpoint {
	case "", "REGIONAL":
		endpoint, certificate = "REGIONAL", "RegionalCertificateArn"
	case "EDGE":
	default:
		x.fail(x.property("Domain.EndpointConfiguration"), "write REGIONAL or EDGE, or the plain resources", "domains of other kinds are not expanded here")
		return
	}
	config := object{"Types": []any{endpoint}}
	if given(d["IpAddressType"]) {
		config["IpAddressType"] = d["IpAddressType"]
	}
	domain := object{"DomainName": d["DomainName"], certificate: d["CertificateArn"], "EndpointConfiguration": config}
	for _, key := range []string{"SecurityPolicy", "EndpointAccessMode", "Policy", "OwnershipVerificationCertificateArn"} {
		if given(d[key]) {
			domain[key] = d[key]
		}
	}
	if tls := asObject(d["MutualTlsAuthentication"]); len(tls) > 0 {
		x.checkKeys("Domain.MutualTlsAuthentication", tls, "TruststoreUri", "TruststoreVersion")
		both := object{}
		for key, v := range tls {
			if given(v) {
				both[key] = v
			}
		}
		domain["MutualTlsAuthentication"] = both
	}
	x.emit(id, registry.ApiGatewayDomainName, domain, passed)
	x.refersAs(x.id, "DomainName", id)
	mapping := func(to string, path any) {
		properties := object{"DomainName": ref(id), "RestApiId": ref(x.id), "Stage": ref(x.id + ".Stage")}
		set(properties, "BasePath", path)
		x.emit(to, registry.ApiGatewayBasePathMapping, properties, passed)
	}
	paths := asList(d["BasePath"])
	if text := asText(d["BasePath"]); text != "" {
		paths = []any{text}
	}
	if len(paths) == 0 {
		mapping(x.id+"BasePathMapping", nil)
	}
	for _, v := range paths {
		path := strings.Map(func(r rune) rune {
			if isAlphanumeric(string(r)) {
				return r
			}
			return -1
		}, asText(v))
		if d["NormalizeBasePath"] == false {
			mapping(x.id+path+"BasePathMapping", v)
		} else {
			mapping(x.id+path+"BasePathMapping", path)
		}
	}
	if zone := asObject(d["Route53"]); given(zone["SeparateRecordSetGroup"]) {
		x.fail(x.property("Domain.Route53.SeparateRecordSetGroup"), "leave it out", "a group of records of its own is not expanded here")
		return
	}
	x.records(d, passed, func(zone object) object {
		if endpoint == "REGIONAL" {
			return object{"HostedZoneId": getAtt(id, "RegionalHostedZoneId"), "DNSName": getAtt(id, "RegionalDomainName")}
		}
		name := zone["DistributionDomainName"]
		if name == nil {
			name = getAtt(id, "DistributionDomainName")
		}
		return object{"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": name}
	})
}
