package diff_test

import (
	"path/filepath"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/face"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestTemplates reads testdata/templates/*.txtar: a template of whatever tool
// before and after an edit, the verdict that a person worked out from AWS's
// documentation, and perhaps words that must be said. There is no -update for
// these. Whatever the faces print
// of them holds no secret.
func TestTemplates(t *testing.T) {
	files, err := filepath.Glob("testdata/templates/*.txtar")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d cases, want 40 at least: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var sides []*cfn.Document
			for _, f := range ar.Files[:2] {
				doc, err := cfn.Parse(f.Data)
				if err != nil {
					t.Fatalf("%s: %v", f.Name, err)
				}
				sides = append(sides, doc)
			}
			review := diff.Compose(sides[0], sides[1], diff.Options{})
			if d := cmp.Diff(strings.TrimSpace(string(ar.Files[2].Data)), verdictOf(review)); d != "" {
				var b strings.Builder
				if err := face.Text(&b, review, face.TextOptions{}); err != nil {
					t.Fatal(err)
				}
				t.Errorf("-want +got\n%s\n%s", d, b.String())
			}
			if len(ar.Files) > 3 {
				says(t, review, string(ar.Files[3].Data))
			}
			if review.Verdict != diff.NoChanges && len(review.Groups) == 0 {
				t.Error("there are changes, and not a word about them")
			}
			for ext, print := range faces {
				var b strings.Builder
				if err := print(&b, review); err != nil {
					t.Fatal(err)
				}
				for _, secret := range []string{"hunter2", "oldp", "newp", "oldsecret", "newsecret", "oldtok", "newtok", "oldpass", "newpass", "oldacc", "newacc"} {
					if strings.Contains(b.String(), secret) {
						t.Errorf("%s shows %s", ext, secret)
					}
				}
			}
		})
	}
}

// says checks that each line stands somewhere in the text.
func says(t *testing.T, review *diff.Review, lines string) {
	t.Helper()
	var b strings.Builder
	if err := face.Text(&b, review, face.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		if !strings.Contains(b.String(), line) {
			t.Errorf("nowhere is said: %s\n%s", line, b.String())
		}
	}
}
