package face

import (
	"fmt"
	"io"
	"strings"

	"arc/cfn/cost"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
)

// MaxMarkdown is how long a comment on GitHub may be, 65,536 characters, less
// what a workflow writes below the review: where the preview answers.
const MaxMarkdown = 65_536 - 1_024

// Marker is the first line of a review's Markdown. A bot finds its own comment
// by it, and updates that instead of adding another.
func Marker(r *diff.Review) string {
	// Nothing in a name may end the HTML comment.
	return "<!-- arc-diff: " + strings.NewReplacer("--", "- -", ">", "", "<", "").Replace(visible(r.Stack)) + " -->"
}

// Markdown prints a review as a comment on a pull request: the verdict and
// every danger first, the groups collapsed below. It is shorter than GitHub's
// limit however much changes: details are left out first, then items.
func Markdown(w io.Writer, r *diff.Review, resources bool) error {
	levels := []markdownLevel{
		{items: 1 << 30, details: 1 << 30, resources: resources, dangers: 1 << 30},
		{items: 1 << 30, details: 1 << 30, dangers: 1 << 30},
		{items: 300, details: 10, dangers: 200},
		{items: 100, details: 3, dangers: 100},
		{items: 30, dangers: 50},
		{items: 5, dangers: 20},
		{items: 0, dangers: 5},
	}
	var out string
	for _, level := range levels {
		out = level.print(r)
		if len(out) < MaxMarkdown {
			break
		}
	}
	_, err := io.WriteString(w, out)
	return err
}

// markdownLevel is how much is printed.
type markdownLevel struct {
	items, details, dangers int
	resources               bool
}

var marks = map[diff.Verdict]string{diff.NoChanges: "⚪", diff.Safe: "🟢", diff.Dangerous: "🔴", diff.Uncertain: "🟠"}

func (l markdownLevel) print(r *diff.Review) string {
	var b strings.Builder
	b.WriteString(Marker(r) + "\n")
	stack := r.Stack
	if stack == "" {
		stack = "stack"
	}
	fmt.Fprintf(&b, "### %s %s: %s\n\n", marks[r.Verdict], code(short(stack)), r.Headline())
	if r.Before != "" && r.After != "" {
		fmt.Fprintf(&b, "%s → %s", md(short(r.Before)), md(short(r.After)))
		if len(r.Changes) > 0 {
			fmt.Fprintf(&b, " · %s", Summary(r.Changes))
		}
		b.WriteString("\n\n")
	}
	l.dangerList(&b, r)
	for i, limit := range r.Limits {
		if i == l.dangers {
			fmt.Fprintf(&b, "> and %d notes more\n\n", len(r.Limits)-i)
			break
		}
		fmt.Fprintf(&b, "> %s\n\n", md(short(limit)))
	}
	for _, g := range r.Groups {
		l.group(&b, g)
	}
	if r.Cost != nil {
		l.cost(&b, r.Cost)
	}
	if l.resources && len(r.Changes) > 0 {
		fmt.Fprintf(&b, "<details><summary>Resources (%d)</summary>\n\n", len(r.Changes))
		for _, c := range r.Changes {
			fmt.Fprintf(&b, "- %s %s %s\n", signs[c.Action], code(c.LogicalID), md(c.Type+bringer(c)))
			for _, p := range c.Properties {
				fmt.Fprintf(&b, "  - %s\n", code(strings.Trim(p.Path, "()")+": "+compare.Arrow(p)))
			}
		}
		b.WriteString("\n</details>\n\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// dangerList lists what to look at before anything else: as many lines as the
// headline counts, the dangers first.
func (l markdownLevel) dangerList(b *strings.Builder, r *diff.Review) {
	all := risksOf(r)
	for _, part := range []struct {
		alert string
		holds func(ranked) bool
	}{
		{"CAUTION", func(d ranked) bool { return d.Class.Dangerous() && d.accepted == "" }},
		{"NOTE", func(d ranked) bool { return !d.Class.Dangerous() || d.accepted != "" }},
	} {
		n := 0
		for _, d := range all {
			if !part.holds(d) {
				continue
			}
			if n == 0 {
				fmt.Fprintf(b, "> [!%s]\n", part.alert)
			}
			if n++; n <= l.dangers {
				fmt.Fprintf(b, "> - **%s** %s%s %s%s\n", d.Class, md(short(d.Text)), mdPosition(d.at), code(string(d.Rule)), md(short(d.accepted)))
			}
		}
		if n > l.dangers {
			fmt.Fprintf(b, "> - and %d more\n", n-l.dangers)
		}
		if n > 0 {
			b.WriteString("\n")
		}
	}
}

func (l markdownLevel) group(b *strings.Builder, g diff.Group) {
	fmt.Fprintf(b, "<details><summary>%s (%d)</summary>\n\n", htmlText(g.Name), len(g.Items))
	for i, it := range g.Items {
		if i == l.items {
			fmt.Fprintf(b, "- and %d more\n", len(g.Items)-i)
			break
		}
		fmt.Fprintf(b, "- %s %s", mdSigns[it.Action], code(short(it.Subject)))
		if it.Text != "" {
			b.WriteString(" " + md(short(it.Text)))
		}
		b.WriteString(mdPosition(it.Position) + "\n")
		for j, d := range it.Details {
			if j == l.details {
				fmt.Fprintf(b, "  - and %d more\n", len(it.Details)-j)
				break
			}
			fmt.Fprintf(b, "  - %s\n", code(short(d)))
		}
	}
	b.WriteString("\n</details>\n\n")
}

// cost prints the estimate: what changes in tables, what is said about it as
// lists.
func (l markdownLevel) cost(b *strings.Builder, d *cost.Delta) {
	lines := costLines(d)
	fmt.Fprintf(b, "<details><summary>%s</summary>\n\n%s\n\n", htmlText(costSummary(d)), md(costTitle(d)))
	inTable := false
	for i, line := range lines {
		if i == l.items && len(lines) > i+2 { // the last two say what it rests on
			fmt.Fprintf(b, "\n- and %d more\n", len(lines)-i-2)
		}
		if i >= l.items && i < len(lines)-2 {
			inTable = false
			continue
		}
		if row := line.Action != ""; row != inTable {
			inTable = row
			b.WriteString("\n")
			if row {
				b.WriteString("| | | cost | how |\n|---|---|---|---|\n")
			}
		}
		if inTable {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", mdSigns[line.Action], cell(code(short(line.Subject))), cell(md(line.Text)), cell(md(line.Detail)))
			continue
		}
		fmt.Fprintf(b, "- %s\n", md(short(line.Text)))
	}
	b.WriteString("\n</details>\n\n")
}

// cell is Markdown that no bar in it ends as a cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\|`, "|"), "|", `\|`)
}

var mdSigns = map[compare.Action]string{compare.Add: "➕", compare.Modify: "✏️", compare.Remove: "➖"}

func mdPosition(p *diff.Position) string {
	if p == nil {
		return ""
	}
	return " (" + code(p.String()) + ")"
}

// short cuts a text that would fill a comment by itself.
func short(s string) string {
	runes := []rune(s)
	if len(runes) > 500 {
		return string(runes[:499]) + "…"
	}
	return s
}

// md escapes a text for Markdown. What GitHub would make a mention, a link or
// an issue of becomes code, where it stays what it is.
func md(s string) string {
	s = visible(s)
	if strings.ContainsAny(s, "@#`") || strings.Contains(s, "://") || strings.Contains(s, "www.") || strings.Contains(s, "GH-") {
		return code(s)
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
			continue
		case r == '>':
			b.WriteString("&gt;")
			continue
		case r == '&':
			b.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\*_{}[]()!|~$", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is a text as Markdown's code, in a fence longer than any in it.
func code(s string) string {
	s = visible(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.HasPrefix(s, " ") || s == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

func htmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(visible(s))
}
