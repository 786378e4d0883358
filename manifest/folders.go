package manifest

import (
	"io/fs"
	"path"
	"runtime"
	"sync"
)

// folders answers which files stand in a folder of the project. Each folder is
// listed once, whatever the number of questions: asking the disk for each of
// twenty possible file names would take most of the time of a large project.
type folders struct {
	files fs.FS
	known map[string]map[string]bool // folder → its entries; the value is "is a folder"
}

func newFolders(files fs.FS) *folders {
	return &folders{files: files, known: map[string]map[string]bool{}}
}

// list reads the given folders side by side.
func (f *folders) list(dirs []string) {
	var todo []string
	for _, d := range dirs {
		if _, ok := f.known[d]; !ok {
			f.known[d] = nil
			todo = append(todo, d)
		}
	}
	found := make([]map[string]bool, len(todo))
	workers := min(runtime.GOMAXPROCS(0), len(todo))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(todo); i += workers {
				found[i] = f.read(todo[i])
			}
		})
	}
	wg.Wait()
	for i, d := range todo {
		f.known[d] = found[i]
	}
}

// read lists one folder; nil when it cannot be read.
func (f *folders) read(dir string) map[string]bool {
	list, err := fs.ReadDir(f.files, dir)
	if err != nil {
		return nil
	}
	entries := make(map[string]bool, len(list))
	for _, e := range list {
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := fs.Stat(f.files, path.Join(dir, e.Name()))
			isDir = err == nil && info.IsDir()
		}
		entries[e.Name()] = isDir
	}
	return entries
}

func (f *folders) entries(dir string) map[string]bool {
	if _, ok := f.known[dir]; !ok {
		f.known[dir] = f.read(dir)
	}
	return f.known[dir]
}

// hasFile reports whether a file (not a folder) stands at name.
func (f *folders) hasFile(name string) bool {
	isDir, ok := f.entries(path.Dir(name))[path.Base(name)]
	return ok && !isDir
}

// hasFolder reports whether a folder stands at name.
func (f *folders) hasFolder(name string) bool {
	return f.entries(name) != nil || name != "." && f.entries(path.Dir(name))[path.Base(name)]
}
