package source

import (
	"bytes"
	"strings"
)

// What a JavaScript or TypeScript file imports, found by reading its tokens
// only. A full parser would be exact, but costs more time than the rest of
// packaging together; this one only has to tell code from strings, comments,
// templates and regular expressions. Where it cannot know (a "/" after "}"), a
// wrong guess ends at the end of the line. A test holds it against esbuild.

// reference is one module specifier in a file.
type reference struct {
	spec   string
	offset int // of the string's opening quote
	end    int // behind its closing quote

	required bool // by require, whose rules of resolution are others
	guarded  bool // in a try block, or with a catch behind it: it may fail
	sure     bool // evaluated whenever the file is, as far as tokens tell
	plain    bool // a require that is: nothing on its line or around it can keep it from that
	hooks    bool // after it Node may read files in another way
}

// imports lists the specifiers of static and dynamic imports, re-exports and
// require calls whose specifier is a plain string, in order of appearance.
// Imports that TypeScript erases ("import type") are left out.
func imports(src []byte) []reference {
	// Most files of a tree import nothing that matters; a quick look saves reading them.
	if !bytes.Contains(src, []byte("import")) && !bytes.Contains(src, []byte("require")) && !bytes.Contains(src, []byte("export")) {
		return nil
	}
	s := scanner{src: src, regexp: true}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		s.at = 3
	}
	if bytes.HasPrefix(src[s.at:], []byte("#!")) {
		s.line()
	}
	s.run()
	doubts(src, s.found)
	return s.found
}

type scanner struct {
	src   []byte
	at    int
	found []reference

	prev   token   // the last significant token
	prior  byte    // the byte of punctuation before prev; tells x.import from import
	parens []bool  // for each open "(": whether if, while, for or with stands before it
	braces []brace // for each open "{": what it is
	tries  int     // how many of them are try blocks
	regexp bool    // whether a "/" here starts a regular expression
}

type brace byte

const (
	block        brace = iota
	substitution       // the "${" of a template
	tried              // the block of a try
)

type kind byte

const (
	end kind = iota
	word
	text // a string, or a template without substitutions
	punct
)

type token struct {
	kind   kind
	text   []byte // a word, or the raw inside of a string
	punct  byte
	offset int
}

func (t token) is(w string) bool { return t.kind == word && string(t.text) == w }
func (t token) mark(c byte) bool { return t.kind == punct && t.punct == c }

// run reads the whole file. Tokens that turn out not to belong to an import
// are handed back, so that none is skipped.
func (s *scanner) run() {
	t := s.next()
	for t.kind != end {
		switch {
		case t.kind != word || s.prior == '.':
			t = s.next()
		case t.is("import"):
			t = s.importing()
		case t.is("export"):
			t = s.exporting()
		case t.is("require"):
			t = s.requiring(s.prior)
		case t.is("module"):
			// module.require is the one property of that name that counts.
			before := s.prior
			if t = s.next(); t.mark('.') {
				if t = s.next(); t.is("require") {
					t = s.requiring(before)
				}
			}
		default:
			t = s.next()
		}
	}
}

// importing reads what follows "import" and returns the first token after it.
func (s *scanner) importing() token {
	t := s.next()
	switch {
	case t.mark('('):
		return s.argument(reference{})
	case t.kind == text:
		s.add(t, reference{sure: true})
		return s.next()
	case t.is("type"):
		return s.importingType()
	case t.kind == word || t.mark('{') || t.mark('*'):
		return s.clause(t, false)
	}
	return t
}

// importingType tells "import type X from" from an import whose default is
// bound to a variable named type.
func (s *scanner) importingType() token {
	t := s.next()
	if t.mark(',') {
		return s.clause(t, false)
	}
	if !t.is("from") {
		return s.clause(t, true)
	}
	if t = s.next(); t.kind == text {
		s.add(t, reference{sure: true})
		return s.next()
	}
	return s.clause(t, true)
}

// exporting reads what follows "export".
func (s *scanner) exporting() token {
	t := s.next()
	if t.is("type") {
		if t = s.next(); t.mark('{') || t.mark('*') {
			return s.clause(t, true)
		}
		return t
	}
	if t.mark('{') || t.mark('*') {
		return s.clause(t, false)
	}
	return t
}

// clause reads the names of an import or export up to "from" and its
// specifier. Anything that no clause holds ends it.
func (s *scanner) clause(t token, erased bool) token {
	for {
		switch {
		case t.is("from"):
			if t = s.next(); t.kind == text {
				if !erased {
					s.add(t, reference{sure: true})
				}
				return s.next()
			}
			continue // a binding named from
		case t.kind == end, t.is("import"), t.is("export"), t.is("require"):
			return t
		case t.kind == punct && t.punct != '{' && t.punct != '}' && t.punct != ',' && t.punct != '*':
			return t
		}
		t = s.next()
	}
}

// requiring reads what follows "require": a call, or .resolve and a call.
// before is the punctuation in front of it.
func (s *scanner) requiring(before byte) token {
	ref := reference{required: true, sure: len(s.braces) == 0 && !strings.ContainsRune(">?:&|)", rune(before))}
	ref.plain = ref.sure && len(s.parens) == 0 && plainly(s.src, s.at-len("require"))
	t := s.next()
	if t.mark('.') {
		ref.plain = false
		if t = s.next(); !t.is("resolve") {
			return t
		}
		t = s.next()
	}
	if !t.mark('(') {
		return t
	}
	return s.argument(ref)
}

// argument reads the first argument of a call; only a string that is the whole
// of it counts.
func (s *scanner) argument(ref reference) token {
	t := s.next()
	for t.mark('(') {
		t = s.next()
	}
	if t.kind != text {
		return t
	}
	after := s.next()
	if after.mark(')') || after.mark(',') {
		rest, chained := bytes.CutPrefix(bytes.TrimLeft(s.src[s.at:], " \t\r\n"), []byte("."))
		ref.guarded = after.mark(')') && chained && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte("catch"))
		s.add(t, ref)
	}
	return after
}

func (s *scanner) add(t token, ref reference) {
	ref.spec, ref.offset, ref.end = unescape(t.text), t.offset, t.offset+len(t.text)+2
	ref.guarded = ref.guarded || s.tries > 0
	s.found = append(s.found, ref)
}

// unescape undoes the escapes that can occur in a specifier; \u and \x never
// do in practice and are left as they are.
func unescape(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) {
			i++
		}
		out = append(out, raw[i])
	}
	return string(out)
}
