package source

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"arc/source/interpreter"
)

// rubyRuntime finds, by the name of a gem and its version, what Lambda's Ruby
// runtimes bring along: every aws-sdk gem with what those need, and the gems that
// are bundled with Ruby itself.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-ruby.html
// https://docs.ruby-lang.org/en/3.4/standard_library_md.html
var rubyRuntime = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(aws-[\w-]+|jmespath|abbrev|base64|bigdecimal|csv|debug|drb|getoptlong|logger|matrix|minitest|mutex_m|net-(?:ftp|imap|pop|smtp|protocol)|nkf|observer|power_assert|prime|racc|rake|rbs|repl_type_completor|resolv-replace|rexml|rinda|rss|syslog|test-unit|timeout|typeprof)-(\d[\w.]*)(?:-[\w.-]+)?$`)
})

var asksRuby = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*require[ \t(]+['"](aws-sdk[\w-]*)['"]`)
})

// offerRuby makes a folder of links to the gems of this machine that Lambda has
// as well; what the code asks for and is not among them, gem puts into the cache.
func (c *collector) offerRuby(a runtimeCode) (o Offered, err error) {
	b := a.fn.Build
	found, err := b.machine().Find(context.Background(), a.fn.Runtime)
	if err != nil {
		return o, nil // whoever runs it says so
	}
	gems := map[string]string{} // NAME-VERSION → the folder of gems that it is in
	names := map[string]bool{}
	folders := b.asking(found.Program, "-e", "puts RbConfig::CONFIG['vendordir'], Gem.path")
	for i, dir := range folders {
		if i == 0 {
			continue
		}
		specs, _ := filepath.Glob(filepath.Join(dir, "specifications", "*.gemspec"))
		for _, spec := range specs {
			full := strings.TrimSuffix(filepath.Base(spec), ".gemspec")
			m := rubyRuntime().FindStringSubmatch(full)
			if m == nil || gems[full] != "" || !isDir(filepath.Join(dir, "gems", full)) && !vendored(folders[0], m[1]) {
				continue
			}
			gems[full], names[m[1]] = dir, true
		}
	}
	if len(gems) > 0 {
		list := slices.Sorted(maps.Keys(gems))
		key := []string{"links 2"}
		for _, full := range list {
			key = append(key, gems[full], full)
		}
		dir, err := b.installed(installation{tool: "ruby", file: a.fn.Dir, key: key, make: func(to string) error { return linkGems(to, list, gems) }})
		if err != nil {
			return o, err
		}
		o.Folders = append(o.Folders, dir)
	}
	asking, err := firstAsking(a, asksRuby(), func(name string) bool {
		if names[name] {
			return false
		}
		own, _ := filepath.Glob(filepath.Join(a.packages.dir, "specifications", name+"-[0-9]*.gemspec"))
		return a.packages.dir == "" || len(own) == 0
	})
	if err != nil || len(asking) == 0 {
		return o, err
	}
	lacking := slices.Sorted(maps.Keys(asking))
	dir, err := b.tried(installation{tool: "ruby", file: a.fn.Dir, key: append([]string{"runtime 1", found.Version, runtime.GOOS, hostArch()}, lacking...), make: func(dir string) error {
		return b.gemInstall(found, lacking, dir)
	}})
	if err == nil {
		o.Folders = append(o.Folders, dir)
		return o, nil
	}
	for _, name := range lacking {
		f := asking[name]
		f.Text = "requires " + name + ", which is not on this machine"
		f.Hint = "Lambda's runtime has it: gem install " + name + " (arc could not: " + err.Error() + ")"
		o.Wrong = append(o.Wrong, f)
	}
	return o, nil
}

// vendored reports whether a gem has a gemspec alone, and its code among what the
// system brings for Ruby, where every program finds it: so Debian packs gems.
// https://wiki.debian.org/Teams/Ruby/Packaging
func vendored(dir, gem string) bool {
	_, err := os.Stat(filepath.Join(dir, gem+".rb"))
	return dir != "" && err == nil
}

// linkGems fills a folder of gems with links to some that lie elsewhere.
func linkGems(to string, list []string, from map[string]string) error {
	link := func(name, target string) error {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			return err
		}
		return os.Symlink(target, filepath.Join(to, name))
	}
	for _, full := range list {
		spec := filepath.Join("specifications", full+".gemspec")
		if err := link(spec, filepath.Join(from[full], spec)); err != nil {
			return err
		}
		if folder := filepath.Join(from[full], "gems", full); isDir(folder) {
			if err := link(filepath.Join("gems", full), folder); err != nil {
				return err
			}
		}
		built, _ := filepath.Glob(filepath.Join(from[full], "extensions", "*", "*", full))
		for _, dir := range built {
			name, err := filepath.Rel(from[full], dir)
			if err != nil {
				return err
			}
			if err := link(name, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// gemInstall installs gems of the SDK, of its major version 3: the gems of single
// services have version 1 in it.
func (b *Builder) gemInstall(ruby interpreter.Found, names []string, dir string) error {
	program := filepath.Join(filepath.Dir(ruby.Program), "gem")
	if !isFile(program) {
		program = b.lookPath("gem")
	}
	if program == "" {
		return errors.New("gem is not on the PATH")
	}
	args := []string{"install", "--no-document", "--no-user-install", "--minimal-deps", "--quiet", "--install-dir", dir}
	for _, name := range names {
		version := "~> 1"
		switch name {
		case "aws-sdk", "aws-sdk-core", "aws-sdk-resources":
			version = "~> 3"
		}
		args = append(args, name+":"+version)
	}
	// Gems that lie where bundle cache puts them need no network.
	if cached := filepath.Join(b.Dir, "vendor", "cache"); isDir(cached) {
		return b.run(cached, nil, program, args...)
	}
	return b.run(dir, nil, program, args...)
}
