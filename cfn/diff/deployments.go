package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// Types whose resources a deployment freezes, by the property that names their
// API. A stage serves the picture of them that its deployment took.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-websocket-deployment.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
var (
	frozenV2 = []string{"Route", "RouteResponse", "Integration", "IntegrationResponse", "Authorizer", "Model"}
	frozenV1 = []string{"Resource", "Method", "Authorizer", "Model", "RequestValidator", "GatewayResponse"}
)

// selections are what of an API itself a deployment freezes.
var selections = []string{"RouteSelectionExpression", "ApiKeySelectionExpression", "Body", "BodyS3Location"}

// deployments tells of APIs that change without a new deployment: AWS goes on
// with what was deployed, whose functions, permissions and routes may be gone.
func (r *reviewer) deployments() []Item {
	frozen := map[string][]string{} // by API, what of it changes
	for _, id := range ids(r.changes) {
		c := r.changes[id]
		if api := r.frozenIn(c); api != "" && r.existed(api) {
			frozen[api] = append(frozen[api], id)
		}
	}
	var items []Item
	for _, api := range slices.Sorted(maps.Keys(frozen)) {
		if !r.picturesOnly(api) {
			continue
		}
		var names []string
		for _, id := range frozen[api] {
			names = append(names, r.describe(id))
		}
		it := Item{Action: compare.Modify, Subject: r.describe(api), Text: "changes, but no new deployment is made of it", Details: names, Resources: append([]string{api}, frozen[api]...)}
		it.Risks = []Risk{{DeploymentStale, Refused, fmt.Sprintf("%s goes on as it was deployed: without a new Deployment AWS does not serve what changes in it, and calls what may be gone", r.describe(api))}}
		it.place(r, api)
		items = append(items, it)
	}
	return items
}

// frozenIn is the API whose deployments freeze what changes; "" = none do.
func (r *reviewer) frozenIn(c *compare.Change) string {
	if c.Type == registry.ApiGatewayV2Api || c.Type == registry.ApiGatewayRestApi {
		if c.Action == compare.Modify && slices.ContainsFunc(c.Properties, func(p compare.Property) bool {
			return slices.ContainsFunc(selections, func(s string) bool { return values.Under(p.Path, s) })
		}) {
			return c.LogicalID
		}
		return ""
	}
	kind, v2 := strings.CutPrefix(c.Type, "AWS::ApiGatewayV2::")
	if v2 && !slices.Contains(frozenV2, kind) {
		return ""
	}
	if !v2 {
		var v1 bool
		if kind, v1 = strings.CutPrefix(c.Type, "AWS::ApiGateway::"); !v1 || !slices.Contains(frozenV1, kind) {
			return ""
		}
	}
	if c.Action == compare.Modify && !slices.ContainsFunc(c.Properties, func(p compare.Property) bool { return p.Path != "OperationName" && p.Path != "Description" }) {
		return ""
	}
	doc := r.after.Doc
	if c.Action == compare.Remove {
		doc = r.before.Doc
	}
	return apiOf(doc.Resources[c.LogicalID])
}

// apiOf is the logical ID of the API that a resource belongs to.
func apiOf(resource cfn.ResourceDef) string {
	for _, name := range []string{"ApiId", "RestApiId"} {
		if m, ok := resource.Properties[name].(map[string]any); ok {
			if id, ok := m["Ref"].(string); ok {
				return id
			}
		}
	}
	return ""
}

func (r *reviewer) existed(id string) bool {
	_, before := r.before.Doc.Resources[id]
	_, after := r.after.Doc.Resources[id]
	return before && after
}

// picturesOnly reports whether the template deploys an API by Deployments, and
// makes no new one.
func (r *reviewer) picturesOnly(api string) bool {
	found := false
	for id, resource := range r.after.Doc.Resources {
		if apiOf(resource) != api {
			continue
		}
		switch resource.Type {
		case registry.ApiGatewayV2Deployment, registry.ApiGatewayDeployment:
			if c := r.changes[id]; c != nil && (c.Action == compare.Add || c.Update >= registry.MayReplace) {
				return false
			}
			found = true
		case registry.ApiGatewayV2Stage:
			if auto, _ := values.Spelled(resource.Properties["AutoDeploy"]); auto == "true" {
				return false
			}
		}
	}
	return found
}
