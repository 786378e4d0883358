package manifest

import (
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// readTypeScript reads @typescript, which Architect's TypeScript plugin brings:
// https://github.com/architect/plugin-typescript. arc compiles TypeScript
// itself, so only the runtime below it counts.
func (l *loader) readTypeScript() {
	l.typeScript = DefaultRuntime
	p := l.pragma("typescript")
	if p == nil {
		return
	}
	spec := findPragma(pragmas, "typescript")
	for _, ln := range pragmaLines(p) {
		s := l.settingOf(spec, ln)
		if s == nil {
			continue
		}
		switch s.name {
		case "base-runtime":
			v, ok := l.single(s, ln)
			if !ok {
				continue
			}
			name, _, known := resolveRuntime(v.Text)
			if !known || !strings.HasPrefix(name, "nodejs") {
				l.errorf(at(v), "runtime", "write base-runtime "+DefaultRuntime, "TypeScript runs on Node, not on %s", v.Text)
				continue
			}
			l.typeScript = name
		case "build", "sourcemaps":
			if l.ownTypeScript() {
				continue
			}
			if s.name == "sourcemaps" {
				l.warnf(at(ln.key), "no-effect", "remove the line", "sourcemaps has no effect: bundles always have a source map")
				continue
			}
			l.warnf(at(ln.key), "no-effect", "remove the line", "build has no effect: arc bundles TypeScript without writing into the project")
		case "esbuild-config":
			if l.ownTypeScript() {
				continue // the plugin's, which then compiles
			}
			l.errorf(at(ln.key), "esbuild-config", "put what it sets into tsconfig.json; name packages that must not be bundled with external below @aws",
				"arc does not run the project's JavaScript, and %s is JavaScript", ln.text())
		}
	}
}

// ownTypeScript says that Architect's plugin compiles TypeScript itself: the
// project has settings in JavaScript, which only that runs.
func (l *loader) ownTypeScript() bool {
	plugins, settings := l.pragma("plugins"), l.pragma("typescript")
	if plugins == nil || settings == nil {
		return false
	}
	named := slices.ContainsFunc(plugins.Items, func(it *syntax.Item) bool { return it.Name().Text == "architect/plugin-typescript" })
	return named && slices.ContainsFunc(settings.Items, func(it *syntax.Item) bool { return it.Name().Text == "esbuild-config" })
}

// builtIn are the plugins of Architect that arc does the work of, and how.
var builtIn = map[string]bool{
	"architect/plugin-typescript": true,
	"architect/plugin-go":         true,
	"architect/plugin-rust":       true,
}
