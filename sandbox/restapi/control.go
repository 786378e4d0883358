package restapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// control is the API that tells which REST APIs there are, with their resources,
// methods, stages, deployments and authorizers: the part of API Gateway's first
// version that reads. What it would change, stacks change.
// https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
type control struct{ *APIs }

// controlPath begins the paths of its operations.
const controlPath = "/restapis"

// ServeHTTP answers one operation.
func (c control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), controlPath)
	if !ok || r.Method != http.MethodGet || rest != "" && rest[0] != '/' {
		wire.WriteJSONError(w, &stack.Error{Code: "UnknownOperationException", Status: http.StatusNotImplemented, Message: "the local cloud's API Gateway does not run " + r.Method + " " + r.URL.Path + ": APIs are made and changed by stacks, and read here"})
		return
	}
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(rest, "/"), "/") {
		if text, err := url.PathUnescape(part); err == nil && text != "" {
			parts = append(parts, text)
		}
	}
	out, err := c.answer(parts, r)
	if err != nil {
		wire.WriteJSONError(w, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, out)
}

func notFound(what, id string) error {
	return &stack.Error{Code: "NotFoundException", Status: http.StatusNotFound, Message: "Invalid " + what + " identifier specified " + id}
}

// answer reads /restapis[/ID[/PART[/ID…]]].
func (c control) answer(parts []string, r *http.Request) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(parts) == 0 {
		region := stack.RegionOf(r.Context())
		var all []any
		for _, id := range slices.Sorted(maps.Keys(c.apis)) {
			if a := c.apis[id]; region == "" || a.stack.Region == region {
				all = append(all, a.shown())
			}
		}
		return pageOf(all, r)
	}
	a := c.apis[parts[0]]
	switch {
	case a == nil:
		return nil, notFound("API", parts[0])
	case len(parts) == 1:
		return a.shown(), nil
	case parts[1] == "resources" && len(parts) > 3 && parts[3] == "methods":
		return a.shownMethod(parts)
	}
	key, shown := a.parts(parts[1], r)
	if shown == nil {
		return nil, &stack.Error{Code: "UnknownOperationException", Status: http.StatusNotImplemented, Message: "the local cloud's API Gateway tells nothing of " + parts[1]}
	}
	if len(parts) > 2 {
		if one, there := shown[parts[2]]; there && len(parts) == 3 {
			return one, nil
		}
		return nil, notFound(key, parts[len(parts)-1])
	}
	var all []any
	for _, id := range slices.Sorted(maps.Keys(shown)) {
		all = append(all, shown[id])
	}
	if parts[1] == "stages" { // the one list with this name, and without pages
		return map[string]any{"item": append([]any{}, all...)}, nil
	}
	return pageOf(all, r)
}

// seconds is a time as these operations tell it.
func seconds(at time.Time) int64 { return at.Unix() }

// shown is an API as GetRestApi tells it.
// https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html
func (a *api) shown() map[string]any {
	out := map[string]any{
		"id": a.id, "name": cmp.Or(a.settings.name, a.logical), "createdDate": seconds(a.created), "apiKeySource": a.keySource, "rootResourceId": a.root,
		"disableExecuteApiEndpoint": a.off, "endpointConfiguration": map[string]any{"types": []any{"EDGE"}}, "tags": map[string]any{},
	}
	if text, ok := a.raw["Description"].(string); ok {
		out["description"] = text
	}
	if len(a.binary) > 0 {
		out["binaryMediaTypes"] = a.binary
	}
	if config, ok := a.raw["EndpointConfiguration"].(map[string]any); ok {
		out["endpointConfiguration"] = lowered(config)
	}
	if n, err := strconv.Atoi(fmt.Sprint(a.raw["MinimumCompressionSize"])); err == nil {
		out["minimumCompressionSize"] = n
	}
	if value := a.raw["Policy"]; value != nil {
		if text, err := policyText(value); err == nil {
			out["policy"] = text
		}
	}
	if tags := tagsOf(a.raw["Tags"]); len(tags) > 0 {
		out["tags"] = tags
	}
	return out
}

func tagsOf(value any) map[string]any {
	out := map[string]any{}
	list, _ := value.([]any)
	for _, item := range list {
		if tag, ok := item.(map[string]any); ok {
			out[fmt.Sprint(tag["Key"])] = fmt.Sprint(tag["Value"])
		}
	}
	return out
}

// parts are the resources of a kind that an API has, by ID, and what one is called;
// nil = there is no such kind here.
func (a *api) parts(kind string, r *http.Request) (string, map[string]any) {
	out := map[string]any{}
	switch kind {
	case "resources":
		embed := slices.Contains(strings.Split(strings.Join(r.URL.Query()["embed"], ","), ","), "methods")
		for id, res := range a.resources {
			out[id] = a.shownResource(res, embed)
		}
		return "Resource", out
	case "stages":
		for name, s := range a.stages {
			one := map[string]any{
				"stageName": name, "deploymentId": s.deployment, "createdDate": seconds(s.created), "lastUpdatedDate": seconds(s.created),
				"cacheClusterEnabled": false, "cacheClusterStatus": "NOT_AVAILABLE", "methodSettings": map[string]any{}, "tracingEnabled": false,
			}
			if len(s.variables) > 0 {
				one["variables"] = s.variables
			}
			if text, ok := s.raw["Description"].(string); ok {
				one["description"] = text
			}
			if tags := tagsOf(s.raw["Tags"]); len(tags) > 0 {
				one["tags"] = tags
			}
			out[name] = one
		}
		return "Stage", out
	case "deployments":
		for id, d := range a.deployments {
			one := map[string]any{"id": id, "createdDate": seconds(d.created)}
			if d.description != "" {
				one["description"] = d.description
			}
			out[id] = one
		}
		return "Deployment", out
	case "authorizers":
		for _, from := range []map[string]*authorizer{a.imported.authorizers, a.authorizers} {
			for id, z := range from {
				out[id] = z.shown()
			}
		}
		return "Authorizer", out
	case "requestvalidators":
		for _, from := range []map[string]*validator{a.imported.validators, a.validators} {
			for id, v := range from {
				out[id] = map[string]any{"id": id, "name": v.name, "validateRequestBody": v.body, "validateRequestParameters": v.parameters}
			}
		}
		return "Request Validator", out
	case "models":
		for _, from := range []map[string]*model{a.imported.models, a.models} {
			for name, m := range from {
				schema, _ := json.Marshal(m.schema) // of JSON: never fails
				out[name] = map[string]any{"id": m.id, "name": name, "contentType": "application/json", "schema": string(schema)}
			}
		}
		return "model", out
	case "gatewayresponses":
		for name, status := range responseTypes {
			one := map[string]any{
				"responseType": name, "responseParameters": map[string]any{}, "defaultResponse": true,
				"responseTemplates": map[string]any{"application/json": `{"message":$context.error.messageString}`},
			}
			if status != 0 {
				one["statusCode"] = strconv.Itoa(status)
			}
			custom := a.responses[name]
			if custom == nil {
				custom = a.imported.responses[name]
			}
			if custom != nil {
				one["defaultResponse"] = false
				parameters := map[string]any{}
				for _, m := range custom.headers {
					parameters["gatewayresponse.header."+m.name] = m.value
				}
				one["responseParameters"], one["responseTemplates"] = parameters, custom.templates
				if custom.status != 0 {
					one["statusCode"] = strconv.Itoa(custom.status)
				}
			}
			out[name] = one
		}
		return "Gateway Response", out
	}
	return "", nil
}

func (z *authorizer) shown() map[string]any {
	out := map[string]any{
		"id": z.id, "name": z.name, "type": z.kind, "identitySource": strings.Join(z.identity, ","), "authorizerResultTtlInSeconds": int(z.verdicts.ttl.Seconds()),
		"authType": "custom",
	}
	if z.kind == authCognito {
		out["authType"] = "cognito_user_pools"
		out["providerARNs"] = z.raw["ProviderARNs"]
	}
	if uri, ok := z.raw["AuthorizerUri"].(string); ok {
		out["authorizerUri"] = uri
	}
	return out
}

// shownResource is a resource as GetResource tells it.
// https://docs.aws.amazon.com/apigateway/latest/api/API_Resource.html
func (a *api) shownResource(r *resource, embed bool) map[string]any {
	out := map[string]any{"id": r.id, "path": r.path}
	if r.parent != "" {
		out["parentId"], out["pathPart"] = r.parent, r.part
	}
	methods := map[string]any{}
	for verb, m := range r.methods {
		methods[verb] = map[string]any{}
		if embed {
			methods[verb] = m.shown()
		}
	}
	if len(methods) > 0 {
		out["resourceMethods"] = methods
	}
	return out
}

// shown is a method as GetMethod tells it.
// https://docs.aws.amazon.com/apigateway/latest/api/API_Method.html
func (m *method) shown() map[string]any {
	out := map[string]any{"httpMethod": m.verb, "authorizationType": m.auth, "apiKeyRequired": m.key}
	responses := map[string]any{}
	for status, r := range m.responses {
		responses[status] = add(map[string]any{"statusCode": status}, map[string]any{"responseParameters": r.parameters, "responseModels": r.models})
	}
	add(out, map[string]any{
		"authorizerId": m.authorizer, "authorizationScopes": m.scopes, "operationName": m.operation, "requestParameters": m.parameters,
		"requestModels": m.models, "requestValidatorId": m.validator, "methodResponses": responses,
	})
	if m.integration != nil {
		out["methodIntegration"] = m.integration.shown()
	}
	return out
}

// add puts what is not empty into an object.
func add(out, values map[string]any) map[string]any {
	for name, value := range values {
		if v := reflect.ValueOf(value); v.Len() > 0 {
			out[name] = value
		}
	}
	return out
}

// shown is an integration as GetIntegration tells it.
// https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html
func (i *integration) shown() map[string]any {
	out := map[string]any{
		"type": i.kind, "passthroughBehavior": i.passthrough, "timeoutInMillis": i.target.timeout.Milliseconds(), "cacheKeyParameters": []any{},
	}
	in := i.properties
	add(out, map[string]any{
		"uri": i.uri, "httpMethod": i.verb, "credentials": in.Credentials, "contentHandling": in.ContentHandling, "connectionType": in.ConnectionType,
		"cacheNamespace": in.CacheNamespace, "requestParameters": in.RequestParameters, "requestTemplates": in.RequestTemplates,
	})
	responses := map[string]any{}
	for _, r := range in.IntegrationResponses {
		responses[r.StatusCode] = add(map[string]any{"statusCode": r.StatusCode}, map[string]any{
			"selectionPattern": r.SelectionPattern, "contentHandling": r.ContentHandling, "responseParameters": r.ResponseParameters, "responseTemplates": r.ResponseTemplates,
		})
	}
	return add(out, map[string]any{"integrationResponses": responses})
}

// shownMethod reads /ID/resources/ID/methods/VERB[/integration].
func (a *api) shownMethod(parts []string) (any, error) {
	r := a.resources[parts[2]]
	if r == nil {
		return nil, notFound("Resource", parts[2])
	}
	if len(parts) < 5 || r.methods[parts[4]] == nil {
		return nil, notFound("Method", strings.Join(parts[4:], "/"))
	}
	m := r.methods[parts[4]]
	switch {
	case len(parts) == 5:
		return m.shown(), nil
	case len(parts) == 6 && parts[5] == "integration" && m.integration != nil:
		return m.integration.shown(), nil
	}
	return nil, notFound("Integration", parts[4])
}

// pageOf is a list as these operations tell it, a page at a time.
func pageOf(all []any, r *http.Request) (any, error) {
	q := r.URL.Query()
	from, limit := 0, 25
	var err error
	if text := q.Get("position"); text != "" {
		from, err = strconv.Atoi(text)
	}
	if text := q.Get("limit"); err == nil && text != "" {
		limit, err = strconv.Atoi(text)
	}
	if err != nil || from < 0 || from > len(all) || limit < 1 || limit > 500 {
		return nil, &stack.Error{Code: "BadRequestException", Message: "Invalid position or limit"}
	}
	to := min(from+limit, len(all))
	out := map[string]any{"item": append([]any{}, all[from:to]...)}
	if to < len(all) {
		out["position"] = strconv.Itoa(to)
	}
	return out, nil
}

// lowered gives properties the names that the API has for them: Types is types.
func lowered(properties map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range properties {
		out[strings.ToLower(name[:1])+name[1:]] = value
	}
	return out
}
