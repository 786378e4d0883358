package iam

import "slices"

// Denial is what a Deny forbids, as a reader should see it.
type Denial struct {
	Actions, Resources []string
	AllButActions      bool // it is NotAction
	AllButResources    bool
	Principals         []string // of a resource policy
	AllButPrincipals   bool
	Conditions         []string
	Narrowed           bool // a Deny of the same actions stays, and forbids less
}

// Lifted is what a Deny forbids before, and none forbids in the same way after.
func Lifted(before, after Policy) []Denial {
	var out []Denial
	for _, s := range notWithin(before.denies(), after.denies()) {
		d := Denial{
			Actions: texts(s.actions), AllButActions: s.notActions, Resources: texts(s.resources), AllButResources: s.notResources,
			Principals: s.principals, AllButPrincipals: s.notPrincipal, Conditions: s.conditionLabels(),
		}
		d.Narrowed = slices.ContainsFunc(after.denies(), func(t statement) bool {
			return t.notActions == s.notActions && slices.Equal(texts(t.actions), d.Actions)
		})
		out = append(out, d)
	}
	return out
}

func texts(patterns []pattern) []string {
	var out []string
	for _, p := range patterns {
		out = append(out, p.text)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
