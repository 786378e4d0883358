// Package lockfile reads which versions of packages a lock file pins: those of
// npm, yarn, pnpm and Deno, of pip and of Bundler. It is for telling two lock
// files apart, so what it does not understand it leaves out.
package lockfile

import (
	"maps"
	"slices"
	"strings"
)

// readers are the files that this package knows, by their base name.
var readers = map[string]func(data []byte, found pins){
	"package-lock.json":   readNPM,
	"npm-shrinkwrap.json": readNPM,
	"yarn.lock":           readYarn,
	"pnpm-lock.yaml":      readPNPM,
	"deno.lock":           readDeno,
	"requirements.txt":    readRequirements,
	"Gemfile.lock":        readGemfile,
}

// Names lists the base names of the lock files that Versions reads, sorted.
func Names() []string { return slices.Sorted(maps.Keys(readers)) }

// Versions gives the versions that a lock file pins, by the name of the
// package. Where it pins several of one package they are in order, with commas
// between them. name is the file's base name. A file of another kind, or one
// that cannot be read, pins nothing.
func Versions(name string, data []byte) map[string]string {
	read := readers[name]
	if read == nil {
		return nil
	}
	found := pins{}
	read(data, found)
	versions := map[string]string{}
	for pkg, list := range found {
		versions[pkg] = strings.Join(slices.Sorted(maps.Keys(list)), ", ")
	}
	return versions
}

// pins are the versions of each package.
type pins map[string]map[string]bool

func (p pins) add(name, version string) {
	if name == "" || version == "" {
		return
	}
	if p[name] == nil {
		p[name] = map[string]bool{}
	}
	p[name][version] = true
}

// lines gives the lines of a file without what ends them.
func lines(data []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(string(data)) {
			if !yield(strings.TrimRight(line, "\r\n")) {
				return
			}
		}
	}
}
