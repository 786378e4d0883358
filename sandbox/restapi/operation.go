package restapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/sandbox/ingress"
)

// method reads an operation.
func (im *importer) method(verb string, item, operation map[string]any) *method {
	m := &method{verb: verb, auth: "NONE", parameters: map[string]bool{}, models: map[string]string{}, responses: map[string]methodResponse{}, raw: operation}
	m.operation, _ = operation["operationId"].(string)
	im.security(m, operation)
	for _, list := range []any{item["parameters"], operation["parameters"]} {
		entries, _ := list.([]any)
		for _, entry := range entries {
			im.parameter(m, entry)
		}
	}
	content := object(operation, "requestBody", "content")
	for kind := range content {
		if name := refName(object(content, kind, "schema")); name != "" {
			m.models[kind] = name
		}
	}
	validator, ok := operation[extension("request-validator")].(string)
	if !ok {
		validator, _ = im.body[extension("request-validator")].(string)
	}
	if validator != "" {
		m.validator = im.validatorID(validator)
	}
	responses := object(operation, "responses")
	for status := range responses {
		r := methodResponse{parameters: map[string]bool{}}
		for name := range object(responses, status, "headers") {
			r.parameters["method.response.header."+name] = false
		}
		m.responses[status] = r
	}
	m.integration = im.integration(operation[extension("integration")])
	return m
}

// security is what an operation asks for; [] asks for nothing.
func (im *importer) security(m *method, operation map[string]any) {
	value, own := operation["security"]
	if !own {
		value = im.body["security"]
	}
	list, _ := value.([]any)
	for _, requirement := range list {
		names, _ := requirement.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			scheme, known := im.auth[name]
			switch {
			case !known:
				// SAM's way of saying none: api_key_false, NONE.
				continue
			case scheme.key:
				m.key = true
			case scheme.auth != "NONE" && m.auth == "NONE":
				m.auth, m.authorizer = scheme.auth, scheme.authorizer
				scopes, _ := names[name].([]any)
				for _, scope := range scopes {
					m.scopes = append(m.scopes, fmt.Sprint(scope))
				}
			}
		}
	}
	// A method names its authorizer by x-amazon-apigateway-auth, too.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-auth.html
	if kind := fmt.Sprint(object(operation, extension("auth"))["type"]); m.auth == "NONE" && strings.EqualFold(kind, "AWS_IAM") {
		m.auth = "AWS_IAM"
	}
}

func refName(schema map[string]any) string {
	ref, _ := schema["$ref"].(string)
	return ref[strings.LastIndex(ref, "/")+1:]
}

func (im *importer) parameter(m *method, value any) {
	p, _ := value.(map[string]any)
	if ref, ok := p["$ref"].(string); ok {
		at := im.body
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = object(at, name)
		}
		p = at
	}
	name, _ := p["name"].(string)
	switch in := fmt.Sprint(p["in"]); in {
	case "query":
		m.parameters["method.request.querystring."+name] = isTrue(p["required"])
	case "header", "path":
		m.parameters["method.request."+in+"."+name] = isTrue(p["required"])
	case "body":
		if model := refName(object(p, "schema")); model != "" {
			m.models["application/json"] = model
		}
	}
}

// integration reads what an operation calls; nil = nothing.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html
func (im *importer) integration(value any) *integration {
	fields, _ := value.(map[string]any)
	if ref, ok := fields["$ref"].(string); ok {
		at := im.body
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = object(at, name)
		}
		fields = at
	}
	if fields == nil {
		return nil
	}
	renamed := map[string]string{"httpMethod": "IntegrationHttpMethod", "tlsConfig": "TlsConfig", "timeoutInMillis": "TimeoutInMillis"}
	values := map[string]any{}
	for name, v := range fields {
		switch {
		case name == "responses", name == "description", name == "payloadFormatVersion":
		case renamed[name] != "":
			values[renamed[name]] = v
		default:
			values[strings.ToUpper(name[:1])+name[1:]] = v
		}
	}
	if kind, ok := values["Type"].(string); ok {
		values["Type"] = strings.ToUpper(kind)
	}
	if kind, ok := values["PassthroughBehavior"].(string); ok {
		values["PassthroughBehavior"] = strings.ToUpper(kind)
	}
	var list []any
	responses, _ := fields["responses"].(map[string]any)
	for _, pattern := range slices.Sorted(maps.Keys(responses)) {
		one := map[string]any{}
		for name, v := range object(responses, pattern) {
			one[strings.ToUpper(name[:1])+name[1:]] = v
		}
		if pattern != "default" {
			one["SelectionPattern"] = pattern
		}
		list = append(list, one)
	}
	if list != nil {
		values["IntegrationResponses"] = list
	}
	var in integrationProperties
	p := read(values, &in)
	i := in.read(p, extension("integration")+".")
	im.p.add(p.err)
	return i
}

// adopt puts what a document describes in the place of what an earlier one did. What
// resources of the template made stays.
func (a *api) adopt(d document) {
	a.imported = d
	for id, r := range a.resources {
		if r.imported {
			delete(a.resources, id)
		}
	}
	root := *a.resources[a.root]
	root.methods = map[string]*method{}
	for verb, m := range a.resources[a.root].methods {
		if !m.imported {
			root.methods[verb] = m
		}
	}
	a.resources[a.root] = &root
	for _, path := range slices.Sorted(maps.Keys(d.paths)) {
		r := a.grow(path)
		for verb, m := range d.paths[path] {
			m.imported = true
			r.methods[verb] = m
		}
	}
}

// grow gives the resource of a path, making those on the way.
func (a *api) grow(path string) *resource {
	at := a.resources[a.root]
	for _, part := range segments(path) {
		var next *resource
		for _, r := range a.resources {
			if r.parent == at.id && r.part == part {
				next = r
			}
		}
		if next == nil {
			next = &resource{parent: at.id, part: part, methods: map[string]*method{}, imported: true}
			next.path = a.pathOf(next)
			next.id = ingress.ResourceID(6, taken(a.resources), a.id, next.path)
			a.resources[next.id] = next
		}
		at = next
	}
	return at
}
