package manifest

import (
	"cmp"
	"fmt"
	"slices"

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

// warnf reports something that has a meaning, but hardly the one intended.
func (l *loader) warnf(where span, code, hint, format string, args ...any) {
	l.report(syntax.Warning, where, code, hint, fmt.Sprintf(format, args...))
}

func (l *loader) report(sev syntax.Severity, where span, code, hint, message string) {
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

// sortDiagnostics puts the manifest first, then the other files by name, each
// in the order of its lines.
func sortDiagnostics(ds syntax.Diagnostics, manifest string) {
	slices.SortStableFunc(ds, func(a, b syntax.Diagnostic) int {
		return cmp.Or(
			cmp.Compare(fileRank(a.Pos.File, manifest), fileRank(b.Pos.File, manifest)),
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Col, b.Pos.Col),
		)
	})
}

func fileRank(name, manifest string) int {
	if name == "" || name == manifest {
		return 0
	}
	return 1
}
