package source

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Added is a package that is in the zip though the package that asks for it
// does not declare it.
type Added struct {
	Name, For  string // the package, and who asks for it
	ForVersion string
	Size       int64 // bytes, without what it needs itself
	dir, by    string
}

// undeclared notes that a package asks for one that it does not declare.
func (g *graph) undeclared(from, to *unit) error {
	if from.part != nil || !inModules(from.dir) || g.notes[to.dir] != nil {
		return nil
	}
	manifest, err := g.c.readPackage(from.dir)
	if err != nil || manifest.declares(to.name) {
		return err
	}
	files, err := g.c.packageFiles(to.dir)
	if err != nil {
		return err
	}
	a := &Added{Name: to.name, For: from.name, ForVersion: manifest.Version, dir: to.dir, by: from.dir}
	for _, f := range files {
		a.Size += f.Size
	}
	g.notes[to.dir] = a
	return nil
}

func (a *Added) note(c *collector) Finding {
	f := Finding{File: c.show(a.by) + "/package.json", Severity: Note, Code: "package-undeclared",
		Text: fmt.Sprintf("%s asks for %s and does not declare it: it goes along, %s", title(a.For, a.ForVersion), a.Name, megabytes(a.Size))}
	if a.Name == "aws-sdk" {
		f.Hint = sdkHint(&unit{name: a.For})
	}
	return f
}

// sdkHint says how to do without version 2 of the SDK, which is 94 MB large and
// in no runtime since nodejs16.x. @architect/functions asks for version 3 since 5.3.
func sdkHint(u *unit) string {
	if u.name == "@architect/functions" {
		return "npm install @architect/functions@8: since 5.3 it needs aws-sdk no more"
	}
	return "no runtime has it since nodejs18.x: npm install aws-sdk, or a version of " + u.name + " that uses @aws-sdk"
}

func title(name, version string) string {
	if version == "" {
		return name
	}
	return name + " " + version
}

// megabytes words a size.
func megabytes(n int64) string {
	if n < 100<<10 {
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// outdatedCode is what findings of outdated have as their code.
const outdatedCode = "package-outdated"

// outdated warns of @architect/functions from before version 5: deployed it reads
// ARC_CLOUDFORMATION, which functions get from neither arc nor Architect since 10. In
// the local cloud what asks for them is refused (sandbox/lambda/bootstrap), and a bundle
// before it is loaded. dirs are folders of packages of that name.
// https://github.com/architect/functions/blob/v4.1.1/src/discovery/index.js
func (c *collector) outdated(dirs map[string]bool) (list []Finding) {
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		manifest, err := c.readPackage(dir)
		if err != nil {
			continue // told where it matters
		}
		version, _, _ := strings.Cut(manifest.Version, ".")
		if major, err := strconv.Atoi(version); err == nil && major < 5 {
			list = append(list, Finding{File: c.show(path.Join(dir, "package.json")), Severity: Warning, Code: "package-outdated",
				Text: "is version " + manifest.Version + ", which finds no tables, events or queues of an app that arc, or Architect since version 10, deploys, and sessions only where SESSION_TABLE_NAME is jwe",
				Hint: "npm install @architect/functions@8"})
		}
	}
	return list
}

// foldersOf are the folders of a package in which some files lie, paths below base.
func foldersOf(base, name string, files map[string]bool) map[string]bool {
	dirs, inside := map[string]bool{}, "node_modules/"+name
	for file := range files {
		if at := strings.LastIndex(file, inside+"/"); at >= 0 {
			dirs[path.Join(base, file[:at+len(inside)])] = true
		}
	}
	return dirs
}
