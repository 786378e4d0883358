package gateway

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/cfn"
)

// document is what an HTTP API takes from its OpenAPI Body.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
type document struct {
	title  string
	routes []*route
	cors   *cors
}

// importBody reads a Body; nil gives an API that its resources build up.
func importBody(body map[string]any) (document, error) {
	var d document
	if body == nil {
		return d, nil
	}
	if info, ok := body["info"].(map[string]any); ok {
		d.title, _ = info["title"].(string)
	}
	p := &problems{}
	schemes := importSchemes(p, body)
	object := func(name string) map[string]any {
		v, ok := body[name].(map[string]any)
		if body[name] != nil && !ok {
			p.fail("Body", "%s: must be an object", name)
		}
		return v
	}
	d.cors = newCORS(object("x-amazon-apigateway-cors"), "Body/x-amazon-apigateway-cors", p)
	paths := object("paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		operations, ok := paths[path].(map[string]any)
		if !ok {
			return d, fmt.Errorf("property Body: paths %s: must be an object", path)
		}
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			if !isMethod(method) {
				continue
			}
			r, err := importOperation(body, path, method, operations[method], schemes)
			if err != nil {
				return d, fmt.Errorf("property Body: paths %s %s: %w", path, method, err)
			}
			d.routes = append(d.routes, r)
		}
	}
	return d, p.err
}

func isMethod(key string) bool {
	return slices.Contains([]string{"get", "put", "post", "delete", "options", "head", "patch", "trace", cfn.AnyMethod}, key)
}

func importOperation(body map[string]any, path, method string, value any, schemes map[string]*authorization) (*route, error) {
	operation, _ := value.(map[string]any)
	security, own := operation["security"]
	if !own {
		security = body["security"]
	}
	auth, err := secured(schemes, security)
	if err != nil {
		return nil, err
	}
	r := &route{key: strings.ToUpper(method) + " " + path, auth: auth}
	if method == cfn.AnyMethod {
		r.key = "ANY " + path
	}
	if strings.TrimPrefix(path, "/") == "$default" { // SAM writes it without a slash
		r.key = "$default"
	}
	if err := checkRouteKey(r.key); err != nil {
		return nil, err
	}
	fields, err := resolve(body, operation["x-amazon-apigateway-integration"])
	if err != nil || fields == nil {
		return r, err
	}
	var in struct {
		Type           string `name:"type" cfn:"required"`
		URI            string `name:"uri"`
		Method         string `name:"httpMethod"`
		Payload        string `name:"payloadFormatVersion"`
		Timeout        *int   `name:"timeoutInMillis"`
		ConnectionType string `name:"connectionType"`
		Credentials    string `name:"credentials"`
		Subtype        string `name:"integrationSubtype"`

		RequestParameters  map[string]string `name:"requestParameters"`
		ResponseParameters map[string]any    `name:"responseParameters"`
	}
	p := read(fields, &in, "description", "passthroughBehavior", "responses")
	i := &integration{
		kind:    strings.ToUpper(in.Type),
		method:  in.Method,
		payload: in.Payload,
		timeout: p.timeout("timeoutInMillis", in.Timeout, 30*time.Second),

		credentials: in.Credentials != "",
	}
	if c := in.ConnectionType; c != "" && c != "INTERNET" {
		p.fail("connectionType", "only INTERNET is emulated")
	}
	if in.Subtype != "" {
		r.integration = i
		i.serve(p, protocolHTTP, in.Subtype, in.Credentials, in.RequestParameters)
		return r, p.err
	}
	i.parameters = readMappings(p, "requestParameters", in.RequestParameters, false)
	i.responseParameters = readResponseMappings(p, "responseParameters", in.ResponseParameters)
	if p.err != nil {
		return nil, p.err
	}
	r.integration = i
	return r, i.point(in.URI, "", protocolHTTP)
}

// resolve follows the {"$ref": "#/components/…"} that an exported API uses to
// share an integration.
func resolve(body map[string]any, value any) (map[string]any, error) {
	fields, _ := value.(map[string]any)
	ref, ok := fields["$ref"].(string)
	if !ok {
		return fields, nil
	}
	at := any(body)
	for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		object, _ := at.(map[string]any)
		at = object[step]
	}
	if target, ok := at.(map[string]any); ok {
		return target, nil
	}
	return nil, fmt.Errorf("$ref %s: no such object in the Body", ref)
}

var routePath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(/|(/([^/{}]+|\{[^/{}+]+\}))*(/\{[^/{}+]+\+\})?)$`) })

// checkRouteKey checks an HTTP API's "METHOD /path" or "$default".
func checkRouteKey(key string) error {
	if key == "$default" {
		return nil
	}
	method, path, ok := strings.Cut(key, " ")
	methods := []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
	if !ok || !slices.Contains(methods, method) || !strings.HasPrefix(path, "/") || !routePath().MatchString(path) {
		return fmt.Errorf("route key %q: usage: METHOD /path/{variable}/{greedy+}, or $default", key)
	}
	return nil
}
