package iam

import (
	"encoding/binary"
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

// place is where the matching of one of several patterns may stand: the number of
// the pattern, and behind it how many of its symbols are matched.
type place uint64

func placeIn(pattern, at int) place { return place(pattern)<<32 | place(at) }
func (p place) pattern() int        { return int(p >> 32) }
func (p place) at() int             { return int(p & (1<<32 - 1)) }

// classes gives texts such that for every text there is, one of them is
// matched by the same patterns. ok is false when the search would be too long.
//
// It walks through all texts at once: a state is the set of places in the
// patterns where the matching may stand. Of many patterns few are left after some
// letters, so that a state has only those, sorted.
func classes(patterns []pattern) (texts [][]symbol, ok bool) {
	type state struct {
		places []place
		from   *state // by one symbol; nil = nowhere
		by     symbol
	}
	first := &state{}
	for i := range patterns {
		first.places = append(first.places, placeIn(i, 0))
	}
	first.places = closure(patterns, first.places)
	queue := []*state{first}
	seen := map[string]bool{placesKey(first.places): true}
	found := map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if sig := signature(patterns, at.places); !found[sig] {
			found[sig] = true
			var text []symbol
			for s := at; s.from != nil; s = s.from {
				text = append(text, s.by)
			}
			slices.Reverse(text)
			texts = append(texts, text)
		}
		for _, next := range steps(patterns, at.places) {
			places := step(patterns, at.places, next)
			key := placesKey(places)
			if seen[key] {
				continue
			}
			seen[key] = true
			if len(seen) > maxStates {
				return nil, false
			}
			queue = append(queue, &state{places, at, next})
		}
	}
	return texts, true
}

// other is a letter that stands in no pattern.
const other symbol = "\x00"

// steps lists the symbols that lead on from a state, and one for all others.
func steps(patterns []pattern, places []place) []symbol {
	out := []symbol{other}
	for _, p := range places {
		if symbols := patterns[p.pattern()].symbols; p.at() < len(symbols) && symbols[p.at()] != anyText && symbols[p.at()] != anyOne {
			out = append(out, symbols[p.at()])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// step moves the places over one symbol.
func step(patterns []pattern, places []place, by symbol) []place {
	next := make([]place, 0, len(places)+1)
	for _, p := range places {
		switch symbols := patterns[p.pattern()].symbols; {
		case p.at() == len(symbols):
		case symbols[p.at()] == anyText:
			next = append(next, p)
		case matchesOne(symbols[p.at()], by):
			next = append(next, p+1)
		}
	}
	return closure(patterns, next)
}

// closure adds the places behind stars, which match nothing as well.
func closure(patterns []pattern, places []place) []place {
	for i := 0; i < len(places); i++ {
		p := places[i]
		if symbols := patterns[p.pattern()].symbols; p.at() < len(symbols) && symbols[p.at()] == anyText {
			places = append(places, p+1)
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// signature names the patterns that match at a state.
func signature(patterns []pattern, places []place) string {
	var sig []byte
	for _, p := range places {
		if p.at() == len(patterns[p.pattern()].symbols) {
			sig = binary.AppendUvarint(sig, uint64(p.pattern()))
		}
	}
	return string(sig)
}

func placesKey(places []place) string {
	key := make([]byte, 0, 4*len(places))
	for _, p := range places {
		key = binary.AppendUvarint(binary.AppendUvarint(key, uint64(p.pattern())), uint64(p.at()))
	}
	return string(key)
}
