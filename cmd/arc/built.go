package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"arc/manifest"
	"arc/source/revision"
)

// outputNames are folders into which builds write, by the words of their tools.
var outputNames = []string{"dist", "build", "out", "output", ".output", "public", "_build", "target", ".next", ".nuxt", ".svelte-kit", ".vercel"}

// buildRemedy says that a file is missing because no build has written it yet,
// "" if nothing tells that one would. A file counts as a build's when git
// ignores it, or when it is in a folder with the name of an output beside a
// package.json with a script that builds. named says that the manifest itself
// leads there: what a build writes has to be named, as a function's own folder
// is found by its route.
func (p *project) buildRemedy(file string, ignored, named bool) string {
	command := buildCommand(p.files(), path.Dir(file))
	switch {
	case command != "" && (ignored || named && isOutput(file)):
		return "the app's build writes it: run the build first, with " + command
	case command != "" && named:
		return "where the app's build writes it, run the build first: " + command
	case ignored:
		return "git ignores it, as it does what a build writes: run the build first, or take it out of .gitignore"
	case named && isOutput(file):
		return "its folder has the name of a build's output: run the build first"
	}
	return ""
}

func isOutput(file string) bool {
	for part := range strings.SplitSeq(path.Dir(file), "/") {
		for _, name := range outputNames {
			if strings.EqualFold(part, name) {
				return true
			}
		}
	}
	return false
}

// buildCommand is what runs the build of the package that a folder belongs to,
// by the package manager whose lock file is there; "" = no script builds it.
func buildCommand(files fs.FS, dir string) string {
	for ; ; dir = path.Dir(dir) {
		text, err := fs.ReadFile(files, path.Join(dir, "package.json"))
		var p struct{ Scripts map[string]string }
		if err == nil && json.Unmarshal(withoutMark(text), &p) == nil && p.Scripts["build"] != "" {
			command := packageManager(files, dir) + " run build"
			if dir != "." {
				return fmt.Sprintf("(cd %s && %s)", shellWord(dir), command)
			}
			return command
		}
		if dir == "." || dir == "/" {
			return ""
		}
	}
}

func packageManager(files fs.FS, dir string) string {
	for _, lock := range [][2]string{{"pnpm-lock.yaml", "pnpm"}, {"yarn.lock", "yarn"}, {"bun.lock", "bun"}, {"bun.lockb", "bun"}} {
		if _, err := fs.Stat(files, path.Join(dir, lock[0])); err == nil {
			return lock[1]
		}
	}
	return "npm"
}

// ignoredByGit tells which files of the project, there or not, git ignores: in a
// revision none, as what git ignores is not in it.
func (p *project) ignoredByGit(files ...string) map[string]bool {
	if p.tree != nil {
		return nil
	}
	return revision.Ignored(context.Background(), p.dir, files...)
}

// remedy says how a function without code gets some.
func (p *project) remedy(fn *manifest.Function, ignored map[string]bool) string {
	file := handlerPath(fn)
	if why := almostThere(p.files(), file); why != "" {
		return why
	}
	if why := p.buildRemedy(file, ignored[file], !strings.HasPrefix(fn.Dir, "src/"+fn.Pragma+"/")); why != "" {
		return why
	}
	return handlerRemedy(fn)
}

func handlerPath(fn *manifest.Function) string { return path.Join(fn.Dir, fn.Config.HandlerFile) }
