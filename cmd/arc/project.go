package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"arc/cfn"
	"arc/manifest"
	"arc/manifest/syntax"
	"arc/plugin"
	"arc/source"
)

// errNoManifest is said of a folder that no command takes for a project by
// accident.
var errNoManifest = errors.New("there is no manifest in this folder")

// project is the folder a command works on, with its manifest read.
type project struct {
	dir      string // absolute
	root     *os.Root
	disk     *os.Root // all of the disk; nil until it is needed
	tree     fs.FS    // a git revision of the folder, in place of the folder; nil = the folder
	explicit bool     // without a manifest it is refused
	// looking: the command makes nothing of the manifest, whose warnings others tell
	looking bool
	// compared: what is wrong with the code stops no comparison
	compared bool
	here     bool   // its code is for the local cloud, and so for this machine
	endpoint string // of the local cloud that was found running; "" = none was looked for
	app      *manifest.App
	plugins  *plugins // nil: it names none, or they do not run
	// pluginsOff: what the manifest names as plugins is not run
	pluginsOff bool
	pluginDir  string                       // where they find the project; "" = dir
	planned    func([]*plugin.Plugin) error // refuses plugins that a plan was not made with; nil = there is no plan
	deploys    bool                         // its plugins are told that it is deployed in earnest
	local      bool                         // it is deployed to the local cloud
	sandbox    bool                         // it runs from its source
	compiled   *cfn.Stack                   // as it runs in the sandbox
	invoke     plugin.Invoke                // calls a function of the app that runs; nil = none does
	sources    map[string][]byte            // manifest files' text, for rendering diagnostics
}

// files is the project folder as every room but cmd/arc sees it: nothing
// outside can be reached through it.
func (p *project) files() fs.FS {
	if p.tree != nil {
		return p.tree
	}
	return awaiting{p.root.FS()}
}

func (p *project) close() {
	p.plugins.close()
	p.root.Close()
	p.closeDisk()
}

func (p *project) closeDisk() {
	if p.disk != nil {
		p.disk.Close()
	}
}

// open reads the project in the current folder and prints what is wrong with
// it: every diagnostic at once. A folder without a manifest is a static site.
// The caller closes the project.
func (s *session) open() (*project, error) { return s.openWith(&project{}) }

// openManifest is open for what must not happen to a folder by accident: one
// without a manifest is refused.
func (s *session) openManifest() (*project, error) { return s.openWith(&project{explicit: true}) }

func (s *session) openWith(p *project) (*project, error) {
	dir, err := projectDir()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("project folder: %w", err)
	}
	p.dir, p.root = dir, root
	if home := s.env("HOME"); home != "" && !filepath.IsAbs(home) {
		s.note("%s HOME=%s is not an absolute path: preferences in it are not read", s.paint(yellow, "warning:"), home)
	}
	if err := s.read(p); err != nil {
		p.plugins.close()
		root.Close()
		return nil, err
	}
	return p, nil
}

// projectDir is the current folder by its one real name, so that a project
// has one local cloud however one got to its folder.
func projectDir() (string, error) {
	dir, err := filepath.Abs(".")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("current folder: %w", err)
	}
	return dir, nil
}

// read loads (or loads again) the manifest of p.
func (s *session) read(p *project) error {
	result, err := s.load(p)
	if err != nil {
		return err
	}
	p.sources = result.Sources
	if p.explicit && result.App != nil && result.App.File == "" {
		return noManifest(p.dir)
	}
	told := result.Diagnostics
	if p.looking {
		told = slices.DeleteFunc(slices.Clone(told), func(d syntax.Diagnostic) bool { return d.Severity == syntax.Warning && d.Code != "no-manifest" })
	}
	if err := s.diagnose(p, told); err != nil {
		return err
	}
	p.app = result.App
	return nil
}

// diagnose prints diagnostics; when one is an error the command ends with it.
func (s *session) diagnose(p *project, ds syntax.Diagnostics) error {
	if len(ds) == 0 {
		return nil
	}
	s.emitMistakes(ds)
	if !s.noteEvents {
		if err := ds.RenderIn(s.stderr, p.sources, s.live.columns()); err != nil {
			return err
		}
	}
	if ds.HasErrors() {
		return exitCode(exitError)
	}
	return nil
}

// today is the day as AWS's tables of retired runtimes write it.
func today() string { return time.Now().UTC().Format(time.DateOnly) }

// region is where the environment says that things live; the manifest's
// @aws region has the last word.
func (s *session) region() string {
	if r := s.env("AWS_REGION"); r != "" {
		return r
	}
	return s.env("AWS_DEFAULT_REGION")
}

// home is the user's home folder, for global preferences; nil when unknown.
func (s *session) home() fs.FS {
	dir := s.env("HOME")
	if !filepath.IsAbs(dir) {
		return nil
	}
	return os.DirFS(dir)
}

// build is an app compiled for one stage, with the code its functions run.
type build struct {
	key      func(name string) string // in the artifact bucket
	stack    *cfn.Stack
	template []byte
	bundles  map[string]*source.Bundle // by artifact key
	labels   map[string]string         // artifact key → the folder it comes from
	assets   *assets                   // nil when nothing is published
	options  cfn.Options
}

// compile collects the code of every function and compiles the app. env names
// the user's variables of the stage.
func (s *session) compile(p *project, opts cfn.Options) (*build, error) {
	if err := s.diagnose(p, p.missingHandlers()); err != nil {
		return nil, err
	}
	opts.Env = withSet(p, opts)
	opts, err := s.askPlugins(p, opts)
	if err != nil {
		return nil, err
	}
	b := &build{key: opts.ArtifactKey, bundles: map[string]*source.Bundle{}, labels: map[string]string{}}
	if b.assets, err = staticAssets(p); err != nil {
		return nil, err
	}
	keys, err := s.bundle(p, b, opts)
	if err != nil {
		return nil, err
	}
	asset := source.Asset()
	assetKey, err := artifactKey(asset)
	if err != nil {
		return nil, err
	}
	opts.Code = func(fn *manifest.Function) string {
		if fn.Asset {
			return assetKey
		}
		return keys[fn]
	}
	stack, ds := cfn.Compile(p.app, opts)
	if err := s.diagnose(p, ds); err != nil {
		return nil, err
	}
	for _, fn := range stack.Functions {
		if fn.Asset {
			b.add(assetKey, asset, "static asset function")
		}
	}
	b.stack, b.options = stack, opts
	if b.template, err = stack.Template.JSON(); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return b, nil
}

// withVersions compiles the same code with other settings of the user's variables.
func (b *build) withVersions(app *manifest.App, versions map[string]string) error {
	b.options.EnvVersions = versions
	var err error
	b.stack, _ = cfn.Compile(app, b.options)
	if b.template, err = b.stack.Template.JSON(); err != nil {
		return fmt.Errorf("template: %w", err)
	}
	return nil
}

// add notes code under its key; functions that share a folder share it.
func (b *build) add(name string, bundle *source.Bundle, label string) {
	if key := b.key(name); b.bundles[key] == nil {
		b.bundles[key], b.labels[key] = bundle, label
	}
}

// bundle collects the functions' code into b and names each function's.
func (s *session) bundle(p *project, b *build, opts cfn.Options) (map[*manifest.Function]string, error) {
	build := s.builder(p)
	copies, err := s.pluginCopies(p)
	if err != nil {
		return nil, err
	}
	var own []*manifest.Function
	var wanted []source.Function
	for _, fn := range p.app.Functions() {
		if !fn.Asset {
			own = append(own, fn)
			f := sourceFunction(p.app, fn)
			f = f.With(copies)
			f.Build = build
			f.NodeOptions = f.NodeOptions || slices.Contains(opts.Env, nodeOptions)
			if b.assets != nil && fn.Config.Shared {
				f.StaticManifest = b.assets.manifest
			}
			wanted = append(wanted, f)
		}
	}
	brought := p.broughtFunctions(opts)
	for _, fn := range brought {
		code := fn.source.With(copies)
		code.Build = build
		wanted = append(wanted, code)
	}
	tree, err := p.codeTree()
	if err != nil {
		return nil, err
	}
	bundles, err := tree.CollectAll(wanted)
	if err != nil {
		return nil, err
	}
	if err := s.tellCode(p, tree, bundles); err != nil {
		return nil, err
	}
	keys := map[*manifest.Function]string{}
	for i, fn := range own {
		key, err := artifactKey(bundles[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fn.Dir, err)
		}
		keys[fn] = key
		b.add(key, bundles[i], fn.Dir)
	}
	for i, fn := range brought {
		bundle := bundles[len(own)+i]
		key, err := artifactKey(bundle)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fn.source.Dir, err)
		}
		p.edit(opts).keys[fn.id] = key
		b.add(key, bundle, fn.source.Dir)
	}
	return keys, nil
}

// tellCode tells what is wrong with the functions' code, and ends the command
// when a function would fail.
func (s *session) tellCode(p *project, tree source.Tree, bundles []*source.Bundle) error {
	ds, notes := p.codeMistakes(tree, bundles)
	if p.compared {
		for i := range ds {
			ds[i].Severity = syntax.Warning
		}
	}
	for _, note := range notes {
		s.note("%s", note)
	}
	return s.diagnose(p, ds)
}

func artifactKey(b *source.Bundle) (string, error) {
	key, err := b.Key()
	return key + ".zip", err
}

// builder says with what, and for what, code is built.
func (s *session) builder(p *project) *source.Builder {
	b := &source.Builder{Dir: p.dir, Env: s.env, Revised: p.tree != nil, Host: p.here, Context: s.ctx, Tell: func(text string) { s.note("%s", text) }}
	if cache, err := s.cacheDir(); err == nil {
		b.Cache = cache
	}
	return b
}

// sourceFunction says which code a function of the app consists of.
func sourceFunction(app *manifest.App, fn *manifest.Function) source.Function {
	f := source.Function{
		Dir:         fn.Code(),
		HandlerFile: fn.Config.HandlerFile,
		Handler:     fn.Config.Handler,
		Runtime:     fn.Config.Runtime,
		Arch:        fn.Config.Architecture,
		Ignore:      fn.Config.IgnoreDependencies,
		NoInstall:   !fn.Config.Hydrate,
		Bundle:      fn.Config.Bundle,
		External:    fn.Config.External,
		Compiled:    fn.Build != "",
		NodeOptions: setsNodeOptions(app),
	}
	if app.Shared != nil && fn.Config.Shared {
		f.Shared = app.Shared.Dir
	}
	if app.Views != nil && fn.Config.Views {
		f.Views = app.Views.Dir
	}
	return f
}

// setsNodeOptions reports whether a variable of the user's may have Node do what
// Lambda turns off.
func setsNodeOptions(app *manifest.App) bool {
	for _, vars := range app.Env {
		if slices.ContainsFunc(vars, func(v manifest.EnvVar) bool { return v.Name == nodeOptions }) {
			return true
		}
	}
	return false
}

// handlerRemedy says how a function without code gets some.
func handlerRemedy(fn *manifest.Function) string {
	switch {
	case source.HasBoilerplate(fn.Config.Runtime):
		return "arc init writes the missing handlers"
	case strings.HasPrefix(fn.Config.Runtime, "provided"):
		return "write go.mod and main.go, or Cargo.toml and src/main.rs, which arc compiles; or put a program called bootstrap there"
	}
	return "write it by hand: arc init has no first handler for runtime " + fn.Config.Runtime
}

// missingHandlers names every function without code, with the remedy.
func (p *project) missingHandlers() syntax.Diagnostics {
	var missing []*manifest.Function
	var at []string
	for _, fn := range p.app.Functions() {
		if !fn.Asset && !fn.Config.HandlerExists {
			missing, at = append(missing, fn), append(at, handlerPath(fn))
		}
	}
	folder := p.missingFolder()
	if len(missing) == 0 && folder == "" {
		return nil
	}
	ignored := p.ignoredByGit(append(at, folder)...)
	var ds syntax.Diagnostics
	if folder != "" {
		// Who names no folder may want none.
		if named := p.app.Static.Folder != "public"; named || ignored[folder] {
			ds = append(ds, syntax.Diagnostic{
				Pos:      p.app.Static.Pos,
				Code:     "static-missing",
				Severity: syntax.Warning,
				Message:  fmt.Sprintf("the static folder %s is not there, and nothing is published", p.app.Static.Folder),
				Hint:     cmp.Or(p.buildRemedy(folder, ignored[folder], true), "write files into it, or name the folder that has them below @static: folder NAME"),
			})
		}
	}
	for i, fn := range missing {
		ds = append(ds, syntax.Diagnostic{
			Pos:     fn.Pos,
			Code:    "handler-missing",
			Message: fmt.Sprintf("@%s %s has no handler at %s", fn.Pragma, fn.Name, at[i]),
			Hint:    p.remedy(fn, ignored),
		})
	}
	ds.Sort()
	return ds
}

// missingFolder is a file of the static folder, where there is no such folder;
// "" = there is one, or none is needed.
func (p *project) missingFolder() string {
	if p.app.Static == nil {
		return ""
	}
	if _, err := fs.Stat(p.files(), p.app.Static.Folder); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path.Join(p.app.Static.Folder, "index.html")
}

// almostThere says why a file is not there that somebody may have written: its
// name or a folder's is in other letters, or a link is refused. "" = it is not.
func almostThere(files fs.FS, name string) string {
	found := []string{"."}
	at := "."
	for part := range strings.SplitSeq(name, "/") {
		at = path.Join(at, part)
		if info, err := fs.Lstat(files, at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if _, err := fs.Stat(files, at); errors.Is(err, fs.ErrNotExist) {
				return at + " is a link to what does not exist"
			} else if err != nil {
				return at + " is a link that leads out of the project, and no deploy would take what it leads to: put the files themselves there"
			}
		}
		var next []string
		for _, dir := range found {
			entries, err := fs.ReadDir(files, dir)
			if err != nil {
				continue
			}
			for _, entry := range entries {
				if strings.EqualFold(entry.Name(), part) {
					next = append(next, path.Join(dir, entry.Name()))
				}
			}
		}
		found = next
	}
	if len(found) == 0 || found[0] == name {
		return ""
	}
	return fmt.Sprintf("there is %s, whose letters' case differs: rename it to %s", found[0], name)
}

// indent puts each line of text two columns to the right.
func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}
