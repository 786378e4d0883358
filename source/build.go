package source

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"
)

// Builder says where and for which machine code is built: TypeScript that is
// bundled, packages that are installed, programs that are compiled. One builder
// serves all functions of an app.
type Builder struct {
	Dir string // the project's folder on disk, absolute
	// Env is the user's environment: PATH, and what the tools read themselves.
	Env func(name string) string
	// Cache is a folder for what takes long to make, from one run to the next.
	Cache string
	// Host builds for this machine instead of the function's architecture: for
	// code that runs here.
	Host bool
	// Live is for code that runs from the folders in which it is written: it names
	// them in errors, and finds the packages of Lambda's runtime there.
	Live bool
	// Revised says that the project's files are not those in Dir, but another
	// version of them: a git revision.
	Revised bool
	// Context ends what is being built; nil = nothing does.
	Context context.Context
	// Tell is told what is fetched for the runtime of code that runs here; nil = nobody.
	Tell func(text string)
	// Busy is called when code that runs here begins to be built, and what it gives
	// when that is done; nil = nobody wants to know.
	Busy func() (done func())

	home  string                    // of a copy: the folder that Dir stands for
	locks memo[string, *sync.Mutex] // by folder of the cache
	told  memo[string, []string]    // by interpreter of this machine: the folders of its packages
	tries memo[string, string]      // by what was to be installed for a runtime: its folder
}

// busy tells that code begins to be built, and when it is.
func (b *Builder) busy() (done func()) {
	if b == nil || b.Busy == nil {
		return func() {}
	}
	return b.Busy()
}

// built is what building a function gave.
type built struct {
	files    []File          // for the zip
	used     map[string]bool // project paths whose content is in files
	left     []left          // packages that must lie beside them
	reads    []string        // absolute paths of all that was read, sorted
	findings []Finding
}

// left is a package that a bundle leaves as it is.
type left struct {
	name string
	file string // that imports it, a project path
	line int
	col  int
	end  int
}

// addBundled adds a function's bundled code and the packages that it leaves as
// they are, and gives the parts of the zip without what went into it.
func (c *collector) addBundled(b *Bundle, l *layout, fn Function, parts []*part) ([]*part, error) {
	made, err := c.esbuild(fn)
	if err != nil {
		return nil, err
	}
	b.Files = append(b.Files, made.files...)
	b.Findings = append(b.Findings, made.findings...)
	b.Findings = append(b.Findings, c.outdated(foldersOf(c.base, "@architect/functions", made.used))...)
	b.Reads = made.reads
	for _, p := range made.left {
		if inRuntime(fn.Runtime, p.name) {
			if b.Runtime == nil {
				b.Runtime = map[string]bool{}
			}
			b.Runtime[p.name] = true
		}
		if l.skip(p.name) {
			continue
		}
		dir, err := c.find(path.Join(c.base, path.Dir(p.file)), p.name)
		if err != nil {
			return nil, err
		}
		if dir == "" {
			text, hint := c.notInstalled(path.Join(c.base, path.Dir(p.file)), p.name)
			b.Findings = append(b.Findings, Finding{File: p.file, Line: p.line, Col: p.col, EndCol: p.end, Code: "package-missing", Text: "imports " + text, Hint: hint,
				Module: p.name, Package: p.name})
		} else if err := l.place("", p.name, dir); err != nil {
			return nil, err
		}
	}
	return made.instead(c, parts), nil
}

// isTypeScript reports whether a file must be compiled before Node can run it.
func isTypeScript(name string) bool {
	switch path.Ext(name) {
	case ".ts", ".mts", ".cts", ".tsx":
		return true
	}
	return false
}

// bundles reports whether the function's code is bundled by esbuild.
func (fn Function) bundles() bool {
	return strings.HasPrefix(fn.Runtime, "nodejs") && fn.HandlerFile != "" && (fn.Bundle || isTypeScript(fn.HandlerFile))
}

// instead gives the parts of a zip without what was built from: the code that
// the bundle holds, everything that only a compiler reads, and packages. What
// the bundle leaves as it is lies beside it.
func (m *built) instead(c *collector, parts []*part) []*part {
	out := make([]*part, len(parts))
	for i, p := range parts {
		t := &tree{dir: p.dir}
		for _, f := range p.files {
			made := i == 0 && slices.ContainsFunc(m.files, func(by File) bool { return sameModule(f.Path, by.Path) })
			if made || m.used[c.show(path.Join(p.dir, f.Path))] || compilers(f.Path) || strings.HasPrefix(f.Path, "node_modules/") {
				continue
			}
			t.files = append(t.files, f)
		}
		out[i] = &part{t, p.at}
	}
	return out
}

// sameModule reports whether Node could load one file in place of the other:
// Lambda prefers index.js to index.mjs.
func sameModule(a, b string) bool {
	switch path.Ext(a) {
	case ".js", ".mjs", ".cjs":
		return strings.TrimSuffix(a, path.Ext(a)) == strings.TrimSuffix(b, path.Ext(b))
	}
	return false
}

// compilers reports whether only compilers and editors read a file.
func compilers(name string) bool {
	base := path.Base(name)
	return isTypeScript(name) || strings.HasPrefix(base, "tsconfig") && strings.HasSuffix(base, ".json")
}
