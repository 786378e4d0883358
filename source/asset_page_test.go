package source

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// TestPagesFitAnyScreen: every page that arc makes is as wide as a phone, and as dark as
// its owner likes it.
func TestPagesFitAnyScreen(t *testing.T) {
	pages := 0
	for _, room := range []string{".", "../sandbox", "../cfn", "../cmd/arc", "../graph"} {
		err := fs.WalkDir(os.DirFS(room), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules") {
				if err == nil {
					err = fs.SkipDir
				}
				return err
			}
			if d.IsDir() || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path.Join(room, name))
			if err != nil {
				return err
			}
			for _, page := range strings.Split(strings.ToLower(string(text)), "<!doctype html>")[1:] {
				pages++
				page, _, _ = strings.Cut(page, "</head>")
				for _, want := range []string{`<meta name="viewport" content="width=device-width, initial-scale=1">`, "color-scheme"} {
					if !strings.Contains(page, want) {
						t.Errorf("%s: a page without %s", path.Join(room, name), want)
					}
				}
				if strings.Contains(page, "prefers-color-scheme") && strings.Count(page, "color-scheme") == strings.Count(page, "prefers-color-scheme") {
					t.Errorf("%s: a page whose scroll bars and fields stay light", path.Join(room, name))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if pages < 10 {
		t.Errorf("only %d pages found", pages)
	}
}
