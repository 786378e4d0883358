package manifest

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maskEnv blanks the values below @env, character by character, so that a
// diagnostic that quotes the line prints no secret and its caret still lands
// right. It works on the bare text, for the line may be one that cannot be
// parsed.
func maskEnv(src []byte) []byte {
	if !bytes.Contains(src, []byte("@env")) {
		return src
	}
	lines := strings.SplitAfter(string(src), "\n")
	inside, quote := false, byte(0)
	for i, line := range lines {
		text := strings.TrimSpace(line)
		if quote == 0 && strings.HasPrefix(text, "@") {
			inside = strings.TrimSpace(strings.SplitN(text, "#", 2)[0]) == "@env"
			continue
		}
		if !inside {
			continue
		}
		from := 0
		if quote == 0 {
			from = len(line) - len(strings.TrimLeft(line, " \t"))
			// Deeper lines are values: a list below a name.
			if strings.ReplaceAll(line[:from], "\t", "  ") <= "  " {
				from += len(line[from:]) - len(strings.TrimLeft(line[from:], nameLetters))
			}
		}
		quote = openQuote(line[from:], quote)
		lines[i] = line[:from] + mask(line[from:])
	}
	return []byte(strings.Join(lines, ""))
}

const nameLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// openQuote is the quote that is still open after text, given the one before.
func openQuote(text string, quote byte) byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case c == quote:
			quote = 0
		case quote == 0 && c == '#':
			return 0
		case quote == 0 && (c == '"' || c == '\'' || c == '`') && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t'):
			quote = c
		}
	}
	return quote
}

// mask replaces everything but white space.
func mask(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			b.WriteRune(r)
		} else {
			b.WriteByte('*')
		}
		text = text[size:]
	}
	return b.String()
}
