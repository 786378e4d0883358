package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

func (g *Gateway) createIntegration(req stack.Request) (stack.Resource, error) {
	a, i, err := g.readIntegration(req)
	if err != nil {
		return stack.Resource{}, err
	}
	id := ingress.IDOf(req, 7, taken(a.integrations))
	a.integrations[id] = i
	a.changed()
	made := stack.Resource{PhysicalID: id, Attributes: map[string]any{"IntegrationId": id}}
	return g.unlike(req, made, beyond(len(a.integrations), 300, "integrations")...), nil
}

func (g *Gateway) updateIntegration(req stack.Request) (stack.Resource, error) {
	a, i, err := g.readIntegration(req)
	if err != nil {
		return stack.Resource{}, err
	}
	if old := a.integrations[req.PhysicalID]; old != nil {
		i.responses = old.responses
	}
	a.integrations[req.PhysicalID] = i
	a.changed()
	return stack.Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"IntegrationId": req.PhysicalID}}, nil
}

// integrationProperties are those of an AWS::ApiGatewayV2::Integration.
type integrationProperties struct {
	ApiId                                                                   string `cfn:"required"`
	IntegrationType                                                         string `cfn:"required"`
	IntegrationUri, IntegrationMethod, PayloadFormatVersion, ConnectionType string
	CredentialsArn, PassthroughBehavior, TemplateSelectionExpression        string
	IntegrationSubtype, ContentHandlingStrategy                             string
	TimeoutInMillis                                                         *int
	RequestParameters, RequestTemplates                                     map[string]string
	ResponseParameters                                                      map[string]any
}

func (in *integrationProperties) read(values map[string]any) *problems {
	return read(values, in, "Description")
}

// checkIntegration looks at an integration before anything is made.
func checkIntegration(values map[string]any) error {
	var in integrationProperties
	p := in.read(values)
	if p.err != nil && !errors.Is(p.err, stack.ErrUnknown) {
		return p.err
	}
	// Whatever else is not known yet.
	known := &problems{}
	if name, ok := values["IntegrationSubtype"].(string); ok {
		checkSubtype(known, name)
	}
	if uri, ok := values["IntegrationUri"].(string); ok && values["IntegrationType"] == "AWS" && !ingress.IsFunction(uri) {
		if _, err := ingress.ServiceIn(ingress.PlainVariables(uri), "route"); err != nil {
			known.fail("IntegrationUri", "%v", err)
		}
	}
	checkTemplates(known, "RequestTemplates", values["RequestTemplates"])
	_, given := values["IntegrationMethod"]
	checkMethod(known, values["IntegrationType"], given)
	return known.err
}

// checkMethod wants the method that a backend is called by: AWS takes none for granted, also
// not for an HTTP API, whose clients' own one ANY passes on.
// https://github.com/badmintoncryer/cdk-preflight/tree/main/rules/apigatewayv2/pf-apigwv2-http-proxy-integration-method
func checkMethod(p *problems, kind any, given bool) {
	if (kind == "HTTP_PROXY" || kind == "HTTP") && !given {
		p.fail("IntegrationMethod", "HttpMethod parameter method must be specified for integrationType %s: name the method that the backend is called by; ANY is the client's", strings.ReplaceAll(kind.(string), "_", ""))
	}
}

func (g *Gateway) readIntegration(req stack.Request) (*api, *integration, error) {
	var in integrationProperties
	p := in.read(req.Properties)
	a := g.owner(p, in.ApiId)
	i := &integration{raw: req.Properties, kind: in.IntegrationType, payload: in.PayloadFormatVersion, method: in.IntegrationMethod, credentials: in.CredentialsArn != ""}
	if c := in.ConnectionType; c != "" && c != "INTERNET" {
		p.fail("ConnectionType", "only INTERNET is emulated")
	}
	if a == nil {
		return nil, nil, p.err
	}
	most := 30 * time.Second
	if a.protocol == protocolSocket {
		most = 29 * time.Second
	}
	i.timeout = p.timeout("TimeoutInMillis", in.TimeoutInMillis, most)
	checkMethod(p, i.kind, i.method != "")
	switch {
	case in.IntegrationSubtype != "":
		i.serve(p, a.protocol, in.IntegrationSubtype, in.CredentialsArn, in.RequestParameters)
		return a, i, p.err
	case a.protocol == protocolHTTP:
		i.parameters = readMappings(p, "RequestParameters", in.RequestParameters, false)
		i.responseParameters = readResponseMappings(p, "ResponseParameters", in.ResponseParameters)
		if len(in.RequestTemplates) > 0 {
			p.fail("RequestTemplates", "are for WebSocket APIs")
		}
	case i.kind == "AWS_PROXY" && len(in.RequestTemplates)+len(in.RequestParameters) > 0:
		p.fail("IntegrationType", "an AWS_PROXY integration gets messages as they are, without RequestTemplates and RequestParameters")
	default:
		i.requests = readTemplates(p, "RequestTemplates", in.RequestTemplates, templateSelection(p, in.TemplateSelectionExpression, false))
		if b := in.PassthroughBehavior; b != "" && !slices.Contains([]string{"WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"}, b) {
			p.fail("PassthroughBehavior", "must be WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER, not %q", b)
		}
		i.requests.strict = in.PassthroughBehavior == "NEVER" || in.PassthroughBehavior == "WHEN_NO_TEMPLATES" && len(in.RequestTemplates) > 0
		i.sent = readParameters(p, in.RequestParameters)
		i.binary = contentHandling(p, in.ContentHandlingStrategy)
	}
	if err := i.point(in.IntegrationUri, in.CredentialsArn, a.protocol); err != nil && p.err == nil {
		p.err = err
	}
	return a, i, p.err
}

// point checks an integration and gives it its function or URI.
func (i *integration) point(uri, role, protocol string) (err error) {
	switch {
	case protocol == protocolSocket && i.payload != "" && i.payload != "1.0":
		// https://github.com/badmintoncryer/cdk-preflight/tree/main/rules/apigatewayv2/pf-apigwv2-websocket-payload-version
		return fmt.Errorf("property PayloadFormatVersion: 1.0 is the only one of a WebSocket API, not %q; leave it out", i.payload)
	case i.kind == "AWS_PROXY" && protocol == protocolSocket && i.method != "" && i.method != http.MethodPost:
		return fmt.Errorf("property IntegrationMethod: must be POST for a function, not %q", i.method)
	case i.kind == "AWS_PROXY":
		i.function, i.qualifier, err = ingress.LambdaName(uri)
		if err == nil && i.payload != "1.0" && i.payload != "2.0" && protocol == protocolHTTP {
			err = fmt.Errorf("property PayloadFormatVersion: a function behind an HTTP API requires 1.0 or 2.0, not %q", i.payload)
		}
		return err
	case i.kind == "HTTP_PROXY" && protocol == protocolHTTP && i.payload == "2.0":
		return fmt.Errorf("property PayloadFormatVersion: an HTTP_PROXY integration takes 1.0 only")
	case i.kind == "HTTP_PROXY", i.kind == "HTTP" && protocol == protocolSocket:
		i.uri = uri
		return checkProxy(uri)
	case i.kind == "AWS" && protocol == protocolSocket:
		return i.pointAWS(uri, role)
	case i.kind == "MOCK" && protocol == protocolSocket:
		return nil
	}
	return fmt.Errorf("integration type %s: not emulated for %s APIs", i.kind, protocol)
}

func (g *Gateway) deleteIntegration(req stack.Request) error {
	a := g.apis[fmt.Sprint(req.Properties["ApiId"])]
	if a == nil || a.integrations[req.PhysicalID] == nil {
		return nil
	}
	for _, r := range a.routes {
		if r.target == req.PhysicalID {
			return fmt.Errorf("cannot delete integration %s: route %s references it", req.PhysicalID, r.key)
		}
	}
	delete(a.integrations, req.PhysicalID)
	a.changed()
	return nil
}
