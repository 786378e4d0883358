package source

import (
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// What a function is made of is decided by more than the files in it: by where
// links lead, and by packages that were looked for and are not there, or not where
// Node looks first. When such a place changes, the function has to be made again.

// looked are those places, absolute and sorted: links that were followed, packages
// that were asked for in a node_modules folder, whether they are there or not,
// node_modules folders that are not there, and folders in which a module was looked
// for in vain, in a package with all below them, as npm writes it file by file.
func (c *collector) looked() []string {
	set := map[string]bool{}
	c.links.Range(func(at, _ any) bool {
		set[c.onDisk(at.(string))] = true
		return true
	})
	c.packages.each(func(at string) {
		modules, _, _ := cutLast(at, "/node_modules/")
		names, err := c.names(modules + "/node_modules")
		switch {
		case err != nil:
		case names != nil:
			set[c.onDisk(at)] = true
		case !inModules(modules): // npm makes none deeper in a package than beside its package.json
			set[c.onDisk(modules+"/node_modules")] = true
		}
	})
	c.unfound.Range(func(dir, _ any) bool {
		set[c.onDisk(dir.(string))] = true
		if !inModules(dir.(string)) {
			return true
		}
		fs.WalkDir(c.files, dir.(string), func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || !d.IsDir():
				return nil
			case d.Name() == "node_modules" && name != dir:
				return fs.SkipDir
			}
			set[c.onDisk(name)] = true
			return nil
		})
		return true
	})
	delete(set, "")
	return slices.Sorted(maps.Keys(set))
}

// cutLast cuts a text at the last place where sep stands in it.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// look notes where esbuild, which resolves imports itself, looks for one: name is
// the package's, "" for a path.
func (p *esbuildPlugin) look(folder, spec, name string) {
	rel, err := filepath.Rel(p.c.disk, folder)
	if p.c.disk == "" || err != nil {
		return
	}
	from := filepath.ToSlash(rel)
	if name != "" {
		p.c.find(from, name)
	} else if strings.HasPrefix(spec, ".") {
		p.c.locate(path.Join(from, path.Dir(spec)))
	}
}
