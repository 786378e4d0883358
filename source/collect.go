package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// MaxUnpacked is the most bytes that a function may take unpacked:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const MaxUnpacked = 250 << 20

// maxScanned is the largest file that is searched for imports, in bytes. What
// is larger is data or a finished bundle.
const maxScanned = 8 << 20

// Tree is where functions' code is found. Node looks for packages in every
// folder above the project, so Files may begin further up.
type Tree struct {
	Files   fs.FS  // should come from os.Root.FS, so that links cannot escape it
	Project string // the project's folder in Files, a real one; "" = Files itself
	// Top is the folder in Files that imported files and links must not lead out
	// of: the project's, or that of its repository or workspace; "" = the project's.
	// Packages may lie elsewhere.
	Top  string
	Disk string // absolute path of Files; "" = it is on no disk
}

// CollectAll finds the files of an app's functions, in the same order: of each
// its folder, shared code and views under node_modules/@architect (or vendor for
// other runtimes), what its imports reach outside, and the npm packages that they
// ask for. project is the project root. Shared code and packages are listed once
// and, when keys are asked for, read once.
//
// Left out are version control, editors' leavings, config.arc and its like, and
// whatever may hold secrets: .env files and .npmrc. An import that leads nowhere
// is a finding. A missing folder is an error that wraps fs.ErrNotExist; the error
// names every function that failed.
func CollectAll(project fs.FS, fns []Function) ([]*Bundle, error) {
	return Tree{Files: project}.CollectAll(fns)
}

// CollectAll collects functions of a project that is a part of a larger tree.
func (t Tree) CollectAll(fns []Function) ([]*Bundle, error) {
	c := t.collector()
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
	if err := c.loads(fns, bundles); err != nil {
		errs = append(errs, err)
	}
	return bundles, errors.Join(distinct(errs)...)
}

func (t Tree) collector() *collector {
	c := &collector{files: t.Files, base: path.Clean(t.Project), top: path.Clean(t.Top), disk: t.Disk}
	if t.Top == "" {
		c.top = c.base
	}
	return c
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
// those of its tree.
type collector struct {
	files     fs.FS
	base, top string // the project's folder, and the one that code must not lead out of
	disk      string

	located   memo[string, place]                  // path → what is there, without symbolic links
	modes     memo[string, map[string]fs.FileMode] // folder → its entries
	packages  memo[string, string]                 // node_modules/name → real folder, "" = not there
	listings  memo[string, map[string]bool]        // node_modules → names in it
	manifests memo[string, packageJSON]            // folder → its package.json
	contents  memo[string, *content]               // real file → its content
	imported  memo[string, []edge]                 // real file → what it imports
	folders   memo[string, []File]                 // package folder → its files
	trees     memo[string, *tree]                  // function, shared and views folder → what is in it
	links     sync.Map                             // path of a symbolic link that was followed → true
	unfound   sync.Map                             // folder in which a module was looked for in vain → true
	whole     sync.Map                             // folder → number of files in it, all of them collected
}

// tree is a folder of the user's own code.
type tree struct {
	dir    string
	files  []File   // all files but those of packages to be placed
	relaid []string // packages of its own node_modules that cannot be copied as they lie
}

// bundle collects one function.
func (c *collector) bundle(fn Function) (*Bundle, error) {
	node := strings.HasPrefix(fn.Runtime, "nodejs")
	b := &Bundle{Root: fn.Dir, whole: c.filesIn}
	parts, err := c.parts(fn, node)
	if err != nil {
		return nil, err
	}
	var graph *graph
	l := c.newLayout(fn)
	switch {
	case fn.bundles():
		if parts, err = c.addBundled(b, l, fn, parts); err != nil {
			return nil, err
		}
	case fn.language() != "":
		if parts, err = c.addProgram(b, fn, parts); err != nil {
			return nil, err
		}
	case node:
		if graph, err = c.graph(fn, parts); err != nil {
			return nil, err
		}
		b.Findings, b.Runtime, b.Root, b.Reads = graph.findings(), graph.runtime, graph.root(), graph.reads()
		b.own = graph.own()
	}
	for i, p := range parts {
		files := p.files
		if i == 0 {
			files = slices.DeleteFunc(slices.Clone(files), func(f File) bool { return replaced(f.Path, parts[1:]) })
		}
		b.Files = append(b.Files, moved(files, p.at)...)
	}
	if fn.StaticManifest != nil {
		f := inMemory("static.json", fn.StaticManifest)
		if f.Source = fn.StaticFile; f.Source != "" {
			f.Open = func() (io.ReadCloser, error) { return os.Open(fn.StaticFile) }
		}
		b.put(sharedFolder(node)+"/shared/static.json", f)
	}
	for _, c := range fn.Copies {
		if c.Body != nil {
			b.put(path.Join(copiesFolder(node), c.To), inMemory("", c.Body))
		}
	}
	if graph != nil {
		if err := graph.addTo(b, l); err != nil {
			return nil, err
		}
	}
	if err := l.addTo(b); err != nil {
		return nil, err
	}
	if graph != nil {
		if err := graph.addBeside(b, l); err != nil {
			return nil, err
		}
	}
	if err := c.addDependencies(b, fn); err != nil {
		return nil, err
	}
	b.Folders = c.listed(parts)
	slices.SortFunc(b.Files, byPath)
	if err := b.checkPlatform(fn); err != nil {
		return nil, err
	}
	if size := b.Size(); size > MaxUnpacked {
		return nil, fmt.Errorf("%s: takes %d MB unpacked, more than Lambda's %d: move what the handler does not need at run time out of the folder or into a layer",
			fn.Dir, size>>20, MaxUnpacked>>20)
	}
	return b, nil
}

// listed are the folders on disk of a function's own code that were listed, and
// that are linked entry by entry: new files show in the others by themselves.
func (c *collector) listed(parts []*part) []string {
	set := map[string]bool{}
	for _, p := range parts {
		set[c.onDisk(p.dir)] = true
		for _, f := range p.files {
			if !inModules(path.Dir(f.Path)) {
				set[filepath.Dir(f.Source)] = true
			}
		}
	}
	delete(set, "")
	delete(set, ".")
	return slices.Sorted(maps.Keys(set))
}

// filesIn is how many files are in a folder on disk when all were collected, else -1.
func (c *collector) filesIn(folder string) int {
	dir, below := strings.CutPrefix(filepath.ToSlash(folder), strings.TrimSuffix(filepath.ToSlash(c.disk), "/")+"/")
	if c.disk == "" || !below {
		return -1
	}
	if n, ok := c.whole.Load(dir); ok {
		return n.(int)
	}
	return -1
}

// part is a tree and where it lies in the zip.
type part struct {
	*tree
	at string
}

// parts lists a function's own folder, then shared code and views.
func (c *collector) parts(fn Function, node bool) ([]*part, error) {
	dir := path.Join(c.base, fn.Dir)
	own, err := c.tree(dir, node, true)
	if err != nil {
		if _, lacking := fs.Stat(c.files, dir); errors.Is(lacking, fs.ErrNotExist) {
			err = fmt.Errorf("%s: the function has no folder, which arc init creates: %w", fn.Dir, fs.ErrNotExist)
		}
		return nil, err
	}
	parts := []*part{{own, ""}}
	for _, more := range []struct{ dir, name string }{{fn.Shared, "shared"}, {fn.Views, "views"}} {
		if more.dir == "" {
			continue
		}
		t, err := c.tree(path.Join(c.base, more.dir), node, false)
		if err != nil {
			return nil, err
		}
		parts = append(parts, &part{t, sharedFolder(node) + "/" + more.name})
	}
	for _, copied := range fn.Copies {
		if copied.Body != nil {
			continue
		}
		p, err := c.copied(copied, node)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// copied is a file or a folder that goes into a function beside its packages.
func (c *collector) copied(what Copy, node bool) (*part, error) {
	at := copiesFolder(node)
	from := path.Join(c.base, what.From)
	info, err := fs.Stat(c.files, from)
	if missing(err) {
		return nil, fmt.Errorf("%s, which a plugin copies into functions, does not exist: write it, or correct the plugin", what.From)
	}
	if err != nil {
		return nil, unreadable(what.From+", which a plugin copies into functions", err)
	}
	if info.IsDir() {
		t, err := c.tree(from, node, false)
		return &part{t, path.Join(at, what.To)}, err
	}
	t, err := c.tree(path.Dir(from), node, false)
	if err != nil {
		return nil, err
	}
	for _, f := range t.files {
		if f.Path == path.Base(from) {
			f.Path = path.Base(what.To)
			return &part{&tree{dir: t.dir, files: []File{f}}, path.Join(at, path.Dir(what.To))}, nil
		}
	}
	return nil, fmt.Errorf("%s, which a plugin copies into functions, is of a kind that no zip takes", what.From)
}

// copiesFolder is where a zip has what plugins copy into functions.
func copiesFolder(node bool) string {
	if node {
		return "node_modules"
	}
	return "vendor"
}

// sharedFolder is where a zip has shared code and views.
func sharedFolder(node bool) string {
	if node {
		return "node_modules/@architect"
	}
	return "vendor"
}

// put adds a file that no folder holds, static.json where the runtime library looks
// for it, in place of one that an earlier tool left there.
func (b *Bundle) put(name string, f File) {
	b.Files = slices.DeleteFunc(b.Files, func(f File) bool { return f.Path == name })
	f.Path = name
	b.Files = append(b.Files, f)
}

// replaced reports whether a file of the function's folder lies where shared
// code or views go: a copy that an earlier tool left there.
func replaced(name string, by []*part) bool {
	for _, p := range by {
		if strings.HasPrefix(name, p.at+"/") {
			return true
		}
	}
	return false
}
