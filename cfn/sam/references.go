package sam

import (
	"slices"
	"strconv"
	"strings"

	"arc/cfn/registry"
)

// eachReference visits the logical IDs, parameters and pseudo parameters that Ref,
// GetAtt, Sub and DependsOn inside a value name, with the path of each.
func eachReference(v any, path string, visit func(name, path string)) {
	switch v := v.(type) {
	case object:
		if len(v) == 1 {
			if name, ok := v["Ref"].(string); ok {
				visit(name, path)
				return
			}
			switch at := v["Fn::GetAtt"].(type) {
			case []any:
				if len(at) > 0 {
					visit(asText(at[0]), path)
				}
				return
			case string:
				name, _, _ := strings.Cut(at, ".")
				visit(name, path)
				return
			}
			if text, ok := v["Fn::Sub"]; ok {
				eachVariable(text, path, visit)
				return
			}
		}
		for _, key := range sorted(v) {
			eachReference(v[key], strings.TrimPrefix(path+"."+key, "."), visit)
		}
	case []any:
		for i, e := range v {
			eachReference(e, path+"."+strconv.Itoa(i), visit)
		}
	}
}

func eachVariable(v any, path string, visit func(name, path string)) {
	text, own := asText(v), object(nil)
	if list := asList(v); len(list) > 0 {
		text = asText(list[0])
		if len(list) > 1 {
			own = asObject(list[1])
			eachReference(list[1], path, visit)
		}
	}
	for {
		_, rest, ok := strings.Cut(text, "${")
		if !ok {
			return
		}
		name, rest, ok := strings.Cut(rest, "}")
		if !ok {
			return
		}
		text = rest
		if strings.HasPrefix(name, "!") {
			continue
		}
		name, _, _ = strings.Cut(strings.TrimSpace(name), ".")
		if _, shadowed := own[name]; !shadowed {
			visit(name, path)
		}
	}
}

// missing gives the paths of references to what a template does not have, by name.
func missing(root object) map[string][]string {
	resources, parameters := asObject(root["Resources"]), asObject(root["Parameters"])
	found := map[string][]string{}
	add := func(name, path string) {
		_, isParameter := parameters[name]
		if resources[name] == nil && !isParameter && !strings.HasPrefix(name, "AWS::") {
			found[name] = append(found[name], path)
		}
	}
	for _, section := range []string{"Resources", "Outputs", "Conditions"} {
		eachReference(root[section], section, add)
	}
	for _, id := range sorted(resources) {
		for _, on := range listOf(asObject(resources[id])["DependsOn"]) {
			if name := asText(on); name != "" {
				add(name, "Resources."+id+".DependsOn")
			}
		}
	}
	return found
}

// rename gives a resource another logical ID, wherever it is named.
func rename(root object, from, to string) {
	resources := asObject(root["Resources"])
	if resources[from] == nil || from == to {
		return
	}
	resources[to] = resources[from]
	delete(resources, from)
	x := &expander{renamed: map[string]string{from: to}}
	x.resolveReferences(root)
	for _, r := range resources {
		m := asObject(r)
		switch on := m["DependsOn"].(type) {
		case string:
			if on == from {
				m["DependsOn"] = to
			}
		case []any:
			for i, name := range on {
				if name == any(from) {
					on[i] = to
				}
			}
		}
	}
}

// keepParameters brings back those of ours that are still referred to. Architect's own
// template has none, and what was written for it sets the whole section.
func (c *carrier) keepParameters(ours map[string]any) {
	for name := range missing(c.ours) {
		if ours[name] == nil {
			continue
		}
		if asObject(c.ours["Parameters"]) == nil {
			c.ours["Parameters"] = object{}
		}
		asObject(c.ours["Parameters"])[name] = ours[name]
	}
}

// tidy removes what served only resources that are gone, and tells of what still
// refers to them.
func (c *carrier) tidy(was object) {
	before, now := asObject(was["Resources"]), asObject(c.ours["Resources"])
	known := missing(was)
	c.keepParameters(asObject(was["Parameters"]))
	for {
		lost := missing(c.ours)
		gone := func(name string) bool { return before[name] != nil && now[name] == nil }
		removed := ""
		for _, name := range sorted(lost) {
			for _, path := range lost[name] {
				parts := strings.Split(path, ".")
				id := ""
				if len(parts) > 1 {
					id = parts[1]
				}
				r := asObject(now[id])
				typ := registry.Of(asText(r["Type"]))
				switch {
				case !gone(name) || parts[0] != "Resources" || before[id] == nil:
				case parts[len(parts)-1] == "DependsOn":
					r["DependsOn"] = slices.DeleteFunc(slices.Clone(listOf(r["DependsOn"])), func(v any) bool { return v == any(name) })
					removed = path
				case typ.Wiring || typ.Name == registry.S3BucketPolicy:
					delete(now, id)
					removed = id
				case typ.Name == registry.IAMRole || typ.Name == registry.IAMManagedPolicy:
					if withoutResource(r, name) {
						removed = path
					}
				}
				if removed != "" {
					break
				}
			}
			if removed != "" {
				break
			}
		}
		if removed == "" {
			break
		}
	}
	lost := missing(c.ours)
	if paths := lost[sharedRole]; len(paths) > 0 && known[sharedRole] == nil && asObject(c.after["Resources"])[sharedRole] != nil {
		now[sharedRole] = clone(c.architectRole)
		delete(lost, sharedRole)
	}
	for _, name := range sorted(lost) {
		if known[name] != nil {
			continue
		}
		for _, path := range lost[name] {
			switch {
			case before[name] != nil:
				c.fail(c.where(path), "take this away as well, or leave "+name, "it refers to "+name+", which was removed")
			default:
				c.fail(c.where(path), "add it, or refer to something else", "it refers to "+name+", which is not in the template")
			}
		}
	}
	// The log group of a function that is gone goes with it.
	for _, id := range sorted(before) {
		if asText(asObject(before[id])["Type"]) == registry.LambdaFunction && now[id] == nil {
			if group := id + "LogGroup"; asText(asObject(now[group])["Type"]) == registry.LogsLogGroup && !c.used(group) {
				delete(now, group)
			}
		}
	}
}

func (c *carrier) used(id string) bool {
	found := false
	eachReference(c.ours, "", func(name, _ string) { found = found || name == id })
	return found
}

// withoutResource takes a resource that is gone out of the statements of a role or
// a policy, and statements out that are left without any.
func withoutResource(r object, id string) bool {
	p := asObject(r["Properties"])
	documents := []object{asObject(p["PolicyDocument"])}
	for _, inline := range asList(p["Policies"]) {
		documents = append(documents, asObject(asObject(inline)["PolicyDocument"]))
	}
	found := false
	for _, document := range documents {
		if document == nil {
			continue
		}
		var kept []any
		for _, v := range statementsOf(document) {
			s := asObject(v)
			list := listOf(s["Resource"])
			rest := slices.DeleteFunc(slices.Clone(list), func(e any) bool { return mentions(e, id) })
			if len(rest) < len(list) {
				found = true
				if len(rest) == 0 {
					continue
				}
				s["Resource"] = rest
			}
			kept = append(kept, v)
		}
		if len(kept) == 0 {
			kept = []any{}
		}
		document["Statement"] = kept
	}
	return found
}

// frozen gives those resources another logical ID that stay as they are once made:
// a deployment of a WebSocket API whose routes are others, and the version of a
// function that is another.
func (c *carrier) frozen(was object) {
	before, now := asObject(was["Resources"]), asObject(c.ours["Resources"])
	for _, id := range sorted(now) {
		r := asObject(now[id])
		p := asObject(r["Properties"])
		if asText(r["Type"]) != registry.LambdaVersion || before[id] == nil {
			continue
		}
		function := referred(p["FunctionName"])
		if !same(before[function], now[function]) && now[function] != nil {
			rename(c.ours, id, function+"Version"+hashOf(now[function])[:8])
		}
	}
	id := deploymentOf(now)
	if id == "" || before[id] == nil {
		return
	}
	all := object{}
	changed := false
	var routes []any
	for _, other := range sections(before, now) {
		if !ofWebsockets(before[other], other) && !ofWebsockets(now[other], other) {
			continue
		}
		changed = changed || !same(before[other], now[other])
		if now[other] == nil {
			continue
		}
		all[other] = now[other]
		if asText(asObject(now[other])["Type"]) == registry.ApiGatewayV2Route {
			routes = append(routes, other)
		}
	}
	if !changed {
		return
	}
	deployment := asObject(now[id])
	if len(routes) > 0 {
		deployment["DependsOn"] = routes
	}
	rename(c.ours, id, websocketDeployment+hashOf(all)[:8])
}

// ofWebsockets reports whether a resource is part of what a deployment of the
// WebSocket API freezes.
func ofWebsockets(v any, id string) bool {
	r := asObject(v)
	switch asText(r["Type"]) {
	case registry.ApiGatewayV2Api:
		return id == wsAPI
	case registry.ApiGatewayV2Route, registry.ApiGatewayV2Integration, registry.ApiGatewayV2Authorizer, registry.ApiGatewayV2RouteResponse:
		return referred(asObject(r["Properties"])["ApiId"]) == wsAPI
	}
	return false
}
