package source

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// tree lists a folder of the user's code and, for Node, what it imports. top
// tells a function's folder, which may hold settings, from shared code.
func (c *collector) tree(dir string, node, top bool) (*tree, error) {
	key := fmt.Sprintf("%t %t %s", node, top, dir)
	return c.trees.get(key, func() (*tree, error) {
		real, _, err := c.locate(dir)
		if err != nil {
			return nil, err
		}
		if real == "" {
			return nil, c.unreadable(dir, fs.ErrNotExist)
		}
		if !c.inTop(real) {
			return nil, fmt.Errorf("%s: a symbolic link leads out of the project: replace it by the files it points at", c.show(dir))
		}
		dir := real
		entries, err := fs.ReadDir(c.files, dir)
		if err != nil {
			return nil, c.unreadable(dir, err)
		}
		t := &tree{dir: dir}
		if node {
			c.absent(dir, entries)
			if t.relaid, err = c.relaid(dir); err != nil {
				return nil, err
			}
		}
		w := walk{c: c, root: dir, skip: func(rel string, d fs.DirEntry) bool {
			switch {
			case top && settings(rel):
				return true
			case rel == "node_modules":
				return t.relaid != nil
			case strings.HasPrefix(rel, "node_modules/."):
				return true // .bin, .cache, .package-lock.json: npm's own books
			case strings.HasPrefix(rel, "node_modules/"):
				return ours(strings.TrimPrefix(rel, "node_modules/"))
			}
			return false
		}}
		if err := w.entries(dir, "", entries); err != nil {
			return nil, err
		}
		slices.SortFunc(w.files, byPath)
		t.files = w.files
		return t, nil
	})
}

// absent remembers what a folder does not hold, so that an app of a thousand
// functions does not ask the disk three thousand times.
func (c *collector) absent(dir string, entries []fs.DirEntry) {
	has := func(name string) bool {
		return slices.ContainsFunc(entries, func(d fs.DirEntry) bool { return d.Name() == name })
	}
	if !has("node_modules") {
		c.listings.get(path.Join(dir, "node_modules"), func() (map[string]bool, error) { return nil, nil })
	}
	if !has("package.json") {
		c.manifests.get(dir, func() (packageJSON, error) { return packageJSON{}, nil })
	}
}

// relaid names the packages of a folder's own node_modules when they cannot be
// copied as they lie: links would lose the neighbours that the real folders
// have, and in a workspace a package's dependencies may lie further up.
func (c *collector) relaid(dir string) ([]string, error) {
	modules := path.Join(dir, "node_modules")
	names, err := c.names(modules)
	if err != nil {
		return nil, err
	}
	var list []string
	linked := false
	for name, link := range names {
		if !ours(name) {
			list = append(list, name)
			linked = linked || link
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	slices.Sort(list)
	if linked {
		return list, nil
	}
	for above := dir; ; above = path.Dir(above) {
		manifest, err := c.readPackage(above)
		if err != nil {
			return nil, err
		}
		if manifest.Workspaces != nil {
			return list, nil
		}
		if above == c.top || above == "." {
			return nil, nil
		}
	}
}

// isCode reports whether a file is searched for imports. Tests are not: what
// they import is not needed in the cloud.
func isCode(name string) bool {
	ext := path.Ext(name)
	switch ext {
	case ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx":
	default:
		return false
	}
	for part := range strings.SplitSeq(path.Dir(name), "/") {
		switch part {
		case "node_modules", "test", "tests", "__tests__":
			return false
		}
	}
	stem := strings.TrimSuffix(path.Base(name), ext)
	for _, suffix := range []string{".d", ".test", ".spec", "-test", "_test"} {
		if strings.HasSuffix(stem, suffix) {
			return false
		}
	}
	return true
}
