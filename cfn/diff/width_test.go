package diff_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"arc/cfn/diff/face"
)

// TestWidth: at every width no line is longer, unless the terminal is too
// narrow for anything, and no word is cut that has room on a line of its own.
func TestWidth(t *testing.T) {
	files, err := filepath.Glob("testdata/changes/*.txtar")
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		review := reviewOf(t, file)
		words := map[string]bool{}
		var whole bytes.Buffer
		if err := face.Text(&whole, review, face.TextOptions{Resources: true}); err != nil {
			t.Fatal(err)
		}
		for _, word := range strings.Fields(whole.String()) {
			words[word] = true
		}
		for _, width := range []int{40, 60, 80, 120, 200} {
			var b bytes.Buffer
			if err := face.Text(&b, review, face.TextOptions{Width: width, Resources: true}); err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(b.String(), "\n") {
				if utf8.RuneCountInString(line) > width {
					t.Errorf("%s at %d columns: %q", file, width, line)
				}
			}
			have := map[string]bool{}
			for _, word := range strings.Fields(b.String()) {
				have[word] = true
			}
			for word := range words {
				if !have[word] && utf8.RuneCountInString(word) <= width-len("      ! ") {
					t.Errorf("%s at %d columns: %q is cut", file, width, word)
				}
			}
		}
	}
}
