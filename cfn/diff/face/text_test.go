package face

import (
	"strings"
	"testing"
)

// TestNarrowest: from 20 columns of room on, text is wrapped; with less there is
// no use in it.
func TestNarrowest(t *testing.T) {
	for width, lines := range map[int]int{23: 1, 24: 3, 25: 3, 0: 1} {
		p := &textPrinter{TextOptions: TextOptions{Width: width}}
		p.line("    ", "", "one two three four five six seven eight nine")
		if got := strings.Count(p.b.String(), "\n"); got != lines {
			t.Errorf("%d columns: %d lines\n%s", width, got, p.b.String())
		}
	}
}
