package source

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"arc/source/interpreter"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestLoads: what is said of functions that Lambda cannot load, and that nothing is
// said of others. testdata/loads has a function a folder; their interpreter agrees.
func TestLoads(t *testing.T) {
	for _, test := range []struct {
		file, runtime, program string
		args                   []string
		loader                 string
	}{
		{"node", "nodejs22.x", "node", []string{"--no-experimental-detect-module", "--no-experimental-require-module", "-e"}, `
const { statSync } = require('node:fs'), { pathToFileURL } = require('node:url')
const load = async (dir) => {
  const file = ['.js', '.mjs', '.cjs'].map((end) => process.argv[1] + '/' + dir + '/index' + end).find((f) => statSync(f, { throwIfNoEntry: false }))
  if (!file) return null
  try {
    const m = await import(pathToFileURL(file))
    return typeof (m.handler ?? m.default?.handler ?? m.default?.default?.handler) === 'function'
  } catch { return false }
}
(async () => {
  const out = {}
  for (const dir of process.argv.slice(2)) out[dir] = await load(dir)
  console.log(JSON.stringify(out))
})()`},
		{"deno", "deno", "deno", []string{"eval"}, `
const [root, ...dirs] = Deno.args
const load = async (dir) => {
  const file = ['.ts', '.tsx', '.js'].map((end) => root + '/' + dir + '/index' + end).find((f) => { try { return Deno.statSync(f) } catch { return false } })
  try { return typeof (await import('file://' + file)).handler === 'function' } catch { return false }
}
console.log(JSON.stringify(Object.fromEntries(await Promise.all(dirs.map(async (dir) => [dir, await load(dir)])))))`},
		{"python", "python3.9", "python3", []string{"-c"}, `
import importlib, json, sys
out = {}
for name in sys.argv[2:]:
    sys.path.insert(0, sys.argv[1] + "/" + name)
    try:
        out[name] = callable(getattr(importlib.import_module("lambda"), "handler"))
    except (Exception, SyntaxError):
        out[name] = False
    sys.path.pop(0)
    sys.modules.pop("lambda", None)
print(json.dumps(out))`},
		{"ruby", "ruby2.7", "ruby", []string{"-W0", "-e"}, `
require 'json'
out = ARGV[1..].to_h do |name|
  begin
    Object.send(:remove_method, :handler) if Object.method_defined?(:handler) || Object.private_method_defined?(:handler)
    load "#{ARGV[0]}/#{name}/lambda.rb"
    [name, TOPLEVEL_BINDING.receiver.respond_to?(:handler, true)]
  rescue SyntaxError, LoadError
    [name, false]
  end
end
puts JSON.generate(out)`},
	} {
		t.Run(test.file, func(t *testing.T) {
			if _, err := exec.LookPath(test.program); err != nil && os.Getenv("CI") == "" {
				t.Skip(err)
			}
			name := filepath.Join("testdata", "loads", test.file+".txtar")
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			dir, cache := t.TempDir(), t.TempDir()
			var fns []Function
			var dirs []string
			for _, f := range archive.Files {
				if f.Name == "want" {
					continue
				}
				file := filepath.Join(dir, f.Name)
				if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, f.Data, 0o666); err != nil {
					t.Fatal(err)
				}
				stem := strings.TrimSuffix(path.Base(f.Name), path.Ext(f.Name))
				if at := path.Dir(f.Name); (stem == "index" || stem == "lambda") && !slices.Contains(dirs, at) {
					dirs = append(dirs, at)
					fns = append(fns, Function{Dir: at, HandlerFile: path.Base(f.Name), Handler: stem + ".handler", Runtime: test.runtime, Build: &Builder{Dir: dir, Env: os.Getenv, Cache: cache}})
				}
			}
			bundles, err := Tree{Files: os.DirFS(dir)}.CollectAll(fns)
			if err != nil {
				t.Fatal(err)
			}
			// A second run leaves out what was fine, and says the same.
			again, err := Tree{Files: os.DirFS(dir)}.CollectAll(fns)
			if err != nil {
				t.Fatal(err)
			}
			for i := range again {
				if d := cmp.Diff(bundles[i].Findings, again[i].Findings); d != "" {
					t.Errorf("%s, the second time: %s", dirs[i], d)
				}
			}
			if known, err := os.ReadFile(filepath.Join(cache, "parsed.sha256")); err != nil || bytes.Count(known, []byte("\n")) < 2 {
				t.Errorf("remembered is %q (%v)", known, err)
			}
			var got strings.Builder
			said := map[string]bool{}
			for i, b := range bundles {
				for _, f := range b.Findings {
					if f.Severity == Error && (f.Code == "code-syntax" || f.Code == "handler-export") {
						said[dirs[i]] = true
					}
					got.WriteString(f.String() + " (" + f.Code + ")\n")
				}
			}
			want := &archive.Files[len(archive.Files)-1]
			if *update {
				want.Data = []byte(got.String())
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(want.Data), got.String()); d != "" {
				t.Error(d)
			}
			cmd := exec.Command(test.program, append(slices.Concat(test.args, []string{test.loader, dir}), dirs...)...)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var loads map[string]*bool
			if err := json.Unmarshal(out, &loads); err != nil {
				t.Fatal(err)
			}
			for dir, does := range loads {
				if does != nil && *does == said[dir] && !strings.HasPrefix(dir, "unsaid-") {
					t.Errorf("%s: it loads: %t; mistakes are told: %t", dir, *does, said[dir])
				}
			}
		})
	}
}

// TestOlder: what an interpreter does not read may be newer than it is.
func TestOlder(t *testing.T) {
	for _, test := range []struct {
		version, wanted string
		want            bool
	}{
		{"3.11.7", "3.12", true}, {"3.9.1", "3.12", true}, {"2.7.18", "3.9", true}, {"", "3.12", true},
		{"3.12.1", "3.12", false}, {"3.13.0", "3.12", false}, {"3.4.1", "2.7", false},
	} {
		if got := older(interpreter.Found{Version: test.version, Wanted: test.wanted}); got != test.want {
			t.Errorf("%s for %s is older: %t", test.version, test.wanted, got)
		}
	}
}
