// Package revision reads a project as a git revision has it, from the object store:
// nothing is checked out, nothing is fetched, and no program of the repository's
// choice runs.
package revision

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Tree is the project folder as a git revision has it: an fs.FS over the
// object store, without a checkout. Nothing is fetched and no hook runs. What
// git does not keep, the packages below node_modules, is read from the working
// folder.
type Tree struct {
	nodes   map[string]*entry // by path; "." is the root
	working fs.FS
	blobs   map[string][]byte // by ID, of what was read ahead

	mu  sync.Mutex // one question to git at a time
	git *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// entry is a file or a folder of the tree.
type entry struct {
	name     string
	id       string // of the blob; "" = a folder
	mode     fs.FileMode
	size     int64
	children []*entry
}

// Why a revision cannot be read.
var (
	ErrNotInstalled = errors.New("git is not installed")
	ErrNoRepository = errors.New("the project is in no git repository")
	ErrNoCommit     = errors.New("git knows no such commit here")
)

// Open reads the tree of a revision (a branch, a tag, a commit) below the
// project's folder dir. working is that folder as it is now. The error is one of
// those above where the revision cannot be read at all.
func Open(ctx context.Context, dir, ref string, working fs.FS) (*Tree, error) {
	commit, err := Git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return nil, noRevision(err)
	}
	prefix, err := Git(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	folder := strings.TrimSpace(prefix)
	tree := strings.TrimSpace(commit) + ":" + folder
	listing, err := Git(ctx, dir, "ls-tree", "-r", "-z", "--long", "--full-tree", tree)
	if err != nil {
		return nil, fmt.Errorf("it has no folder %s: %w", folder, err)
	}
	r := &Tree{nodes: map[string]*entry{".": {name: ".", mode: fs.ModeDir | 0o755}}, working: working}
	for _, line := range strings.Split(listing, "\x00") {
		r.add(line)
	}
	for _, n := range r.nodes {
		slices.SortFunc(n.children, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
	}
	r.git = command(ctx, dir, "cat-file", "--batch")
	if r.in, err = r.git.StdinPipe(); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	stdout, err := r.git.StdoutPipe()
	if err == nil {
		err = r.git.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	r.out = bufio.NewReader(stdout)
	return r, nil
}

// noRevision says why git gives no commit.
func noRevision(err error) error {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, ErrNotInstalled):
		return err
	case strings.Contains(err.Error(), "not a git repository"):
		return ErrNoRepository
	case errors.As(err, &exit): // git was asked to be quiet
		return ErrNoCommit
	}
	return fmt.Errorf("%w: %w", ErrNoCommit, err)
}

// add takes one line of ls-tree: "100644 blob ID SIZE\tPATH". Submodules are
// left out, as git leaves them empty.
func (r *Tree) add(line string) {
	facts, name, ok := strings.Cut(line, "\t")
	words := strings.Fields(facts)
	if !ok || len(words) != 4 || words[1] != "blob" || !fs.ValidPath(name) {
		return
	}
	size, err := strconv.ParseInt(words[3], 10, 64)
	if err != nil {
		return
	}
	mode := fs.FileMode(0o644)
	switch words[0] {
	case "100755":
		mode = 0o755
	case "120000":
		mode = fs.ModeSymlink | 0o777
	}
	child := &entry{name: path.Base(name), id: words[2], mode: mode, size: size}
	r.nodes[name] = child
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		parent, known := r.nodes[dir]
		if !known {
			parent = &entry{name: path.Base(dir), mode: fs.ModeDir | 0o755}
			r.nodes[dir] = parent
		}
		parent.children = append(parent.children, child)
		if known || dir == "." {
			return
		}
		child = parent
	}
}

// Close ends the asking.
func (r *Tree) Close() {
	r.in.Close()
	_ = r.git.Wait() // it was only asked
}

// Open gives a file or folder of the revision.
func (r *Tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if slices.Contains(strings.Split(name, "/"), "node_modules") && r.nodes[name] == nil {
		return r.working.Open(name)
	}
	n, err := r.find(name, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if n.mode.IsDir() {
		return &openFile{node: r.withModules(name, n)}, nil
	}
	data, err := r.read(n)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openFile{node: n, Reader: bytes.NewReader(data)}, nil
}

// Lstat tells what a name is, links included.
func (r *Tree) Lstat(name string) (fs.FileInfo, error) {
	if n := r.nodes[name]; n != nil {
		return entryInfo{n}, nil
	}
	return fs.Lstat(r.working, name)
}

// ReadLink tells where a symbolic link leads.
func (r *Tree) ReadLink(name string) (string, error) {
	n := r.nodes[name]
	if n == nil {
		return fs.ReadLink(r.working, name)
	}
	target, err := r.read(n)
	return string(target), err
}

// withModules lists the packages of a function that has a package.json of its
// own, which are read from the working folder.
func (r *Tree) withModules(dir string, n *entry) *entry {
	has := func(name string) bool { return r.nodes[path.Join(dir, name)] != nil }
	if !has("package.json") || has("node_modules") {
		return n
	}
	if info, err := fs.Stat(r.working, path.Join(dir, "node_modules")); err != nil || !info.IsDir() {
		return n
	}
	with := *n
	with.children = append(slices.Clone(n.children), &entry{name: "node_modules", mode: fs.ModeDir | 0o755})
	slices.SortFunc(with.children, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
	return &with
}

// maxLinks bounds symbolic links to symbolic links.
const maxLinks = 40

// find follows symbolic links as far as they stay in the project.
func (r *Tree) find(name string, links int) (*entry, error) {
	if n := r.nodes[name]; n != nil && n.mode&fs.ModeSymlink == 0 {
		return n, nil
	}
	at := "."
	for parts := strings.Split(name, "/"); len(parts) > 0; parts = parts[1:] {
		at = path.Join(at, parts[0])
		n := r.nodes[at]
		if n == nil {
			return nil, fs.ErrNotExist
		}
		if n.mode&fs.ModeSymlink == 0 {
			continue
		}
		target, err := r.read(n)
		if err != nil {
			return nil, err
		}
		to := path.Join(append([]string{path.Dir(at), string(target)}, parts[1:]...)...)
		if links == maxLinks || path.IsAbs(string(target)) || !fs.ValidPath(to) {
			return nil, fs.ErrNotExist
		}
		return r.find(to, links+1)
	}
	return r.nodes[at], nil
}

// What is read ahead, in bytes: of one file, and of all.
const (
	maxAhead    = 256 << 10
	maxAheadAll = 64 << 20
)

// ReadAhead reads the small files of folders with one question to git: asked
// one by one, thousands of handlers cost a change of process each. What it does
// not read is read when it is wanted.
func (r *Tree) ReadAhead(ctx context.Context, dir string, folders []string) error {
	var wanted []*entry
	seen, total := map[string]bool{}, int64(0)
	var visit func(n *entry)
	visit = func(n *entry) {
		for _, child := range n.children {
			visit(child)
		}
		if n.id != "" && !seen[n.id] && n.size <= maxAhead && total+n.size <= maxAheadAll {
			seen[n.id] = true
			total += n.size
			wanted = append(wanted, n)
		}
	}
	for _, folder := range folders {
		if n := r.nodes[path.Clean(folder)]; n != nil {
			visit(n)
		}
	}
	var ids strings.Builder
	for _, n := range wanted {
		ids.WriteString(n.id + "\n")
	}
	git := command(ctx, dir, "cat-file", "--batch")
	git.Stdin = strings.NewReader(ids.String())
	stdout, err := git.StdoutPipe()
	if err == nil {
		err = git.Start()
	}
	if err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	out := bufio.NewReaderSize(stdout, 1<<16)
	r.blobs = make(map[string][]byte, len(wanted))
	for _, n := range wanted {
		if r.blobs[n.id], err = readBlob(out, n); err != nil {
			stdout.Close() // git has nobody to tell, and ends
			break
		}
	}
	return errors.Join(err, git.Wait())
}

// read gives the content of a blob.
func (r *Tree) read(n *entry) ([]byte, error) {
	if data, ok := r.blobs[n.id]; ok {
		return data, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := io.WriteString(r.in, n.id+"\n"); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	return readBlob(r.out, n)
}

// readBlob reads one answer of git cat-file --batch.
func readBlob(out *bufio.Reader, n *entry) ([]byte, error) {
	head, err := out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	words := strings.Fields(head)
	if len(words) != 3 || words[1] != "blob" {
		return nil, fmt.Errorf("git has no content of %s: %s", n.name, strings.TrimSpace(head))
	}
	size, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil || size != n.size {
		return nil, fmt.Errorf("git cat-file answered %q", strings.TrimSpace(head))
	}
	data := make([]byte, size+1) // and a line feed
	if _, err := io.ReadFull(out, data); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	return data[:size], nil
}

// openFile is an open file or folder of a revision, and its own FileInfo and
// DirEntry.
type openFile struct {
	node *entry
	*bytes.Reader
	listed int
}

func (f *openFile) Stat() (fs.FileInfo, error) { return entryInfo{f.node}, nil }
func (f *openFile) Close() error               { return nil }

func (f *openFile) Read(b []byte) (int, error) {
	if f.Reader == nil {
		return 0, &fs.PathError{Op: "read", Path: f.node.name, Err: errors.New("is a directory")}
	}
	return f.Reader.Read(b)
}

// ReadDir lists a folder, sorted by name.
func (f *openFile) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := f.node.children[f.listed:]
	if n > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if n > 0 && len(rest) > n {
		rest = rest[:n]
	}
	f.listed += len(rest)
	entries := make([]fs.DirEntry, len(rest))
	for i, child := range rest {
		entries[i] = fs.FileInfoToDirEntry(entryInfo{child})
	}
	return entries, nil
}

type entryInfo struct{ *entry }

func (i entryInfo) Name() string       { return i.name }
func (i entryInfo) Size() int64        { return i.size }
func (i entryInfo) Mode() fs.FileMode  { return i.mode }
func (i entryInfo) ModTime() time.Time { return time.Time{} }
func (i entryInfo) IsDir() bool        { return i.mode.IsDir() }
func (i entryInfo) Sys() any           { return nil }

// command is git without anything that could run a program of the
// repository's choice or reach the network.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-c", "core.quotePath=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_ALLOW_PROTOCOL=none", "LC_ALL=C")
	return cmd
}

// Git is what git prints when it is run in a folder with arguments. The error
// has what git said.
func Git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := command(ctx, dir, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", ErrNotInstalled
	}
	if err != nil {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			return "", fmt.Errorf("git %s: %s", args[0], text)
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return string(out), nil
}

// Ignored tells which files of a folder git ignores, whether they are there or
// not: by .gitignore in any folder above them, by the repository's own list and
// by the user's. A file that is committed is not ignored; nothing is where there
// is no repository, or no git.
// https://git-scm.com/docs/git-check-ignore
func Ignored(ctx context.Context, dir string, files ...string) map[string]bool {
	ignored := map[string]bool{}
	if len(files) > 1 && command(ctx, dir, "rev-parse", "--git-dir").Run() != nil {
		return ignored
	}
	addIgnored(ctx, dir, files, ignored)
	return ignored
}

func addIgnored(ctx context.Context, dir string, files []string, ignored map[string]bool) {
	cmd := command(ctx, dir, "check-ignore", "-z", "--stdin")
	cmd.Stdin = strings.NewReader(strings.Join(files, "\x00"))
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 128 && len(files) > 1 {
		// Of several, git asks for none when one is behind a link or in a submodule.
		half := len(files) / 2
		addIgnored(ctx, dir, files[:half], ignored)
		addIgnored(ctx, dir, files[half:], ignored)
		return
	}
	for file := range strings.SplitSeq(string(out), "\x00") {
		ignored[file] = file != ""
	}
}
