package face

import (
	"strings"
	"testing"

	"arc/cfn/cost"
)

// TestCostInMarkdown: what has no room is counted, and what the estimate rests
// on stays.
func TestCostInMarkdown(t *testing.T) {
	d := &cost.Delta{Region: "us-east-1", Assumptions: []string{"a call takes 100 ms"}, LeftOut: []string{"traffic"}}
	for _, name := range []string{"a", "b", "c", "d"} {
		d.Monthly = append(d.Monthly, cost.Change{Action: "add", Subject: name, After: float64(len(d.Monthly) + 1), How: "how " + name})
	}
	var b strings.Builder
	markdownLevel{items: 3}.cost(&b, d)
	text := b.String()
	// A title, four changes and two sentences: three lines have room.
	for _, want := range []string{"| how b |\n\n- and 2 more\n- assumed: a call takes 100 ms\n", "how a", "how b", "a call takes 100 ms", "traffic"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "how c") || strings.Count(text, "| cost |") != 1 {
		t.Error(text)
	}
	if i, j := strings.Index(text, "and 2 more"), strings.Index(text, "- assumed"); i < 0 || j < i || strings.Contains(text[i:j], "|") {
		t.Error(text)
	}
}
