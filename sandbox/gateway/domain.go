package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"arc/sandbox/door"
	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// customDomain is an AWS::ApiGatewayV2::DomainName with the API mappings of it, by key.
type customDomain struct{ mappings map[string]mappedTo }

// mappedTo is the stage of an API that a path of a domain leads to.
type mappedTo struct{ api, stage string }

// putDomain keeps a domain's name. Names of the world lead elsewhere: its APIs answer to
// it on their ports, for those whom arc sandbox --allow-host lets in by that name.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-domainname.html
func (g *Gateway) putDomain(req stack.Request) (stack.Resource, error) {
	var in struct {
		DomainName string `cfn:"required"`
	}
	p := read(req.Properties, &in, "DomainNameConfigurations", "MutualTlsAuthentication", "RoutingMode", "Tags")
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	made, err := g.nameDomain(req, in.DomainName)
	if err != nil {
		return made, err
	}
	return g.unlike(req, made, domainNotes(req.Properties)...), nil
}

// domainNotes says which properties of a domain change nothing here.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-domainname.html
func domainNotes(values map[string]any) []string {
	var notes []string
	if values["MutualTlsAuthentication"] != nil {
		notes = append(notes, "MutualTlsAuthentication: clients are asked for no certificate here")
	}
	if mode, ok := stack.Text(values["RoutingMode"]); ok && mode != "API_MAPPING_ONLY" {
		notes = append(notes, "RoutingMode "+mode+": the local cloud has no routing rules, mappings alone lead to APIs")
	}
	return notes
}

// putDomain1 does so for version 1 of API Gateway.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-domainname.html
func (g *Gateway) putDomain1(req stack.Request) (stack.Resource, error) {
	var in struct {
		DomainName string `cfn:"required"`
	}
	p := read(req.Properties, &in, "CertificateArn", "EndpointAccessMode", "EndpointConfiguration", "MutualTlsAuthentication",
		"OwnershipVerificationCertificateArn", "RegionalCertificateArn", "RoutingMode", "SecurityPolicy", "Tags")
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	made, err := g.nameDomain(req, in.DomainName)
	if err == nil {
		made = g.unlike(req, made, domainNotes(req.Properties)...)
		made.Attributes["DistributionDomainName"] = "d" + ingress.ResourceID(13, func(string) bool { return false }, "distribution", in.DomainName) + ".cloudfront.net"
		made.Attributes["DistributionHostedZoneId"] = "Z2FDTNDATAQYW2"
	}
	return made, err
}

// nameDomain keeps a domain of a name.
func (g *Gateway) nameDomain(req stack.Request, name string) (stack.Resource, error) {
	if g.domains[name] == nil {
		g.domains[name] = &customDomain{mappings: map[string]mappedTo{}}
	} else if req.PhysicalID == "" {
		return stack.Resource{}, fmt.Errorf("the domain name %s exists already", name)
	}
	g.publishDomains()
	id := ingress.ResourceID(10, func(string) bool { return false }, "domain", name)
	return stack.Resource{
		PhysicalID: name,
		Attributes: map[string]any{
			"RegionalDomainName": "d-" + id + ".execute-api." + req.Stack.Region + ".amazonaws.com", "RegionalHostedZoneId": "Z2LOCALCLOUD00",
			"DomainNameArn": stack.ARN(req.Stack.Region, "apigateway", req.Stack.Region, "", "/domainnames/"+name), "DomainName": name,
		},
		Note: "its APIs answer to this Host on their own ports, where --allow-host=" + name + " lets it in",
	}, nil
}

func (g *Gateway) deleteDomain(req stack.Request) error {
	if d := g.domains[req.PhysicalID]; d != nil && len(d.mappings) > 0 {
		return fmt.Errorf("the domain name %s still has API mappings: %v", req.PhysicalID, slices.Sorted(maps.Keys(d.mappings)))
	}
	delete(g.domains, req.PhysicalID)
	g.publishDomains()
	return nil
}

// putMapping says which stage of which API a path of a domain is.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-apimapping.html
func (g *Gateway) putMapping(req stack.Request) (stack.Resource, error) {
	var in struct {
		ApiId         string `cfn:"required"`
		DomainName    string `cfn:"required"`
		Stage         string `cfn:"required"`
		ApiMappingKey string
	}
	p := read(req.Properties, &in)
	a := g.apis[in.ApiId]
	if a == nil && !g.options.Known(in.ApiId, "") {
		g.owner(p, in.ApiId)
	}
	d := g.domains[in.DomainName]
	switch {
	case p.err != nil:
	case d == nil:
		p.fail("DomainName", "invalid domain name identifier specified: %s", in.DomainName)
	case a != nil && a.stages[in.Stage] == nil, a == nil && !g.options.Known(in.ApiId, in.Stage):
		p.fail("Stage", "invalid stage identifier specified: %s", in.Stage)
	case d.mappings[in.ApiMappingKey] != mappedTo{} && req.Old == nil && !req.Restored:
		p.fail("ApiMappingKey", "the domain has a mapping for %q already", in.ApiMappingKey)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	if req.Old != nil {
		old, _ := req.Old["ApiMappingKey"].(string)
		delete(d.mappings, old)
	}
	d.mappings[in.ApiMappingKey] = mappedTo{in.ApiId, in.Stage}
	g.publishDomains()
	id := req.PhysicalID
	if id == "" || req.Restored {
		id = ingress.IDOf(req, 6, func(string) bool { return false })
	}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"ApiMappingId": id}, Note: answersAt(a) + strings.TrimSuffix("/"+in.ApiMappingKey, "/") + " to the Host " + in.DomainName}, nil
}

// answersAt says where an API answers; a REST API does on its own port.
func answersAt(a *api) string {
	if a == nil {
		return "answers on the API's port at "
	}
	return "answers at " + a.endpoint()
}

// putBasePath is the same for REST APIs, whose stages a mapping need not name on AWS.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-basepathmapping.html
func (g *Gateway) putBasePath(req stack.Request) (stack.Resource, error) {
	var in struct {
		DomainName   string `cfn:"required"`
		RestApiId    string `cfn:"required"`
		Stage        string `cfn:"required"`
		BasePath, Id string
	}
	p := read(req.Properties, &in)
	d := g.domains[in.DomainName]
	key := in.BasePath
	if key == "(none)" {
		key = ""
	}
	switch {
	case p.err != nil:
	case d == nil:
		p.fail("DomainName", "invalid domain name identifier specified: %s", in.DomainName)
	case !g.options.Known(in.RestApiId, in.Stage):
		p.fail("Stage", "invalid stage identifier specified: %s of API %s", in.Stage, in.RestApiId)
	case d.mappings[key] != mappedTo{} && req.Old == nil && !req.Restored:
		p.fail("BasePath", "the base path already exists for this domain name: %q", in.BasePath)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	d.mappings[key] = mappedTo{in.RestApiId, in.Stage}
	g.publishDomains()
	id := in.DomainName + "|" + in.BasePath
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{}, Note: "answers on the API's port to the Host " + in.DomainName}, nil
}

func (g *Gateway) deleteBasePath(req stack.Request) error {
	if d := g.domains[fmt.Sprint(req.Properties["DomainName"])]; d != nil {
		key, _ := req.Properties["BasePath"].(string)
		if key == "(none)" {
			key = ""
		}
		delete(d.mappings, key)
		g.publishDomains()
	}
	return nil
}

func (g *Gateway) deleteMapping(req stack.Request) error {
	if d := g.domains[fmt.Sprint(req.Properties["DomainName"])]; d != nil {
		key, _ := req.Properties["ApiMappingKey"].(string)
		delete(d.mappings, key)
		g.publishDomains()
	}
	return nil
}

// publishDomains shows requests the domains as they are. Gateway.mu is held.
func (g *Gateway) publishDomains() {
	now := map[string]map[string]mappedTo{}
	for name, d := range g.domains {
		now[strings.ToLower(name)] = maps.Clone(d.mappings)
	}
	if len(now) == 0 {
		g.hosted.Store(nil)
		return
	}
	g.hosted.Store(&now)
}

// Domain is the API that a request's Host and path lead to by a domain's mappings, the
// longest key first, and the request as it is for that; nil = the Host is none's. The
// path that functions are told has the key, as on AWS.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
// https://docs.aws.amazon.com/powertools/python/latest/core/event_handler/api_gateway/#custom-domain-api-mappings
func (g *Gateway) Domain(r *http.Request) (http.Handler, *http.Request) {
	named := g.hosted.Load()
	if named == nil {
		return nil, r
	}
	host, _ := door.SplitHost(r.Host)
	mappings, ok := (*named)[strings.ToLower(host)]
	if !ok {
		return nil, r
	}
	key, found := "", false
	for k := range mappings {
		if under(r.URL.Path, k) && (!found || len(k) > len(key)) {
			key, found = k, true
		}
	}
	if found {
		to := mappings[key]
		var site http.Handler = g.options.Other(to.api)
		if f, _ := g.Site(to.api).(*front); f != nil {
			site = f
		}
		if site != nil {
			return site, r.WithContext(ingress.ChooseStage(r.Context(), key, to.stage))
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeMessage(w, http.StatusForbidden, "Forbidden", "")
	}), r
}

// under reports whether a path lies at or below a mapping's key.
func under(path, key string) bool {
	rest, ok := strings.CutPrefix(path, "/"+key)
	return key == "" || ok && (rest == "" || rest[0] == '/')
}
