package diff

import (
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/registry"
)

// otherResources tells of all resources that nothing before told of, but for wiring
// that endangers nothing.
func (r *reviewer) otherResources() []Item {
	var items []Item
	for _, id := range ids(r.changes) {
		if r.told[id] {
			continue
		}
		c := r.changes[id]
		wiring := registry.Of(c.Type).Wiring
		it := r.item(c.Action, r.describe(id), strings.TrimPrefix(c.Type, "AWS::"), id)
		if wiring && len(it.Risks) == 0 && c.Update < registry.MayReplace {
			continue
		}
		if c.Action == compare.Modify && len(it.Risks) == 0 && onlyDeploys(*c) {
			continue
		}
		if wiring && len(it.Risks) == 0 && (c.Action != compare.Modify || !ownReason(*c)) {
			continue
		}
		if c.Action == compare.Remove && len(it.Risks) == 0 && registry.Of(c.Type).Rights == 0 {
			it.Risks = []Risk{{ResourceGone, Removal, r.describe(id) + " is gone"}}
		}
		if c.Action == compare.Modify {
			it.Details = r.settingsOf(*c)
			if c.Update >= registry.MayReplace {
				it.Details = append(it.Details, c.Update.String()+because(*c))
			}
		}
		items = append(items, it)
	}
	return sortItems(items)
}

// onlyDeploys reports whether all that a stage of a REST API gets is another
// deployment: what is deployed is told where it changes.
func onlyDeploys(c compare.Change) bool {
	return c.Type == registry.ApiGatewayStage && len(c.Properties) == 1 && c.Properties[0].Path == "DeploymentId"
}

// ownReason reports whether a change is more than what follows from another.
func ownReason(c compare.Change) bool {
	for _, p := range c.Properties {
		if p.Because == "" {
			return true
		}
	}
	return false
}
