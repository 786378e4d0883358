package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// model is an AWS::ApiGatewayV2::Model.
type model struct {
	name   string
	schema any
}

// putModel keeps a model: a JSON schema that messages are checked with.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-model.html
func (g *Gateway) putModel(req stack.Request) (stack.Resource, error) {
	var in struct {
		ApiId  string `cfn:"required"`
		Name   string `cfn:"required"`
		Schema any    `cfn:"required"`
	}
	p := read(req.Properties, &in, "ContentType", "Description")
	if in.Name != "" && strings.Trim(in.Name, wordLetters) != "" {
		p.fail("Name", "must be letters and digits, not %q", in.Name)
	}
	schema, err := ingress.ReadSchema(in.Schema)
	if err != nil {
		p.fail("Schema", "%v", err)
	}
	a := g.owner(p, in.ApiId)
	if p.err == nil && a.protocol != protocolSocket {
		p.fail("ApiId", "models are for WebSocket APIs")
	}
	id := req.PhysicalID
	if id == "" || req.Restored {
		id = ingress.IDOf(req, 6, func(string) bool { return false })
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	for other, m := range a.models {
		if m.name == in.Name && other != id {
			return stack.Resource{}, fmt.Errorf("property Name: model %s already exists for this API", in.Name)
		}
	}
	a.models[id] = model{in.Name, schema}
	a.changed()
	return stack.Resource{PhysicalID: id, Attributes: map[string]any{"ModelId": id}}, nil
}

func (g *Gateway) deleteModel(req stack.Request) error {
	if a := g.apis[fmt.Sprint(req.Properties["ApiId"])]; a != nil {
		delete(a.models, req.PhysicalID)
		a.changed()
	}
	return nil
}

// checkModel looks at a model before anything is made.
func checkModel(values map[string]any) error {
	p := &problems{}
	if _, err := ingress.ReadSchema(values["Schema"]); err != nil {
		p.fail("Schema", "%v", err)
	}
	return p.err
}

// validation is what the messages of a route are checked with.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-request-validation.html
type validation struct {
	by     selection
	models map[string]ingress.Model // by the keys of RequestModels
}

// readValidation reads a route's ModelSelectionExpression; "" = messages are not
// checked, whatever the RequestModels are.
func readValidation(p *problems, a *api, expression string, models map[string]string) selection {
	for _, key := range slices.Sorted(maps.Keys(models)) {
		if a != nil && a.protocol == protocolSocket && a.modelNamed(models[key]) == nil {
			p.fail("RequestModels", "%s: no model of this API is named %s; a Ref of a model is its ID and not its name", key, models[key])
		}
	}
	if expression == "" {
		return nil
	}
	by, err := parseSelection(expression, false)
	if err != nil {
		p.fail("ModelSelectionExpression", "%v", err)
	}
	return by
}

func (a *api) modelNamed(name string) any {
	for _, m := range a.models {
		if m.name == name {
			return m.schema
		}
	}
	return nil
}

// validation takes a picture of the models that a route's messages are checked with;
// nil = they are not.
func (a *api) validation(r *explicitRoute) *validation {
	if r.modelBy == nil {
		return nil
	}
	schemas := map[string]any{}
	for _, m := range a.models {
		schemas[m.name] = m.schema
	}
	v := &validation{r.modelBy, map[string]ingress.Model{}}
	for key, name := range r.models {
		v.models[key] = ingress.Model{Schema: schemas[name], Other: func(name string) (any, bool) {
			schema, ok := schemas[name]
			return schema, ok
		}}
	}
	return v
}

// check says what is wrong with a message, "" if nothing is. Without a model for it
// and one of the key $default it is refused.
func (v *validation) check(message string) string {
	if v == nil {
		return ""
	}
	key, _ := v.by.key(message) // "" is the key of no model
	m, known := v.models[key]
	if !known {
		key = "$default"
		if m, known = v.models[key]; !known {
			return fmt.Sprintf("the route has no model for it; RequestModels has %q, and none for $default", slices.Sorted(maps.Keys(v.models)))
		}
	}
	if found := m.Check([]byte(message)); found != "" {
		return fmt.Sprintf("the message does not fit the model of %s: %s", key, found)
	}
	return ""
}
