package main

import (
	"os"
	"os/exec"
	"path/filepath"
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
	dir := installedPlugins(t)
	params := scripts(t, "../../testdata/plugins")
	setup := params.Setup
	params.Setup = func(env *testscript.Env) error {
		env.Setenv("PACKAGES", dir)
		return setup(env)
	}
	testscript.Run(t, params)
}

func installedPlugins(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "arc-ci", "plugins-1")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "done")); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", dir}, publicPlugins...)
		if out, err := exec.Command("npm", args...).CombinedOutput(); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Skipf("%v\n%s", err, out)
		}
		if err := os.WriteFile(filepath.Join(dir, "node_modules", "done"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, body := range map[string]string{
		"src/http/get-plain/index.js": "exports.handler = async () => ({ body: process.env.ARC_STORAGE_PRIVATE_UPLOADS })\n",
		"src/http/get-typed/index.ts": "export const handler = async (): Promise<{ body: string }> => ({ body: 'typed' })\n",
		"src/events/saved/index.js":   "exports.handler = async () => {}\n",
		"browser/app.js":              "console.log('bundled for the browser')\n",
		"app/pages/index.html":        "<h1>Hello from enhance</h1>\n",
		"public/robots.txt":           "User-agent: *\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
