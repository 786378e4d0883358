package manifest

import (
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// Use is one line of @uses: a kind of resource, its name, and what is done.
type Use struct {
	Kind   string // "tables", "queues", "events", "ws", "static", "env"
	Name   string // "" for ws and static, of which there is one; of a variable for env
	Action string // "read", "write", "send", …; "" for env
	Pos    syntax.Pos
}

// useKind is a kind of resource that @uses may name.
type useKind struct {
	name    string
	named   bool // the resource's name stands between kind and action
	actions []string
}

var useKinds = []useKind{
	{"tables", true, []string{"read", "write"}},
	{"queues", true, []string{"send"}},
	{"events", true, []string{"send"}},
	{"ws", false, []string{"send"}},
	{"static", false, []string{"read", "write"}},
}

// envUse begins a line of names of environment variables: the function gets
// these, and no others of the user's.
const envUse = "env"

const usesUsage = "write a kind, a name and an action: tables accounts read; or ws send"

// readUses reads @uses of a config file: the rights a function has, and no
// others. The result is not nil, for an empty @uses means no rights at all.
func (l *loader) readUses(p *syntax.Pragma) []Use {
	uses := []Use{}
	for _, it := range p.Items {
		if it.Kind == syntax.Vector || it.Kind == syntax.Map {
			l.errorf(at(it.Name()), "uses-form", usesUsage, "a line of @uses has no lines below it")
			continue
		}
		if use, ok := l.readUse(it); ok {
			uses = append(uses, use...)
		}
	}
	return uses
}

// readUse reads one line; several actions give a Use each.
func (l *loader) readUse(it *syntax.Item) ([]Use, bool) {
	if it.Name().Text == envUse {
		return l.readEnvUse(it)
	}
	names := []string{envUse}
	var kind *useKind
	for i := range useKinds {
		names = append(names, useKinds[i].name)
		if useKinds[i].name == it.Name().Text {
			kind = &useKinds[i]
		}
	}
	if kind == nil {
		l.errorf(at(it.Name()), "uses-kind", nearHint(it.Name().Text, names, "known: "+strings.Join(names, ", ")),
			"@uses has no kind %s", it.Name().Text)
		return nil, false
	}
	words, name := it.Values[1:], ""
	if kind.named {
		if len(words) == 0 {
			l.errorf(at(it.Name()), "uses-form", usesUsage, "%s of what", kind.name)
			return nil, false
		}
		name = words[0].Text
		if !l.hasResource(kind.name, words[0]) {
			return nil, false
		}
		words = words[1:]
	}
	if len(words) == 0 {
		l.errorf(atAll(it.Values), "uses-form", "add "+strings.Join(kind.actions, " or "), "this line of @uses names no action")
		return nil, false
	}
	var uses []Use
	for _, w := range words {
		if !slices.Contains(kind.actions, w.Text) {
			l.errorf(at(w), "uses-action", nearHint(w.Text, kind.actions, "write "+strings.Join(kind.actions, " or ")),
				"%s cannot be used to %s", kind.name, w.Text)
			return nil, false
		}
		uses = append(uses, Use{Kind: kind.name, Name: name, Action: w.Text, Pos: it.Pos})
	}
	return uses, true
}

// readEnvUse reads env NAME….
func (l *loader) readEnvUse(it *syntax.Item) ([]Use, bool) {
	if len(it.Values) == 1 {
		l.errorf(at(it.Name()), "uses-form", "write the names: env API_KEY", "this line of @uses names no variable")
		return nil, false
	}
	var uses []Use
	for _, v := range it.Values[1:] {
		if problem := EnvNameProblem(v.Text); problem != "" {
			l.errorf(at(v), "uses-env", "name a variable as SSM has it: env API_KEY", "%s is not the name of a variable that is deployed: %s", v.Text, problem)
			return nil, false
		}
		uses = append(uses, Use{Kind: envUse, Name: v.Text, Pos: it.Pos})
	}
	return uses, true
}

// UsesEnv reports whether a function with these lines of @uses gets an
// environment variable of the user's: all of them where none is named. What arc
// and its runtime libraries need is not asked about.
func UsesEnv(uses []Use, variable string) bool {
	named := false
	for _, u := range uses {
		if u.Kind == envUse {
			named = true
			if u.Name == variable {
				return true
			}
		}
	}
	return !named || strings.HasPrefix(variable, "ARC_")
}

// hasResource checks the name between kind and action.
func (l *loader) hasResource(kind string, v syntax.Value) bool {
	var names []string
	switch kind {
	case "tables":
		for _, t := range l.app.Tables {
			names = append(names, t.Name)
		}
	case "queues":
		for _, q := range l.app.Queues {
			names = append(names, q.Name)
		}
	case "events":
		for _, e := range l.app.Events {
			names = append(names, e.Name)
		}
	}
	if slices.Contains(names, v.Text) {
		return true
	}
	l.errorf(at(v), "uses-name", nearHint(v.Text, names, "add it to @"+kind), "@%s has no %s", kind, v.Text)
	return false
}
