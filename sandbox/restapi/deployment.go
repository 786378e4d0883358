package restapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// putDeployment takes a picture of an API.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html
func (g *APIs) putDeployment(req stack.Request) (stack.Resource, error) {
	var in struct {
		RestApiId              string `cfn:"required"`
		Description, StageName string
		StageDescription       *struct {
			Variables        map[string]string
			CanarySetting    any
			AccessLogSetting any
			CachingEnabled   any
		}
		DeploymentCanarySettings any
	}
	values := maps.Clone(req.Properties)
	if described, ok := values["StageDescription"].(map[string]any); ok {
		described = maps.Clone(described)
		for _, name := range harmlessStage {
			delete(described, name)
		}
		values["StageDescription"] = described
	}
	p := read(values, &in)
	p.refuse(in.DeploymentCanarySettings != nil, "DeploymentCanarySettings", "a stage has one deployment here")
	p.refuse(in.StageDescription != nil && in.StageDescription.CanarySetting != nil, "StageDescription.CanarySetting", "a stage has one deployment here")
	if in.StageName == "" && in.StageDescription != nil && p.err == nil {
		p.fail("StageDescription", "stage description cannot be specified when stage name is not specified")
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a := g.owner(p, in.RestApiId)
	if a == nil {
		return stack.Resource{}, p.err
	}
	id := req.PhysicalID
	d := a.deployments[id]
	if d == nil {
		if err := a.deployable(); err != nil {
			return stack.Resource{}, err
		}
		id = ingress.IDOf(req, 6, taken(a.deployments))
		d = &deployment{snapshot: a.snapshot(), created: time.Now().UTC()}
		if d.picture = req.Had(pictureAttribute); d.picture == "" {
			d.picture = a.picture()
		} else if old, err := g.develop(a, d.picture); err == nil {
			d.snapshot = old // what changed after it was taken is not live in the next run, either
		}
		a.deployments[id] = d
	}
	d.description = in.Description
	if in.StageName != "" {
		if !validStage(in.StageName) {
			return stack.Resource{}, fmt.Errorf("property StageName: stage name only allows a-zA-Z0-9_: %s", in.StageName)
		}
		s := a.stages[in.StageName]
		if s == nil {
			s = &stage{name: in.StageName, created: time.Now().UTC(), brought: true}
			defer g.announce(req, a, in.StageName)
		}
		moved := *s
		moved.deployment = id
		if in.StageDescription != nil {
			moved.variables = in.StageDescription.Variables
			moved.raw, _ = req.Properties["StageDescription"].(map[string]any)
		}
		a.stages[in.StageName] = &moved
		a.changed()
	}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"DeploymentId": id, pictureAttribute: d.picture}}, nil
}

// harmlessStage are properties of stages that make no difference on one machine.
var harmlessStage = []string{
	"AccessLogSetting", "CacheClusterEnabled", "CacheClusterSize", "CacheDataEncrypted", "CacheTtlInSeconds", "CachingEnabled", "ClientCertificateId",
	"DataTraceEnabled", "Description", "DocumentationVersion", "LoggingLevel", "MethodSettings", "MetricsEnabled", "Tags", "ThrottlingBurstLimit",
	"ThrottlingRateLimit", "TracingEnabled",
}

// notCounted says of a stage what of it does nothing here.
func notCounted(values map[string]any) string {
	var kept []string
	for _, name := range []string{"AccessLogSetting", "CacheClusterEnabled", "MethodSettings"} {
		if values[name] != nil && values[name] != false && values[name] != "false" {
			kept = append(kept, name)
		}
	}
	if kept == nil {
		return ""
	}
	return "; kept only: " + strings.Join(kept, ", ") + " (the local cloud throttles, caches and logs nothing of API Gateway's)"
}

// deployable says why an API cannot be deployed as it is.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
func (a *api) deployable() error {
	count := 0
	for _, id := range slices.Sorted(maps.Keys(a.resources)) {
		r := a.resources[id]
		for _, verb := range slices.Sorted(maps.Keys(r.methods)) {
			if count++; r.methods[verb].integration == nil {
				return fmt.Errorf("no integration defined for method: %s %s", verb, r.path)
			}
		}
	}
	if count == 0 {
		return fmt.Errorf("the REST API doesn't contain any methods; let the Deployment depend on its methods")
	}
	return nil
}

func (g *APIs) deleteDeployment(req stack.Request) error {
	a := g.apis[fmt.Sprint(req.Properties["RestApiId"])]
	if a == nil || a.deployments[req.PhysicalID] == nil {
		return nil
	}
	for _, s := range a.stages {
		if s.deployment == req.PhysicalID && !s.brought {
			return fmt.Errorf("active stages pointing to this deployment must be moved or deleted: %s", s.name)
		}
	}
	maps.DeleteFunc(a.stages, func(_ string, s *stage) bool { return s.deployment == req.PhysicalID })
	delete(a.deployments, req.PhysicalID)
	a.changed()
	return nil
}

// validStage reports whether a stage may have the name.
func validStage(name string) bool {
	for _, r := range name {
		if r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return name != "" && len(name) <= 128
}

// putStage gives a deployment an address.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html
func (g *APIs) putStage(req stack.Request) (stack.Resource, error) {
	var in struct {
		RestApiId     string `cfn:"required"`
		DeploymentId  string
		StageName     string `cfn:"required"`
		Variables     map[string]string
		CanarySetting any
	}
	p := read(req.Properties, &in, harmlessStage...)
	p.refuse(in.CanarySetting != nil, "CanarySetting", "a stage has one deployment here")
	if in.StageName != "" && !validStage(in.StageName) {
		p.fail("StageName", "stage name only allows a-zA-Z0-9_-: %s", in.StageName)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	a := g.owner(p, in.RestApiId)
	if a == nil {
		return stack.Resource{}, p.err
	}
	if a.deployments[in.DeploymentId] == nil {
		p.fail("DeploymentId", "invalid Deployment identifier specified: %q", in.DeploymentId)
		return stack.Resource{}, p.err
	}
	old := a.stages[in.StageName]
	isNew := req.PhysicalID == "" || req.Restored
	if isNew && old != nil {
		return stack.Resource{}, fmt.Errorf("stage already exists: %s; a Deployment with this StageName made it: leave StageName out there", in.StageName)
	}
	s := &stage{name: in.StageName, raw: req.Properties, created: time.Now().UTC(), variables: in.Variables, deployment: in.DeploymentId}
	if old != nil {
		s.created = old.created
	}
	a.stages[s.name] = s
	a.changed()
	if isNew {
		g.announce(req, a, s.name)
	}
	return stack.Resource{PhysicalID: s.name, Note: "answers at " + a.url(s.name) + notCounted(req.Properties)}, nil
}

func (g *APIs) deleteStage(req stack.Request) error {
	if a := g.apis[fmt.Sprint(req.Properties["RestApiId"])]; a != nil {
		delete(a.stages, req.PhysicalID)
		a.changed()
	}
	return nil
}

// announce tells where a new stage answers, once it does and for the first time.
func (g *APIs) announce(req stack.Request, a *api, stage string) {
	if !req.Whole() && g.options.Announce != nil {
		g.options.Announce(req.Stack, a.logical, a.url(stage))
	}
}
