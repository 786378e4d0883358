package diff_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/face"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite goldens")

// TestText reads testdata/*.txtar: two templates (before, after) and the text
// that Compare and Text make of them.
func TestText(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, after := parse(t, ar.Files[0].Data), parse(t, ar.Files[1].Data)
			var got bytes.Buffer
			if err := face.Text(&got, diff.Compose(before, after, diff.Options{}), face.TextOptions{Resources: true}); err != nil {
				t.Fatal(err)
			}
			if *update {
				ar.Files = append(ar.Files[:2], txtar.File{Name: "want", Data: got.Bytes()})
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(ar.Files[2].Data), got.String()); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if back := diff.Compose(after, after, diff.Options{}); back.Verdict != diff.NoChanges {
				t.Errorf("a template differs from itself: %v", back.Groups)
			}
		})
	}
}

func parse(t *testing.T, data []byte) *cfn.Document {
	t.Helper()
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	doc, err := cfn.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
