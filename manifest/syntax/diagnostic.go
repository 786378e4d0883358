package syntax

import "io"

// Severity ranks a diagnostic.
type Severity int

// Errors stop a command; warnings are printed and the command goes on.
const (
	Error Severity = iota
	Warning
)

// Diagnostic is one mistake in a manifest: where, what, and the remedy.
// Message is lower case without a full stop; Hint says what to write instead.
type Diagnostic struct {
	Pos      Pos
	End      Pos // of the marked text; zero marks one character
	Severity Severity
	Code     string // stable, kebab-case: "unknown-pragma"; for --json and for tests
	Message  string
	Hint     string
	Stack    string // of code that failed, a line a frame; "" = no code ran
}

// Diagnostics are all mistakes of a run, in file order after Sort.
type Diagnostics []Diagnostic

// HasErrors reports whether any of them is an error.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Render prints each diagnostic as
//
//	app.arc:3:1: error text
//	    @htpp
//	    ^~~~~
//	    at frame of a stack
//	  hint: did you mean @http?
//
// with "warning: " before the text of warnings. sources maps file names to
// their text, for the quoted line; a missing one omits it. Tabs before the
// caret are kept as tabs so that it lands right.
func (ds Diagnostics) Render(w io.Writer, sources map[string][]byte) error {
	return ds.render(w, sources, 0)
}

// RenderIn is Render for a terminal of so many columns; 0 = it is none.
func (ds Diagnostics) RenderIn(w io.Writer, sources map[string][]byte, columns int) error {
	return ds.render(w, sources, columns)
}
