package syntax

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// ParseYAML reads a manifest written as YAML (manifest section 5) into the tree
// that .arc text gives. Like Parse it always gives a tree, and diagnostics for
// what it could not understand.
func ParseYAML(name string, src []byte) (*File, Diagnostics) {
	r := &yamlReader{file: name, lines: sourceLines(src), budget: maxAliased}
	c := newConverter(name, src)
	if root, ok := r.document(src); ok {
		c.root(root)
	}
	return c.finish(r.diags)
}

// maxAliased bounds how many nodes aliases may copy: a few nested aliases
// could otherwise grow into more than any memory holds.
const maxAliased = 10_000

// yamlReader turns YAML nodes into ours.
type yamlReader struct {
	file   string
	lines  []string
	budget int // of nodes that aliases may still copy
	site   Pos // of the node that is read, or of the alias that led to it
	diags  Diagnostics
}

func (r *yamlReader) errorf(from, to Pos, code, hint, format string, args ...any) bool {
	r.diags = append(r.diags, Diagnostic{Pos: from, End: to, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
	return false
}

func (r *yamlReader) document(src []byte) (node, bool) {
	if l := newLexer(r.file, src); len(l.diags) > 0 {
		r.diags = l.diags // what is not UTF-8; the library tells no place
		return node{}, false
	}
	var docs []yaml.Node
	if err := yaml.Load(src, &docs, yaml.WithAllDocuments()); err != nil {
		return node{}, r.syntaxError(err)
	}
	switch {
	case len(docs) == 0:
		return node{value: Value{Pos: r.pos(1, 1)}}, true
	case len(docs) > 1:
		return node{}, r.errorf(r.pos(docs[1].Line, docs[1].Column), Pos{}, "yaml-documents", "remove the line --- and join the two", "a second document starts here")
	}
	return r.node(&docs[0], 0, false)
}

// syntaxError tells the library's complaint at its place.
func (r *yamlReader) syntaxError(err error) bool {
	where, message, unclosed := r.pos(1, 1), err.Error(), false
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		message = e.Message
		if e.ContextMsg != "" {
			message = e.ContextMsg + ": " + message
		}
		switch {
		case e.ContextMark.Line > 0 && r.isEnd(e.Mark.Line):
			unclosed = true
			where = r.pos(e.ContextMark.Line, e.ContextMark.Column)
		case e.Mark.Line > 0:
			where = r.pos(e.Mark.Line, e.Mark.Column)
		case e.Stage == yaml.ReaderStage:
			where = r.control()
		}
	}
	hint := "correct the YAML here"
	switch {
	case strings.Contains(message, "cannot start any token") && strings.HasPrefix(strings.TrimLeft(r.lines[where.Line-1], " "), "\t"):
		hint = "YAML is indented with blanks, not tabs"
	case unclosed:
		hint = "close it"
	case strings.Contains(message, "control characters"):
		hint = "remove it, or write it as an escape in double quotes"
	case strings.Contains(message, "cannot start any token"):
		hint = "put the value in quotes"
	case strings.Contains(message, "mapping values are not allowed"):
		hint = "put a value that holds a colon in quotes, and check the indentation"
	case strings.Contains(message, "unknown anchor"):
		hint = "put a value that starts with * in quotes"
	}
	return r.errorf(where, Pos{}, "yaml-syntax", hint, "%s", message)
}

// isEnd says whether nothing stands in this line and those below.
func (r *yamlReader) isEnd(line int) bool {
	return strings.TrimSpace(strings.Join(r.lines[max(0, min(line-1, len(r.lines))):], "")) == ""
}

// control is the place of the first control character.
func (r *yamlReader) control() Pos {
	for i, text := range r.lines {
		for j, c := range []rune(text) {
			if unicode.IsControl(c) && c != '\t' {
				return r.pos(i+1, j+1)
			}
		}
	}
	return r.pos(1, 1)
}

// pos keeps a place that the library gives inside the text.
func (r *yamlReader) pos(line, col int) Pos {
	line = max(1, min(line, len(r.lines)))
	return Pos{File: r.file, Line: line, Col: max(1, min(col, utf8.RuneCountInString(r.lines[line-1])+1))}
}

func (r *yamlReader) node(n *yaml.Node, depth int, aliased bool) (node, bool) {
	from := r.pos(n.Line, n.Column)
	if !aliased {
		r.site = from
	} else {
		r.budget--
	}
	if depth > maxDepth || r.budget < 0 {
		return node{}, r.errorf(r.site, Pos{}, "nesting", "a manifest nests four levels at most; write out what the aliases stand for", "this is nested too deep, or grows too large with its aliases")
	}
	out := node{value: Value{Pos: from, End: from}}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return out, true
		}
		return r.node(n.Content[0], depth, false)
	case yaml.AliasNode:
		return r.node(n.Alias, depth+1, true)
	case yaml.SequenceNode:
		out.kind = list
		for _, c := range n.Content {
			e, ok := r.node(c, depth+1, aliased)
			if !ok {
				return out, false
			}
			out.elems = append(out.elems, e)
		}
		return out, true
	case yaml.MappingNode:
		out.kind = object
		return r.mapping(out, n, depth, aliased)
	}
	return r.scalar(n, from)
}

func (r *yamlReader) mapping(out node, n *yaml.Node, depth int, aliased bool) (node, bool) {
	var merged []node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, ok := r.node(n.Content[i], depth+1, aliased)
		if !ok {
			return out, false
		}
		value, ok := r.node(n.Content[i+1], depth+1, aliased)
		if !ok {
			return out, false
		}
		switch {
		case n.Content[i].Tag == "!!merge" && value.kind == list:
			merged = append(merged, value.elems...)
			continue
		case n.Content[i].Tag == "!!merge":
			merged = append(merged, value)
			continue
		case key.kind == list || key.kind == object:
			return out, r.errorf(key.value.Pos, Pos{}, "map-key", "write a word as the key", "a list or map cannot be a key")
		}
		key.kind, key.value.Kind, key.value.Text, key.value.Quoted = word, String, r.text(n.Content[i]), true
		out.keys, out.elems = append(out.keys, key), append(out.elems, value)
	}
	if merged == nil {
		return out, true
	}
	set := map[string]bool{}
	for _, key := range out.keys {
		set[key.value.Text] = true
	}
	for _, m := range merged {
		if m.kind != object {
			return out, r.errorf(m.value.Pos, Pos{}, "yaml-merge", "give << a map, or a list of maps", "<< merges maps, and this is none")
		}
		for i, key := range m.keys {
			if !set[key.value.Text] {
				set[key.value.Text] = true
				out.keys, out.elems = append(out.keys, key), append(out.elems, m.elems[i])
			}
		}
	}
	return out, true
}

// text is the text of a key, which may be an alias.
func (r *yamlReader) text(n *yaml.Node) string {
	if n.Kind == yaml.AliasNode {
		return n.Alias.Value
	}
	return n.Value
}

const yamlQuotes = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

func (r *yamlReader) scalar(n *yaml.Node, from Pos) (node, bool) {
	v := Value{Pos: from, End: r.endOf(n, from), Text: n.Value, Quoted: n.Style&yamlQuotes != 0}
	if n.Style&yaml.TaggedStyle != 0 {
		if !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!"}, n.Tag) {
			return node{}, r.errorf(from, Pos{}, "yaml-tag", "remove the tag; put the value in quotes if ! belongs to it", "a manifest has no use for the tag %s", n.Tag)
		}
		v.Quoted = v.Quoted || n.Tag == "!!str" || n.Tag == "!"
	}
	if v.Quoted {
		return node{kind: word, value: v}, true
	}
	switch v.Text {
	case "", "~", "null", "Null", "NULL":
		return node{value: Value{Pos: from, End: v.End}}, true
	case "true", "True", "TRUE", "false", "False", "FALSE":
		v.Kind, v.Text = Bool, strings.ToLower(v.Text)
		v.Bool = v.Text == "true"
	default:
		if num, ok := yamlNumber(v.Text); ok {
			if math.IsNaN(num) || math.IsInf(num, 0) {
				return node{}, r.errorf(from, v.End, "yaml-number", "write a number, or put the text in quotes", "%s is not a number that a manifest can hold", v.Text)
			}
			v.Kind, v.Num = Number, num
			if same, ok := number(v.Text); !ok || same != num || strings.Trim(v.Text[:1], "+.") == "" {
				v.Text = strconv.FormatFloat(num, 'g', -1, 64)
			}
		}
	}
	return node{kind: word, value: v}, true
}

// endOf is where a scalar that is written as it reads ends; else its start.
func (r *yamlReader) endOf(n *yaml.Node, from Pos) Pos {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 || n.Value == "" {
		return from
	}
	text, quotes := n.Value, 0
	if n.Style&yamlQuotes != 0 {
		quotes = 1
	}
	rest := []rune(r.lines[from.Line-1])[from.Col-1:]
	value := []rune(text)
	if len(rest) < len(value)+2*quotes || !slices.Equal(rest[quotes:quotes+len(value)], value) {
		return from
	}
	from.Col += len(value) + 2*quotes
	return from
}

// yamlNumber reads the numbers of YAML 1.2, and _ between digits.
func yamlNumber(s string) (float64, bool) {
	digits, sign := strings.TrimPrefix(s, "+"), 1.0
	if digits == s {
		if digits = strings.TrimPrefix(s, "-"); digits != s {
			sign = -1
		}
	}
	if digits == "" {
		return 0, false
	}
	switch digits {
	case ".inf", ".Inf", ".INF":
		return math.Inf(int(sign)), true
	case ".nan", ".NaN", ".NAN":
		return math.NaN(), digits == s
	}
	if (digits[0] < '0' || digits[0] > '9') && (digits[0] != '.' || len(digits) < 2 || digits[1] < '0' || digits[1] > '9') || strings.HasSuffix(digits, "_") {
		return 0, false
	}
	n, ok := number(strings.ReplaceAll(digits, "_", ""))
	return sign * n, ok
}
