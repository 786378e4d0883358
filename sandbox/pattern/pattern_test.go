package pattern_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"arc/sandbox/pattern"
)

// TestMatch reads testdata/match.txt: a pattern, and below it events with a +
// (matches) or a - in front. A pattern with ! in front is none.
func TestMatch(t *testing.T) {
	file, err := os.Open("testdata/match.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var p *pattern.Pattern
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "!"):
			if _, err := pattern.Parse([]byte(line[1:])); err == nil {
				t.Errorf("line %d: is a pattern", n)
			}
		case strings.HasPrefix(line, "\t"):
			if got, want := p.Match([]byte(line[2:])), line[1] == '+'; got != want {
				t.Errorf("line %d: matches: %v", n, got)
			}
		default:
			if p, err = pattern.Parse([]byte(line)); err != nil {
				t.Fatalf("line %d: %v", n, err)
			}
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add([]byte(`{"detail":{"a":[{"anything-but":{"prefix":["x"]}}],"$or":[{"b":[1]},{"c":[{"numeric":[">",0]}]}]}}`), []byte(`{"detail":{"a":["y",{"b":1}]}}`))
	f.Add([]byte(`{"a":[{"wildcard":"x*y\\*"}]}`), []byte(`{"a":"xyy*"}`))
	f.Fuzz(func(t *testing.T, text, event []byte) {
		if p, err := pattern.Parse(text); err == nil {
			p.Match(event)
		}
	})
}
