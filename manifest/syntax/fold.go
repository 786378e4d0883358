package syntax

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Fold breaks the lines of a text that are wider than a terminal, between words, and
// indents what goes on below; 0 columns = it is no terminal, and nothing is broken. A word
// stays whole, however long: a URL, a path, a name. So does what must not be copied in
// part: a command's flags are on the line of the command, and a line that goes on with a
// backslash is left as it is. Colours have no width.
func Fold(text string, columns int) string {
	if columns <= 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		command := strings.HasSuffix(line, `\`) || i > 0 && strings.HasSuffix(lines[i-1], `\`)
		if visible(line) > columns && !command {
			lines[i] = foldLine(line, columns)
		}
	}
	return strings.Join(lines, "\n")
}

func foldLine(line string, columns int) string {
	words := strings.TrimLeft(line, " ")
	indent := len(line) - len(words)
	below := strings.Repeat(" ", indent+2)
	if label, _, ok := strings.Cut(words, " "); ok && visible(label) == len("hint:") && strings.Contains(label, "hint:") {
		below = strings.Repeat(" ", indent+len("hint: ")) // under the text, and not under the word
	}
	var b strings.Builder
	b.WriteString(line[:indent])
	at, first := indent, true
	for _, piece := range pieces(words) {
		width := visible(piece)
		switch {
		case first:
			first = false
		case at+1+width > columns:
			b.WriteString("\n" + below)
			at = len(below)
		default:
			b.WriteString(" ")
			at++
		}
		b.WriteString(piece)
		at += width
	}
	return b.String()
}

// pieces are the parts of a line between which it may be broken.
func pieces(line string) (all []string) {
	for _, word := range strings.Split(line, " ") {
		if last := len(all) - 1; last >= 0 && together(all[last], word) {
			all[last] += " " + word
			continue
		}
		all = append(all, word)
	}
	return all
}

// together reports whether a word belongs to what stands before it: a subcommand to its
// program, a flag to its command, its value to a flag. Half of arc destroy --local is
// another command.
func together(before, word string) bool {
	last := before[strings.LastIndexByte(before, ' ')+1:]
	programs := []string{"arc", "aws", "npm", "npx", "git"}
	return strings.HasPrefix(word, "-") && len(word) > 1 || strings.HasPrefix(last, "-") && len(last) > 1 || slices.Contains(programs, strings.Trim(last, "(\"`"))
}

// visible is how many columns a line takes.
func visible(line string) int {
	n := 0
	for len(line) > 0 {
		if strings.HasPrefix(line, "\x1b[") {
			_, rest, closed := strings.Cut(line, "m")
			if !closed {
				return n
			}
			line = rest
			continue
		}
		r, size := utf8.DecodeRuneInString(line)
		line = line[size:]
		n++
		if isWide(r) {
			n++
		}
	}
	return n
}
