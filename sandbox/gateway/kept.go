package gateway

import (
	"fmt"
	"slices"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// Resources of an API that are kept in mind and change nothing here, which the
// event that makes them says.

// putModel keeps a model: messages are not validated.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-model.html
func (g *Gateway) putModel(req stack.Request) (stack.Resource, error) {
	var in struct {
		ApiId  string `cfn:"required"`
		Name   string `cfn:"required"`
		Schema any    `cfn:"required"`
	}
	p := read(req.Properties, &in, "ContentType", "Description")
	g.owner(p, in.ApiId)
	id := req.PhysicalID
	if id == "" || req.Restored {
		id = ingress.IDOf(req, 6, func(string) bool { return false })
	}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"ModelId": id}, Note: "kept only: the local cloud validates no messages"}, p.err
}

// putIntegrationResponse gives a WebSocket API's integration a response. The
// integration is another one then: what was deployed keeps its own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-integrationresponse.html
func (g *Gateway) putIntegrationResponse(req stack.Request) (stack.Resource, error) {
	var in struct {
		ApiId                       string `cfn:"required"`
		IntegrationId               string `cfn:"required"`
		IntegrationResponseKey      string `cfn:"required"`
		TemplateSelectionExpression string
		ContentHandlingStrategy     string
		ResponseTemplates           map[string]string
	}
	p := read(req.Properties, &in)
	a := g.owner(p, in.ApiId)
	response := integrationResponse{key: in.IntegrationResponseKey, binary: contentHandling(p, in.ContentHandlingStrategy)}
	response.templates = readTemplates(p, "ResponseTemplates", in.ResponseTemplates, templateSelection(p, in.TemplateSelectionExpression, true))
	if p.err == nil && a.protocol != protocolSocket {
		p.fail("ApiId", "integration responses are for WebSocket APIs")
	}
	if p.err == nil && a.integrations[in.IntegrationId] == nil {
		p.fail("IntegrationId", "invalid integration identifier specified: %s", in.IntegrationId)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a.withResponses(in.IntegrationId, func(list []integrationResponse) []integrationResponse {
		return append(without(list, fmt.Sprint(req.Old["IntegrationResponseKey"]), response.key), response)
	})
	id := in.IntegrationId + "/" + in.IntegrationResponseKey
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"IntegrationResponseId": id}}, nil
}

func (g *Gateway) deleteIntegrationResponse(req stack.Request) error {
	a := g.apis[fmt.Sprint(req.Properties["ApiId"])]
	id := fmt.Sprint(req.Properties["IntegrationId"])
	if a != nil && a.integrations[id] != nil {
		a.withResponses(id, func(list []integrationResponse) []integrationResponse {
			return without(list, fmt.Sprint(req.Properties["IntegrationResponseKey"]))
		})
	}
	return nil
}

func without(list []integrationResponse, keys ...string) []integrationResponse {
	return slices.DeleteFunc(slices.Clone(list), func(r integrationResponse) bool { return slices.Contains(keys, r.key) })
}

func (a *api) withResponses(id string, change func([]integrationResponse) []integrationResponse) {
	i := *a.integrations[id]
	i.responses = change(i.responses)
	a.integrations[id] = &i
	a.changed()
}
