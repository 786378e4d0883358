package syntax

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// line is one line of source with something on it, cut into words. A quoted
// word may run over several source lines; the line ends where it does.
type line struct {
	pos     Pos // of the first word, or of the comment
	indent  int // in spaces; a tab counts as two
	words   []Value
	pragma  *Pragma  // the @name that ends the line, if any
	comment *Comment // the # comment that ends the line, if any
	blank   int      // blank lines directly above
}

// lexer cuts text into lines. Positions count runes; a byte-order mark counts
// as nothing.
type lexer struct {
	file  string
	src   string
	at    int // byte offset
	line  int
	col   int
	diags Diagnostics
}

// newLexer prepares text: every kind of line end becomes \n.
func newLexer(file string, src []byte) *lexer {
	text := string(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")))
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return &lexer{file: file, src: text, line: 1, col: 1}
}

func (l *lexer) pos() Pos { return Pos{File: l.file, Line: l.line, Col: l.col} }

func (l *lexer) peek() rune {
	if l.at >= len(l.src) {
		return -1
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.at:])
	return r
}

func (l *lexer) next() rune {
	r, size := utf8.DecodeRuneInString(l.src[l.at:])
	l.at += size
	if r == '\n' {
		l.line++
		l.col = 1
	} else {
		l.col++
	}
	return r
}

func (l *lexer) errorf(from, to Pos, code, hint, format string, args ...any) {
	l.diags = append(l.diags, Diagnostic{Pos: from, End: to, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// lines cuts the whole text.
func (l *lexer) lines() []line {
	var all []line
	blank := 0
	for l.at < len(l.src) {
		ln := l.scanLine()
		if ln.words == nil && ln.pragma == nil && ln.comment == nil {
			blank++
			continue
		}
		ln.blank = blank
		blank = 0
		all = append(all, ln)
	}
	return all
}

func (l *lexer) scanLine() line {
	var ln line
	for {
		switch r := l.peek(); {
		case r == -1:
			return ln
		case r == '\n':
			l.next()
			return ln
		case r == ' ' || r == '\t':
			l.next()
			if ln.words == nil {
				ln.indent++
				if r == '\t' {
					ln.indent++
				}
			}
			continue
		case r == '#':
			ln.start(l.pos())
			ln.comment = l.scanComment()
		case r == '@':
			ln.start(l.pos())
			ln.pragma, ln.comment = l.scanPragma()
		case r == '"' || r == '\'' || r == '`':
			ln.start(l.pos())
			ln.words = append(ln.words, l.scanQuoted())
		case isBare(r):
			ln.start(l.pos())
			ln.words = append(ln.words, l.scanBare())
		default:
			ln.start(l.pos())
			l.scanUnknown()
		}
	}
}

func (ln *line) start(p Pos) {
	if !ln.pos.IsValid() {
		ln.pos = p
	}
}

func (l *lexer) rest() string {
	end := strings.IndexByte(l.src[l.at:], '\n')
	if end < 0 {
		end = len(l.src) - l.at
	}
	text := l.src[l.at : l.at+end]
	for range text {
		l.next()
	}
	return text
}

func (l *lexer) scanComment() *Comment {
	c := &Comment{Pos: l.pos()}
	l.next()
	c.Text = strings.TrimRight(l.rest(), " \t")
	return c
}

// scanPragma reads @name to the end of the line; nothing but a comment may follow.
func (l *lexer) scanPragma() (*Pragma, *Comment) {
	p := &Pragma{Pos: l.pos()}
	l.next()
	begin := l.at
	for r := l.peek(); r != -1 && r != '\n' && r != '#'; r = l.peek() {
		l.next()
	}
	raw, end := l.src[begin:l.at], l.pos()
	p.Name = strings.TrimSpace(raw)
	var c *Comment
	if l.peek() == '#' {
		c = l.scanComment()
	}
	if !isName(p.Name) {
		hint := "a pragma is @ and one word of letters, digits, - and _; its values stand on the lines below"
		if name, value, ok := strings.Cut(p.Name, " "); ok && isName(name) {
			hint = fmt.Sprintf("put %q on the line below @%s", strings.TrimSpace(value), name)
			p.Name = name
		} else if p.Name != "" && !isName(name) {
			hint += "; a value with @ in it needs quotes"
		}
		l.errorf(p.Pos, end, "pragma-syntax", hint, "@%s is not the name of a pragma", strings.TrimSpace(raw))
	}
	return p, c
}

func isName(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return false
		}
	}
	return s != ""
}

// isBare tells the characters that a word without quotes consists of.
func isBare(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0 && strings.ContainsRune("_()/~-.,:$*?&!%=+|^\"'`", r)
}

// scanUnknown passes over characters that no word may hold.
func (l *lexer) scanUnknown() {
	from := l.pos()
	begin := l.at
	for r := l.peek(); r != -1 && r != ' ' && r != '\t' && r != '\n' && r != '#' && r != '@' && !isBare(r); r = l.peek() {
		l.next()
	}
	l.errorf(from, l.pos(), "unknown-character", "put the value in quotes", "%q cannot stand in a value without quotes", l.src[begin:l.at])
}

func (l *lexer) scanBare() Value {
	v := Value{Pos: l.pos()}
	begin := l.at
	for isBare(l.peek()) {
		l.next()
	}
	v.Text, v.End = l.src[begin:l.at], l.pos()
	// A word such as ${X} or a\*b goes on behind a character it may not hold.
	if r := l.peek(); r != -1 && !strings.ContainsRune(" \t\n#@", r) {
		l.scanUnknown()
		for isBare(l.peek()) {
			l.next()
		}
		return v
	}
	v.classify()
	return v
}

// classify tells numbers and booleans from strings, by the rules of
// JavaScript's Number() for what starts with a digit or a minus sign.
func (v *Value) classify() {
	switch {
	case v.Text == "true" || v.Text == "false":
		v.Kind, v.Bool = Bool, v.Text == "true"
	case v.Text[0] >= '0' && v.Text[0] <= '9' || v.Text[0] == '-':
		if n, ok := number(v.Text); ok {
			v.Kind, v.Num = Number, n
		}
	}
}

func number(s string) (float64, bool) {
	if s == "-Infinity" {
		return math.Inf(-1), true
	}
	if len(s) > 2 && s[0] == '0' {
		base := map[byte]int{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}[s[1]]
		if base != 0 {
			n, err := strconv.ParseUint(s[2:], base, 64)
			return float64(n), err == nil
		}
	}
	for _, r := range s { // ParseFloat takes more spellings than JavaScript does
		if !strings.ContainsRune("0123456789.eE+-", r) {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil || math.IsInf(n, 0)
}

// scanQuoted reads a quoted word. \" and \\ (with the quote in use) stand for
// the character itself; every other backslash is one.
func (l *lexer) scanQuoted() Value {
	v := Value{Pos: l.pos(), Quoted: true}
	start := *l
	quote := l.next()
	afterQuote := l.pos()
	var b strings.Builder
	for {
		switch r := l.peek(); {
		case r == -1:
			// Read on behind the first line, so that the mistakes there are told too.
			diags := l.diags
			*l = start
			l.diags = diags
			l.errorf(v.Pos, afterQuote, "unclosed-quote", fmt.Sprintf("close it with another %c", quote), "the quote is never closed")
			v.Text = strings.TrimSpace(l.rest())
			v.End = l.pos()
			return v
		case r == quote:
			l.next()
			v.Text, v.End = b.String(), l.pos()
			return v
		case r == '\\':
			l.next()
			if after := l.peek(); after == quote || after == '\\' {
				b.WriteRune(l.next())
			} else {
				b.WriteByte('\\')
			}
		default:
			b.WriteRune(l.next())
		}
	}
}
