package main

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

// revision is the project folder as a git revision has it: an fs.FS over the
// object store, without a checkout. Nothing is fetched and no hook runs. What
// git does not keep, the packages below node_modules, is read from the working
// folder.
type revision struct {
	nodes   map[string]*gitNode // by path; "." is the root
	working fs.FS
	blobs   map[string][]byte // by ID, of what was read ahead

	mu  sync.Mutex // one question to git at a time
	git *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// gitNode is a file or a folder of the tree.
type gitNode struct {
	name     string
	id       string // of the blob; "" = a folder
	mode     fs.FileMode
	size     int64
	children []*gitNode
}

// openRevision reads the tree of a revision below the project's folder.
func openRevision(ctx context.Context, dir, ref string, working fs.FS) (*revision, error) {
	commit, err := gitOutput(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return nil, noRevision(ref, err)
	}
	prefix, err := gitOutput(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	folder := strings.TrimSpace(prefix)
	tree := strings.TrimSpace(commit) + ":" + folder
	listing, err := gitOutput(ctx, dir, "ls-tree", "-r", "-z", "--long", "--full-tree", tree)
	if err != nil {
		return nil, fmt.Errorf("--base %s has no folder %s: %w", ref, folder, err)
	}
	r := &revision{nodes: map[string]*gitNode{".": {name: ".", mode: fs.ModeDir | 0o755}}, working: working}
	for _, line := range strings.Split(listing, "\x00") {
		r.add(line)
	}
	for _, n := range r.nodes {
		slices.SortFunc(n.children, func(a, b *gitNode) int { return strings.Compare(a.name, b.name) })
	}
	r.git = gitCommand(ctx, dir, "cat-file", "--batch")
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

// noRevision says why git gives no commit of that name.
func noRevision(ref string, err error) error {
	var exit *exec.ExitError
	switch {
	case errors.As(err, &hinted{}):
		return fmt.Errorf("--base %s: %w", ref, err)
	case strings.Contains(err.Error(), "not a git repository"):
		return withHint(fmt.Errorf("--base %s: the project is in no git repository", ref), "compare with a template instead: arc diff --template before.json")
	case errors.As(err, &exit): // git was asked to be quiet
		err = fmt.Errorf("--base %s: git knows no such commit here", ref)
	default:
		err = fmt.Errorf("--base %s: git knows no such commit here: %w", ref, err)
	}
	return withHint(err, "name a branch, a tag or a commit; in CI fetch it first: git fetch origin main")
}

// add takes one line of ls-tree: "100644 blob ID SIZE\tPATH". Submodules are
// left out, as git leaves them empty.
func (r *revision) add(line string) {
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
	child := &gitNode{name: path.Base(name), id: words[2], mode: mode, size: size}
	r.nodes[name] = child
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		parent, known := r.nodes[dir]
		if !known {
			parent = &gitNode{name: path.Base(dir), mode: fs.ModeDir | 0o755}
			r.nodes[dir] = parent
		}
		parent.children = append(parent.children, child)
		if known || dir == "." {
			return
		}
		child = parent
	}
}

func (r *revision) close() {
	r.in.Close()
	_ = r.git.Wait() // it was only asked
}

// Open gives a file or folder of the revision.
func (r *revision) Open(name string) (fs.File, error) {
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
		return &gitFile{node: r.withModules(name, n)}, nil
	}
	data, err := r.read(n)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &gitFile{node: n, Reader: bytes.NewReader(data)}, nil
}

// withModules lists the packages of a function that has a package.json of its
// own, which are read from the working folder.
func (r *revision) withModules(dir string, n *gitNode) *gitNode {
	has := func(name string) bool { return r.nodes[path.Join(dir, name)] != nil }
	if !has("package.json") || has("node_modules") {
		return n
	}
	if info, err := fs.Stat(r.working, path.Join(dir, "node_modules")); err != nil || !info.IsDir() {
		return n
	}
	with := *n
	with.children = append(slices.Clone(n.children), &gitNode{name: "node_modules", mode: fs.ModeDir | 0o755})
	slices.SortFunc(with.children, func(a, b *gitNode) int { return strings.Compare(a.name, b.name) })
	return &with
}

// maxLinks bounds symbolic links to symbolic links.
const maxLinks = 40

// find follows symbolic links as far as they stay in the project.
func (r *revision) find(name string, links int) (*gitNode, error) {
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

// readAhead reads the small files of folders with one question to git: asked
// one by one, thousands of handlers cost a change of process each. What it does
// not read is read when it is wanted.
func (r *revision) readAhead(ctx context.Context, dir string, folders []string) error {
	var wanted []*gitNode
	seen, total := map[string]bool{}, int64(0)
	var visit func(n *gitNode)
	visit = func(n *gitNode) {
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
	git := gitCommand(ctx, dir, "cat-file", "--batch")
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
func (r *revision) read(n *gitNode) ([]byte, error) {
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
func readBlob(out *bufio.Reader, n *gitNode) ([]byte, error) {
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

// gitFile is an open file or folder of a revision, and its own FileInfo and
// DirEntry.
type gitFile struct {
	node *gitNode
	*bytes.Reader
	listed int
}

func (f *gitFile) Stat() (fs.FileInfo, error) { return gitInfo{f.node}, nil }
func (f *gitFile) Close() error               { return nil }

func (f *gitFile) Read(b []byte) (int, error) {
	if f.Reader == nil {
		return 0, &fs.PathError{Op: "read", Path: f.node.name, Err: errors.New("is a directory")}
	}
	return f.Reader.Read(b)
}

// ReadDir lists a folder, sorted by name.
func (f *gitFile) ReadDir(n int) ([]fs.DirEntry, error) {
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
		entries[i] = fs.FileInfoToDirEntry(gitInfo{child})
	}
	return entries, nil
}

type gitInfo struct{ *gitNode }

func (i gitInfo) Name() string       { return i.name }
func (i gitInfo) Size() int64        { return i.size }
func (i gitInfo) Mode() fs.FileMode  { return i.mode }
func (i gitInfo) ModTime() time.Time { return time.Time{} }
func (i gitInfo) IsDir() bool        { return i.mode.IsDir() }
func (i gitInfo) Sys() any           { return nil }

// gitCommand is git without anything that could run a program of the
// repository's choice or reach the network.
func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-c", "core.quotePath=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_ALLOW_PROTOCOL=none", "LC_ALL=C")
	return cmd
}

func gitOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := gitCommand(ctx, dir, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", withHint(errors.New("git is not installed, and --base reads a revision with it"), "install git, or compare with --template")
	}
	if err != nil {
		if text := strings.TrimSpace(stderr.String()); text != "" {
			return "", fmt.Errorf("git %s: %s", args[0], text)
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return string(out), nil
}
