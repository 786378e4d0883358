package manifest

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"arc/manifest/syntax"
)

// Options are the outside facts that reading a project depends on.
type Options struct {
	Region string // AWS_REGION or the like; used when @aws region is not set
	Home   fs.FS  // the user's home folder, for global preferences; may be nil
	Today  string // the day, as 2006-01-02, for telling which runtimes are retired; "" = none are
	Set    []Set  // what plugins set, in the order in which they are named
	Above  string // a manifest in a folder above, for a hint where there is none here; "" = none
}

// Result is what reading a project gives. App is nil when Diagnostics has
// errors that leave no meaning; Sources has the text of every file read, for
// rendering diagnostics.
type Result struct {
	App         *App
	Diagnostics syntax.Diagnostics // sorted, in file order
	Sources     map[string][]byte
	Tree        *syntax.File // the manifest's own text; nil when it has no meaning
	Defaults    Config       // of every function, as @aws says
	// Preferences are the files of preferences that were read: the user's own, then
	// the project's. Their trees hold the values of @env, which are secrets.
	Preferences []PreferencesFile
	Dotenv      bool // there is a .env, whose variables are those of testing, and there are no others

	file string
}

// PreferencesFile is a file of preferences as it is written.
type PreferencesFile struct {
	Name string // "preferences.arc"; the user's own is "~/preferences.arc"
	Tree *syntax.File
}

// File is the manifest's name, such as "app.arc"; "" when there is none.
func (r Result) File() string { return r.file }

// loader reads one project. Each pragma's file adds methods to it.
type loader struct {
	files        fs.FS
	opts         Options
	file         *syntax.File // the manifest, with what plugins set; never nil, but without pragmas for the default project
	tree         *syntax.File // the manifest's own text
	app          *App
	ds           syntax.Diagnostics
	sources      map[string][]byte
	broken       bool // the manifest has syntax errors: what seems missing may only be unreadable
	syntaxErrors map[syntax.Pos]bool
	folders      *folders
	base         settings // of every function, from @aws
	typeScript   string   // what runtime typescript runs on
	tablesPort   *line    // of the preferences; nil = not set
	preferences  []PreferencesFile
	dotenv       bool // there is a .env
	written      map[*Function]written

	sharedBy, viewedBy chosen               // who gets @shared and @views
	byName             map[string]*Function // by pragma and name, for those two

	// What plugins set.
	taken     map[string][]*syntax.Item // by pragma
	setConfig map[string][]line         // of functions, by pragma and name
	runtimes  map[string]*CustomRuntime
}

// written is what the manifest's text says of a function, beyond its place.
type written struct {
	mark span // its name, or "get /path"
	src  bool // its folder is named
}

// Load finds and reads the project's manifest in files (the project root) with
// everything beside it. It reads nothing outside files and opts.Home, so a
// folder, a zip and a git tree serve alike.
func Load(files fs.FS, opts Options) Result {
	l := &loader{
		files: files, opts: opts,
		app:          &App{},
		sources:      map[string][]byte{},
		folders:      newFolders(files),
		written:      map[*Function]written{},
		syntaxErrors: map[syntax.Pos]bool{},
	}
	name, ok := l.findManifest()
	if ok {
		l.readPragmas()
	}
	r := Result{App: l.app, Diagnostics: l.ds, Sources: l.sources, Tree: l.tree, Defaults: l.defaults(), Preferences: l.preferences, Dotenv: l.dotenv, file: name}
	if !ok {
		r.App = nil
	}
	r.Diagnostics.Sort()
	return r
}

// readPragmas fills the App: what others refer to first, functions last.
func (l *loader) readPragmas() {
	l.checkPragmas()
	l.readPlugins()
	l.takeSets()
	l.readApp()
	l.readTypeScript()
	l.readAWS()
	l.readHTTP()
	l.readWS()
	l.readEvents()
	l.readQueues()
	l.readScheduled()
	l.readTables()
	l.readIndexes()
	l.readStreams()
	l.readStatic()
	l.readCDN()
	l.readProxy()
	l.addAssetRoute()
	l.checkFolders()
	l.readShared()
	l.configure()
	l.settleBatches()
	l.readPreferences()
	l.settleVariables()
}

// pragma is the manifest's section of that name, or nil.
func (l *loader) pragma(name string) *syntax.Pragma { return l.file.Pragma(name) }

// checkPragmas tells about sections that have no effect.
func (l *loader) checkPragmas() {
	known := pragmaNames(pragmas)
	plugins := l.pragma("plugins") != nil || l.pragma("macros") != nil
	for _, p := range l.file.Pragmas {
		if slices.Contains(known, p.Name) {
			continue
		}
		if hint, ok := retiredPragmas[p.Name]; ok {
			l.warnf(atPragma(p), "retired-pragma", hint, "@%s is a pragma of earlier versions of Architect and has no effect", p.Name)
			continue
		}
		if file, ok := misplacedPragmas[p.Name]; ok {
			hint := "move it to " + file
			if p.Name == "create" { // nor has it there
				hint = "remove it: arc init writes the missing handlers, whenever it is asked to"
			}
			l.warnf(atPragma(p), "misplaced-pragma", hint, "@%s has no effect in the manifest", p.Name)
			continue
		}
		hint := "known: @" + strings.Join(known, ", @")
		near := syntax.Near(strings.ToLower(p.Name), known)
		if near != "" {
			hint = "did you mean @" + near + "?"
		} else if plugins {
			continue // it is a plugin's
		}
		if foreign, ok := foreignPragmas[p.Name]; ok {
			hint = foreign
		}
		l.warnf(atPragma(p), "unknown-pragma", hint, "there is no pragma @%s, so it has no effect", p.Name)
	}
}

// readApp reads @app: one string.
func (l *loader) readApp() {
	const hint = "write @app and, on the line below it, a name such as my-app"
	p := l.pragma("app")
	if p == nil {
		where := syntax.Pos{File: l.file.Name, Line: 1, Col: 1}
		l.missing(span{where, where}, "app-missing", hint, "the app has no name: @app is missing")
		return
	}
	if len(p.Items) == 0 {
		l.missing(atPragma(p), "app-missing", hint, "the app has no name: @app is empty")
		return
	}
	it := p.Items[0]
	v := it.Name()
	if it.Kind != syntax.Scalar || len(p.Items) > 1 {
		where := v
		if it.Kind == syntax.Tuple {
			where = it.Values[1]
		} else if len(p.Items) > 1 {
			where = p.Items[1].Name()
		}
		l.missing(at(where), "app-several", "a name cannot hold blanks; write my-app", "@app takes one name")
		return
	}
	l.app.Name, l.app.Pos = v.Text, v.Pos
	if !ValidAppName(v.Text) {
		l.errorf(at(v), "app-name", "write 2 to 100 letters, digits, - or _, and a lower-case letter first, such as "+SuggestAppName(v.Text),
			"%s cannot be the name of an app", v.Text)
	}
}

// SuggestAppName makes the nearest name that an app may have: the name itself
// where it is allowed, my-app where nothing of it is.
func SuggestAppName(name string) string {
	if ValidAppName(name) {
		return name
	}
	near := strings.Map(func(r rune) rune {
		switch {
		case r < 0x80 && isWord(byte(r)) || r == '-' || r == '_':
			return r
		}
		return '-'
	}, name)
	near = strings.Trim(strings.ToLower(near), "-_")
	near = strings.TrimLeft(near, "0123456789-_")
	if len(near) > 100 {
		near = near[:100]
	}
	if !ValidAppName(near) {
		return "my-app"
	}
	return near
}

// ManifestFiles are the names a manifest may have, the first one found wins.
var ManifestFiles = []string{"app.arc", ".arc", "arc.json", "arc.yaml", "arc.yml"}

// findManifest reads the project's manifest into l.file. ok is false when what
// is there cannot be read at all.
func (l *loader) findManifest() (name string, ok bool) {
	for i, name := range ManifestFiles {
		if l.folders.hasFile(name) {
			l.app.File = name
			for _, other := range ManifestFiles[i+1:] {
				if l.folders.hasFile(other) {
					l.warnf(span{from: syntax.Pos{File: other}}, "second-manifest", "remove one of the two", "this file is not read: %s is the manifest", name)
				}
			}
			l.file = l.parse(name)
			l.broken = l.ds.HasErrors()
			return name, l.file != nil
		}
	}
	if l.folders.hasFile("package.json") {
		if f := l.parse("package.json"); f != nil {
			l.app.File = "package.json"
			l.file = f
			l.broken = l.ds.HasErrors()
			return "package.json", true
		}
		if l.ds.HasErrors() {
			return "package.json", false
		}
	}
	l.defaultProject()
	return "", true
}

// defaultProject is a static site, for a folder without a manifest.
func (l *loader) defaultProject() {
	name := syntax.Value{Kind: syntax.String, Text: "app-default"}
	l.file = &syntax.File{Pragmas: []*syntax.Pragma{
		{Name: "app", Items: []*syntax.Item{{Values: []syntax.Value{name}}}},
		{Name: "http"},
		{Name: "static"},
	}}
	hint := "write app.arc, or run arc init"
	if l.opts.Above != "" {
		hint = "cd " + path.Dir(l.opts.Above) + ": " + l.opts.Above + " is a manifest; or write app.arc here"
	}
	for _, name := range ManifestFiles {
		if l.folders.hasFolder(name) {
			hint = name + " is a folder; write a file of that name"
		}
	}
	for _, gone := range []string{"arc.toml", "arc.arc", "app.arc.json", "arc.config.json", "arc.config.js"} {
		if l.folders.hasFile(gone) {
			hint = gone + " is not read as a manifest; write app.arc"
		}
	}
	l.warnf(span{}, "no-manifest", hint, "no manifest found: using the default project, a static site of the folder public")
}

// unreadable tells of a file that is there and cannot be read.
func (l *loader) unreadable(name string, err error) {
	hint := "check that the file may be read"
	// os.Root has no error of its own to ask for.
	if strings.Contains(err.Error(), "escapes from parent") {
		hint = "it is a link that leads out of the project: put the file itself in its place"
	}
	if errors.Is(err, errNoFile) {
		hint = "put a file in its place"
	}
	l.errorf(span{from: syntax.Pos{File: name}}, "unreadable", hint, "cannot read the file: %v", err)
}

// errNoFile is said of pipes, sockets and devices: reading one may never end.
var errNoFile = errors.New("it is neither a file nor a folder")

// read reads a file of the project.
func (l *loader) read(name string) ([]byte, error) {
	if info, err := fs.Stat(l.files, name); err == nil && !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	return fs.ReadFile(l.files, name)
}

// maxFileBytes bounds a manifest: what is larger is no manifest, and would take
// a thousand times its size of memory to say so.
const maxFileBytes = 4 << 20

// parse reads one file in the spelling its name tells; nil when it has no
// meaning, which is reported.
func (l *loader) parse(name string) *syntax.File {
	if info, err := fs.Stat(l.files, name); err == nil && info.Size() > maxFileBytes {
		l.errorf(span{from: syntax.Pos{File: name}}, "file-size", "is it another file by mistake? arc init writes a manifest",
			"the file has %.1f MB, and a manifest at most %d", float64(info.Size())/(1<<20), maxFileBytes>>20)
		return nil
	}
	src, err := l.read(name)
	where := syntax.Pos{File: name, Line: 1, Col: 1}
	if err != nil {
		l.unreadable(name, err)
		return nil
	}
	l.sources[name] = maskEnv(src)
	if path.Base(name) != "package.json" && len(strings.TrimSpace(string(src))) == 0 {
		hint := "write at least @app and a name below it"
		if slices.Contains(configFiles, path.Base(name)) && strings.Contains(name, "/") {
			hint = "write @aws and a setting below it, or remove the file"
		}
		l.errorf(span{from: where}, "empty-file", hint, "the file is empty")
		return nil
	}
	return l.parseText(name, src)
}

// foreignText says of a file in arc's own spelling that it is none, where every
// line of it would be a mistake: what is no text, and what begins with anything
// but a pragma and goes on so.
func foreignText(name string, src []byte) (syntax.Diagnostic, bool) {
	what, hint := "this is no manifest", "a manifest begins with @app and a name below it; arc init writes one"
	if !slices.Contains(ManifestFiles, name) {
		what, hint = "the file is not in arc's form", "begin with a pragma, such as @aws beside a function, and write its settings below it"
	}
	d := syntax.Diagnostic{Pos: syntax.Pos{File: name, Line: 1, Col: 1}, Code: "no-manifest-text", Hint: hint}
	if ext := path.Ext(name); ext == ".json" || ext == ".yaml" || ext == ".yml" {
		return d, false
	}
	if !utf8.Valid(src) || bytes.IndexByte(src, 0) >= 0 {
		d.Pos, d.Message = syntax.Pos{File: name}, what+": it is no text in UTF-8"
		return d, true
	}
	before, n := 0, 0
	for line := range strings.Lines(string(src)) {
		n++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "@"):
			return d, false
		}
		if before++; before == 1 {
			d.Pos.Line = n
		}
		if before > 5 {
			d.Message = what + ": line after line stands before the first pragma"
			return d, true
		}
	}
	return d, false
}

// parseText parses a file that has been read, and remembers where it is wrong.
func (l *loader) parseText(name string, src []byte) *syntax.File {
	if d, foreign := foreignText(name, src); foreign {
		l.ds = append(l.ds, d)
		return nil
	}
	f, ds := parseAs(name, src)
	l.ds = append(l.ds, ds...)
	for _, d := range ds {
		l.syntaxErrors[d.Pos] = true
	}
	return f
}
