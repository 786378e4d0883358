package iam

import (
	"cmp"
	"slices"
	"strings"
)

// Verdict is how what is allowed after compares to what was before.
type Verdict string

// The verdicts.
const (
	Equal    Verdict = "equal"
	Widened  Verdict = "widened"
	Narrowed Verdict = "narrowed"
	Both     Verdict = "both" // widened here, narrowed there
)

// Result is what Compare finds.
type Result struct {
	Verdict Verdict
	// Sure is false when rights are called widened only because it could not
	// be shown that they are not.
	Sure           bool
	Added, Removed []Grant // examples, at most maxGrants; sorted
}

// Grant is something that one policy allows and the other does not.
type Grant struct {
	Action     string   // "sqs:DeleteQueue", or a pattern
	Within     string   `json:",omitempty"` // the pattern that Action is an example of
	Resource   string   // as the policy has it: "${Jobs.Arn}"
	Principal  string   `json:",omitempty"` // resource policies: "Service:sns.amazonaws.com"
	Conditions []string `json:",omitempty"` // under which; of the statement that allows it
}

// maxGrants is how many examples a comparison gives.
const maxGrants = 100

// Compare says whether after allows requests that before did not (widened),
// and the other way round (narrowed).
func Compare(before, after Policy) Result {
	added, sureAdded := exceeding(after, before)
	removed, _ := exceeding(before, after)
	r := Result{Verdict: Equal, Sure: true, Added: added, Removed: removed}
	switch {
	case len(added) > 0 && len(removed) > 0:
		r.Verdict, r.Sure = Both, sureAdded
	case len(added) > 0:
		r.Verdict, r.Sure = Widened, sureAdded
	case len(removed) > 0:
		r.Verdict = Narrowed
	}
	return r
}

// Widens reports whether rights became more, or may have.
func (r Result) Widens() bool { return r.Verdict == Widened || r.Verdict == Both }

// onlyAllows reports whether what could not be read has nothing but statements that
// allow: to be without it is no more.
func onlyAllows(text string) bool {
	return strings.HasPrefix(text, `{"Fn::If":`) && strings.Count(text, `"Effect":`) > 0 && strings.Count(text, `"Effect":`) == strings.Count(text, `"Effect":"Allow"`)
}

// exceeding gives examples of what a allows and b does not; none when there is
// nothing. sure is false when an example is only a suspicion.
//
// With allowed sets A, B and denied sets D, E, what a allows beyond b is
// A without D without B, and what of A without D lies in E. Statements that lie
// wholly in one of the other side need no closer look.
func exceeding(a, b Policy) (extra []Grant, sure bool) {
	sure = true
	if text, ok := firstNotIn(a.unread, b.unread); ok {
		extra, sure = append(extra, Grant{Action: "what cannot be read", Resource: text}), false
	} else if text, ok := firstNotIn(slices.DeleteFunc(slices.Clone(b.unread), onlyAllows), a.unread); ok { // it may have denied
		extra, sure = append(extra, Grant{Action: "what was not readable", Resource: text}), false
	}
	if b.allowsAll() {
		return extra, sure
	}
	for _, name := range a.named {
		if !slices.Contains(b.named, name) && !slices.Contains(b.named, unconditional(name)) {
			extra = append(extra, Grant{Action: "all of " + name, Resource: "*"})
		}
	}
	rest := notWithin(a.allows(), b.allows())   // newly allowed, at first sight
	lifted := notWithin(b.denies(), a.denies()) // no longer denied
	beyond := newSearch(rest, a.denies(), b.allows())
	denied := newSearch(a.allows(), a.denies(), nil)
	for i := range lifted {
		denied.demand = append(denied.demand, lifted[i].broadened())
	}
	for _, s := range []*search{beyond, denied} {
		if s == denied && len(lifted) == 0 {
			continue
		}
		grants, ok := s.run()
		if s == denied && len(grants) > 0 && slices.ContainsFunc(lifted, statement.aboutSome) {
			ok = false // a role of an account that was denied, say
		}
		extra, sure = append(extra, grants...), sure && ok
	}
	if len(a.WithoutRecording().named) > 0 { // what they allow is not known, and was denied
		for _, s := range lifted {
			extra = append(extra, Grant{Action: s.actionLabel(nil), Resource: s.resourceLabel(nil), Conditions: s.conditionLabels()})
			sure = false
		}
	}
	slices.SortFunc(extra, func(x, y Grant) int { return cmp.Compare(x.key(), y.key()) })
	extra = slices.CompactFunc(extra, func(x, y Grant) bool { return x.key() == y.key() })
	extra = whicheverHolds(extra)
	return extra[:min(len(extra), maxGrants)], sure
}

func (g Grant) key() string {
	return strings.Join(append([]string{g.Resource, g.Principal, g.Within, g.Action}, g.Conditions...), "\x00")
}

func firstNotIn(list, other []string) (string, bool) {
	for _, s := range list {
		if !slices.Contains(other, s) {
			return s, true
		}
	}
	return "", false
}

func (p Policy) allows() []statement { return p.pick(false) }
func (p Policy) denies() []statement { return p.pick(true) }

func (p Policy) pick(deny bool) []statement {
	var out []statement
	for _, s := range p.statements {
		if s.deny == deny {
			out = append(out, s)
		}
	}
	return out
}

// allowsAll reports whether one statement allows everything and none denies.
func (p Policy) allowsAll() bool {
	all := statement{actions: []pattern{everything}, resources: []pattern{everything}}
	return len(p.denies()) == 0 && len(p.unread) == 0 &&
		(slices.ContainsFunc(p.allows(), all.within) || slices.Contains(p.named, "AdministratorAccess"))
}

// within reports whether every request that s is about is one that t is about.
func (s statement) within(t statement) bool {
	return patternsWithin(s.actions, s.notActions, t.actions, t.notActions) &&
		patternsWithin(s.resources, s.notResources, t.resources, t.notResources) &&
		s.principalsWithin(t) && conditionsWithin(s.conditions, t.conditions)
}

// notWithin gives the statements that do not lie within a single one of the
// others, cut down to the resources and actions that do not.
func notWithin(list, others []statement) []statement {
	var rest []statement
	for _, s := range list {
		if slices.ContainsFunc(others, s.within) {
			continue
		}
		if !s.notResources {
			s.resources = slices.DeleteFunc(slices.Clone(s.resources), func(p pattern) bool {
				one := s
				one.resources = []pattern{p}
				return slices.ContainsFunc(others, one.within)
			})
		}
		if !s.notActions {
			s.actions = slices.DeleteFunc(slices.Clone(s.actions), func(p pattern) bool {
				one := s
				one.actions = []pattern{p}
				return slices.ContainsFunc(others, one.within)
			})
		}
		rest = append(rest, s)
	}
	return rest
}

func patternsWithin(p []pattern, notP bool, q []pattern, notQ bool) bool {
	switch {
	case !notP && !notQ:
		return allCovered(p, q)
	case notP && notQ:
		return allCovered(q, p)
	case notP: // all but p lie in q: only when q has a star
		return slices.ContainsFunc(q, func(o pattern) bool { return covers(o.symbols, everything.symbols) })
	}
	for _, one := range p { // p lies in all but q: when none of q can be meant
		for _, other := range q {
			if overlap(one, other) {
				return false
			}
		}
	}
	return true
}

func allCovered(p, q []pattern) bool {
	for _, one := range p {
		if !slices.ContainsFunc(q, func(o pattern) bool { return o.text == one.text || covers(o.symbols, one.symbols) }) {
			return false
		}
	}
	return true
}

// overlap reports whether some text may be matched by both.
func overlap(p, q pattern) bool {
	if p.hasUnknown() || q.hasUnknown() {
		return true
	}
	// meets[j] is whether the rests of both from the places on have a text in common.
	a, b := p.symbols, q.symbols
	meets, below := make([]bool, len(b)+1), make([]bool, len(b)+1)
	for i := len(a); i >= 0; i-- {
		for j := len(b); j >= 0; j-- {
			switch {
			case i == len(a) && j == len(b):
				meets[j] = true
			case i < len(a) && a[i] == anyText:
				meets[j] = below[j] || j < len(b) && meets[j+1]
			case j < len(b) && b[j] == anyText:
				meets[j] = meets[j+1] || i < len(a) && below[j]
			default:
				meets[j] = i < len(a) && j < len(b) && (a[i] == b[j] || a[i] == anyOne || b[j] == anyOne) && below[j+1]
			}
		}
		meets, below = below, meets
	}
	return below[0]
}

func (s statement) principalsWithin(t statement) bool {
	if slices.Equal(s.principals, t.principals) && s.notPrincipal == t.notPrincipal {
		return true
	}
	if t.principals == nil || !t.notPrincipal && slices.Contains(t.principals, "*") {
		return true
	}
	if s.notPrincipal || t.notPrincipal || s.principals == nil {
		return false
	}
	_, missing := firstNotIn(s.principals, t.principals)
	return !missing
}

// conditionsWithin reports whether meeting all of c means meeting all of d.
func conditionsWithin(c, d []condition) bool {
	for _, want := range d {
		if !slices.ContainsFunc(c, func(have condition) bool { return have.implies(want) }) {
			return false
		}
	}
	return true
}

// aboutSome reports whether s is about some principals only.
func (s statement) aboutSome() bool {
	return s.principals != nil && (s.notPrincipal || !slices.Contains(s.principals, "*"))
}

// risky reports whether s tells what it is not about by a text that only the
// deploy knows, so that it may be about less than it seems.
func (s statement) risky() bool {
	return s.notActions && slices.ContainsFunc(s.actions, pattern.hasUnknown) ||
		s.notResources && slices.ContainsFunc(s.resources, pattern.hasUnknown) || s.notPrincipal
}

// broadened is s with everything in it that may be more than it seems: unknown
// texts become stars, and the principals everyone.
func (s statement) broadened() statement {
	for _, list := range []*[]pattern{&s.actions, &s.resources} {
		copied := slices.Clone(*list)
		for i, p := range copied {
			if p.hasUnknown() {
				symbols := slices.Clone(p.symbols)
				for j := range symbols {
					if symbols[j].unknown() {
						symbols[j] = anyText
					}
				}
				copied[i].symbols = symbols
			}
		}
		*list = copied
	}
	if s.notActions && slices.ContainsFunc(s.actions, pattern.hasUnknown) {
		s.notActions, s.actions = false, []pattern{everything}
	}
	if s.principals != nil {
		s.principals, s.notPrincipal = []string{"*"}, false
	}
	return s
}
