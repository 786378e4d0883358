package manifest

import (
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"arc/manifest/syntax"
)

// PluginRef is a plugin or macro that the manifest names.
type PluginRef struct {
	Pragma string // "plugins" or "macros"
	Name   string
	Path   string // file found, slash path relative to the project root; "" when not found
	Pos    syntax.Pos
}

// readPlugins reads @plugins and @macros. Both are JavaScript that runs inside
// Architect: arc finds them, says what each would have done, and refuses.
func (l *loader) readPlugins() {
	for _, pragma := range []string{"plugins", "macros"} {
		p := l.pragma(pragma)
		if p == nil {
			continue
		}
		for _, it := range p.Items {
			l.readPlugin(pragma, it)
		}
	}
}

func (l *loader) readPlugin(pragma string, it *syntax.Item) {
	v := it.Name()
	kind := strings.TrimSuffix(pragma, "s")
	if it.Kind == syntax.Tuple || it.Kind == syntax.Vector {
		l.errorf(at(v), "plugin-form", "write the name on a line of its own, or src and a file below it", "a %s is one name", kind)
		return
	}
	if bad := strangers(v.Text, nameCharacters); bad != "" || v.Text == "_methods" {
		hint := "use letters, digits, and / - . _"
		if name, scoped := strings.CutPrefix(v.Text, "@"); scoped {
			hint = "write " + name + ": the @ of a scoped package is left out"
		}
		l.errorf(at(v), "plugin-name", hint, "%s cannot be the name of a %s", v.Text, kind)
		return
	}
	if pragma == "plugins" && builtIn[v.Text] {
		return
	}
	ref := PluginRef{Pragma: pragma, Name: v.Text, Pos: it.Pos}
	src := ""
	for _, ln := range entryLines(it.Entries) {
		if ln.key.Text == "src" && len(ln.values) == 1 {
			src = ln.values[0].Text
		}
	}
	ref.Path = l.findPlugin(pragma, v.Text, src)
	l.app.Plugins = append(l.app.Plugins, ref)
	hint := "remove it from @" + pragma + ", or keep deploying this app with Architect"
	if ref.Path == "" {
		// Its own code cannot be asked.
		would := knownPlugins[v.Text]
		if would == "" {
			would = "would do what no file here tells"
		}
		l.errorf(at(v), "plugins-unsupported", hint, "arc does not run the %s %s, which %s", kind, v.Text, would)
		return
	}
	l.errorf(at(v), "plugins-unsupported", hint, "arc does not run the %s %s, which %s", kind, v.Text, l.pluginWould(pragma, ref))
}

// findPlugin resolves a plugin as Architect does (manifest reference, 6.14).
func (l *loader) findPlugin(pragma, name, src string) string {
	if src != "" {
		clean, ok := projectPath(src)
		if !ok {
			return ""
		}
		if l.folders.hasFile(clean) {
			return clean
		}
		return l.packageMain(clean)
	}
	base := path.Join("src", pragma, name)
	for _, ext := range []string{".js", ".mjs"} {
		if l.folders.hasFile(base + ext) {
			return base + ext
		}
	}
	for _, dir := range []string{base, path.Join("node_modules", name), path.Join("node_modules", "@"+name)} {
		if file := l.packageMain(dir); file != "" {
			return file
		}
	}
	return ""
}

// packageMain is the file that requiring a folder runs; "" when there is none.
func (l *loader) packageMain(dir string) string {
	if !l.folders.hasFolder(dir) {
		return ""
	}
	if src, err := fs.ReadFile(l.files, path.Join(dir, "package.json")); err == nil {
		var pkg struct{ Main string }
		if json.Unmarshal(src, &pkg) == nil && pkg.Main != "" {
			main := path.Join(dir, pkg.Main)
			for _, ext := range []string{"", ".js", "/index.js"} {
				if l.folders.hasFile(main + ext) {
					return main + ext
				}
			}
		}
	}
	for _, name := range []string{"index.js", "index.mjs"} {
		if file := path.Join(dir, name); l.folders.hasFile(file) {
			return file
		}
	}
	return ""
}

// pluginWould says in words what a plugin's code hooks into.
func (l *loader) pluginWould(pragma string, ref PluginRef) string {
	if known := knownPlugins[ref.Name]; known != "" {
		return known
	}
	if pragma == "macros" {
		return "would change the template before each deploy"
	}
	src, err := fs.ReadFile(l.files, ref.Path)
	if err != nil {
		return "cannot be read: " + err.Error()
	}
	var would []string
	for _, h := range pluginHooks() {
		if h.pattern.Match(src) {
			would = append(would, h.would)
		}
	}
	if len(would) == 0 {
		return "has no method that Architect calls"
	}
	if last := len(would) - 1; last > 0 {
		return "would " + strings.Join(would[:last], ", ") + " and " + would[last]
	}
	return "would " + would[0]
}

// pluginHook is a part of Architect's plugin interface, and what having it
// means.
type pluginHook struct {
	pattern *regexp.Regexp
	would   string
}

// hook matches "top: {… method" and "top = {… method" loosely: it reads code
// that it does not run, and says what the code mentions.
func hook(top, method, would string) pluginHook {
	pattern := `(?s)\b` + top + `\b['"]?\s*[:=(].*\b` + method + `\b['"]?\s*[:=(,}]`
	return pluginHook{regexp.MustCompile(pattern), would}
}

var pluginHooks = sync.OnceValue(func() []pluginHook {
	return []pluginHook{
		hook("deploy", "start", "change the template before a deploy"),
		hook("deploy", "services", "add to what functions find by name"),
		hook("deploy", "target", "deploy by itself"),
		hook("deploy", "end", "run after a deploy"),
		hook("set", "(?:events|http|queues|scheduled|ws|tables-streams|customLambdas)", "add functions"),
		hook("set", "(?:tables|tables-indexes)", "add tables"),
		hook("set", "env", "set environment variables"),
		hook("set", "runtimes", "add a runtime"),
		hook("set", "(?:shared|views|static|proxy)", "change settings of the project"),
		hook("create", "(?:register|handlers)", "write files on arc init"),
		hook("hydrate", "copy", "copy files into functions"),
		hook("sandbox", "(?:start|watcher|end)", "run with the sandbox"),
	}
})

// knownPlugins says what widely used plugins and macros do.
var knownPlugins = map[string]string{
	"enhance/arc-plugin-enhance":       "adds the routes and the rendering of Enhance",
	"enhance/arc-plugin-styles":        "writes the style sheet of Enhance",
	"arc-plugin-esbuild":               "bundles handlers; write bundle true below @aws instead",
	"architect/plugin-bundles":         "bundles the browser's JavaScript",
	"architect/plugin-remix":           "builds and serves a Remix app",
	"architect/plugin-lambda-invoker":  "adds a menu to the sandbox that calls functions",
	"architect/plugin-node-prune":      "leaves needless files out of node_modules",
	"architect/arc-plugin-node-prune":  "leaves needless files out of node_modules",
	"architect/macro-node-prune":       "leaves needless files out of node_modules",
	"architect/plugin-storage-public":  "adds public buckets",
	"architect/macro-storage-public":   "adds public buckets",
	"architect/plugin-storage-private": "adds private buckets",
	"architect/macro-storage-private":  "adds private buckets",
	"architect/macro-http-api":         "swaps a REST API for an HTTP API, which arc makes in any case",
	"architect/macro-upload":           "adds a bucket for uploads",
}
