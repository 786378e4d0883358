package source

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Offered is what the runtime of a function has beside its code, on this machine.
type Offered struct {
	Folders []string // that hold it: one of Python modules, or folders of gems
	Modules []string // of Python, the only ones that may come from there
	Wrong   []Finding
}

// runtimeCode is code that may ask for what a runtime brings along, and where.
type runtimeCode struct {
	fn       Function
	sources  []File   // in the function's language
	packages packages // installed for it
}

// offerOthers finds what the Python and Ruby runtimes bring along.
func (c *collector) offerOthers(a runtimeCode) (Offered, error) {
	if a.fn.Build == nil || a.fn.Build.Env == nil {
		return Offered{}, nil
	}
	switch {
	case strings.HasPrefix(a.fn.Runtime, "python"):
		return c.offerPython(a)
	case strings.HasPrefix(a.fn.Runtime, "ruby"):
		return c.offerRuby(a)
	}
	return Offered{}, nil
}

// firstAsking finds the first place in code that a pattern's group 1 matches
// with something that is lacking.
func firstAsking(a runtimeCode, pattern *regexp.Regexp, lacks func(name string) bool) (map[string]Finding, error) {
	found := map[string]Finding{}
	for _, f := range a.sources {
		if f.Size > maxScanned {
			continue
		}
		text, err := readAll(f)
		if err != nil {
			return nil, err
		}
		for _, at := range pattern.FindAllSubmatchIndex(text, -1) {
			name := string(text[at[2]:at[3]])
			if _, ok := found[name]; ok || !lacks(name) {
				continue
			}
			line, col := position(text, at[2])
			found[name] = Finding{File: path.Join(a.fn.Dir, f.Path), Line: line, Col: col, EndCol: col + len(name), Severity: Error, Code: "package-missing", Module: name, Package: name}
		}
	}
	return found, nil
}

func readAll(f File) ([]byte, error) {
	var b strings.Builder
	err := copyTo(&b, f)
	return []byte(b.String()), err
}

// sourcesOf are the files of a language among some.
func sourcesOf(files []File, ext string) (list []File) {
	for _, f := range files {
		if path.Ext(f.Path) == ext {
			list = append(list, f)
		}
	}
	return list
}

// isDir reports whether a folder is there.
func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// asking asks an interpreter of this machine for a list, once; one that cannot
// tell has none.
func (b *Builder) asking(program string, args ...string) []string {
	list, _ := b.told.get(program, func() ([]string, error) {
		text, err := b.output(os.TempDir(), nil, program, args...)
		if err != nil {
			return nil, nil
		}
		return strings.Split(strings.TrimSpace(text), "\n"), nil
	})
	return list
}

// tried gives what installing gave; a failure is remembered, since every cold
// start would wait for the next one.
func (b *Builder) tried(in installation) (string, error) {
	return b.tries.get(in.tool+"\x00"+strings.Join(in.key, "\x00"), func() (string, error) { return b.installed(in) })
}

// pythonRuntime is what Lambda's Python runtimes bring along.
// https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
var pythonRuntime = []string{"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"}

// boto3Version is the version that pip gets, for each version of Python the last
// that runs on it: https://github.com/boto/boto3/blob/develop/CHANGELOG.rst.
func boto3Version(python string) string {
	switch python {
	case "3.7":
		return "1.33.13"
	case "3.8":
		return "1.37.38"
	case "3.9":
		return "1.40.4"
	}
	return "1.43.11"
}

var asksPython = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*(?:from[ \t]+|import[ \t]+(?:[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*)(` + strings.Join(pythonRuntime, "|") + `)\b`)
})

// offerPython finds a folder with boto3: the project's virtual environment, what
// this machine's Python has, else the cache, which pip fills when code asks for it.
func (c *collector) offerPython(a runtimeCode) (Offered, error) {
	b := a.fn.Build
	o := Offered{Modules: pythonRuntime}
	for _, dir := range b.sitePackages(a.fn) {
		if isDir(filepath.Join(dir, "boto3")) && isDir(filepath.Join(dir, "botocore")) {
			o.Folders = []string{dir}
			return o, nil
		}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(a.sources, func(f File) bool { return f.Path == name+".py" || strings.HasPrefix(f.Path, name+"/") }) ||
			a.packages.dir != "" && (isDir(filepath.Join(a.packages.dir, name)) || isFile(filepath.Join(a.packages.dir, name+".py")))
	}
	asking, err := firstAsking(a, asksPython(), func(name string) bool { return !has(name) })
	if err != nil {
		return o, err
	}
	if len(asking) == 0 && !b.packagesAsk(a.packages.dir, has) {
		return o, nil
	}
	p := b.pip(a.fn)
	version := boto3Version(p.version)
	wanted := []string{"boto3==" + version, "botocore==" + version}
	dir, err := b.tried(installation{tool: "python", file: a.fn.Dir, key: append([]string{"runtime 1", p.version}, wanted...), make: func(dir string) error {
		for _, p := range b.pips(p) {
			args := []string{"-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "--no-warn-conflicts"}
			if p.uv {
				args = []string{"pip", "install", "--no-progress", "--no-config", "--python-version", p.version}
			}
			err := b.run(dir, nil, p.program, append(append(args, "--only-binary", ":all:", "--target", dir), wanted...)...)
			if said, ok := errors.AsType[toolError](err); ok && noPip(said) {
				continue
			}
			return err
		}
		return errNoPip
	}})
	if err == nil {
		o.Folders = []string{dir}
		return o, nil
	}
	for _, name := range pythonRuntime {
		if f, ok := asking[name]; ok {
			f.Text = "imports " + name + ", which is not on this machine"
			f.Hint = "Lambda's runtime has it: pip install boto3 (arc could not: " + err.Error() + ")"
			o.Wrong = append(o.Wrong, f)
		}
	}
	return o, nil
}

// noPip reports whether a Python has no pip, or is none.
func noPip(said toolError) bool {
	return strings.Contains(said.output, "No module named pip") || strings.Contains(said.output, "pyenv: ")
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// sitePackages are the folders in which this machine keeps Python modules: the
// project's own virtual environment first.
func (b *Builder) sitePackages(fn Function) (dirs []string) {
	for _, venv := range []string{filepath.Join(b.Dir, ".venv"), filepath.Join(b.Dir, "venv"), b.Env("VIRTUAL_ENV")} {
		if filepath.IsAbs(venv) {
			found, _ := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages"))
			dirs = append(append(dirs, found...), filepath.Join(venv, "Lib", "site-packages"))
		}
	}
	for _, p := range b.pips(pip{runtime: fn.Runtime}) {
		if !p.uv {
			dirs = append(dirs, b.asking(p.program, "-c", "import site\nprint('\\n'.join(site.getsitepackages() + [site.getusersitepackages()]))")...)
		}
	}
	return dirs
}

// packagesAsk reports whether installed packages ask for what the runtime has.
func (b *Builder) packagesAsk(dir string, has func(string) bool) bool {
	if dir == "" {
		return false
	}
	asks, _ := b.told.get("packages "+dir, func() (found []string, err error) {
		err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(file) != ".py" {
				return err
			}
			text, err := os.ReadFile(file)
			for _, m := range asksPython().FindAllSubmatch(text, -1) {
				if !slices.Contains(found, string(m[1])) {
					found = append(found, string(m[1]))
				}
			}
			return err
		})
		return found, err
	})
	return slices.ContainsFunc(asks, func(name string) bool { return !has(name) })
}
