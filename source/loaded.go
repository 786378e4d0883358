package source

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Which files of the user's are evaluated for sure when a function is loaded: a
// mistake in one that is not, or that something else than Node compiles, keeps no
// function from working.

// leads are the certain ways from file to file.
type leads struct {
	to     map[string][]string
	hooked bool            // something may read files its own way
	asked  map[string]bool // files whose exports another file gets
}

// note remembers an import of the user's own code.
func (l *leads) note(s step, e *edge, file string) {
	if s.unit.part == nil {
		return
	}
	if l.to == nil {
		l.to, l.asked = map[string][]string{}, map[string]bool{}
	}
	l.asked[file] = true
	if !e.guarded && (e.sure && !e.required || e.plain) {
		l.to[s.file] = append(l.to[s.file], file)
	}
}

// from lists what is evaluated with a file.
func (l *leads) from(file string) map[string]bool {
	reached := map[string]bool{file: true}
	for queue := []string{file}; len(queue) > 0 && !l.hooked; queue = queue[1:] {
		for _, to := range l.to[queue[0]] {
			if !reached[to] {
				reached[to] = true
				queue = append(queue, to)
			}
		}
	}
	return reached
}

// own lists the modules of the user's that are evaluated when the function is loaded,
// sorted.
func (g *graph) own() []ownModule {
	handler := path.Join(g.parts[0].dir, g.fn.HandlerFile)
	for _, f := range g.parts[0].files {
		if f.Path == g.fn.HandlerFile {
			handler = f.content.at
		}
	}
	g.leads.hooked = g.leads.hooked || g.fn.NodeOptions
	reached := g.leads.from(handler)
	var list []ownModule
	for s := range g.seen {
		if s.unit.part == nil || !s.sure || !reached[s.file] || inModules(path.Dir(s.file)) {
			continue
		}
		m := ownModule{file: s.file, asked: g.leads.asked[s.file]}
		switch path.Ext(s.file) {
		case ".mjs":
			m.esm, m.sure = true, true
		case ".cjs":
			m.sure = true
		case ".js":
			m.esm, m.sure = g.moduleType(s)
		default:
			continue
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b ownModule) int { return compare(a.file, b.file) })
	return slices.Compact(list)
}

// moduleType is what a .js file is taken for by the package.json files that are beside
// it in the zip.
func (g *graph) moduleType(s step) (esm, sure bool) {
	if !strings.HasPrefix(s.file, s.unit.dir+"/") || g.parts[0].at != "" {
		return false, false
	}
	for dir := path.Dir(s.file); ; dir = path.Dir(dir) {
		manifest, err := g.c.readPackage(dir)
		switch {
		case err != nil:
			return false, false
		case manifest.exists:
			return manifest.Type == "module", true
		case dir == s.unit.dir:
			return false, true
		}
	}
}

// beforeRequire is what a line has before a require that nothing can keep from being
// evaluated. Tokens alone do not show functions and conditions without braces.
var beforeRequire = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(?:(?:const|let|var) +(?:[\w$]+|\{[\w$\s,:]*\})|\}|(?:module\.)?exports(?:\.[\w$]+)?) *= *)?$`)
})

// plainly reports whether a require is a statement by itself, or the whole value that
// one assigns, from the first column on.
func plainly(src []byte, at int) bool {
	line := src[1+bytes.LastIndexByte(src[:at], '\n') : at]
	return len(line) < 200 && beforeRequire().Match(line)
}

// doubts takes back what is sure of a file's requires where require may be something
// else than Node's, or where the file ends early.
func doubts(src []byte, refs []reference) {
	if !slices.ContainsFunc(refs, func(r reference) bool { return r.plain }) {
		return
	}
	rebound := false
	for _, sign := range []string{"require =", "require=", "function require", "\nreturn", "\nif (!process.env"} {
		rebound = rebound || bytes.Contains(src, []byte(sign))
	}
	hooks := false
	for _, sign := range []string{"require.cache", "extensions", "registerHooks", "prototype.require", "_load", "_compile", "addHook"} {
		hooks = hooks || bytes.Contains(src, []byte(sign))
	}
	for i := range refs {
		refs[i].plain = refs[i].plain && !rebound
		refs[i].hooks = hooks || hookPackage().MatchString(refs[i].spec)
	}
}

// hookPackage finds packages that have Node read files in their own way, like esm,
// @babel/register, ts-node/register, marko/node-require, sucrase/register/tsx and jiti.
var hookPackage = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(esm|jiti|pirates|tsx|node-jsx|coffee-?script|livescript|ts-node|tsm|proxyquire|rewire|mock-require)(/|$)|register|hook|node-require|require-|-require`)
})
