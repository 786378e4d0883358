// Package interpreter finds the program on this machine that runs a Lambda
// runtime: the version that the runtime names, on the PATH or where the usual
// version managers keep it, else another version of the same language.
package interpreter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Machine is where interpreters are looked for.
type Machine struct {
	Env   func(name string) string // PATH, HOME, and where version managers live
	Cache string                   // folder that remembers versions of programs; "" = ask them each time
}

// Found is a program that runs a runtime here.
type Found struct {
	Program string // absolute path
	Wanted  string // the version that the runtime names: "3.12"
	Version string // the version that the program is of: "3.11.7"; "" when it would not tell
}

// Right reports whether the program has the version that the runtime names.
func (f Found) Right() bool { return is(f.Version, f.Wanted) }

func is(version, wanted string) bool {
	return wanted == "" || version == wanted || strings.HasPrefix(version, wanted+".")
}

// language is a family of runtimes that a program of its own runs.
type language struct {
	prefix   string
	Name     string   // as its makers write it
	programs []string // on the PATH, the first one found
	exact    string   // the name that has the version in it
	install  string
	kept     []string // where version managers keep a version; $V is the version
}

var languages = []language{
	{"nodejs", "Node.js", []string{"node"}, "", "install Node.js from https://nodejs.org", []string{
		"${NVM_DIR:.nvm}/versions/node/v$V.*/bin/node",
		"${VOLTA_HOME:.volta}/tools/image/node/$V.*/bin/node",
		"${ASDF_DATA_DIR:.asdf}/installs/nodejs/$V.*/bin/node",
		"${MISE_DATA_DIR:.local/share/mise}/installs/node/$V.*/bin/node",
		"${FNM_DIR:.local/share/fnm}/node-versions/v$V.*/installation/bin/node",
		"${NODENV_ROOT:.nodenv}/versions/$V.*/bin/node",
		"/opt/homebrew/opt/node@$V/bin/node",
		"/usr/local/opt/node@$V/bin/node",
	}},
	{"python", "Python", []string{"python3", "python"}, "python$V", "install Python 3 from https://www.python.org/downloads", []string{
		"${PYENV_ROOT:.pyenv}/versions/$V.*/bin/python$V",
		"${ASDF_DATA_DIR:.asdf}/installs/python/$V.*/bin/python$V",
		"${MISE_DATA_DIR:.local/share/mise}/installs/python/$V.*/bin/python$V",
		"${UV_PYTHON_INSTALL_DIR:.local/share/uv/python}/cpython-$V.*/bin/python$V",
		"/opt/homebrew/opt/python@$V/bin/python$V",
		"/usr/local/opt/python@$V/bin/python$V",
	}},
	{"ruby", "Ruby", []string{"ruby"}, "ruby$V", "install Ruby from https://www.ruby-lang.org", []string{
		"${RBENV_ROOT:.rbenv}/versions/$V.*/bin/ruby",
		"${ASDF_DATA_DIR:.asdf}/installs/ruby/$V.*/bin/ruby",
		"${MISE_DATA_DIR:.local/share/mise}/installs/ruby/$V.*/bin/ruby",
		"${rvm_path:.rvm}/rubies/ruby-$V.*/bin/ruby",
		"${RUBIES:.rubies}/ruby-$V.*/bin/ruby",
		"/opt/homebrew/opt/ruby@$V/bin/ruby",
		"/usr/local/opt/ruby@$V/bin/ruby",
	}},
	{"deno", "Deno", []string{"deno"}, "", "install Deno from https://deno.com", nil},
}

func languageOf(runtime string) *language {
	for i := range languages {
		if strings.HasPrefix(runtime, languages[i].prefix) {
			return &languages[i]
		}
	}
	return nil
}

// Language is the language of a runtime, as its makers write it; "" when no
// interpreter runs it.
func Language(runtime string) string {
	if l := languageOf(runtime); l != nil {
		return l.Name
	}
	return ""
}

// Wanted is the version in the name of a runtime: 22 of nodejs22.x, 3.12 of python3.12.
func Wanted(runtime string) string {
	l := languageOf(runtime)
	if l == nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(runtime, l.prefix), ".x")
}

// Find looks for the program that runs a runtime. Its error says that there is
// none of any version, and what to do.
func (m Machine) Find(ctx context.Context, runtime string) (Found, error) {
	l := languageOf(runtime)
	if l == nil {
		return Found{}, fmt.Errorf("runtime %q does not run locally: nodejs, python, ruby, deno and provided do", runtime)
	}
	wanted := Wanted(runtime)
	var first Found
	for i, name := range append([]string{strings.ReplaceAll(l.exact, "$V", wanted)}, l.programs...) {
		if name == "" || i == 0 && wanted == "" {
			continue
		}
		program := m.onPath(name, i == 0)
		if program == "" {
			continue
		}
		f := Found{program, wanted, m.version(ctx, program)}
		if f.Right() {
			return f, nil
		}
		if first.Program == "" && i > 0 {
			first = f
		}
	}
	if program := m.kept(l, wanted); program != "" {
		return Found{program, wanted, m.version(ctx, program)}, nil
	}
	if first.Program == "" {
		return Found{}, fmt.Errorf("%s is not on the PATH, and %s functions need it: %s", l.programs[0], runtime, l.install)
	}
	return first, nil
}

// onPath finds a program on the PATH. The shims that version managers put there
// look like every version and run only the one that is switched on.
func (m Machine) onPath(name string, noShims bool) string {
	for _, dir := range filepath.SplitList(m.Env("PATH")) {
		if !filepath.IsAbs(dir) || noShims && filepath.Base(dir) == "shims" {
			continue // never what lies in the folder one happens to be in
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found
		}
	}
	return ""
}

var root = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\$\{(\w+):([^}]*)\}`) })

// kept finds a version where version managers keep theirs: the newest there is.
func (m Machine) kept(l *language, wanted string) string {
	if wanted == "" {
		return ""
	}
	home := m.Env("HOME")
	for _, pattern := range l.kept {
		if at := root().FindStringSubmatch(pattern); at != nil {
			dir := m.Env(at[1])
			if dir == "" {
				dir = filepath.Join(home, filepath.FromSlash(at[2]))
			}
			if !filepath.IsAbs(dir) {
				continue
			}
			pattern = dir + strings.TrimPrefix(pattern, at[0])
		}
		found, err := filepath.Glob(strings.ReplaceAll(pattern, "$V", wanted))
		if err != nil || len(found) == 0 {
			continue
		}
		slices.SortFunc(found, compareVersions)
		for _, program := range slices.Backward(found) {
			if info, err := os.Stat(program); err == nil && !info.IsDir() {
				return program
			}
		}
	}
	return ""
}

var digits = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\d+`) })

// compareVersions compares the numbers in two paths.
func compareVersions(a, b string) int {
	number := func(s string) (list []int) {
		for _, d := range digits().FindAllString(s, -1) {
			n, _ := strconv.Atoi(d)
			list = append(list, n)
		}
		return list
	}
	return slices.Compare(number(a), number(b))
}

var tells = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\d+(\.\d+)+`) })

// patience is how long a program may take to tell its version.
const patience = 10 * time.Second

// version asks a program for its version, or the cache.
func (m Machine) version(ctx context.Context, program string) string {
	note := m.note(program)
	if note != "" {
		if text, err := os.ReadFile(note); err == nil {
			return string(text)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--version").CombinedOutput()
	if err != nil {
		return ""
	}
	version := tells().FindString(string(out))
	if note != "" && version != "" && os.MkdirAll(filepath.Dir(note), 0o700) == nil {
		os.WriteFile(note, []byte(version), 0o600) // without it the program is asked again
	}
	return version
}

// note is the file that remembers the version of a program as it is now. That of
// a shim may be another one in the next moment.
func (m Machine) note(program string) string {
	if m.Cache == "" || filepath.Base(filepath.Dir(program)) == "shims" {
		return ""
	}
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		return ""
	}
	info, err := os.Stat(real)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", real, info.Size(), info.ModTime().UnixNano()))
	return filepath.Join(m.Cache, "versions", hex.EncodeToString(sum[:])[:32])
}
