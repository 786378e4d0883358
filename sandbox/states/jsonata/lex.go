package jsonata

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
)

// token is a word of an expression.
type token struct {
	kind  string // "operator", "text", "number", "value", "name", "variable", "regex"; "" = the end
	text  string
	value any
	at    int // where it ends
}

// lexer cuts an expression into tokens.
type lexer struct {
	source string
	at     int
}

const (
	spaces = " \t\n\r\v"
	// stops end names that stand in no quotes.
	stops = ".[]{}(),@#;:?+-*/%|=<>^&!~"
)

// number is a number as JSON has it.
var numberForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?([Ee][-+]?[0-9]+)?`)
})

func (l *lexer) fail(code, token string, at int) error {
	return &Error{Code: code, Token: token, Position: at}
}

// next reads a token. infix says that / divides, and begins no regular expression.
func (l *lexer) next(infix bool) (token, error) {
	for l.at < len(l.source) {
		rest := l.source[l.at:]
		if strings.IndexByte(spaces, rest[0]) >= 0 {
			l.at++
			continue
		}
		if !strings.HasPrefix(rest, "/*") {
			break
		}
		end := strings.Index(rest[2:], "*/")
		if end < 0 {
			return token{}, l.fail("S0106", "", l.at)
		}
		l.at += end + 4
	}
	rest := l.source[l.at:]
	if rest == "" {
		return token{at: l.at}, nil
	}
	if rest[0] == '/' && !infix {
		l.at++
		return l.regex()
	}
	for _, double := range []string{"..", ":=", "!=", ">=", "<=", "**", "~>"} {
		if strings.HasPrefix(rest, double) {
			l.at += 2
			return token{kind: "operator", text: double, at: l.at}, nil
		}
	}
	if strings.IndexByte(stops, rest[0]) >= 0 {
		l.at++
		return token{kind: "operator", text: rest[:1], at: l.at}, nil
	}
	switch rest[0] {
	case '"', '\'':
		return l.quoted(rest[0])
	case '`':
		end := strings.IndexByte(rest[1:], '`')
		if end < 0 {
			return token{}, l.fail("S0105", "", len(l.source))
		}
		l.at += end + 2
		return token{kind: "name", text: rest[1 : end+1], at: l.at}, nil
	}
	if found := numberForm().FindString(rest); found != "" {
		n, err := strconv.ParseFloat(found, 64)
		if err != nil || math.IsInf(n, 0) {
			return token{}, l.fail("S0102", found, l.at)
		}
		l.at += len(found)
		return token{kind: "number", text: found, value: n, at: l.at}, nil
	}
	return l.word(), nil
}

// word reads a name, a variable, or a word with a meaning.
func (l *lexer) word() token {
	rest := l.source[l.at:]
	name := rest
	if end := strings.IndexAny(rest, spaces+stops); end >= 0 {
		name = rest[:end]
	}
	l.at += len(name)
	if variable, ok := strings.CutPrefix(name, "$"); ok {
		return token{kind: "variable", text: variable, at: l.at}
	}
	switch name {
	case "or", "in", "and":
		return token{kind: "operator", text: name, at: l.at}
	case "true", "false":
		return token{kind: "value", text: name, value: name == "true", at: l.at}
	case "null":
		return token{kind: "value", text: name, value: null{}, at: l.at}
	}
	return token{kind: "name", text: name, at: l.at}
}

// escapes are those of JSON's strings.
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (l *lexer) quoted(quote byte) (token, error) {
	var out strings.Builder
	l.at++
	for ; l.at < len(l.source); l.at++ {
		c := l.source[l.at]
		switch {
		case c == quote:
			l.at++
			return token{kind: "text", text: out.String(), value: out.String(), at: l.at}, nil
		case c != '\\':
			out.WriteByte(c)
			continue
		}
		l.at++
		if l.at >= len(l.source) {
			break
		}
		c = l.source[l.at]
		if plain, ok := escapes[c]; ok {
			out.WriteByte(plain)
			continue
		}
		if c != 'u' {
			return token{}, l.fail("S0103", string(c), l.at)
		}
		unit, ok := l.hex(l.at + 1)
		if !ok {
			return token{}, l.fail("S0104", "", l.at)
		}
		l.at += 4
		if utf16.IsSurrogate(unit) && strings.HasPrefix(l.source[l.at+1:], `\u`) {
			if low, ok := l.hex(l.at + 3); ok {
				if r := utf16.DecodeRune(unit, low); r != '\uFFFD' {
					out.WriteRune(r)
					l.at += 6
					continue
				}
			}
		}
		out.WriteString(unitText(unit))
	}
	return token{}, l.fail("S0101", "", l.at)
}

// unitText is a unit of UTF-16. Half of a pair becomes what is no UTF-8, by which it
// is known.
func unitText(unit rune) string {
	if utf16.IsSurrogate(unit) {
		return string([]byte{0xE0 | byte(unit>>12), 0x80 | byte(unit>>6)&0x3F, 0x80 | byte(unit)&0x3F})
	}
	return string(unit)
}

func (l *lexer) hex(at int) (rune, bool) {
	if at+4 > len(l.source) {
		return 0, false
	}
	n, err := strconv.ParseUint(l.source[at:at+4], 16, 32)
	return rune(n), err == nil
}

// regex reads a regular expression up to the / that ends it: one in no brackets.
func (l *lexer) regex() (token, error) {
	start, depth := l.at, 0
	for ; l.at < len(l.source); l.at++ {
		c, slashes := l.source[l.at], 0
		for i := l.at - 1; i >= start && l.source[i] == '\\'; i-- {
			slashes++
		}
		if c == '/' && depth == 0 && slashes%2 == 0 {
			pattern := l.source[start:l.at]
			if pattern == "" {
				return token{}, l.fail("S0301", "", l.at)
			}
			l.at++
			flags := l.at
			for l.at < len(l.source) && (l.source[l.at] == 'i' || l.source[l.at] == 'm') {
				l.at++
			}
			re, err := compile(pattern, l.source[flags:l.at])
			if err != nil {
				return token{}, &Error{Code: "S0303", value: err.Error(), Position: l.at}
			}
			return token{kind: "regex", text: pattern, value: re, at: l.at}, nil
		}
		if slashes == 0 {
			switch c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
			}
		}
	}
	return token{}, l.fail("S0302", "", l.at)
}
