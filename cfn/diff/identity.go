package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/cfn/diff/compare"
	"arc/cfn/registry"
)

// Identity is what decides which stack a template is brought to. An empty field
// is not known: it is not compared, and a note says so.
type Identity struct {
	App     string // @app
	Stack   string // the name that follows from app, stage and --name
	Region  string
	Profile string // @aws profile: whose account it is; "default" when none is named
	// At is where the manifest says so; nil = not known.
	At *Position
	// Holds names what holds data in a stack that is there and is not what the
	// review compares with.
	Holds []string
}

// stack tells of a change that makes another stack beside the one there is: what
// looks like the same app with other settings begins anew, empty and under other
// addresses, and nothing updates the old one any more.
func (r *reviewer) stack() []Item {
	was, is := r.opts.Was, r.opts.Is
	left := was.Stack
	if left == "" {
		left = "the stack that is there"
	}
	next := is.Stack
	if next == "" {
		next = "another stack"
	}
	var items []Item
	tell := func(subject, before, after, where, there string) {
		if before == "" || after == "" || before == after {
			return
		}
		risk := fmt.Sprintf("the deploy makes %s%s, empty and with other addresses; %s%s stays behind%s and is updated no more", next, where, left, there, r.leftBehind())
		it := Item{Action: compare.Modify, Subject: subject, Text: before + " → " + after, Risks: []Risk{{OtherStack, Replaced, risk}}}
		if subject == "app" {
			it.Position = is.At
		}
		items = append(items, it)
	}
	tell("app", was.App, is.App, "", "")
	tell("region", was.Region, is.Region, " in "+is.Region, " in "+was.Region)
	tell("profile", was.Profile, is.Profile, " in the account of profile "+is.Profile, " in that of "+was.Profile)
	return append(items, r.macros()...)
}

// unknownParts is the note on what is known of the stack that a deploy goes to and
// not of the other side.
func (r *reviewer) unknownParts() string {
	var parts []string
	for _, p := range []struct{ what, was, is string }{
		{"app", r.opts.Was.App, r.opts.Is.App}, {"region", r.opts.Was.Region, r.opts.Is.Region}, {"account", r.opts.Was.Profile, r.opts.Is.Profile},
	} {
		if p.was == "" && p.is != "" {
			parts = append(parts, p.what)
		}
	}
	if len(parts) == 0 || r.first {
		return ""
	}
	side := r.opts.Before
	if side == "" {
		side = "the other side"
	}
	return side + " does not tell its " + inWords(parts) + ": whether the deploy goes to the same stack is not known"
}

// inWords lists names as a sentence does.
func inWords(names []string) string {
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return strings.Join(names, "")
}

// leftBehind names what holds data in the stack that there is, three at most.
func (r *reviewer) leftBehind() string {
	names := slices.Clone(r.opts.Was.Holds)
	for _, id := range slices.Sorted(maps.Keys(r.before.Doc.Resources)) {
		if registry.Holds(r.before.Doc.Resources[id].Type, r.before.Doc.Resources[id].Properties) {
			names = append(names, id)
		}
	}
	switch n := len(names); {
	case n == 0:
		return ""
	case n > 3:
		return fmt.Sprintf(" with the data of %s and %d more,", strings.Join(names[:3], ", "), n-3)
	case n == 1:
		return " with the data of " + names[0]
	default:
		return " with the data of " + inWords(names) + ","
	}
}
