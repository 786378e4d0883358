// Package source knows a function's code on disk: which files belong to it,
// what it imports from the project's node_modules, and how to write all that
// as a zip whose bytes depend on nothing but the content. It never writes
// into the project.
package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Function says which code to bundle. Folders are slash paths relative to the
// project root.
type Function struct {
	Dir         string   // "src/http/get-index"
	HandlerFile string   // relative to Dir: "index.mjs"; "" when unknown
	Handler     string   // as deployed: "index.handler"
	Runtime     string   // "nodejs22.x", "python3.13", …
	Arch        string   // "arm64" or "x86_64"
	Shared      string   // folder of shared code, "" = none
	Views       string   // folder of views, "" = none
	Ignore      []string // npm packages that stay out of the zip
	NoInstall   bool     // whoever packages it brings its dependencies
	Bundle      bool     // bundle the Node handler with what it imports; TypeScript always is
	External    []string // packages that a bundle leaves as they are
	Compiled    bool     // a compiler of the user's wrote Dir, packages perhaps among the code
	Build       *Builder // for code that must be built; nil = such code is an error
	// StaticManifest is the text of static.json, which maps published files to
	// their fingerprinted names; it goes beside the shared code. nil = none.
	StaticManifest []byte
	// StaticFile is the file, absolute, that has that text now and when it changes, for
	// functions that run while it does; "" = none.
	StaticFile string
	// Copies are further files of the project that go into the function.
	Copies []Copy
	// NodeOptions says that the function has a variable NODE_OPTIONS, by which Node
	// may do what Lambda turns off.
	NodeOptions bool
}

// Copy is a file or a folder of the project, and its name below node_modules, or
// vendor for other runtimes than Node.
type Copy struct {
	From, To string
	Body     []byte // what is copied, where no file of the project holds it
}

// With is the function with further files. Packages of their names are among
// them, wherever else they are not.
func (f Function) With(copies []Copy) Function {
	f.Copies = copies
	f.Ignore = slices.Clone(f.Ignore)
	for _, c := range copies {
		name, rest, _ := strings.Cut(c.To, "/")
		if strings.HasPrefix(name, "@") {
			second, _, _ := strings.Cut(rest, "/")
			name += "/" + second
		}
		f.Ignore = append(f.Ignore, strings.TrimSuffix(strings.TrimSuffix(name, ".js"), ".mjs"))
	}
	return f
}

// Bundle is the list of files that make up a function's package.
type Bundle struct {
	Files    []File // sorted by Path
	Findings []Finding
	// Runtime are the packages that the code asks for and that Lambda's runtime
	// has, and whether it asks for sure: they are not among the files.
	Runtime map[string]bool
	// Root is the folder, in slashes and relative to the project, that the top of
	// the zip stands for: the function's own, unless an import leads out of it.
	Root string

	// Reads are the files (absolute paths) that decided which files these are,
	// beside Folders, the folders whose entries did.
	Reads, Folders []string

	own []ownModule // of a Node function that is not bundled

	askers map[string]string // package's folder in the zip → who asks for it

	whole func(folder string) int // files in a folder on disk, when the collector has all of them; else -1
}

// File is one entry of the zip.
type File struct {
	Path       string // slash path inside the zip: "node_modules/@architect/shared/x.js"
	Size       int64  // bytes
	Executable bool
	Open       func() (io.ReadCloser, error)
	Source     string // the real file on this machine, absolute; "" = it is on no disk as it is

	made    bool     // by arc, in its cache: of what, tells who made it
	content *content // shared by every bundle that holds the file; nil when made by hand
	crc     *uint32  // of a file in a zip: what the zip says
}

// Finding is something about a function's code that will make a difference in
// the cloud though the zip can be made: an import of a package that is not
// installed, say.
type Finding struct {
	File     string // slash path relative to the project root
	Line     int    // 1-based; 0 when the whole file is meant
	Col      int    // 1-based, in bytes; 0 when the whole line is meant
	EndCol   int    // one past the last column
	Severity Severity
	Code     string // stable, kebab-case: "package-missing"
	Text     string // what is wrong
	Hint     string // what to do about it

	Module  string // the import that leads nowhere, as the code has it; "" = it is about none
	Package string // the package that is missing; "" = none is
}

// Severity tells what fails for sure from what only might, or is worth knowing.
type Severity byte

// The function fails with an Error; it may with a Warning.
const (
	Error Severity = iota
	Warning
	Note
)

// String is the finding in one line, position first, remedy last.
func (f Finding) String() string {
	where := f.File
	if f.Line > 0 {
		where += fmt.Sprintf(":%d", f.Line)
	}
	if f.Col > 0 {
		where += fmt.Sprintf(":%d", f.Col)
	}
	if f.Hint == "" {
		return where + ": " + f.Text
	}
	return where + ": " + f.Text + ": " + f.Hint
}

// mistakes are the findings because of which the function would fail; nil = none.
func (b *Bundle) mistakes() error {
	var errs []error
	for _, f := range b.Findings {
		if f.Severity == Error {
			errs = append(errs, errors.New(f.String()))
		}
	}
	return errors.Join(errs...)
}

// Size is what the bundle takes when unpacked, in bytes.
func (b *Bundle) Size() int64 {
	var n int64
	for _, f := range b.Files {
		n += f.Size
	}
	return n
}

// Key is the SHA-256 (hex) of the bundle's paths, modes and contents, and of the
// way in which they are packed: independent of umask, mtime, readdir order and
// machine.
// Files are read in parallel and never held in memory; a file that several
// bundles of one CollectAll share is read once.
func (b *Bundle) Key() (string, error) {
	sums := make([]digest, len(b.Files))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	// A goroutine for each run of files rather than for each file: most files are
	// small enough that starting one would cost as much as hashing.
	const run = 32
	for at := 0; at < len(b.Files); at += run {
		g.Go(func() error {
			for i := at; i < min(at+run, len(b.Files)); i++ {
				sum, err := b.Files[i].digest()
				if err != nil {
					return err
				}
				sums[i] = sum
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	h := sha256.New()
	if packing != 1 { // the first one was not told
		fmt.Fprintf(h, "packing %d\x00", packing)
	}
	var line []byte
	for i, f := range b.Files {
		// A path holds no NUL, so no two lists of files print alike.
		line = append(line[:0], f.Path...)
		line = append(line, 0, 'f')
		if f.Executable {
			line[len(line)-1] = 'x'
		}
		line = append(line, sums[i][:]...)
		h.Write(line)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type digest [sha256.Size]byte

// content is the bytes of one file in the project, hashed at most once.
type content struct {
	files fs.FS
	at    string // in files
	path  string // for the user
	size  int64

	once sync.Once
	done atomic.Bool // sum may be read
	sum  digest
	crc  uint32 // what a zip holds of it, to notice a change in between
	err  error
}

func (c *content) open() (io.ReadCloser, error) {
	f, err := c.files.Open(c.at)
	if err != nil {
		return nil, unreadable(c.path, err)
	}
	return f, nil
}

func (c *content) digest() (digest, error) {
	c.once.Do(func() {
		c.sum, c.crc, c.err = digestOf(c.path, c.open)
		c.done.Store(c.err == nil)
	})
	return c.sum, c.err
}

// read gives the whole content, which is hashed on the way.
func (c *content) read() ([]byte, error) {
	body, err := fs.ReadFile(c.files, c.at)
	if err != nil {
		return nil, unreadable(c.path, err)
	}
	c.once.Do(func() {
		c.sum, c.crc = sha256.Sum256(body), crc32.ChecksumIEEE(body)
		c.done.Store(true)
	})
	return body, nil
}

func (f *File) digest() (digest, error) {
	if f.content != nil {
		return f.content.digest()
	}
	sum, _, err := digestOf(f.Path, f.Open)
	return sum, err
}

// Checksum is the CRC-32 (IEEE) of the content, which a zip records of each of
// its files. A file whose Key was asked for, or that is in a zip, is not read
// for it.
func (f *File) Checksum() (uint32, error) {
	if f.crc != nil {
		return *f.crc, nil
	}
	if f.content != nil {
		_, err := f.content.digest()
		return f.content.crc, err
	}
	_, crc, err := digestOf(f.Path, f.Open)
	return crc, err
}

// hasher is what reading and hashing a file needs, kept for the next one.
type hasher struct {
	sha hash.Hash
	crc uint32
	buf [64 << 10]byte
}

var hashers = sync.Pool{New: func() any { return &hasher{sha: sha256.New()} }}

func (h *hasher) Write(p []byte) (int, error) {
	h.crc = crc32.Update(h.crc, crc32.IEEETable, p)
	return h.sha.Write(p)
}

func digestOf(name string, open func() (io.ReadCloser, error)) (sum digest, crc uint32, err error) {
	f, err := open()
	if err != nil {
		return sum, 0, err
	}
	defer f.Close()
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	h.sha.Reset()
	h.crc = 0
	// The wrapper hides os.File's WriteTo, which would allocate a buffer a file.
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, h.buf[:]); err != nil {
		return sum, 0, fmt.Errorf("%s: cannot be read: %w", name, err)
	}
	h.sha.Sum(sum[:0])
	return sum, h.crc, nil
}

// inMemory is a file of the bundle that comes from the program itself.
func inMemory(name string, body []byte) File {
	return File{Path: name, Size: int64(len(body)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(body)), nil
	}}
}

func byPath(a, b File) int { return compare(a.Path, b.Path) }

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// under joins a folder of the zip, "" for its top, and a path.
func under(dir, name string) string {
	if dir == "" {
		return name
	}
	return path.Join(dir, name)
}

// Sources lists the real files on this machine that the bundle's come from,
// absolute and sorted: those whose change changes what the function does.
func (b *Bundle) Sources() []string {
	set := map[string]bool{}
	for _, name := range b.Reads {
		set[name] = true
	}
	for _, f := range b.Files {
		if f.Source != "" && !f.made {
			set[f.Source] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
