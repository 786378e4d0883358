package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"arc/sandbox"
	"arc/sandbox/nonblock"
	"arc/source"
)

// liveCode knows which files the functions of a running app are made of.
type liveCode struct {
	began time.Time // when changes began to be noticed

	mu        sync.Mutex
	functions map[sandbox.LiveFunction]*functionCode
}

// functionCode is what one function is made of. All paths are absolute and real:
// a handler's folder may be a link.
type functionCode struct {
	dirs    []string        // with all below them: its own, shared code, views
	folders map[string]bool // of what it is made of, packages among it
	looked  map[string]bool // links, and where packages were looked for
	above   map[string]bool // the folders that these lie in
	built   int64           // how often it had been made
	own     []ownFile
	since   time.Time // when the folders were last watched
}

// ownFile is a file or folder of the function's own, as it was last.
type ownFile struct {
	name     string
	kept     bool // see nonblock.Kept
	size     int64
	modified int64 // nanoseconds
}

// maxOwn bounds how many files are looked at before each call. It is for file
// systems that tell of no changes; the rest of a larger function is watched.
const maxOwn = 50

// get gives what is known of a function.
func (c *liveCode) get(fn sandbox.LiveFunction) *functionCode {
	c.mu.Lock()
	defer c.mu.Unlock()
	code := c.functions[fn]
	if code == nil {
		code = &functionCode{since: c.began, own: ownFiles(fn.Dir), dirs: ownFolders(fn)}
		if c.functions == nil {
			c.functions = map[sandbox.LiveFunction]*functionCode{}
		}
		c.functions[fn] = code
	}
	return code
}

// ownFolders are those of a function's own code, by their names and by their real
// ones.
func ownFolders(fn sandbox.LiveFunction) (dirs []string) {
	for _, dir := range []string{fn.Dir, fn.Shared, fn.Views} {
		if dir == "" {
			continue
		}
		dirs = append(dirs, dir)
		if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
			dirs = append(dirs, real)
		}
	}
	return dirs
}

// keep forgets all functions but those.
func (c *liveCode) keep(fns []sandbox.LiveFunction) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.functions
	c.functions = map[sandbox.LiveFunction]*functionCode{}
	for _, fn := range fns {
		if was[fn] != nil {
			c.functions[fn] = was[fn]
		}
	}
}

// touched reports whether a function is made of one of the files that changed,
// or lies in a folder that did.
func (c *liveCode) touched(fn sandbox.LiveFunction, changed []string) bool {
	code := c.get(fn)
	c.mu.Lock()
	folders, looked, above, dirs := code.folders, code.looked, code.above, code.dirs
	c.mu.Unlock()
	for _, file := range changed {
		if fn.Code.Reads(file) || looked[file] || looked[filepath.Dir(file)] || above[file] || folders[file] || folders[filepath.Dir(file)] {
			return true
		}
		for _, dir := range dirs {
			if within(file, dir) || within(dir, file) {
				return true
			}
		}
	}
	return false
}

// changedOnDisk looks at the function's own files, and reports whether they
// differ from what they were when it last did.
func (c *liveCode) changedOnDisk(fn sandbox.LiveFunction) bool {
	code := c.get(fn)
	c.mu.Lock()
	own := code.own
	c.mu.Unlock()
	for _, f := range own {
		if f.now() != f {
			own = ownFiles(fn.Dir)
			c.mu.Lock()
			code.own = own
			c.mu.Unlock()
			return true
		}
	}
	return false
}

func (f ownFile) now() ownFile {
	if f.kept {
		if size, modified, ok := nonblock.Stamp(f.name); ok {
			return ownFile{f.name, true, size, modified}
		}
	}
	info, err := os.Stat(f.name)
	if err != nil {
		return ownFile{name: f.name, kept: f.kept, size: -1}
	}
	return ownFile{f.name, f.kept, info.Size(), info.ModTime().UnixNano()}
}

// ownFiles lists a function's own files and folders, whose times tell of files
// that come and go.
func ownFiles(dir string) (list []ownFile) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return []ownFile{{name: dir, size: -1}}
	}
	kept := nonblock.Kept(real)
	filepath.WalkDir(real, func(name string, d fs.DirEntry, err error) error {
		switch {
		case len(list) >= maxOwn:
			return filepath.SkipAll
		case err != nil:
			return nil
		case d.IsDir() && name != real && isInstalled(d.Name()):
			return filepath.SkipDir
		}
		list = append(list, ownFile{name: name, kept: kept}.now())
		return nil
	})
	return list
}

// follow watches the packages that functions import, as the packager finds
// them: of those that changed files belong to; nil = of all. What was written to
// a folder before it was watched counts as changed.
func (w *liveWatch) follow(changed []string) {
	live := w.cloud.LiveFunctions()
	if changed == nil {
		w.code.keep(live)
	}
	var fns []sandbox.LiveFunction
	for _, fn := range live {
		if changed == nil || w.code.touched(fn, changed) {
			fns = append(fns, fn)
		}
	}
	missed := map[sandbox.LiveFunction]bool{}
	for _, fn := range fns {
		missed[fn] = w.followOne(fn)
	}
	w.cloud.Changed(func(fn sandbox.LiveFunction) bool { return missed[fn] })
}

// followOne watches one function's packages. It reports whether they have
// changed before they were watched.
func (w *liveWatch) followOne(fn sandbox.LiveFunction) (missed bool) {
	code, now := w.code.get(fn), time.Now()
	built, files := fn.Code.Times(), fn.Code.Files()
	w.code.mu.Lock()
	was, before, since := code.folders, code.looked, code.since
	w.code.mu.Unlock()
	folders, looked, above := map[string]bool{}, map[string]bool{}, map[string]bool{}
	top := repositoryOf(w.project.dir) // a package may lie above the project
	watchAbove := func(dir string) {
		for ; within(dir, top) && !above[dir]; dir = filepath.Dir(dir) {
			above[dir] = true
			w.watcher.Folder(dir)
		}
	}
	for _, dir := range w.madeOf(fn, files) {
		if folders[dir] {
			continue
		}
		folders[dir] = true
		w.watcher.Folder(dir)
		if !was[dir] && writtenSince(dir, since) {
			missed = true
		}
		// A package that is taken away and put back is seen where it lies.
		watchAbove(filepath.Dir(dir))
	}
	for _, place := range fn.Code.Looked() {
		looked[place] = true
		dir := filepath.Dir(place)
		watchAbove(dir)
		if within(place, top) {
			w.watcher.Folder(place)
		}
		if before[place] {
			continue
		}
		if info, err := os.Stat(dir); err == nil && info.ModTime().After(since) || writtenSince(place, since) {
			missed = true
		}
	}
	w.code.mu.Lock()
	defer w.code.mu.Unlock()
	if dirs := ownFolders(fn); !slices.Equal(dirs, code.dirs) { // a link leads elsewhere
		code.dirs, code.own = dirs, ownFiles(fn.Dir)
	}
	code.folders, code.looked, code.above, code.built, code.since = folders, looked, above, built, now
	return missed
}

// madeOf are the absolute folders of what a function runs beside its own: the
// files that it was built of, or else what the packager would put into its zip.
// There are none when that cannot be told; the next deploy says why.
func (w *liveWatch) madeOf(fn sandbox.LiveFunction, files []string) (folders []string) {
	if fn.Code == nil {
		files = w.sources(fn)
	}
	for _, file := range files {
		folders = append(folders, filepath.Dir(file))
	}
	return folders
}

// sources are the files of the function's zip.
func (w *liveWatch) sources(fn sandbox.LiveFunction) []string {
	tree, err := w.project.codeTree()
	if err != nil {
		return nil
	}
	for _, f := range w.project.app.Functions() {
		if f.Asset || w.project.path(f.Dir) != fn.Dir {
			continue
		}
		bundles, err := tree.CollectAll([]source.Function{sourceFunction(w.project.app, f)})
		if err != nil {
			return nil
		}
		return bundles[0].Sources()
	}
	return nil
}

// rebuilt reports whether the function was built, perhaps of other files, since
// its packages were watched.
func (c *liveCode) rebuilt(fn sandbox.LiveFunction) bool {
	built := fn.Code.Times()
	code := c.get(fn)
	c.mu.Lock()
	defer c.mu.Unlock()
	return built != code.built
}

// writtenSince reports whether a folder, or a file in it, is newer than that.
func writtenSince(dir string, since time.Time) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	if info, err := os.Stat(dir); err == nil && info.ModTime().After(since) {
		return true
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !e.IsDir() && info.ModTime().After(since) {
			return true
		}
	}
	return false
}
