package registry

import (
	"slices"
	"strconv"
	"strings"
)

// Setting is a property that keeps a resource safe or at work, and what is to be
// said when a change takes that away.
type Setting struct {
	Path string // "ContainerDefinitions.*.Privileged"; * is every element of a list
	// Good is when the setting does what it is for: a value ("true"), any but one
	// ("!allow-all"), there at all ("set"), not there ("!set"), as before
	// ("same"), above nothing (">0"), not below what it was (">"), or not before
	// in a row from the weakest to the strongest ("TLS_1_0<TLS_1_2").
	Good    string
	Default string // the value when it is absent; "" = none that can be told
	Lost    string // "is no longer protected from deletion"
	Kind    Kind
}

// Kind is what a setting is for.
type Kind int

// The kinds. All but Runs, Grants and Opens are safeguards. Mutes is told of a
// resource that is new as well: what it takes something from is others.
const (
	Guards   Kind = iota
	Backs         // backups
	Locks         // protection from deletion
	Encrypts      // encryption
	Runs          // without it, something stops
	Grants        // what has it may do more than others of its type
	Opens         // it decides who gets in
	Mutes         // others are not heard of
)

// Value is what a template says of a setting: nothing, a text, or something that
// only AWS can evaluate.
type Value struct {
	Text           string
	Absent, Unsure bool
}

// IsLost reports whether a change from before to after takes away what the setting
// is for. sure is false when that depends on what after evaluates to.
func (s Setting) IsLost(before, after Value) (lost, sure bool) {
	fill := func(v Value) Value {
		if v.Absent && s.Default != "" {
			return Value{Text: s.Default}
		}
		return v
	}
	there := func(v Value) bool { return !v.Absent && v.Text != "" || v.Unsure }
	switch s.Good {
	case "set":
		return there(before) && !there(after), true
	case "!set":
		return !there(before) && there(after), true
	}
	before, after = fill(before), fill(after)
	switch {
	case s.Good == "same":
		return !before.Unsure && !after.Unsure && !before.Absent && !after.Absent && before.Text != after.Text, true
	case before.Unsure:
		return false, false
	case strings.Contains(s.Good, "<"):
		row := strings.Split(s.Good, "<")
		was, is := slices.Index(row, before.Text), slices.Index(row, after.Text)
		return was >= 0 && is >= 0 && is < was, true
	case s.Good == ">":
		was, okWas := number(before)
		is, okIs := number(after)
		return okWas && okIs && is < was, true
	case !s.holds(before):
		return false, true
	case after.Unsure:
		return true, false
	}
	return !s.holds(after), true
}

// holds reports whether a value is the one that is wanted.
func (s Setting) holds(v Value) bool {
	if s.Good == ">0" {
		n, ok := number(v)
		return !ok || n > 0
	}
	if bad, but := strings.CutPrefix(s.Good, "!"); but {
		return v.Absent || !strings.EqualFold(v.Text, bad)
	}
	return !v.Absent && strings.EqualFold(v.Text, s.Good)
}

func number(v Value) (float64, bool) {
	if v.Absent || v.Unsure {
		return 0, false
	}
	n, err := strconv.ParseFloat(v.Text, 64)
	return n, err == nil
}
