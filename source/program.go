package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How functions of a provided runtime get their bootstrap: it is there, or it is
// compiled from Go or Rust beside it, for Lambda's Linux and the function's
// architecture: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html.

// language is what the bootstrap of a function is compiled from: "go", "rust",
// or "" when it is not.
func (fn Function) language() string {
	if !strings.HasPrefix(fn.Runtime, "provided") {
		return ""
	}
	switch fn.HandlerFile {
	case "go.mod", "main.go":
		return "go"
	case "Cargo.toml":
		return "rust"
	}
	return ""
}

// addProgram compiles a function and gives the parts of its zip without what
// only the compiler reads.
func (c *collector) addProgram(b *Bundle, fn Function, parts []*part) ([]*part, error) {
	if fn.Build == nil || fn.Build.Dir == "" {
		return nil, fmt.Errorf("%s: must be compiled, and there is nothing to do it with", path.Join(fn.Dir, fn.HandlerFile))
	}
	builder := fn.Build
	if builder.Revised {
		copied, remove, err := c.export(builder)
		if err != nil {
			return nil, err
		}
		defer remove()
		builder = copied
	}
	compile := builder.compileGo
	if fn.language() == "rust" {
		compile = builder.compileRust
	}
	for _, f := range parts[0].files {
		b.Reads = append(b.Reads, filepath.Join(fn.Build.Dir, filepath.FromSlash(path.Join(fn.Dir, f.Path))))
	}
	program, more, findings, err := compile(fn)
	b.Findings = append(b.Findings, findings...)
	b.Reads = append(b.Reads, more...)
	slices.Sort(b.Reads)
	b.Reads = slices.Compact(b.Reads)
	if err != nil || program == "" {
		return parts, err
	}
	info, err := os.Stat(program)
	if err != nil {
		return nil, fmt.Errorf("compiled program: %w", err)
	}
	dir := &collector{files: os.DirFS(filepath.Dir(program)), base: ".", top: ".", disk: filepath.Dir(program)}
	file := dir.file(filepath.Base(program), "bootstrap", info)
	file.Executable, file.made = true, true
	b.Files = append(b.Files, file)
	own := &tree{dir: parts[0].dir}
	for _, f := range parts[0].files {
		if f.Path != "bootstrap" && !sourceOnly(f.Path) {
			own.files = append(own.files, f)
		}
	}
	out := slices.Clone(parts)
	out[0] = &part{own, parts[0].at}
	return out, nil
}

// export writes the project as the collector sees it, without packages, to a
// folder in which a compiler can work.
func (c *collector) export(b *Builder) (*Builder, func(), error) {
	dir, err := os.MkdirTemp("", "arc-revision-")
	if err != nil {
		return nil, nil, fmt.Errorf("folder for compiling: %w", err)
	}
	remove := func() { os.RemoveAll(dir) }
	files, err := c.walk(c.base, func(rel string, d fs.DirEntry) bool { return d.Name() == "node_modules" })
	if err == nil {
		var root *os.Root
		if root, err = os.OpenRoot(dir); err == nil {
			defer root.Close()
			for _, f := range files {
				if err = root.MkdirAll(path.Dir(f.Path), 0o700); err == nil {
					err = write(root, f)
				}
				if err != nil {
					break
				}
			}
		}
	}
	if err != nil {
		remove()
		return nil, nil, fmt.Errorf("folder for compiling: %w", err)
	}
	return &Builder{Dir: dir, home: b.Dir, Env: b.Env, Cache: b.Cache, Host: b.Host, Context: b.Context}, remove, nil
}

// sourceOnly reports whether only the compilers of Go and Rust read a file.
func sourceOnly(name string) bool {
	switch path.Ext(name) {
	case ".go", ".rs":
		return true
	}
	switch path.Base(name) {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "Cargo.toml", "Cargo.lock":
		return true
	}
	return strings.HasPrefix(name, "target/") || strings.HasPrefix(name, "vendor/") && !strings.HasPrefix(name, "vendor/shared/") && !strings.HasPrefix(name, "vendor/views/")
}

// folder is the folder of the cache for one function's program.
func (b *Builder) folder(tool string, fn Function) (string, error) {
	if b.Cache == "" {
		return "", fmt.Errorf("%s: there is no cache to compile into: set HOME or XDG_CACHE_HOME", fn.Dir)
	}
	dir := filepath.Join(b.Cache, tool, shortHash(cmp.Or(b.home, b.Dir), fn.Dir, b.arch(fn), b.system()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cache of compiled programs: %w", err)
	}
	return dir, nil
}

// system is the operating system that programs are for.
func (b *Builder) system() string {
	if b.Host {
		return runtime.GOOS
	}
	return "linux"
}

// compileGo builds a folder with package main. Go's own cache makes it quick
// when nothing has changed; flags and -trimpath make the same program of the same
// code everywhere: https://go.dev/blog/rebuild.
func (b *Builder) compileGo(fn Function) (program string, reads []string, findings []Finding, err error) {
	place := Finding{File: path.Join(fn.Dir, fn.HandlerFile), Line: 1, Col: 1}
	tool := b.lookPath("go")
	if tool == "" {
		place.Code, place.Text = "tool-missing", "is Go, and go is not on the PATH to compile it"
		place.Hint = "install Go from https://go.dev/dl, or put a bootstrap beside it that you have compiled yourself"
		return "", nil, []Finding{place}, nil
	}
	dir, err := b.folder("go", fn)
	if err != nil {
		return "", nil, nil, err
	}
	arch := map[string]string{"arm64": "arm64", "x86_64": "amd64"}[b.arch(fn)]
	env := []string{"GOOS=" + b.system(), "GOARCH=" + arch, "CGO_ENABLED=0", "GOFLAGS="}
	from := filepath.Join(b.Dir, filepath.FromSlash(fn.Dir))
	defer b.lock(dir)()
	// Never under its own name until it is whole: it may run at this moment.
	made, err := os.MkdirTemp(dir, "half-")
	if err != nil {
		return "", nil, nil, fmt.Errorf("cache of compiled programs: %w", err)
	}
	defer os.RemoveAll(made)
	half := filepath.Join(made, "bootstrap")
	err = b.run(from, env, tool, "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", "-o", half, ".")
	if failed, ok := errors.AsType[toolError](err); ok {
		return "", nil, goMistakes(fn, failed.output), nil
	}
	if err != nil {
		return "", nil, nil, err
	}
	program, err = settleProgram(half, dir)
	if err != nil {
		return "", nil, nil, err
	}
	listed, err := b.output(from, env, tool, "list", "-deps", "-f",
		`{{if .Module}}{{if .Module.Main}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{.Module.GoMod}}{{"\n"}}{{end}}{{end}}`, ".")
	if err != nil {
		return "", nil, nil, err
	}
	for line := range strings.Lines(listed) {
		if file := strings.TrimSpace(line); filepath.IsAbs(file) {
			reads = append(reads, filepath.FromSlash(file))
		}
	}
	return program, reads, nil, nil
}

// settleProgram names a program after its content.
func settleProgram(half, dir string) (string, error) {
	sum, _, err := digestOf(filepath.Base(half), func() (io.ReadCloser, error) { return os.Open(half) })
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, fmt.Sprintf("%x", sum[:16]))
	if err := os.Rename(half, program); err != nil {
		return "", fmt.Errorf("cache of compiled programs: %w", err)
	}
	// Those of an hour ago are nobody's any more.
	old, _ := os.ReadDir(dir)
	for _, d := range old {
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > time.Hour {
			os.Remove(filepath.Join(dir, d.Name())) // what stays costs room only
		}
	}
	return program, nil
}

// goMistake is a line of Go's compiler.
var goMistake = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\./|vet: )?([^\s:][^:]*\.go):(\d+)(?::(\d+))?: (.*)$`)
})

func goMistakes(fn Function, output string) []Finding {
	var found []Finding
	for line := range strings.Lines(output) {
		m := goMistake().FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		f := Finding{File: path.Join(fn.Dir, filepath.ToSlash(m[1])), Code: "compile", Text: m[4], Col: 1}
		f.Line, _ = strconv.Atoi(m[2])
		if n, err := strconv.Atoi(m[3]); err == nil {
			f.Col = n
		}
		if strings.Contains(m[4], "no required module provides package") {
			f.Hint = "go mod tidy, in " + fn.Dir
		}
		found = append(found, f)
	}
	if len(found) == 0 {
		found = append(found, Finding{File: path.Join(fn.Dir, fn.HandlerFile), Line: 1, Col: 1, Code: "compile",
			Text: "go build: " + toolError{"go", output}.Error()})
	}
	return found
}

// compileRust builds a crate with cargo lambda or cargo zigbuild, which link for
// Lambda's C library; for this machine cargo alone will do.
func (b *Builder) compileRust(fn Function) (program string, reads []string, findings []Finding, err error) {
	place := Finding{File: path.Join(fn.Dir, "Cargo.toml"), Line: 1, Col: 1}
	from := filepath.Join(b.Dir, filepath.FromSlash(fn.Dir))
	machine := map[string]string{"arm64": "aarch64", "x86_64": "x86_64"}[b.arch(fn)]
	target := machine + "-unknown-linux-gnu"
	var args []string
	var built string
	switch {
	case b.lookPath("cargo") == "":
		place.Code, place.Text = "tool-missing", "is Rust, and cargo is not on the PATH to compile it"
		place.Hint = "install Rust from https://rustup.rs, or put a bootstrap beside it that you have compiled yourself"
		return "", nil, []Finding{place}, nil
	case b.Host:
		args, built = []string{"build", "--release"}, "release"
	case b.lookPath("cargo-lambda") != "":
		args, built = []string{"lambda", "build", "--release", "--target", target}, "lambda"
	case b.lookPath("cargo-zigbuild") != "":
		// The C library of Amazon Linux 2, which that of 2023 can stand in for.
		args, built = []string{"zigbuild", "--release", "--target", target + ".2.26"}, target+"/release"
	default:
		place.Code, place.Text = "tool-missing", "is Rust, and there is neither cargo lambda nor cargo zigbuild to compile it for Lambda"
		place.Hint = "install cargo lambda from https://www.cargo-lambda.info, or put a bootstrap beside it that you have compiled yourself"
		return "", nil, []Finding{place}, nil
	}
	if _, err := os.Stat(filepath.Join(from, "Cargo.lock")); errors.Is(err, fs.ErrNotExist) {
		place.Code, place.Text, place.Hint = "lock-missing", "has no Cargo.lock beside it, which settles the versions of its crates", "cargo generate-lockfile"
		return "", nil, []Finding{place}, nil
	}
	dir, err := b.folder("rust", fn)
	if err != nil {
		return "", nil, nil, err
	}
	defer b.lock(dir)()
	// Paths of this machine would make it another program on every machine.
	flags := strings.TrimSpace(b.Env("RUSTFLAGS") + " --remap-path-prefix=" + from + "=" + fn.Dir + " -C strip=symbols")
	err = b.run(from, []string{"CARGO_TARGET_DIR=" + filepath.Join(dir, "target"), "RUSTFLAGS=" + flags}, b.lookPath("cargo"), append(args, "--locked")...)
	if failed, ok := errors.AsType[toolError](err); ok {
		return "", nil, rustMistakes(fn, failed.output), nil
	}
	if err != nil {
		return "", nil, nil, err
	}
	programs, err := programsIn(filepath.Join(dir, "target", filepath.FromSlash(built)))
	if err != nil {
		return "", nil, nil, err
	}
	if len(programs) != 1 {
		place.Code, place.Text, place.Hint = "compile", fmt.Sprintf("makes %d programs, and a function is one", len(programs)), "leave one [[bin]], or one main.rs"
		return "", nil, []Finding{place}, nil
	}
	made, err := os.MkdirTemp(dir, "half-")
	if err != nil {
		return "", nil, nil, fmt.Errorf("cache of compiled programs: %w", err)
	}
	defer os.RemoveAll(made)
	half := filepath.Join(made, "bootstrap")
	if err := copyFile(half, programs[0]); err != nil {
		return "", nil, nil, err
	}
	program, err = settleProgram(half, dir)
	return program, nil, nil, err
}

// programsIn lists what cargo left in a folder: programs, or with cargo lambda a
// folder for each with its bootstrap.
func programsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("compiled program: %w", err)
	}
	var list []string
	for _, d := range entries {
		file := filepath.Join(dir, d.Name())
		if d.IsDir() {
			file = filepath.Join(file, "bootstrap")
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && filepath.Ext(file) != ".so" {
			list = append(list, file)
		}
	}
	return list, nil
}

func copyFile(to, from string) error {
	body, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, body, 0o755)
	}
	if err != nil {
		return fmt.Errorf("compiled program: %w", err)
	}
	return nil
}

var (
	rustMistake = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^error(?:\[\w+\])?: (.*)$`) })
	rustPlace   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*--> ([^:]+):(\d+):(\d+)$`) })
)

func rustMistakes(fn Function, output string) []Finding {
	var found []Finding
	text := ""
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		if m := rustMistake().FindStringSubmatch(line); m != nil {
			text = m[1]
		} else if m := rustPlace().FindStringSubmatch(line); m != nil && text != "" {
			f := Finding{File: path.Join(fn.Dir, filepath.ToSlash(m[1])), Code: "compile", Text: text}
			f.Line, _ = strconv.Atoi(m[2])
			f.Col, _ = strconv.Atoi(m[3])
			found, text = append(found, f), ""
		}
	}
	if len(found) == 0 {
		found = append(found, Finding{File: path.Join(fn.Dir, "Cargo.toml"), Line: 1, Col: 1, Code: "compile", Text: "cargo: " + toolError{"cargo", output}.Error()})
	}
	return found
}

// output is run for what a tool prints.
func (b *Builder) output(dir string, env []string, program string, args ...string) (string, error) {
	var out bytes.Buffer
	err := b.start(dir, env, &out, nil, program, args...)
	return out.String(), err
}
