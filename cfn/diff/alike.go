package diff

import (
	"fmt"
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
)

// minAlike is how many items that say the same become one.
const minAlike = 3

// alike makes one item of those of a group to which the same happens: a line of
// the manifest that changes sixty functions is one thing to look at, "all 60
// functions: …", with one risk of each kind.
func (r *reviewer) alike(items []Item) []Item {
	groups := map[string][]int{}
	for i, it := range items {
		if it.Action == compare.Modify && len(it.Resources) > 0 {
			groups[it.saying()] = append(groups[it.saying()], i)
		}
	}
	gone := map[int]bool{}
	for _, at := range groups {
		if len(at) < minAlike {
			continue
		}
		var list []Item
		for _, i := range at {
			list = append(list, items[i])
			gone[i] = true
		}
		delete(gone, at[0])
		items[at[0]] = r.merged(list)
	}
	var out []Item
	for i, it := range items {
		if !gone[i] {
			out = append(out, it)
		}
	}
	return out
}

// saying is what an item says, whatever it says it of.
func (it Item) saying() string {
	parts := []string{fmt.Sprint(it.functions != nil), strings.ReplaceAll(it.Text, it.Subject, "\x00")}
	for _, d := range it.Details {
		parts = append(parts, strings.ReplaceAll(d, it.Subject, "\x00"))
	}
	for _, risk := range it.Risks {
		parts = append(parts, string(risk.Rule), string(risk.Class), strings.ReplaceAll(risk.Text, it.Subject, "\x00"))
	}
	for _, risk := range it.Accepted {
		parts = append(parts, string(risk.Rule), risk.Text, risk.Until, risk.Because) // each is accepted by itself
	}
	return strings.Join(parts, "\x01")
}

// merged is one item for several that say the same.
func (r *reviewer) merged(list []Item) Item {
	out := list[0]
	var names []string
	functions := map[string]bool{}
	out.Resources = nil
	for _, it := range list {
		names = append(names, it.Subject)
		out.Resources = append(out.Resources, it.Resources...)
		for _, id := range it.functions {
			functions[id] = true
		}
		if it.Position == nil || out.Position != nil && *it.Position != *out.Position {
			out.Position = nil
		}
	}
	all := 0 // functions that stay
	for _, id := range r.after.ByType[model.FunctionType] {
		if r.before.Doc.Resources[id].Type == model.FunctionType {
			all++
		}
	}
	was := out.Subject
	switch {
	case len(functions) == 0:
		out.Subject = fmt.Sprintf("%d resources", len(list))
		if word, _, ok := strings.Cut(was, " "); ok && allBegin(names, word+" ") {
			out.Subject = fmt.Sprintf("%d × %s", len(list), word)
		}
	case len(functions) == all:
		out.Subject = fmt.Sprintf("all %d functions", all)
	default:
		out.Subject = fmt.Sprintf("%d functions", len(functions))
	}
	out.Text = strings.ReplaceAll(out.Text, was, out.Subject)
	out.Details = nil
	if len(functions) == 0 || len(functions) != all {
		out.Details = append(out.Details, few(names))
	}
	for _, d := range list[0].Details {
		out.Details = append(out.Details, strings.ReplaceAll(d, was, out.Subject))
	}
	out.Risks = nil
	for _, risk := range list[0].Risks {
		risk.Text = ofSeveral(out.Subject, strings.ReplaceAll(risk.Text, was, out.Subject))
		out.Risks = append(out.Risks, risk)
	}
	return out
}

// ofSeveral makes a sentence about one thing one about several.
func ofSeveral(subject, text string) string {
	for one, several := range map[string]string{" is ": " are ", " has ": " have ", " was ": " were ", " acts ": " act "} {
		if rest, ok := strings.CutPrefix(text, subject+one); ok {
			return subject + several + rest
		}
	}
	return text
}

func allBegin(names []string, front string) bool {
	for _, name := range names {
		if !strings.HasPrefix(name, front) {
			return false
		}
	}
	return true
}
