package manifest

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"arc/manifest/syntax"
)

// configFiles are the names of a function's config file; the first one found
// in its folder wins (manifest reference, 7.1).
var configFiles = []string{
	"config.arc", ".arc-config", "arc.json", "arc-config.json",
	"config.yaml", "config.yml", "arc-config.yaml", "arc-config.yml",
}

// settings are a function's configuration while layers are put upon it.
type settings struct {
	Config
	handler syntax.Value // as written; zero = the runtime's usual one
	timeout syntax.Value // as written
	shared  *bool        // as written
	views   *bool
}

// builtinSettings is the lowest layer.
func builtinSettings() settings {
	return settings{Config: Config{
		Runtime:      DefaultRuntime,
		Memory:       1152,
		Timeout:      5,
		Storage:      512,
		Architecture: "arm64",
		Env:          true,
		Hydrate:      true,
	}}
}

// DefaultConfig is a function's configuration when nobody says anything.
func DefaultConfig() Config {
	c := builtinSettings().Config
	c.Shared, c.Handler = true, "index.handler"
	return c
}

// defaults is DefaultConfig with what @aws says.
func (l *loader) defaults() Config {
	c := l.base.Config
	c.Shared, c.Handler = true, "index.handler"
	if l.base.handler.Text != "" {
		c.Handler = l.base.handler.Text
	}
	return c
}

// layer is one place that sets things: @aws of the manifest, @aws or @arc of a
// config file. Lists of a layer replace those of the layer below.
type layer struct {
	to       *settings
	spec     *pragmaSpec
	seen     map[string]syntax.Value
	layers   bool // the list has been started anew
	policies bool
}

func newLayer(to *settings, spec *pragmaSpec) *layer {
	return &layer{to: to, spec: spec, seen: map[string]syntax.Value{}}
}

// functionSetting puts one line upon a function's settings.
func (l *loader) functionSetting(layer *layer, s *setting, ln line) {
	c := layer.to
	switch s.name {
	case "layers":
		l.addTo(&c.Layers, &layer.layers, s, ln)
		if len(ln.values) > 0 {
			l.checkLayers(ln.values, len(c.Layers))
		}
		return
	case "policies":
		l.addTo(&c.Policies, &layer.policies, s, ln)
		return
	}
	l.repeats(layer.seen, s.name, ln)
	switch s.name {
	case "runtime":
		l.readRuntime(c, s, ln)
	case "memory":
		l.integerSetting(s, ln, &c.Memory)
	case "timeout":
		if l.integerSetting(s, ln, &c.Timeout) {
			c.timeout = ln.values[0]
		}
	case "storage":
		l.integerSetting(s, ln, &c.Storage)
	case "architecture":
		l.choiceSetting(s, ln, &c.Architecture)
	case "handler":
		if v, ok := l.single(s, ln); ok {
			c.handler = v
		}
	case "concurrency":
		l.readConcurrency(c, s, ln)
	case "provisionedConcurrency":
		l.integerSetting(s, ln, &c.ProvisionedConcurrency)
	case "fifo":
		c.Fifo = l.optionalBoolean(s, ln)
	case "reportBatchItemFailures":
		c.ReportsFailures = l.optionalBoolean(s, ln)
	case "shared":
		c.shared = l.optionalBoolean(s, ln)
	case "views":
		c.views = l.optionalBoolean(s, ln)
	case "env":
		l.booleanSetting(s, ln, &c.Env)
	case "hydrate":
		l.booleanSetting(s, ln, &c.Hydrate)
	case "bundle":
		l.booleanSetting(s, ln, &c.Bundle)
	case "external":
		c.External = words(ln.values)
	case "ignoreDependencies":
		c.IgnoreDependencies = words(ln.values)
	}
}

// addTo adds the words of ln to a list that this layer may have to start anew.
func (l *loader) addTo(list *[]string, started *bool, s *setting, ln line) {
	if !*started {
		*list, *started = nil, true
	}
	if len(ln.values) == 0 {
		l.errorf(at(ln.key), "setting-value", usage(s), "%s has no value", ln.key.Text)
	}
	for _, w := range words(ln.values) {
		if !slices.Contains(*list, w) {
			*list = append(*list, w)
		}
	}
}

func words(vs []syntax.Value) []string {
	list := make([]string, len(vs))
	for i, v := range vs {
		list[i] = v.Text
	}
	return list
}

func (l *loader) optionalBoolean(s *setting, ln line) *bool {
	var b bool
	if !l.booleanSetting(s, ln, &b) {
		return nil
	}
	return &b
}

func (l *loader) readRuntime(c *settings, s *setting, ln line) {
	v, ok := l.single(s, ln)
	if !ok {
		return
	}
	if custom, base := l.customRuntime(v.Text); custom != nil {
		c.Custom, c.Runtime, c.RuntimeAlias = custom, base, v.Text
		return
	}
	name, alias, ok := resolveRuntime(v.Text)
	if !ok {
		message, hint := runtimeProblem(v.Text)
		l.errorf(at(v), "runtime", hint, "%s", message)
		return
	}
	if isTypeScript(alias) {
		name = l.typeScript
	}
	if text := Retired(name, l.opts.Today); text != "" && alias == "" {
		l.warnf(at(v), "runtime-retired", "write runtime "+successor(name), "%s", text)
	}
	c.Runtime, c.RuntimeAlias, c.Custom = name, alias, nil
}

func (l *loader) readConcurrency(c *settings, s *setting, ln line) {
	if len(ln.values) == 1 && ln.values[0].Text == "unthrottled" {
		c.Concurrency = nil
		return
	}
	var n int
	if l.integerSetting(s, ln, &n) {
		c.Concurrency = &n
	}
}

// configure gives every function its configuration: the project's defaults,
// its own config file, and the file that holds its handler.
func (l *loader) configure() {
	fns := l.app.Functions()
	dirs := make([]string, 0, len(fns))
	for _, fn := range fns {
		if !fn.Asset {
			dirs = append(dirs, fn.Dir)
		}
	}
	l.folders.list(dirs)
	configs := map[string]*syntax.File{} // by folder: two functions may share one
	for _, fn := range fns {
		s := l.base
		if fn.Asset {
			fn.Config = AssetConfig()
			continue
		}
		l.layerSet(&s, l.setConfig[fn.Pragma+" "+fn.Name])
		before := len(l.ds)
		f, again := configs[fn.Dir]
		if !again {
			f = l.parseConfig(fn.Dir)
			configs[fn.Dir] = f
		}
		if f != nil {
			l.layerConfig(&s, f)
		}
		l.finish(fn, &s)
		if again {
			l.ds = l.ds[:before] // told for the folder's first function
		}
	}
}

// parseConfig reads the config file of a folder; nil when there is none.
func (l *loader) parseConfig(dir string) *syntax.File {
	entries := l.folders.entries(dir)
	for _, name := range configFiles {
		if isDir, ok := entries[name]; ok && !isDir {
			return l.parse(path.Join(dir, name))
		}
	}
	return nil
}

// layerConfig puts a config file upon s: its @aws, then its @arc.
func (l *loader) layerConfig(s *settings, f *syntax.File) {
	s.Pos = syntax.Pos{File: f.Name, Line: 1, Col: 1}
	known := pragmaNames(configPragmas)
	for _, p := range f.Pragmas {
		if slices.Contains(known, p.Name) {
			continue
		}
		hint := "a config file holds @" + strings.Join(known, ", @")
		if findPragma(pragmas, p.Name) != nil {
			hint = "move it to the manifest"
		}
		l.warnf(atPragma(p), "unknown-pragma", nearHint("@"+p.Name, []string{"@aws", "@arc", "@uses"}, hint),
			"@%s has no effect in a config file", p.Name)
	}
	for _, name := range []string{"aws", "arc"} {
		p := f.Pragma(name)
		if p == nil {
			continue
		}
		layer := newLayer(s, findPragma(configPragmas, name))
		for _, ln := range pragmaLines(p) {
			if found := l.configSetting(layer, ln); found != nil {
				l.functionSetting(layer, found, ln)
			}
		}
	}
	if p := f.Pragma("uses"); p != nil {
		s.Uses = l.readUses(p)
	}
}

// layerSet puts upon s what a plugin sets of its own function.
func (l *loader) layerSet(s *settings, lines []line) {
	if len(lines) == 0 {
		return
	}
	layer := newLayer(s, findPragma(configPragmas, "aws"))
	for _, ln := range lines {
		if found := layer.spec.setting(ln.key.Text); found != nil {
			l.functionSetting(layer, found, ln)
		}
	}
}

// configSetting finds the setting of a line in a config file. Some settings
// are the project's alone.
func (l *loader) configSetting(layer *layer, ln line) *setting {
	for _, s := range projectSettings {
		if s.name == ln.key.Text {
			l.warnf(at(ln.key), "project-setting", "move it to @aws of the manifest",
				"%s is a setting of the whole project and has no effect for one function", s.name)
			return nil
		}
	}
	return l.settingOf(layer.spec, ln)
}

// finish fills fn.Config from its layered settings.
func (l *loader) finish(fn *Function, s *settings) {
	c := s.Config
	c.Shared = gets(fn, s.shared, l.sharedBy, true)
	c.Views = gets(fn, s.views, l.viewedBy, viewsByDefault(fn))
	if s.shared != nil && !*s.shared {
		c.Views = false // reference 6.13: shared false keeps views away, too
	}
	if c.Concurrency != nil && c.ProvisionedConcurrency > *c.Concurrency {
		where := l.written[fn].mark
		if c.Pos.IsValid() {
			where = span{from: c.Pos}
		}
		l.errorf(where, "provisioned-concurrency", "raise concurrency, or lower provisionedConcurrency",
			"%d instances are to be kept ready, but concurrency allows %d", c.ProvisionedConcurrency, *c.Concurrency)
	}
	l.checkTimeout(fn, s)
	if c.Custom != nil {
		l.resolveBuilt(fn, &c)
	} else {
		l.resolveHandler(fn, &c, s.handler)
	}
	fn.Config = c
}

// gatewayPatience is how many seconds API Gateway waits for a function (29 for
// WebSockets).
const gatewayPatience = 30

// checkTimeout warns of a function that may run on when its caller has got an
// error. A project's default is left alone: it is meant for events and queues.
func (l *loader) checkTimeout(fn *Function, s *settings) {
	if (fn.Pragma == "http" || fn.Pragma == "ws") && s.Timeout > gatewayPatience && s.timeout.Pos.File == s.Pos.File {
		l.warnf(at(s.timeout), "timeout-gateway", "write timeout "+strconv.Itoa(gatewayPatience)+", or hand the work to a queue",
			"API Gateway answers with an error after %d seconds, whatever the timeout", gatewayPatience)
	}
}

// viewsByDefault is whether a function gets src/views when nobody says: get
// and any routes do.
func viewsByDefault(fn *Function) bool {
	return fn.Pragma == "http" && (strings.HasPrefix(fn.Name, "get ") || strings.HasPrefix(fn.Name, "any "))
}

// AssetConfig is the configuration of arc's own asset function, whatever stands
// below @aws: that is for the app's functions. A file passes through in
// milliseconds; ten seconds are for a cold start and a slow bucket.
func AssetConfig() Config {
	return Config{
		Runtime: DefaultRuntime, Handler: "index.handler", HandlerFile: "index.mjs", HandlerExists: true,
		Memory: 1152, Timeout: 10, Storage: 512, Architecture: "arm64",
	}
}
