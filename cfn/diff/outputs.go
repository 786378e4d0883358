package diff

import (
	"slices"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// outputs tells of values that other stacks import. Other outputs are told when
// nothing else changes: they follow from resources, which say more.
func (r *reviewer) outputs() []Item {
	var items []Item
	before, after := r.before.Doc.Outputs, r.after.Doc.Outputs
	for _, name := range values.KeysOfBoth(before, after) {
		b, had := before[name]
		a, has := after[name]
		old, new := values.PlainText(b.ExportName), values.PlainText(a.ExportName)
		it := Item{Action: compare.Modify, Subject: "output " + name}
		switch {
		case old == "" && new == "":
			if len(r.changes) > 0 || had && has && values.Equal(b.Value, a.Value) {
				continue
			}
			it.Action = whether(had, has)
		case old == "":
			it.Action, it.Text = whether(had, has), "is exported as "+new
		case old != new:
			it.Action, it.Text = whether(had, has), "is no longer exported as "+old
			it.Risks = []Risk{{ExportGone, Removal, "the export " + old + " is gone; CloudFormation refuses that while another stack imports it"}}
		case values.Equal(b.Value, a.Value) && !r.replacedIn(a.Value):
			continue
		default:
			it.Text = "exports another value as " + old
			it.Risks = []Risk{{ExportChanged, Removal, "the export " + old + " changes; CloudFormation refuses that while another stack imports it"}}
		}
		items = append(items, it)
	}
	return sortItems(items)
}

// replacedIn reports whether a value names a resource that is made anew.
func (r *reviewer) replacedIn(v any) bool {
	return slices.ContainsFunc(cfn.References(v), func(id string) bool {
		c := r.changes[id]
		return c != nil && c.Action == compare.Modify && c.Update == registry.Replacement
	})
}

func whether(had, has bool) compare.Action {
	switch {
	case !had:
		return compare.Add
	case !has:
		return compare.Remove
	}
	return compare.Modify
}
