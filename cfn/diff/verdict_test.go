package diff_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/face"
	"arc/cfn/registry"
	"arc/manifest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestVerdicts reads testdata/verdicts/*.txtar: a project before and after an
// edit (no before/: nothing is deployed), and the verdict that a person worked
// out. The verdict is "no changes", "safe" or "dangerous" with the classes of
// risk, and below it a line for every resource that is interrupted, replaced,
// refused or loses data. There is no -update for these.
func TestVerdicts(t *testing.T) {
	files, err := filepath.Glob("testdata/verdicts/*.txtar")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d cases, want 80 at least: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, _ := compileSide(t, ar, "before/")
			after, stack := compileSide(t, ar, "after/")
			review := diff.Compose(before, after, diff.Options{Origin: originOf(stack), Name: nameOf(stack)})
			want := strings.TrimSpace(string(ar.Files[len(ar.Files)-1].Data))
			if d := cmp.Diff(want, verdictOf(review)); d != "" {
				var b strings.Builder
				if err := face.Text(&b, review, face.TextOptions{}); err != nil {
					t.Fatal(err)
				}
				t.Errorf("-want +got\n%s\n%s", d, b.String())
			}
		})
	}
}

// verdictOf writes a review in the corpus's short form.
func verdictOf(r *diff.Review) string {
	var names []string
	for _, c := range r.Classes {
		names = append(names, string(c.Class))
	}
	out := string(r.Verdict)
	if len(names) > 0 {
		out += ": " + strings.Join(names, ", ")
	}
	for _, c := range r.Changes {
		var words []string
		if c.Action == compare.Modify && c.Update > registry.NoInterruption {
			words = append(words, c.Update.String())
		}
		if c.Loss != "" {
			words = append(words, "loss")
		}
		if c.Refused != "" {
			words = append(words, "refused")
		}
		if len(words) > 0 {
			out += "\n" + c.LogicalID + ": " + strings.Join(words, ", ")
		}
	}
	return out
}

// compileSide compiles one side of a case; nil when it has no files.
func compileSide(t testing.TB, ar *txtar.Archive, side string) (*cfn.Document, *cfn.Stack) {
	t.Helper()
	files := fstest.MapFS{}
	for _, f := range ar.Files {
		if name, ok := strings.CutPrefix(f.Name, side); ok {
			files[name] = &fstest.MapFile{Data: f.Data}
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	stage := "staging"
	var env []string
	for _, line := range strings.Split(string(ar.Comment), "\n") {
		switch words := strings.Fields(line); {
		case len(words) == 2 && words[0] == "stage":
			stage = words[1]
		case len(words) > 1 && words[0] == "env/"+strings.TrimSuffix(side, "/"):
			env = words[1:]
		}
	}
	result := manifest.Load(files, manifest.Options{Region: "us-east-1"})
	if result.App == nil || result.Diagnostics.HasErrors() {
		var b strings.Builder
		if err := result.Diagnostics.Render(&b, result.Sources); err != nil {
			t.Fatal(err)
		}
		t.Fatal(b.String())
	}
	stack, ds := cfn.Compile(result.App, cfn.Options{Stage: stage, Env: env, Code: func(fn *manifest.Function) string {
		return strings.ReplaceAll(fn.Dir, "/", "-") + codeVersion(files, fn.Dir) + ".zip"
	}})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	body, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := cfn.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	return doc, stack
}

// codeVersion stands for the hash of a function's code: the length of its files.
func codeVersion(files fstest.MapFS, dir string) string {
	n := 0
	for name, f := range files {
		if strings.HasPrefix(name, dir+"/index.") {
			n += len(f.Data)
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("-%d", n)
}

func originOf(stack *cfn.Stack) func(string) (diff.Position, bool) {
	return func(id string) (diff.Position, bool) {
		pos, ok := stack.Origins[id]
		return diff.Position{File: pos.File, Line: pos.Line, Column: pos.Col}, ok
	}
}

func nameOf(stack *cfn.Stack) func(string) string {
	return func(id string) string {
		for _, fn := range stack.Functions {
			if fn.LogicalID == id {
				return "@" + fn.Pragma + " " + fn.Name
			}
		}
		return ""
	}
}
