package syntax

import (
	"encoding/json"
	"io"
	"testing"
	"unicode/utf8"
)

// FuzzJSON holds that the JSON reader takes what encoding/json takes, and gives
// a tree with places that are in the text.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"app": "x", "http": [{"get": "/"}, ["post", "/x"], {"/y": {"method": "put", "src": ["a", "b"]}}], "ws": null}`,
		`{"aws": {"layers": ["a"], "memory": 1e3, "region": null}, "@cdn": [true], "static": [], "app": [1]}`,
		"\ufeff{\"a\": \"\\u00e9\\\"\", /* c */ \"b\": [[[]]],} // d", `{"a" "b"}`, `[`, `"\x"`, "null", "", `{"arc": {"app": "x"}}`,
	} {
		f.Add([]byte(seed))
	}
	addGoldens(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		r := newJSONReader("arc.json", src)
		_, ok := r.document()
		told := len(r.diags) > 0
		if !ok && !told {
			t.Fatal("refused without a word")
		}
		if valid := json.Valid(src); ok && !told && !valid && src[0] != 0xef {
			t.Fatal("accepted what is not JSON")
		} else if told && valid && utf8.Valid(src) && r.diags[0].Code != "nesting" {
			t.Fatalf("refused JSON: %+v", r.diags)
		}
		checkSpelling(t, src, ParseJSON)
		checkSpelling(t, src, ParsePackageJSON)
	})
}

// FuzzYAML holds that no text makes the YAML reader panic or grow beyond reason.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{
		"app: x\nhttp:\n- get: /\n- /y:\n    method: put\n    src: [a, 'b']\nws: ~\n", "a: &x {b: 1}\nc:\n  <<: *x\n  d: .5\n",
		"a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "a: &x [*x]", "--- \na: !!str 1\n---\n", "a: |\n  x\n  y\nb: \"\\u00e9\"\n? [a]\n: b", "a:\n\tb", "",
	} {
		f.Add([]byte(seed))
	}
	addGoldens(f)
	f.Fuzz(func(t *testing.T, src []byte) { checkSpelling(t, src, ParseYAML) })
}

func checkSpelling(t *testing.T, src []byte, parse func(string, []byte) (*File, Diagnostics)) {
	t.Helper()
	lines := sourceLines(src)
	file, ds := parse("arc.json", src)
	if file != nil {
		checkTree(t, file, lines)
	}
	for _, d := range ds {
		checkPos(t, d.Pos, lines)
		if d.Message == "" || d.Hint == "" || d.Code == "" {
			t.Fatalf("%+v lacks a message, a hint or a code", d)
		}
	}
	if err := ds.Render(io.Discard, map[string][]byte{"arc.json": src}); err != nil {
		t.Fatal(err)
	}
}
