package restapi

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"arc/cfn/iam"
	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// Registrations are the resource types of REST APIs. Links into networks and the
// like are registered too, so that a template with one is refused with a sentence
// instead of being served without it.
func (g *APIs) Registrations() map[string]stack.Registration {
	// The lock is taken here, once, so that what a step does to an API is one
	// step for everyone else.
	of := func(put func(stack.Request) (stack.Resource, error), remove func(stack.Request) error) stack.Registration {
		step := func(_ context.Context, req stack.Request) (stack.Resource, error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			return put(req)
		}
		return stack.Registration{Provider: stack.Steps{
			OnCreate: step, OnUpdate: step, OnDelete: func(_ context.Context, req stack.Request) error {
				g.mu.Lock()
				defer g.mu.Unlock()
				return remove(req)
			},
		}}
	}
	types := map[string]stack.Registration{
		"AWS::ApiGateway::RestApi":          of(g.putAPI, g.deleteAPI),
		"AWS::ApiGateway::Resource":         of(g.putResource, g.deleteResource),
		"AWS::ApiGateway::Method":           of(g.putMethod, g.deleteMethod),
		"AWS::ApiGateway::Deployment":       of(g.putDeployment, g.deleteDeployment),
		"AWS::ApiGateway::Stage":            of(g.putStage, g.deleteStage),
		"AWS::ApiGateway::Authorizer":       of(g.putAuthorizer, g.deleteAuthorizer),
		"AWS::ApiGateway::GatewayResponse":  of(g.putGatewayResponse, g.deleteGatewayResponse),
		"AWS::ApiGateway::Model":            of(g.putModel, g.deleteModel),
		"AWS::ApiGateway::RequestValidator": of(g.putValidator, g.deleteValidator),
		"AWS::ApiGateway::Account":          of(putAccount, nothing),
	}
	for _, name := range []string{"ClientCertificate", "VpcLink", "DomainNameV2", "BasePathMappingV2", "DomainNameAccessAssociation"} {
		name = "AWS::ApiGateway::" + name
		why := name + " is not emulated by the local cloud; leave it out of the local stack with a Condition"
		r := of(func(stack.Request) (stack.Resource, error) { return stack.Resource{}, fmt.Errorf("%s", why) }, nothing)
		r.Refused = why
		types[name] = r
	}
	return types
}

func nothing(stack.Request) error { return nil }

// putAccount keeps the role by which API Gateway writes logs: here it writes none.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html
func putAccount(req stack.Request) (stack.Resource, error) {
	err := stack.Read(req.Properties, &struct{}{}, "CloudWatchRoleArn")
	id := ingress.ResourceID(10, never, req.Stack.ID, req.LogicalID)
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}, Note: "kept only: the local cloud writes no logs of API Gateway's own"}, err
}

// frontAttribute keeps the address of an API's front end for the next run. No
// template can name it.
const frontAttribute = " front"

// putAPI makes or changes an API.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html
func (g *APIs) putAPI(req stack.Request) (stack.Resource, error) {
	a := g.apis[req.PhysicalID]
	isNew := a == nil
	if isNew {
		a = newAPI(req.Stack, req.LogicalID, ingress.IDOf(req, 10, taken(g.apis)))
	}
	if err := g.configure(a, req.Properties); err != nil {
		return stack.Resource{}, err
	}
	if isNew {
		if err := g.openFront(a, req.Had(frontAttribute)); err != nil {
			return stack.Resource{}, err
		}
		g.apis[a.id] = a
	}
	return stack.Resource{
		PhysicalID: a.id, Attributes: map[string]any{"RestApiId": a.id, "RootResourceId": a.root, frontAttribute: a.host},
		Note: "its stages answer at http://" + a.host + "/STAGE",
	}, nil
}

// configure reads the API's own properties; on error a is unchanged.
func (g *APIs) configure(a *api, values map[string]any) error {
	var in struct {
		Name, ApiKeySourceType, CloneFrom, Mode string
		BinaryMediaTypes                        []string
		Body, Policy                            any
		BodyS3Location                          *struct{ Bucket, Key, Version, ETag string }
		Parameters                              map[string]string
		MinimumCompressionSize                  any
		DisableExecuteApiEndpoint               bool
	}
	p := read(values, &in, "Description", "EndpointConfiguration", "EndpointAccessMode", "FailOnWarnings", "SecurityPolicy", "Tags")
	p.refuse(in.CloneFrom != "", "CloneFrom", "write the API's resources, or its Body")
	p.refuse(in.Mode == "merge", "Mode", "a Body replaces what an earlier one described; write the whole of it")
	for name, value := range in.Parameters {
		p.refuse(strings.EqualFold(name, "basepath") && value != "ignore", "Parameters.basepath", "write the paths whole, with basepath ignore")
	}
	body, err := g.body(p, in.Body, in.BodyS3Location != nil, func() ([]byte, error) {
		if g.options.Object == nil {
			return nil, fmt.Errorf("there is no S3")
		}
		return g.options.Object(in.BodyS3Location.Bucket, in.BodyS3Location.Key)
	})
	p.add(err)
	s := settings{name: in.Name, keySource: "HEADER", binary: in.BinaryMediaTypes, off: in.DisableExecuteApiEndpoint}
	imported, err := importBody(a, body)
	p.add(err)
	s.take(imported)
	if in.ApiKeySourceType != "" {
		s.keySource = in.ApiKeySourceType
	}
	if s.keySource != "HEADER" && s.keySource != "AUTHORIZER" {
		p.fail("ApiKeySourceType", "must be HEADER or AUTHORIZER, not %q", s.keySource)
	}
	switch {
	case s.name != "" || p.err != nil:
	case body != nil: // without a title, as SAM's DefinitionBody may be
		s.name = a.logical
	default:
		p.fail("Name", "is required")
	}
	if in.Policy != nil && in.Policy != "" { // osls writes none so
		s.policy, err = readPolicy(a, in.Policy)
		p.add(err)
	}
	if p.err != nil {
		return p.err
	}
	s.told = a.told
	if s.told == nil {
		s.told = newOnce()
	}
	a.raw, a.settings = values, s
	a.adopt(imported)
	return nil
}

// readPolicy reads a resource policy, in which execute-api:/… is short for the API's
// own ARN.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
func readPolicy(a *api, value any) (*iam.Policy, error) {
	text, err := policyText(value)
	if err != nil {
		return nil, fmt.Errorf("property Policy: %w", err)
	}
	policy := iam.Read(strings.ReplaceAll(text, `"execute-api:/`, `"`+a.arn("")))
	if policy.Unread() {
		return nil, fmt.Errorf("property Policy: has what IAM does not read")
	}
	return &policy, nil
}

func (g *APIs) deleteAPI(req stack.Request) error {
	if a := g.apis[req.PhysicalID]; a != nil {
		delete(g.apis, a.id)
		a.live.Store(nil)
		a.release()
	}
	return nil
}

var pathPart = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-zA-Z0-9._~:!$&'()*+,;=@%-]+|\{[a-zA-Z0-9._-]+\+?\})$`)
})

// putResource makes a part of a path.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-resource.html
func (g *APIs) putResource(req stack.Request) (stack.Resource, error) {
	var in struct {
		RestApiId string `cfn:"required"`
		ParentId  string `cfn:"required"`
		PathPart  string `cfn:"required"`
	}
	p := read(req.Properties, &in)
	if in.PathPart != "" && !pathPart().MatchString(in.PathPart) {
		p.fail("PathPart", "%q: resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end", in.PathPart)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a := g.owner(p, in.RestApiId)
	if a == nil {
		return stack.Resource{}, p.err
	}
	parent := a.resources[in.ParentId]
	if parent == nil {
		p.fail("ParentId", "invalid Resource identifier specified: %s", in.ParentId)
		return stack.Resource{}, p.err
	}
	if _, greedy := variable(parent.part); greedy {
		p.fail("ParentId", "cannot create a child of a resource with a greedy path variable: %s", parent.path)
	}
	id := req.PhysicalID
	if a.resources[id] == nil {
		id = ingress.IDOf(req, 6, taken(a.resources))
	}
	r := &resource{id: id, parent: in.ParentId, part: in.PathPart, methods: map[string]*method{}}
	r.path = a.pathOf(r)
	for _, other := range a.resources {
		if other.path == r.path && other.id != id {
			p.fail("PathPart", "another resource with the same parent already has this name: %s", in.PathPart)
		}
		name, _ := variable(r.part)
		if theirs, _ := variable(other.part); other.parent == r.parent && other.id != id && name != "" && theirs != "" && theirs != name {
			p.fail("PathPart", "a sibling (%s) of this resource already has a variable path part -- only one is allowed", other.part)
		}
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	if old := a.resources[id]; old != nil {
		r.methods = old.methods
	}
	a.resources[id] = r
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"ResourceId": id}}, nil
}

func (g *APIs) deleteResource(req stack.Request) error {
	if a := g.apis[fmt.Sprint(req.Properties["RestApiId"])]; a != nil {
		delete(a.resources, req.PhysicalID)
	}
	return nil
}
