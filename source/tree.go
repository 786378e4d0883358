package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxLinks bounds the symbolic links in one path, as an operating system does.
const maxLinks = 40

// kept reports whether a file or folder of that name belongs into a zip.
// Left out: what version control, desktops and editors leave behind, what
// Python regenerates with timestamps in it, and what holds secrets: .env files
// with the user's variables, .npmrc with registry tokens.
func kept(name string) bool {
	switch name {
	case ".git", ".hg", ".svn", ".DS_Store", "Thumbs.db", ".idea", ".vscode", "__pycache__", ".npmrc", ".pypirc", ".netrc":
		return false
	}
	if name == ".env" || strings.HasPrefix(name, ".env.") {
		return false
	}
	switch {
	case strings.HasSuffix(name, "~"), strings.HasSuffix(name, ".swp"), strings.HasSuffix(name, ".swo"):
		return false
	case strings.HasPrefix(name, ".#"), strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"):
		return false
	}
	return true
}

// settings reports whether a file beside a function's handler configures the
// function rather than being part of it. Such a file is not in the zip, so that
// a change of memory size does not look like a change of code.
func settings(name string) bool {
	switch name {
	case "config.arc", ".arc-config", "arc.json", "arc-config.json", "config.yaml", "config.yml", "arc-config.yaml", "arc-config.yml":
		return true
	}
	return false
}

// unreadable words an error of the file system for the user.
func (c *collector) unreadable(name string, err error) error { return unreadable(c.show(name), err) }

func unreadable(shown string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err // the path is in front already, and p.Path may be a part of it
	}
	if strings.Contains(err.Error(), "escapes from parent") {
		return fmt.Errorf("%s: a symbolic link leads out of the project: replace it by the files it points at", shown)
	}
	return fmt.Errorf("%s: cannot be read: %w", shown, err)
}

// locate follows every symbolic link in a path of the tree and tells what is
// there: 'f' a file, 'd' a folder, 0 nothing.
func (c *collector) locate(name string) (real string, kind byte, err error) {
	if c.above(name) {
		return name, 'd', nil
	}
	found, err := c.located.get(name, func() (place, error) { return c.look(name, 0) })
	return found.path, found.kind, err
}

// place is what locate finds.
type place struct {
	path string
	kind byte
}

// above reports whether a folder is the project's or one that holds it: these
// are there, and no links.
func (c *collector) above(name string) bool {
	return name == "." || name == c.base || strings.HasPrefix(c.base, name+"/")
}

func (c *collector) look(name string, links int) (place, error) {
	if c.above(name) {
		return place{name, 'd'}, nil
	}
	dir, kind, err := path.Dir(name), byte(0), error(nil)
	if links == 0 {
		dir, kind, err = c.locate(dir)
	} else { // a circle of links must not wait for itself
		var p place
		p, err = c.look(dir, links)
		dir, kind = p.path, p.kind
	}
	if kind != 'd' || err != nil {
		return place{}, err
	}
	at := path.Join(dir, path.Base(name))
	mode, err := c.modeOf(dir, path.Base(name))
	switch {
	case missing(err):
		return place{}, nil
	case err != nil:
		return place{}, c.unreadable(name, err)
	case mode.IsDir():
		return place{at, 'd'}, nil
	case mode.IsRegular():
		return place{at, 'f'}, nil
	case mode&fs.ModeSymlink == 0:
		return place{}, nil
	}
	c.links.Store(at, true)
	to, target, err := c.target(at)
	if err != nil {
		return place{}, err
	}
	if links == maxLinks {
		return place{}, fmt.Errorf("%s: symbolic links go in a circle: remove one of them", c.show(name))
	}
	found, err := c.look(to, links+1)
	if err == nil && found.kind == 0 {
		err = fmt.Errorf("%s: the symbolic link to %s leads to nothing: remove it", c.show(name), target)
	}
	return found, err
}

// target is where a symbolic link leads, in the collector's tree and as it is written.
func (c *collector) target(at string) (to, target string, err error) {
	if target, err = fs.ReadLink(c.files, at); err != nil {
		return "", "", c.unreadable(at, err)
	}
	to = path.Join(path.Dir(at), target)
	if absolute := filepath.ToSlash(target); path.IsAbs(absolute) && c.disk == "/" {
		to = strings.TrimPrefix(path.Clean(absolute), "/")
	} else if path.IsAbs(absolute) {
		to = ""
	}
	if !fs.ValidPath(to) {
		return "", "", fmt.Errorf("%s: the symbolic link to %s leads out of the project: replace it by the files it points at", c.show(at), target)
	}
	return to, target, nil
}

// modeOf tells what an entry of a folder is. Folders of the project are listed
// once, as one is asked about many names; those around it may be large.
func (c *collector) modeOf(dir, name string) (fs.FileMode, error) {
	if !c.inTop(dir) && !strings.Contains(dir+"/", "/node_modules/") {
		info, err := fs.Lstat(c.files, path.Join(dir, name))
		if err != nil {
			return 0, err
		}
		return info.Mode(), nil
	}
	modes, err := c.modes.get(dir, func() (map[string]fs.FileMode, error) {
		entries, err := fs.ReadDir(c.files, dir)
		modes := make(map[string]fs.FileMode, len(entries))
		for _, d := range entries {
			modes[d.Name()] = d.Type()
		}
		return modes, err
	})
	if err != nil {
		return 0, err
	}
	if mode, ok := modes[name]; ok || name != "node_modules" {
		if !ok {
			err = fs.ErrNotExist
		}
		return mode, err
	}
	// Git keeps none, but a revision has those of the working folder.
	info, err := fs.Lstat(c.files, path.Join(dir, name))
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// walk lists the files below a folder, as paths relative to it, in order of
// path. Symbolic links are followed. skip leaves out what is not wanted.
func (c *collector) walk(dir string, skip func(rel string, d fs.DirEntry) bool) ([]File, error) {
	w := walk{c: c, root: dir, skip: skip}
	err := w.folder(dir, "")
	slices.SortFunc(w.files, byPath)
	return w.files, err
}

type walk struct {
	c     *collector
	root  string // real path of the folder that the walk began with
	skip  func(rel string, d fs.DirEntry) bool
	files []File
	above []string // real paths of the linked folders being listed, to notice a circle
}

func (w *walk) folder(dir, rel string) error {
	entries, err := fs.ReadDir(w.c.files, dir)
	if err != nil {
		return w.c.unreadable(dir, err)
	}
	return w.entries(dir, rel, entries)
}

// entries lists what is in a folder, and notes the folder as whole when nothing
// in it is left out.
func (w *walk) entries(dir, rel string, entries []fs.DirEntry) error {
	before, whole := len(w.files), true
	for _, d := range entries {
		at, rel := path.Join(dir, d.Name()), under(rel, d.Name())
		if !kept(d.Name()) || w.skip != nil && w.skip(rel, d) {
			whole = false
			continue
		}
		if err := w.entry(at, rel, d); err != nil {
			return err
		}
		if d.IsDir() && !w.c.isWhole(at) || d.Type()&fs.ModeSymlink != 0 {
			whole = false
		}
	}
	if whole {
		w.c.whole.Store(dir, len(w.files)-before)
	}
	return nil
}

func (w *walk) entry(at, rel string, d fs.DirEntry) error {
	switch {
	case d.IsDir():
		return w.folder(at, rel)
	case d.Type()&fs.ModeSymlink != 0:
		return w.link(at, rel)
	case !d.Type().IsRegular():
		return fmt.Errorf("%s: is neither a file nor a folder, so it cannot be in a zip: remove it", w.c.show(at))
	}
	info, err := d.Info()
	if err != nil {
		return w.c.unreadable(at, err)
	}
	w.files = append(w.files, w.c.file(at, rel, info))
	return nil
}

func (w *walk) link(at, rel string) error {
	target, kind, err := w.c.locate(at)
	if err != nil {
		return err
	}
	if !w.c.inTop(target) && !strings.HasPrefix(target+"/", w.root+"/") {
		_, written, err := w.c.target(at)
		if err != nil {
			return err
		}
		return fmt.Errorf("%s: the symbolic link to %s leads out of the project: replace it by the files it points at", w.c.show(at), written)
	}
	if !kept(path.Base(target)) {
		return nil // another name makes a secret no less secret
	}
	if kind != 'd' {
		info, err := fs.Stat(w.c.files, target)
		if err != nil {
			return w.c.unreadable(at, err)
		}
		return w.entry(target, rel, fs.FileInfoToDirEntry(info))
	}
	// A link to a folder above it would never end.
	if target == "." || strings.HasPrefix(at+"/", target+"/") || slices.Contains(w.above, target) {
		return fmt.Errorf("%s: the symbolic link leads back to %s, which holds it: remove it", w.c.show(at), w.c.show(target))
	}
	w.above = append(w.above, target)
	err = w.folder(target, rel)
	w.above = w.above[:len(w.above)-1]
	return err
}

func (c *collector) file(at, rel string, info fs.FileInfo) File {
	body := c.content(at, info.Size())
	// The owner's bit only: the other two depend on the umask of whoever checked it out.
	return File{Path: rel, Size: info.Size(), Executable: info.Mode()&0o100 != 0, Open: body.open, Source: c.onDisk(at), content: body}
}

// content is the one of a real file that all bundles share.
func (c *collector) content(at string, size int64) *content {
	body, _ := c.contents.get(at, func() (*content, error) {
		return &content{files: c.files, at: at, path: c.show(at), size: size}, nil
	})
	return body
}

// contentOf is content for a file whose size is not known yet.
func (c *collector) contentOf(at string) (*content, int64, error) {
	body, err := c.contents.get(at, func() (*content, error) {
		info, err := fs.Stat(c.files, at)
		if err != nil {
			return nil, c.unreadable(at, err)
		}
		return &content{files: c.files, at: at, path: c.show(at), size: info.Size()}, nil
	})
	if err != nil {
		return nil, 0, err
	}
	return body, body.size, nil
}

// show is a path as the user knows it: from the project's folder.
func (c *collector) show(name string) string { return relative(c.base, name) }

// relative is the way from one slash path to another.
func relative(from, to string) string {
	if from == "." || from == "" {
		return to
	}
	if from == to {
		return "."
	}
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	if to == "." {
		b = nil
	}
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	return strings.Repeat("../", len(a)-same) + strings.Join(b[same:], "/")
}

// onDisk is the absolute path of a file; "" when it is on no disk.
func (c *collector) onDisk(name string) string {
	if c.disk == "" {
		return ""
	}
	return filepath.Join(c.disk, filepath.FromSlash(name))
}

// inTop reports whether a path is in the project, or in the repository or
// workspace that the project is a part of.
func (c *collector) inTop(name string) bool {
	return c.top == "." || name == c.top || strings.HasPrefix(name, c.top+"/")
}

// isWhole reports whether all that is in a folder was listed.
func (c *collector) isWhole(dir string) bool {
	_, ok := c.whole.Load(dir)
	return ok
}
