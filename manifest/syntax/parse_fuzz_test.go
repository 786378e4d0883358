package syntax

import (
	"io"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds that any text is read to its end without a panic, that every
// position lies in the text, and that what is told can be printed.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "@app\nmy-app\n", "\ufeff@a b\r\n\rc", "@a\n\"x\ny\" 'z' `", "@t\nn\n  k v\n  l\n    m n\n\to\n",
		"@a\n 1\n  -0x\n   true#c\n", "@a\n\"\\\"\\\\\\x\"@b{é\xff", "v\n@a#c\n @a # d\nget /\n    x\n  y",
	} {
		f.Add([]byte(seed))
	}
	addGoldens(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		file, ds := Parse("app.arc", src)
		lines := sourceLines(src)
		checkTree(t, file, lines)
		if err := ds.Render(io.Discard, map[string][]byte{"app.arc": src}); err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			checkPos(t, d.Pos, lines)
			if d.Message == "" || d.Hint == "" || d.Code == "" {
				t.Fatalf("%+v lacks a message, a hint or a code", d)
			}
		}
	})
}

// checkTree holds what package manifest relies on.
func checkTree(t *testing.T, file *File, lines []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range file.Pragmas {
		checkPos(t, p.Pos, lines)
		if seen[p.Name] {
			t.Fatalf("@%s stands twice in the tree", p.Name)
		}
		seen[p.Name] = true
		for _, it := range p.Items {
			checkItem(t, it, lines)
		}
	}
}

func checkItem(t *testing.T, it *Item, lines []string) {
	t.Helper()
	checkPos(t, it.Pos, lines)
	var all []Value
	all = append(append(all, it.Values...), it.List...)
	for _, e := range it.Entries {
		all = append(append(all, e.Key), e.Values...)
		if len(e.Values) == 0 {
			t.Fatalf("the key %q has no value", e.Key.Text)
		}
		if e.Nested && len(e.Inner) != len(e.Values) {
			t.Fatalf("%d values have %d comments", len(e.Values), len(e.Inner))
		}
	}
	for _, v := range all {
		checkPos(t, v.Pos, lines)
		checkPos(t, v.End, lines)
	}
	if len(it.Values) == 0 || (len(it.Values) > 1) != (it.Kind == Tuple) || len(it.Inner) != len(it.List) {
		t.Fatalf("a malformed item: %+v", it)
	}
}

func checkPos(t *testing.T, p Pos, lines []string) {
	t.Helper()
	if p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > utf8.RuneCountInString(lines[p.Line-1])+1 {
		t.Fatalf("%v lies outside the text", p)
	}
}
