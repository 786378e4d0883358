package model

import (
	"encoding/json"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/iam"
	"arc/cfn/registry"
)

// InvokersOf is the policy that the permissions of a function make.
func (m *App) InvokersOf(function string) iam.Policy {
	var statements []any
	for _, id := range m.ByType[registry.LambdaPermission] {
		p := m.Doc.Resources[id].Properties
		if m.FunctionOf(p["FunctionName"]) != function {
			continue
		}
		kind, conditions := "AWS", map[string]any{}
		if name := values.PlainText(p["Principal"]); strings.HasSuffix(name, ".amazonaws.com") {
			kind = "Service"
		}
		for property, condition := range map[string][2]string{
			"SourceArn": {"ArnLike", "aws:SourceArn"}, "SourceAccount": {"StringEquals", "aws:SourceAccount"},
			"PrincipalOrgID": {"StringEquals", "aws:PrincipalOrgID"}, "EventSourceToken": {"StringEquals", "lambda:EventSourceToken"},
			"FunctionUrlAuthType": {"StringEquals", "lambda:FunctionUrlAuthType"},
		} {
			if p[property] != nil {
				keys, _ := conditions[condition[0]].(map[string]any)
				if keys == nil {
					keys = map[string]any{}
				}
				keys[condition[1]] = p[property]
				conditions[condition[0]] = keys
			}
		}
		statements = append(statements, map[string]any{
			"Effect": "Allow", "Action": p["Action"], "Resource": map[string]any{"Ref": function},
			"Principal": map[string]any{kind: p["Principal"]}, "Condition": conditions,
		})
	}
	if statements == nil {
		return iam.Policy{}
	}
	return m.Policy(map[string]any{"Statement": statements})
}

// AuthorizerTypes are the types that decide who may call an API.
var AuthorizerTypes = []string{registry.ApiGatewayV2Authorizer, registry.ApiGatewayAuthorizer}

// ofNoWeight are the properties of an authorizer that let nobody else in.
var ofNoWeight = []string{"Name", "ApiId", "RestApiId", "AuthorizerResultTtlInSeconds", "AuthorizerCredentials", "AuthorizerCredentialsArn", "EnableSimpleResponses", "AuthorizerPayloadFormatVersion"}

// ReadAuthorizers finds what decides who may call an API: by logical ID, and by
// that of the API and a name where an OpenAPI body holds it.
func (m *App) ReadAuthorizers() map[string]any {
	out := map[string]any{}
	for _, typ := range AuthorizerTypes {
		for _, id := range m.ByType[typ] {
			decides := map[string]any{}
			for name, v := range m.Doc.Resources[id].Properties {
				if !slices.Contains(ofNoWeight, name) {
					decides[name] = v
				}
			}
			out[id] = decides
		}
	}
	for _, typ := range []string{registry.ApiGatewayV2Api, registry.ApiGatewayRestApi} {
		for _, id := range m.ByType[typ] {
			body, _ := m.Doc.Resources[id].Properties["Body"].(map[string]any)
			components, _ := body["components"].(map[string]any)
			for _, schemes := range []any{body["securityDefinitions"], components["securitySchemes"]} {
				named, _ := schemes.(map[string]any)
				for name, v := range named {
					out[id+" "+name] = v
				}
			}
		}
	}
	return out
}

// guardOf names what asks who calls: "" = nothing does.
func guardOf(kind string, by ...any) string {
	if kind == "" || kind == "NONE" {
		return ""
	}
	raw, _ := json.Marshal(by) // read from JSON: cannot fail
	return kind + string(raw)
}

// methodsPath is where a method of a REST API is, put together from resources.
func (m *App) methodsPath(v any, depth int) string {
	for _, id := range cfn.References(v) {
		def := m.Doc.Resources[id]
		if def.Type == registry.ApiGatewayResource && depth < 100 {
			return strings.TrimSuffix(m.methodsPath(def.Properties["ParentId"], depth+1), "/") + "/" + values.PlainText(def.Properties["PathPart"])
		}
	}
	return "/"
}

// readMethod reads a method of a REST API that is a resource. One that answers
// by itself, as those that browsers ask before they call, leads nowhere.
func (m *App) readMethod(id string) {
	p := m.Doc.Resources[id].Properties
	integration, _ := p["Integration"].(map[string]any)
	if values.PlainText(integration["Type"]) == "MOCK" {
		return
	}
	to := Route{Resource: id, Parts: []string{id}, Guard: guardOf(values.PlainText(p["AuthorizationType"]), p["AuthorizerId"], p["AuthorizationScopes"])}
	if to.Guard == "" && values.On(p["ApiKeyRequired"]) {
		to.Guard = "API key"
	}
	for _, api := range cfn.References(p["RestApiId"]) {
		to.API = api
	}
	to.Function, to.Target = m.FunctionOf(integration["Uri"]), values.PlainText(integration["Uri"])
	name := strings.ToLower(values.PlainText(p["HttpMethod"])) + " " + manifestPath(m.methodsPath(p["ResourceId"], 0))
	m.Routes[m.routeName(to.API, name, m.Routes)] = to
}
