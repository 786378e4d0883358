package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"arc/sandbox/child"
)

// How the packages of other languages than Node get into a zip: they are
// installed, for the function's platform, into a folder of the user's cache that
// is named after everything that decides about them. The project is not touched.

// installation is what must be installed for a function.
type installation struct {
	tool string                 // folder of the cache: "python"
	file string                 // that says so, for the user: "src/http/get-index/requirements.txt"
	key  []string               // all that decides about the outcome
	make func(dir string) error // installs into an empty folder
}

// installed gives the folder with what is installed, made now or before.
func (b *Builder) installed(in installation) (string, error) {
	if b.Cache == "" {
		return "", fmt.Errorf("%s: there is no cache to install into: set HOME or XDG_CACHE_HOME", in.file)
	}
	parent := filepath.Join(b.Cache, in.tool)
	dir := filepath.Join(parent, shortHash(in.key...))
	// Two functions with the same lock wait for one installation; another arc
	// that does the same at this moment makes the same.
	defer b.lock(dir)()
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("cache of installed packages: %w", err)
	}
	half, err := os.MkdirTemp(parent, "half-")
	if err != nil {
		return "", fmt.Errorf("cache of installed packages: %w", err)
	}
	defer os.RemoveAll(half)
	if err := in.make(half); err != nil {
		return "", err
	}
	if err := os.Chmod(half, 0o755); err != nil {
		return "", fmt.Errorf("cache of installed packages: %w", err)
	}
	if err := os.Rename(half, dir); err != nil {
		if _, other := os.Stat(dir); other != nil {
			return "", fmt.Errorf("cache of installed packages: %w", err)
		}
	}
	return dir, nil
}

// shortHash names a folder after what decides about its content.
func shortHash(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:])[:32]
}

// lock has one builder at a time at work in a folder, and gives what ends that.
func (b *Builder) lock(dir string) func() {
	lock, _ := b.locks.get(dir, func() (*sync.Mutex, error) { return new(sync.Mutex), nil })
	lock.Lock()
	return lock.Unlock
}

// run starts a tool and waits for it. Its error is the tool's own words, the
// last of them when there are many.
func (b *Builder) run(dir string, env []string, program string, args ...string) error {
	var out bytes.Buffer
	return b.start(dir, env, &out, &out, program, args...)
}

// start is run with what the tool prints in two places; a nil second one is for
// the error alone.
func (b *Builder) start(dir string, env []string, stdout, stderr *bytes.Buffer, program string, args ...string) error {
	ctx := b.Context
	if ctx == nil {
		ctx = context.Background()
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if stderr == nil {
		stderr = new(bytes.Buffer)
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := child.Run(ctx, cmd)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, ended := errors.AsType[*exec.ExitError](err); !ended {
		return fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return toolError{filepath.Base(program), stderr.String()}
}

// toolError is what a tool that failed printed. It reads as the lines that the
// tool itself calls errors: pip and npm print news of themselves, too.
type toolError struct{ tool, output string }

func (e toolError) Error() string {
	var said []string
	for line := range strings.Lines(e.output) {
		line = strings.TrimSpace(line)
		text, ok := strings.CutPrefix(line, "ERROR: ") // pip
		if !ok {
			text, ok = strings.CutPrefix(line, "npm error ")
		}
		if ok && !strings.HasPrefix(text, "A complete log of this run") {
			said = append(said, text)
		}
	}
	if len(said) == 0 {
		lines := strings.Split(strings.TrimSpace(e.output), "\n")
		said = lines[max(0, len(lines)-8):]
	}
	return strings.Join(said, "; ")
}

// lookPath finds a program on the user's PATH.
func (b *Builder) lookPath(name string) string {
	for _, dir := range filepath.SplitList(b.Env("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found
		}
	}
	return ""
}

// hostArch is the architecture of this machine, as Lambda calls it.
func hostArch() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// arch is the architecture that code is built for.
func (b *Builder) arch(fn Function) string {
	if b.Host || fn.Arch == "" {
		return hostArch()
	}
	return fn.Arch
}

// addInstalled adds the files of a folder that was installed, where the
// function's own code has none of that name.
func (b *Bundle) addInstalled(dir, at string) error {
	own := map[string]bool{}
	for _, f := range b.Files {
		own[f.Path] = true
	}
	c := &collector{files: os.DirFS(dir), base: ".", top: ".", disk: dir}
	files, err := c.walk(".", nil)
	if err != nil {
		return fmt.Errorf("cache of installed packages: %w", err)
	}
	for _, f := range moved(files, at) {
		if !own[f.Path] {
			f.made = true
			b.Files = append(b.Files, f)
		}
	}
	return nil
}

// texts reads files of a folder of the project that may be there, by name.
func (c *collector) texts(dir string, names ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	for _, name := range names {
		text, err := fs.ReadFile(c.files, dir+"/"+name)
		switch {
		case err == nil:
			found[name] = text
		case !missing(err):
			return nil, c.unreadable(dir+"/"+name, err)
		}
	}
	return found, nil
}
