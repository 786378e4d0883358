package diff_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"arc/cfn/diff"
	"arc/cfn/diff/face"
	"arc/graph"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestPictures reads testdata/pictures/*.txtar, a project before and after an
// edit, and writes both pictures in words, since the drawing is package
// graph's matter.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob("testdata/pictures/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := compileSide(t, ar, "before/")
		after, stack := compileSide(t, ar, "after/")
		review := diff.Compose(before, after, diff.Options{Stack: stack.Name, Before: "main", After: "working tree"})
		label := func(id string) string {
			for _, fn := range stack.Functions {
				if fn.LogicalID == id {
					return fn.Dir
				}
			}
			return ""
		}
		old, new := face.Graphs(before, after, review, label)
		golden(t, strings.TrimSuffix(file, ".txtar")+".text", []byte("before\n"+inWords(old)+"after\n"+inWords(new)))

		drawn := face.Pictures(before, after, review, label)
		if len(drawn) != 2 || drawn[0].Title != "main" || !bytes.Contains(drawn[0].SVG, []byte("<svg")) {
			t.Errorf("%s: %d pictures", file, len(drawn))
		}
		for _, g := range drawn {
			if bytes.Contains(g.SVG, []byte("secret")) {
				t.Errorf("%s: %s shows what stands before the @ of a URL", file, g.Title)
			}
		}
		if one := face.Pictures(nil, after, review, label); len(one) != 1 || one[0].Title != "working tree" {
			t.Errorf("%s: nothing deployed: %d pictures", file, len(one))
		}
	}
}

func inWords(g *graph.Graph) string {
	var b strings.Builder
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "  %s %s %s [%s]\n", [...]string{" ", "+", "~", "-"}[n.Mark], n.Badge, n.Label, n.Detail)
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "    %s %s -> %s %s\n", g.Nodes[e.From].Label, strings.Join(e.Verbs, ","), g.Nodes[e.To].Badge, g.Nodes[e.To].Label)
	}
	return b.String()
}
