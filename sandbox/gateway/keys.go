package gateway

import (
	"fmt"
	"net/http"
	"slices"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// API keys, and the usage plans that say which stages they open. Their quotas and
// throttles are not counted.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-api-key.html

// apiKey is an AWS::ApiGateway::ApiKey.
type apiKey struct {
	name    string
	value   string
	enabled bool
}

// usagePlan is an AWS::ApiGateway::UsagePlan with its AWS::ApiGateway::UsagePlanKeys.
type usagePlan struct {
	name   string
	stages []string // API/STAGE
	// quota and throttle are told, and not counted.
	quota, throttle map[string]any
	keys            map[string]bool
}

const notCounted = "quotas and throttles are not counted by the local cloud"

func (g *Gateway) putKey(req stack.Request) (stack.Resource, error) {
	var in struct {
		Name, Value string
		Enabled     bool
	}
	p := read(req.Properties, &in, "CustomerId", "Description", "GenerateDistinctId", "StageKeys", "Tags")
	if n := len(in.Value); n != 0 && (n < 20 || n > 128) {
		p.fail("Value", "an API key has 20 to 128 characters")
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	id := req.PhysicalID
	if g.keys[id] == nil {
		id = ingress.IDOf(req, 10, taken(g.keys))
	}
	if in.Value == "" {
		in.Value = ingress.ResourceID(40, func(string) bool { return false }, req.Stack.ID, req.LogicalID, "key")
	}
	if in.Name == "" {
		in.Name = req.Name(128)
	}
	g.keys[id] = &apiKey{in.Name, in.Value, in.Enabled}
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"APIKeyId": id}}, nil
}

func (g *Gateway) deleteKey(req stack.Request) error {
	delete(g.keys, req.PhysicalID)
	return nil
}

func (g *Gateway) putPlan(req stack.Request) (stack.Resource, error) {
	var in struct {
		UsagePlanName string
		ApiStages     []struct {
			ApiId, Stage string
			Throttle     any
		}
		Quota, Throttle map[string]any
	}
	p := read(req.Properties, &in, "Description", "Tags")
	plan := &usagePlan{name: in.UsagePlanName, keys: map[string]bool{}, quota: in.Quota, throttle: in.Throttle}
	if plan.name == "" {
		plan.name = req.Name(128)
	}
	note := ""
	for _, s := range in.ApiStages {
		if g.apis[s.ApiId] == nil && !g.options.Known(s.ApiId, "") {
			p.fail("ApiStages", "invalid API identifier specified: %s", s.ApiId)
		}
		plan.stages = append(plan.stages, s.ApiId+"/"+s.Stage)
		if s.Throttle != nil {
			note = notCounted
		}
	}
	if in.Quota != nil || in.Throttle != nil {
		note = notCounted
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	id := req.PhysicalID
	if old := g.plans[id]; old != nil {
		plan.keys = old.keys
	} else {
		id = ingress.IDOf(req, 6, taken(g.plans))
	}
	g.plans[id] = plan
	made := stack.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}
	if note != "" {
		made = g.unlike(req, made, note)
	}
	return made, nil
}

func (g *Gateway) deletePlan(req stack.Request) error {
	delete(g.plans, req.PhysicalID)
	return nil
}

func (g *Gateway) putPlanKey(req stack.Request) (stack.Resource, error) {
	var in struct {
		KeyId       string `cfn:"required"`
		KeyType     string `cfn:"required"`
		UsagePlanId string `cfn:"required"`
	}
	p := read(req.Properties, &in)
	if g.keys[in.KeyId] == nil {
		p.fail("KeyId", "invalid API key identifier specified: %s", in.KeyId)
	}
	if g.plans[in.UsagePlanId] == nil {
		p.fail("UsagePlanId", "invalid usage plan identifier specified: %s", in.UsagePlanId)
	}
	if in.KeyType != "API_KEY" {
		p.fail("KeyType", "must be API_KEY, not %q", in.KeyType)
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	g.plans[in.UsagePlanId].keys[in.KeyId] = true
	id := in.KeyId + ":" + in.UsagePlanId
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"Id": id}}, nil
}

func (g *Gateway) deletePlanKey(req stack.Request) error {
	if plan := g.plans[fmt.Sprint(req.Properties["UsagePlanId"])]; plan != nil {
		delete(plan.keys, fmt.Sprint(req.Properties["KeyId"]))
	}
	return nil
}

// keySelections are where an API looks for a caller's key.
var keySelections = []string{"$request.header.x-api-key", "$context.authorizer.usageIdentifierKey"}

// KeyOf is the ID of the enabled API key of a value that a usage plan has for a stage
// of an API; "" = there is none.
func (g *Gateway) KeyOf(api, stage, value string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, plan := range g.plans {
		if !slices.Contains(plan.stages, api+"/"+stage) {
			continue
		}
		for id := range plan.keys {
			if key := g.keys[id]; key != nil && key.enabled && key.value == value {
				return id
			}
		}
	}
	return ""
}

// checkKey asks for an API key that a usage plan of the stage has, and gives its ID and
// value.
func (g *Gateway) checkKey(a *api, stage string, s *surroundings) (id, value string, refused *refusal) {
	value, _ = s.lookup(a.keySelection)
	if value == "" {
		return "", "", denied("the request has no API key in %s", a.keySelection)
	}
	if id := g.KeyOf(a.id, stage, value); id != "" {
		return id, value, nil
	}
	return "", "", &refusal{status: http.StatusForbidden, message: "Forbidden", why: "no usage plan of the stage has this API key, enabled"}
}
