package syntax_test

import (
	"strings"
	"testing"

	"arc/manifest/syntax"
)

// TestFold breaks lines where nobody who copies them is harmed.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		columns    int
		text, want string
	}{
		{0, "a line that is long", "a line that is long"},
		{10, "short", "short"},
		{10, "ten of ten", "ten of ten"},
		{10, "eleven of 1", "eleven of\n  1"},
		{10, "  one two three four", "  one two\n    three\n    four"},
		{12, "one\ntwo three four\nfive", "one\ntwo three\n  four\nfive"},
		{20, "  hint: write it as the manual has it", "  hint: write it as\n        the manual\n        has it"},
		{20, "  \x1b[36mhint:\x1b[0m write it as the manual has it", "  \x1b[36mhint:\x1b[0m write it as\n        the manual\n        has it"},
		{16, "see https://example.com/a/long/page for more", "see\n  https://example.com/a/long/page\n  for more"},
		{24, "to delete it run arc destroy --local --app my-app now", "to delete it run\n  arc destroy --local --app my-app\n  now"},
		{10, "when all is well - it is", "when all\n  is well\n  - it is"},
		{20, "run this:\n  aws one two three four five \\\n    six seven eight nine ten\nand so it goes on and on", "run this:\n  aws one two three four five \\\n    six seven eight nine ten\nand so it goes on\n  and on"},
		{8, "ああああ ああ", "ああああ\n  ああ"},
	} {
		if got := syntax.Fold(c.text, c.columns); got != c.want {
			t.Errorf("%d columns of %q:\n%s\nwant\n%s", c.columns, c.text, got, c.want)
		}
	}
}

// FuzzFold: no word is lost or changed, and what is folded stays folded as it is.
func FuzzFold(f *testing.F) {
	f.Add("  hint: arc deploy --local runs it on this machine", 20)
	f.Add("a  b\tc \\\n d", 3)
	f.Fuzz(func(t *testing.T, text string, columns int) {
		got := syntax.Fold(text, columns%200)
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(text), " ") {
			t.Errorf("%q became %q", text, got)
		}
	})
}
