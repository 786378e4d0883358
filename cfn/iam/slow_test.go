package iam

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The plain way to search, which tries every kind of request with every statement,
// kept to hold the quick one to.

func slowClasses(patterns []pattern) (texts [][]symbol, ok bool) {
	type state struct {
		places [][]int // by pattern, sorted
		text   []symbol
	}
	first := state{places: make([][]int, len(patterns))}
	for i, p := range patterns {
		first.places[i] = slowClosure(p.symbols, []int{0})
	}
	queue := []state{first}
	seen := map[string]bool{slowPlacesKey(first.places): true}
	found := map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if sig := slowSignature(patterns, at.places); !found[sig] {
			found[sig] = true
			texts = append(texts, at.text)
		}
		for _, next := range slowSteps(patterns, at.places) {
			places := make([][]int, len(patterns))
			for i, p := range patterns {
				places[i] = slowStep(p.symbols, at.places[i], next)
			}
			key := slowPlacesKey(places)
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

func slowSteps(patterns []pattern, places [][]int) []symbol {
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

func slowStep(p []symbol, places []int, by symbol) []int {
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
	return slowClosure(p, next)
}

func slowClosure(p []symbol, places []int) []int {
	for i := 0; i < len(places); i++ {
		if at := places[i]; at < len(p) && p[at] == anyText && !slices.Contains(places, at+1) {
			places = append(places, at+1)
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

func slowSignature(patterns []pattern, places [][]int) string {
	sig := make([]byte, len(patterns))
	for i, p := range patterns {
		if n := len(places[i]); n > 0 && places[i][n-1] == len(p.symbols) {
			sig[i] = 1
		}
	}
	return string(sig)
}

func slowPlacesKey(places [][]int) string {
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

func (s *search) slowRun() (grants []Grant, ok bool) {
	if len(s.candidates) == 0 {
		return nil, true
	}
	if !s.prepare() {
		return s.suspects(), false
	}
	seen := map[string]bool{}
	ok = true
	for _, action := range s.actions {
		byAction := s.matching(func(st statement) bool { return st.matchesAction(action) })
		if len(byAction.candidates) == 0 {
			continue
		}
		for _, resource := range s.resources {
			byResource := byAction.matching(func(st statement) bool { return st.matchesResource(resource) })
			if len(byResource.candidates) == 0 {
				continue
			}
			for _, principal := range s.principals {
				at := byResource.matching(func(st statement) bool { return st.matchesPrincipal(principal) })
				if len(s.demand) > 0 && len(at.demand) == 0 {
					continue
				}
				for _, c := range at.candidates {
					found, sure := at.possible(c)
					ok = ok && sure
					if !found {
						continue
					}
					g := s.slowGrant(c, action, resource, principal)
					if !seen[g.key()] {
						seen[g.key()] = true
						grants = append(grants, g)
					}
				}
			}
		}
	}
	return grants, ok
}

func (s *search) matching(is func(statement) bool) *search {
	keep := func(list []statement) []statement {
		var out []statement
		for _, st := range list {
			if is(st) {
				out = append(out, st)
			}
		}
		return out
	}
	return &search{candidates: keep(s.candidates), barring: keep(s.barring), excusing: keep(s.excusing), demand: keep(s.demand)}
}

func (s *search) slowGrant(c statement, action, resource []symbol, principal string) Grant {
	g := Grant{
		Action:     c.actionLabel(action),
		Resource:   c.resourceLabel(resource),
		Principal:  c.principalLabel(principal),
		Conditions: c.conditionLabels(),
	}
	if !strings.ContainsAny(g.Action, "*? ") {
		return g
	}
	service := serviceOf(g.Resource)
	for _, e := range examples() {
		text := e.text
		if service != "" && !strings.HasPrefix(e.name, service+":") || !c.matchesAction(text) || !sameSide(c, action, text) {
			continue
		}
		at := s.matching(func(st statement) bool {
			return st.matchesAction(text) && st.matchesResource(resource) && st.matchesPrincipal(principal)
		})
		if len(s.demand) > 0 && len(at.demand) == 0 {
			continue
		}
		if yes, _ := at.possible(c); yes {
			g.Action, g.Within = e.name, g.Action
			break
		}
	}
	return g
}

// TestQuickIsAsSlow searches random policies, edited ones and such as organizations
// have, in both ways.
func TestQuickIsAsSlow(t *testing.T) {
	hold := func(name string, a, b Policy) {
		t.Helper()
		searches := func() (list []*search) {
			list = append(list, newSearch(notWithin(a.allows(), b.allows()), a.denies(), b.allows()), newSearch(a.allows(), a.denies(), nil))
			for _, s := range notWithin(b.denies(), a.denies()) {
				list[1].demand = append(list[1].demand, s.broadened())
			}
			return list
		}
		slow := searches()
		for i, s := range searches() {
			got, sure := s.run()
			want, wantSure := slow[i].slowRun()
			if sure != wantSure || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: got %v %v, want %v %v", name, got, sure, want, wantSure)
			}
		}
	}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 2))
		before := randomPolicy(r, 2+r.IntN(3))
		hold("random", Parse(document(before)), Parse(document(edited(r, 3, before))))
	}
	for variant := range 4 {
		hold("large", largePolicy(6, 0), largePolicy(6, variant+1))
		hold("wide", wideActions(20, 0), wideActions(20, variant+1))
		hold("own", ownResources(5, 0), ownResources(5, variant+1))
	}
}

// TestQuickClasses gives the same texts as the plain way, in the same order.
func TestQuickClasses(t *testing.T) {
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 3))
		var patterns []pattern
		for range 1 + r.IntN(6) {
			var b strings.Builder
			for range r.IntN(7) {
				b.WriteByte("aabbc**?"[r.IntN(8)])
			}
			p := pattern{symbols: letters(b.String()), text: b.String()}
			if r.IntN(5) == 0 {
				p.symbols = append(p.symbols, symbol("${X}"))
			}
			patterns = append(patterns, p)
		}
		got, ok := classes(patterns)
		want, wantOK := slowClasses(patterns)
		if ok != wantOK || !slices.EqualFunc(got, want, func(a, b []symbol) bool { return slices.Equal(a, b) }) {
			t.Fatalf("%v: %q, want %q", patterns, got, want)
		}
		for _, p := range patterns {
			for _, q := range patterns {
				texts, ok := slowClasses([]pattern{p, q})
				want := p.hasUnknown() || q.hasUnknown() || !ok || slices.ContainsFunc(texts, func(text []symbol) bool { return p.matches(text) && q.matches(text) })
				if got := overlap(p, q); got != want {
					t.Fatalf("%s and %s overlap: %v", p.text, q.text, got)
				}
			}
		}
	}
}
