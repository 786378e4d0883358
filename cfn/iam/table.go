package iam

import (
	"encoding/binary"
	"strings"
)

// table holds which statements of a search are about which kind of request, so
// that each pattern is matched with each kind once. Statements go by their place
// in all().
type table struct {
	*search
	statements                               []statement
	actions, resources, principals, examples []set // by kind: the statements that are about it

	searches map[string]*narrowed
	outcomes map[outcomeOf]outcome
	labels   map[labelOf]string
	eligible map[labelOf][]int
}

// narrowed is the search among the statements that are about one kind of request.
type narrowed struct {
	*search
	about set
	key   string
}

// outcomeOf is a candidate among the statements with a key.
type outcomeOf struct {
	about     string
	candidate int
}

type outcome struct{ possible, sure bool }

// labelOf is a candidate with a kind of action or resource.
type labelOf struct {
	candidate, kind int
	resource        bool
}

func (s *search) tabled() *table {
	t := &table{
		search: s, statements: s.all(),
		searches: map[string]*narrowed{}, outcomes: map[outcomeOf]outcome{}, labels: map[labelOf]string{}, eligible: map[labelOf][]int{},
	}
	about := func(is func(statement) bool) set {
		out := newSet(len(t.statements))
		for i, st := range t.statements {
			if is(st) {
				out.add(i)
			}
		}
		return out
	}
	for _, text := range s.actions {
		t.actions = append(t.actions, about(func(st statement) bool { return st.matchesAction(text) }))
	}
	for _, text := range s.resources {
		t.resources = append(t.resources, about(func(st statement) bool { return st.matchesResource(text) }))
	}
	for _, name := range s.principals {
		t.principals = append(t.principals, about(func(st statement) bool { return st.matchesPrincipal(name) }))
	}
	for _, e := range examples() {
		t.examples = append(t.examples, about(func(st statement) bool { return st.matchesAction(e.text) }))
	}
	return t
}

// among is the search among some of the statements.
func (t *table) among(about set) *narrowed {
	key := about.key()
	if at := t.searches[key]; at != nil {
		return at
	}
	at := &narrowed{search: &search{}, about: about, key: key}
	i := 0
	for _, list := range []struct{ from, to *[]statement }{
		{&t.candidates, &at.candidates}, {&t.barring, &at.barring}, {&t.excusing, &at.excusing}, {&t.demand, &at.demand},
	} {
		for _, st := range *list.from {
			if about.has(i) {
				*list.to = append(*list.to, st)
			}
			i++
		}
	}
	t.searches[key] = at
	return at
}

// possible is what search.possible says of a candidate.
func (t *table) possible(at *narrowed, candidate int) (yes, sure bool) {
	of := outcomeOf{at.key, candidate}
	known, ok := t.outcomes[of]
	if !ok {
		known.possible, known.sure = at.search.possible(t.candidates[candidate])
		t.outcomes[of] = known
	}
	return known.possible, known.sure
}

// grant describes what a candidate allows with the nearest texts a reader can
// know: its own patterns, and an example where the action is a pattern. The kinds
// of request go by their places.
func (t *table) grant(candidate, action, resource, principal int) Grant {
	c := t.candidates[candidate]
	g := Grant{
		Action:     t.label(labelOf{candidate, action, false}),
		Resource:   t.label(labelOf{candidate, resource, true}),
		Principal:  c.principalLabel(t.search.principals[principal]),
		Conditions: c.conditionLabels(),
	}
	if !strings.ContainsAny(g.Action, "*? ") {
		return g
	}
	service := serviceOf(g.Resource)
	for _, i := range t.examplesOf(candidate, action) {
		e := examples()[i]
		if service != "" && !strings.HasPrefix(e.name, service+":") {
			continue
		}
		at := t.among(t.examples[i].and(t.resources[resource], t.principals[principal]))
		if len(t.demand) > 0 && len(at.demand) == 0 {
			continue
		}
		if yes, _ := t.possible(at, candidate); yes {
			g.Action, g.Within = e.name, g.Action
			break
		}
	}
	return g
}

// label is that of a candidate's action or resource.
func (t *table) label(of labelOf) string {
	text, ok := t.labels[of]
	if !ok {
		c := t.candidates[of.candidate]
		if of.resource {
			text = c.resourceLabel(t.search.resources[of.kind])
		} else {
			text = c.actionLabel(t.search.actions[of.kind])
		}
		t.labels[of] = text
	}
	return text
}

// examplesOf are the examples of what a candidate allows by the pattern by which
// it allows a kind of action.
func (t *table) examplesOf(candidate, action int) []int {
	of := labelOf{candidate, action, false}
	list, ok := t.eligible[of]
	if !ok {
		for i, e := range examples() {
			if t.examples[i].has(candidate) && sameSide(t.candidates[candidate], t.search.actions[action], e.text) {
				list = append(list, i)
			}
		}
		t.eligible[of] = list
	}
	return list
}

// set is one of small numbers.
type set []uint64

func newSet(n int) set       { return make(set, (n+63)/64) }
func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }
func (s set) and(o ...set) set {
	out := newSet(64 * len(s))
	copy(out, s)
	for _, other := range o {
		for i := range out {
			out[i] &= other[i]
		}
	}
	return out
}

// key is the set as the key of a map.
func (s set) key() string {
	var key []byte
	for _, word := range s {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	return string(key)
}
