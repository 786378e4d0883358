package sam

import (
	"slices"
	"strconv"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// implicit describes the API that SAM makes for events that name none.
type implicit struct {
	id, typ, event, property string
}

var implicitKinds = []implicit{
	{"ServerlessRestApi", registry.ServerlessApi, "Api", "RestApiId"},
	{"ServerlessHttpApi", registry.ServerlessHttpApi, "HttpApi", "ApiId"},
}

// definitionBodies gives APIs without a body an empty one that events fill.
func (x *expander) definitionBodies() {
	for _, id := range sorted(x.resources) {
		r := asObject(x.resources[id])
		p := asObject(r["Properties"])
		if p == nil || given(p["DefinitionUri"]) || given(p["DefinitionBody"]) {
			continue
		}
		switch asText(r["Type"]) {
		case registry.ServerlessHttpApi:
			p["DefinitionBody"] = x.openAPISkeleton()
			p[managedBody] = true
		case registry.ServerlessApi:
			p["DefinitionBody"] = swaggerSkeleton()
			p[managedBody] = true
		}
	}
}

// implicitAPIs makes the APIs that events need and do not name, and gives those
// whose body SAM writes the paths of their events.
func (x *expander) implicitAPIs() {
	for _, kind := range implicitKinds {
		x.implicitAPI(kind)
	}
}

func (x *expander) implicitAPI(kind implicit) {
	existing := x.resources[kind.id]
	properties := object{managedBody: true}
	if kind.typ == registry.ServerlessApi {
		properties["StageName"], properties["DefinitionBody"] = "Prod", swaggerSkeleton()
	} else {
		properties["DefinitionBody"] = x.openAPISkeleton()
	}
	api := object{"Type": kind.typ, "Properties": properties}
	x.resources[kind.id] = api
	used := x.conditionsOfEvents(kind)
	if len(used[kind.id]) == 0 {
		delete(x.resources, kind.id)
		if existing != nil {
			x.resources[kind.id] = existing
		}
	} else {
		api["Properties"] = merged(x.global(strings.TrimPrefix(kind.typ, registry.ServerlessPrefix)), properties)
		var all []string
		always := false
		for _, methods := range used[kind.id] {
			for _, condition := range methods {
				always = always || condition == ""
				all = append(all, condition)
			}
		}
		slices.Sort(all)
		all = slices.Compact(all)
		if !always {
			api["Condition"] = all[0]
			if len(all) > 1 {
				name := kind.id + "Condition"
				api["Condition"] = name
				x.anyOf(name, all)
			}
		}
		x.implicitPolicies(kind, api)
	}
	x.conditionalPaths(kind, used)
}

// conditionsOfEvents adds every event's path to its API's body, and tells the
// condition of each by API, path and method; "" = none.
func (x *expander) conditionsOfEvents(kind implicit) map[string]map[string]map[string]string {
	used := map[string]map[string]map[string]string{}
	for _, id := range sorted(x.resources) {
		r := asObject(x.resources[id])
		typ := asText(r["Type"])
		if typ != registry.ServerlessFunction && typ != registry.ServerlessStateMachine {
			continue
		}
		events := asObject(asObject(r["Properties"])["Events"])
		for _, name := range sorted(events) {
			e := asObject(events[name])
			if asText(e["Type"]) != kind.event {
				continue
			}
			if e["Properties"] == nil {
				e["Properties"] = object{}
			}
			p := asObject(e["Properties"])
			path := "Resources." + id + ".Properties.Events." + name
			if p == nil {
				continue // told when the function is expanded
			}
			if p[kind.property] == nil {
				p[kind.property] = ref(kind.id)
				x.implicitTags(kind, asObject(r["Properties"]))
			}
			if kind.event == "HttpApi" && !given(p["Path"]) && !given(p["Method"]) {
				p["Path"], p["Method"] = defaultPath, cfn.AnyMethod
			}
			route, okPath := p["Path"].(string)
			method, okMethod := p["Method"].(string)
			if !okPath || !okMethod {
				x.fail(path+".Properties", "write both as text", "a route needs Path and Method")
				continue
			}
			apiID := apiName(p[kind.property])
			api := asObject(x.resources[apiID])
			if apiID == "" || api == nil || asText(api["Type"]) != kind.typ {
				x.fail(path+".Properties."+kind.property, "refer to one of the template", "it names no %s of the template", kind.typ)
				continue
			}
			if used[apiID] == nil {
				used[apiID] = map[string]map[string]string{}
			}
			if used[apiID][route] == nil {
				used[apiID][route] = map[string]string{}
			}
			used[apiID][route][method] = asText(r["Condition"])
			properties := asObject(api["Properties"])
			if properties[managedBody] == true {
				addOperation(asObject(asObject(properties["DefinitionBody"])["paths"]), route, methodName(method))
			}
			if kind.event == "HttpApi" && p["RouteSettings"] != nil {
				x.routeSettings(properties, route, method, p["RouteSettings"], r["Condition"])
			}
		}
	}
	return used
}

// routeSettings moves the settings of one route to its API's stage.
func (x *expander) routeSettings(api object, path, method string, settings, condition any) {
	route := strings.ToUpper(method) + " " + path
	if method == cfn.AnyMethod {
		route = path
	}
	all := cloneObject(asObject(api["RouteSettings"]))
	own := asObject(settings)
	if condition != nil {
		own = conditional(condition, settings)
	}
	of := cloneObject(asObject(all[route]))
	for key, v := range own {
		of[key] = v
	}
	all[route] = of
	api["RouteSettings"] = all
}

func (x *expander) implicitTags(kind implicit, p object) {
	api := asObject(asObject(x.resources[kind.id])["Properties"])
	tags := asObject(p["Tags"])
	if p["PropagateTags"] != true || len(tags) == 0 {
		return
	}
	all := cloneObject(asObject(api["Tags"]))
	for key, v := range tags {
		all[key] = v
	}
	api["Tags"], api["PropagateTags"] = all, true
}

// implicitPolicies has an implicit API kept if one of its functions is.
func (x *expander) implicitPolicies(kind implicit, api object) {
	for _, key := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
		found := map[string]bool{}
		for _, id := range sorted(x.resources) {
			r := asObject(x.resources[id])
			for _, e := range asObject(asObject(r["Properties"])["Events"]) {
				m := asObject(e)
				if isSAM(r) && asText(m["Type"]) == kind.event && apiName(asObject(m["Properties"])[kind.property]) == kind.id {
					found[asText(r[key])] = true
				}
			}
		}
		for _, policy := range []string{"Retain", "Snapshot", "Delete"} {
			if found[policy] && (policy != "Snapshot" || key == "UpdateReplacePolicy") {
				api[key] = policy
				break
			}
		}
	}
}

// conditionalPaths puts paths under a condition all of whose methods are under
// one.
func (x *expander) conditionalPaths(kind implicit, used map[string]map[string]map[string]string) {
	for _, apiID := range sorted(used) {
		properties := asObject(asObject(x.resources[apiID])["Properties"])
		if properties[managedBody] != true {
			continue
		}
		paths := asObject(asObject(properties["DefinitionBody"])["paths"])
		for _, path := range sorted(used[apiID]) {
			var all []string
			always := false
			for _, condition := range used[apiID][path] {
				always = always || condition == ""
				all = append(all, condition)
			}
			if always {
				continue
			}
			slices.Sort(all)
			if all = slices.Compact(all); len(all) == 1 {
				paths[path] = conditional(all[0], paths[path])
				continue
			}
			name := apiID + strings.NewReplacer("/", "SLASH", "{", "OB", "}", "CB").Replace(path) + "PathCondition"
			x.anyOf(name, all)
			paths[path] = conditional(name, paths[path])
		}
	}
}

// maxOr is how many conditions an Fn::Or takes.
const maxOr = 10

// anyOf makes a condition that holds if one of others does.
func (x *expander) anyOf(name string, conditions []string) {
	var list []any
	for _, condition := range conditions {
		list = append(list, object{"Condition": condition})
	}
	if len(list) <= maxOr {
		x.addCondition(name, object{"Fn::Or": list})
		return
	}
	var parts []any
	for i := 0; i*maxOr < len(list); i++ {
		of := list[i*maxOr : min((i+1)*maxOr, len(list))]
		if len(of) == 1 {
			parts = append([]any{of[0]}, parts...) // as the translator orders them
			continue
		}
		part := name + strconv.Itoa(i+1)
		x.addCondition(part, object{"Fn::Or": of})
		parts = append(parts, object{"Condition": part})
	}
	x.addCondition(name, object{"Fn::Or": parts})
}
