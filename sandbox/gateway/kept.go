package gateway

import (
	"fmt"
	"maps"
	"slices"

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
		id = idOf(req, 6, func(string) bool { return false })
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
		ResponseTemplates           map[string]string
	}
	p := read(req.Properties, &in, "ContentHandlingStrategy")
	a := g.owner(p, in.ApiId)
	response := integrationResponse{key: in.IntegrationResponseKey, templates: templates{by: templateSelection(p, in.TemplateSelectionExpression), texts: in.ResponseTemplates}}
	checkTemplates(p, "ResponseTemplates", in.ResponseTemplates)
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

// customDomain is an AWS::ApiGatewayV2::DomainName with the API mappings of it, by key.
type customDomain struct {
	mappings map[string]string // key → API/STAGE
}

// putDomain keeps a domain's name. Names of the world lead elsewhere, so nothing
// answers to it here; its APIs answer where they do anyway.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-domainname.html
func (g *Gateway) putDomain(req stack.Request) (stack.Resource, error) {
	var in struct {
		DomainName string `cfn:"required"`
	}
	p := read(req.Properties, &in, "DomainNameConfigurations", "MutualTlsAuthentication", "RoutingMode", "Tags")
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	name := in.DomainName
	if g.domains[name] == nil {
		g.domains[name] = &customDomain{mappings: map[string]string{}}
	} else if req.PhysicalID == "" {
		return stack.Resource{}, fmt.Errorf("the domain name %s exists already", name)
	}
	id := resourceID(10, func(string) bool { return false }, "domain", name)
	return stack.Resource{
		PhysicalID: name,
		Attributes: map[string]any{
			"RegionalDomainName": "d-" + id + ".execute-api." + req.Stack.Region + ".amazonaws.com", "RegionalHostedZoneId": "Z2LOCALCLOUD00",
			"DomainNameArn": stack.ARN(req.Stack.Region, "apigateway", req.Stack.Region, "", "/domainnames/"+name), "DomainName": name,
		},
		Note: "kept only: here its APIs answer at their own URLs",
	}, nil
}

func (g *Gateway) deleteDomain(req stack.Request) error {
	if d := g.domains[req.PhysicalID]; d != nil && len(d.mappings) > 0 {
		return fmt.Errorf("the domain name %s still has API mappings: %v", req.PhysicalID, slices.Sorted(maps.Keys(d.mappings)))
	}
	delete(g.domains, req.PhysicalID)
	return nil
}

// putMapping keeps which stage of which API a path of a domain is.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-apimapping.html
func (g *Gateway) putMapping(req stack.Request) (stack.Resource, error) {
	var in struct {
		ApiId         string `cfn:"required"`
		DomainName    string `cfn:"required"`
		Stage         string `cfn:"required"`
		ApiMappingKey string
	}
	p := read(req.Properties, &in)
	a := g.owner(p, in.ApiId)
	d := g.domains[in.DomainName]
	switch {
	case p.err != nil:
	case d == nil:
		p.fail("DomainName", "invalid domain name identifier specified: %s", in.DomainName)
	case a.stages[in.Stage] == nil:
		p.fail("Stage", "invalid stage identifier specified: %s", in.Stage)
	case d.mappings[in.ApiMappingKey] != "" && req.Old == nil && !req.Restored:
		p.fail("ApiMappingKey", "the domain has a mapping for %q already", in.ApiMappingKey)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	if req.Old != nil {
		old, _ := req.Old["ApiMappingKey"].(string)
		delete(d.mappings, old)
	}
	d.mappings[in.ApiMappingKey] = in.ApiId + "/" + in.Stage
	id := req.PhysicalID
	if id == "" || req.Restored {
		id = idOf(req, 6, func(string) bool { return false })
	}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"ApiMappingId": id}, Note: "kept only: here its API answers at " + a.endpoint()}, nil
}

func (g *Gateway) deleteMapping(req stack.Request) error {
	if d := g.domains[fmt.Sprint(req.Properties["DomainName"])]; d != nil {
		key, _ := req.Properties["ApiMappingKey"].(string)
		delete(d.mappings, key)
	}
	return nil
}
