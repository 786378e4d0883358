package source

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// How TypeScript, and any Node handler with bundle true, becomes JavaScript:
// one ES module with everything that the handler imports, its source map, and
// in front of it a file of a few lines under the handler's name that turns the
// map on. Node reads maps of what is loaded afterwards only:
// https://nodejs.org/api/process.html#processsetsourcemapsenabledval.
//
// Packages go into the bundle, as all bundlers for Lambda do it, so that a
// CommonJS package may be imported by name. Left as they are: those of the
// runtime, those with native code, and those that the user calls external.

// esbuild bundles the handler of a function.
func (c *collector) esbuild(fn Function) (*built, error) {
	b := fn.Build
	if b == nil || b.Dir == "" {
		return nil, fmt.Errorf("%s: must be bundled, and there is nothing to do it with", path.Join(fn.Dir, fn.HandlerFile))
	}
	stem := strings.TrimSuffix(fn.HandlerFile, path.Ext(fn.HandlerFile))
	out := stem + ".bundle"
	p := &esbuildPlugin{c: c, fn: fn, dir: b.Dir, left: map[string]left{}}
	options := api.BuildOptions{
		AbsWorkingDir:       b.Dir,
		EntryPointsAdvanced: []api.EntryPoint{{InputPath: "./" + path.Join(fn.Dir, fn.HandlerFile), OutputPath: out}},
		Outdir:              b.Dir, // the map names the sources relative to it; nothing is written
		Bundle:              true,
		Platform:            api.PlatformNode,
		Format:              api.FormatESModule,
		OutExtension:        map[string]string{".js": ".mjs"},
		Charset:             api.CharsetUTF8,
		Sourcemap:           api.SourceMapLinked,
		SourcesContent:      api.SourcesContentExclude,
		LegalComments:       api.LegalCommentsInline,
		Metafile:            true,
		LogLevel:            api.LogLevelSilent,
		Plugins:             []api.Plugin{{Name: "arc", Setup: p.setup}},
		Banner:              map[string]string{"js": requireBanner},
	}
	if version := nodeVersion(fn.Runtime); version != "" {
		options.Engines = []api.Engine{{Name: api.EngineNode, Version: version}}
	}
	if b.Live {
		// What runs from a scratch folder should name the files that the developer edits.
		options.SourceRoot = "file://" + filepath.ToSlash(b.Dir) + "/"
	}
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return &built{findings: p.mistakes(result.Errors, Error)}, nil
	}
	return p.result(result, stem, out)
}

// requireBanner gives CommonJS code in an ES module what it expects; see
// https://github.com/evanw/esbuild/issues/1921. Being var, as esbuild makes all
// variables of a module, they give way to those of the same name in the code.
const requireBanner = `import { createRequire as __arcRequire } from 'node:module'
import { fileURLToPath as __arcPath } from 'node:url'
var require = __arcRequire(import.meta.url)
var __filename = __arcPath(import.meta.url)
var __dirname = __arcPath(new URL('.', import.meta.url)).replace(/[/\\]$/, '')`

// nodeVersion is the version in the name of a runtime: "22" of nodejs22.x.
func nodeVersion(runtime string) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(runtime, "nodejs"), ".")
	return version
}

// esbuildPlugin decides what goes into a bundle.
type esbuildPlugin struct {
	c       *collector
	fn      Function
	dir     string // of the project, on disk
	natives memo[string, bool]

	mu   sync.Mutex
	left map[string]left // packages left as they are, by name
}

// asked marks the plugin's own questions to esbuild.
type asked struct{}

func (p *esbuildPlugin) setup(build api.PluginBuild) {
	if p.fn.Build.Revised {
		p.readRevision(build)
	}
	build.OnResolve(api.OnResolveOptions{Filter: `.*`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
		if _, own := args.PluginData.(asked); own || args.Kind == api.ResolveEntryPoint {
			return api.OnResolveResult{}, nil
		}
		if args.Path == staticManifest && p.fn.StaticManifest != nil {
			return api.OnResolveResult{Path: args.Path, Namespace: inNoFolder}, nil
		}
		if ours(packageOf(args.Path)) {
			return p.shared(build, args)
		}
		name := packageName(args.Path)
		p.look(args.ResolveDir, args.Path, name)
		if name == "" {
			return api.OnResolveResult{}, nil
		}
		switch {
		case slices.Contains(p.fn.Ignore, name):
		case inRuntime(p.fn.Runtime, name):
			p.leave(args, name) // for runs on this machine, which has no such runtime
		case slices.Contains(p.fn.External, name), p.native(build, args, name):
			p.leave(args, name)
		default:
			return api.OnResolveResult{}, nil
		}
		return api.OnResolveResult{Path: args.Path, External: true}, nil
	})
	build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: inNoFolder}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
		text := string(p.fn.StaticManifest)
		if p.fn.StaticFile != "" {
			now, err := os.ReadFile(p.fn.StaticFile)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text = string(now)
		}
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJSON}, nil
	})
}

// inNoFolder is esbuild's namespace of what is bundled and has no file.
const inNoFolder = "arc"

// readRevision has esbuild read the project's files where the collector does,
// and not on the disk, which has another version of them. Packages are those of
// the disk.
func (p *esbuildPlugin) readRevision(build api.PluginBuild) {
	own := func(file string) (string, bool) {
		rel := p.relative(file)
		return path.Join(p.c.base, rel), !strings.HasPrefix(rel, "../") && !strings.Contains("/"+rel, "/node_modules/")
	}
	build.OnResolve(api.OnResolveOptions{Filter: `^\.\.?(/|$)`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
		file := filepath.Join(args.ResolveDir, filepath.FromSlash(args.Path))
		name, mine := own(file)
		if !mine {
			return api.OnResolveResult{}, nil
		}
		for _, end := range []string{"", ".tsx", ".ts", ".jsx", ".js", ".css", ".json", "/index.tsx", "/index.ts", "/index.jsx", "/index.js", "/index.json"} {
			if info, err := fs.Stat(p.c.files, name+end); err == nil && !info.IsDir() {
				return api.OnResolveResult{Path: file + filepath.FromSlash(end)}, nil
			}
		}
		for js, ts := range map[string]string{".js": ".ts", ".mjs": ".mts", ".cjs": ".cts", ".jsx": ".tsx"} { // as TypeScript writes its imports
			if stem, ok := strings.CutSuffix(name, js); ok {
				if info, err := fs.Stat(p.c.files, stem+ts); err == nil && !info.IsDir() {
					return api.OnResolveResult{Path: strings.TrimSuffix(file, js) + ts}, nil
				}
			}
		}
		return api.OnResolveResult{Errors: []api.Message{{Text: fmt.Sprintf("Could not resolve %q", args.Path)}}}, nil
	})
	build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "file"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		name, mine := own(args.Path)
		if !mine {
			return api.OnLoadResult{}, nil
		}
		body, err := fs.ReadFile(p.c.files, name)
		if err != nil {
			return api.OnLoadResult{}, p.c.unreadable(name, err)
		}
		text := string(body)
		return api.OnLoadResult{Contents: &text, ResolveDir: filepath.Dir(args.Path), Loader: api.LoaderDefault}, nil
	})
}

// packageOf is packageName for the names that Node would not look up either.
func packageOf(spec string) string {
	parts := strings.SplitN(spec, "/", 3)
	if len(parts) < 2 {
		return spec
	}
	return parts[0] + "/" + parts[1]
}

// shared finds shared code and views where they are written.
func (p *esbuildPlugin) shared(build api.PluginBuild, args api.OnResolveArgs) (api.OnResolveResult, error) {
	folder := p.fn.Shared
	if packageOf(args.Path) == "@architect/views" {
		folder = p.fn.Views
	}
	if folder == "" {
		return api.OnResolveResult{}, nil // esbuild says that there is no such package
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(args.Path, packageOf(args.Path)), "/")
	found := build.Resolve("./"+rest, api.ResolveOptions{
		Importer: args.Importer, Namespace: args.Namespace, Kind: args.Kind, PluginData: asked{},
		ResolveDir: filepath.Join(p.dir, filepath.FromSlash(folder)),
	})
	return api.OnResolveResult{Path: found.Path, Errors: found.Errors, Warnings: found.Warnings, Namespace: found.Namespace, External: found.External}, nil
}

// leave notes a package that is not bundled.
func (p *esbuildPlugin) leave(args api.OnResolveArgs, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	file := p.relative(args.Importer)
	if old, ok := p.left[name]; ok && old.file <= file {
		return
	}
	line, col, end := p.place(file, args.Path)
	p.left[name] = left{name, file, line, col, end}
}

// place is where a file imports spec; its first character where it cannot be told.
func (p *esbuildPlugin) place(file, spec string) (line, col, end int) {
	body, err := fs.ReadFile(p.c.files, path.Join(p.c.base, file))
	if err != nil {
		return 1, 1, 2
	}
	for _, ref := range imports(body) {
		if ref.spec == spec {
			line, col = position(body, ref.offset)
			return line, col, col + ref.end - ref.offset
		}
	}
	return 1, 1, 2
}

// relative is a path of esbuild's as one of the project.
func (p *esbuildPlugin) relative(name string) string {
	if rel, err := filepath.Rel(p.dir, name); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(name)
}

// native reports whether a package has native code, which no bundle can hold.
func (p *esbuildPlugin) native(build api.PluginBuild, args api.OnResolveArgs, name string) bool {
	found := build.Resolve(args.Path, api.ResolveOptions{
		Importer: args.Importer, Namespace: args.Namespace, ResolveDir: args.ResolveDir, Kind: args.Kind, PluginData: asked{},
	})
	mark := "/node_modules/" + name + "/"
	file := filepath.ToSlash(found.Path)
	at := strings.LastIndex(file, mark)
	if len(found.Errors) > 0 || at < 0 {
		return false
	}
	dir := p.relative(file[:at+len(mark)-1])
	is, _ := p.natives.get(dir, func() (bool, error) { return hasNativeCode(p.c.files, path.Join(p.c.base, dir)), nil })
	return is
}

// Packages that only those with native code depend on.
var nativeHelpers = []string{"bindings", "node-gyp-build", "prebuild-install", "@mapbox/node-pre-gyp", "node-addon-api", "node-gyp-build-optional-packages"}

// platformPackage is the name of a package that holds native code for one
// platform: @img/sharp-linux-arm64, esbuild-darwin-64.
var platformPackage = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)[-/](linux|linuxmusl|darwin|win32)-?(x64|arm64|ia32|arm|64)`)
})

func hasNativeCode(project fs.FS, dir string) bool {
	body, err := fs.ReadFile(project, path.Join(dir, "package.json"))
	if err != nil {
		return false
	}
	pkg, err := parsePackage(body)
	if err != nil {
		return false
	}
	for _, name := range nativeHelpers {
		if _, ok := pkg.Dependencies[name]; ok {
			return true
		}
	}
	for name := range pkg.OptionalDependencies {
		if platformPackage().MatchString(name) {
			return true
		}
	}
	for _, pattern := range []string{"binding.gyp", "*.node", "build/Release/*.node", "lib/*.node", "prebuilds/*/*.node"} {
		if found, _ := fs.Glob(project, path.Join(dir, pattern)); len(found) > 0 {
			return true
		}
	}
	return false
}

// mistakes words esbuild's errors and warnings: where, what, and what to do.
func (p *esbuildPlugin) mistakes(messages []api.Message, severity Severity) []Finding {
	var found []Finding
	for _, m := range messages {
		f := Finding{File: path.Join(p.fn.Dir, p.fn.HandlerFile), Severity: severity, Code: "bundle", Text: lowerFirst(m.Text)}
		at := m.Location
		if at == nil && len(m.Notes) > 0 {
			at = m.Notes[0].Location
		}
		if at != nil {
			f.File, f.Line, f.Col, f.EndCol = at.File, at.Line, at.Column+1, at.Column+1+max(at.Length, 1)
		}
		if severity == Warning && strings.Contains(f.File, "node_modules/") {
			continue // a package's own affairs
		}
		if spec, ok := strings.CutPrefix(m.Text, "Could not resolve "); ok {
			spec = strings.Trim(spec, `"`)
			f.Code, f.Text, f.Module = "import-missing", "imports "+spec+", which is not there", spec
			if name := packageName(spec); name != "" && !ours(name) {
				text, hint := p.c.notInstalled(path.Join(p.c.base, path.Dir(f.File)), name)
				f.Code, f.Text, f.Hint, f.Package = "package-missing", "imports "+text, hint, name
			}
		}
		found = append(found, f)
	}
	return found
}

func lowerFirst(s string) string { return strings.ToLower(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// result turns esbuild's output into files of a zip.
func (p *esbuildPlugin) result(r api.BuildResult, stem, out string) (*built, error) {
	var meta struct {
		Inputs  map[string]json.RawMessage
		Outputs map[string]struct {
			EntryPoint string
			Exports    []string
		}
	}
	if err := json.Unmarshal([]byte(r.Metafile), &meta); err != nil {
		return nil, fmt.Errorf("esbuild's own account of %s: %w", p.fn.Dir, err)
	}
	done := &built{used: map[string]bool{}}
	for name := range meta.Inputs {
		if strings.HasPrefix(name, "(disabled):") {
			continue
		}
		if strings.HasPrefix(name, inNoFolder+":") {
			if p.fn.StaticFile != "" {
				done.reads = append(done.reads, p.fn.StaticFile)
			}
			continue
		}
		done.used[name] = true
		done.reads = append(done.reads, filepath.Join(p.dir, filepath.FromSlash(name)))
	}
	slices.Sort(done.reads)
	for _, name := range slices.Sorted(maps.Keys(done.used)) {
		// Whoever sends a change must not have files of the machine that bundles it published.
		at := path.Join(p.c.base, name)
		if strings.HasPrefix(name, "../") && (!fs.ValidPath(at) || !p.c.inTop(at)) && !strings.Contains(name, "/node_modules/") {
			done.findings = append(done.findings, Finding{File: path.Join(p.fn.Dir, p.fn.HandlerFile), Line: 1, Col: 1, Code: "import-outside",
				Text: "is bundled with " + name + ", which lies outside the project", Hint: "move it into the project"})
		}
	}
	for _, o := range r.OutputFiles {
		rel := p.relative(o.Path)
		done.files = append(done.files, inMemory(rel, o.Contents))
	}
	exports := []string{}
	for _, o := range meta.Outputs {
		if o.EntryPoint != "" {
			exports = o.Exports
		}
	}
	done.files = append(done.files, inMemory(stem+".mjs", entryModule(path.Base(out)+".mjs", exports, p.fn.method())))
	for _, name := range slices.Sorted(maps.Keys(p.left)) {
		done.left = append(done.left, p.left[name])
	}
	done.findings = append(done.findings, p.mistakes(r.Warnings, Warning)...)
	return done, nil
}

// method is the function that Lambda calls: "handler" of index.handler.
func (fn Function) method() string {
	_, method, _ := strings.Cut(path.Base(fn.Handler), ".")
	if method == "" {
		return "handler"
	}
	return method
}

var identifier = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_$][\w$]*$`) })

// entryModule is the file that Lambda loads. What CommonJS code exports is all in
// its default.
func entryModule(bundle string, exports []string, method string) []byte {
	var b strings.Builder
	b.WriteString("// Turns the source map on before the code that it is of is loaded.\nprocess.setSourceMapsEnabled(true)\n")
	fmt.Fprintf(&b, "const code = await import('./%s')\n", bundle)
	names := slices.Clone(exports)
	if !slices.Contains(names, method) {
		names = append(names, method)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		switch {
		case name == "default":
			b.WriteString("export default code.default\n")
		case !identifier().MatchString(name):
		case slices.Contains(exports, name):
			fmt.Fprintf(&b, "export const %s = code.%s\n", name, name)
		case slices.Contains(exports, "default"):
			fmt.Fprintf(&b, "export const %s = code.default?.%s\n", name, name)
		}
	}
	return []byte(b.String())
}
