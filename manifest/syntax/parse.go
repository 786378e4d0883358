package syntax

import "slices"

// Parse reads .arc text. It always gives a tree, of what could be understood;
// the diagnostics say what could not, in file order.
//
// A block is a line with one word and the deeper lines below it. Blank lines
// and comment lines inside a block mean nothing.
func Parse(name string, src []byte) (*File, Diagnostics) {
	l := newLexer(name, src)
	p := &parser{file: &File{Name: name, Src: src}, lines: l.lines()}
	p.diags = l.diags
	p.parse()
	p.diags.Sort()
	return p.file, p.diags
}

type parser struct {
	file    *File
	lines   []line
	at      int
	current *Pragma
	pending []Comment // whole-line comments that wait for what they stand above
	diags   Diagnostics
}

func (p *parser) errorf(pos, end Pos, code, message, hint string) {
	p.diags = append(p.diags, Diagnostic{Pos: pos, End: end, Code: code, Message: message, Hint: hint})
}

func (p *parser) parse() {
	for p.at < len(p.lines) {
		ln := &p.lines[p.at]
		switch {
		case len(ln.words) > 0 && p.current == nil:
			p.errorf(ln.words[0].Pos, ln.words[0].End, "value-before-pragma",
				"\""+ln.words[0].Text+"\" stands before the first pragma", "start the file with a pragma such as @app")
			p.open(ln)
			p.at++
		case len(ln.words) > 0:
			p.item()
		case ln.pragma != nil:
			p.open(ln)
			p.at++
		default:
			p.pending = append(p.pending, *ln.comment)
			p.at++
		}
	}
	p.file.Trailing = p.pending
	if len(p.file.Pragmas) == 0 && len(p.diags) == 0 {
		p.errorf(Pos{File: p.file.Name, Line: 1, Col: 1}, Pos{}, "no-pragma", "the file has no pragma", "start it with @app and the name of the app below it")
	}
}

// open starts the pragma at the end of a line, if there is one.
func (p *parser) open(ln *line) {
	if ln.pragma == nil {
		return
	}
	pr := ln.pragma
	pr.Comments = Comments{Before: p.pending, Suffix: ln.comment}
	p.pending = nil
	p.current = pr
	if first := p.file.Pragma(pr.Name); first != nil {
		p.errorf(pr.Pos, Pos{}, "repeated-pragma", "@"+pr.Name+" stands twice",
			"move these lines to @"+pr.Name+" at "+first.Pos.String())
		return
	}
	p.file.Pragmas = append(p.file.Pragmas, pr)
}

// item reads the item that starts at the current line.
func (p *parser) item() {
	ln := &p.lines[p.at]
	it := &Item{Pos: ln.words[0].Pos, Values: ln.words, Comments: p.comments(ln)}
	if len(ln.words) > 1 {
		it.Kind = Tuple
	}
	target := p.current
	p.open(ln)
	p.at++
	if len(ln.words) == 1 && ln.pragma == nil {
		if children := p.children(ln.indent); len(children) > 0 {
			p.block(it, children)
		}
	} else if ln.pragma == nil {
		p.stray(ln.indent)
	}
	target.Items = append(target.Items, it)
}

func (p *parser) comments(ln *line) Comments {
	c := Comments{Before: p.pending}
	p.pending = nil
	if ln.pragma == nil {
		c.Suffix = ln.comment
	}
	return c
}

// child is a line of a block with the comment lines above it.
type child struct {
	*line
	above []Comment
}

// children takes the lines that are deeper than an item's own. Comment lines
// belong to the block when a deeper line follows them.
func (p *parser) children(indent int) []child {
	base := indent / 2 * 2
	var list []child
	var above []Comment
	i := p.at
	for ; i < len(p.lines); i++ {
		ln := &p.lines[i]
		if len(ln.words) == 0 && ln.pragma == nil {
			above = append(above, *ln.comment)
			continue
		}
		if len(ln.words) == 0 || ln.indent < base+2 {
			break
		}
		list = append(list, child{ln, above})
		above = nil
		p.at = i + 1
		if ln.pragma != nil {
			break
		}
	}
	return list
}

// stray reports deeper lines below a line that cannot have any.
func (p *parser) stray(indent int) {
	at := p.at
	if list := p.children(indent); len(list) > 0 && p.current != nil {
		_ = at
		first := list[0]
		p.errorf(first.words[0].Pos, first.words[0].End, "stray-indent", "this line is indented below a line that takes no block",
			"a block stands below a line with one word; take the indentation away, or put the name on a line of its own")
	}
}

// block decides between vector and map by the first line, as the original
// does, and reads the lines.
func (p *parser) block(it *Item, list []child) {
	if it.Values[0].Kind != String {
		p.errorf(it.Values[0].Pos, it.Values[0].End, "block-name", "a number or boolean cannot name a block", "put it in quotes")
	}
	keyIndent := list[0].indent
	nested := len(list) > 1 && len(list[0].words) == 1 && list[1].indent > keyIndent
	if len(list[0].words) == 1 && !nested {
		p.vector(it, list)
	} else {
		p.entries(it, list)
	}
	if last := list[len(list)-1]; last.pragma != nil {
		p.open(last.line)
	}
}

func (p *parser) vector(it *Item, list []child) {
	it.Kind = Vector
	for _, c := range list {
		for i, w := range c.words {
			it.List = append(it.List, w)
			var comments Comments
			if i == 0 {
				comments = Comments{Before: c.above, Suffix: c.comment}
			}
			it.Inner = append(it.Inner, comments)
		}
	}
}

func (p *parser) entries(it *Item, list []child) {
	it.Kind = Map
	keyIndent := list[0].indent
	for _, c := range list {
		comments := Comments{Before: c.above, Suffix: c.comment}
		if last := len(it.Entries) - 1; c.indent > keyIndent+1 && last >= 0 && (it.Entries[last].Nested || len(it.Entries[last].Values) == 0) {
			e := &it.Entries[last]
			e.Nested = true
			e.Values = append(e.Values, c.words...)
			e.Comments.Before = append(e.Comments.Before, c.above...)
			continue
		}
		if c.words[0].Kind != String {
			p.errorf(c.words[0].Pos, c.words[0].End, "map-key", "a number or boolean cannot be a key", "put it in quotes")
		}
		it.Entries = append(it.Entries, Entry{Key: c.words[0], Values: slices.Clone(c.words[1:]), Comments: comments})
	}
	it.Entries = slices.DeleteFunc(it.Entries, func(e Entry) bool {
		if len(e.Values) == 0 {
			p.errorf(e.Key.Pos, e.Key.End, "no-value", "the key \""+e.Key.Text+"\" has no value", "write the value behind it, or on deeper lines below it")
		}
		return len(e.Values) == 0
	})
}
