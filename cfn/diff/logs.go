package diff

import (
	"fmt"
	"slices"
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/registry"
)

// logs tells of log groups that no function took along or brought. Those that
// change alike are one item.
func (r *reviewer) logs() []Item {
	var items []Item
	names := map[int][]string{} // by item
	alike := map[string]int{}   // what changes → index in items
	for _, id := range r.changed(registry.LogsLogGroup) {
		if r.told[id] {
			continue
		}
		c := *r.changes[id]
		name := r.describe(id)
		it := r.item(c.Action, name, "", id)
		var texts []string
		for _, risk := range it.Risks {
			texts = append(texts, string(risk.Class)+strings.TrimPrefix(risk.Text, name))
		}
		if c.Action == compare.Modify {
			for _, p := range c.Properties {
				if p.Because == "" {
					it.Details = append(it.Details, setting(p))
				}
			}
		}
		key := fmt.Sprintf("%s%q%q", c.Action, it.Details, texts)
		at, known := alike[key]
		if !known {
			at = len(items)
			alike[key] = at
			items = append(items, it)
		} else {
			items[at].Resources = append(items[at].Resources, id)
		}
		names[at] = append(names[at], name)
	}
	for i := range items {
		list := names[i]
		if len(list) == 1 {
			continue
		}
		items[i].Subject = fmt.Sprintf("%d logs", len(list))
		for j, risk := range items[i].Risks {
			if rest, ok := strings.CutPrefix(risk.Text, list[0]); ok {
				items[i].Risks[j].Text = ofSeveral(items[i].Subject, items[i].Subject+rest)
			}
		}
		for j := range list {
			list[j] = strings.TrimPrefix(list[j], "the log of ")
		}
		slices.Sort(list)
		items[i].Text = few(list)
	}
	return sortItems(items)
}
