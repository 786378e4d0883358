package diff

import (
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/values"
)

// macros tells of what CloudFormation makes of the templates before it compares
// them, but for SAM's, which compare.Plain has expanded as far as it can. What that is cannot be known here, so that a change under a macro is
// neither nothing nor safe. Two templates that are written alike stay alike under
// a macro that reads nothing else.
func (r *reviewer) macros() []Item {
	names := macrosOf(r.before.Doc, r.after.Doc)
	if len(names) == 0 || alike(r.before.Doc, r.after.Doc) && !slices.ContainsFunc(names, func(name string) bool { return !cfn.Repeats(name) }) {
		return nil
	}
	subject := "macro " + strings.Join(names, ", ")
	text := "is not expanded here"
	why := slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.before.Doc.Unexpanded, r.after.Doc.Unexpanded))))
	if len(why) > 0 {
		text = "is not wholly expanded here"
	}
	return []Item{{
		Action: compare.Modify, Subject: subject, Text: text, Details: why,
		Risks: []Risk{{MacroUnread, Unknown, subject + ": only CloudFormation knows what it makes of the template"}},
	}}
}

// macrosOf names the macros of both sides, each once.
func macrosOf(before, after *cfn.Document) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(before.Macros, after.Macros))))
}

// alike reports whether two templates with macros are written the same, but for
// what describes them.
func alike(before, after *cfn.Document) bool {
	if before.Written == nil || after.Written == nil {
		return false
	}
	b, a := maps.Clone(before.Written), maps.Clone(after.Written)
	for _, side := range []map[string]any{b, a} {
		delete(side, "Description")
	}
	return values.Equal(b, a)
}
