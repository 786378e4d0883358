package manifest

import (
	"io/fs"
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// Preferences are the settings of preferences.arc (manifest reference, 9.1),
// the project's over the user's own.
type Preferences struct {
	File         string // the project's file; "" when there is none
	Autocreate   bool
	Templates    map[string]string // boilerplate file by pragma, as written: ~/… or relative to the project
	SandboxEnv   string            // forces ARC_ENV locally; "" = testing
	UseAWS       bool              // functions' calls go to AWS itself
	AWS          []string          // services of which they do: "bedrock"
	AllowOrigin  []string          // pages' origins that may call the app: "https://example.com"
	AllowHost    []string          // names by which others may: "abc.ngrok.app"
	LiveReload   *bool
	Ports        Ports
	ExternalDB   bool   // no table emulator is started
	SeedData     string // file of items for the tables
	Coldstart    bool
	DeleteVendor *bool
	NoHydrate    bool
	Startup      []string // shell commands of @sandbox-start
}

// Ports are fixed ports of the sandbox; 0 = not set.
type Ports struct{ HTTP, Events, Tables int }

// EnvVar is one local environment variable. Value is a secret: it is handed to
// processes and to NoEcho parameters, and printed nowhere.
type EnvVar struct {
	Name, Value string
	Pos         syntax.Pos
}

// preferenceFiles are the names a preferences file may have; the first one
// found wins.
var preferenceFiles = []string{"preferences.arc", "prefs.arc", ".preferences.arc", ".prefs.arc"}

// readPreferences reads the user's preferences, then the project's over them,
// then .env, which replaces the variables of both.
func (l *loader) readPreferences() {
	if l.opts.Home != nil {
		for _, name := range preferenceFiles {
			if src, err := fs.ReadFile(l.opts.Home, name); err == nil {
				l.applyPreferences("~/"+name, src)
				break
			}
		}
	}
	for _, name := range preferenceFiles {
		if !l.folders.hasFile(name) {
			continue
		}
		src, err := l.read(name)
		if err != nil {
			l.unreadable(name, err)
			break
		}
		l.app.Prefs.File = name
		l.applyPreferences(name, src)
		break
	}
	if l.tablesPort != nil && !l.app.Prefs.ExternalDB {
		l.warnf(at(l.tablesPort.key), "preference-idle", "write external-db true beside ports where a database runs at that port, else remove the line: "+onePort,
			"the port tables of @sandbox has no effect")
	}
	l.readDotenv()
	for _, stage := range stages {
		vars := l.app.Env[stage]
		slices.SortStableFunc(vars, func(a, b EnvVar) int { return strings.Compare(a.Name, b.Name) })
		l.checkEnvSize(stage, vars)
	}
}

func (l *loader) applyPreferences(name string, src []byte) {
	if len(strings.TrimSpace(string(src))) == 0 {
		return
	}
	l.sources[name] = maskEnv(src)
	f := l.parseText(name, src)
	if f == nil {
		return
	}
	l.preferences = append(l.preferences, PreferencesFile{name, f})
	for _, p := range f.Pragmas {
		switch p.Name {
		case "create":
			l.preferenceLines(p, l.createSetting)
		case "sandbox":
			l.preferenceLines(p, l.sandboxSetting)
		case "env":
			l.readEnv(p)
		case "sandbox-start", "sandbox-startup":
			l.app.Prefs.Startup = nil
			for _, it := range p.Items {
				l.app.Prefs.Startup = append(l.app.Prefs.Startup, joinValues(slices.Concat(it.Values, it.List)))
			}
		default:
			names := pragmaNames(preferencePragmas)
			hint := nearHint(p.Name, names, "preferences hold @"+strings.Join(names, ", @"))
			if findPragma(pragmas, p.Name) != nil {
				hint = "move it to the manifest"
			} else if len(l.app.Plugins) > 0 && nearHint(p.Name, names, "") == "" {
				continue // it is a plugin's
			}
			l.warnf(atPragma(p), "unknown-pragma", hint, "@%s has no effect in preferences", p.Name)
		}
	}
}

// preferenceLines hands each known setting of a pragma to read.
func (l *loader) preferenceLines(p *syntax.Pragma, read func(*setting, line)) {
	spec := findPragma(preferencePragmas, p.Name)
	seen := map[string]syntax.Value{}
	for _, ln := range pragmaLines(p) {
		if len(l.app.Plugins) > 0 && spec.setting(ln.key.Text) == nil && nearHint(ln.key.Text, spec.keyNames(), "") == "" && homeOf(ln.key.Text) == "" {
			continue // it is a plugin's
		}
		if s := l.settingOf(spec, ln); s != nil {
			l.repeats(seen, s.name, ln)
			l.warnIdle(p.Name, s, ln)
			read(s, ln)
		}
	}
}

// warnIdle says what to do instead of a setting that nothing reads. Whoever
// turns one off has what they want.
func (l *loader) warnIdle(pragma string, s *setting, ln line) {
	off := len(ln.values) == 1 && (strings.EqualFold(ln.values[0].Text, "false") || s.name == "env" && ln.values[0].Text == "testing")
	if s.instead != "" && !off {
		l.warnf(at(ln.key), "preference-idle", s.instead, "%s of @%s has no effect", s.name, pragma)
	}
}

func (l *loader) createSetting(s *setting, ln line) {
	if s.name == "autocreate" {
		l.booleanSetting(s, ln, &l.app.Prefs.Autocreate)
		return
	}
	l.app.Prefs.Templates = map[string]string{}
	for _, e := range ln.entries {
		if !slices.Contains(functionPragmas, e.Key.Text) {
			l.warnf(at(e.Key), "unknown-setting", nearHint(e.Key.Text, functionPragmas, "known: "+strings.Join(functionPragmas, ", ")),
				"no functions are made for @%s, so its template has no effect", e.Key.Text)
		}
		l.app.Prefs.Templates[e.Key.Text] = joinValues(e.Values)
	}
}

// useAWSSetting reads true, false, or the services of AWS that functions may call.
func (l *loader) useAWSSetting(s *setting, ln line) {
	prefs := &l.app.Prefs
	if len(ln.values) == 1 && (ln.values[0].Kind == syntax.Bool || strings.EqualFold(ln.values[0].Text, "true") || strings.EqualFold(ln.values[0].Text, "false")) {
		l.booleanSetting(s, ln, &prefs.UseAWS)
		return
	}
	for _, v := range ln.values {
		prefs.AWS = append(prefs.AWS, v.Text)
	}
}

func (l *loader) sandboxSetting(s *setting, ln line) {
	prefs := &l.app.Prefs
	switch s.name {
	case "env":
		l.choiceSetting(s, ln, &prefs.SandboxEnv)
	case "useAWS":
		l.useAWSSetting(s, ln)
	case "allow-origin":
		prefs.AllowOrigin = append(prefs.AllowOrigin, words(ln.values)...)
	case "allow-host":
		prefs.AllowHost = append(prefs.AllowHost, words(ln.values)...)
	case "livereload":
		prefs.LiveReload = l.optionalBoolean(s, ln)
	case "ports":
		l.readPorts(ln)
	case "external-db":
		l.booleanSetting(s, ln, &prefs.ExternalDB)
	case "seed-data":
		l.textSetting(s, ln, &prefs.SeedData)
	case "coldstart":
		l.booleanSetting(s, ln, &prefs.Coldstart)
	case "delete-vendor":
		prefs.DeleteVendor = l.optionalBoolean(s, ln)
	case "no-hydrate":
		l.booleanSetting(s, ln, &prefs.NoHydrate)
	}
}

// onePort is why most ports have nothing to set.
const onePort = "all services of the local cloud have one port, which functions are told"

// portNames are the ports that preferences may fix.
var portNames = []string{"http", "events", "queues", "tables"}

func (l *loader) readPorts(ln line) {
	ports := &l.app.Prefs.Ports
	*ports = Ports{}
	l.tablesPort = nil
	lines := entryLines(ln.entries)
	if len(ln.values) == 2 { // "ports http 3333" on one line
		lines = []line{{key: ln.values[0], values: ln.values[1:]}}
	}
	to := map[string]*int{"http": &ports.HTTP, "events": &ports.Events, "queues": &ports.Events, "tables": &ports.Tables}
	for _, ln := range lines {
		port := to[ln.key.Text]
		if port == nil {
			l.warnf(at(ln.key), "unknown-setting", nearHint(ln.key.Text, portNames, "known: "+strings.Join(portNames, ", ")),
				"there is no port called %s", ln.key.Text)
			continue
		}
		if port == &ports.Tables {
			l.tablesPort = &ln // it may be that external-db comes behind it
		}
		if port == &ports.Events {
			l.warnf(at(ln.key), "preference-idle", "remove the line: "+onePort,
				"the port %s of @sandbox has no effect", ln.key.Text)
		}
		l.integerSetting(&setting{name: ln.key.Text, typ: integerValue, min: 1, max: 65535}, ln, port)
	}
}

// readEnv reads @env: a map of variables for each stage. A stage of this file
// replaces the same stage of the file below it.
func (l *loader) readEnv(p *syntax.Pragma) {
	spec := findPragma(preferencePragmas, "env")
	for _, ln := range pragmaLines(p) {
		s := spec.setting(ln.key.Text)
		if s == nil {
			l.errorf(at(ln.key), "env-stage", nearHint(ln.key.Text, stages, "the stages are testing, staging and production"),
				"@env has no stage %s", ln.key.Text)
			continue
		}
		lines := entryLines(ln.entries)
		if len(ln.values) > 1 { // "testing NAME value" on one line
			lines = []line{{key: ln.values[0], values: ln.values[1:]}}
		} else if len(ln.values) == 1 {
			l.errorf(at(ln.values[0]), "env-value", "write "+ln.values[0].Text+" and its value", "the variable %s has no value", ln.values[0].Text)
			continue
		}
		l.setEnv(s.name, nil)
		for _, v := range lines {
			if l.checkEnvName(v.key.Text, at(v.key)) {
				l.setEnv(s.name, append(l.app.Env[s.name], EnvVar{Name: v.key.Text, Value: v.written(), Pos: v.key.Pos}))
			}
		}
	}
}

func (l *loader) setEnv(stage string, vars []EnvVar) {
	if l.app.Env == nil {
		l.app.Env = map[string][]EnvVar{}
	}
	l.app.Env[stage] = vars
}
