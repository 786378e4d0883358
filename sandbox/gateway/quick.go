package gateway

import (
	"cmp"
	"strings"
	"time"
)

// quick is what an Api's Target makes beside it, in one step: an integration, a
// route to it, and the stage $default, which deploys by itself. Nothing else may
// change them.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop.html
type quick struct {
	key         string // of the route
	integration *integration
}

// quickCreate reads the properties of an Api that make more than itself; nil =
// they do not. Body and Target exclude each other.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html
func quickCreate(p *problems, protocol, target, key, credentials string, body map[string]any) *quick {
	if target == "" {
		return nil
	}
	if protocol != protocolHTTP || body != nil {
		p.fail("Target", "is for HTTP APIs without a Body")
	}
	q := &quick{key: cmp.Or(key, "$default"), integration: &integration{kind: "AWS_PROXY", payload: "2.0", timeout: 30 * time.Second, credentials: credentials != ""}}
	if !strings.HasPrefix(target, "arn:") {
		q.integration.kind, q.integration.payload, q.integration.method = "HTTP_PROXY", "1.0", "ANY"
	}
	if err := q.integration.point(target, "", protocolHTTP); err != nil {
		p.fail("Target", "%v", err)
	}
	if err := checkRouteKey(q.key); err != nil {
		p.fail("RouteKey", "%v", err)
	}
	q.integration.raw = map[string]any{"IntegrationType": q.integration.kind, "IntegrationUri": target, "ApiGatewayManaged": true}
	if q.integration.method != "" {
		q.integration.raw["IntegrationMethod"] = q.integration.method
	}
	if credentials != "" {
		q.integration.raw["CredentialsArn"] = credentials
	}
	return q
}

// adopt puts what an Api's Target makes into the place of what it made before.
// Their IDs come from the API's own, so that they stay.
func (a *api) adopt(q *quick) {
	id := importedID(a.id, "Target")
	if q == nil {
		if a.integrations[id] != nil {
			delete(a.integrations, id)
			delete(a.routes, id)
			delete(a.stages, "$default")
		}
		return
	}
	a.integrations[id] = q.integration
	a.routes[id] = &explicitRoute{key: q.key, target: id, raw: map[string]any{"RouteKey": q.key, "Target": "integrations/" + id, "ApiGatewayManaged": true}}
	if a.stages["$default"] == nil {
		a.stages["$default"] = &stage{name: "$default", auto: true, created: a.created, raw: map[string]any{"ApiGatewayManaged": true}}
	}
}
