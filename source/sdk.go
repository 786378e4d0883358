package source

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What Lambda's Node runtimes bring along is in no zip. Code that runs on this
// machine gets it from the project's node_modules, else from a folder of the
// cache that npm fills once.

// sdkBefore is the day of which npm takes the newest versions: the same for
// everybody until it is moved on, as the runtimes' own move on.
const sdkBefore = "2026-11-10"

// offered are the packages of the runtime that a function's code asks for.
type offered struct {
	near   *Bundle // from the project, below node_modules; nil = none
	cached string  // a folder with a node_modules in it; "" = none
	wrong  []Finding
}

// offer finds the runtime's packages; names tells of each whether the code
// needs it for sure. What is not needed for sure is not installed for it.
func (c *collector) offer(b *Builder, from string, names map[string]bool) (offered, error) {
	var o offered
	l := &layout{c: c, at: map[string]string{}, askers: map[string]string{}, skip: func(string) bool { return false }}
	var lacking []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		dir, err := c.find(from, name)
		if err != nil {
			return o, err
		}
		if dir != "" {
			err = l.place("", name, dir)
		} else if names[name] {
			lacking = append(lacking, name)
		}
		if err != nil {
			return o, err
		}
	}
	if len(l.all) > 0 {
		o.near = &Bundle{whole: c.filesIn}
		if err := l.addTo(o.near); err != nil {
			return o, err
		}
	}
	if len(lacking) > 0 {
		dir, err := b.npm(lacking)
		if err != nil {
			for _, name := range lacking {
				o.wrong = append(o.wrong, Finding{File: "package.json", Severity: Error, Code: "package-missing",
					Text:   "imports " + name + ", which Lambda's runtime has and this machine has not",
					Hint:   "npm install --save-dev " + name + " (arc could not: " + err.Error() + ")",
					Module: name, Package: name})
			}
		}
		o.cached = dir
	}
	return o, nil
}

// npm installs packages into the cache.
func (b *Builder) npm(names []string) (string, error) {
	if b == nil || b.Env == nil {
		return "", errors.New("it was told of no npm")
	}
	program := b.lookPath("npm")
	if program == "" {
		return "", errors.New("npm is not on the PATH")
	}
	// A call waits for it: without a network npm would try for more than a minute, even
	// for what it has in a cache of its own.
	args := []string{"install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error",
		"--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=500"}
	for _, name := range names {
		version := "3"
		if name == "aws-sdk" {
			version = "2"
		}
		args = append(args, name+"@"+version)
	}
	return b.installed(installation{tool: "nodejs", file: "package.json", key: append([]string{sdkBefore}, names...), make: func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}\n"), 0o644); err != nil {
			return err
		}
		if b.Tell != nil {
			b.Tell("npm installs " + strings.Join(names, ", ") + ", as Lambda's runtime has it, once for this user")
		}
		// Not every registry keeps all versions of that day, or all that fit each
		// other: any that fit are better than none, and these than nothing.
		var err error
		for _, more := range [][]string{{"--prefer-offline", "--before=" + sdkBefore}, {"--prefer-offline"}, nil, {"--legacy-peer-deps"}} {
			err = b.run(dir, nil, program, append(slices.Clone(args), more...)...)
			if err == nil || !strings.Contains(err.Error(), "ETARGET") && !strings.Contains(err.Error(), "dependency conflict") {
				break
			}
		}
		return err
	}})
}

// stage lays what is offered around the folder of a function's code, run/task
// below dir: where Node looks next.
func (o offered) stage(dir string) error {
	if o.near != nil {
		if err := o.near.stage(filepath.Join(dir, "run")); err != nil {
			return err
		}
	}
	if o.cached != "" {
		return os.Symlink(filepath.Join(o.cached, "node_modules"), filepath.Join(dir, "node_modules"))
	}
	return nil
}

// Offer gives what the code of an unpacked zip asks of its runtime, and what of
// it cannot be had. For Node it is put into the node_modules beside its folder
// dir, where Node finds it: links to where the project, or the cache, has it.
//
// With names, of packages that Node's runtimes bring along, these are put there and the
// code is not looked at: it has asked for them while it runs.
func (t Tree) Offer(b *Builder, dir, runtime string, names ...string) (Offered, error) {
	if len(names) > 0 {
		asked := map[string]bool{}
		for _, name := range names {
			asked[name] = inRuntime(runtime, name)
		}
		wrong, err := t.layAround(b, dir, asked)
		return Offered{Wrong: wrong}, err
	}
	code := Tree{Files: os.DirFS(dir), Disk: dir}.collector()
	if fn := (Function{Dir: ".", Runtime: runtime, Build: b}); fn.interpreted() {
		files, err := code.walk(".", nil)
		if err != nil {
			return Offered{}, err
		}
		return code.offerOthers(runtimeCode{fn: fn, sources: sourcesOf(files, fn.sourceExt())})
	}
	wrong, err := t.offerNode(code, b, dir, runtime)
	return Offered{Wrong: wrong}, err
}

func (t Tree) offerNode(code *collector, b *Builder, dir, runtime string) ([]Finding, error) {
	fn := Function{Dir: ".", Runtime: runtime}
	parts, err := code.parts(fn, true)
	if err != nil {
		return nil, err
	}
	graph, err := code.graph(fn, parts)
	if err != nil || len(graph.runtime) == 0 {
		return nil, err
	}
	return t.layAround(b, dir, graph.runtime)
}

// layAround puts packages of a runtime beside a folder; asked tells of each whether the
// code needs it for sure.
func (t Tree) layAround(b *Builder, dir string, asked map[string]bool) ([]Finding, error) {
	project := t.collector()
	around := filepath.Join(filepath.Dir(dir), "node_modules")
	names := map[string]bool{}
	for name, sure := range asked {
		found, err := project.find(project.base, name)
		if err != nil {
			return nil, err
		}
		if found == "" {
			names[name] = sure
		} else if err := symlinkTo(filepath.Join(around, filepath.FromSlash(name)), project.onDisk(found)); err != nil {
			return nil, err
		}
	}
	o, err := project.offer(b, project.base, names)
	if err != nil || o.cached == "" {
		return o.wrong, err
	}
	for name, sure := range names {
		if !sure {
			continue
		}
		if err := symlinkTo(filepath.Join(around, filepath.FromSlash(name)), filepath.Join(o.cached, "node_modules", filepath.FromSlash(name))); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// symlinkTo makes a link that another may be making at this moment.
func symlinkTo(name, target string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("packages of the runtime: %w", err)
	}
	err := os.Symlink(target, name)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("packages of the runtime: %w", err)
	}
	return nil
}
