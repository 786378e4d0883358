package syntax

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Sort puts diagnostics in file order and drops repetitions.
func (ds *Diagnostics) Sort() {
	slices.SortStableFunc(*ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	said := make(map[Diagnostic]bool, len(*ds)) // others may stand between, at the same place
	*ds = slices.DeleteFunc(*ds, func(d Diagnostic) bool {
		before := said[d]
		said[d] = true
		return before
	})
}

// String is the word that --json has for a severity.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalJSON gives what a machine reads of a diagnostic: file, line, column,
// endLine, endColumn, severity, code, message and hint. What is not known is
// left out.
func (d Diagnostic) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		File      string `json:"file,omitempty"`
		Line      int    `json:"line,omitempty"`
		Column    int    `json:"column,omitempty"`
		EndLine   int    `json:"endLine,omitempty"`
		EndColumn int    `json:"endColumn,omitempty"`
		Severity  string `json:"severity"`
		Code      string `json:"code"`
		Message   string `json:"message"`
		Hint      string `json:"hint,omitempty"`
	}{d.Pos.File, d.Pos.Line, d.Pos.Col, d.End.Line, d.End.Col, d.Severity.String(), d.Code, d.Message, d.Hint})
}

// sourceLines are the lines of a file as the lexer counts them.
func sourceLines(src []byte) []string {
	text := strings.TrimPrefix(string(src), byteOrderMark)
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	return strings.Split(text, "\n")
}

func (ds Diagnostics) render(w io.Writer, sources map[string][]byte, columns int) error {
	quoted := quoteWidth
	if columns > 0 {
		quoted = max(20, min(quoted, columns-6))
	}
	lines := map[string][]string{}
	for file, src := range sources {
		lines[file] = sourceLines(src)
	}
	var b bytes.Buffer
	// Many mistakes of one long line (JSON without a line break) ask for it again and again.
	var line struct {
		file  string
		n     int
		runes []rune
	}
	for _, d := range ds {
		said := printable(d.Message) + "\n"
		if d.Severity == Warning {
			said = "warning: " + said
		}
		if place := d.Pos.String(); place != "" {
			said = printable(place) + ": " + said
		}
		b.WriteString(Fold(said, columns))
		if in := lines[d.Pos.File]; d.Pos.IsValid() && d.Pos.Line <= len(in) && !blank(in[d.Pos.Line-1]) {
			if line.runes == nil || line.file != d.Pos.File || line.n != d.Pos.Line {
				line.file, line.n, line.runes = d.Pos.File, d.Pos.Line, []rune(in[d.Pos.Line-1])
			}
			quote(&b, line.runes, d, quoted)
		}
		for frame := range strings.Lines(d.Stack) {
			fmt.Fprintf(&b, "    %s\n", printable(strings.TrimRight(frame, "\r\n")))
		}
		if d.Hint != "" {
			b.WriteString(Fold(fmt.Sprintf("  hint: %s\n", printable(d.Hint)), columns))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// quoteWidth bounds a quoted line, in characters; a longer one is cut on both
// sides of what is marked.
const quoteWidth = 90

// blank asks whether a line holds nothing but white space.
func blank(line string) bool {
	return strings.IndexFunc(line, func(r rune) bool { return !unicode.IsSpace(r) }) < 0
}

// quote prints the line, cut to quoteWidth, and a caret under what is wrong.
func quote(b *bytes.Buffer, runes []rune, d Diagnostic, quoteWidth int) {
	from := max(0, min(d.Pos.Col-1, len(runes)))
	to := from + 1
	switch {
	case d.End.Line == d.Pos.Line && d.End.Col > d.Pos.Col:
		to = d.End.Col - 1
	case d.End.Line > d.Pos.Line:
		to = len(runes) // the marked text goes on below
	}
	to = max(min(to, len(runes)), from)
	if len(runes) > quoteWidth {
		begin := max(0, min(from-quoteWidth/3, len(runes)-quoteWidth))
		end := min(begin+quoteWidth, len(runes))
		cut := make([]rune, 0, quoteWidth+2)
		if begin > 0 {
			cut = append(cut, '…')
			from, to = from-begin+1, to-begin+1
		}
		cut = append(cut, runes[begin:end]...)
		if end < len(runes) {
			cut = append(cut, '…')
		}
		runes = cut
		to = min(to, len(runes))
	}
	fmt.Fprintf(b, "    %s\n    %s^%s\n", strings.TrimRight(printable(string(runes)), " \t"),
		under(runes[:from], " "), under(runes[min(from+1, to):to], "~"))
}

// printable shows characters that would move the cursor or turn the text
// around as signs.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == ' ' || unicode.IsPrint(r):
			return r
		case r < ' ':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		}
		return unicode.ReplacementChar
	}, text)
}

// under repeats sign below runes: twice below wide ones, and tabs as tabs.
func under(runes []rune, sign string) string {
	var b strings.Builder
	for _, r := range runes {
		switch {
		case r == '\t' && sign == " ":
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		case isWide(r):
			b.WriteString(sign + sign)
		default:
			b.WriteString(sign)
		}
	}
	return b.String()
}

// isWide tells the characters that take two columns of a terminal.
func isWide(r rune) bool {
	return r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
		r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd)
}
