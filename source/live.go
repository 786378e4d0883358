package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Live is a function that runs on this machine from a folder that looks like
// its zip. The folder is used until one of the files that decide what it holds
// changes.
type Live struct {
	tree    Tree
	fn      Function
	scratch string

	mu    sync.Mutex
	place Place
	made  []stamp         // nil = not made, or not with success
	as    int64           // what outdated was when it was made
	code  []File          // of Python and Ruby
	asks  map[string]bool // packages of Node's runtime: whether for sure

	outdated atomic.Int64           // how often Outdate was called
	of       atomic.Pointer[madeOf] // asked for while a place is being made; nil = not made
}

// madeOf is what a live function is made of.
type madeOf struct {
	files, looked []string // see Files and Looked
	times         int64    // that it was made
}

// Place is where the code of a live function runs from.
type Place struct {
	Dir      string // absolute; holds the handler
	Packages string // absolute folder of installed packages; "" = none
	Offered  Offered
	// Wrong are the mistakes of the code that make functions fail.
	Wrong []Finding

	root  string // the folder that Dir stands for
	links []link // longest path first
}

// link is a file or folder of a place and the one on this machine that it
// stands for.
type link struct{ name, source string }

// Real gives a text in which files are called by their places on this machine
// the names under which the developer knows them.
func (p Place) Real(text string) string {
	if p.links == nil || !strings.Contains(text, p.Dir) {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, p.Dir)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(p.real(&after))
		text = after
	}
}

// real is what the start of a text, behind the place's folder, stands for. It
// takes that from the text.
func (p Place) real(text *string) string {
	for _, l := range p.links {
		if rest, ok := strings.CutPrefix(*text, l.name); ok && (rest == "" || !inName(rest[0])) {
			*text = rest
			return l.source
		}
	}
	return p.root
}

func inName(c byte) bool { return letter(c) || digit(c) || c == '.' || c == '-' }

// NewLive gives the place of a function; nil when its code runs where it is
// written. Folders are made below scratch.
func NewLive(tree Tree, fn Function, scratch string) *Live {
	if !strings.HasPrefix(fn.Runtime, "nodejs") && !fn.interpreted() && fn.language() == "" {
		return nil
	}
	return &Live{tree: tree, fn: fn, scratch: scratch}
}

// Stands reports whether the place stands for folders elsewhere, to which its
// links lead.
func (p Place) Stands() bool { return p.links != nil }

// Settings tells one way of building from another.
func (l *Live) Settings() string {
	if l == nil {
		return ""
	}
	fn := l.fn
	return fmt.Sprintf("%q %q %q %q %q %t %t %t %q %q %q %q %q %q", fn.Dir, fn.HandlerFile, fn.Handler, fn.Runtime, fn.Arch, fn.NoInstall, fn.NodeOptions, fn.Bundle,
		fn.External, fn.Shared, fn.Views, fn.Ignore, fn.StaticManifest, fn.Copies)
}

// Reads reports whether the function is made of a file (an absolute path).
func (l *Live) Reads(file string) bool {
	if l == nil {
		return false
	}
	_, found := slices.BinarySearch(l.Files(), file)
	return found
}

// Files lists the files that the function is made of, absolute and sorted; nil
// before it was made.
func (l *Live) Files() []string { return l.madeOf().files }

// Looked lists the places, absolute and sorted, that decided of which files the
// function is made: symbolic links, and where its packages were looked for; nil
// before it was made.
func (l *Live) Looked() []string { return l.madeOf().looked }

// Times is how often the function was made: what it is made of may have changed
// since that was less.
func (l *Live) Times() int64 { return l.madeOf().times }

func (l *Live) madeOf() madeOf {
	if l == nil {
		return madeOf{}
	}
	if of := l.of.Load(); of != nil {
		return *of
	}
	return madeOf{}
}

// Outdate has the function made anew the next time, since something that it is
// made of has changed.
func (l *Live) Outdate() {
	if l != nil {
		l.outdated.Add(1)
	}
}

// current reports whether what was made is still right.
func (l *Live) current() bool {
	return l.made != nil && l.as == l.outdated.Load() && unchanged(l.made)
}

// begin is for when the function is made: what was made before is wrong by then.
func (l *Live) begin() { l.made, l.as = nil, l.outdated.Load() }

// tell keeps what the function is made of for those who watch it.
func (l *Live) tell(c *collector, sources []string) {
	l.of.Store(&madeOf{files: sources, looked: c.looked(), times: l.Times() + 1})
}

// Perhaps lists the runtime's packages that the code asks for under a condition, when it
// was made, and one more; sorted.
func (l *Live) Perhaps(one string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := []string{one}
	for name, sure := range l.asks {
		if !sure && name != one {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Make makes the function's place, if need be. Its error tells every mistake
// because of which there can be none.
func (l *Live) Make(ctx context.Context) (Place, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fn.interpreted() {
		return l.makeInterpreted()
	}
	if l.current() {
		return l.place, nil
	}
	defer l.fn.Build.busy()()
	l.begin()
	before := time.Now()
	c := l.tree.collector()
	b, err := c.bundle(l.fn)
	if err != nil {
		return Place{}, err
	}
	o, err := c.offer(l.fn.Build, path.Join(c.base, l.fn.Dir), b.Runtime)
	if err != nil {
		return Place{}, err
	}
	l.asks = b.Runtime
	l.tell(c, b.Sources())
	if l.fn.bundles() || l.fn.language() != "" {
		// In a bundle nobody can tell any more, when it is loaded, that it is outdated.
		for i := range b.Findings {
			if b.Findings[i].Code == outdatedCode {
				b.Findings[i].Severity = Error
			}
		}
		if err := b.mistakes(); err != nil {
			return Place{}, err
		}
	}
	made := stamps(slices.Concat(b.Reads, b.Folders), before)
	if l.place, err = l.lay(b, o); err != nil {
		return Place{}, err
	}
	l.place.Wrong = append(b.wrong(), o.wrong...)
	if len(l.place.Wrong) == 0 { // whoever mends it need not touch a file that was read
		l.made = made
	}
	return l.place, nil
}

// maxWritten is how many files of code are written to a place. A link shows the
// language where it leads, and code that looks for others beside itself would
// find what the zip has not; more than so many are no function's own.
const maxWritten = 300

// makeInterpreted is Make for Python and Ruby, whose packages lie in a folder of
// their own. What they ask for may change with every file of the project, and is
// looked at each time.
func (l *Live) makeInterpreted() (Place, error) {
	c := l.tree.collector()
	packages, findings, err := c.dependencies(l.fn)
	if err != nil {
		return Place{}, err
	}
	if err := (&Bundle{Findings: findings}).mistakes(); err != nil {
		return Place{}, err
	}
	if !l.current() {
		defer l.fn.Build.busy()()
		l.begin()
		before := time.Now()
		own := l.fn
		own.NoInstall = true
		b, err := c.bundle(own)
		if err != nil {
			return Place{}, err
		}
		l.code = sourcesOf(b.Files, own.sourceExt())
		sources := b.Sources()
		l.tell(c, sources)
		made := stamps(slices.Concat(sources, b.Folders), before)
		links := b.links()
		if len(l.code) <= maxWritten {
			for i := range b.Files {
				if path.Ext(b.Files[i].Path) == own.sourceExt() {
					b.Files[i].Source = ""
				}
			}
		}
		if l.place, err = l.lay(b, offered{}); err != nil {
			return Place{}, err
		}
		l.place.links, l.made = links, made
	}
	place := l.place
	place.Packages = packages.dir
	if place.Offered, err = c.offerOthers(runtimeCode{l.fn, l.code, packages}); err != nil {
		return Place{}, err
	}
	place.Wrong = place.Offered.Wrong
	return place, nil
}

// wrong are the findings that make a function fail.
func (b *Bundle) wrong() []Finding {
	var list []Finding
	for _, f := range b.Findings {
		if f.Severity == Error {
			list = append(list, f)
		}
	}
	return list
}

// stamp is how a file was when it was read.
type stamp struct {
	file     string
	size     int64
	modified time.Time
	gone     bool // there was none
}

func stamps(files []string, before time.Time) []stamp {
	list := make([]stamp, 0, len(files))
	for _, file := range files {
		info, err := os.Stat(file)
		if missing(err) {
			list = append(list, stamp{file: file, gone: true})
			continue
		}
		if err != nil || info.ModTime().After(before) {
			list = append(list, stamp{file: file, size: -1}) // may have been written while it was read
			continue
		}
		list = append(list, stamp{file: file, size: info.Size(), modified: info.ModTime()})
	}
	return list
}

func unchanged(list []stamp) bool {
	for _, s := range list {
		info, err := os.Stat(s.file)
		if s.gone && missing(err) {
			continue
		}
		if err != nil || s.gone || info.Size() != s.size || !info.ModTime().Equal(s.modified) {
			return false
		}
	}
	return true
}

// lay makes a folder that looks like the zip: what was built is written to it,
// all else is a link to where it is written.
func (l *Live) lay(b *Bundle, o offered) (Place, error) {
	key := sha256.New()
	for _, f := range b.Files {
		fmt.Fprintf(key, "%s\x00%s\x00", f.Path, f.Source)
		if f.Source == "" {
			if err := copyTo(key, f); err != nil {
				return Place{}, err
			}
		}
	}
	if o.near != nil {
		for _, f := range o.near.Files {
			fmt.Fprintf(key, "%s\x00%s\x00", f.Path, f.Source)
		}
	}
	fmt.Fprintf(key, "%s", o.cached)
	dir := filepath.Join(l.scratch, hex.EncodeToString(key.Sum(nil))[:32])
	place := Place{Dir: filepath.Join(dir, "run", "task"), links: b.links(), root: l.fn.Dir}
	if l.tree.Disk != "" {
		place.root = filepath.Join(l.tree.Disk, filepath.FromSlash(path.Join(l.tree.Project, b.Root)))
	}
	if _, err := os.Stat(dir); err == nil {
		return place, nil
	}
	if err := os.MkdirAll(l.scratch, 0o700); err != nil {
		return Place{}, fmt.Errorf("folder of %s: %w", l.fn.Dir, err)
	}
	// Under another name until it is whole.
	half, err := os.MkdirTemp(l.scratch, "half-")
	if err != nil {
		return Place{}, fmt.Errorf("folder of %s: %w", l.fn.Dir, err)
	}
	if err = os.MkdirAll(filepath.Join(half, "run", "task"), 0o700); err == nil {
		err = b.stage(filepath.Join(half, "run", "task"))
	}
	if err == nil {
		err = o.stage(half)
	}
	if err == nil {
		err = os.Rename(half, dir)
	}
	if err != nil {
		os.RemoveAll(half)
		if _, other := os.Stat(dir); other == nil {
			return place, nil
		}
		return Place{}, fmt.Errorf("folder of %s: %w", l.fn.Dir, err)
	}
	return place, nil
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
