package compare

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// followReplacements finds what a replacement brings about elsewhere. A new resource
// has another name and ARN, so whatever refers to it is updated as well, and
// replaced where a property that cannot change in place refers to it.
func followReplacements(changes []Change, before, after *cfn.Document) []Change {
	at := make(map[string]int, len(changes))
	var moved []string // resources whose references have other values now
	for i, c := range changes {
		at[c.LogicalID] = i
		if c.Action == Modify && c.Update >= registry.MayReplace {
			moved = append(moved, c.LogicalID)
		}
	}
	streams := changedStreams(changes)
	if len(moved) == 0 && len(streams) == 0 {
		return changes
	}
	referrers := referrersOf(before, after)
	done := map[string]registry.Update{}
	visit := func(target, attribute string, update registry.Update) {
		for _, id := range referrers[target] {
			props := dependents(id, target, attribute, update, after.Resources[id])
			if len(props) == 0 {
				continue
			}
			i, ok := at[id]
			if !ok {
				i = len(changes)
				at[id] = i
				changes = append(changes, Change{Action: Modify, LogicalID: id, Type: after.Resources[id].Type})
			}
			if changes[i].Action != Modify {
				continue
			}
			was := changes[i].Update
			changes[i].Properties = merge(changes[i].Properties, props)
			setOutcome(&changes[i], before.Resources[id], after.Resources[id])
			if changes[i].Update > was && changes[i].Update >= registry.MayReplace {
				moved = append(moved, id)
			}
		}
	}
	for _, id := range streams {
		visit(id, "StreamArn", registry.Replacement)
	}
	for len(moved) > 0 {
		id := moved[0]
		moved = moved[1:]
		if update := changes[at[id]].Update; done[id] < update {
			done[id] = update
			visit(id, "", update)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return changes
}

// changedStreams lists the tables that get another stream: its ARN has the
// time it was made in it.
func changedStreams(changes []Change) []string {
	var ids []string
	for _, c := range changes {
		for _, p := range c.Properties {
			if c.Action == Modify && values.Under(p.Path, "StreamSpecification") {
				ids = append(ids, c.LogicalID)
				break
			}
		}
	}
	return ids
}

// referrersOf lists by resource what refers to it in both templates. What is
// new needs no update.
func referrersOf(before, after *cfn.Document) map[string][]string {
	referrers := map[string][]string{}
	for _, id := range values.KeysOfBoth(nil, after.Resources) {
		if _, had := before.Resources[id]; !had {
			continue
		}
		for _, target := range cfn.References(after.Resources[id].Properties) {
			if target != id {
				referrers[target] = append(referrers[target], id)
			}
		}
	}
	return referrers
}

// dependents lists the top-level properties of a resource that refer to the
// target, or to one attribute of it.
func dependents(id, target, attribute string, update registry.Update, def cfn.ResourceDef) []Property {
	var props []Property
	for _, name := range values.KeysOfBoth(nil, def.Properties) {
		v := def.Properties[name]
		if !refersTo(v, target, attribute) {
			continue
		}
		own := registry.Between(def.Type, name, def.Properties, def.Properties)
		if own >= registry.MayReplace {
			own = min(own, update)
		}
		props = append(props, Property{Path: name, Update: own, Because: target})
	}
	return props
}

func refersTo(v any, target, attribute string) bool {
	if attribute == "" {
		return slices.Contains(cfn.References(v), target)
	}
	switch v := v.(type) {
	case map[string]any:
		if arg, ok := v["Fn::GetAtt"].([]any); ok && len(v) == 1 && len(arg) == 2 {
			return arg[0] == target && arg[1] == attribute
		}
		if text, ok := v["Fn::Sub"].(string); ok && len(v) == 1 {
			return strings.Contains(text, "${"+target+"."+attribute+"}")
		}
		for _, x := range v {
			if refersTo(x, target, attribute) {
				return true
			}
		}
	case []any:
		for _, x := range v {
			if refersTo(x, target, attribute) {
				return true
			}
		}
	}
	return false
}

// merge adds properties that have no difference of their own yet.
func merge(props, more []Property) []Property {
	for _, m := range more {
		i := slices.IndexFunc(props, func(p Property) bool { return values.Under(p.Path, m.Path) })
		if i < 0 {
			props = append(props, m)
		} else if props[i].Because != "" {
			props[i].Update = max(props[i].Update, m.Update)
		}
	}
	slices.SortStableFunc(props, func(a, b Property) int { return strings.Compare(a.Path, b.Path) })
	return props
}
