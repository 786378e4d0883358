package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Live is a function whose code is built before it runs on this machine. What
// was built is used until one of the files that it was made of changes.
type Live struct {
	tree    Tree
	fn      Function
	scratch string

	mu    sync.Mutex
	place Place
	made  []stamp // nil = not built, or not with success

	reads atomic.Pointer[[]string] // asked for while a build is under way
}

// Place is where the code of a live function runs from.
type Place struct {
	Dir      string // absolute; holds the handler
	Packages string // absolute folder of installed packages; "" = none
}

// NewLive gives the building of a function; nil when its code runs as it is
// written. Folders with what is built are made below scratch.
func NewLive(tree Tree, fn Function, scratch string) *Live {
	if !fn.bundles() && !fn.depends() {
		return nil
	}
	return &Live{tree: tree, fn: fn, scratch: scratch}
}

// Settings tells one way of building from another.
func (l *Live) Settings() string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf("%q %q %q %q %t %q", l.fn.Dir, l.fn.HandlerFile, l.fn.Handler, l.fn.Runtime, l.fn.Bundle, l.fn.External)
}

// Reads reports whether the code that was built last was made of a file (an
// absolute path).
func (l *Live) Reads(file string) bool {
	if l == nil {
		return false
	}
	_, found := slices.BinarySearch(l.Files(), file)
	return found
}

// Files are what the code that was built last was made of, beyond the function's
// own folders (absolute paths, sorted); nil when it runs as it is written.
func (l *Live) Files() []string {
	if l == nil {
		return nil
	}
	if reads := l.reads.Load(); reads != nil {
		return *reads
	}
	return nil
}

// Make builds the function, if need be, and says where it runs from. Its
// error tells every mistake of the code.
func (l *Live) Make(ctx context.Context) (Place, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.fn.bundles() {
		return l.install()
	}
	if l.made != nil && unchanged(l.made) {
		return l.place, nil
	}
	l.made = nil
	before := time.Now()
	bundles, err := l.tree.CollectAll([]Function{l.fn})
	if err != nil {
		return Place{}, err
	}
	b := bundles[0]
	l.reads.Store(&b.Reads)
	if err := b.mistakes(); err != nil {
		return Place{}, err
	}
	// The folders of the function, for files that come and go.
	files := slices.Clone(b.Reads)
	for _, dir := range []string{l.fn.Dir, l.fn.Shared, l.fn.Views} {
		if dir != "" {
			files = append(files, filepath.Join(l.fn.Build.Dir, filepath.FromSlash(dir)))
		}
	}
	made := stamps(files, before)
	if l.place, err = l.lay(b); err != nil {
		return Place{}, err
	}
	l.made = made
	return l.place, nil
}

// install has the packages there that the function's files ask for; its code
// runs from where it is written.
func (l *Live) install() (Place, error) {
	packages, findings, err := l.tree.collector().dependencies(l.fn)
	if err != nil {
		return Place{}, err
	}
	if err := (&Bundle{Findings: findings}).mistakes(); err != nil {
		return Place{}, err
	}
	return Place{Dir: filepath.Join(l.fn.Build.Dir, filepath.FromSlash(l.fn.Dir)), Packages: packages.dir}, nil
}

// stamp is how a file was when it was read.
type stamp struct {
	file     string
	size     int64
	modified time.Time
}

func stamps(files []string, before time.Time) []stamp {
	list := make([]stamp, 0, len(files))
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.ModTime().After(before) {
			list = append(list, stamp{file: file, size: -1}) // may have been written while it was read
			continue
		}
		list = append(list, stamp{file, info.Size(), info.ModTime()})
	}
	return list
}

func unchanged(list []stamp) bool {
	for _, s := range list {
		info, err := os.Stat(s.file)
		if err != nil || info.Size() != s.size || !info.ModTime().Equal(s.modified) {
			return false
		}
	}
	return true
}

// lay makes a folder that looks like the zip: what was built is written to it,
// all else is a link to where it is written.
func (l *Live) lay(b *Bundle) (Place, error) {
	key := sha256.New()
	for _, f := range b.Files {
		fmt.Fprintf(key, "%s\x00%s\x00", f.Path, f.Source)
		if f.Source == "" {
			if err := copyTo(key, f); err != nil {
				return Place{}, err
			}
		}
	}
	dir := filepath.Join(l.scratch, hex.EncodeToString(key.Sum(nil))[:32])
	if _, err := os.Stat(dir); err == nil {
		return Place{Dir: dir}, nil
	}
	if err := os.MkdirAll(l.scratch, 0o700); err != nil {
		return Place{}, fmt.Errorf("folder for built code: %w", err)
	}
	// Under another name until it is whole.
	half, err := os.MkdirTemp(l.scratch, "half-")
	if err != nil {
		return Place{}, fmt.Errorf("folder for built code: %w", err)
	}
	if err = b.stage(half); err == nil {
		err = os.Rename(half, dir)
	}
	if err != nil {
		os.RemoveAll(half)
		if _, other := os.Stat(dir); other == nil {
			return Place{Dir: dir}, nil
		}
		return Place{}, fmt.Errorf("folder for built code: %w", err)
	}
	return Place{Dir: dir}, nil
}

func copyTo(w io.Writer, f File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}
