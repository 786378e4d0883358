package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"arc/source/interpreter"
	"arc/source/lockfile"
)

// pythonAsk is what a folder's files ask pip for.
type pythonAsk struct {
	file   string   // the file that says so, a project path
	text   string   // requirements as pip reads them
	locked bool     // every package is pinned, with hashes
	hashes []string // of the further files that text refers to
}

// pythonPackages installs what requirements.txt, Pipfile.lock, uv.lock or
// poetry.lock of the function's folder, and of shared code and views, ask for.
func (c *collector) pythonPackages(fn Function) (packages, []Finding, error) {
	var asks []pythonAsk
	for _, dir := range []string{fn.Dir, fn.Shared, fn.Views} {
		if dir == "" {
			continue
		}
		ask, found, err := c.pythonAsk(fn, dir)
		if err != nil || len(found) > 0 {
			return packages{}, found, err
		}
		if ask != nil {
			asks = append(asks, *ask)
		}
	}
	if len(asks) == 0 {
		return packages{}, nil, nil
	}
	b := fn.Build
	if b == nil {
		return packages{}, nil, fmt.Errorf("%s: packages must be installed, and there is nothing to do it with", asks[0].file)
	}
	var findings []Finding
	if open := unpinned(asks); open != nil {
		findings = append(findings, *open)
	}
	pip := b.pip(fn)
	key := []string{"python 1", pip.version, pip.target()}
	for _, a := range asks {
		key = append(key, a.text)
		key = append(key, a.hashes...)
	}
	dir, err := b.installed(installation{tool: "python", file: asks[0].file, key: key, make: func(dir string) error {
		for _, a := range asks {
			if err := c.installWith(b.pips(pip), fn, a, dir); err != nil {
				return err
			}
		}
		return tidyPython(dir)
	}})
	if errors.Is(err, errNoPip) {
		return packages{}, append(findings, Finding{File: asks[0].file, Line: 1, Col: 1, Code: "tool-missing", Text: "lists packages, and there is neither pip nor uv on the PATH to install them",
			Hint: "python3 -m ensurepip, or install uv from https://docs.astral.sh/uv"}), nil
	}
	if failed, ok := errors.AsType[pipError](err); ok {
		return packages{}, append(findings, failed.finding(pip)), nil
	}
	return packages{dir: dir}, findings, err
}

// pythonAsk reads what one folder asks for; nil when that is nothing.
func (c *collector) pythonAsk(fn Function, dir string) (*pythonAsk, []Finding, error) {
	at := path.Join(c.base, dir)
	found, err := c.texts(at, "requirements.txt", "Pipfile", "Pipfile.lock", "pyproject.toml", "uv.lock", "poetry.lock")
	if err != nil {
		return nil, nil, err
	}
	wanted := interpreter.Wanted(fn.Runtime)
	if text, ok := found["requirements.txt"]; ok {
		a := &pythonAsk{file: path.Join(dir, "requirements.txt"), text: string(text)}
		if !asksForAnything(a.text) {
			return nil, nil, nil
		}
		a.locked = strings.Contains(a.text, "--hash=")
		a.hashes, err = c.referred(path.Join(at, "requirements.txt"), a.text, map[string]bool{})
		return a, nil, err
	}
	for _, lock := range []string{"uv.lock", "poetry.lock", "Pipfile.lock"} {
		text, ok := found[lock]
		if !ok {
			continue
		}
		env := lockfile.Lambda(wanted, fn.Arch)
		if fn.Build != nil && fn.Build.Host {
			env = hostEnvironment(wanted)
		}
		list, err := lockfile.Requirements(lock, text, found["pyproject.toml"], env)
		if err != nil {
			return nil, []Finding{{File: path.Join(dir, lock), Line: 1, Col: 1, Code: "lock-file", Text: strings.TrimPrefix(err.Error(), lock+": ")}}, nil
		}
		if len(list) == 0 {
			return nil, nil, nil
		}
		a := &pythonAsk{file: path.Join(dir, lock), locked: true}
		for _, r := range list {
			a.text += r.String() + "\n"
			a.locked = a.locked && len(r.Hashes) > 0
		}
		return a, nil, nil
	}
	for _, unlocked := range [][2]string{{"Pipfile", "pipenv lock"}, {"pyproject.toml", "uv lock, or poetry lock"}} {
		file, how := unlocked[0], unlocked[1]
		if text, ok := found[file]; ok && (file == "Pipfile" && strings.Contains(string(text), "[packages]") || dependsOnAny(text)) {
			return nil, []Finding{{File: path.Join(dir, file), Line: 1, Col: 1, Code: "lock-missing", Text: "lists packages without a lock file beside it, so their versions are not settled", Hint: how}}, nil
		}
	}
	return nil, nil, nil
}

// dependsOnAny reports whether a pyproject.toml lists packages.
func dependsOnAny(text []byte) bool {
	return regexp.MustCompile(`(?m)^dependencies\s*=\s*\[\s*["'\n]|^\[tool\.poetry\.dependencies\]`).Match(text)
}

func hostEnvironment(python string) lockfile.Environment {
	env := lockfile.Lambda(python, hostArch())
	switch runtime.GOOS {
	case "darwin":
		env.System = "Darwin"
		if env.Machine == "aarch64" {
			env.Machine = "arm64"
		}
	case "windows":
		env.System, env.Machine = "Windows", map[string]string{"aarch64": "ARM64", "x86_64": "AMD64"}[env.Machine]
	}
	return env
}

func asksForAnything(requirements string) bool {
	for line := range strings.Lines(requirements) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return true
		}
	}
	return false
}

// reference is a line of requirements that names another file or folder.
var requirementsReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:-r|-c|--requirement|--constraint)[ =]+(\S+)|^(?:-e\s+|--editable[ =]+)?(\.{1,2}/\S*|file:\S+)`)
})

// referred hashes what requirements refer to in the project, so that a change of
// it is noticed.
func (c *collector) referred(file, text string, seen map[string]bool) ([]string, error) {
	var hashes []string
	for line := range strings.Lines(text) {
		m := requirementsReference().FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		name := path.Join(path.Dir(file), m[1]+m[2])
		if seen[name] || !fs.ValidPath(name) || strings.Contains(m[1]+m[2], ":") {
			continue
		}
		seen[name] = true
		if body, err := fs.ReadFile(c.files, name); err == nil {
			sum := sha256.Sum256(body)
			hashes = append(hashes, name+" "+hex.EncodeToString(sum[:]))
			if m[1] != "" {
				more, err := c.referred(name, string(body), seen)
				if err != nil {
					return nil, err
				}
				hashes = append(hashes, more...)
			}
			continue
		}
		if files, err := c.walk(name, nil); err == nil {
			key, err := (&Bundle{Files: files}).Key()
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, name+" "+key)
		}
	}
	return hashes, nil
}

// unpinned warns of what may be another version on another machine.
func unpinned(asks []pythonAsk) *Finding {
	pinned := regexp.MustCompile(`===?\s*[^*\s]+|@\s*\S+`)
	for _, a := range asks {
		n := 0
		for line := range strings.Lines(a.text) {
			n++
			line = strings.TrimSpace(line)
			if line == "" || strings.ContainsAny(line[:1], "#-./") || pinned.MatchString(line) || strings.HasPrefix(line, "--") {
				continue
			}
			return &Finding{File: a.file, Line: n, Col: 1, EndCol: 1 + len(line), Severity: Warning, Code: "version-open",
				Text: line + " names no version, so another machine, or another day, may get another one",
				Hint: "pip freeze tells the versions: write name==version"}
		}
	}
	return nil
}

// pip is what installs, and for which platform.
type pip struct {
	runtime   string
	program   string // python3, or uv
	uv        bool
	version   string // of Python, that packages are for: "3.12"
	arch      string
	platforms []string // as wheels name them; nil = this machine's
}

func (p pip) target() string {
	return strings.Join(p.platforms, " ") + " " + p.arch + " " + runtime.GOOS
}

// glibc is the version that Lambda's runtimes have: Amazon Linux 2's up to
// Python 3.11, Amazon Linux 2023's from then on.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
func glibc(python string) int {
	if minor := strings.TrimPrefix(python, "3."); len(minor) == 1 || minor == "10" || minor == "11" {
		return 26
	}
	return 34
}

// pip says for which Python and platform a function's packages are.
func (b *Builder) pip(fn Function) pip {
	p := pip{version: interpreter.Wanted(fn.Runtime), arch: b.arch(fn), runtime: fn.Runtime}
	if b.Host {
		// What runs here is loaded by the Python that is here.
		found, err := b.machine().Find(context.Background(), fn.Runtime)
		if version := strings.SplitN(found.Version, ".", 3); err == nil && len(version) > 1 {
			p.version = version[0] + "." + version[1]
		}
	}
	machine := "x86_64"
	if p.arch == "arm64" {
		machine = "aarch64"
	}
	if !b.Host || runtime.GOOS == "linux" {
		for minor := glibc(p.version); minor >= 17; minor-- {
			p.platforms = append(p.platforms, fmt.Sprintf("manylinux_2_%d_%s", minor, machine))
		}
		p.platforms = append(p.platforms, "manylinux2014_"+machine, "linux_"+machine)
	}
	return p
}

func (b *Builder) machine() interpreter.Machine {
	return interpreter.Machine{Env: b.Env, Cache: b.Cache}
}

var errNoPip = errors.New("neither pip nor uv is there")

// pips are the programs that may install, the best first: uv, or any Python with
// pip, which installs for other versions than the one that it runs on.
func (b *Builder) pips(p pip) []pip {
	if uv := b.lookPath("uv"); uv != "" {
		p.program, p.uv = uv, true
		return []pip{p}
	}
	var pythons []string
	if found, err := b.machine().Find(context.Background(), p.runtime); err == nil {
		pythons = append(pythons, found.Program)
	}
	for _, name := range []string{"python3", "python"} {
		if program := b.lookPath(name); program != "" && !slices.Contains(pythons, program) {
			pythons = append(pythons, program)
		}
	}
	var list []pip
	for _, python := range pythons {
		p.program = python
		list = append(list, p)
	}
	return list
}

// installWith installs what one file asks for with the first program that can.
func (c *collector) installWith(pips []pip, fn Function, a pythonAsk, dir string) error {
	for _, p := range pips {
		err := c.pipInstall(fn, p, a, dir)
		if said, ok := errors.AsType[toolError](err); ok {
			if noPip(said) {
				continue
			}
			return pipError{a.file, err}
		}
		return err
	}
	return errNoPip
}

// pipError is what pip says of requirements that it cannot install.
type pipError struct {
	file string
	err  error
}

func (e pipError) Error() string { return e.file + ": " + e.err.Error() }

func (e pipError) finding(p pip) Finding {
	return Finding{File: e.file, Line: 1, Col: 1, Code: "packages-unfit",
		Text: fmt.Sprintf("cannot be installed for Python %s on %s: %v", p.version, p.arch, e.err),
		Hint: "a package that is not built for that platform needs a wheel: pip wheel makes one, and PIP_FIND_LINKS names its folder"}
}

// pipInstall installs what one file asks for.
func (c *collector) pipInstall(fn Function, p pip, a pythonAsk, dir string) error {
	list, err := os.CreateTemp("", "arc-requirements-*.txt")
	if err != nil {
		return fmt.Errorf("list of packages: %w", err)
	}
	defer os.Remove(list.Name())
	_, err = list.WriteString(a.text)
	if err = errors.Join(err, list.Close()); err != nil {
		return fmt.Errorf("list of packages: %w", err)
	}
	name := list.Name()
	from := filepath.Join(fn.Build.Dir, filepath.FromSlash(path.Dir(a.file)))
	if len(a.hashes) > 0 {
		name = filepath.Join(from, path.Base(a.file)) // it names other files, from its own place
	}
	var args []string
	if p.uv {
		args = []string{"pip", "install", "--no-progress", "--no-config", "--python-version", p.version}
		if p.platforms != nil {
			args = append(args, "--python-platform", strings.TrimPrefix(p.platforms[0][len("manylinux_2_34_"):], "_")+"-"+p.platforms[0][:len("manylinux_2_34")])
		}
	} else {
		args = []string{"-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-compile", "--quiet", "--no-warn-conflicts", "--upgrade"}
		if p.platforms != nil {
			abi := "cp" + strings.ReplaceAll(p.version, ".", "")
			args = append(args, "--python-version", p.version, "--implementation", "cp", "--abi", abi, "--abi", "abi3", "--abi", "none")
			for _, platform := range p.platforms {
				args = append(args, "--platform", platform)
			}
		}
	}
	args = append(args, "--only-binary", ":all:", "--target", dir)
	if a.locked && strings.HasSuffix(a.file, ".lock") {
		args = append(args, "--no-deps")
	}
	if a.locked {
		args = append(args, "--require-hashes")
	}
	args = append(args, "-r", name)
	return fn.Build.run(from, nil, p.program, args...)
}

// tidyPython removes what would make the same packages other bytes on another
// machine: programs that name the path of this one's Python, and notes of where
// a package came from.
func tidyPython(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, "bin")); err != nil {
		return fmt.Errorf("cache of installed packages: %w", err)
	}
	infos, err := filepath.Glob(filepath.Join(dir, "*.dist-info"))
	if err != nil {
		return err
	}
	for _, info := range infos {
		for _, name := range []string{"direct_url.json", "REQUESTED", "INSTALLER", "uv_cache.json"} {
			if err := os.Remove(filepath.Join(info, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("cache of installed packages: %w", err)
			}
		}
		record := filepath.Join(info, "RECORD")
		text, err := os.ReadFile(record)
		if err != nil {
			continue // some packages have none
		}
		var kept []string
		for line := range strings.Lines(string(text)) {
			name, _, _ := strings.Cut(line, ",")
			base := path.Base(name)
			if strings.HasPrefix(name, "../") || strings.HasPrefix(name, "bin/") || strings.Contains(name, "__pycache__/") ||
				base == "direct_url.json" || base == "REQUESTED" || base == "INSTALLER" || base == "uv_cache.json" {
				continue
			}
			kept = append(kept, line)
		}
		slices.Sort(kept)
		if err := os.WriteFile(record, []byte(strings.Join(kept, "")), 0o644); err != nil {
			return fmt.Errorf("cache of installed packages: %w", err)
		}
	}
	return nil
}
