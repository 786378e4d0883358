package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"arc/cfn"
	"arc/manifest"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestOriginalPlugins compares the templates of apps with plugins with what
// Architect 11.3.0, the same plugins and AWS's translator make of them: what
// testdata/original keeps of each app. make oracle makes that anew, and says
// where it has changed; with ARC_ORACLE, -update keeps it.
func TestOriginalPlugins(t *testing.T) {
	t.Parallel()
	c := comparison{allowed: allowedDifferences(t), tally: map[string]int{}}
	cases := pluginCases(t)
	if len(cases) < 8 {
		t.Fatalf("%d cases", len(cases))
	}
	for name, one := range cases {
		t.Run(name, func(t *testing.T) { c.compare(t, name, one.original(t), one.ours(t)) })
	}
	if c.tally["compared"] != len(cases) || c.tally["refused by arc"] > 0 {
		t.Errorf("of %d cases: %v", len(cases), c.tally)
	}
}

// pluginCase is an app with plugins, and Architect's own template of it.
type pluginCase struct {
	file    string // its archive
	archive *txtar.Archive
	dir     string // where it is laid out, by its one real name
}

// originalFile is Architect's plain template in an archive.
const originalFile = "original.json"

// pluginCases lays the apps of testdata/original out. Those whose first line
// speaks of packages of npm get the ones that are installed for
// TestPublicPlugins.
func pluginCases(t *testing.T) map[string]*pluginCase {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("node is not installed")
		}
		t.Skip("node is not installed")
	}
	files, err := filepath.Glob("../../testdata/original/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]*pluginCase{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name == originalFile {
				continue
			}
			name := filepath.Join(dir, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if bytes.HasPrefix(archive.Comment, []byte("Packages of npm")) {
			modules := filepath.Join(installedPlugins(t), "node_modules")
			if exec.Command("cp", "-al", modules, dir).Run() != nil { // by links, where the folder is on the same disk
				if out, err := exec.Command("cp", "-a", modules, dir).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
		}
		cases[strings.TrimSuffix(filepath.Base(file), ".txtar")] = &pluginCase{file, archive, dir}
	}
	return cases
}

// original is Architect's template, as the archive keeps it.
func (c *pluginCase) original(t *testing.T) *cfn.Document {
	t.Helper()
	for _, f := range c.archive.Files {
		if f.Name == originalFile {
			return parsed(t, f.Data)
		}
	}
	return nil
}

// packagePlugins is Node that packages the project in a folder as Architect's
// deploy of staging does, with what plugins set and do, and prints its SAM
// template. Paths of code are relative to the project.
const packagePlugins = `
const path = require('path')
const [ peer, dir ] = process.argv.slice(-2)
const from = name => require(require.resolve(name, { paths: [ peer ] }))
const print = process.stdout.write.bind(process.stdout)
process.stdout.write = (...args) => process.stderr.write(...args)
process.env.AWS_REGION = 'us-east-1'
process.chdir(dir)
;(async () => {
  const stage = 'staging'
  const inventory = await from('@architect/inventory')({ cwd: dir, deployStage: stage, env: false })
  const { inv } = inventory
  inv.aws.region = 'us-east-1'
  inv._project.env.aws = inv._project.env.plugins // beside them there is nothing in SSM
  let cloudformation = from('@architect/package')(inventory)
  const stackName = from('@architect/utils').toLogicalID(inv.app) + 'Staging'
  const root = path.dirname(require.resolve('@architect/deploy/package.json', { paths: [ peer ] }))
  const plugins = require(path.join(root, 'src/sam/plugins'))
  for (const step of [ 'start', 'services' ]) {
    cloudformation = await new Promise((res, rej) =>
      plugins[step]({ cloudformation, dryRun: true, inventory, stackName, stage }, (err, made) => err ? rej(err) : res(made)))
  }
  delete cloudformation.Description // it has the time
  for (const { Properties } of Object.values(cloudformation.Resources)) {
    if (Properties && path.isAbsolute(String(Properties.CodeUri))) Properties.CodeUri = path.relative(dir, Properties.CodeUri)
  }
  print(JSON.stringify(cloudformation))
})()
`

// renewOriginals makes the templates of Architect anew, and says where they are
// others than the archives keep.
func renewOriginals(t *testing.T, peer string, cases map[string]*pluginCase) {
	t.Helper()
	folders := map[string]string{}
	for name, c := range cases {
		folders[name] = c.dir
	}
	made := originalTemplates(t, folders, []string{"-e", packagePlugins, "--", peer})
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		if made[name] == nil {
			t.Errorf("%s: Architect refuses it", name)
			continue
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, made[name], "", " "); err != nil {
			t.Fatal(err)
		}
		text := append(indented.Bytes(), '\n')
		at := slices.IndexFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == originalFile })
		switch {
		case at >= 0 && bytes.Equal(c.archive.Files[at].Data, text):
			continue
		case !*update:
			t.Errorf("%s: Architect's template is another than %s keeps (-update keeps it)", name, c.file)
			continue
		case at < 0:
			c.archive.Files = append(c.archive.Files, txtar.File{Name: originalFile, Data: text})
		default:
			c.archive.Files[at].Data = text
		}
		if err := os.WriteFile(c.file, txtar.Format(c.archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// ours is the template that arc makes of the app, each function's code named
// after its folder.
func (c *pluginCase) ours(t *testing.T) *cfn.Document {
	t.Helper()
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	s := &session{ctx: t.Context(), deployStage: "staging", stdout: io.Discard, stderr: &said, env: func(name string) string { return map[string]string{"AWS_REGION": "us-east-1"}[name] }}
	p := &project{dir: c.dir, root: root}
	defer p.close()
	if err := s.read(p); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	opts := cfn.Options{Stage: "staging", Code: func(f *manifest.Function) string { return codeKey(f.Dir) }}
	opts.Env = withSet(p, opts)
	if opts, err = s.askPlugins(p, opts); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	for _, fn := range p.broughtFunctions(opts) {
		p.edit(opts).keys[fn.id] = codeKey(fn.source.Dir)
	}
	stack, ds := cfn.Compile(p.app, opts)
	if stack == nil {
		t.Log(ds)
		return nil
	}
	body, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		t.Fatal(err)
	}
	// What a plugin sets is the value of a parameter, which the deploy gives it.
	text := strings.ReplaceAll(compact.String(), slash, "/")
	for _, v := range p.app.Set["staging"] {
		text = strings.ReplaceAll(text, `{"Ref":"`+cfn.EnvParameter(v.Name)+`"}`, string(quoteJSON(v.Value)))
	}
	return parsed(t, []byte(text))
}

// codeKey is the name of the zip of a folder, in which slash stands for /: keys
// have no folders but the stage's.
func codeKey(dir string) string { return strings.ReplaceAll(dir, "/", slash) + ".zip" }

const slash = "∕" // division slash
