package syntax

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzFormat holds that printing a tree keeps its values and comments, and that
// the printed text is printed as itself.
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{
		"# top\n\n# app\n@app # x\n\nmy-app\n# end", "@t\nn # n\n  # k\n  k v # v\n  l\n    # m\n    m n # o\n  # end\n\n# next\nx",
		"@a\n\"a b\" 'true' \"\\\"'`\" \"x\\\\\\\"\" -Infinity \"\"\n\n\n`a\r\nb`\n@b\n", "@a\n  v\n      a b\n      c\n",
	} {
		f.Add([]byte(seed))
	}
	addGoldens(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		checkFormat(t, src, Parse)
		checkFormat(t, src, ParseJSON)
		checkFormat(t, src, ParseYAML)
	})
}

func checkFormat(t *testing.T, src []byte, parse func(string, []byte) (*File, Diagnostics)) {
	t.Helper()
	first, ds := parse("app.arc", src)
	if ds.HasErrors() {
		return
	}
	text := Format(first)
	again, ds := Parse("app.arc", text)
	if len(ds) > 0 {
		t.Fatalf("the formatted text has errors: %+v\n%q", ds, text)
	}
	if diff := cmp.Diff(dump(first, false), dump(again, false)); diff != "" {
		t.Fatalf("formatted to\n%s\n%s", text, diff)
	}
	if twice := Format(again); !bytes.Equal(text, twice) {
		t.Fatalf("formatted again:\n%s", cmp.Diff(string(text), string(twice)))
	}
}
