package source

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// How Node finds what code imports: https://nodejs.org/api/esm.html#resolution-algorithm
// and https://nodejs.org/api/modules.html#all-together. Paths are real ones in
// the collector's tree, as Node resolves links before it goes on from a file.

// edge is one import of a file and what it leads to.
type edge struct {
	reference
	resolved
	line, col, endCol int // 1-based; columns in bytes
}

// resolved is what an import leads to. All of it is empty for what comes with
// Node, and for what only the running program can know.
type resolved struct {
	file  string // the module's real path; "" = not known
	dir   string // of a package, asked for by name: its real folder
	name  string // of a package, asked for by name
	sub   string // the path in that package, "" = its main module
	scope string // the folder whose package.json said where (imports, or its own name); "" = none did
	why   string // why it leads nowhere; "" when it does
	hint  string // what to do about that
	code  string // kind of that mistake
}

// edges lists what a file of code imports.
func (c *collector) edges(file string) ([]edge, error) {
	return c.imported.get(file, func() ([]edge, error) {
		body, err := c.body(file)
		if err != nil || body == nil {
			return nil, err
		}
		var list []edge
		line, start := 1, 0
		for _, ref := range imports(body) {
			line += bytes.Count(body[start:ref.offset], []byte("\n"))
			start = ref.offset
			to, err := c.resolve(file, ref)
			if err != nil {
				return nil, err
			}
			if to == (resolved{}) {
				continue
			}
			col := ref.offset - bytes.LastIndexByte(body[:ref.offset], '\n')
			list = append(list, edge{ref, to, line, col, col + ref.end - ref.offset})
		}
		return list, nil
	})
}

// position is where an offset is in a text; both count from 1, columns in bytes.
func position(body []byte, offset int) (line, col int) {
	return 1 + bytes.Count(body[:offset], []byte("\n")), offset - bytes.LastIndexByte(body[:offset], '\n')
}

// notInstalled words that a package is not there, and what brings it to who asks for it
// in the folder from.
func (c *collector) notInstalled(from, name string) (why, hint string) {
	command, by := c.installs(from, name)
	why = name + ", which is not in node_modules"
	if by == "" {
		return why, command + unlessLayer
	}
	return why, command + ": " + by + " names it"
}

const unlessLayer = ", or name it in ignoreDependencies when a layer holds it"

// installs is the command that brings a package to who asks for it in the folder from,
// and whose package.json names it, in words: one above does, and was never installed,
// or none ("").
func (c *collector) installs(from, name string) (command, by string) {
	for dir := from; ; dir = path.Dir(dir) {
		manifest, err := c.readPackage(dir)
		if at := c.show(dir); err == nil && manifest.declares(name) && dir == c.base {
			return "npm install", "package.json"
		} else if err == nil && manifest.declares(name) && fs.ValidPath(at) {
			return "npm install --prefix " + at, "its package.json"
		}
		if dir == "." || dir == c.top {
			return "npm install " + name, ""
		}
	}
}

// body reads a file that may import others; nil when it is none.
func (c *collector) body(file string) ([]byte, error) {
	if !script(file) {
		return nil, nil
	}
	content, size, err := c.contentOf(file)
	if err != nil || size > maxScanned {
		return nil, err
	}
	return content.read()
}

// script reports whether a file is JavaScript or TypeScript.
func script(name string) bool {
	switch path.Ext(name) {
	case ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx":
		return !strings.HasSuffix(name, ".d.ts")
	}
	return false
}

// typed reports whether a compiler stands between the file and Node: its own
// rules of resolution are more lenient.
func typed(name string) bool {
	switch path.Ext(name) {
	case ".ts", ".mts", ".cts", ".jsx", ".tsx":
		return true
	}
	return false
}

// resolve finds what a file imports.
func (c *collector) resolve(from string, ref reference) (resolved, error) {
	spec := ref.spec
	switch {
	case spec == "." || spec == ".." || strings.HasPrefix(spec, "./") || strings.HasPrefix(spec, "../"):
		return c.resolvePath(from, ref)
	case strings.HasPrefix(spec, "#"):
		return c.resolveOwn(from, ref)
	}
	name := packageName(spec)
	if name == "" {
		return resolved{}, nil
	}
	to := resolved{name: name, sub: strings.TrimPrefix(strings.TrimPrefix(spec, name), "/")}
	if ours(name) {
		return to, nil // each function has its own
	}
	if own, err := c.resolveSelf(from, ref, to); own.file != "" || err != nil {
		return own, err
	}
	dir, err := c.find(path.Dir(from), name)
	if err != nil {
		return to, err
	}
	if dir == "" {
		to.code = "package-missing"
		to.why, to.hint = c.notInstalled(path.Dir(from), name)
		return to, nil
	}
	to.dir = dir
	return c.resolveIn(to, ref, typed(from))
}

// resolvePath finds a file by its path. What has no code in it (a folder that
// does not exist yet, a template) is none of ours unless Node would load it.
func (c *collector) resolvePath(from string, ref reference) (resolved, error) {
	spec, _, _ := strings.Cut(ref.spec, "?") // a module may be asked for under several queries
	if !ref.required {
		spec, _, _ = strings.Cut(spec, "#")
	}
	at := path.Join(path.Dir(from), spec)
	to := resolved{}
	var err error
	if strings.HasPrefix(at, "../") || at == ".." {
		to.code, to.why, to.hint = "import-outside", ref.spec+", which leads out of the project", "move it into the project"
		return to, nil
	}
	if to.file, err = c.module(at, ref.required || typed(from), typed(from)); err != nil || to.file != "" {
		return to, err
	}
	c.unfound.Store(path.Dir(at), true)
	to.code, to.why = "import-missing", ref.spec+", which does not exist"
	to.hint = "write the file, or correct the path"
	if found, err := c.module(at, true, true); err == nil && found != "" {
		to.hint = "an import names the whole file: " + ref.spec + strings.TrimPrefix(found, at)
	} else if other := c.otherCase(at); other != "" {
		to.hint = other
	}
	return to, nil
}

// otherCase says which file or folder has the name at but for capitals, which the disks of
// macOS and Windows take for one, and Lambda does not; "" when there is none.
func (c *collector) otherCase(at string) string {
	dir := "."
	for part := range strings.SplitSeq(at, "/") {
		entries, err := fs.ReadDir(c.files, dir)
		if err != nil {
			return ""
		}
		name := ""
		for _, e := range entries {
			is := e.Name()
			if is == part {
				name = is
				break
			}
			if strings.EqualFold(is, part) || name == "" && strings.EqualFold(strings.TrimSuffix(is, path.Ext(is)), part) {
				name = is
			}
		}
		if name == "" {
			return ""
		}
		dir = path.Join(dir, name)
	}
	if strings.HasPrefix(dir, at) {
		return ""
	}
	return "it is called " + c.show(dir) + ", and capitals count on Lambda"
}

// resolveOwn finds what a package.json's "imports" say of a name with a #.
func (c *collector) resolveOwn(from string, ref reference) (resolved, error) {
	to := resolved{}
	scope, manifest, err := c.scope(from)
	if err != nil {
		return to, err
	}
	if manifest.Imports.kind != object {
		to.code, to.why = "import-missing", fmt.Sprintf("%s, but no package.json above says what that is", ref.spec)
		to.hint = `write it under "imports" in package.json`
		return to, nil
	}
	target, ok := manifest.Imports.match(ref.spec, conditions(ref.required))
	if !ok {
		to.code, to.why = "import-missing", fmt.Sprintf("%s, which the \"imports\" of %s do not name", ref.spec, c.show(path.Join(scope, "package.json")))
		to.hint = `write it there, or correct the name`
		return to, nil
	}
	if strings.HasPrefix(target, "./") {
		if to.file, err = c.module(path.Join(scope, target), false, typed(from)); err != nil {
			return to, err
		}
		if to.scope = scope; to.file == "" {
			to.code, to.why = "import-missing", fmt.Sprintf("%s, which is %s by %s and does not exist", ref.spec, target, c.show(path.Join(scope, "package.json")))
			to.hint = "write the file, or correct the path"
		}
		return to, nil
	}
	inner := ref
	inner.spec = target
	to, err = c.resolve(path.Join(scope, "package.json"), inner)
	to.scope = scope
	return to, err
}

// resolveSelf finds a package that imports itself by its own name.
func (c *collector) resolveSelf(from string, ref reference, to resolved) (resolved, error) {
	scope, manifest, err := c.scope(from)
	if err != nil || manifest.Name != to.name || manifest.Exports.kind == absent {
		return resolved{}, err
	}
	to.dir = scope
	own, err := c.resolveIn(to, ref, typed(from))
	own.dir, own.name, own.sub, own.scope = "", "", "", scope
	return own, err
}

// resolveIn finds a module of a package whose folder is known.
func (c *collector) resolveIn(to resolved, ref reference, lenient bool) (resolved, error) {
	manifest, err := c.readPackage(to.dir)
	if err != nil {
		return to, err
	}
	if manifest.Exports.kind != absent {
		target, ok := manifest.Exports.subpath(to.sub, conditions(ref.required))
		if ok {
			to.file, err = c.module(path.Join(to.dir, target), false, false)
			ok = to.file != ""
		}
		if !ok {
			c.unfound.Store(to.dir, true)
		}
		if !ok && !lenient {
			to.code, to.why = "import-missing", fmt.Sprintf("%s, which the \"exports\" of %s do not offer", ref.spec, to.name)
			to.hint = "correct the path, or install a version of " + to.name + " that has it"
		}
		return to, err
	}
	at := path.Join(to.dir, to.sub)
	if to.sub == "" {
		// Both kinds of import know a package's main module and index.js.
		to.file, err = c.folderModule(to.dir)
	} else {
		to.file, err = c.module(at, ref.required || lenient, false)
	}
	if to.file == "" {
		c.unfound.Store(to.dir, true)
	}
	if err != nil || to.file != "" || lenient {
		return to, err
	}
	to.code, to.why = "import-missing", fmt.Sprintf("%s, which is not in the package %s", ref.spec, to.name)
	to.hint = "correct the path, or install a version of " + to.name + " that has it"
	if other := c.otherCase(at); ours(to.name) || other != "" {
		to.hint = cmp.Or(other, "correct the path")
	}
	if to.sub == "" {
		to.why = fmt.Sprintf("%s, whose package has no main module", ref.spec)
		to.hint = "is it installed as a whole? npm install " + to.name
	} else if found, err := c.module(at, true, false); err == nil && found != "" {
		to.hint = "an import names the whole file: " + ref.spec + strings.TrimPrefix(found, at)
	}
	return to, nil
}

// conditions are the names under which a package.json may tell modules apart.
func conditions(required bool) []string {
	if required {
		return []string{"node", "require", "module-sync", "node-addons", "default"}
	}
	return []string{"node", "import", "module-sync", "node-addons", "default"}
}

// The endings that Node tries for require, and those that compilers do.
var (
	endings      = []string{".js", ".json", ".node"}
	typedEndings = []string{".ts", ".tsx", ".mts", ".cts", ".jsx", ".mjs", ".cjs"}
)

// module finds the real file of a module; "" when there is none. With probe,
// endings and folders are tried as require does; with lenient, also as
// compilers do.
func (c *collector) module(at string, probe, lenient bool) (string, error) {
	real, kind, err := c.locate(at)
	if kind == 'f' || err != nil || !probe && !lenient {
		return onlyFile(real, kind), err
	}
	tries := endings
	if lenient {
		tries = slices.Concat(endings, typedEndings)
		if stem, ok := cutAny(at, ".js", ".mjs", ".cjs", ".jsx"); ok {
			for _, end := range typedEndings[:4] {
				if real, kind, err := c.locate(stem + end); kind == 'f' || err != nil {
					return onlyFile(real, kind), err
				}
			}
		}
	}
	for _, end := range tries {
		if real, kind, err := c.locate(at + end); kind == 'f' || err != nil {
			return onlyFile(real, kind), err
		}
	}
	if kind != 'd' {
		return "", nil
	}
	if found, err := c.folderModule(real); found != "" || err != nil || !lenient {
		return found, err
	}
	for _, end := range typedEndings {
		if real, kind, err := c.locate(path.Join(at, "index"+end)); kind == 'f' || err != nil {
			return onlyFile(real, kind), err
		}
	}
	return "", nil
}

// folderModule finds a folder's main module, or its index.
func (c *collector) folderModule(dir string) (string, error) {
	manifest, err := c.readPackage(dir)
	if err != nil {
		return "", err
	}
	tries := []string{"index"}
	if manifest.Main != "" {
		main := path.Clean(manifest.Main)
		tries = []string{main, main + "/index", "index"}
	}
	for _, try := range tries {
		at := path.Join(dir, try)
		for _, end := range slices.Concat([]string{""}, endings) {
			if real, kind, err := c.locate(at + end); kind == 'f' || err != nil {
				return onlyFile(real, kind), err
			}
		}
	}
	return "", nil
}

func onlyFile(real string, kind byte) string {
	if kind == 'f' {
		return real
	}
	return ""
}

func cutAny(s string, ends ...string) (string, bool) {
	for _, end := range ends {
		if stem, ok := strings.CutSuffix(s, end); ok {
			return stem, true
		}
	}
	return s, false
}

// scope is the folder of the package.json that a file belongs to.
func (c *collector) scope(file string) (string, packageJSON, error) {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		manifest, err := c.readPackage(dir)
		if manifest.exists || err != nil {
			return dir, manifest, err
		}
		if dir == "." || path.Base(dir) == "node_modules" || !c.inTop(dir) && !strings.Contains(dir, "node_modules/") {
			return dir, packageJSON{}, nil
		}
	}
}
