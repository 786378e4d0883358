package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/sandbox/stack"
)

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
		ResponseParameters          map[string]string
	}
	p := read(req.Properties, &in)
	checkResponseParameters(p, in.ResponseParameters)
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
	made := stack.Resource{PhysicalID: id, Attributes: map[string]any{"IntegrationResponseId": id}}
	if len(in.ResponseParameters) > 0 {
		made = g.unlike(req, made, "ResponseParameters set headers of an answer, and a message of a WebSocket has none: they change nothing")
	}
	return made, nil
}

// checkResponseParameters looks at the ResponseParameters of an integration response,
// each a header of the answer and where its value comes from.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-integrationresponse.html
func checkResponseParameters(p *problems, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		rest, ok := strings.CutPrefix(key, "method.response.header.")
		if !ok || rest == "" {
			p.fail("ResponseParameters", "%s: must be method.response.header.NAME", key)
		}
		value := values[key]
		if !quoted(value) && !strings.HasPrefix(value, "integration.response.header.") && !strings.HasPrefix(value, "integration.response.body.") {
			p.fail("ResponseParameters", "%s: must be integration.response.header.NAME, integration.response.body.FIELD or 'text', not %q", key, value)
		}
	}
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
