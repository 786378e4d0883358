package diff

import (
	"fmt"
	"slices"
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
)

// minAlike is how many items that say the same become one.
const minAlike = 3

// alike makes one item of those of a group to which the same happens: a line of
// the manifest that changes sixty functions is one thing to look at, "all 60
// functions: …", with one risk of each kind.
// What comes is each a thing by itself, but for what comes
// open and endangers.
func (r *reviewer) alike(group string, items []Item) []Item {
	groups := map[string][]int{}
	for i, it := range items {
		opens := group == "Exposure" && slices.ContainsFunc(it.Risks, func(risk Risk) bool { return risk.Class.Dangerous() })
		if (it.Action != compare.Add || opens) && len(it.Resources)+len(it.Risks) > 0 {
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
	parts := []string{string(it.Action), fmt.Sprint(it.functions != nil), renamed(it.Text, it.Subject, "\x00")}
	for _, d := range it.Details {
		parts = append(parts, renamed(d, it.Subject, "\x00"))
	}
	for _, risk := range it.Risks {
		parts = append(parts, string(risk.Rule), string(risk.Class), renamed(risk.Text, it.Subject, "\x00"))
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
	all := len(r.before.ByType[model.FunctionType])
	if out.Action == compare.Modify { // of those that stay
		all = 0
		for _, id := range r.after.ByType[model.FunctionType] {
			if r.before.Doc.Resources[id].Type == model.FunctionType {
				all++
			}
		}
	}
	was := out.Subject
	switch {
	case len(functions) == 0:
		out.Subject = fmt.Sprintf("%d resources", len(list))
		if word, _, ok := strings.Cut(was, " "); allRoutes(names) {
			out.Subject = fmt.Sprintf("%d routes", len(list))
		} else if ok && allBegin(names, word+" ") {
			out.Subject = fmt.Sprintf("%d × %s", len(list), word)
			for i, name := range names {
				names[i] = strings.TrimPrefix(name, word+" ")
			}
		}
	case len(functions) == all:
		out.Subject = fmt.Sprintf("all %d functions", all)
	default:
		out.Subject = fmt.Sprintf("%d functions", len(functions))
	}
	out.Text = renamed(out.Text, was, out.Subject)
	if _, rest, ok := strings.Cut(ofSeveral(out.Subject, out.Subject+" "+out.Text), out.Subject+" "); ok {
		out.Text = rest
	}
	out.Details = nil
	if len(functions) == 0 || len(functions) != all || out.Action == compare.Remove {
		shown := few(names)
		if out.Action == compare.Remove || out.loses() { // who is to decide has to see each
			shown = most(names)
		}
		out.Details = append(out.Details, shown)
	}
	for _, d := range list[0].Details {
		out.Details = append(out.Details, renamed(d, was, out.Subject))
	}
	out.Risks = nil
	for _, risk := range list[0].Risks {
		risk.Text = ofSeveral(out.Subject, renamed(risk.Text, was, out.Subject))
		out.Risks = append(out.Risks, risk)
	}
	return out
}

// maxNames is how many names most lists.
const maxNames = 200

// most lists names, all of them unless there are very many.
func most(names []string) string {
	if more := len(names) - maxNames; more > 0 {
		names = append(names[:maxNames:maxNames], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// loses reports whether data, or an address, goes with what an item is about.
func (it Item) loses() bool {
	return slices.ContainsFunc(it.Risks, func(risk Risk) bool { return risk.Class == DataLoss || risk.Class == Replaced })
}

// renamed is a text about one thing as one about another, but where the name is a part
// of a longer one: Custom::Job says nothing of Job.
func renamed(text, was, is string) string {
	if was == "" {
		return text
	}
	part := func(b byte) bool {
		return b == ':' || b == '_' || b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
	}
	var b strings.Builder
	for {
		at := strings.Index(text, was)
		if at < 0 {
			return b.String() + text
		}
		end := at + len(was)
		if at > 0 && part(text[at-1]) || end < len(text) && text[end] != ':' && part(text[end]) || strings.HasPrefix(text[end:], "::") {
			b.WriteString(text[:end])
		} else {
			b.WriteString(text[:at] + is)
		}
		text = text[end:]
	}
}

// ofSeveral makes a sentence about one thing one about several.
func ofSeveral(subject, text string) string {
	rest, ok := strings.CutPrefix(text, subject)
	if !ok {
		return text
	}
	for one, several := range map[string]string{" is ": " are ", " has ": " have ", " was ": " were ", " acts ": " act ", " lets ": " let ", " gets ": " get ", " leaves ": " leave "} {
		if after, begins := strings.CutPrefix(rest, one); begins {
			rest = several + after
			break
		}
	}
	for _, words := range [][2]string{{"and asks", "and ask"}, {"and is", "and are"}, {"its", "their"}, {"of it", "of each"}, {"with it", "with them"}, {"no deploy sees it", "no deploy sees them"}, {"the table itself is", "the tables themselves are"}} {
		rest = renamed(rest, words[0], words[1])
	}
	return subject + rest
}

func allBegin(names []string, front string) bool {
	for _, name := range names {
		if !strings.HasPrefix(name, front) {
			return false
		}
	}
	return true
}

// allRoutes reports whether all names are those of routes: "get /notes".
func allRoutes(names []string) bool {
	for _, name := range names {
		if method, path, ok := strings.Cut(name, " "); !ok || !strings.HasPrefix(path, "/") || strings.ToLower(method) != method {
			return false
		}
	}
	return true
}
