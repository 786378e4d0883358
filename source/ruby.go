package source

import (
	"context"
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
)

// rubyPackages installs what the Gemfile of the function's folder asks for, as
// its lock file has it, without the groups development and test. Lambda finds
// gems below vendor/bundle:
// https://docs.aws.amazon.com/lambda/latest/dg/ruby-package.html. Gems that lie in
// vendor/cache, where bundle cache puts them, come from there.
func (c *collector) rubyPackages(fn Function) (packages, []Finding, error) {
	dir := path.Join(c.base, fn.Dir)
	found, err := c.texts(dir, "Gemfile", "Gemfile.lock")
	if err != nil || found["Gemfile"] == nil || !asksForAnything(string(found["Gemfile"])) {
		return packages{}, nil, err
	}
	place := Finding{File: path.Join(fn.Dir, "Gemfile"), Line: 1, Col: 1}
	if found["Gemfile.lock"] == nil {
		place.Code, place.Text, place.Hint = "lock-missing", "lists gems without a Gemfile.lock beside it, so their versions are not settled", "bundle lock"
		return packages{}, []Finding{place}, nil
	}
	if !strings.Contains(string(found["Gemfile.lock"]), "\n  specs:\n    ") {
		return packages{}, nil, nil // no gem in it
	}
	b := fn.Build
	if b == nil {
		return packages{}, nil, fmt.Errorf("%s: gems must be installed, and there is nothing to do it with", place.File)
	}
	var gems []File
	if cached, err := c.walk(path.Join(dir, "vendor/cache"), nil); err == nil {
		gems = cached
	}
	key := []string{"ruby 1", fn.Runtime, b.arch(fn), b.system(), hostArch(), runtime.GOOS, string(found["Gemfile"]), string(found["Gemfile.lock"])}
	for _, f := range gems {
		key = append(key, f.Path)
	}
	made, err := b.installed(installation{tool: "ruby", file: place.File, key: key, make: func(to string) error {
		return b.bundle(fn, found, gems, to)
	}})
	switch failed, ok := errors.AsType[toolError](err); {
	case errors.Is(err, errNoBundler):
		place.Code, place.Text = "tool-missing", "lists gems, and bundle is not on the PATH to install them"
		place.Hint = "gem install bundler"
		return packages{}, []Finding{place}, nil
	case ok:
		place.Code, place.Text, place.Hint = "packages-unfit", "its gems cannot be installed: "+failed.Error(), "bundle install, in "+fn.Dir+", tells more"
		return packages{}, []Finding{place}, nil
	case err != nil:
		return packages{}, nil, err
	}
	findings, err := b.foreignGems(fn, made, place)
	return packages{dir: made, at: "vendor/bundle/ruby/" + interpreter.Wanted(fn.Runtime) + ".0"}, findings, err
}

// sharedGems warns of a Gemfile in shared code. Bundler resolves one at a time, and
// two that were resolved apart may want two versions of a gem.
func (c *collector) sharedGems(fn Function) (list []Finding, err error) {
	for _, dir := range []string{fn.Shared, fn.Views} {
		if dir == "" {
			continue
		}
		found, err := c.texts(path.Join(c.base, dir), "Gemfile")
		if err != nil {
			return nil, err
		}
		if asksForAnything(string(found["Gemfile"])) {
			list = append(list, Finding{File: path.Join(dir, "Gemfile"), Line: 1, Col: 1, Severity: Warning, Code: "gems-shared",
				Text: "lists gems of shared code, which no function installs", Hint: "name them in the Gemfile of each function that uses them"})
		}
	}
	return list, nil
}

var errNoBundler = errors.New("bundler is not there")

// bundle runs bundler in a folder of its own, and keeps of what it makes the
// gems as Ruby looks for them: gems, specifications, extensions.
func (b *Builder) bundle(fn Function, texts map[string][]byte, gems []File, to string) error {
	program := ""
	if found, err := b.machine().Find(context.Background(), fn.Runtime); err == nil {
		beside := filepath.Join(filepath.Dir(found.Program), "bundle")
		if _, err := os.Stat(beside); err == nil {
			program = beside
		}
	}
	if program == "" {
		program = b.lookPath("bundle")
	}
	if program == "" {
		return errNoBundler
	}
	work, err := os.MkdirTemp("", "arc-bundle-")
	if err != nil {
		return fmt.Errorf("folder for bundler: %w", err)
	}
	defer os.RemoveAll(work)
	root, err := os.OpenRoot(work)
	if err != nil {
		return fmt.Errorf("folder for bundler: %w", err)
	}
	defer root.Close()
	for name, text := range texts {
		if err := root.WriteFile(name, text, 0o600); err != nil {
			return fmt.Errorf("folder for bundler: %w", err)
		}
	}
	args := []string{"install", "--quiet"}
	if len(gems) > 0 {
		args = append(args, "--local")
		if err := root.MkdirAll("vendor/cache", 0o700); err != nil {
			return fmt.Errorf("folder for bundler: %w", err)
		}
		for _, f := range moved(gems, "vendor/cache") {
			if err := root.MkdirAll(path.Dir(f.Path), 0o700); err != nil {
				return fmt.Errorf("folder for bundler: %w", err)
			}
			if err := write(root, f); err != nil {
				return fmt.Errorf("folder for bundler: %w", err)
			}
		}
	}
	err = b.run(work, []string{
		"BUNDLE_GEMFILE=" + filepath.Join(work, "Gemfile"), "BUNDLE_PATH=" + filepath.Join(work, "made"), "BUNDLE_APP_CONFIG=" + filepath.Join(work, ".bundle"),
		"BUNDLE_FROZEN=true", "BUNDLE_WITHOUT=development:test", "BUNDLE_CACHE_PATH=vendor/cache", "BUNDLE_SILENCE_ROOT_WARNING=true",
	}, program, args...)
	if err != nil {
		return err
	}
	abis, err := filepath.Glob(filepath.Join(work, "made", "ruby", "*"))
	if err != nil || len(abis) != 1 {
		return nil // every gem is one that Ruby brings
	}
	for _, name := range []string{"gems", "specifications", "extensions", "bundler"} {
		from := filepath.Join(abis[0], name)
		if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.CopyFS(filepath.Join(to, name), os.DirFS(from)); err != nil {
			return fmt.Errorf("cache of installed packages: %w", err)
		}
	}
	return tidyRuby(to)
}

// installedBy is the line of a specification that names this machine's RubyGems.
var installedBy = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^.*installed_by_version.*\n`) })

// tidyRuby removes what would make the same gems other bytes on another machine.
func tidyRuby(dir string) error {
	specs, err := filepath.Glob(filepath.Join(dir, "specifications", "*.gemspec"))
	if err != nil {
		return err
	}
	for _, spec := range specs {
		text, err := os.ReadFile(spec)
		if err == nil {
			err = os.WriteFile(spec, installedBy().ReplaceAll(text, nil), 0o644)
		}
		if err != nil {
			return fmt.Errorf("cache of installed packages: %w", err)
		}
	}
	return filepath.WalkDir(filepath.Join(dir, "extensions"), func(file string, d fs.DirEntry, err error) error {
		if err == nil && (d.Name() == "mkmf.log" || d.Name() == "gem_make.out") {
			err = os.Remove(file)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	})
}

// foreignGems finds gems with native code, which bundler has built for this
// machine and cannot build for another.
func (b *Builder) foreignGems(fn Function, dir string, place Finding) ([]Finding, error) {
	if b.Host {
		return nil, nil
	}
	built, err := filepath.Glob(filepath.Join(dir, "extensions", "*", "*", "*"))
	if err != nil || len(built) == 0 {
		return nil, err
	}
	found, _ := b.machine().Find(context.Background(), fn.Runtime)
	if runtime.GOOS == "linux" && hostArch() == b.arch(fn) && found.Right() {
		return nil, nil
	}
	var names []string
	for _, one := range built {
		names = append(names, filepath.Base(one))
	}
	slices.Sort(names)
	place.Code = "platform"
	place.Text = fmt.Sprintf("asks for gems with native code (%s), which bundler builds for the machine that it runs on, %s on %s with Ruby %s, and not for Lambda's: Linux on %s with Ruby %s",
		strings.Join(slices.Compact(names), ", "), systemName(runtime.GOOS), hostArch(), found.Version, b.arch(fn), interpreter.Wanted(fn.Runtime))
	place.Hint = "deploy from such a machine, or put them into a layer, leave them out of the Gemfile's default group, and name the layer below @aws"
	return []Finding{place}, nil
}

func systemName(goos string) string {
	switch goos {
	case "darwin":
		return "macOS"
	case "windows":
		return "Windows"
	}
	return strings.ToUpper(goos[:1]) + goos[1:]
}
