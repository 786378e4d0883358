package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// publicPlugins are what public manifests name most, as npm has them.
var publicPlugins = []string{
	"@enhance/arc-plugin-enhance@11.0.5",
	"@architect/plugin-lambda-invoker@2.0.3",
	"@architect/plugin-typescript@2.1.0",
	"@architect/plugin-bundles@3.2.0",
	"@architect/plugin-storage-private@1.0.1",
	"@architect/macro-node-prune@1.0.3",
	"arc-plugin-oauth@0.2.2",
}

// TestPublicPlugins runs an app with the plugins of others. They are installed
// once, in a folder of the user's cache that is the project as well: what plugins
// bring has to lie in the project.
func TestPublicPlugins(t *testing.T) {
	t.Parallel()
	dir := installedPlugins(t)
	params := scripts(t, "../../testdata/plugins")
	setup := params.Setup
	params.Setup = func(env *testscript.Env) error {
		env.Setenv("PACKAGES", dir)
		return setup(env)
	}
	testscript.Run(t, params)
}

// TestKnownFiles: plugins are told of files as Architect tells them: new ones, those
// that were saved again, those that are gone, and each file of a folder.
func TestKnownFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	write := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if err := errors.Join(os.MkdirAll(filepath.Dir(at(name)), 0o777), os.WriteFile(at(name), []byte(name), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("old", "src/a", "src/b", "node_modules/x/index.js")
	known := knownFiles{}
	if got := known.enter(dir); len(got) != 3 {
		t.Fatalf("%v is known", got)
	}
	steps := []struct {
		do    func() error
		paths []string
		want  string
	}{
		{func() error { write("new"); return nil }, []string{"new", "new"}, "add new"},
		{func() error { write("new", "old"); return nil }, []string{"old", "new"}, "update new, update old"},
		{func() error { return os.Remove(at("new")) }, []string{"new"}, "remove new"},
		{func() error { return nil }, []string{"came-and-went"}, ""},
		{func() error { write("new"); return nil }, []string{"new"}, "add new"},
		{func() error { write("deep/er/1", "deep/2", "deep/node_modules/3"); return nil }, []string{"deep"}, "add deep/2, add deep/er/1"},
		{func() error { return nil }, []string{"deep", "src"}, ""},
		{func() error { return os.Rename(at("src"), at("lib")) }, []string{"src", "lib"}, "add lib/a, add lib/b, remove src/a, remove src/b"},
		{func() error { return os.RemoveAll(at("deep")) }, []string{"deep/er/1", "deep/er", "deep/2", "deep"}, "remove deep/2, remove deep/er/1"},
		{func() error { return errors.Join(os.Remove(at("old")), os.Mkdir(at("old"), 0o777)) }, []string{"old"}, "remove old"},
		{func() error { return errors.Join(os.RemoveAll(at("lib")), os.WriteFile(at("lib"), nil, 0o666)) }, []string{"lib"}, "add lib, remove lib/a, remove lib/b"},
	}
	for i, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		var paths, got []string
		for _, name := range step.paths {
			paths = append(paths, at(name))
		}
		for _, change := range known.changes(paths) {
			rel, err := filepath.Rel(dir, change.File)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, change.Event+" "+filepath.ToSlash(rel))
		}
		slices.Sort(got)
		if text := strings.Join(got, ", "); text != step.want {
			t.Errorf("step %d: %q, want %q", i, text, step.want)
		}
	}
}

// installedPlugins is a project that has the plugins of npm, and a few functions and
// files for them.
func installedPlugins(t *testing.T) string {
	t.Helper()
	files := map[string]string{
		"src/http/get-plain/index.js": "exports.handler = async () => ({ body: process.env.ARC_STORAGE_PRIVATE_UPLOADS })\n",
		"src/http/get-typed/index.ts": "export const handler = async (): Promise<{ body: string }> => ({ body: 'typed' })\n",
		"src/events/saved/index.js":   "exports.handler = async () => {}\n",
		"browser/app.js":              "console.log('bundled for the browser')\n",
		"app/pages/index.html":        "<h1>Hello from enhance</h1>\n",
		"public/robots.txt":           "User-agent: *\n",
	}
	content := strings.Join(publicPlugins, "\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content += "\n-- " + name + " --\n" + files[name]
	}
	dir, err := filledOnce("plugins", content, func(dir string) error {
		for name, body := range files {
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(body), 0o644)); err != nil {
				return err
			}
		}
		args := append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", dir}, publicPlugins...)
		if out, err := exec.Command("npm", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("npm install: %w\n%s", err, out)
		}
		return nil
	})
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return dir
}
