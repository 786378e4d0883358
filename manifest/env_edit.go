package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"arc/manifest/syntax"
)

// errUnwritable tells a value that the file's form cannot hold.
var errUnwritable = errors.New("this value cannot be written there so that it is read as it is")

// EditDotenv gives the text of .env with a variable set, or with value nil
// without it. Everything else in it stays as it is, comments too.
func EditDotenv(src []byte, name string, value *string) ([]byte, error) {
	text := plainLines(string(src))
	lines := scanDotenv(text)
	wanted := ""
	if value != nil {
		var err error
		if wanted, err = dotenvQuoted(*value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	set := false
	for i := len(lines) - 1; i >= 0; i-- { // from behind, so that places stay right
		ln := lines[i]
		switch {
		case ln.name != name:
		case value == nil || set: // of several the last one counts
			text = text[:ln.from] + text[ln.to:]
		default:
			set = true
			text = text[:ln.valueFrom] + wanted + text[ln.valueTo:]
		}
	}
	if value != nil && !set {
		text = onLineOfItsOwn(text) + name + "=" + wanted + "\n"
	}
	if value != nil && !dotenvHas(text, name, *value) {
		return nil, fmt.Errorf("%s: %w", name, errUnwritable)
	}
	return likeBefore(src, text), nil
}

// dotenvQuoted writes a value for .env.
func dotenvQuoted(value string) (string, error) {
	escaped := strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(value)
	for _, written := range []string{value, "'" + value + "'", "\"" + value + "\"", "`" + value + "`", "\"" + escaped + "\""} {
		if dotenvHas("X="+written+"\n", "X", value) {
			return written, nil
		}
	}
	return "", errUnwritable
}

func dotenvHas(text, name, value string) bool {
	found := false
	for _, ln := range scanDotenv(plainLines(text)) {
		if ln.name == name {
			found = !ln.open && ln.value == value
		}
	}
	return found
}

// EditPreferences gives the text of a preferences file with a variable of a
// stage set, or with value nil without it. Everything else in it stays as it is,
// comments too.
func EditPreferences(src []byte, stage, name string, value *string) ([]byte, error) {
	e := &envEdit{text: plainLines(string(src))}
	pragma, err := e.env()
	if err != nil {
		return nil, err
	}
	var item *syntax.Item
	if pragma != nil {
		for _, it := range pragma.Items {
			if it.Name().Text == stage {
				item = it // of several the last one counts
			}
		}
	}
	if item != nil && item.Kind != syntax.Map && len(item.Values)+len(item.List) > 1 {
		return nil, fmt.Errorf("%s: the variables of %s stand beside it: put each on a line of its own below it, NAME and value", item.Pos, stage)
	}
	var entry *syntax.Entry
	if item != nil {
		for i := range item.Entries {
			if item.Entries[i].Key.Text == name {
				entry = &item.Entries[i]
			}
		}
	}
	line := ""
	if value != nil {
		line = name + " " + syntax.Quoted(*value)
	}
	switch {
	case value == nil && entry == nil:
		return src, nil
	case value == nil:
		end := entry.Key.End
		if len(entry.Values) > 0 {
			end = entry.Values[len(entry.Values)-1].End
		}
		e.cut(e.lineStart(entry.Key.Pos), e.lineEnd(end))
	case entry != nil:
		e.replace(e.at(entry.Key.Pos), e.at(entry.Values[len(entry.Values)-1].End), line)
	case item != nil && len(item.Entries) > 0:
		last := item.Entries[len(item.Entries)-1]
		e.insert(e.lineEnd(last.Values[len(last.Values)-1].End), strings.Repeat(" ", last.Key.Pos.Col-1)+line+"\n")
	case item != nil:
		e.insert(e.lineEnd(item.Name().End), "  "+line+"\n")
	case pragma != nil:
		e.insert(e.lineEnd(pragma.Pos), stage+"\n  "+line+"\n")
	default:
		if e.text != "" {
			e.text = onLineOfItsOwn(e.text) + "\n"
		}
		e.text += "@env\n" + stage + "\n  " + line + "\n"
	}
	if value != nil && !e.has(stage, name, *value) {
		return nil, fmt.Errorf("%s: %w", name, errUnwritable)
	}
	return likeBefore(src, e.text), nil
}

// envEdit is the text of a preferences file on its way to another.
type envEdit struct{ text string }

// env reads the file's @env; nil when there is none.
func (e *envEdit) env() (*syntax.Pragma, error) {
	if strings.TrimSpace(e.text) == "" {
		return nil, nil
	}
	f, ds := syntax.Parse("", []byte(plainLines(e.text)))
	if ds.HasErrors() {
		// Its line may hold a secret, so that it is not quoted here.
		return nil, errors.New("the preferences have mistakes, which arc check tells: correct them first")
	}
	var found *syntax.Pragma
	for _, p := range f.Pragmas {
		if p.Name == "env" {
			found = p
		}
	}
	return found, nil
}

func (e *envEdit) has(stage, name, value string) bool {
	p, err := e.env()
	if err != nil || p == nil {
		return false
	}
	found := false
	for _, it := range p.Items {
		if it.Name().Text != stage {
			continue
		}
		found = false
		for _, entry := range it.Entries {
			if entry.Key.Text == name {
				found = len(entry.Values) == 1 && entry.Values[0].Text == value
			}
		}
	}
	return found
}

// at is where a place is in the text.
func (e *envEdit) at(pos syntax.Pos) int {
	from := e.lineStart(pos)
	for range pos.Col - 1 {
		_, size := utf8.DecodeRuneInString(e.text[from:])
		from += size
	}
	return from
}

// lineStart is where a place's line begins.
func (e *envEdit) lineStart(pos syntax.Pos) int {
	from := 0
	for range pos.Line - 1 {
		from += strings.IndexByte(e.text[from:], '\n') + 1
	}
	return from
}

// lineEnd is where the line after a place's begins.
func (e *envEdit) lineEnd(pos syntax.Pos) int {
	from := e.lineStart(pos)
	if i := strings.IndexByte(e.text[from:], '\n'); i >= 0 {
		return from + i + 1
	}
	return len(e.text)
}

func (e *envEdit) cut(from, to int)                  { e.replace(from, to, "") }
func (e *envEdit) replace(from, to int, with string) { e.text = e.text[:from] + with + e.text[to:] }
func (e *envEdit) insert(at int, text string) {
	e.text = onLineOfItsOwn(e.text[:at]) + text + e.text[at:]
}

// onLineOfItsOwn ends the text's last line.
func onLineOfItsOwn(text string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

// likeBefore gives the text the mark and the ends of lines that it had.
func likeBefore(src []byte, text string) []byte {
	if bytes.Contains(src, []byte("\r\n")) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		text = "\ufeff" + text
	}
	return []byte(text)
}
