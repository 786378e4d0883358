package syntax

import (
	"slices"
	"strconv"
)

// Parse reads .arc text (manifest sections 2 and 3). It always gives a tree, of
// what could be understood; the diagnostics say what could not, in file order.
//
// A block is a line with one word and the deeper lines below it. Blank lines
// and comment lines inside a block mean nothing. How deep a block's lines are
// is the writer's choice, as long as all of them agree.
func Parse(name string, src []byte) (*File, Diagnostics) {
	l := newLexer(name, src)
	p := &parser{file: &File{Name: name, Src: src}, lines: l.lines(), opened: map[string]*Pragma{}}
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
	opened  map[string]*Pragma // the first of each name
	pending []Comment          // whole-line comments that wait for what they stand above
	diags   Diagnostics
}

func (p *parser) errorf(pos, end Pos, code, message, hint string) {
	p.diags = append(p.diags, Diagnostic{Pos: pos, End: end, Code: code, Message: message, Hint: hint})
}

func (p *parser) errorAt(v Value, code, message, hint string) {
	p.errorf(v.Pos, v.End, code, message, hint)
}

func (p *parser) parse() {
	astray := false // in values above the first pragma
	for p.at < len(p.lines) {
		switch ln := &p.lines[p.at]; {
		case ln.pragma != nil:
			p.open(ln)
		case len(ln.words) == 0:
			p.comment(ln)
		case p.current == nil:
			if !astray && !p.told(ln.words[0].Pos) {
				p.errorAt(ln.words[0], "value-before-pragma", strconv.Quote(ln.words[0].Text)+" stands before the first pragma", "start the file with a pragma such as @app")
			}
			astray = true
			p.at++
		default:
			p.item(ln)
		}
	}
	p.file.Trailing = p.pending
	if p.current == nil && len(p.diags) == 0 {
		p.errorf(Pos{File: p.file.Name, Line: 1, Col: 1}, Pos{}, "no-pragma", "the file has no pragma", "start it with @app and, on the line below, the name of the app")
	}
}

// told says whether there is a diagnostic at a place already.
func (p *parser) told(at Pos) bool {
	return slices.ContainsFunc(p.diags, func(d Diagnostic) bool { return d.Pos == at })
}

// comment keeps a whole-line comment for what stands below it.
func (p *parser) comment(ln *line) {
	c := *ln.comment
	c.Blank = ln.blank
	p.pending = append(p.pending, c)
	p.at++
}

// comments are those of a line: what waits, and the one at its end.
func (p *parser) comments(ln *line) Comments {
	c := Comments{Before: p.pending, Suffix: ln.comment, Blank: ln.blank}
	p.pending = nil
	return c
}

// open starts a pragma. The values of a repeated one join the first's, so that
// they are checked too.
func (p *parser) open(ln *line) {
	pr := ln.pragma
	pr.Comments = p.comments(ln)
	p.at++
	if first := p.opened[pr.Name]; first != nil {
		end := pr.Pos
		end.Col += 1 + len(pr.Name)
		p.errorf(pr.Pos, end, "repeated-pragma", "@"+pr.Name+" stands twice",
			"move the lines below it to "+first.Pos.String())
		p.current = first
		return
	}
	p.current = pr
	p.opened[pr.Name] = pr
	p.file.Pragmas = append(p.file.Pragmas, pr)
}

// item reads a line at the first level, with its block.
func (p *parser) item(ln *line) {
	it := &Item{Pos: ln.words[0].Pos, Values: ln.words, Comments: p.comments(ln)}
	p.current.Items = append(p.current.Items, it)
	p.at++
	if len(ln.words) > 1 {
		it.Kind = Tuple
		p.stray(ln.indent)
		return
	}
	block := p.block(ln.indent)
	if len(block) == 0 {
		return
	}
	if ln.words[0].Kind != String {
		p.errorAt(ln.words[0], "block-name", "a number or boolean cannot be the name of a block", "put it in quotes, or take away the indentation below it")
	}
	if isVector(block) {
		if block[0].indent == 1 {
			p.errorAt(block[0].words[0], "indentation", "an indentation of one blank does not say where this belongs",
				"indent it by two to put it below the line above, or not at all")
		}
		p.vector(it, block)
	} else {
		p.entries(it, block)
	}
	it.End = p.end(ln.indent)
}

// child is a line of a block with its comments.
type child struct {
	*line
	comments Comments
}

// block takes the lines that are deeper than their name, up to the next pragma.
// Comment lines belong to it when a deeper line follows them.
func (p *parser) block(indent int) []child {
	var list []child
	before := p.pending
	for i := p.at; i < len(p.lines); i++ {
		ln := &p.lines[i]
		if ln.pragma != nil || len(ln.words) > 0 && ln.indent <= indent {
			break
		}
		if len(ln.words) == 0 {
			c := *ln.comment
			c.Blank = ln.blank
			before = append(before, c)
			continue
		}
		list = append(list, child{ln, Comments{Before: before, Suffix: ln.comment, Blank: ln.blank}})
		before = nil
		p.at = i + 1
	}
	return list
}

// end takes the comment lines that close a block: those indented like it.
func (p *parser) end(indent int) []Comment {
	var list []Comment
	for ; p.at < len(p.lines); p.at++ {
		ln := &p.lines[p.at]
		if ln.pragma != nil || len(ln.words) > 0 || ln.indent <= indent {
			break
		}
		c := *ln.comment
		c.Blank = ln.blank
		list = append(list, c)
	}
	return list
}

// stray reports and skips deeper lines below a line with several words. One
// blank is no indentation: such a line is the next item.
func (p *parser) stray(indent int) {
	if list := p.block(indent + 1); len(list) > 0 {
		p.strayLine(list[0], "a line with several words takes no block")
	}
}

func (p *parser) strayLine(c child, why string) {
	p.errorAt(c.words[0], "stray-indent", "this line is indented, but "+why,
		"take the indentation away; or, to make a block, put the name alone on the line above")
}

// isVector tells by the first line of a block, as everybody's manifests rely
// on: one word and nothing deeper below it starts a list.
func isVector(block []child) bool {
	return len(block[0].words) == 1 && (len(block) == 1 || block[1].indent <= block[0].indent)
}

func (p *parser) vector(it *Item, block []child) {
	it.Kind = Vector
	uneven := false
	for _, c := range block {
		if c.indent != block[0].indent && !uneven {
			uneven = true
			p.uneven(c, block[0])
		}
		it.List, it.Inner = appendWords(it.List, it.Inner, c)
	}
}

// appendWords adds a line of a list. Several words on a line are as many
// values; the comments above go to the first of them, that behind to the last.
func appendWords(values []Value, inner []Comments, c child) ([]Value, []Comments) {
	for i, w := range c.words {
		var comments Comments
		if i == 0 {
			comments.Before, comments.Blank = c.comments.Before, c.comments.Blank
		}
		if i == len(c.words)-1 {
			comments.Suffix = c.comments.Suffix
		}
		values, inner = append(values, w), append(inner, comments)
	}
	return values, inner
}

// uneven reports a line whose indentation fits no line of its block.
func (p *parser) uneven(c, like child) {
	p.errorAt(c.words[0], "indentation", "this line is not indented like the others of its block",
		"indent it like "+like.words[0].Pos.String())
}

// entries reads the lines of a map: "key value…", or a key with deeper lines.
func (p *parser) entries(it *Item, block []child) {
	it.Kind = Map
	var nested child // the first line of the nested list that goes on
	told := false    // one complaint about a block's indentation is enough
	for _, c := range block {
		var last *Entry
		if n := len(it.Entries); n > 0 {
			last = &it.Entries[n-1]
		}
		if last == nil || c.indent <= block[0].indent {
			if c.indent < block[0].indent && !told {
				told = true
				p.uneven(c, block[0])
			}
			it.Entries = append(it.Entries, p.entry(c))
			nested = child{}
			continue
		}
		switch {
		case !last.Nested && len(last.Values) > 0:
			if !told {
				p.strayLine(c, "the line above has a value already")
			}
			told = true
			continue
		case nested.line == nil:
			nested = c
		case nested.indent != c.indent && !told:
			told = true
			p.uneven(c, nested)
		}
		last.Nested = true
		last.Values, last.Inner = appendWords(last.Values, last.Inner, c)
	}
	it.Entries = slices.DeleteFunc(it.Entries, func(e Entry) bool {
		if len(e.Values) == 0 {
			p.errorAt(e.Key, "no-value", "the key "+strconv.Quote(e.Key.Text)+" has no value", "write the value behind it, or on deeper lines below it")
		}
		return len(e.Values) == 0
	})
}

func (p *parser) entry(c child) Entry {
	key := c.words[0]
	if key.Kind != String {
		p.errorAt(key, "map-key", "a number or boolean cannot be a key", "put it in quotes")
	}
	return Entry{Key: key, Values: slices.Clone(c.words[1:]), Comments: c.comments}
}
