package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// MaxUnpacked is the most bytes that a function may take unpacked:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const MaxUnpacked = 250 << 20

// maxScanned is the largest file that is searched for imports, in bytes. What
// is larger is data or a finished bundle.
const maxScanned = 8 << 20

// Collect finds the files of a function: its folder, shared code and views
// under node_modules/@architect (or vendor for other runtimes), and the npm
// packages that its imports reach when the folder has no node_modules of its own.
// project is the project root; symlinks that leave it are an error.
//
// Left out are version control, editors' leavings, config.arc and its like, and
// whatever may hold secrets: .env files and .npmrc. An imported package that is
// not installed is a warning. A missing folder is an error that wraps
// fs.ErrNotExist. project should come from os.Root.FS, so that links cannot
// escape it.
func Collect(project fs.FS, fn Function) (*Bundle, error) {
	bundles, err := CollectAll(project, []Function{fn})
	if err != nil {
		return nil, err
	}
	return bundles[0], nil
}

// CollectAll is Collect for all functions of an app, in the same order. Shared
// code and packages are listed once and, when keys are asked for, read once.
// Its error names every function that failed.
func CollectAll(project fs.FS, fns []Function) ([]*Bundle, error) {
	c := &collector{project: project}
	bundles := make([]*Bundle, len(fns))
	errs := make([]error, len(fns))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, fn := range fns {
		g.Go(func() error {
			bundles[i], errs[i] = c.bundle(fn)
			return nil
		})
	}
	g.Wait()
	return bundles, errors.Join(distinct(errs)...)
}

// distinct drops nils and repeated messages: a fault in shared code is found
// once for every function.
func distinct(errs []error) []error {
	var out []error
	said := map[string]bool{}
	for _, err := range errs {
		if err != nil && !said[err.Error()] {
			said[err.Error()] = true
			out = append(out, err)
		}
	}
	return out
}

// collector holds what the functions of one app have in common. Its paths are
// relative to the project root.
type collector struct {
	project   fs.FS
	reals     memo[string, string]          // path → path without symbolic links
	packages  memo[string, string]          // node_modules/name → real folder, "" = not there
	listings  memo[string, map[string]bool] // node_modules → names in it
	manifests memo[string, packageJSON]     // folder → its package.json
	folders   memo[string, []File]          // package folder → its files
	trees     memo[string, *tree]           // function, shared and views folder → what is in it
}

// tree is a folder of the user's own code.
type tree struct {
	dir    string
	files  []File   // all files but those of packages to be placed
	needs  []need   // packages that the code imports, in order of file and line
	relaid []string // packages of its own node_modules that cannot be copied as they lie
	strays []Warning
}

// need is a package that code asks for.
type need struct {
	name string
	file string // relative to the tree
	line int    // 0 when package.json declares it
}

// bundle collects one function.
func (c *collector) bundle(fn Function) (*Bundle, error) {
	node := strings.HasPrefix(fn.Runtime, "nodejs")
	b := &Bundle{}
	l := &layout{c: c, ignore: map[string]bool{}, at: map[string]string{}}
	for _, name := range fn.Ignore {
		l.ignore[name] = true
	}
	parts, err := c.parts(fn, node)
	if err != nil {
		return nil, err
	}
	if fn.bundles() {
		if parts, err = c.addBundled(b, l, fn, parts); err != nil {
			return nil, err
		}
	}
	for i, p := range parts {
		files := p.files
		if i == 0 {
			files = slices.DeleteFunc(slices.Clone(files), func(f File) bool { return replaced(f.Path, parts[1:]) })
		}
		b.Files = append(b.Files, moved(files, p.at)...)
		b.Warnings = append(b.Warnings, p.strays...)
	}
	if fn.StaticManifest != nil {
		b.addStaticManifest(sharedFolder(node), fn.StaticManifest)
	}
	if node {
		if err := c.addPackages(b, l, parts); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(b.Files, byPath)
	if size := b.Size(); size > MaxUnpacked {
		return nil, fmt.Errorf("%s: takes %d MB unpacked, more than Lambda's %d: move what the handler does not need at run time out of the folder or into a layer",
			fn.Dir, size>>20, MaxUnpacked>>20)
	}
	return b, nil
}

// part is a tree and where it lies in the zip.
type part struct {
	*tree
	at string
}

// parts lists a function's own folder, then shared code and views.
func (c *collector) parts(fn Function, node bool) ([]part, error) {
	own, err := c.tree(fn.Dir, node, true)
	if err != nil {
		if _, missing := fs.Stat(c.project, fn.Dir); errors.Is(missing, fs.ErrNotExist) {
			err = fmt.Errorf("%s: the function has no folder, which arc init creates: %w", fn.Dir, fs.ErrNotExist)
		}
		return nil, err
	}
	parts := []part{{own, ""}}
	for _, more := range []struct{ dir, name string }{{fn.Shared, "shared"}, {fn.Views, "views"}} {
		if more.dir == "" {
			continue
		}
		t, err := c.tree(more.dir, node, false)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{t, sharedFolder(node) + "/" + more.name})
	}
	return parts, nil
}

// sharedFolder is where a zip has shared code and views.
func sharedFolder(node bool) string {
	if node {
		return "node_modules/@architect"
	}
	return "vendor"
}

// addStaticManifest puts static.json where the runtime library looks for it,
// in place of one that an earlier tool left there.
func (b *Bundle) addStaticManifest(folder string, text []byte) {
	name := folder + "/shared/static.json"
	b.Files = slices.DeleteFunc(b.Files, func(f File) bool { return f.Path == name })
	b.Files = append(b.Files, inMemory(name, text))
}

// replaced reports whether a file of the function's folder lies where shared
// code or views go: a copy that an earlier tool left there.
func replaced(name string, by []part) bool {
	for _, p := range by {
		if strings.HasPrefix(name, p.at+"/") {
			return true
		}
	}
	return false
}

// addPackages adds the packages that the parts import and warns of those that
// are not installed.
func (c *collector) addPackages(b *Bundle, l *layout, parts []part) error {
	for _, p := range parts {
		if err := c.occupy(l, p); err != nil {
			return err
		}
	}
	missing := map[string]bool{}
	for _, p := range parts {
		for _, n := range p.needs {
			if inRuntime(n.name) || ours(n.name) || l.ignore[n.name] {
				continue
			}
			dir, err := c.find(path.Join(p.dir, path.Dir(n.file)), n.name)
			if err != nil {
				return err
			}
			if dir == "" {
				if !missing[n.name] {
					missing[n.name] = true
					b.Warnings = append(b.Warnings, notInstalled(p.dir, n))
				}
				continue
			}
			if strings.HasPrefix(dir, p.dir+"/") {
				continue // in the zip with its folder, or placed already
			}
			if err := l.place(under(p.at, path.Dir(n.file)), n.name, dir); err != nil {
				return err
			}
		}
	}
	if err := l.follow(); err != nil {
		return err
	}
	b.packages = l.all
	files, err := l.files()
	b.Files = append(b.Files, files...)
	return err
}

// occupy tells the layout which packages a part's own node_modules holds:
// copied with the folder, or to be placed.
func (c *collector) occupy(l *layout, p part) error {
	modules := path.Join(p.dir, "node_modules")
	if p.relaid == nil {
		names, err := c.names(modules)
		for name := range names {
			if !ours(name) {
				l.at[under(p.at, "node_modules/"+name)] = path.Join(modules, name)
			}
		}
		return err
	}
	for _, name := range p.relaid {
		dir, err := c.installed(modules, name)
		if err != nil {
			return err
		}
		if dir == "" || l.ignore[name] {
			continue
		}
		if err := l.place(p.at, name, dir); err != nil {
			return err
		}
	}
	return nil
}

func notInstalled(dir string, n need) Warning {
	verb := "imports"
	if n.line == 0 {
		verb = "declares"
	}
	return Warning{
		File: path.Join(dir, n.file),
		Line: n.line,
		Text: fmt.Sprintf("%s %s, which is not in node_modules", verb, n.name),
		Hint: "npm install " + n.name + ", or name it in ignoreDependencies when a layer holds it",
	}
}
