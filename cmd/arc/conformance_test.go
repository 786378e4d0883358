package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConformanceTable holds the tables of docs/local-cloud.md and docs/states.md
// that name tests to the tests that there are.
func TestConformanceTable(t *testing.T) {
	for _, page := range []string{"local-cloud.md", "states.md"} {
		conforms(t, page)
	}
}

func conforms(t *testing.T, page string) {
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, pattern := range []string{"*_test.go", "../../*/*_test.go", "../../*/*/*_test.go", "../../*/*/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(source)
		}
	}
	var named [][]string
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) == 6 { // behaviour, AWS, here, test
			named = append(named, regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(cells[4], -1)...)
		}
	}
	for _, m := range named {
		if !strings.Contains(code.String(), "func "+m[1]+"(t *testing.T)") {
			t.Errorf("docs/%s names %s, which there is not", page, m[1])
		}
	}
	if len(named) == 0 {
		t.Errorf("docs/%s names no test", page)
	}
}
