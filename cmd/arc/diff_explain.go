package main

import (
	"fmt"
	"slices"
	"strings"

	"arc/cfn/diff"
	"arc/manifest/syntax"

	"github.com/urfave/cli/v2"
)

// explain prints what is known of a rule, of all rules of a class, or the list
// of all.
func (s *session) explain(ctx *cli.Context) error {
	if err := noWords(ctx); err != nil {
		return err
	}
	all, err := diff.Explanations()
	if err != nil {
		return err
	}
	name := strings.Trim(ctx.String("explain"), "[]")
	if name == "all" {
		return s.listRules(all)
	}
	if slices.Contains(diff.AllClasses(), diff.Class(name)) {
		return s.listRules(slices.DeleteFunc(all, func(e diff.Explanation) bool { return string(e.Class) != name }))
	}
	var names []string
	for _, e := range all {
		if string(e.Rule) == name {
			return s.printExplanation(e)
		}
		names = append(names, string(e.Rule))
	}
	err = fmt.Errorf("--explain %s: there is no such rule", name)
	if near := syntax.Near(name, names); near != "" {
		return withHint(err, "arc diff --explain %s", near)
	}
	return withHint(err, "arc diff --explain all lists them")
}

// listRules prints a line a rule.
func (s *session) listRules(rules []diff.Explanation) error {
	class := diff.Class("")
	for _, e := range rules {
		if e.Class != class {
			class = e.Class
			if _, err := fmt.Fprintf(s.stdout, "%s\n", class); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(s.stdout, "  %-24s %s\n", e.Rule, e.Title); err != nil {
			return err
		}
	}
	return nil
}

// printExplanation prints one rule, at most 80 columns wide.
func (s *session) printExplanation(e diff.Explanation) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", e.Rule, e.Class)
	folded(&b, "", e.Title)
	b.WriteString("\nBrought about by\n")
	folded(&b, "  ", e.Property)
	b.WriteString("\nWhat happens\n")
	for i, line := range e.Order {
		folded(&b, fmt.Sprintf("  %d. ", i+1), line)
	}
	b.WriteString("\nWithout the danger\n")
	for _, line := range e.Instead {
		folded(&b, "  - ", line)
	}
	fmt.Fprintf(&b, "\n%s\n", e.Page)
	_, err := fmt.Fprint(s.stdout, b.String())
	return err
}

// folded writes a text in lines of 80 columns, the first after a mark and the
// others below it.
func folded(b *strings.Builder, mark, text string) {
	line := mark
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len([]rune(line))+1+len([]rune(word)) > 80:
			b.WriteString(line + "\n")
			line = strings.Repeat(" ", len(mark)) + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
}
