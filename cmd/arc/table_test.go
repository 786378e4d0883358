package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestTableWidth lays out words of every length in tables of every shape.
func TestTableWidth(t *testing.T) {
	for columns := 1; columns <= 6; columns++ {
		for n := 0; n < 200; n += 7 {
			table := table{header: make([]string, columns), right: []bool{false, true}}
			row := make([]string, columns)
			for i := range row {
				row[i] = strings.Repeat(" ", i%3) + strings.Repeat("käse/brot-", n*(i+1)/10)
			}
			table.add(row...)
			var out bytes.Buffer
			if err := table.print(&out, func(s string) string { return s }); err != nil {
				t.Fatal(err)
			}
			letters := 0
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if got := len([]rune(line)); got > tableWidth {
					t.Fatalf("%d columns of up to %d characters: a line has %d", columns, n, got)
				}
				letters += len(strings.ReplaceAll(line, " ", ""))
			}
			if want := len(strings.ReplaceAll(strings.Join(row, ""), " ", "")); letters != want {
				t.Fatalf("%d columns of up to %d characters: %d bytes are printed of %d", columns, n, letters, want)
			}
		}
	}
}
