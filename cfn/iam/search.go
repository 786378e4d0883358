package iam

import (
	"slices"
	"strings"
)

// search looks for a request that one of the candidates allows, none of the
// barring statements matches, and none of the excusing ones. With demands, one
// of these must match as well.
type search struct {
	candidates, barring, excusing, demand []statement

	actions, resources [][]symbol // a text of every kind
	principals         []string
}

func newSearch(candidates, barring, excusing []statement) *search {
	s := &search{candidates: candidates}
	// A statement that may be about less than it seems neither bars nor excuses.
	for _, b := range barring {
		if !b.risky() {
			s.barring = append(s.barring, b)
		}
	}
	for _, e := range excusing {
		if !e.risky() {
			s.excusing = append(s.excusing, e)
		}
	}
	return s
}

// maxConditions bounds the conditions that are tried in all combinations.
const maxConditions = 12

// maxRequests bounds the requests that are tried.
const maxRequests = 2_000_000

// run gives a grant for every kind of request that is found. ok is false when
// there were too many kinds to try, and the grants are the candidates as such.
func (s *search) run() (grants []Grant, ok bool) {
	if len(s.candidates) == 0 {
		return nil, true
	}
	if !s.prepare() {
		return s.suspects(), false
	}
	seen := map[string]bool{}
	ok = true
	t := s.tabled()
	for i, action := range t.actions {
		for j, resource := range t.resources {
			for k, principal := range t.principals {
				at := t.among(action.and(resource, principal))
				if len(s.demand) > 0 && len(at.demand) == 0 {
					continue
				}
				for c := range s.candidates {
					if !at.about.has(c) {
						continue
					}
					found, sure := t.possible(at, c)
					ok = ok && sure
					if !found {
						continue
					}
					g := t.grant(c, i, j, k)
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

// suspects are the candidates as grants, unproved.
func (s *search) suspects() []Grant {
	var grants []Grant
	for _, c := range s.candidates {
		grants = append(grants, Grant{Action: c.actionLabel(nil), Resource: c.resourceLabel(nil), Principal: c.principalLabel(""), Conditions: c.conditionLabels()})
	}
	return grants
}

func (s *search) all() []statement {
	return slices.Concat(s.candidates, s.barring, s.excusing, s.demand)
}

// prepare leaves out what cannot matter, and finds the kinds of requests.
func (s *search) prepare() bool {
	for _, list := range [][]statement{s.barring, s.excusing} {
		for i := range list {
			if !list[i].notResources {
				list[i].resources = s.relevant(list[i].resources)
			}
		}
	}
	var actions, resources []pattern
	principals := map[string]bool{"": true}
	for _, st := range s.all() {
		actions, resources = append(actions, st.actions...), append(resources, st.resources...)
		for _, p := range st.principals {
			principals[p] = p != "*"
		}
	}
	var okA, okR bool
	s.actions, okA = classes(distinct(actions))
	s.resources, okR = classes(distinct(resources))
	for p, named := range principals {
		if named {
			s.principals = append(s.principals, p)
		}
	}
	slices.Sort(s.principals) // "", for everyone else, is the first
	return okA && okR && len(s.actions)*len(s.resources)*len(s.principals)*len(s.all()) <= maxRequests
}

// relevant keeps the patterns that may match a resource of the candidates.
func (s *search) relevant(patterns []pattern) []pattern {
	var out []pattern
	for _, p := range patterns {
		matters := p.wild()
		for _, c := range s.candidates {
			matters = matters || c.notResources || slices.ContainsFunc(c.resources, func(o pattern) bool { return covers(o.symbols, p.symbols) })
		}
		if matters {
			out = append(out, p)
		}
	}
	return out
}

func distinct(patterns []pattern) []pattern {
	seen := map[string]bool{}
	var out []pattern
	for _, p := range patterns {
		var key strings.Builder
		for _, s := range p.symbols {
			key.WriteString(string(s))
			if s.unknown() {
				key.WriteByte(0)
			}
		}
		if !seen[key.String()] {
			seen[key.String()] = true
			out = append(out, p)
		}
	}
	return out
}

// possible reports whether conditions can be such that c allows, nothing bars
// or excuses, and a demand is met. Conditions are taken as independent of each
// other, but where one implies another.
func (s *search) possible(c statement) (yes, sure bool) {
	var atoms []condition
	mask := func(st statement) uint {
		var m uint
		for _, cond := range st.conditions {
			i := slices.IndexFunc(atoms, func(a condition) bool { return a.String() == cond.String() })
			if i < 0 {
				i, atoms = len(atoms), append(atoms, cond)
			}
			m |= 1 << i
		}
		return m
	}
	masks := func(list []statement) []uint {
		var out []uint
		for _, st := range list {
			out = append(out, mask(st))
		}
		return out
	}
	need := mask(c)
	blocks := masks(slices.Concat(s.barring, s.excusing))
	demands := masks(s.demand)
	if len(atoms) > maxConditions {
		return true, false
	}
	for world := uint(0); world < 1<<len(atoms); world++ {
		meets := func(m uint) bool { return world&m == m }
		if meets(need) && !slices.ContainsFunc(blocks, meets) &&
			(len(demands) == 0 || slices.ContainsFunc(demands, meets)) && consistent(atoms, world) {
			return true, true
		}
	}
	return false, true
}

func consistent(atoms []condition, world uint) bool {
	for i, a := range atoms {
		for j, b := range atoms {
			if world>>i&1 == world>>j&1 && a.excludes(b) { // one of the two is so
				return false
			}
			if world>>i&1 == 1 && world>>j&1 == 0 && a.implies(b) {
				return false
			}
		}
	}
	return true
}

func (s statement) matchesAction(text []symbol) bool {
	return anyMatches(s.actions, text) != s.notActions
}

func (s statement) matchesResource(text []symbol) bool {
	return anyMatches(s.resources, text) != s.notResources
}

func anyMatches(patterns []pattern, text []symbol) bool {
	return slices.ContainsFunc(patterns, func(p pattern) bool { return p.matches(text) })
}

func (s statement) matchesPrincipal(name string) bool {
	if s.principals == nil {
		return true
	}
	return (slices.Contains(s.principals, "*") || slices.Contains(s.principals, name)) != s.notPrincipal
}

// serviceOf is the service whose resource an ARN names, "s3"; "" = it may be of any.
func serviceOf(resource string) string {
	fields := strings.SplitN(strings.ReplaceAll(resource, "${AWS::Partition}", "aws"), ":", 4)
	if len(fields) < 4 || fields[0] != "arn" || strings.ContainsAny(fields[2], "*?$") {
		return ""
	}
	return fields[2]
}

// sameSide reports whether two actions are matched by the same pattern of c.
func sameSide(c statement, a, b []symbol) bool {
	return c.notActions || slices.ContainsFunc(c.actions, func(p pattern) bool { return p.matches(a) && p.matches(b) })
}

func (s statement) actionLabel(text []symbol) string { return label(s.actions, s.notActions, text) }

func (s statement) resourceLabel(text []symbol) string {
	return label(s.resources, s.notResources, text)
}

// label is the most exact of the patterns that match; of the negated ones, all.
func label(patterns []pattern, not bool, text []symbol) string {
	if not {
		var all []string
		for _, p := range patterns {
			all = append(all, p.text)
		}
		slices.Sort(all)
		return "all but " + strings.Join(all, ", ")
	}
	best := pattern{}
	for _, p := range patterns {
		if text != nil && !p.matches(text) {
			continue
		}
		if best.text == "" || best.wild() && !p.wild() || best.wild() == p.wild() && len(p.symbols) > len(best.symbols) {
			best = p
		}
	}
	return best.text
}

func (s statement) principalLabel(name string) string {
	switch {
	case s.principals == nil:
		return ""
	case s.notPrincipal:
		return "everyone but " + strings.Join(s.principals, ", ")
	case name != "" && slices.Contains(s.principals, name):
		return name
	}
	return "*"
}

func (s statement) conditionLabels() []string {
	var out []string
	for _, c := range s.conditions {
		out = append(out, c.String())
	}
	return out
}
