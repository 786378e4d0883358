package restapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// verbs are the methods that a resource may have.
var verbs = []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// putMethod reads a method with its integration.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-method.html
func (g *APIs) putMethod(req stack.Request) (stack.Resource, error) {
	var in struct {
		RestApiId                       string `cfn:"required"`
		ResourceId                      string `cfn:"required"`
		HttpMethod                      string `cfn:"required"`
		AuthorizationType, AuthorizerId string
		AuthorizationScopes             []string
		ApiKeyRequired                  bool
		OperationName                   string
		RequestValidatorId              string
		RequestModels                   map[string]string
		RequestParameters               map[string]bool
		MethodResponses                 []struct {
			StatusCode         string `cfn:"required"`
			ResponseModels     map[string]string
			ResponseParameters map[string]bool
		}
		Integration *integrationProperties
	}
	p := read(req.Properties, &in)
	m := &method{
		raw: req.Properties, verb: in.HttpMethod, auth: in.AuthorizationType, authorizer: in.AuthorizerId, scopes: in.AuthorizationScopes, key: in.ApiKeyRequired,
		operation: in.OperationName, validator: in.RequestValidatorId, parameters: in.RequestParameters, models: in.RequestModels, responses: map[string]methodResponse{},
	}
	for _, r := range in.MethodResponses {
		m.responses[r.StatusCode] = methodResponse{r.ResponseParameters, r.ResponseModels}
	}
	checkParameters(p, "RequestParameters", m.parameters)
	if in.HttpMethod != "" && !slices.Contains(verbs, in.HttpMethod) {
		p.fail("HttpMethod", "%q is none of %s", in.HttpMethod, strings.Join(verbs, ", "))
	}
	if in.Integration != nil {
		m.integration = in.Integration.read(p, "Integration.")
		m.checkResponses(p)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a := g.owner(p, in.RestApiId)
	if a == nil {
		return stack.Resource{}, p.err
	}
	r := a.resources[in.ResourceId]
	if r == nil {
		p.fail("ResourceId", "invalid Resource identifier specified: %s", in.ResourceId)
	}
	if m.validator != "" && a.validator(m.validator) == nil {
		p.fail("RequestValidatorId", "invalid Request Validator identifier specified: %s", m.validator)
	}
	m.checkAuthorization(p, a)
	for kind, name := range m.models {
		if a.model(name) == nil && name != "Empty" && name != "Error" {
			p.fail("RequestModels."+kind, "invalid model identifier specified: %s", name)
		}
	}
	if isNew := req.PhysicalID == "" || req.Restored; r != nil && isNew && r.methods[m.verb] != nil {
		p.add(fmt.Errorf("method already exists for this resource: %s %s", m.verb, r.path))
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	// What is deployed keeps its own map: a picture has the methods, not the map.
	r.methods = maps.Clone(r.methods)
	r.methods[m.verb] = m
	id := req.PhysicalID
	if id == "" || req.Restored {
		id = req.Name(128)
	}
	if req.Restored {
		id = req.PhysicalID
	}
	return stack.Resource{PhysicalID: id, Note: m.note()}, nil
}

// checkAuthorization refuses an authorization that says nothing, or something else
// than its authorizer.
func (m *method) checkAuthorization(p *problems, a *api) {
	if m.auth == "" {
		m.auth = "NONE"
	}
	z := a.authorizer(m.authorizer)
	switch {
	case m.auth == "NONE" || m.auth == "AWS_IAM":
		m.authorizer = ""
		return
	case m.auth != "CUSTOM" && m.auth != authCognito:
		p.fail("AuthorizationType", "must be NONE, AWS_IAM, CUSTOM or %s, not %q", authCognito, m.auth)
	case z == nil:
		p.fail("AuthorizerId", "invalid authorizer ID specified: %q; setting the authorization type to CUSTOM or %s requires a valid authorizer", m.authorizer, authCognito)
	case (z.kind == authCognito) != (m.auth == authCognito):
		p.fail("AuthorizerId", "authorizer %s is a %s one, which goes with another AuthorizationType than %s", z.name, z.kind, m.auth)
	}
	if len(m.scopes) > 0 && m.auth != authCognito {
		p.fail("AuthorizationScopes", "go with AuthorizationType %s only", authCognito)
	}
}

// checkParameters checks what names parameters of requests.
func checkParameters(p *problems, property string, names map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		place, rest, _ := strings.Cut(strings.TrimPrefix(name, "method.request."), ".")
		if !strings.HasPrefix(name, "method.request.") || rest == "" || !slices.Contains([]string{"header", "querystring", "path", "multivalueheader", "multivaluequerystring"}, place) {
			p.fail(property, "%s: invalid mapping expression specified; use method.request.header.NAME, .querystring.NAME or .path.NAME", name)
		}
	}
}

// checkResponses refuses integration responses that no method response is for, as
// API Gateway does.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-response.html
func (m *method) checkResponses(p *problems) {
	for _, r := range m.integration.responses {
		declared, ok := m.responses[r.status]
		if !ok {
			p.fail("Integration.IntegrationResponses", "no method response exists for status code %s; add it to MethodResponses", r.status)
			continue
		}
		for _, x := range r.parameters {
			if _, ok := declared.parameters["method.response.header."+x.name]; !ok {
				p.fail("Integration.IntegrationResponses", "invalid mapping expression parameter specified: method.response.header.%s; add it to the ResponseParameters of MethodResponse %s", x.name, r.status)
			}
		}
	}
}

// note says of a method what of it does nothing here.
func (m *method) note() string {
	if m.integration == nil {
		return ""
	}
	return m.integration.note
}

func (g *APIs) deleteMethod(req stack.Request) error {
	a := g.apis[fmt.Sprint(req.Properties["RestApiId"])]
	if a == nil {
		return nil
	}
	if r := a.resources[fmt.Sprint(req.Properties["ResourceId"])]; r != nil {
		r.methods = maps.Clone(r.methods)
		delete(r.methods, fmt.Sprint(req.Properties["HttpMethod"]))
	}
	return nil
}

// model is an AWS::ApiGateway::Model.
type model struct {
	raw      map[string]any
	id, name string
	schema   any
	// definitions are those of the document that it is from.
	definitions map[string]any
}

// check says what is wrong with a body, "" if nothing is.
func (m *model) check(a *api, body []byte) string {
	return ingress.Model{Schema: m.schema, Definitions: m.definitions, Other: func(name string) (any, bool) {
		if other := a.model(name); other != nil {
			return other.schema, true
		}
		return nil, false
	}}.Check(body)
}

// putModel keeps a model: a JSON schema that bodies are checked with.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-model.html
func (g *APIs) putModel(req stack.Request) (stack.Resource, error) {
	var in struct {
		RestApiId         string `cfn:"required"`
		Name, ContentType string
		Schema            any
	}
	p := read(req.Properties, &in, "Description")
	schema, err := ingress.ReadSchema(in.Schema)
	if err != nil {
		p.fail("Schema", "%v", err)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a := g.owner(p, in.RestApiId)
	if a == nil {
		return stack.Resource{}, p.err
	}
	name := in.Name
	if name == "" {
		name = strings.ReplaceAll(req.Name(128), "-", "")
		if req.PhysicalID != "" {
			name = req.PhysicalID
		}
	}
	a.models[name] = &model{raw: req.Properties, name: name, schema: schema, id: ingress.ResourceID(6, never, a.id, name)}
	return stack.Resource{PhysicalID: name}, nil
}

func (g *APIs) deleteModel(req stack.Request) error {
	if a := g.apis[fmt.Sprint(req.Properties["RestApiId"])]; a != nil {
		delete(a.models, req.PhysicalID)
	}
	return nil
}

// validator is an AWS::ApiGateway::RequestValidator.
type validator struct {
	raw              map[string]any
	id, name         string
	body, parameters bool
}

// putValidator keeps what of a request is checked.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-requestvalidator.html
func (g *APIs) putValidator(req stack.Request) (stack.Resource, error) {
	var in struct {
		RestApiId                                      string `cfn:"required"`
		Name                                           string
		ValidateRequestBody, ValidateRequestParameters bool
	}
	p := read(req.Properties, &in)
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a := g.owner(p, in.RestApiId)
	if a == nil {
		return stack.Resource{}, p.err
	}
	id := req.PhysicalID
	if a.validators[id] == nil {
		id = ingress.IDOf(req, 6, taken(a.validators))
	}
	a.validators[id] = &validator{req.Properties, id, in.Name, in.ValidateRequestBody, in.ValidateRequestParameters}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"RequestValidatorId": id}}, nil
}

func (g *APIs) deleteValidator(req stack.Request) error {
	if a := g.apis[fmt.Sprint(req.Properties["RestApiId"])]; a != nil {
		delete(a.validators, req.PhysicalID)
	}
	return nil
}
