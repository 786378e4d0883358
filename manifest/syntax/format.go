package syntax

import (
	"bytes"
	"strings"
)

// Format prints a tree as .arc text in its one canonical form: two blanks for
// each level, one between words, an empty line between pragmas and none inside
// a block, quotes only where a word needs them. Comments stay, and so does an
// empty line between items, where there was one.
//
// Parsing the result gives the same values again. A tree that came with errors
// has lost what they are about, so do not write its text over the source.
func Format(f *File) []byte {
	var p printer
	for i, pragma := range f.Pragmas {
		p.blank(i > 0 && !hasBlank(pragma.Comments))
		p.above(pragma.Comments, "", true)
		p.line("", pragma.Comments.Suffix, "@"+pragma.Name)
		for j, it := range pragma.Items {
			p.item(it, j > 0)
		}
	}
	p.above(Comments{Before: f.Trailing}, "", true)
	return p.Bytes()
}

type printer struct{ bytes.Buffer }

// blank prints an empty line if one is wanted; never at the top of the text.
func (p *printer) blank(wanted bool) {
	if wanted && p.Len() > 0 {
		p.WriteByte('\n')
	}
}

func hasBlank(c Comments) bool {
	for _, above := range c.Before {
		if above.Blank {
			return true
		}
	}
	return c.Blank
}

// above prints the comment lines above a line; with gaps, the empty lines too.
func (p *printer) above(c Comments, indent string, gaps bool) {
	for _, line := range c.Before {
		p.blank(gaps && line.Blank)
		p.WriteString(indent + "#" + line.Text + "\n")
	}
	p.blank(gaps && c.Blank)
}

func (p *printer) line(indent string, suffix *Comment, words ...string) {
	p.WriteString(indent + strings.Join(words, " "))
	if suffix != nil {
		p.WriteString(" #" + suffix.Text)
	}
	p.WriteByte('\n')
}

func (p *printer) item(it *Item, gap bool) {
	c := it.Comments
	if !gap { // the empty line below a pragma goes
		if len(c.Before) > 0 {
			c.Before = append([]Comment{{Text: c.Before[0].Text}}, c.Before[1:]...)
		} else {
			c.Blank = false
		}
	}
	p.above(c, "", true)
	p.line("", c.Suffix, words(it.Values)...)
	p.list("  ", it.List, it.Inner)
	for _, e := range it.Entries {
		p.above(e.Comments, "  ", false)
		if e.Nested {
			p.line("  ", e.Comments.Suffix, e.Key.source())
			p.list("    ", e.Values, e.Inner)
			continue
		}
		p.line("  ", e.Comments.Suffix, append([]string{e.Key.source()}, words(e.Values)...)...)
	}
	p.above(Comments{Before: it.End}, "  ", false)
}

// list prints a value a line.
func (p *printer) list(indent string, values []Value, inner []Comments) {
	for i, v := range values {
		p.above(inner[i], indent, false)
		p.line(indent, inner[i].Suffix, v.source())
	}
}

func words(vs []Value) []string {
	var all []string
	for _, v := range vs {
		all = append(all, v.source())
	}
	return all
}

// source is a word as .arc text has it.
func (v Value) source() string {
	if v.Kind != String {
		return v.Text
	}
	read := Value{Text: v.Text}
	read.classify()
	if v.Text != "" && read.Kind == String && !isQuote(rune(v.Text[0])) && strings.TrimFunc(v.Text, isBare) == "" {
		return v.Text
	}
	return Quoted(v.Text)
}

// Quoted is a text in quotes, as .arc text has it: in the first kind of them that
// is not in the text.
func Quoted(text string) string {
	quote := `"`
	for _, q := range []string{`"`, "'", "`"} {
		if !strings.Contains(text, q) {
			quote = q
			break
		}
	}
	return quote + escape(text, quote[0]) + quote
}

// escape doubles backslashes where one alone would be read as an escape: before
// a quote, another backslash, or the end.
func escape(text string, quote byte) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == quote:
			b.WriteByte('\\')
		case text[i] == '\\':
			run := len(text[i:]) - len(strings.TrimLeft(text[i:], `\`))
			after := i + run
			if run > 1 || after == len(text) || text[after] == quote {
				b.WriteString(text[i:after])
			}
			b.WriteString(text[i:after])
			i = after - 1
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
