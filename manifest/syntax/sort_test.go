package syntax

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSort: what is wrong in each of three stages is said once, in the order in which it
// was found at its place.
func TestSort(t *testing.T) {
	at := func(line int, text string) Diagnostic {
		return Diagnostic{Pos: Pos{File: "app.arc", Line: line, Col: 1}, Message: text}
	}
	ds := Diagnostics{at(2, "b"), at(2, "a"), at(1, "c"), at(2, "b"), at(2, "a"), at(2, "b"), at(1, "b")}
	ds.Sort()
	if d := cmp.Diff(Diagnostics{at(1, "c"), at(1, "b"), at(2, "b"), at(2, "a")}, ds); d != "" {
		t.Error(d)
	}
}
