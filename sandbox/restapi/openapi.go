package restapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"arc/cfn"
	"arc/cfn/iam"
	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// document is what an API takes from an OpenAPI document, of version 2 or 3.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html
type document struct {
	title       string
	binary      []string
	keySource   string
	policy      *iam.Policy
	paths       map[string]map[string]*method // by path and verb
	authorizers map[string]*authorizer
	validators  map[string]*validator
	models      map[string]*model
	responses   map[string]*gatewayResponse
}

func newOnce() *sync.Once { return &sync.Once{} }

// take is what the document says of the API's own settings.
func (s *settings) take(d document) {
	if s.name == "" {
		s.name = d.title
	}
	if d.binary != nil {
		s.binary = d.binary
	}
	if d.keySource != "" {
		s.keySource = d.keySource
	}
	s.policy = d.policy
}

// policyText is a policy as JSON.
func policyText(value any) (string, error) {
	if text, ok := value.(string); ok {
		return text, nil
	}
	data, err := json.Marshal(value)
	return string(data), err
}

// body is the OpenAPI document of an API's properties; nil = there is none.
func (g *APIs) body(p *problems, value any, isObject bool, get func() ([]byte, error)) (map[string]any, error) {
	if value != nil && isObject {
		p.fail("BodyS3Location", "goes without Body")
	}
	switch v := value.(type) {
	case map[string]any:
		return v, nil
	case string:
		return parseBody("Body", []byte(v))
	}
	if !isObject || p.err != nil {
		return nil, nil
	}
	data, err := get()
	if err != nil {
		return nil, fmt.Errorf("property BodyS3Location: %w", err)
	}
	return parseBody("BodyS3Location", data)
}

// parseBody reads a document of JSON or YAML.
func parseBody(property string, data []byte) (map[string]any, error) {
	var out map[string]any
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if dec.Decode(&out) == nil {
		return out, nil
	}
	if err := yaml.Unmarshal(data, &out); err != nil || out == nil {
		return nil, fmt.Errorf("property %s: is neither JSON nor YAML", property)
	}
	data, err := json.Marshal(out)
	if err == nil {
		out = nil
		dec = json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		err = dec.Decode(&out)
	}
	if err != nil {
		return nil, fmt.Errorf("property %s: %w", property, err)
	}
	return out, nil
}

// importer reads one document.
type importer struct {
	api  *api
	body map[string]any
	p    *problems
	d    document
	auth map[string]imported
}

// imported is what a security scheme asks for.
type imported struct {
	auth, authorizer string
	key              bool
}

func object(m map[string]any, names ...string) map[string]any {
	for _, name := range names {
		m, _ = m[name].(map[string]any)
	}
	return m
}

// extension is the name of one of API Gateway's own fields.
func extension(name string) string { return "x-amazon-apigateway-" + name }

// importBody reads a document; nil gives an API that its resources build up.
func importBody(a *api, body map[string]any) (document, error) {
	im := &importer{api: a, body: body, p: &problems{}, auth: map[string]imported{}, d: document{
		paths: map[string]map[string]*method{}, authorizers: map[string]*authorizer{}, validators: map[string]*validator{}, models: map[string]*model{}, responses: map[string]*gatewayResponse{},
	}}
	if body == nil {
		return im.d, nil
	}
	im.settings()
	im.schemes()
	im.validators()
	im.models()
	im.gatewayResponses()
	paths := object(body, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item, _ := paths[path].(map[string]any)
		for _, verb := range slices.Sorted(maps.Keys(item)) {
			name := strings.ToUpper(verb)
			if verb == cfn.AnyMethod {
				name = "ANY"
			}
			if !slices.Contains(verbs, name) {
				continue
			}
			m := im.method(name, item, object(item, verb))
			if im.p.err != nil && !errors.Is(im.p.err, stack.ErrUnknown) {
				return im.d, fmt.Errorf("property Body: paths %s %s: %w", path, verb, im.p.err)
			}
			if im.d.paths[path] == nil {
				im.d.paths[path] = map[string]*method{}
			}
			im.d.paths[path][name] = m
		}
	}
	if err := im.p.err; err != nil && !errors.Is(err, stack.ErrUnknown) {
		return im.d, fmt.Errorf("property Body: %w", err)
	}
	return im.d, im.p.err
}

func (im *importer) settings() {
	im.d.title, _ = object(im.body, "info")["title"].(string)
	im.d.keySource, _ = im.body[extension("api-key-source")].(string)
	if list, ok := im.body[extension("binary-media-types")].([]any); ok {
		for _, item := range list {
			im.d.binary = append(im.d.binary, fmt.Sprint(item))
		}
	}
	if value := im.body[extension("policy")]; value != nil {
		var err error
		im.d.policy, err = readPolicy(im.api, value)
		im.p.add(err)
	}
}

// schemes reads how callers say who they are.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
func (im *importer) schemes() {
	schemes := object(im.body, "securityDefinitions")
	if schemes == nil {
		schemes = object(im.body, "components", "securitySchemes")
	}
	for _, name := range slices.Sorted(maps.Keys(schemes)) {
		scheme := object(schemes, name)
		own := object(scheme, extension("authorizer"))
		header, _ := scheme["name"].(string)
		switch {
		case strings.EqualFold(fmt.Sprint(scheme[extension("authtype")]), "awsSigv4"):
			im.auth[name] = imported{auth: "AWS_IAM"}
		case own == nil && strings.EqualFold(header, "x-api-key"):
			im.auth[name] = imported{key: true}
		case own == nil:
			// Others are documentation: API Gateway imports no authorizer.
			im.auth[name] = imported{auth: "NONE"}
		default:
			im.authorizer(name, header, own)
		}
	}
}

func (im *importer) authorizer(name, header string, own map[string]any) {
	var in struct {
		Type        string `name:"type" cfn:"required"`
		URI         string `name:"authorizerUri"`
		Credentials string `name:"authorizerCredentials"`
		Seconds     *int   `name:"authorizerResultTtlInSeconds"`
		Identity    string `name:"identitySource"`
		Validation  string `name:"identityValidationExpression"`
		Providers   []any  `name:"providerARNs"`
	}
	p := read(own, &in)
	source := in.Identity
	if source == "" && !strings.EqualFold(in.Type, authRequest) && header != "" && header != "Unused" {
		source = "method.request.header." + header
	}
	var providers []string
	for _, arn := range in.Providers {
		if text, ok := arn.(string); ok {
			providers = append(providers, text)
		} else {
			p.add(stack.ErrUnknown)
		}
	}
	z := authorizerProperties{in.Type, name, in.URI, in.Credentials, source, in.Validation, in.Seconds, providers}.read(p)
	if p.err != nil && !errors.Is(p.err, stack.ErrUnknown) {
		p.err = fmt.Errorf("securityDefinitions %s: %w", name, p.err)
	}
	im.p.add(p.err)
	z.id = ingress.ResourceID(6, never, im.api.id, "authorizer", name)
	im.d.authorizers[z.id] = z
	auth := "CUSTOM"
	if z.kind == authCognito {
		auth = authCognito
	}
	im.auth[name] = imported{auth: auth, authorizer: z.id}
}

// validators reads which checks of requests there are.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-request-validators.html
func (im *importer) validators() {
	all := object(im.body, extension("request-validators"))
	for name := range all {
		one := object(all, name)
		id := im.validatorID(name)
		im.d.validators[id] = &validator{nil, id, name, isTrue(one["validateRequestBody"]), isTrue(one["validateRequestParameters"])}
	}
}

func isTrue(v any) bool { return v == true || v == "true" }

func (im *importer) validatorID(name string) string {
	return ingress.ResourceID(6, never, im.api.id, "validator", name)
}

func (im *importer) models() {
	definitions := object(im.body, "definitions")
	if definitions == nil {
		definitions = object(im.body, "components", "schemas")
	}
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		schema, err := ingress.ReadSchema(definitions[name])
		if err != nil {
			im.p.fail("definitions."+name, "%v", err)
			continue
		}
		im.d.models[name] = &model{id: ingress.ResourceID(6, never, im.api.id, "model", name), name: name, schema: schema, definitions: definitions}
	}
}

// gatewayResponses reads what the API answers by itself.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-gateway-responses.html
func (im *importer) gatewayResponses() {
	all := object(im.body, extension("gateway-responses"))
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		var in struct {
			Status     string            `name:"statusCode"`
			Parameters map[string]string `name:"responseParameters"`
			Templates  map[string]string `name:"responseTemplates"`
		}
		p := read(object(all, kind), &in)
		r := newGatewayResponse(p, kind, in.Status, in.Parameters, in.Templates)
		im.p.add(p.err)
		im.d.responses[kind] = r
	}
}
