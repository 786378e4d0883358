package syntax

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// TestGolden reads the first file of each testdata/*/*.txtar and compares what
// comes of it with the files below: the tree of good input, the diagnostics of
// bad, and in testdata/format the formatted text. A file whose name ends in
// " quoted" holds its text as a Go string, for bytes that a text file hides.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		folder := filepath.Base(filepath.Dir(file))
		t.Run(folder+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := string(txtar.Format(a))
			a.Files = append(a.Files[:1], results(t, folder, a.Files[0])...)
			got := txtar.Format(a)
			if *update {
				if err := os.WriteFile(file, got, 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("-want +got; -update rewrites it:\n%s", diff)
			}
		})
	}
}

// addGoldens gives a fuzz target the inputs of the goldens.
func addGoldens(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
}

func results(t *testing.T, folder string, input txtar.File) []txtar.File {
	t.Helper()
	name, src := input.Name, input.Data
	if bare, quoted := strings.CutSuffix(name, " quoted"); quoted {
		text, err := strconv.Unquote(strings.TrimSpace(string(src)))
		if err != nil {
			t.Fatalf("%s is not a Go string: %v", name, err)
		}
		name, src = bare, []byte(text)
	}
	tree, ds := parseAs(name, src)
	var out []txtar.File
	if len(ds) > 0 {
		out = append(out, txtar.File{Name: "diagnostics", Data: []byte(told(ds, src))})
	}
	switch {
	case ds.HasErrors():
	case tree == nil:
		out = append(out, txtar.File{Name: "no tree"})
	case folder == "format":
		checkFormat(t, src, func(_ string, src []byte) (*File, Diagnostics) { return parseAs(name, src) })
		out = append(out, txtar.File{Name: "formatted", Data: Format(tree)})
	default:
		out = append(out, txtar.File{Name: "tree", Data: []byte(dump(tree, true))})
	}
	return out
}

// dump shows a tree, a line for each of its lines: with its place and how its
// strings were quoted, or only with what Format keeps.
func dump(f *File, all bool) string {
	d := dumper{all: all}
	for _, p := range f.Pragmas {
		d.line(p.Pos, "@"+p.Name, p.Comments)
		for _, it := range p.Items {
			kind := []string{"scalar", "tuple", "vector", "map"}[it.Kind]
			d.line(it.Pos, "  "+kind+" "+d.values(it.Values), it.Comments)
			d.list("    ", it.List, it.Inner)
			for _, e := range it.Entries {
				if e.Nested {
					d.line(e.Key.Pos, "    "+d.value(e.Key)+":", e.Comments)
					d.list("      ", e.Values, e.Inner)
					continue
				}
				d.line(e.Key.Pos, "    "+d.value(e.Key)+": "+d.values(e.Values), e.Comments)
			}
			d.above("    ", it.End)
		}
	}
	d.above("", f.Trailing)
	return d.String()
}

type dumper struct {
	strings.Builder
	all bool
}

func (d *dumper) line(p Pos, text string, c Comments) {
	d.above(text[:len(text)-len(strings.TrimLeft(text, " "))], c.Before)
	if d.all {
		fmt.Fprintf(d, "%-6s ", fmt.Sprintf("%d:%d", p.Line, p.Col))
	}
	d.WriteString(text)
	if c.Suffix != nil {
		fmt.Fprintf(d, "   # behind:%s", c.Suffix.Text)
	}
	d.WriteByte('\n')
}

func (d *dumper) above(indent string, comments []Comment) {
	for _, c := range comments {
		if d.all {
			fmt.Fprintf(d, "%-6s ", fmt.Sprintf("%d:%d", c.Pos.Line, c.Pos.Col))
		}
		fmt.Fprintf(d, "%s# %q\n", indent, c.Text)
	}
}

func (d *dumper) list(indent string, values []Value, inner []Comments) {
	for i, v := range values {
		d.line(v.Pos, indent+d.value(v), inner[i])
	}
}

func (d *dumper) values(vs []Value) string {
	var all []string
	for _, v := range vs {
		all = append(all, d.value(v))
	}
	return strings.Join(all, " ")
}

// value shows a string in quotes, and a number with its value.
func (d *dumper) value(v Value) string {
	switch {
	case v.Kind == Number && v.Text != strconv.FormatFloat(v.Num, 'f', -1, 64):
		return fmt.Sprintf("%s=%v", v.Text, v.Num)
	case v.Kind == Bool && v.Text != strconv.FormatBool(v.Bool):
		return fmt.Sprintf("%s=%v", v.Text, v.Bool)
	case v.Kind != String:
		return v.Text
	case d.all && v.Quoted:
		return "quoted" + strconv.Quote(v.Text)
	}
	return strconv.Quote(v.Text)
}

// TestDiagnosticJSON holds the fields that --json has for a diagnostic.
func TestDiagnosticJSON(t *testing.T) {
	_, ds := Parse("app.arc", []byte("@app\n{\n"))
	got, err := ds[0].MarshalJSON()
	want := `{"file":"app.arc","line":2,"column":1,"endLine":2,"endColumn":2,"severity":"error","code":"unknown-character",` +
		`"message":"\"{\" cannot stand in a value without quotes",` +
		`"hint":"lists and maps are written a line a value, below a name; for the text as it stands, put it in quotes"}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

func TestNear(t *testing.T) {
	pragmas := []string{"app", "aws", "events", "http", "tables", "tables-indexes", "ws"}
	for word, want := range map[string]string{
		"htpp": "http", "HTTP": "http", "table": "tables", "tabels": "tables", "tables-index": "tables-indexes", "evnets": "events",
		"foo": "", "x": "", "": "", "https://example.com": "", "asw": "aws", "apps": "app", strings.Repeat("http", 1000): "",
	} {
		if got := Near(word, pragmas); got != want {
			t.Errorf("Near(%q) = %q, want %q", word, got, want)
		}
	}
}
