package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// What version 1 of API Gateway tells of keys, usage plans and domains, which are for
// the APIs of both versions.
// https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html

// shared answers an operation that reads one of these; false = it is none.
func (c Control) shared(w http.ResponseWriter, r *http.Request) bool {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if r.Method != http.MethodGet {
		return false
	}
	g := c.Gateway
	g.mu.Lock()
	defer g.mu.Unlock()
	all, what := map[string]any{}, ""
	switch {
	case parts[0] == "apikeys":
		what = "API Key"
		for id, key := range g.keys {
			all[id] = key.shown(id, r.URL.Query().Get("includeValues") == "true" || r.URL.Query().Get("includeValue") == "true")
		}
	case parts[0] == "usageplans" && len(parts) > 2 && parts[2] == "keys":
		plan := g.plans[parts[1]]
		if plan == nil {
			wire.WriteJSONError(w, c.notFound("Usage Plan", parts[1]))
			return true
		}
		what, parts = "API Key", parts[2:]
		for id := range plan.keys {
			if key := g.keys[id]; key != nil {
				all[id] = map[string]any{"id": id, "type": "API_KEY", "name": key.name, "value": key.value}
			}
		}
	case parts[0] == "usageplans":
		what = "Usage Plan"
		for id, plan := range g.plans {
			all[id] = plan.shown(id)
		}
	case parts[0] == "domainnames":
		what = "domain name"
		for name := range g.domains {
			all[name] = map[string]any{"domainName": name, "domainNameStatus": "AVAILABLE"}
		}
	case parts[0] == "account":
		wire.WriteJSON(w, http.StatusOK, map[string]any{"throttleSettings": map[string]any{"burstLimit": 5000, "rateLimit": 10000}, "features": []any{"UsagePlans"}})
		return true
	default:
		return false
	}
	out, err := c.listed(all, parts, what, r)
	if err != nil {
		wire.WriteJSONError(w, err)
		return true
	}
	wire.WriteJSON(w, http.StatusOK, out)
	return true
}

// listed is one of some resources, or a page of all.
func (c Control) listed(all map[string]any, parts []string, what string, r *http.Request) (any, error) {
	if len(parts) == 2 {
		if one, there := all[parts[1]]; there {
			return one, nil
		}
	}
	if len(parts) > 1 {
		return nil, &stack.Error{Code: "NotFoundException", Status: http.StatusNotFound, Message: "Invalid " + what + " identifier specified"}
	}
	ids := slices.Sorted(maps.Keys(all))
	from, _ := strconv.Atoi(r.URL.Query().Get("position"))
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		limit = 25
	}
	from = min(max(from, 0), len(ids))
	to := min(from+limit, len(ids))
	items := []any{}
	for _, id := range ids[from:to] {
		items = append(items, all[id])
	}
	out := map[string]any{"item": items}
	if to < len(ids) {
		out["position"] = strconv.Itoa(to)
	}
	return out, nil
}

func (k *apiKey) shown(id string, value bool) map[string]any {
	out := map[string]any{"id": id, "name": k.name, "enabled": k.enabled, "stageKeys": []any{}}
	if value {
		out["value"] = k.value
	}
	return out
}

func (p *usagePlan) shown(id string) map[string]any {
	stages := []any{}
	for _, s := range p.stages {
		api, stage, _ := strings.Cut(s, "/")
		stages = append(stages, map[string]any{"apiId": api, "stage": stage})
	}
	out := map[string]any{"id": id, "name": fmt.Sprint(p.name), "apiStages": stages}
	if p.quota != nil {
		out["quota"] = lowered(p.quota)
	}
	if p.throttle != nil {
		out["throttle"] = lowered(p.throttle)
	}
	return out
}
