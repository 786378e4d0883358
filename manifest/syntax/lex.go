package syntax

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// line is one line of source with something on it, cut into words. A quoted
// word may run over several source lines; the line ends where it does.
type line struct {
	pos     Pos // of the first word, or of the comment
	indent  int // in blanks; a tab counts as two
	words   []Value
	pragma  *Pragma  // set on a line that starts with @
	comment *Comment // the # comment that ends the line, if any
	blank   bool     // a blank line stands directly above
}

// lexer cuts text into lines. Positions count runes, a byte-order mark counts
// as nothing, and \n, \r\n and \r alone each end a line.
type lexer struct {
	file  string
	src   string
	at    int // byte offset
	line  int
	col   int
	long  Pos // the last quoted word that runs over several lines
	diags Diagnostics
}

const byteOrderMark = "\ufeff"

func newLexer(file string, src []byte) *lexer {
	l := &lexer{file: file, src: strings.TrimPrefix(string(src), byteOrderMark), line: 1, col: 1}
	l.checkEncoding()
	return l
}

// checkEncoding reports the first byte that is no UTF-8; quoted and commented
// text would else pass it on.
func (l *lexer) checkEncoding() {
	if utf8.ValidString(l.src) {
		return
	}
	if strings.HasPrefix(l.src, "\xff\xfe") || strings.HasPrefix(l.src, "\xfe\xff") {
		l.errorf(l.pos(), Pos{}, "not-utf8", "save the file as UTF-8", "the file is UTF-16 text")
		l.src = "" // which makes no sense otherwise
		return
	}
	look := *l
	for look.at < len(look.src) {
		pos := look.pos()
		from := look.at
		if r := look.next(); r == utf8.RuneError && look.at == from+1 {
			l.errorf(pos, Pos{}, "not-utf8", "save the file as UTF-8", "the byte 0x%02x is not UTF-8 text", look.src[from])
			return
		}
	}
}

func (l *lexer) pos() Pos { return Pos{File: l.file, Line: l.line, Col: l.col} }

// peek is the next rune; -1 at the end.
func (l *lexer) peek() rune {
	if l.at >= len(l.src) {
		return -1
	}
	if c := l.src[l.at]; c < utf8.RuneSelf {
		return rune(c)
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.at:])
	return r
}

// next passes over a rune, or over the two that end a line in Windows' way.
func (l *lexer) next() rune {
	r, size := utf8.DecodeRuneInString(l.src[l.at:])
	l.at += size
	if r == '\r' && l.at < len(l.src) && l.src[l.at] == '\n' {
		l.at++
		r = '\n'
	}
	if r == '\n' || r == '\r' {
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
	blank := false
	for l.at < len(l.src) {
		ln := l.scanLine()
		if ln.words == nil && ln.pragma == nil && ln.comment == nil {
			blank = true
			continue
		}
		ln.blank = blank
		blank = false
		all = append(all, ln)
	}
	return all
}

func (l *lexer) scanLine() line {
	var ln line
	for l.peek() == ' ' || l.peek() == '\t' {
		ln.indent++
		if l.next() == '\t' {
			ln.indent++
		}
	}
	ln.pos = l.pos()
	for {
		switch r := l.peek(); {
		case r == -1:
			return ln
		case isLineEnd(r):
			l.next()
			return ln
		case r == ' ' || r == '\t':
			l.next()
		case r == '#':
			ln.comment = l.scanComment()
		case r == '@' && ln.words == nil:
			ln.pragma = l.scanPragma()
		case isQuote(r):
			ln.words = append(ln.words, l.scanQuoted())
		default:
			ln.words = append(ln.words, l.scanBare())
		}
	}
}

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' }

func isQuote(r rune) bool { return r == '"' || r == '\'' || r == '`' }

// upTo passes over text until a rune that stop holds, and gives it.
func (l *lexer) upTo(stop func(rune) bool) string {
	begin := l.at
	for r := l.peek(); r != -1 && !stop(r); r = l.peek() {
		l.next()
	}
	return l.src[begin:l.at]
}

func (l *lexer) scanComment() *Comment {
	c := &Comment{Pos: l.pos()}
	l.next()
	c.Text = strings.TrimRight(l.upTo(isLineEnd), " \t")
	return c
}

// scanPragma reads @name, with which its line ends.
func (l *lexer) scanPragma() *Pragma {
	p := &Pragma{Pos: l.pos()}
	l.next()
	raw := strings.TrimRight(l.upTo(func(r rune) bool { return r == '#' || isLineEnd(r) }), " \t")
	p.Name = strings.TrimLeft(raw, " \t")
	if isName(p.Name) {
		return p
	}
	end := p.Pos
	end.Col += 1 + utf8.RuneCountInString(raw)
	hint := "a pragma is @ and one word of letters, digits, - and _"
	words := strings.Fields(p.Name)
	switch {
	case len(words) > 1 && isName(words[0]):
		hint = fmt.Sprintf("write @%s alone, and %s on the line below it", words[0], strings.Join(words[1:], " "))
		p.Name = words[0]
	case p.Name != "":
		hint += "; put a value that holds @ in quotes"
	}
	l.errorf(p.Pos, end, "pragma-syntax", hint, "%q is not a pragma", "@"+raw)
	return p
}

func isName(s string) bool {
	for i := range len(s) {
		if !isLetter(rune(s[i])) && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
}

// isBare tells the characters that a word without quotes consists of.
func isBare(r rune) bool {
	return isLetter(r) || r > 0 && r < utf8.RuneSelf && strings.IndexByte("()/~-.,:$*?&!%=+|^\"'`", byte(r)) >= 0
}

func (l *lexer) scanBare() Value {
	v := Value{Pos: l.pos()}
	v.Text = l.upTo(func(r rune) bool { return r == ' ' || r == '\t' || r == '#' || isLineEnd(r) })
	v.End = l.pos()
	if bad := strings.TrimFunc(v.Text, isBare); bad != "" {
		if !utf8.ValidString(v.Text) {
			return v // told by checkEncoding
		}
		r, _ := utf8.DecodeRuneInString(bad)
		l.errorf(v.Pos, v.End, "unknown-character", unknownHint(v.Text, r), "%s cannot stand in a value without quotes", characterName(r))
		return v
	}
	v.classify()
	return v
}

// characterName shows a character also where printing it would not.
func characterName(r rune) string {
	switch {
	case r == '"':
		return "a quote"
	case r == '\u00a0':
		return "a no-break blank (U+00A0)"
	case !unicode.IsPrint(r):
		return fmt.Sprintf("the character U+%04X", r)
	}
	return `"` + string(r) + `"`
}

// unknownHint guesses what the writer of a word wanted.
func unknownHint(text string, r rune) string {
	switch {
	case r == '@':
		return "put the value in quotes; without them @ starts a pragma, on a line of its own"
	case r == ';' && text[0] == ';':
		return "a comment starts with #"
	case r == '\\' && strings.Contains(text, `\*`):
		return "write * without the backslash"
	case r == '\u00a0' || r == '\u3000':
		return "replace it with an ordinary blank"
	case r == '“' || r == '”' || r == '‘' || r == '’':
		return `write straight quotes: " or '`
	case r == '{' && strings.Contains(text, "${"):
		return "variables are not replaced in .arc text; for the text as it stands, put it in quotes"
	case r == '[' || r == ']' || r == '{' || r == '}':
		return "lists and maps are written a line a value, below a name; for the text as it stands, put it in quotes"
	}
	return "put the value in quotes"
}

// scanQuoted reads a quoted word. The quote in use and \ can be written behind
// a backslash; every other backslash stands for itself.
func (l *lexer) scanQuoted() Value {
	v := Value{Pos: l.pos(), Quoted: true}
	start := *l
	quote := l.next()
	var b strings.Builder
	for {
		b.WriteString(l.upTo(func(r rune) bool { return r == quote || r == '\\' }))
		switch l.peek() {
		case -1:
			hint := ""
			if l.long.IsValid() {
				hint = fmt.Sprintf(", or look at the quotes in line %d, which run over several lines", l.long.Line)
			}
			return l.unclosed(start, hint)
		case quote:
			end := l.pos()
			l.next()
			v.Text, v.End = b.String(), l.pos()
			if v.End.Line == v.Pos.Line {
				return v
			}
			if next := l.peek(); next != -1 && next != '#' && next != ' ' && next != '\t' && !isLineEnd(next) {
				return l.unclosed(start, fmt.Sprintf("; as it is, it runs up to %s", end))
			}
			l.long = v.Pos
			return v
		default:
			l.next()
			if after := l.peek(); after == quote || after == '\\' {
				b.WriteRune(l.next())
			} else {
				b.WriteByte('\\')
			}
		}
	}
}

// unclosed reports the quote where start stands. It reads the rest of its line
// as one word, so that the mistakes below it are told too.
func (l *lexer) unclosed(start lexer, more string) Value {
	start.diags = l.diags
	*l = start
	v := Value{Pos: l.pos(), Quoted: true}
	quote := l.next()
	afterQuote := l.pos()
	v.Text = strings.TrimRight(l.upTo(isLineEnd), " \t")
	v.End = l.pos()
	hint := fmt.Sprintf("close it with another %c", quote)
	if strings.Contains(v.Text, `\`+string(quote)) {
		hint += `; a backslash in front of it is written \\`
	}
	l.errorf(v.Pos, afterQuote, "unclosed-quote", hint+more, "the quote is never closed")
	return v
}
