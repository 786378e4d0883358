package manifest

import (
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// SharedFolder is code that goes into functions: @shared or @views.
type SharedFolder struct {
	Dir string // slash path relative to the project root
	Pos syntax.Pos
}

// chosen are the functions that @shared or @views lists; nil when it lists
// none, which means the usual ones.
type chosen map[*Function]bool

// readShared reads @shared and @views. All functions must be known by now.
func (l *loader) readShared() {
	l.app.Shared, l.sharedBy = l.sharedPragma("shared")
	l.app.Views, l.viewedBy = l.sharedPragma("views")
	if p := l.pragma("views"); p != nil && l.pragma("http") == nil {
		l.missing(atPragma(p), "views-http", "add @http, or remove @views", "@views needs @http")
	}
}

func (l *loader) sharedPragma(name string) (*SharedFolder, chosen) {
	folder := &SharedFolder{Dir: "src/" + name}
	p := l.pragma(name)
	var only chosen
	if p != nil {
		folder.Pos = p.Pos
		for _, it := range p.Items {
			if it.Kind == syntax.Tuple && it.Name().Text == "src" {
				if !l.sharedSource(folder, it) {
					return nil, nil
				}
				continue
			}
			if only == nil {
				only = chosen{}
			}
			l.sharedItem(name, it, only)
		}
	}
	if !l.folders.hasFolder(folder.Dir) {
		return nil, nil
	}
	return folder, only
}

// sharedSource reads "src folder", which must be there.
func (l *loader) sharedSource(folder *SharedFolder, it *syntax.Item) bool {
	v := it.Values[1]
	dir, ok := l.sourceDir(v, "")
	if !ok {
		return false
	}
	if dir == "." {
		l.errorf(at(v), "path-outside", "write a folder inside the project", "the whole project cannot be shared with itself")
		return false
	}
	if l.folders.hasFile(dir) {
		l.errorf(at(v), "not-a-folder", "write the folder that holds it", "%s is a file", dir)
		return false
	}
	if !l.folders.hasFolder(dir) {
		l.errorf(at(v), "no-such-folder", "make the folder, or remove the line", "there is no folder %s", dir)
		return false
	}
	folder.Dir = dir
	return true
}

// sharedItem reads one entry that says who gets the folder: a vector of names
// below a pragma, "get /path" lines below http, or, for @views, a route.
func (l *loader) sharedItem(pragma string, it *syntax.Item, only chosen) {
	switch {
	case it.Kind == syntax.Tuple && pragma == "views" && len(it.Values) == 2:
		l.choose(pragma, "http", strings.ToLower(it.Values[0].Text)+" "+it.Values[1].Text, atAll(it.Values), only)
	case it.Kind == syntax.Vector && l.sharablePragma(pragma, it.Name()):
		for _, v := range it.List {
			l.choose(pragma, it.Name().Text, v.Text, at(v), only)
		}
	case it.Kind == syntax.Map && l.sharablePragma(pragma, it.Name()):
		for _, e := range it.Entries {
			for _, v := range e.Values {
				l.choose(pragma, it.Name().Text, strings.ToLower(e.Key.Text)+" "+v.Text, at(v), only)
			}
		}
	case it.Kind == syntax.Scalar || it.Kind == syntax.Tuple:
		hint := "write src and a folder, or a pragma such as events with names below it"
		if pragma == "views" {
			hint = "write src and a folder, or a route such as get /about"
		}
		l.errorf(atAll(it.Values), pragma+"-form", hint, "@%s has no setting %s", pragma, joinValues(it.Values))
	}
}

// functionPragmas are the pragmas whose functions may get shared code.
var functionPragmas = []string{"http", "ws", "events", "queues", "scheduled", "tables-streams"}

func (l *loader) sharablePragma(pragma string, v syntax.Value) bool {
	known := functionPragmas
	if pragma == "views" {
		known = functionPragmas[:1]
	}
	if slices.Contains(known, v.Text) {
		return true
	}
	l.errorf(at(v), pragma+"-pragma", nearHint(v.Text, known, "known: "+strings.Join(known, ", ")),
		"@%s cannot go to %s, which has no functions for it", pragma, v.Text)
	return false
}

// choose marks one function, or reports that there is none of that name.
func (l *loader) choose(pragma, of, name string, where span, only chosen) {
	if of == "ws" {
		name = bareLifecycle(name)
	}
	if l.byName == nil {
		l.byName = map[string]*Function{}
		for _, fn := range l.app.Functions() {
			if !fn.Asset {
				l.byName[fn.Pragma+" "+fn.Name] = fn
			}
		}
	}
	if fn := l.byName[of+" "+name]; fn != nil {
		only[fn] = true
		return
	}
	var names []string
	for _, fn := range l.app.Functions() {
		if fn.Pragma == of && !fn.Asset {
			names = append(names, fn.Name)
		}
	}
	l.errorf(where, pragma+"-function", nearHint(name, names, "add it to @"+of+", or remove the line"),
		"@%s names %s, which @%s does not have", pragma, name, of)
}

// gets decides whether a function gets a folder: what its own configuration
// says, else whether it is chosen, else the usual.
func gets(fn *Function, own *bool, only chosen, usual bool) bool {
	switch {
	case own != nil && !*own:
		return false
	case only != nil:
		return only[fn]
	case own != nil:
		return *own
	}
	return usual
}
