package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tableWidth is what every table fits in, whatever the terminal: its output is
// the same bytes in a pipe, in CI and in a review.
const tableWidth = 80

// table is text in columns. A row's indentation is that of its first cell;
// a row with one cell runs over the whole width.
type table struct {
	header []string
	right  []bool // columns that are aligned to the right
	rows   [][]string
}

const (
	columnGap = 2
	narrowest = 8 // columns are not squeezed below this
)

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// print writes the table; heading paints its first line.
func (t *table) print(w io.Writer, heading func(string) string) error {
	var b bytes.Buffer
	widths := t.widths()
	for i, line := range t.lines(widths, t.header) {
		if i == 0 {
			line = heading(line)
		}
		b.WriteString(line + "\n")
	}
	for _, row := range t.rows {
		for _, line := range t.lines(widths, row) {
			b.WriteString(line + "\n")
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// widths gives each column what it asks for, and takes from the widest ones
// while all together are too wide.
func (t *table) widths() []int {
	widths := make([]int, len(t.header))
	total := -columnGap
	for i := range widths {
		widths[i] = utf8.RuneCountInString(t.header[i])
		for _, row := range t.rows {
			if len(row) > 1 && i < len(row) {
				widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
			}
		}
		total += widths[i] + columnGap
	}
	for ; total > tableWidth; total-- {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= narrowest {
			break
		}
		widths[widest]--
	}
	return widths
}

// lines lays one row out; a cell that is too long goes on below itself.
func (t *table) lines(widths []int, row []string) []string {
	if len(row) == 1 {
		return wrap(printable(row[0]), tableWidth)
	}
	var cells [][]string
	height := 0
	for i, cell := range row {
		cells = append(cells, wrap(printable(cell), widths[i]))
		height = max(height, len(cells[i]))
	}
	lines := make([]string, height)
	for n := range lines {
		var b strings.Builder
		for i, cell := range cells {
			text := ""
			if n < len(cell) {
				text = cell[n]
			}
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(text)))
			if i < len(t.right) && t.right[i] {
				b.WriteString(pad + text)
			} else {
				b.WriteString(text + pad)
			}
			b.WriteString(strings.Repeat(" ", columnGap))
		}
		lines[n] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

// wrap cuts text into pieces of at most width characters, preferably behind a
// blank or a sign of punctuation. Pieces after the first are indented by two
// more than the first.
func wrap(text string, width int) []string {
	indent := strings.Repeat(" ", len(text)-len(strings.TrimLeft(text, " "))+2)
	var pieces []string
	rest := []rune(text)
	for len(rest) > width {
		cut := width
		for i := width; i > len(indent)+width/3; i-- {
			if strings.ContainsRune(" /-_.,:", rest[i-1]) {
				cut = i
				break
			}
		}
		pieces = append(pieces, strings.TrimRight(string(rest[:cut]), " "))
		rest = []rune(indent + strings.TrimLeft(string(rest[cut:]), " "))
		if len(indent) >= width { // no room to indent in
			rest = rest[len(indent):]
		}
	}
	return append(pieces, string(rest))
}

// printable keeps what others say from steering the terminal; some characters may
// be left as they are.
func printable(text string, but ...rune) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && !slices.Contains(but, r) {
			return '\uFFFD'
		}
		return r
	}, text)
}
