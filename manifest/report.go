package manifest

import (
	"fmt"

	"arc/manifest/syntax"
)

// span is the marked text of a diagnostic.
type span struct{ from, to syntax.Pos }

func at(v syntax.Value) span { return span{v.Pos, v.End} }

// atAll marks from the first to the last of values that stand on one line.
func atAll(vs []syntax.Value) span {
	s := at(vs[0])
	for _, v := range vs[1:] {
		if v.End.Line == s.to.Line {
			s.to = v.End
		}
	}
	return s
}

// atName marks a name that starts at pos.
func atName(pos syntax.Pos, name string) span {
	to := pos
	to.Col += len(name)
	return span{pos, to}
}

func atPragma(p *syntax.Pragma) span {
	return atName(p.Pos, "@"+p.Name)
}

// errorf reports a mistake that stops the command. hint says what to write.
func (l *loader) errorf(where span, code, hint, format string, args ...any) {
	l.report(syntax.Error, where, code, hint, fmt.Sprintf(format, args...))
}

// missing is errorf for a section that is not there or not whole, unless syntax
// errors may be the reason.
func (l *loader) missing(where span, code, hint, format string, args ...any) {
	if !l.broken {
		l.errorf(where, code, hint, format, args...)
	}
}

// warnf reports something that has a meaning, but hardly the one intended.
func (l *loader) warnf(where span, code, hint, format string, args ...any) {
	l.report(syntax.Warning, where, code, hint, fmt.Sprintf(format, args...))
}

func (l *loader) report(sev syntax.Severity, where span, code, hint, message string) {
	if l.syntaxErrors[where.from] {
		return // the reader of the text has told what is wrong here
	}
	l.ds = append(l.ds, syntax.Diagnostic{
		Pos: where.from, End: where.to, Severity: sev, Code: code, Message: message, Hint: hint,
	})
}

// nearHint is "did you mean x?", or otherwise when nothing is near.
func nearHint(word string, candidates []string, otherwise string) string {
	if near := syntax.Near(word, candidates); near != "" {
		return "did you mean " + near + "?"
	}
	return otherwise
}
