package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// ErrLeadsOut is why a name in a static folder is not a file of it: it is, or
// lies behind, a link to somewhere else. Such a link would publish what was
// never meant to be, .env among it.
var ErrLeadsOut = errors.New("a link that leads out of the folder")

// StaticFolder is a folder of files, as it is published and served: links
// within it are followed, those that lead out of it are refused with
// ErrLeadsOut. The folder itself may be a link.
func StaticFolder(files fs.FS, folder string) (fs.FS, error) {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		return nil, fmt.Errorf("static folder %s: %w", folder, err)
	}
	return staticFolder{sub}, nil
}

type staticFolder struct{ files fs.FS }

// Open opens a file or folder. What is neither counts as missing: to open a
// pipe would wait for somebody to write to it.
func (f staticFolder) Open(name string) (fs.File, error) {
	real, err := f.resolve("open", name)
	if err != nil {
		return nil, err
	}
	if info, err := fs.Lstat(f.files, real); err != nil || !info.Mode().IsRegular() && !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.files.Open(real)
}

// Stat describes what a name, followed through links, stands for.
func (f staticFolder) Stat(name string) (fs.FileInfo, error) {
	real, err := f.resolve("stat", name)
	if err != nil {
		return nil, err
	}
	return fs.Lstat(f.files, real) // no link is left in it, and Stat would open it
}

// ReadDir lists a folder.
func (f staticFolder) ReadDir(name string) ([]fs.DirEntry, error) {
	real, err := f.resolve("open", name)
	if err != nil {
		return nil, err
	}
	return fs.ReadDir(f.files, real)
}

// resolve follows the links of a name within the folder.
func (f staticFolder) resolve(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	links, real := 0, "."
	for rest := name; rest != ""; {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		next := path.Join(real, part)
		info, err := fs.Lstat(f.files, next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			real = next
			continue
		}
		target, err := fs.ReadLink(f.files, next)
		if err != nil {
			return "", err
		}
		links++
		whole := path.Join(path.Dir(next), target)
		if links > maxLinks || path.IsAbs(target) || !fs.ValidPath(whole) {
			return "", &fs.PathError{Op: op, Path: name, Err: ErrLeadsOut}
		}
		real, rest = ".", path.Join(whole, rest)
	}
	return real, nil
}
