package diff_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/cfn/diff"
	"arc/cfn/diff/face"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// faces are the ways a review is printed; the key ends the golden's name.
var faces = map[string]func(w io.Writer, r *diff.Review) error{
	".text": func(w io.Writer, r *diff.Review) error { return face.Text(w, r, face.TextOptions{}) },
	".narrow.text": func(w io.Writer, r *diff.Review) error {
		return face.Text(w, r, face.TextOptions{Width: 60, Resources: true, Paint: func(sign, text string) string { return "<" + sign + ">" + text + "</>" }})
	},
	".md":    func(w io.Writer, r *diff.Review) error { return face.Markdown(w, r, false) },
	".json":  face.JSON,
	".sarif": func(w io.Writer, r *diff.Review) error { return face.SARIF(w, r, "app.arc") },
	".html": func(w io.Writer, r *diff.Review) error {
		return face.HTML(w, r, []face.Graph{{Title: "before", SVG: []byte("<svg/>")}, {Title: "after", SVG: []byte("<svg/>")}})
	},
}

// TestFaces reads testdata/changes/*.txtar: an edit of one of testdata/apps.
// Files below edit/ are hunks of the app's files (" " stays, "-" goes, "+"
// comes), files below new/ come. Every face's golden stands beside. Those of
// testdata/cost have a line "cost REGION", and an estimate.
func TestFaces(t *testing.T) {
	files, err := filepath.Glob("testdata/changes/*.txtar")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d cases, want 12 at least: %v", len(files), err)
	}
	estimated, err := filepath.Glob("testdata/cost/*.txtar")
	if err != nil || len(estimated) == 0 {
		t.Fatalf("no cases with an estimate: %v", err)
	}
	files = append(files, estimated...)
	for _, file := range files {
		name := strings.TrimSuffix(file, ".txtar")
		t.Run(strings.TrimPrefix(filepath.ToSlash(name), "testdata/"), func(t *testing.T) {
			review := reviewOf(t, file)
			for ext, print := range faces {
				var got bytes.Buffer
				if err := print(&got, review); err != nil {
					t.Fatal(err)
				}
				golden(t, name+ext, got.Bytes())
			}
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s: run go test ./cfn/diff -update and read the difference\n%s", file, d)
	}
}

// reviewOf makes the review of a case.
func reviewOf(t testing.TB, file string) *diff.Review {
	t.Helper()
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	app, first, region := "", false, ""
	codes := map[string]bool{}
	for _, line := range strings.Split(string(ar.Comment), "\n") {
		switch words := strings.Fields(line); {
		case len(words) == 2 && words[0] == "app":
			app = words[1]
		case len(words) == 2 && words[0] == "cost":
			region = words[1]
		case len(words) == 1 && words[0] == "first":
			first = true
		case len(words) == 3 && words[0] == "code":
			codes[words[1]] = true
		}
	}
	sides := &txtar.Archive{Comment: ar.Comment}
	root := os.DirFS(filepath.Join("../../testdata/apps", app))
	edits := map[string][]byte{}
	for _, f := range ar.Files {
		if name, ok := strings.CutPrefix(f.Name, "edit/"); ok {
			edits[name] = f.Data
		}
		if name, ok := strings.CutPrefix(f.Name, "new/"); ok {
			sides.Files = append(sides.Files, txtar.File{Name: "after/" + name, Data: f.Data})
		}
	}
	err = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		}
		data, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		if !first {
			sides.Files = append(sides.Files, txtar.File{Name: "before/" + path, Data: data})
		}
		after := data
		if edit, ok := edits[path]; ok {
			after = applyEdit(t, path, data, edit)
		}
		for dir := range codes {
			if strings.HasPrefix(path, dir+"/") {
				after = append(bytes.Clone(after), "// and more\n"...)
			}
		}
		sides.Files = append(sides.Files, txtar.File{Name: "after/" + path, Data: after})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before, _ := compileSide(t, sides, "before/")
	after, stack := compileSide(t, sides, "after/")
	return diff.Compose(before, after, diff.Options{
		Stack: stack.Name, Before: "main", After: "working tree", Origin: originOf(stack), Name: nameOf(stack),
		Now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Code: someCode, Cost: region,
	})
}

// someCode makes up what is in a bundle.
func someCode(key string) (diff.Code, bool) {
	key = path.Base(key)
	if !strings.HasPrefix(key, "src-http-get-index-") {
		return diff.Code{}, false
	}
	n := int64(len(key))
	version := key[len(key)-len("0.zip") : len(key)-len(".zip")]
	return diff.Code{Size: 1200 * n, Files: map[string]string{"index.mjs": key, "lib/same.mjs": "x", "node_modules/left-pad/index.js": key},
		Packages: map[string]string{"left-pad": "1.0." + version}}, true
}

func applyEdit(t testing.TB, path string, data, edit []byte) []byte {
	t.Helper()
	for _, hunk := range strings.Split(strings.TrimRight(string(edit), "\n"), "\n\n") {
		var old, new strings.Builder
		for _, line := range strings.Split(hunk, "\n") {
			text := strings.TrimPrefix(line[1:], " ")
			if line[0] != '+' {
				old.WriteString(text + "\n")
			}
			if line[0] != '-' {
				new.WriteString(text + "\n")
			}
		}
		if strings.Count(string(data), old.String()) == 0 {
			t.Fatalf("%s has no lines\n%s", path, old.String())
		}
		data = []byte(strings.Replace(string(data), old.String(), new.String(), 1))
	}
	return data
}

// TestOriginal compares the template that Architect 11 makes of the seed app,
// expanded by AWS's translator, with ours: an existing stack keeps its data and
// its addresses.
func TestOriginal(t *testing.T) {
	data, err := os.ReadFile("testdata/original/seed.json")
	if err != nil {
		t.Fatal(err)
	}
	before := parse(t, data)
	ar := &txtar.Archive{}
	root := os.DirFS("../../testdata/apps/seed")
	for _, name := range []string{"app.arc", "src/http/get-index/index.mjs"} {
		file, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		ar.Files = append(ar.Files, txtar.File{Name: "after/" + name, Data: file})
	}
	after, stack := compileSide(t, ar, "after/")
	review := diff.Compose(before, after, diff.Options{Stack: stack.Name, Before: "Architect", After: "arc", Origin: originOf(stack), Name: nameOf(stack)})
	if review.Has([]diff.Class{diff.DataLoss, diff.Replaced, diff.Exposure, diff.Refused}) {
		t.Error(review.Headline())
	}
	var got bytes.Buffer
	if err := face.Text(&got, review, face.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/original/seed.text", got.Bytes())
}
