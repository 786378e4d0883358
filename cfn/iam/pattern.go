package iam

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// symbol is one step of a pattern: a letter, a wildcard, or an unknown text
// (a Ref, a GetAtt, a policy variable), which is the same wherever it stands.
type symbol string

const (
	anyText symbol = "*"
	anyOne  symbol = "?"
)

// unknown reports whether the symbol stands for a text that only the deploy
// or the request tells.
func (s symbol) unknown() bool { return strings.HasPrefix(string(s), "${") }

// pattern is what an element of Action or Resource matches. text is how a
// reader should see it.
type pattern struct {
	symbols []symbol
	text    string
	glob    string // the same for glob, with marks as wildcards; "" when texts in it are unknown
}

// everything is the pattern of a lone star.
var everything = pattern{symbols: []symbol{anyText}, text: "*"}

func (p pattern) wild() bool {
	return slices.Contains(p.symbols, anyText) || slices.Contains(p.symbols, anyOne)
}

func (p pattern) hasUnknown() bool { return slices.ContainsFunc(p.symbols, symbol.unknown) }

// letters turns plain text into symbols. Policy variables are unknown texts,
// with a mark that keeps them apart from the references of a template.
func letters(text string) []symbol {
	var out []symbol
	for text != "" {
		if strings.HasPrefix(text, "${") {
			if end := strings.IndexByte(text, '}'); end > 0 {
				out = append(out, symbol("${!"+text[2:end+1]))
				text = text[end+1:]
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(text)
		out = append(out, symbol(text[:size]))
		text = text[size:]
	}
	return out
}

// covers reports whether everything that p matches is matched by q. A star of
// p is only covered by a star of q, which is exact as long as some letter
// stands nowhere in q; what is unknown in p is covered by itself or by a star.
func covers(q, p []symbol) bool {
	// Greedy matching of q against p as if p were a text; back is where the
	// last star of q may take one symbol more.
	i, j := 0, 0
	star, back := -1, 0
	for j < len(p) {
		switch {
		case i < len(q) && q[i] == anyText:
			star, back = i, j
			i++
		case i < len(q) && matchesOne(q[i], p[j]):
			i++
			j++
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	for i < len(q) && q[i] == anyText {
		i++
	}
	return i == len(q)
}

// matchesOne reports whether q's symbol, no star, matches p's.
func matchesOne(q, p symbol) bool {
	if q == anyOne {
		return p != anyText && !p.unknown()
	}
	return q == p
}

// matches reports whether a text (symbols without wildcards) is matched.
func (p pattern) matches(text []symbol) bool { return covers(p.symbols, text) }

// maxStates bounds the search for classes. Policies of people stay far below.
const maxStates = 20_000

// classes gives texts such that for every text there is, one of them is
// matched by the same patterns. ok is false when the search would be too long.
//
// It walks through all texts at once: a state is the set of places in the
// patterns where the matching may stand.
func classes(patterns []pattern) (texts [][]symbol, ok bool) {
	type state struct {
		places [][]int // by pattern, sorted
		text   []symbol
	}
	first := state{places: make([][]int, len(patterns))}
	for i, p := range patterns {
		first.places[i] = closure(p.symbols, []int{0})
	}
	queue := []state{first}
	seen := map[string]bool{placesKey(first.places): true}
	found := map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if sig := signature(patterns, at.places); !found[sig] {
			found[sig] = true
			texts = append(texts, at.text)
		}
		for _, next := range steps(patterns, at.places) {
			places := make([][]int, len(patterns))
			for i, p := range patterns {
				places[i] = step(p.symbols, at.places[i], next)
			}
			key := placesKey(places)
			if seen[key] {
				continue
			}
			seen[key] = true
			if len(seen) > maxStates {
				return nil, false
			}
			queue = append(queue, state{places, append(slices.Clip(at.text), next)})
		}
	}
	return texts, true
}

// other is a letter that stands in no pattern.
const other symbol = "\x00"

// steps lists the symbols that lead on from a state, and one for all others.
func steps(patterns []pattern, places [][]int) []symbol {
	out := []symbol{other}
	for i, p := range patterns {
		for _, at := range places[i] {
			if at < len(p.symbols) && p.symbols[at] != anyText && p.symbols[at] != anyOne {
				out = append(out, p.symbols[at])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// step moves a pattern's places over one symbol.
func step(p []symbol, places []int, by symbol) []int {
	var next []int
	for _, at := range places {
		switch {
		case at == len(p):
		case p[at] == anyText:
			next = append(next, at)
		case matchesOne(p[at], by):
			next = append(next, at+1)
		}
	}
	return closure(p, next)
}

// closure adds the places behind stars, which match nothing as well.
func closure(p []symbol, places []int) []int {
	for i := 0; i < len(places); i++ {
		if at := places[i]; at < len(p) && p[at] == anyText && !slices.Contains(places, at+1) {
			places = append(places, at+1)
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

func signature(patterns []pattern, places [][]int) string {
	sig := make([]byte, len(patterns))
	for i, p := range patterns {
		if n := len(places[i]); n > 0 && places[i][n-1] == len(p.symbols) {
			sig[i] = 1
		}
	}
	return string(sig)
}

func placesKey(places [][]int) string {
	var b strings.Builder
	for _, list := range places {
		for _, at := range list {
			b.WriteByte(byte(at))
			b.WriteByte(byte(at >> 8))
		}
		b.WriteString("\xff\xff")
	}
	return b.String()
}
