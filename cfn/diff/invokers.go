package diff

import (
	"encoding/json"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/iam"
)

// invokers tells of functions that others may invoke than before: another
// account, or a service for more than one source. That a service invokes a
// function for one source is what a trigger is, and told as such.
func (r *reviewer) invokers() []Item {
	var ids []string // of functions that stay
	for _, id := range r.changed("AWS::Lambda::Permission") {
		for _, m := range []*model{r.before, r.after} {
			if fn := m.functionOf(m.doc.Resources[id].Properties["FunctionName"]); fn != "" && r.before.doc.Resources[fn].Type == lambdaType {
				ids = append(ids, fn)
			}
		}
	}
	slices.Sort(ids)
	var items []Item
	for _, id := range slices.Compact(ids) {
		result := iam.Compare(r.before.invokersOf(id), r.after.invokersOf(id).Except(r.comes))
		added := slices.DeleteFunc(result.Added, isTrigger)
		if len(added) == 0 {
			continue
		}
		it := Item{Action: Modify, Subject: "who may invoke " + r.function(id), Text: "rights widened", Resources: []string{id}}
		it.place(r, id)
		r.grants(&it, "+", added)
		it.Risks = []Risk{{Rights, it.Subject + ": now also " + r.grantee(added[0])}}
		items = append(items, it)
	}
	return items
}

// isTrigger: a service, for one source or what hangs on one of the template's.
func isTrigger(g iam.Grant) bool {
	if !strings.HasPrefix(g.Principal, "Service:") {
		return false
	}
	for _, condition := range g.Conditions {
		source, ok := strings.CutPrefix(condition, "ArnLike aws:sourcearn ")
		if ok && (!strings.Contains(source, "*") || strings.Contains(strings.ReplaceAll(source, "${AWS::", ""), "${")) {
			return true
		}
	}
	return len(g.Conditions) == 0 // told as an exposure
}

// invokersOf is the policy that the permissions of a function make.
func (m *model) invokersOf(function string) iam.Policy {
	var statements []any
	for _, id := range m.byType["AWS::Lambda::Permission"] {
		p := m.doc.Resources[id].Properties
		if m.functionOf(p["FunctionName"]) != function {
			continue
		}
		kind, conditions := "AWS", map[string]any{}
		if name := plainText(p["Principal"]); strings.HasSuffix(name, ".amazonaws.com") {
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
	return m.policy(map[string]any{"Statement": statements})
}

// authorizers tells of those that stay and decide otherwise.
func (r *reviewer) authorizers() []Item {
	before, after := r.before.readAuthorizers(), r.after.readAuthorizers()
	var items []Item
	for _, name := range keysOfBoth(before, after) {
		b, a := before[name], after[name]
		if b == nil || a == nil || equal(b, a) {
			continue
		}
		id, _, _ := strings.Cut(name, " ")
		it := Item{Action: Modify, Subject: "authorizer " + bare(name), Resources: []string{id}}
		it.place(r, id)
		for _, p := range compareValues("", b, a) {
			it.Details = append(it.Details, p.Path+": "+arrow(p))
		}
		it.Risks = []Risk{{Rights, it.Subject + " decides otherwise who may call"}}
		r.told[id] = r.told[id] || slices.Contains(authorizerTypes, r.after.doc.Resources[id].Type)
		items = append(items, it)
	}
	return items
}

var authorizerTypes = []string{"AWS::ApiGatewayV2::Authorizer", "AWS::ApiGateway::Authorizer"}

// ofNoWeight are the properties of an authorizer that let nobody else in.
var ofNoWeight = []string{"Name", "ApiId", "RestApiId", "AuthorizerResultTtlInSeconds", "AuthorizerCredentials", "AuthorizerCredentialsArn", "EnableSimpleResponses", "AuthorizerPayloadFormatVersion"}

// readAuthorizers finds what decides who may call an API: by logical ID, and by
// that of the API and a name where an OpenAPI body holds it.
func (m *model) readAuthorizers() map[string]any {
	out := map[string]any{}
	for _, typ := range authorizerTypes {
		for _, id := range m.byType[typ] {
			decides := map[string]any{}
			for name, v := range m.doc.Resources[id].Properties {
				if !slices.Contains(ofNoWeight, name) {
					decides[name] = v
				}
			}
			out[id] = decides
		}
	}
	for _, typ := range []string{"AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"} {
		for _, id := range m.byType[typ] {
			body, _ := m.doc.Resources[id].Properties["Body"].(map[string]any)
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
func (m *model) methodsPath(v any, depth int) string {
	for _, id := range cfn.References(v) {
		def := m.doc.Resources[id]
		if def.Type == "AWS::ApiGateway::Resource" && depth < 100 {
			return strings.TrimSuffix(m.methodsPath(def.Properties["ParentId"], depth+1), "/") + "/" + plainText(def.Properties["PathPart"])
		}
	}
	return "/"
}

// readMethod reads a method of a REST API that is a resource. One that answers
// by itself, as those that browsers ask before they call, leads nowhere.
func (m *model) readMethod(id string) {
	p := m.doc.Resources[id].Properties
	integration, _ := p["Integration"].(map[string]any)
	if plainText(integration["Type"]) == "MOCK" {
		return
	}
	to := route{resource: id, parts: []string{id}, guard: guardOf(plainText(p["AuthorizationType"]), p["AuthorizerId"], p["AuthorizationScopes"])}
	if to.guard == "" && on(p["ApiKeyRequired"]) {
		to.guard = "API key"
	}
	for _, api := range cfn.References(p["RestApiId"]) {
		to.api = api
	}
	to.function, to.target = m.functionOf(integration["Uri"]), plainText(integration["Uri"])
	name := strings.ToLower(plainText(p["HttpMethod"])) + " " + manifestPath(m.methodsPath(p["ResourceId"], 0))
	m.routes[m.routeName(to.api, name, m.routes)] = to
}
