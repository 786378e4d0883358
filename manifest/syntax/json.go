package syntax

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ParseJSON reads a manifest written as JSON (manifest section 5) into the tree
// that .arc text gives. Like Parse it always gives a tree, and diagnostics for
// what it could not understand.
func ParseJSON(name string, src []byte) (*File, Diagnostics) {
	r := newJSONReader(name, src)
	c := newConverter(name, src)
	if root, ok := r.document(); ok {
		c.root(root)
	}
	return c.finish(r.diags)
}

// ParsePackageJSON reads the manifest in a package.json: the object below its
// key "arc", or else "architect". The File is nil when it has neither.
func ParsePackageJSON(name string, src []byte) (*File, Diagnostics) {
	r := newJSONReader(name, src)
	root, ok := r.document()
	if !ok {
		return nil, r.diags
	}
	for _, key := range []string{"arc", "architect"} {
		if n := root.get(key); n != nil && n.kind != null {
			c := newConverter(name, src)
			c.root(*n)
			return c.finish(r.diags)
		}
	}
	return nil, r.diags
}

// jsonReader reads JSON with positions. It reports a comment, a missing comma
// or a comma too many and goes on; any other mistake ends the reading.
type jsonReader struct {
	lexer
	depth int
}

func newJSONReader(name string, src []byte) *jsonReader {
	return &jsonReader{lexer: *newLexer(name, src)}
}

// document reads the whole text.
func (r *jsonReader) document() (node, bool) {
	n, ok := r.element()
	if !ok {
		return n, false
	}
	r.space()
	if r.peek() != -1 {
		r.errorf(r.pos(), Pos{}, "json-syntax", "a manifest is one object: remove what follows it", "the text goes on behind its end")
		return n, false
	}
	return n, true
}

// space passes over white space, and over comments, which JSON has none of.
func (r *jsonReader) space() {
	for {
		switch r.peek() {
		case ' ', '\t', '\n', '\r':
			r.next()
		case '/', '#':
			from := r.pos()
			if rest := r.src[r.at:]; strings.HasPrefix(rest, "/*") {
				end := strings.Index(rest[2:], "*/")
				if end < 0 {
					return
				}
				for stop := r.at + end + 4; r.at < stop; {
					r.next()
				}
			} else if rest[0] == '#' || strings.HasPrefix(rest, "//") {
				r.upTo(isLineEnd)
			} else {
				return
			}
			r.errorf(from, r.pos(), "json-comment", "remove it, or write the manifest as app.arc, which has comments", "JSON has no comments")
		default:
			return
		}
	}
}

// unexpected ends the reading.
func (r *jsonReader) unexpected(want, hint string) bool {
	if c := r.peek(); c == -1 {
		r.errorf(r.pos(), Pos{}, "json-syntax", hint, "the text ends where %s should stand", want)
	} else {
		r.errorf(r.pos(), Pos{}, "json-syntax", hint, "%s stands where %s should", characterName(c), want)
	}
	return false
}

func (r *jsonReader) element() (node, bool) {
	r.space()
	from := r.pos()
	if r.depth++; r.depth > maxDepth {
		r.errorf(from, Pos{}, "nesting", "a manifest nests four levels at most", "this is nested too deep")
		return node{}, false
	}
	defer func() { r.depth-- }()
	switch c := r.peek(); {
	case c == '{':
		return r.object()
	case c == '[':
		return r.list()
	case c == '"':
		return r.text()
	case c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z':
		return r.word()
	case c == '\'':
		return node{}, r.unexpected("a value", `JSON's quotes are "`)
	}
	return node{}, r.unexpected("a value", `a value is an object {}, a list [], a "string", a number, true or false`)
}

func (r *jsonReader) object() (node, bool) {
	n := node{kind: object, value: Value{Pos: r.pos()}}
	r.next()
	ok := r.items('}', func() bool {
		if r.peek() != '"' {
			return r.unexpected("a key", `a key is a "string"`)
		}
		key, ok := r.text()
		if !ok {
			return false
		}
		if r.space(); r.peek() != ':' {
			return r.unexpected("a colon", `write "key": value`)
		}
		r.next()
		value, ok := r.element()
		n.keys, n.elems = append(n.keys, key), append(n.elems, value)
		return ok
	})
	n.value.End = r.pos()
	return n, ok
}

func (r *jsonReader) list() (node, bool) {
	n := node{kind: list, value: Value{Pos: r.pos()}}
	r.next()
	ok := r.items(']', func() bool {
		value, ok := r.element()
		n.elems = append(n.elems, value)
		return ok
	})
	n.value.End = r.pos()
	return n, ok
}

// items reads what stands between two brackets, parted by commas.
func (r *jsonReader) items(closing rune, item func() bool) bool {
	for first := true; ; first = false {
		r.space()
		if r.peek() == closing {
			r.next()
			return true
		}
		if !first {
			comma := r.pos()
			switch r.peek() {
			case ',':
				r.next()
				if r.space(); r.peek() == closing {
					r.errorf(comma, Pos{}, "json-comma", "remove it", "JSON has no comma behind the last item")
					continue
				}
			case '"', '{', '[':
				r.errorf(comma, Pos{}, "json-comma", "put a comma behind the item before", "a comma is missing before this")
			default:
				return r.unexpected("a comma or "+string(closing), "part items with commas, and close with "+string(closing))
			}
		}
		if !item() {
			return false
		}
	}
}

// text reads a string.
func (r *jsonReader) text() (node, bool) {
	n := node{kind: word, value: Value{Pos: r.pos(), Quoted: true}}
	begin := r.at
	r.next()
	for {
		r.upTo(func(c rune) bool { return c == '"' || c == '\\' || isLineEnd(c) })
		switch c := r.peek(); {
		case c == -1 || isLineEnd(c):
			r.errorf(n.value.Pos, r.pos(), "unclosed-quote", `close it with another "; a line end in it is written \n`, "the string is never closed")
			return n, false
		case c == '\\':
			r.next()
			if c = r.peek(); c != -1 && !isLineEnd(c) {
				r.next()
			}
			continue
		}
		r.next()
		n.value.End = r.pos()
		if err := json.Unmarshal([]byte(r.src[begin:r.at]), &n.value.Text); err != nil {
			r.errorf(n.value.Pos, n.value.End, "json-syntax", `a backslash is written \\, and what cannot be seen \u and four digits`, "the string holds a wrong escape or an invisible character")
			return n, false
		}
		return n, true
	}
}

// word reads a number, true, false or null.
func (r *jsonReader) word() (node, bool) {
	v := Value{Pos: r.pos()}
	v.Text = r.upTo(func(c rune) bool { return !isLetter(c) && c != '-' && c != '+' && c != '.' })
	v.End = r.pos()
	if v.Text == "null" {
		return node{kind: null, value: Value{Pos: v.Pos, End: v.End}}, true
	}
	if !json.Valid([]byte(v.Text)) {
		r.errorf(v.Pos, v.End, "json-syntax", fmt.Sprintf("for a string, put it in quotes: %q", v.Text), "%s is not a JSON value", v.Text)
		return node{}, false
	}
	v.classify()
	return node{kind: word, value: v}, true
}
