package lambda_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox/lambda"
	"arc/source"
)

// sandboxed runs one function from its source and from a copy of its folder, as
// of a zip, and gives both answers.
func sandboxed(t *testing.T, runtime, handler, dir string) (live, deployed string) {
	l := &layout{t: t, top: dir, project: ".", fn: source.Function{Dir: "src", Runtime: runtime, HandlerFile: handler, Handler: "lambda.handler"}}
	build := &source.Builder{Dir: dir, Env: os.Getenv, Cache: filepath.Join(t.TempDir(), "cache"), Host: true, Live: true}
	s := newService(t, lambda.Options{Offer: func(dir, runtime string, names ...string) (source.Offered, error) {
		return l.tree().Offer(build, dir, runtime, names...)
	}})
	fn := l.fn
	fn.Build = build
	live = l.answer(s, lambda.Function{Name: "live", Dir: filepath.Join(dir, "src"), Code: source.NewLive(l.tree(), fn, filepath.Join(t.TempDir(), "built"))})
	task := filepath.Join(t.TempDir(), "task")
	if err := os.CopyFS(task, os.DirFS(filepath.Join(dir, "src"))); err != nil {
		t.Fatal(err)
	}
	return live, l.answer(s, lambda.Function{Name: "deployed", Dir: task})
}

// output runs a program that must succeed.
func output(t *testing.T, dir, program string, args ...string) string {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestOfferedPython runs code that asks for boto3 on a machine that has none, but
// a folder of wheels; then one that has neither.
func TestOfferedPython(t *testing.T) {
	need(t, "python3")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	output(t, dir, "python3", "-m", "venv", "--without-pip", "machine")
	pip := output(t, dir, "python3", "-c", "import pip; print(pip.__path__[0])")
	sites, _ := filepath.Glob(filepath.Join(dir, "machine/lib/python3*/site-packages"))
	if len(sites) != 1 {
		t.Fatal(sites)
	}
	if err := os.Symlink(pip, filepath.Join(sites[0], "pip")); err != nil {
		t.Fatal(err)
	}
	runtime := filepath.Base(filepath.Dir(sites[0]))
	t.Setenv("PATH", filepath.Join(dir, "machine/bin"))
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("PIP_NO_INDEX", "1")
	t.Setenv("PIP_FIND_LINKS", filepath.Join(dir, "src"))
	write(t, dir, `
-- src/lambda.py --
import os, boto3
def handler(event, context):
    return boto3.mark
`)
	if live, deployed := sandboxed(t, runtime, "lambda.py", dir); live != deployed || !strings.Contains(live, "No module named 'boto3': Lambda's runtime has it: pip install boto3 (arc could not: ") {
		t.Errorf("%s\n%s", live, deployed)
	}
	write(t, sites[0], "-- other/__init__.py --\n")
	for _, name := range []string{"boto3", "botocore"} {
		for _, version := range []string{"1.33.13", "1.37.38", "1.40.4", "1.43.11", "9.9.9"} {
			write(t, dir, fmt.Sprintf("-- wheel/%s-%s/%s/__init__.py --\nmark = 'wheel %s'\n", name, version, name, version))
		}
	}
	packWheelsTo(t, dir, filepath.Join(dir, "wheels"))
	t.Setenv("PIP_FIND_LINKS", filepath.Join(dir, "wheels"))
	live, deployed := sandboxed(t, runtime, "lambda.py", dir)
	if live != deployed || !strings.HasPrefix(live, `"wheel 1.`) {
		t.Errorf("%s\n%s", live, deployed)
	}
	// A package of the machine's is not offered, nor boto3 to whoever does not ask.
	write(t, dir, "-- src/lambda.py --\nimport other\ndef handler(event, context): pass\n")
	if live, deployed := sandboxed(t, runtime, "lambda.py", dir); live != deployed || !strings.Contains(live, "other is in neither") {
		t.Errorf("%s\n%s", live, deployed)
	}
	// The machine's boto3 comes first, the project's before it.
	write(t, dir, "-- src/lambda.py --\nimport boto3\ndef handler(event, context): return boto3.mark\n")
	write(t, sites[0], "-- boto3/__init__.py --\nmark = 'machine'\n-- botocore/__init__.py --\n")
	if live, deployed := sandboxed(t, runtime, "lambda.py", dir); live != `"machine"` || deployed != live {
		t.Errorf("%s\n%s", live, deployed)
	}
	write(t, dir, "-- .venv/lib/python3.9/site-packages/boto3/__init__.py --\nmark = 'project'\n-- .venv/lib/python3.9/site-packages/botocore/__init__.py --\n")
	if live, _ := sandboxed(t, runtime, "lambda.py", dir); live != `"project"` {
		t.Error(live)
	}
}

// TestOfferedRuby runs code that asks for a gem of the SDK that gem finds in
// vendor/cache, and for one that is nowhere.
func TestOfferedRuby(t *testing.T) {
	need(t, "ruby")
	need(t, "gem")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, `
-- src/lambda.rb --
require 'aws-sdk-demo'
require 'json'
def handler(event:, context:) = DEMO
-- gem/demo.gemspec --
Gem::Specification.new do |s|
  s.name = 'aws-sdk-demo'
  s.version = '1.2'
  s.summary = 'A demo'
  s.authors = ['arc']
  s.files = ['lib/aws-sdk-demo.rb']
end
-- gem/lib/aws-sdk-demo.rb --
DEMO = 'from the gem'
-- gemrc --
:sources: []
`)
	t.Setenv("GEMRC", filepath.Join(dir, "gemrc"))
	if live, deployed := sandboxed(t, "ruby3.3", "lambda.rb", dir); live != deployed || !strings.Contains(live, "aws-sdk-demo: Lambda's runtime has it: gem install aws-sdk-demo (arc could not: ") {
		t.Errorf("%s\n%s", live, deployed)
	}
	if err := os.MkdirAll(filepath.Join(dir, "vendor/cache"), 0o755); err != nil {
		t.Fatal(err)
	}
	output(t, filepath.Join(dir, "gem"), "gem", "build", "--quiet", "--output", filepath.Join(dir, "vendor/cache/aws-sdk-demo-1.2.gem"), "demo.gemspec")
	if live, deployed := sandboxed(t, "ruby3.3", "lambda.rb", dir); live != `"from the gem"` || deployed != live {
		t.Errorf("%s\n%s", live, deployed)
	}
}

// TestOfferedRubyMachine runs code that asks for gems of the machine's: the SDK's
// is there, as it is in Lambda's runtime, the other is not.
func TestOfferedRubyMachine(t *testing.T) {
	need(t, "ruby")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	gem := func(name string) string {
		return fmt.Sprintf("-- home/specifications/%s-1.0.gemspec --\n# -*- encoding: utf-8 -*-\n# stub: %s 1.0 ruby lib\nGem::Specification.new { |s| s.name = %q; s.version = '1.0'; s.require_paths = ['lib'] }\n-- home/gems/%s-1.0/lib/%s.rb --\n", name, name, name, name, name)
	}
	write(t, dir, gem("aws-sdk-here")+"HERE = 'machine'\n"+gem("aws-other")+gem("elsewhere")+`
-- src/lambda.rb --
require 'aws-sdk-here'
begin
  require 'elsewhere'
rescue LoadError
  ABSENT = true
end
def handler(event:, context:) = [HERE, ABSENT]
`)
	t.Setenv("GEM_PATH", filepath.Join(dir, "home"))
	if live, deployed := sandboxed(t, "ruby3.3", "lambda.rb", dir); live != `["machine",true]` || deployed != live {
		t.Errorf("%s\n%s", live, deployed)
	}
}

// TestOfferedByName runs code that asks for a package of the SDK by a name that only
// the running code knows: the project's is put where it finds it. What is no package
// of the SDK is not looked for.
func TestOfferedByName(t *testing.T) {
	need(t, "node")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"project/node_modules/@aws-sdk/client-made/package.json": `{"name": "@aws-sdk/client-made", "version": "3.1.0", "main": "lib/main.js"}`,
		"project/node_modules/@aws-sdk/client-made/lib/main.js":  "module.exports = 'the made one'",
		"project/node_modules/other/index.js":                    "module.exports = 'not offered'",
		"code/task/lambda.js":                                    "const take = (name) => { try { return require(name) } catch (error) { return error.code } }\nexports.handler = async () => ['made', 'made', 'missing'].map((name) => take('@aws-sdk/client-' + name)).concat(take(['oth', 'er'].join('')))",
		"esm/task/module.mjs":                                    "import dep from 'dep'\nexport const handler = dep",
		"esm/task/node_modules/dep/package.json":                 `{"name": "dep", "type": "module", "exports": "./index.js"}`,
		"esm/task/node_modules/dep/index.js":                     "const take = async (name) => { try { return (await import(name)).default } catch (error) { return error.code } }\nexport default async () => [await take('@aws-sdk/client-made'), await take('@aws-sdk/client-' + 'made'), await take('@aws-sdk/client-missing'), await take('other')]",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	project := filepath.Join(dir, "project")
	var asked []string
	s := newService(t, lambda.Options{Offer: func(dir, runtime string, names ...string) (source.Offered, error) {
		asked = append(asked, names...)
		return source.Tree{Files: os.DirFS(project), Disk: project}.Offer(nil, dir, runtime, names...)
	}})
	s.Put(lambda.Function{Name: "it", Runtime: "nodejs22.x", Handler: "lambda.handler", Dir: filepath.Join(dir, "code", "task"), Timeout: 20})
	result, err := s.Invoke(t.Context(), "it", nil)
	if want := `["the made one","the made one","MODULE_NOT_FOUND","MODULE_NOT_FOUND"]`; err != nil || string(result.Payload) != want {
		t.Errorf("it gives %s %v, want %s", result.Payload, err, want)
	}
	if want := "@aws-sdk/client-made @aws-sdk/client-missing"; strings.Join(asked, " ") != want {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	if out, err := exec.Command("node", "-p", "!require('node:module').registerHooks").Output(); err != nil || string(out) == "true\n" {
		return // import() asks from Node 22.15 on
	}
	asked = nil
	s.Put(lambda.Function{Name: "esm", Runtime: "nodejs22.x", Handler: "module.handler", Dir: filepath.Join(dir, "esm", "task"), Timeout: 20})
	result, err = s.Invoke(t.Context(), "esm", nil)
	if want := `["the made one","the made one","ERR_MODULE_NOT_FOUND","ERR_MODULE_NOT_FOUND"]`; err != nil || string(result.Payload) != want {
		t.Errorf("import() gives %s %v, want %s", result.Payload, err, want)
	}
	if want := "@aws-sdk/client-made @aws-sdk/client-missing"; strings.Join(asked, " ") != want {
		t.Errorf("import() asked for %q, want %q", asked, want)
	}
}
