package cost_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"arc/cfn"
	"arc/cfn/cost"
	"arc/cfn/diff"
	"arc/manifest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestCorpus reads testdata/*.txtar: an app before and after a change, as a
// manifest or as a template, and what the change costs, which a person worked
// out; the comment shows how. There is no -update for these. A line "region R"
// chooses the prices, otherwise those of us-east-1.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases, want 20 at least: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			region := "us-east-1"
			for line := range strings.Lines(string(ar.Comment)) {
				if words := strings.Fields(line); len(words) == 2 && words[0] == "region" {
					region = words[1]
				}
			}
			review := diff.Compose(side(t, ar, "before"), side(t, ar, "after"), diff.Options{Cost: region})
			want := string(ar.Files[len(ar.Files)-1].Data)
			if d := cmp.Diff(want, brief(review.Cost)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// side reads one side of a case: the template SIDE.yaml, or the project below
// SIDE/; nil when it has neither.
func side(t *testing.T, ar *txtar.Archive, name string) *cfn.Document {
	t.Helper()
	project := fstest.MapFS{}
	var template []byte
	for _, f := range ar.Files {
		if path, ok := strings.CutPrefix(f.Name, name+"/"); ok {
			project[path] = &fstest.MapFile{Data: f.Data}
		}
		if f.Name == name+".yaml" {
			template = f.Data
		}
	}
	if len(project) > 0 {
		result := manifest.Load(project, manifest.Options{Region: "us-east-1"})
		if result.App == nil || result.Diagnostics.HasErrors() {
			t.Fatal(result.Diagnostics)
		}
		stack, ds := cfn.Compile(result.App, cfn.Options{Stage: "staging", Code: func(*manifest.Function) string { return "code.zip" }})
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		var err error
		if template, err = stack.Template.JSON(); err != nil {
			t.Fatal(err)
		}
	}
	if template == nil {
		return nil
	}
	doc, err := cfn.Parse(template)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// brief writes a delta with its figures in full.
func brief(d *cost.Delta) string {
	var b strings.Builder
	figure := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	list := func(changes []cost.Change) {
		for _, c := range changes {
			sign := map[string]string{"add": "+", "modify": "~", "remove": "-"}[c.Action]
			fmt.Fprintf(&b, "%s %s: %s → %s\n", sign, c.Subject, figure(c.Before), figure(c.After))
		}
	}
	if len(d.Monthly) > 0 {
		fmt.Fprintf(&b, "month: %s → %s\n", figure(d.Before), figure(d.After))
		list(d.Monthly)
	}
	if len(d.Million) > 0 {
		b.WriteString("million\n")
		list(d.Million)
	}
	for _, u := range d.NotEstimated {
		fmt.Fprintf(&b, "not estimated: %s %s: %s\n", u.Subject, u.Type, u.Why)
	}
	if len(d.Borrowed) > 0 {
		fmt.Fprintf(&b, "borrowed: %s\n", strings.Join(d.Borrowed, " "))
	}
	return b.String()
}
