package source

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// How code runs on this machine: from a folder that looks like the zip, in which
// everything is a link to where it is written, and only what was built is
// written out. What the zip lacks is not there either.

// staged is a file or folder of a bundle.
type staged struct {
	file   *File
	inside map[string]*staged // of a folder
	count  int                // files in it
	source string             // the one on this machine that is just the same; "" = none
}

// stage fills an empty folder.
func (b *Bundle) stage(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	top := b.staged()
	for _, name := range slices.Sorted(maps.Keys(top.inside)) {
		if err := top.inside[name].make(root, name); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) staged() *staged {
	top := &staged{inside: map[string]*staged{}}
	for i := range b.Files {
		top.add(b.Files[i].Path, &b.Files[i])
	}
	for _, one := range top.inside {
		one.compare(b.whole)
	}
	return top
}

// links lists what stage makes links of, longest path first.
func (b *Bundle) links() []link {
	var list []link
	var visit func(name string, s *staged)
	visit = func(name string, s *staged) {
		if s.source != "" {
			list = append(list, link{filepath.FromSlash(name), s.source})
			return
		}
		for inside, one := range s.inside {
			visit(name+"/"+inside, one)
		}
	}
	visit("", b.staged())
	slices.SortFunc(list, func(a, b link) int { return cmp.Or(len(b.name)-len(a.name), strings.Compare(a.name, b.name)) })
	return list
}

func (s *staged) add(name string, f *File) {
	s.count++
	first, rest, below := strings.Cut(name, "/")
	if !below {
		s.inside[first] = &staged{file: f, count: 1, source: f.Source}
		return
	}
	dir := s.inside[first]
	if dir == nil || dir.inside == nil {
		dir = &staged{inside: map[string]*staged{}}
		s.inside[first] = dir
	}
	dir.add(rest, f)
}

// compare finds folders that hold just what one on disk holds.
func (s *staged) compare(whole func(string) int) {
	if s.file != nil {
		return
	}
	same, from := true, ""
	for name, one := range s.inside {
		one.compare(whole)
		switch {
		case one.source == "" || filepath.Base(one.source) != name:
			same = false
		case from == "":
			from = filepath.Dir(one.source)
		case from != filepath.Dir(one.source):
			same = false
		}
	}
	if same && whole != nil && whole(from) == s.count {
		s.source = from
	}
}

// make puts a link, a file or a folder in its place.
func (s *staged) make(root *os.Root, name string) error {
	if s.source != "" {
		return root.Symlink(s.source, filepath.FromSlash(name))
	}
	if s.file != nil {
		return write(root, *s.file)
	}
	if err := root.Mkdir(name, 0o700); err != nil {
		return err
	}
	for _, inside := range slices.Sorted(maps.Keys(s.inside)) {
		if err := s.inside[inside].make(root, path.Join(name, inside)); err != nil {
			return err
		}
	}
	return nil
}

func write(root *os.Root, f File) error {
	mode := fs.FileMode(0o600)
	if f.Executable {
		mode = 0o700
	}
	out, err := root.OpenFile(filepath.FromSlash(f.Path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if err := copyTo(out, f); err != nil {
		out.Close()
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return out.Close()
}
