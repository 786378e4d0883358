package manifest

import (
	"path"
	"slices"

	"arc/manifest/syntax"
)

// PluginRef is a plugin or macro that the manifest names. Whoever runs plugins
// finds its file.
type PluginRef struct {
	Pragma string // "plugins" or "macros"
	Name   string // as written: of a scoped package without the @
	Src    string // slash path relative to the project root; "" when none is written
	// Program says that Src is a program of its own, which Node does not run.
	Program bool
	Pos     syntax.Pos
}

// readPlugins reads @plugins and @macros. Their code is not looked at: what it
// sets comes in with Options.
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
	kind := pragma[:len(pragma)-1]
	if it.Kind == syntax.Tuple || it.Kind == syntax.Vector {
		l.errorf(at(v), "plugin-form", "write the name on a line of its own, or src and a file below it", "a %s is one name", kind)
		return
	}
	if bad := strangers(v.Text, nameCharacters); bad != "" || v.Text == "_methods" {
		hint := "use letters, digits, and / - . _"
		if len(v.Text) > 1 && v.Text[0] == '@' {
			hint = "write " + v.Text[1:] + ": the @ of a scoped package is left out"
		}
		l.errorf(at(v), "plugin-name", hint, "%s cannot be the name of a %s", v.Text, kind)
		return
	}
	if pragma == "plugins" && builtIn[v.Text] && !(v.Text == "architect/plugin-typescript" && l.ownTypeScript()) {
		return
	}
	if slices.ContainsFunc(l.app.Plugins, func(p PluginRef) bool { return p.Name == v.Text }) {
		l.warnf(at(v), "duplicate-plugin", "remove one of the two", "%s is named already, and runs once", v.Text)
		return
	}
	ref := PluginRef{Pragma: pragma, Name: v.Text, Pos: it.Pos}
	for _, ln := range entryLines(it.Entries) {
		if ln.key.Text != "src" || len(ln.values) != 1 {
			l.warnf(at(ln.key), "unknown-setting", "write src and a file", "a %s has no setting %s, so it has no effect", kind, ln.key.Text)
			continue
		}
		src, ok := projectPath(ln.values[0].Text)
		if !ok {
			l.errorf(at(ln.values[0]), "path-outside", "write a file of the project, relative to the manifest", "%s is outside the project", ln.values[0].Text)
			return
		}
		ref.Src = src
	}
	ref.Program = pragma == "plugins" && ref.Src != "" && !l.folders.hasFolder(ref.Src) && !slices.Contains(nodeFiles, path.Ext(ref.Src)) &&
		(path.Ext(ref.Src) != "" || l.folders.hasFile(ref.Src))
	l.app.Plugins = append(l.app.Plugins, ref)
}

// ValidPluginName reports whether name may stand below @plugins.
func ValidPluginName(name string) bool {
	return name != "" && name != "_methods" && strangers(name, nameCharacters) == "" && path.Clean("/"+name) == "/"+name
}

// nodeFiles are the endings of what Node runs; a src of another one is a program.
var nodeFiles = []string{".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".json"}
