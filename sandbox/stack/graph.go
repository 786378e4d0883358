package stack

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// connect decides the template's conditions and finds what each of its
// resources depends on, by reference or by DependsOn.
func (t *template) connect(ref Ref) error {
	if err := t.decide(ref); err != nil {
		return err
	}
	scope := t.scope(ref, nil, nil)
	t.deps = map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(t.doc.Resources)) {
		if condition := t.doc.Resources[id].Condition; condition != "" {
			holds, err := cfn.EvalCondition(condition, scope)
			if err != nil {
				return invalid("Template error: %v", err)
			}
			if !holds {
				continue
			}
		}
		t.deps[id] = nil
	}
	for id := range t.deps {
		def := t.doc.Resources[id]
		names := cfn.References(taken(def.Properties, scope))
		for _, name := range def.DependsOn {
			if _, active := t.deps[name]; active {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			if _, isParameter := t.doc.Parameters[name]; isParameter {
				continue
			}
			if _, active := t.deps[name]; !active {
				return unresolved([]string{name}, "Resources")
			}
			t.deps[id] = append(t.deps[id], name)
		}
	}
	if circle := circular(t.deps); len(circle) > 0 {
		return invalid("Circular dependency between resources: [%s]", strings.Join(circle, ", "))
	}
	t.beforehand()
	return nil
}

// beforehand makes the route responses of a template before its deployments, where the
// template leaves that open: a deployment is a picture of the API as it is at that
// time, and frameworks let theirs wait for the routes alone. On AWS it is mostly the
// slower one; t.open says that nothing makes sure of it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-websocket-deployment.html
func (t *template) beforehand() {
	t.open = map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(t.deps)) {
		if t.doc.Resources[id].Type != registry.ApiGatewayV2Deployment {
			continue
		}
		var added []string
		api := t.doc.Resources[id].Properties["ApiId"]
		for _, other := range slices.Sorted(maps.Keys(t.deps)) {
			response := t.doc.Resources[other]
			if response.Type != registry.ApiGatewayV2RouteResponse || !reflect.DeepEqual(response.Properties["ApiId"], api) || reaches(t.deps, id, other) {
				continue
			}
			if !reaches(t.deps, other, id) {
				t.deps[id] = append(t.deps[id], other)
				added = append(added, other)
			}
		}
		if added != nil {
			t.open[id] = "made after " + strings.Join(added, ", ") + ", without a DependsOn: AWS may make it before and then it does not have them"
		}
	}
}

// reaches reports whether one node depends on another, by others or not.
func reaches(deps map[string][]string, from, to string) bool {
	seen := map[string]bool{}
	next := []string{from}
	for len(next) > 0 {
		id := next[0]
		next = next[1:]
		if id == to {
			return true
		}
		if !seen[id] {
			seen[id] = true
			next = append(next, deps[id]...)
		}
	}
	return false
}

// decide evaluates every condition once. Later scopes get the outcomes, also
// those in which secrets are masked and the same question would be answered
// differently.
func (t *template) decide(ref Ref) error {
	scope := t.scope(ref, nil, nil)
	decided := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(t.doc.Conditions)) {
		holds, err := cfn.EvalCondition(name, scope)
		if err != nil {
			return invalid("Template error: %v", err)
		}
		decided[name] = map[string]any{"Fn::Equals": []any{holds, true}}
	}
	t.decided = decided
	return nil
}

// taken replaces every Fn::If by the branch that is taken, so that what only
// the other branch refers to does not count.
func taken(v any, scope cfn.Scope) any {
	switch v := v.(type) {
	case map[string]any:
		if branch, ok := v["Fn::If"].([]any); ok && len(v) == 1 && len(branch) == 3 {
			name, _ := branch[0].(string)
			holds, err := cfn.EvalCondition(name, scope)
			if err != nil {
				return v // evaluating the property will say what is wrong
			}
			if holds {
				return taken(branch[1], scope)
			}
			return taken(branch[2], scope)
		}
		out := make(map[string]any, len(v))
		for key, el := range v {
			out[key] = taken(el, scope)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, el := range v {
			out[i] = taken(el, scope)
		}
		return out
	}
	return v
}

// circular gives the resources that wait for each other in a circle, sorted.
func circular(deps map[string][]string) []string {
	left := maps.Clone(deps)
	// What nobody waits for, and what waits for nobody, is in no circle.
	for _, direction := range []map[string][]string{deps, inverse(deps)} {
		for again := true; again; {
			again = false
			for id := range left {
				if !slices.ContainsFunc(direction[id], func(on string) bool { _, ok := left[on]; return ok }) {
					delete(left, id)
					again = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(left))
}

// inverse turns a graph around: who is waited for by whom.
func inverse(deps map[string][]string) map[string][]string {
	out := make(map[string][]string, len(deps))
	for id, on := range deps {
		out[id] = append(out[id], nil...)
		for _, other := range on {
			out[other] = append(out[other], id)
		}
	}
	return out
}

// walk runs do for every node of an acyclic graph after all that it depends
// on, at most limit at once, in the order of their names where there is a
// choice. A failure keeps back what depends on it, and with stop everything
// that is not under way yet; so does the end of ctx. It reports whether all went well.
func walk(ctx context.Context, deps map[string][]string, limit int, stop bool, do func(id string) error) bool {
	waiting := make(map[string]int, len(deps))
	var ready []string
	for id, on := range deps {
		n := 0
		for _, other := range on {
			if _, ok := deps[other]; ok {
				n++
			}
		}
		if waiting[id] = n; n == 0 {
			ready = append(ready, id)
		}
	}
	followers := inverse(deps)
	type result struct {
		id  string
		err error
	}
	results := make(chan result)
	ok, active, finished := true, 0, 0
	for {
		slices.Sort(ready)
		for (ok || !stop) && ctx.Err() == nil && len(ready) > 0 && active < limit {
			id := ready[0]
			ready = ready[1:]
			active++
			go func() { results <- result{id, do(id)} }()
		}
		if active == 0 {
			return ok && finished == len(deps)
		}
		r := <-results
		active--
		if r.err != nil {
			ok = false
			continue
		}
		finished++
		for _, id := range followers[r.id] {
			if waiting[id]--; waiting[id] == 0 {
				ready = append(ready, id)
			}
		}
	}
}
