package source

import "bytes"

// The tokens of JavaScript, as far as imports need telling apart.

// line moves to the end of the line.
func (s *scanner) line() {
	if i := bytes.IndexByte(s.src[s.at:], '\n'); i >= 0 {
		s.at += i
	} else {
		s.at = len(s.src)
	}
}

// next reads one significant token.
func (s *scanner) next() token {
	s.prior = 0
	if s.prev.kind == punct {
		s.prior = s.prev.punct
	}
	t := s.read()
	s.prev = t
	return t
}

func (s *scanner) read() token {
	for s.at < len(s.src) {
		c := s.src[s.at]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			s.at++
		case c == '/':
			if t, ok := s.slash(); ok {
				return t
			}
		case c == '"' || c == '\'':
			return s.quoted(c)
		case c == '`':
			s.at++
			return s.template(s.at)
		case letter(c):
			return s.word()
		case digit(c):
			for s.at < len(s.src) && (letter(s.src[s.at]) || digit(s.src[s.at]) || s.src[s.at] == '.') {
				s.at++
			}
			s.regexp = false
			return token{kind: punct, punct: '0'}
		default:
			return s.punct(c)
		}
	}
	return token{kind: end, offset: s.at}
}

func letter(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$' || c == '#' || c >= 0x80
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// expectsValue reports whether a regular expression, not a division, follows a word.
func expectsValue(word []byte) bool {
	switch string(word) {
	case "return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else", "yield", "await", "default":
		return true
	}
	return false
}

func (s *scanner) word() token {
	start := s.at
	for s.at < len(s.src) && (letter(s.src[s.at]) || digit(s.src[s.at])) {
		s.at++
	}
	t := token{kind: word, text: s.src[start:s.at], offset: start}
	s.regexp = s.prev.punct != '.' && expectsValue(t.text)
	return t
}

func (s *scanner) punct(c byte) token {
	t := token{kind: punct, punct: c, offset: s.at}
	s.at++
	s.regexp = true
	switch c {
	case '.':
		// Of a spread's three dots the last must not look like a property access.
		if bytes.HasPrefix(s.src[s.at:], []byte("..")) {
			s.at += 2
			t.punct = ','
		}
	case '(':
		p := s.prev
		s.parens = append(s.parens, p.is("if") || p.is("while") || p.is("for") || p.is("with"))
	case ')':
		s.regexp = false
		if n := len(s.parens); n > 0 {
			s.regexp, s.parens = s.parens[n-1], s.parens[:n-1]
		}
	case ']':
		s.regexp = false
	case '{':
		kind := block
		if s.prev.is("try") {
			kind = tried
			s.tries++
		}
		s.braces = append(s.braces, kind)
	case '}':
		if n := len(s.braces); n > 0 {
			kind := s.braces[n-1]
			s.braces = s.braces[:n-1]
			switch kind {
			case substitution:
				return s.template(-1)
			case tried:
				s.tries--
			}
		}
	case '+', '-':
		// After x++ a "/" divides; after a lone sign it starts an expression.
		if s.at < len(s.src) && s.src[s.at] == c {
			s.at++
			s.regexp = false
		}
	}
	return t
}

// slash reads a comment, a regular expression or a division; only the last two
// are tokens.
func (s *scanner) slash() (token, bool) {
	rest := s.src[s.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("//")):
		s.line()
		return token{}, false
	case bytes.HasPrefix(rest, []byte("/*")):
		if i := bytes.Index(rest[2:], []byte("*/")); i >= 0 {
			s.at += i + 4
		} else {
			s.at = len(s.src)
		}
		return token{}, false
	}
	t := token{kind: punct, punct: '/', offset: s.at}
	if s.regexp {
		if n := regexpLength(rest); n > 0 {
			s.at += n
			s.regexp = false
			return t, true
		}
	}
	s.at++
	s.regexp = true
	return t, true
}

// regexpLength is the length of the regular expression at the start of src up
// to its closing slash, 0 when the line ends before.
func regexpLength(src []byte) int {
	class := false
	for i := 1; i < len(src); i++ {
		switch src[i] {
		case '\n':
			return 0
		case '\\':
			i++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				return i + 1
			}
		}
	}
	return 0
}

// quoted reads a string. One without end stops at the end of its line.
func (s *scanner) quoted(quote byte) token {
	start := s.at
	s.at++
	s.regexp = false
	for s.at < len(s.src) {
		switch c := s.src[s.at]; c {
		case quote:
			s.at++
			return token{kind: text, text: s.src[start+1 : s.at-1], offset: start}
		case '\n':
			return token{kind: punct, punct: quote, offset: start}
		case '\\':
			s.at++
		}
		s.at++
	}
	s.at = len(s.src)
	return token{kind: punct, punct: quote, offset: start}
}

// template reads a template's text up to its end or the next substitution.
// start is where its text starts, or -1 after a substitution.
func (s *scanner) template(start int) token {
	offset := s.at
	for s.at < len(s.src) {
		switch s.src[s.at] {
		case '`':
			s.at++
			s.regexp = false
			if start >= 0 {
				return token{kind: text, text: s.src[start : s.at-1], offset: start - 1}
			}
			return token{kind: punct, punct: '`', offset: offset}
		case '$':
			if s.at+1 < len(s.src) && s.src[s.at+1] == '{' {
				s.at += 2
				s.braces = append(s.braces, substitution)
				s.regexp = true
				return token{kind: punct, punct: '`', offset: offset}
			}
		case '\\':
			s.at++
		}
		s.at++
	}
	s.at = len(s.src)
	return token{kind: punct, punct: '`', offset: offset}
}
