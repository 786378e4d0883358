package source

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// graph is what a function's code reaches, followed import by import: from the
// handler, where what leads nowhere is an error, and from all other code of its
// folders, as a program may put a path together.
type graph struct {
	c     *collector
	fn    Function
	parts []*part
	skips map[string]bool // packages that are not wanted

	units   map[string]*unit // by folder
	seen    map[step]bool    // whether it was known to be evaluated
	queue   []step
	said    map[string]bool
	found   []Finding
	runtime map[string]bool
	notes   map[string]*Added // what no package.json declares, by folder
	has     map[string]bool   // paths in the zip
	leads   leads
}

// unit is a folder whose files stay together in the zip: the function's own,
// shared code, views, or a package.
type unit struct {
	dir   string
	name  string
	by    string            // who asked for it first
	part  *part             // nil for a package
	files map[string]bool   // of a part: what is in it
	more  map[string]string // files from elsewhere that its code reaches: path in the unit, which begins with "../" → real path
	needs []need
	first map[need]bool
}

// step is a file at its place in a unit.
type step struct {
	unit *unit
	rel  string // its path in the unit
	file string // its real path
	sure bool   // it is evaluated when the handler is loaded, or by it
}

func (c *collector) graph(fn Function, parts []*part) (*graph, error) {
	g := &graph{c: c, fn: fn, parts: parts, skips: setOf(strings.Join(fn.Ignore, " ")), units: map[string]*unit{}, seen: map[step]bool{},
		said: map[string]bool{}, runtime: map[string]bool{}, notes: map[string]*Added{}}
	var rest []step
	for i, p := range parts {
		u := &unit{dir: p.dir, part: p, files: map[string]bool{}}
		g.units[p.dir] = u
		for _, f := range p.files {
			u.files[f.Path] = true
			s := step{u, f.Path, f.content.at, i == 0 && (fn.HandlerFile == "" && isCode(f.Path) || f.Path == fn.HandlerFile)}
			if s.sure {
				g.queue = append(g.queue, s)
			} else if isCode(f.Path) {
				rest = append(rest, s)
			}
		}
	}
	if err := g.follow(); err != nil {
		return nil, err
	}
	g.queue = rest
	if err := g.follow(); err != nil {
		return nil, err
	}
	return g, g.declared()
}

// follow visits what waits, and what that reaches.
func (g *graph) follow() error {
	for len(g.queue) > 0 {
		s := g.queue[0]
		g.queue = g.queue[1:]
		doubtful, sure := s, s
		doubtful.sure, sure.sure = false, true
		if g.seen[sure] || g.seen[doubtful] && !s.sure {
			continue
		}
		g.seen[s] = true
		edges, err := g.c.edges(s.file)
		if err != nil {
			return err
		}
		for i := range edges {
			if err := g.visit(s, &edges[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// visit follows one import.
func (g *graph) visit(s step, e *edge) error {
	own := s.unit.part != nil
	g.leads.hooked = g.leads.hooked || own && s.sure && e.hooks
	sure := s.sure && !e.guarded && (own && !g.fn.Compiled || e.sure)
	to := e.resolved
	if to.name != "" {
		if inRuntime(g.fn.Runtime, to.name) {
			g.runtime[to.name] = g.runtime[to.name] || sure
			return nil
		}
		if g.skips[to.name] {
			return nil
		}
	}
	if ours(to.name) {
		var err error
		if to, err = g.shared(to, e.reference, typed(s.file)); err != nil {
			return err
		}
	}
	switch {
	case to.why != "":
		g.nowhere(s, e, to, sure)
	case to.name != "":
		return g.toPackage(s, e, to, sure)
	default:
		g.toFile(s, e, to, sure)
	}
	return nil
}

// staticManifest is the module that maps static files to their fingerprinted names. No
// folder holds it: it comes with the shared code.
const staticManifest = "@architect/shared/static.json"

// shared finds a module of the shared code or the views.
func (g *graph) shared(to resolved, ref reference, lenient bool) (resolved, error) {
	if ref.spec == staticManifest && g.fn.StaticManifest != nil {
		return resolved{}, nil
	}
	for _, p := range g.parts[1:] {
		if p.at == "node_modules/"+to.name {
			to.dir = p.dir
			found, err := g.c.resolveIn(to, ref, lenient)
			if found.why != "" && ref.spec == staticManifest {
				found.hint = "there is one with fingerprint true below @static"
			}
			return found, err
		}
	}
	to.code, to.why = "import-missing", ref.spec+", which this function does not get"
	to.hint = "put code that functions share in src/shared, what pages share in src/views"
	if ref.spec == staticManifest {
		to.hint = "there is one with fingerprint true below @static"
	}
	return to, nil
}

// nowhere reports an import that leads nowhere.
func (g *graph) nowhere(s step, e *edge, to resolved, sure bool) {
	own := s.unit.part != nil
	if e.guarded || !own && !sure && to.name != "aws-sdk" || g.said[s.file+" "+e.spec] {
		return
	}
	if to.name != "" && to.dir == "" && g.said[s.file+" "+to.name] {
		return
	}
	verb := "imports "
	if e.required {
		verb = "requires "
	}
	f := Finding{Severity: Warning, Code: to.code, Text: verb + to.why, Hint: to.hint, Module: e.spec}
	if to.code == "package-missing" {
		f.Package = to.name
	}
	if sure {
		f.Severity = Error
	}
	if to.name == "aws-sdk" && (!own || g.fn.Compiled) && g.generations(s.file, e) {
		return
	}
	if !own && to.name == "aws-sdk" {
		f.Hint = sdkHint(s.unit)
	}
	g.said[s.file+" "+e.spec], g.said[s.file+" "+to.name] = true, to.name != ""
	g.report(s, e, f)
}

func (g *graph) report(s step, e *edge, f Finding) {
	f.File, f.Line, f.Col, f.EndCol = g.c.show(s.file), e.line, e.col, e.endCol
	g.found = append(g.found, f)
}

// toPackage notes that a unit needs a package, and goes on in it.
func (g *graph) toPackage(s step, e *edge, to resolved, sure bool) error {
	if s.unit.part == nil && to.name == "aws-sdk" && g.generations(s.file, e) {
		return nil
	}
	if !g.knows(s, e, to) {
		return nil
	}
	u := g.units[to.dir]
	if u == nil {
		u = &unit{dir: to.dir, name: to.name, by: s.unit.name}
		if own := s.unit.part != nil; own {
			u.by = fmt.Sprintf("%s:%d", g.c.show(s.file), e.line)
		}
		g.units[to.dir] = u
	}
	if u.part == nil && u != s.unit {
		from := path.Dir(s.rel)
		if s.unit.part == nil && !strings.HasPrefix(from, "../") {
			from = ""
		}
		s.unit.need(need{to.name, to.dir, from})
		if err := g.undeclared(s.unit, u); err != nil {
			return err
		}
	}
	if to.file != "" {
		g.leads.note(s, e, to.file)
		g.queue = append(g.queue, step{u, relative(to.dir, to.file), to.file, sure})
	}
	return nil
}

func (u *unit) need(n need) {
	if u.first == nil {
		u.first = map[need]bool{}
	}
	if !u.first[n] {
		u.first[n] = true
		u.needs = append(u.needs, n)
	}
}

// toFile goes on to a file, which the zip must hold where the import finds it
// from the importing file's place there.
func (g *graph) toFile(s step, e *edge, to resolved, sure bool) {
	if to.file == "" {
		return
	}
	u := s.unit
	if !g.c.inTop(to.file) && !strings.HasPrefix(to.file, u.dir+"/") {
		g.report(s, e, Finding{Severity: Error, Code: "import-outside", Text: "imports " + e.spec + ", which leads out of the project", Hint: "move it into the project"})
		return
	}
	rel := relative(u.dir, to.file)
	if to.scope != "" {
		if !g.knows(s, e, to) {
			return
		}
	} else if base := path.Join(path.Dir(s.file), e.spec); strings.HasPrefix(to.file, base) {
		// As it is written: ../here/x.mjs leads out of a folder and in again.
		rel = path.Join(path.Dir(s.rel), e.spec) + strings.TrimPrefix(to.file, base)
	} else if base := path.Join(path.Dir(s.file), strings.TrimSuffix(e.spec, path.Ext(e.spec))); strings.HasPrefix(to.file, base) {
		rel = path.Join(path.Dir(s.rel), strings.TrimSuffix(e.spec, path.Ext(e.spec))) + strings.TrimPrefix(to.file, base)
	}
	if strings.HasPrefix(rel, "../") || u.part != nil && !u.files[rel] {
		u.add(rel, to.file)
		g.addScope(u, rel, to.file)
	}
	g.leads.note(s, e, to.file)
	g.queue = append(g.queue, step{u, rel, to.file, sure})
}

// knows takes along the package.json that says what a name stands for. It
// reports false where no function would find it.
func (g *graph) knows(s step, e *edge, to resolved) bool {
	u := s.unit
	if to.scope == "" || to.scope == u.dir || strings.HasPrefix(to.scope, u.dir+"/") {
		return true
	}
	if u.part != nil && u.part != g.parts[0] {
		g.report(s, e, Finding{Severity: Error, Code: "import-outside",
			Text: fmt.Sprintf("imports %s, which only a package.json above %s knows, and no function finds there", e.spec, g.c.show(u.dir)),
			Hint: "name the file by its path"})
		return false
	}
	u.add(relative(u.dir, path.Join(to.scope, "package.json")), path.Join(to.scope, "package.json"))
	return true
}

// add notes a file that a unit's code reaches elsewhere.
func (u *unit) add(rel, file string) {
	if u.more == nil {
		u.more = map[string]string{}
	}
	u.more[rel] = file
}

// addScope takes along the package.json that tells which kind of module a file is.
func (g *graph) addScope(u *unit, rel, file string) {
	if path.Ext(file) != ".js" {
		return
	}
	dir, manifest, err := g.c.scope(file)
	if err != nil || !manifest.exists || dir == u.dir || strings.HasPrefix(dir, u.dir+"/") {
		return
	}
	at := path.Join(path.Dir(rel), relative(path.Dir(file), path.Join(dir, "package.json")))
	u.add(at, path.Join(dir, "package.json"))
}

// generations reports whether a file asks for version 2 of the SDK only where
// Node is too old for version 3, which it asks for as well. A bundle holds version 3
// rather than asking for it, and names its packages all the same.
func (g *graph) generations(file string, e *edge) bool {
	if e.sure || nodeMajor(g.fn.Runtime) < 18 {
		return false
	}
	if g.fn.Compiled {
		body, err := g.c.body(file)
		return err == nil && bytes.Contains(body, []byte("@aws-sdk/"))
	}
	edges, err := g.c.edges(file)
	return err == nil && slices.ContainsFunc(edges, func(e edge) bool { return strings.HasPrefix(e.name, "@aws-sdk/") })
}

// declared warns of packages that a part's package.json declares and that are
// not installed, and places those that are.
func (g *graph) declared() error {
	for _, p := range g.parts {
		u := g.units[p.dir]
		manifest, err := g.c.readPackage(p.dir)
		if err != nil {
			return err
		}
		for _, name := range manifest.needs() {
			_, optional := manifest.OptionalDependencies[name]
			_, peer := manifest.PeerDependencies[name]
			if optional || peer || inRuntime(g.fn.Runtime, name) || ours(name) || g.skips[name] {
				continue
			}
			dir, err := g.c.find(p.dir, name)
			if err != nil {
				return err
			}
			switch {
			case dir != "":
				u.need(need{name, dir, "."})
			case !g.saidOf(name):
				command, _ := g.c.installs(p.dir, name)
				g.found = append(g.found, Finding{File: g.c.show(path.Join(p.dir, "package.json")), Severity: Warning, Code: "package-missing",
					Text: "declares " + name + ", which is not in node_modules", Hint: command + unlessLayer, Package: name})
			}
		}
	}
	return nil
}

// saidOf reports whether a package was reported missing already.
func (g *graph) saidOf(name string) bool {
	return slices.ContainsFunc(g.found, func(f Finding) bool {
		return f.Package == name
	})
}

// findings lists what was found, in order of file and line.
func (g *graph) findings() []Finding {
	for _, dir := range slices.Sorted(maps.Keys(g.notes)) {
		g.found = append(g.found, g.notes[dir].note(g.c))
	}
	functions := map[string]bool{}
	for dir, u := range g.units {
		if u.part == nil && u.name == "@architect/functions" {
			functions[dir] = true
		}
	}
	g.found = append(g.found, g.c.outdated(functions)...)
	slices.SortStableFunc(g.found, func(a, b Finding) int {
		if a.File != b.File {
			return compare(a.File, b.File)
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	return g.found
}

// reads lists the files that decide what the graph is: the project's own code,
// and what packages say of themselves.
func (g *graph) reads() []string {
	set := map[string]bool{}
	for s := range g.seen {
		if !inModules(path.Dir(s.file)) {
			set[s.file] = true
		}
	}
	for dir := range g.units {
		set[path.Join(dir, "package.json")] = true
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if on := g.c.onDisk(name); on != "" {
			list = append(list, on)
		}
	}
	return list
}

// inModules reports whether a folder is an installed package's, not a linked
// one of the project's own.
func inModules(dir string) bool { return strings.Contains("/"+dir, "/node_modules/") }
