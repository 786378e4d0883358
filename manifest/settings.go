package manifest

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"arc/manifest/syntax"
)

// line is one "key value…" of a pragma or of a map, however it was spelled: on
// one line, or as a key with a list below it.
type line struct {
	key     syntax.Value
	values  []syntax.Value
	entries []syntax.Entry // the key heads a map
}

// where marks the first value, or the key when there is none.
func (ln line) where() span {
	if len(ln.values) > 0 {
		return at(ln.values[0])
	}
	return at(ln.key)
}

// text is the line's values as one string.
func (ln line) text() string {
	return joinValues(ln.values)
}

// written is the line's value as it stands in the file, word by word.
func (ln line) written() string {
	words := make([]string, len(ln.values))
	for i, v := range ln.values {
		words[i] = v.Text
	}
	return strings.Join(words, " ")
}

func joinValues(vs []syntax.Value) string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = plain(v)
	}
	return strings.Join(words, " ")
}

// plain is a word as Architect sees it after reading: a number loses its
// leading zeros, so cron(0 06 …) becomes cron(0 6 …).
func plain(v syntax.Value) string {
	if v.Kind == syntax.Number && !math.IsInf(v.Num, 0) {
		return strconv.FormatFloat(v.Num, 'f', -1, 64)
	}
	return v.Text
}

func itemLine(it *syntax.Item) line {
	ln := line{key: it.Values[0], values: it.Values[1:]}
	switch it.Kind {
	case syntax.Vector:
		ln.values = it.List
	case syntax.Map:
		ln.entries = it.Entries
	}
	return ln
}

func pragmaLines(p *syntax.Pragma) []line {
	lines := make([]line, len(p.Items))
	for i, it := range p.Items {
		lines[i] = itemLine(it)
	}
	return lines
}

func entryLines(es []syntax.Entry) []line {
	lines := make([]line, len(es))
	for i, e := range es {
		lines[i] = line{key: e.Key, values: e.Values}
	}
	return lines
}

// settingOf finds the setting that ln sets in spec. For an unknown one it
// warns and gives nil: Architect ignores those, so they may be there.
func (l *loader) settingOf(spec *pragmaSpec, ln line) *setting {
	s := spec.setting(ln.key.Text)
	if s == nil && !spec.open {
		names := spec.keyNames()
		hint := nearHint(ln.key.Text, names, "@"+spec.name+" knows "+strings.Join(names, ", "))
		if home := homeOf(ln.key.Text); home != "" {
			hint = home
		}
		but := ""
		if l.pragma("plugins") != nil || l.pragma("macros") != nil {
			but = " but what a plugin makes of it"
		}
		l.warnf(at(ln.key), "unknown-setting", hint, "@%s has no setting %s, so it has no effect%s", spec.name, ln.key.Text, but)
	}
	return s
}

// homeOf says where a setting that stands in the wrong pragma belongs; "" when
// no pragma has it.
func homeOf(name string) string {
	if findPragma(pragmas, name) != nil {
		return "write a pragma @" + name
	}
	for _, p := range pragmas {
		if p.form == formSettings && p.setting(name) != nil {
			return "move it to @" + p.name
		}
	}
	return ""
}

// repeats warns when a setting is given twice: only the last counts.
func (l *loader) repeats(seen map[string]syntax.Value, name string, ln line) {
	if first, ok := seen[name]; ok {
		l.warnf(at(ln.key), "repeated-setting", "remove one of the two",
			"%s is set at %s already; this one counts", name, first.Pos)
	}
	seen[name] = ln.key
}

// single gives the only value of a line, or reports that there are none or
// several.
func (l *loader) single(s *setting, ln line) (syntax.Value, bool) {
	if len(ln.values) == 1 {
		return ln.values[0], true
	}
	if len(ln.values) == 0 {
		l.errorf(at(ln.key), "setting-value", usage(s), "%s has no value", ln.key.Text)
	} else {
		l.errorf(atAll(ln.values), "setting-value", usage(s), "%s takes one value, but has %d", ln.key.Text, len(ln.values))
	}
	return syntax.Value{}, false
}

func usage(s *setting) string {
	switch {
	case s.typ == integerValue:
		return "write " + s.name + " " + s.nearest("")
	case len(s.choices) > 0:
		return "write " + s.name + " and one of " + strings.Join(s.choices, ", ")
	case s.typ == booleanValue:
		return "write " + s.name + " true or " + s.name + " false"
	}
	return "write " + s.name + " and a value after it"
}

func (l *loader) textSetting(s *setting, ln line, to *string) {
	if v, ok := l.single(s, ln); ok {
		*to = v.Text
	}
}

func (l *loader) integerSetting(s *setting, ln line, to *int) bool {
	v, ok := l.single(s, ln)
	if !ok {
		return false
	}
	// A quoted 256 is a string in every spelling; what is meant is plain.
	n, err := strconv.ParseFloat(v.Text, 64)
	if v.Kind == syntax.Number {
		n, err = v.Num, nil
	}
	if err != nil || n != math.Trunc(n) || n < float64(s.min) || n > float64(s.max) {
		limits := "from " + strconv.Itoa(s.min) + " to " + strconv.Itoa(s.max)
		if s.max >= 1<<20 {
			limits = "from " + strconv.Itoa(s.min) + " up"
		}
		if s.unit != "" {
			limits += " " + s.unit
		}
		hint := "write " + s.name + " " + s.nearest(v.Text)
		if len(s.choices) > 0 {
			hint += ", or " + strings.Join(s.choices, ", ")
		}
		l.errorf(at(v), "setting-range", hint,
			"%s must be a whole number %s, but is %s", s.name, limits, v.Text)
		return false
	}
	*to = int(n)
	return true
}

// nearest is the legal number nearest to what text starts with.
func (s *setting) nearest(text string) string {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.Atoi(text[:digits])
	switch {
	case err != nil && s.example != "":
		return s.example
	case err != nil:
		n = s.min
	}
	return strconv.Itoa(min(max(n, s.min), s.max))
}

func (l *loader) booleanSetting(s *setting, ln line, to *bool) bool {
	v, ok := l.single(s, ln)
	if !ok {
		return false
	}
	switch {
	case v.Kind == syntax.Bool:
		*to = v.Bool
	case strings.EqualFold(v.Text, "true"):
		*to = true
	case strings.EqualFold(v.Text, "false"):
		*to = false
	default:
		l.errorf(at(v), "setting-boolean", usage(s), "%s must be true or false, but is %s", s.name, v.Text)
		return false
	}
	return true
}

func (l *loader) choiceSetting(s *setting, ln line, to *string) bool {
	v, ok := l.single(s, ln)
	if !ok {
		return false
	}
	if !slices.Contains(s.choices, v.Text) {
		l.errorf(at(v), "setting-choice", nearHint(v.Text, s.choices, usage(s)),
			"%s cannot be %s", s.name, v.Text)
		return false
	}
	*to = v.Text
	return true
}
