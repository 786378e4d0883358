package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
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
func unreadable(name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err // the path is in front already, and p.Path may be a part of it
	}
	if strings.Contains(err.Error(), "escapes from parent") {
		return fmt.Errorf("%s: a symbolic link leads out of the project: replace it by the files it points at", name)
	}
	return fmt.Errorf("%s: cannot be read: %w", name, err)
}

// real follows every symbolic link in a path of the project. The result is
// also inside the project, or an error says that it is not.
func (c *collector) real(name string) (string, error) { return c.follow(name, 0) }

func (c *collector) follow(name string, links int) (string, error) {
	if name == "." {
		return name, nil
	}
	if links == 0 {
		return c.reals.get(name, func() (string, error) { return c.followOne(name, 0) })
	}
	return c.followOne(name, links)
}

func (c *collector) followOne(name string, links int) (string, error) {
	dir, err := c.follow(path.Dir(name), links)
	if err != nil {
		return "", err
	}
	at := path.Join(dir, path.Base(name))
	info, err := fs.Lstat(c.project, at)
	if err != nil {
		return "", unreadable(name, err)
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return at, nil
	}
	target, err := fs.ReadLink(c.project, at)
	if err != nil {
		return "", unreadable(name, err)
	}
	if links == maxLinks {
		return "", fmt.Errorf("%s: symbolic links go in a circle: remove one of them", name)
	}
	to := path.Join(dir, target)
	if _, err := fs.Stat(c.project, at); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: the symbolic link to %s leads to nothing: remove it", name, target)
	}
	if path.IsAbs(target) || !fs.ValidPath(to) {
		return "", fmt.Errorf("%s: the symbolic link to %s leads out of the project: replace it by the files it points at", name, target)
	}
	return c.follow(to, links+1)
}

// walk lists the files below a folder, as paths relative to it, in order of
// path. Symbolic links are followed. skip leaves out what is not wanted.
func (c *collector) walk(dir string, skip func(rel string, d fs.DirEntry) bool) ([]File, error) {
	w := walk{c: c, skip: skip}
	err := w.folder(dir, "")
	slices.SortFunc(w.files, byPath)
	return w.files, err
}

type walk struct {
	c     *collector
	skip  func(rel string, d fs.DirEntry) bool
	files []File
	above []string // real paths of the linked folders being listed, to notice a circle
}

func (w *walk) folder(dir, rel string) error {
	entries, err := fs.ReadDir(w.c.project, dir)
	if err != nil {
		return unreadable(dir, err)
	}
	return w.entries(dir, rel, entries)
}

func (w *walk) entries(dir, rel string, entries []fs.DirEntry) error {
	for _, d := range entries {
		if !kept(d.Name()) {
			continue
		}
		at, rel := path.Join(dir, d.Name()), under(rel, d.Name())
		if w.skip != nil && w.skip(rel, d) {
			continue
		}
		if err := w.entry(at, rel, d); err != nil {
			return err
		}
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
		return fmt.Errorf("%s: is neither a file nor a folder, so it cannot be in a zip: remove it", at)
	}
	info, err := d.Info()
	if err != nil {
		return unreadable(at, err)
	}
	w.files = append(w.files, w.c.file(at, rel, info))
	return nil
}

func (w *walk) link(at, rel string) error {
	target, err := w.c.real(at)
	if err != nil {
		return err
	}
	if !kept(path.Base(target)) {
		return nil // another name makes a secret no less secret
	}
	info, err := fs.Stat(w.c.project, target)
	if err != nil {
		return unreadable(at, err)
	}
	if !info.IsDir() {
		return w.entry(target, rel, fs.FileInfoToDirEntry(info))
	}
	// A link to a folder above it would never end.
	if target == "." || strings.HasPrefix(at+"/", target+"/") || slices.Contains(w.above, target) {
		return fmt.Errorf("%s: the symbolic link leads back to %s, which holds it: remove it", at, target)
	}
	w.above = append(w.above, target)
	err = w.folder(target, rel)
	w.above = w.above[:len(w.above)-1]
	return err
}

func (c *collector) file(at, rel string, info fs.FileInfo) File {
	body := &content{project: c.project, path: at}
	// The owner's bit only: the other two depend on the umask of whoever checked it out.
	return File{Path: rel, Size: info.Size(), Executable: info.Mode()&0o100 != 0, Open: body.open, content: body}
}
