package source

import (
	"bytes"
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
		entries, err := fs.ReadDir(c.project, dir)
		if err != nil {
			return nil, unreadable(dir, err)
		}
		t := &tree{dir: dir}
		if node {
			c.absent(dir, entries)
			if t.relaid, err = c.relaid(dir); err != nil {
				return nil, err
			}
		}
		w := walk{c: c, skip: func(rel string, d fs.DirEntry) bool {
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
		if node {
			err = c.scan(t)
		}
		return t, err
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
	root, err := c.readPackage(".")
	if err != nil || !linked && root.Workspaces == nil {
		return nil, err
	}
	slices.Sort(list)
	return list, nil
}

// scan fills in what the code of a tree imports and declares.
func (c *collector) scan(t *tree) error {
	seen := map[string]bool{}
	for _, f := range t.files {
		if !isCode(f.Path) || f.Size > maxScanned {
			continue
		}
		body, err := f.content.read()
		if err != nil {
			return err
		}
		for _, ref := range imports(body) {
			t.note(f.Path, body, ref, seen)
		}
	}
	manifest, err := c.readPackage(t.dir)
	if err != nil {
		return err
	}
	for _, name := range manifest.needs() {
		if _, optional := manifest.OptionalDependencies[name]; optional || seen[name] {
			continue
		}
		if _, peer := manifest.PeerDependencies[name]; peer {
			continue
		}
		t.needs = append(t.needs, need{name: name, file: "package.json"})
	}
	return nil
}

// note records one import: of a package, or of a file that the zip will not hold.
func (t *tree) note(file string, body []byte, ref reference, seen map[string]bool) {
	line := func() int { return 1 + bytes.Count(body[:ref.offset], []byte("\n")) }
	if strings.HasPrefix(ref.spec, "../") {
		if to := path.Join(path.Dir(file), ref.spec); strings.HasPrefix(to, "../") {
			t.strays = append(t.strays, Warning{
				File: path.Join(t.dir, file),
				Line: line(),
				Text: fmt.Sprintf("imports %s, which leads out of %s and so out of the zip", ref.spec, t.dir),
				Hint: "move it to src/shared and import it as @architect/shared/…",
			})
		}
		return
	}
	name := packageName(ref.spec)
	// Node looks from each folder upwards, so a name may mean another package in another folder.
	key := path.Dir(file) + "\x00" + name
	if name == "" || seen[key] {
		return
	}
	seen[key], seen[name] = true, true
	t.needs = append(t.needs, need{name: name, file: file, line: line()})
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
