// Package face prints a review: as text, Markdown, JSON, SARIF and HTML, and as
// pictures. It decides nothing.
package face

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"arc/cfn/cost"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
	"arc/cfn/registry"
)

// TextOptions set how Text looks.
type TextOptions struct {
	// Width is how many columns there are; 0 = no limit, as in a file.
	Width int
	// Paint colours a text by its sign: "+", "~", "-", "!" (a danger) or "#" (a
	// title); nil = no colour.
	Paint func(sign, text string) string
	// Resources adds the view by resource and property.
	Resources bool
}

// Text prints a review for a terminal.
func Text(w io.Writer, r *diff.Review, o TextOptions) error {
	p := &textPrinter{TextOptions: o}
	if p.Paint == nil {
		p.Paint = func(_, text string) string { return text }
	}
	if r.Verdict == diff.NoChanges {
		p.b.WriteString("no changes\n")
		p.limits(r)
		_, err := w.Write(p.b.Bytes())
		return err
	}
	p.title(r)
	for _, g := range r.Groups {
		p.line("", "#", g.Name)
		for _, it := range g.Items {
			p.item(it)
		}
		p.b.WriteByte('\n')
	}
	if r.Cost != nil {
		p.cost(r.Cost)
	}
	if o.Resources {
		p.line("", "#", "Resources")
		for _, c := range r.Changes {
			p.change(c)
		}
		p.b.WriteByte('\n')
	}
	p.limits(r)
	p.line("", "", Summary(r.Changes))
	sign := "+"
	if r.Verdict == diff.Dangerous || r.Verdict == diff.Uncertain {
		sign = "!"
	}
	p.line("", sign, r.Headline())
	_, err := w.Write(p.b.Bytes())
	return err
}

type textPrinter struct {
	TextOptions
	b bytes.Buffer
}

func (p *textPrinter) title(r *diff.Review) {
	if both := sides(r); both != "" {
		p.line("", "#", both)
		p.b.WriteByte('\n')
	}
}

// sides says what is compared: "MyappStaging: deployed → working tree".
func sides(r *diff.Review) string {
	out := r.Stack
	if r.Before != "" && r.After != "" {
		if out != "" {
			out += ": "
		}
		out += r.Before + " → " + r.After
	}
	return out
}

func (p *textPrinter) limits(r *diff.Review) {
	for _, l := range r.Limits {
		p.line("", "~", "note: "+l)
	}
}

var signs = map[compare.Action]string{compare.Add: "+", compare.Modify: "~", compare.Remove: "-"}

func (p *textPrinter) item(it diff.Item) {
	text := it.Subject
	if it.Text != "" {
		text += ": " + it.Text
	}
	if it.Position != nil {
		text += "  (" + it.Position.String() + ")"
	}
	p.line("  "+signs[it.Action]+" ", signs[it.Action], text)
	for _, d := range it.Details {
		p.line("      ", "", d)
	}
	for _, risk := range it.Risks {
		if risk.Class == diff.Public {
			continue // the item says so
		}
		p.line("      ! ", "!", string(risk.Class)+": "+risk.Text+"  ["+string(risk.Rule)+"]")
	}
	for _, risk := range it.Accepted {
		p.line("      ", "~", string(risk.Class)+": "+risk.Text+"  ["+string(risk.Rule)+"]"+acceptedText(risk))
	}
}

func (p *textPrinter) cost(d *cost.Delta) {
	p.line("", "#", costTitle(d))
	for _, l := range costLines(d) {
		if l.Action == "" {
			p.line("  ", "", l.Text)
			continue
		}
		p.line("  "+signs[l.Action]+" ", signs[l.Action], l.Subject+": "+l.Text)
		p.line("      ", "", l.Detail)
	}
	p.b.WriteByte('\n')
}

func (p *textPrinter) change(c compare.Change) {
	p.line("  "+signs[c.Action]+" ", signs[c.Action], c.LogicalID+"  "+c.Type+bringer(c))
	if c.Update >= registry.MayReplace {
		p.line("      ! ", "!", c.Update.String())
	}
	for _, danger := range []string{c.Loss, c.Refused} {
		if danger != "" {
			p.line("      ! ", "!", danger)
		}
	}
	for _, prop := range c.Properties {
		text := strings.Trim(prop.Path, "()") + ": " + compare.Arrow(prop)
		if prop.Update != registry.NoInterruption {
			text += "  [" + prop.Update.String() + "]"
		}
		p.line("      ", "", text)
	}
}

// bringer names the plugin that brought a resource, behind it.
func bringer(c compare.Change) string {
	if c.Plugin == "" {
		return ""
	}
	return "  (" + c.Plugin + ")"
}

// line prints one line, wrapped at blanks so that it stays in its columns;
// what follows is indented as deep as the start.
func (p *textPrinter) line(start, sign, text string) {
	text = visible(text)
	room := p.Width - len(start)
	if p.Width <= 0 || room < 20 {
		room = 1 << 20
	}
	for {
		part, rest := wrap(text, room)
		out := start + part
		if sign != "" && out != "" {
			out = p.Paint(sign, out)
		}
		p.b.WriteString(out + "\n")
		if rest == "" {
			return
		}
		start, text = strings.Repeat(" ", len(start)), rest
	}
}

// wrap cuts a text at the last blank that fits, or within a word that has no
// room on a line of its own either.
func wrap(text string, room int) (part, rest string) {
	runes := []rune(text)
	if len(runes) <= room {
		return text, ""
	}
	at := room
	for i := room; i > 0; i-- {
		if runes[i] != ' ' {
			continue
		}
		word := slices.Index(append(runes[i+1:len(runes):len(runes)], ' '), ' ')
		if i > room/3 || word <= room {
			at = i
		}
		break
	}
	return strings.TrimRight(string(runes[:at]), " "), strings.TrimLeft(string(runes[at:]), " ")
}

// visible keeps what steers a terminal, or turns the direction of text, off
// the reader's screen.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20, r == 0x7f, 0x80 <= r && r < 0xa0, // control characters
			0x200b <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069, r == 0xfeff, r == 0x2028, r == 0x2029:
			return '�'
		}
		return r
	}, s)
}

// Summary counts changes: "resources: 2 to add, 1 to change, 0 to remove".
func Summary(changes []compare.Change) string {
	if len(changes) == 0 {
		return "no resource changes"
	}
	count := map[compare.Action]int{}
	replaced := 0
	for _, c := range changes {
		count[c.Action]++
		if c.Action == compare.Modify && c.Update == registry.Replacement {
			replaced++
		}
	}
	text := fmt.Sprintf("resources: %d to add, %d to change, %d to remove", count[compare.Add], count[compare.Modify], count[compare.Remove])
	if replaced > 0 {
		text += fmt.Sprintf(" (%d replaced)", replaced)
	}
	return text
}
