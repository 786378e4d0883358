package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"arc/cfn"
	"arc/manifest"
	"arc/manifest/syntax"
	"arc/plugin"
	"arc/source"

	"github.com/urfave/cli/v2"
)

// plugins are those that a project names, while a command works on it.
type plugins struct {
	host    *plugin.Host
	project plugin.Project
	alone   manifest.Result  // the manifest as it is without what they set
	sets    []manifest.Set   // what they set for the stage that is looked at
	edits   map[string]*edit // by the name of the stack
}

// edit is what plugins have made of a stack's template.
type edit struct {
	before []byte // as they were shown it
	plugin.Edited
	code map[string]source.Function // of functions that they brought, by logical ID; nil before it is known
	keys map[string]string          // in the artifact bucket
	told bool                       // its warnings
}

// close ends the plugins' processes.
func (ps *plugins) close() {
	if ps != nil {
		ps.host.Close()
	}
}

// hosted is the host of the plugins, nil when none runs.
func (ps *plugins) hosted() *plugin.Host {
	if ps == nil {
		return nil
	}
	return ps.host
}

// load reads the manifest, with what plugins set.
func (s *session) load(p *project) (manifest.Result, error) {
	opts := s.manifestOptions()
	opts.Above = manifestAbove(p.dir)
	first := manifest.Load(p.files(), opts)
	p.sources = first.Sources
	if first.App == nil || len(first.App.Plugins) == 0 || p.pluginsOff {
		return first, nil
	}
	set, err := s.startPlugins(p, first)
	if err != nil {
		ds, rest := pluginMistakes(err)
		first.Diagnostics = slices.DeleteFunc(first.Diagnostics, func(d syntax.Diagnostic) bool {
			return d.Code == "runtime" // which one of these plugins may bring
		})
		first.Diagnostics = append(first.Diagnostics, ds...)
		first.Diagnostics.Sort()
		return first, rest
	}
	opts.Set = set
	result := manifest.Load(p.files(), opts)
	p.plugins.project.Result, p.plugins.sets = result, set
	return result, nil
}

func (s *session) manifestOptions() manifest.Options {
	return manifest.Options{Region: s.region(), Home: s.home(), Today: today()}
}

// forStage has the app as plugins set it for a stage: what they set may depend on
// it. What is wrong with it, and was not before, is in the diagnostics.
func (s *session) forStage(p *project, stage string) (syntax.Diagnostics, error) {
	host := p.plugins.hosted()
	if !host.Sets() {
		return nil, nil
	}
	ps := p.plugins
	ps.project.Stage = pluginStage(stage)
	sets, err := host.Settings(s.context(), plugin.Project{Dir: ps.project.Dir, Home: ps.project.Home, Stage: ps.project.Stage, Result: ps.alone})
	if err != nil {
		return pluginMistakes(err)
	}
	if reflect.DeepEqual(sets, ps.sets) {
		return nil, nil
	}
	opts := s.manifestOptions()
	opts.Set = sets
	before, result := ps.project.Result, manifest.Load(p.files(), opts)
	ps.project.Result, ps.sets = result, sets
	if result.App != nil {
		p.app = result.App
	}
	return slices.DeleteFunc(slices.Clone(result.Diagnostics), func(d syntax.Diagnostic) bool { return slices.Contains(before.Diagnostics, d) }), nil
}

// pluginMistakes are the errors of plugins where the manifest names them; rest is
// what is no plugin's error.
func pluginMistakes(err error) (ds syntax.Diagnostics, rest error) {
	var all []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	} else {
		all = []error{err}
	}
	for _, one := range all {
		if own, ok := errors.AsType[*plugin.Error](one); ok {
			ds = append(ds, own.Diagnostic())
		} else {
			rest = errors.Join(rest, one)
		}
	}
	return ds, rest
}

// startPlugins finds and loads a project's plugins, anew when they run already,
// and asks them what they set.
func (s *session) startPlugins(p *project, first manifest.Result) ([]manifest.Set, error) {
	p.plugins.close()
	ctx := s.context()
	p.plugins = &plugins{host: plugin.New(s.pluginOptions(p)), project: plugin.Project{Dir: p.pluginFolder(), Home: s.env("HOME"), Stage: s.deployStage, Result: first}, alone: first, edits: map[string]*edit{}}
	host := p.plugins.host
	if err := host.Find(ctx, plugin.Refs(first.App)); err != nil {
		return nil, err
	}
	if p.planned != nil {
		if err := p.planned(host.Plugins); err != nil {
			return nil, err
		}
	}
	if err := host.Load(ctx); err != nil {
		return nil, err
	}
	return host.Settings(ctx, p.plugins.project)
}

func (s *session) pluginOptions(p *project) plugin.Options {
	node, _ := exec.LookPath("node") // "" = there is none, which is told when one is needed
	return plugin.Options{
		Dir: p.pluginFolder(), Env: os.Environ(), Node: node, Args: s.words, Timeout: s.pluginTimeout,
		Output: func(name, line string) {
			if name == "" {
				name = "plugins"
			}
			s.note("%s %s", s.paint(dim, name+":"), line)
		},
		Terminal: s.pluginTerminal(p),
		Failed:   func(text string) { s.note("%s a plugin: %s", s.paint(yellow, "warning:"), text) },
		Invoke: func(ctx context.Context, pragma, name string, payload json.RawMessage) (json.RawMessage, error) {
			if p.invoke == nil {
				return nil, errors.New("no app runs: invoke is for hooks of the sandbox")
			}
			return p.invoke(ctx, pragma, name, payload)
		},
	}
}

// pluginTerminal is what plugins may read while an app runs. Whoever wants keys
// that nobody can type is told of once.
func (s *session) pluginTerminal(p *project) *plugin.Terminal {
	if s.keys != nil {
		return &plugin.Terminal{
			Ask:   func(_ string, typing plugin.Typing, keys func([]byte)) { s.keys.ask(typing, keys) },
			Paint: func(text string) { s.live.print(s.stderr, text) },
		}
	}
	told := map[string]bool{}
	return &plugin.Terminal{Ask: func(name string, typing plugin.Typing, _ func([]byte)) {
		if p.invoke != nil && typing != plugin.NotTyping && !told[name] {
			told[name] = true
			s.note("%s waits for keys, and nobody can type any here: arc invoke NAME calls a function", name)
		}
	}}
}

// shownArgs are the arguments that plugins are shown: the command, and flags
// without their values, which may be secret.
func shownArgs(args []string) (words []string) {
	for i, arg := range args {
		if i == 1 || strings.HasPrefix(arg, "-") {
			flag, _, _ := strings.Cut(arg, "=")
			words = append(words, flag)
		}
	}
	return words
}

// context is that of the program.
func (s *session) context() context.Context {
	if s.ctx == nil {
		return context.Background()
	}
	return s.ctx
}

// pluginFlags are of commands that run plugins.
func (s *session) pluginFlags() []cli.Flag {
	return []cli.Flag{&cli.IntFlag{Name: "plugin-timeout", Action: func(_ *cli.Context, seconds int) error {
		if seconds < 1 {
			return withHint(fmt.Errorf("--plugin-timeout %d: no plugin could run", seconds), "give the seconds that each of their hooks may take")
		}
		s.pluginTimeout = time.Duration(seconds) * time.Second
		return nil
	}}}
}

// deploymentFor is what hooks of a deploy are told. Every stage that is not
// production is staging for them: they know no other.
func (p *project) deploymentFor(opts cfn.Options) plugin.Deployment {
	return plugin.Deployment{StackName: cfn.StackName(p.app.Name, opts.Stage, opts.Name), Stage: pluginStage(opts.Stage), DryRun: !p.deploys, Sandbox: p.sandbox}
}

// pluginStage is a stage as plugins know it.
func pluginStage(stage string) string {
	if stage == "production" {
		return stage
	}
	return "staging"
}

// pluginOrigin is where the manifest names the plugin that brought a resource.
func (p *project) pluginOrigin(e *edit, id string) syntax.Pos {
	if by := e.Bringer("Resources." + id); by != nil {
		return by.Pos
	}
	return p.app.Pos
}

// pluginFolder is the project's folder as plugins see it.
func (p *project) pluginFolder() string { return cmp.Or(p.pluginDir, p.dir) }

// laidOut writes a revision to a folder of its own, where its plugins can run
// with the packages that are installed in dir.
func laidOut(tree fs.FS, dir string) (folder string, remove func(), err error) {
	if folder, err = os.MkdirTemp("", "arc-plugins-"); err != nil {
		return "", nil, fmt.Errorf("folder of the revision's plugins: %w", err)
	}
	remove = func() { os.RemoveAll(folder) }
	if folder, err = filepath.EvalSymlinks(folder); err == nil {
		err = os.CopyFS(folder, tree)
	}
	installed := filepath.Join(dir, "node_modules")
	if _, missing := os.Stat(installed); err == nil && missing == nil {
		err = os.Symlink(installed, filepath.Join(folder, "node_modules"))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		remove()
		return "", nil, fmt.Errorf("folder of the revision's plugins: %w", err)
	}
	return folder, remove, nil
}

// tellPluginsOff says that plugins do not run, and how they do.
func (s *session) tellPluginsOff(p *project) {
	if p.pluginsOff && len(p.app.Plugins) > 0 {
		s.note("plugins and macros are not run, and what they add is on neither side; --run-plugins runs those of both")
	}
}

// listPlugins prints which plugins were found, where, and what they hook into.
func (s *session) listPlugins(p *project) {
	host := p.plugins.hosted()
	if host == nil {
		return
	}
	for _, found := range host.Plugins {
		if len(found.Hooks) > 0 {
			s.note("%s %s (%s): %s", found.Kind(), found.Name, p.pluginPlace(found), strings.Join(found.Hooks, ", "))
		}
	}
}

// pluginPlace is where a plugin is: a package with its version, or a file.
func (p *project) pluginPlace(found *plugin.Plugin) string {
	if found.Version != "" {
		return found.Version
	}
	if rel, err := filepath.Rel(p.pluginFolder(), found.File); err == nil {
		return filepath.ToSlash(rel)
	}
	return found.File
}
