package gateway

import (
	"context"
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
	name := in.DomainName
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
	a := g.owner(p, in.ApiId)
	d := g.domains[in.DomainName]
	switch {
	case p.err != nil:
	case d == nil:
		p.fail("DomainName", "invalid domain name identifier specified: %s", in.DomainName)
	case a.stages[in.Stage] == nil:
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
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"ApiMappingId": id}, Note: "answers at " + a.endpoint() + strings.TrimSuffix("/"+in.ApiMappingKey, "/") + " to the Host " + in.DomainName}, nil
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

// stageKey marks the context of a request whose stage a domain has chosen.
type stageKey struct{}

// domain is the API that a request's Host and path lead to by a domain's mappings, the
// longest key first, and the request as it is for that; nil = the Host is none's. The
// path that functions are told has the key, as on AWS.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
// https://docs.aws.amazon.com/powertools/python/latest/core/event_handler/api_gateway/#custom-domain-api-mappings
func (g *Gateway) domain(r *http.Request) (http.Handler, *http.Request) {
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
		if site, _ := g.Site(to.api).(*front); site != nil {
			return site, r.WithContext(context.WithValue(r.Context(), stageKey{}, mappedStage{key, to.stage}))
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeMessage(w, http.StatusForbidden, "Forbidden", "")
	}), r
}

// mappedStage is a stage that a domain has chosen, and by which key.
type mappedStage struct{ key, stage string }

// chosenStage is the stage that a domain chose for a request, and the path below the
// mapping's key; false = no domain did.
func chosenStage(r *http.Request) (stage, path string, ok bool) {
	m, ok := r.Context().Value(stageKey{}).(mappedStage)
	if !ok {
		return "", "", false
	}
	path = r.URL.EscapedPath()
	if m.key != "" {
		path = strings.TrimPrefix(path, "/"+m.key)
	}
	if path == "" {
		path = "/"
	}
	return m.stage, path, true
}

// under reports whether a path lies at or below a mapping's key.
func under(path, key string) bool {
	rest, ok := strings.CutPrefix(path, "/"+key)
	return key == "" || ok && (rest == "" || rest[0] == '/')
}
