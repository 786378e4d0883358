package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"arc/sandbox/ingress"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Control is the API that tells which APIs there are, with their stages, routes,
// integrations, authorizers and deployments: the part of API Gateway's second
// version that reads, and quick create. What else it would change, stacks change.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/resources.html
type Control struct {
	Gateway *Gateway
	Account string // twelve digits
	Region  string // of requests that name none
}

// controlPath begins the paths of its operations.
const controlPath = "/v2/apis"

// Endpoint is where clients find it. Both versions of API Gateway sign for one
// name.
func (c Control) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "apigateway", Variable: "APIGATEWAYV2", Path: controlPath, Handler: c}
}

// Registrations are none: the gateway has them.
func (c Control) Registrations() map[string]stack.Registration { return nil }

// Restore has nothing to do: APIs come back with their stacks.
func (c Control) Restore(*journal.Log) error { return nil }

// Close has nothing to do: the gateway has what runs.
func (c Control) Close(context.Context) error { return nil }

// ServeHTTP answers one operation.
func (c Control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.shared(w, r) {
		return
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), controlPath)
	switch id, deep := strings.CutPrefix(rest, "/"); {
	case ok && r.Method == http.MethodPost && strings.Trim(rest, "/") == "":
		c.reply(w, http.StatusCreated, func() (any, error) { return c.create(r) })
		return
	case ok && r.Method == http.MethodDelete && deep && id != "" && !strings.Contains(id, "/"):
		if err := c.remove(id); err != nil {
			wire.WriteJSONError(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !ok || r.Method != http.MethodGet || rest != "" && rest[0] != '/' {
		wire.WriteJSONError(w, &stack.Error{Code: "UnknownOperationException", Status: http.StatusNotImplemented, Message: "the local cloud's API Gateway does not run " + r.Method + " " + r.URL.Path + ": APIs are made and changed by stacks, and read here"})
		return
	}
	var parts []string
	for _, part := range strings.Split(strings.Trim(rest, "/"), "/") {
		if text, err := url.PathUnescape(part); err == nil && text != "" {
			parts = append(parts, text)
		}
	}
	c.reply(w, http.StatusOK, func() (any, error) { return c.answer(parts, r) })
}

func (c Control) reply(w http.ResponseWriter, status int, do func() (any, error)) {
	out, err := do()
	if err != nil {
		wire.WriteJSONError(w, err)
		return
	}
	wire.WriteJSON(w, status, out)
}

// answer reads /v2/apis[/ID[/PART[/ID]]].
func (c Control) answer(parts []string, r *http.Request) (any, error) {
	g := c.Gateway
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(parts) == 0 {
		region := stack.RegionOf(r.Context())
		var all []any
		for _, id := range slices.Sorted(maps.Keys(g.apis)) {
			if a := g.apis[id]; region == "" || a.stack.Region == region {
				all = append(all, a.shown())
			}
		}
		return pageOf(all, r)
	}
	a := g.apis[parts[0]]
	if a == nil {
		return nil, c.notFound("API", parts[0])
	}
	if len(parts) == 1 {
		return a.shown(), nil
	}
	shown := a.parts(parts[1])
	if shown == nil {
		return nil, &stack.Error{Code: "UnknownOperationException", Status: http.StatusNotImplemented, Message: "the local cloud's API Gateway tells nothing of " + parts[1]}
	}
	if len(parts) == 2 {
		var all []any
		for _, id := range slices.Sorted(maps.Keys(shown)) {
			all = append(all, shown[id])
		}
		return pageOf(all, r)
	}
	if one, there := shown[parts[2]]; there && len(parts) == 3 {
		return one, nil
	}
	return nil, c.notFound(strings.ToUpper(parts[1][:1])+strings.TrimSuffix(parts[1][1:], "s"), parts[len(parts)-1])
}

func (c Control) notFound(what, id string) error {
	return &stack.Error{Code: "NotFoundException", Status: http.StatusNotFound, Message: "Invalid " + what + " identifier specified " + c.Account + ":" + id}
}

// shown is an API as GetApi tells it; its endpoint is the one that answers here.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func (a *api) shown() map[string]any {
	out := lowered(a.raw, "Body", "BasePath", "FailOnWarnings", "Target", "RouteKey", "CredentialsArn")
	out["apiId"], out["apiEndpoint"], out["protocolType"], out["createdDate"] = a.id, a.endpoint(), a.protocol, iso(a.created)
	if out["name"] == nil {
		info, _ := a.raw["Body"].(map[string]any)
		info, _ = info["info"].(map[string]any)
		title, _ := info["title"].(string)
		out["name"] = cmp.Or(title, a.logical)
	}
	defaults(out, "apiKeySelectionExpression", "$request.header.x-api-key", "disableExecuteApiEndpoint", false)
	if a.protocol == protocolHTTP {
		defaults(out, "routeSelectionExpression", "$request.method $request.path")
	}
	return out
}

// parts are the resources of a kind that an API has, by ID; nil = there is no
// such kind here.
func (a *api) parts(kind string) map[string]any {
	out := map[string]any{}
	switch kind {
	case "stages":
		for name, s := range a.stages {
			one := lowered(s.raw, "ApiId")
			one["stageName"], one["autoDeploy"], one["createdDate"], one["lastUpdatedDate"] = name, s.auto, iso(s.created), iso(s.created)
			defaults(one, "defaultRouteSettings", map[string]any{"detailedMetricsEnabled": false}, "routeSettings", map[string]any{}, "stageVariables", map[string]any{}, "tags", map[string]any{})
			out[name] = one
		}
	case "routes":
		for id, r := range a.routes {
			one := lowered(r.raw, "ApiId")
			one["routeId"] = id
			defaults(one, "apiKeyRequired", false, "authorizationType", "NONE")
			out[id] = one
		}
		for _, r := range a.imported {
			id := importedID(a.id, r.key)
			out[id] = map[string]any{"routeId": id, "routeKey": r.key, "target": "integrations/" + id, "apiKeyRequired": false, "authorizationType": "NONE"}
		}
	case "integrations":
		for id, i := range a.integrations {
			one := lowered(i.raw, "ApiId")
			one["integrationId"] = id
			one["timeoutInMillis"] = i.timeout.Milliseconds()
			defaults(one, "connectionType", "INTERNET", "payloadFormatVersion", i.payload)
			out[id] = one
		}
		for _, r := range a.imported {
			if i := r.integration; i != nil {
				id := importedID(a.id, r.key)
				out[id] = map[string]any{
					"integrationId": id, "integrationType": i.kind, "integrationUri": cmp.Or(i.uri, i.arn(a)), "integrationMethod": cmp.Or(i.method, "POST"),
					"payloadFormatVersion": i.payload, "connectionType": "INTERNET", "timeoutInMillis": i.timeout.Milliseconds(),
				}
			}
		}
	case "authorizers":
		for id, auth := range a.authorizers {
			out[id] = map[string]any{"authorizerId": id, "name": auth.name, "authorizerType": auth.kind}
		}
	case "deployments":
		for id := range a.deployments {
			out[id] = map[string]any{"deploymentId": id, "deploymentStatus": "DEPLOYED", "autoDeployed": false, "createdDate": iso(a.created)}
		}
	default:
		return nil
	}
	return out
}

// importedID is the ID of a route that an API's Body describes, and of its integration.
func importedID(api, key string) string {
	return ingress.ResourceID(7, func(string) bool { return false }, api, key)
}

// arn is the function that an integration calls, as the API of Lambda names it.
func (i *integration) arn(a *api) string {
	if i.function == "" {
		return ""
	}
	return stack.ARN(a.stack.Region, "lambda", a.stack.Region, a.stack.Account, "function:"+i.target())
}

// stageURL is where a stage answers here.
func (a *api) stageURL(stage string) string {
	if stage == "$default" {
		return a.endpoint() + "/"
	}
	return a.endpoint() + "/" + stage
}

// pageOf is a list as these operations tell it, a page at a time.
func pageOf(all []any, r *http.Request) (any, error) {
	q := r.URL.Query()
	from, most := 0, 100
	var err error
	if text := q.Get("nextToken"); text != "" {
		from, err = strconv.Atoi(text)
	}
	if text := q.Get("maxResults"); err == nil && text != "" {
		most, err = strconv.Atoi(text)
	}
	if err != nil || from < 0 || from > len(all) || most < 1 {
		return nil, &stack.Error{Code: "BadRequestException", Message: "Invalid nextToken or maxResults"}
	}
	to := min(from+most, len(all))
	out := map[string]any{"items": append([]any{}, all[from:to]...)}
	if to < len(all) {
		out["nextToken"] = strconv.Itoa(to)
	}
	return out, nil
}

// lowered gives properties the names that the API has for them: Name is name.
// Values of maps that users name the keys of are among them as they are.
func lowered(properties map[string]any, without ...string) map[string]any {
	out := map[string]any{}
	for name, value := range properties {
		if slices.Contains(without, name) {
			continue
		}
		switch inner := value.(type) {
		case map[string]any:
			if name != "Tags" && name != "StageVariables" && name != "RequestParameters" && name != "RequestTemplates" {
				value = lowered(inner)
			}
		case json.Number:
			if n, err := inner.Int64(); err == nil {
				value = n
			}
		case string:
			if inner == "true" || inner == "false" {
				value = inner == "true"
			}
		}
		first, size := utf8.DecodeRuneInString(name)
		out[string(unicode.ToLower(first))+name[size:]] = value
	}
	return out
}

// defaults fills in what a resource does not say: name, value, name, value …
func defaults(out map[string]any, pairs ...any) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := pairs[i].(string); ok && out[name] == nil {
			out[name] = pairs[i+1]
		}
	}
}

func iso(at time.Time) string { return at.Format("2006-01-02T15:04:05Z") }
