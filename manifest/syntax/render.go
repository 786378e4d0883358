package syntax

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Sort puts diagnostics in file order and drops repetitions.
func (ds *Diagnostics) Sort() {
	slices.SortStableFunc(*ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	*ds = slices.Compact(*ds)
}

// sourceLine is a line of a file (1-based) as the lexer counts lines.
func sourceLine(src []byte, n int) (string, bool) {
	text := string(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")))
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return "", false
	}
	return lines[n-1], true
}

func (ds Diagnostics) render(w io.Writer, sources map[string][]byte) error {
	var b bytes.Buffer
	for _, d := range ds {
		severity := ""
		if d.Severity == Warning {
			severity = "warning: "
		}
		place := d.Pos.String()
		if place != "" {
			place += ": "
		}
		fmt.Fprintf(&b, "%s%s%s\n", place, severity, d.Message)
		if text, ok := sourceLine(sources[d.Pos.File], d.Pos.Line); ok && d.Pos.IsValid() {
			quote(&b, text, d)
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", d.Hint)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// quote prints the line and a caret under what is wrong.
func quote(b *bytes.Buffer, text string, d Diagnostic) {
	runes := []rune(text)
	lead := min(d.Pos.Col-1, len(runes))
	marks := 1
	if d.End.Line == d.Pos.Line && d.End.Col > d.Pos.Col {
		marks = d.End.Col - d.Pos.Col
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(runes[:lead]))
	shown := strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r == 0x7f) {
			return '�'
		}
		return r
	}, text)
	fmt.Fprintf(b, "    %s\n    %s^%s\n", shown, pad, strings.Repeat("~", max(0, marks-1)))
}
