package source

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Where a function's files lie in its zip. Its folder is the top, unless an
// import leads out of it: then the zip has the project's paths, and at the top a
// module of the handler's name that hands on what the real one exports.

// root decides where the function's folder lies in the zip, and gives the
// folder that the zip's top stands for.
func (g *graph) root() string {
	own := g.units[g.parts[0].dir]
	above := ""
	for rel := range own.more {
		if strings.HasPrefix(rel, "../") {
			above = g.c.base
		}
	}
	if above == "" {
		return g.fn.Dir
	}
	for rel := range own.more {
		if strings.HasPrefix(path.Join(relative(above, own.dir), rel), "../") {
			above = g.c.top
			break
		}
	}
	g.parts[0].at = relative(above, own.dir)
	return path.Clean(g.c.show(above))
}

// addTo puts into the bundle what the code reaches outside of its folders, and
// lays out the packages that it asks for.
func (g *graph) addTo(b *Bundle, l *layout) error {
	g.has = map[string]bool{}
	for _, f := range b.Files {
		g.has[f.Path] = true
	}
	for _, p := range g.parts {
		if err := g.occupy(l, p); err != nil {
			return err
		}
		if err := g.addMore(b, g.units[p.dir], p.at); err != nil {
			return err
		}
	}
	if at := g.parts[0].at; at != "" {
		g.addEntry(b, at)
	}
	for _, u := range g.units {
		if u.part == nil {
			l.asked[u.dir] = u.needs
		}
	}
	for _, p := range g.parts {
		for _, n := range g.units[p.dir].needs {
			if strings.HasPrefix(n.dir, p.dir+"/") {
				if err := g.lies(l, p, n); err != nil {
					return err
				}
				continue
			}
			if err := l.place(path.Join(p.at, n.from), n.name, n.dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// addBeside adds what packages reach outside of their own folders.
func (g *graph) addBeside(b *Bundle, l *layout) error {
	b.askers = l.askers
	for _, p := range l.all {
		if u := g.units[p.dir]; u != nil && u.by != "" {
			b.askers[p.at] = u.by
		}
		if u := g.units[p.dir]; u != nil && u.more != nil {
			if err := g.addMore(b, u, p.at); err != nil {
				return err
			}
		}
	}
	return nil
}

// lies places what a package needs that is copied as it lies in the function's
// own node_modules, where that does not have it.
func (g *graph) lies(l *layout, p *part, n need) error {
	done := map[string]bool{}
	queue := []string{n.dir}
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		u := g.units[dir]
		if u == nil || done[dir] {
			continue
		}
		done[dir] = true
		for _, n := range u.needs {
			if strings.HasPrefix(n.dir, p.dir+"/") {
				queue = append(queue, n.dir)
			} else if err := l.place(path.Join(p.at, relative(p.dir, dir), n.from), n.name, n.dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// occupy tells the layout which packages a part's own node_modules holds:
// copied with the folder, or to be placed.
func (g *graph) occupy(l *layout, p *part) error {
	modules := path.Join(p.dir, "node_modules")
	if p.relaid == nil {
		names, err := g.c.names(modules)
		for name := range names {
			if !ours(name) {
				l.at[under(p.at, "node_modules/"+name)] = path.Join(modules, name)
			}
		}
		return err
	}
	for _, name := range p.relaid {
		dir, err := g.c.installed(modules, name)
		if err != nil {
			return err
		}
		if dir == "" || g.skips[name] || inRuntime(g.fn.Runtime, name) {
			continue
		}
		if err := l.place(p.at, name, dir); err != nil {
			return err
		}
	}
	return nil
}

// addMore adds the files from elsewhere that a unit's code reaches.
func (g *graph) addMore(b *Bundle, u *unit, at string) error {
	for _, rel := range slices.Sorted(maps.Keys(u.more)) {
		name := path.Join(at, rel)
		if strings.HasPrefix(name, "../") || name == ".." {
			return fmt.Errorf("%s: is imported from %s by a path for which a zip has no place: move it nearer", g.c.show(u.more[rel]), g.c.show(u.dir))
		}
		if g.has[name] {
			continue
		}
		g.has[name] = true
		content, size, err := g.c.contentOf(u.more[rel])
		if err != nil {
			return err
		}
		b.Files = append(b.Files, File{Path: name, Size: size, Open: content.open, Source: g.c.onDisk(u.more[rel]), content: content})
	}
	return nil
}

// addEntry adds the module that Lambda loads: one line that hands on what the
// handler exports.
func (g *graph) addEntry(b *Bundle, at string) {
	handler := g.fn.HandlerFile
	if handler == "" {
		for _, name := range []string{"index.js", "index.mjs", "index.cjs"} {
			if g.has[path.Join(at, name)] {
				handler = name
				break
			}
		}
	}
	if handler == "" {
		return
	}
	stem := strings.TrimSuffix(handler, path.Ext(handler))
	to := relative(path.Dir(handler), path.Join(at, handler))
	if !strings.HasPrefix(to, "../") {
		to = "./" + to
	}
	quoted, err := json.Marshal(to)
	if err != nil {
		return // a path is a string
	}
	file := inMemory(stem+".mjs", fmt.Appendf(nil, "export * from %s\n", quoted))
	if !g.isModule(path.Join(g.parts[0].dir, handler)) {
		file = inMemory(stem+".cjs", fmt.Appendf(nil, "module.exports = require(%s)\n", quoted))
	}
	for _, end := range []string{"", ".js", ".mjs", ".cjs"} {
		if g.has[stem+end] {
			g.found = append(g.found, Finding{File: g.c.show(path.Join(g.parts[0].dir, handler)), Severity: Error, Code: "handler-hidden",
				Text: fmt.Sprintf("in the zip, %s%s is in the handler's place", stem, end), Hint: "rename it"})
			b.Findings = g.found
		}
	}
	b.Files = append(b.Files, file)
}

// isModule reports whether a file is an ES module where the zip has the
// project's paths.
func (g *graph) isModule(file string) bool {
	switch path.Ext(file) {
	case ".mjs":
		return true
	case ".js":
		dir, manifest, err := g.c.scope(file)
		inZip := strings.HasPrefix(dir+"/", g.parts[0].dir+"/")
		for _, f := range g.units[g.parts[0].dir].more {
			inZip = inZip || f == path.Join(dir, "package.json")
		}
		return err == nil && inZip && manifest.Type == "module"
	}
	return false
}
