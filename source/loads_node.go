package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/child"

	"github.com/evanw/esbuild/pkg/api"
	"golang.org/x/sync/errgroup"
)

// jsLook parses the JavaScript that Node evaluates when it loads functions, and the
// handlers of Deno, each file once, and looks for the handlers in what they export.
type jsLook struct {
	files []*parsedFile
	known map[string]*parsedFile
	of    []handlerOf
}

// parsedFile is a file and what esbuild reads in it.
type parsedFile struct {
	c       *collector
	build   *Builder
	module  ownModule
	runtime string
	bundles []*Bundle // that hold it
	method  string    // that Lambda calls, of a handler; "" of others
	quiet   bool      // who bundles it tells its mistakes

	mistakes []api.Message
	text     string   // as esbuild prints it, with marks
	format   string   // "esm", "cjs", "" = either
	exports  []string // of an ES module
	source   []byte   // nil = it is not parsed
	sum      string   // of all that the answer depends on
}

type handlerOf struct {
	fn     Function
	bundle *Bundle
	file   *parsedFile
}

func (l *jsLook) add(c *collector, fn Function, b *Bundle) {
	if l.known == nil {
		l.known = map[string]*parsedFile{}
	}
	modules := b.own
	handler := path.Join(c.base, fn.Dir, fn.HandlerFile)
	if real, _, err := c.locate(handler); err == nil && real != "" {
		handler = real
	}
	if fn.bundles() {
		modules = []ownModule{{file: handler}}
	}
	if fn.Runtime == "deno" { // which takes a .js file for CommonJS where a package.json says so
		modules = []ownModule{{file: handler, esm: true, sure: path.Ext(handler) != ".js"}}
	}
	for _, m := range modules {
		method := ""
		if m.file == handler && identifier().MatchString(fn.method()) {
			method = fn.method()
		}
		key := fmt.Sprintf("%s\x00%s\x00%t%t%t%t\x00%t", m.file, method, m.esm, m.sure, m.asked, fn.bundles(), detects(fn)) + strconv.FormatBool(fn.Runtime == "deno")
		p := l.known[key]
		if p == nil {
			p = &parsedFile{c: c, build: fn.Build, module: m, runtime: fn.Runtime, method: method, quiet: fn.bundles()}
			if detects(fn) {
				p.module.sure = p.module.sure && (p.module.esm || path.Ext(m.file) == ".cjs")
			}
			l.known[key] = p
			l.files = append(l.files, p)
		}
		p.bundles = append(p.bundles, b)
		if method != "" {
			l.of = append(l.of, handlerOf{fn, b, p})
		}
	}
}

// detects reports whether Node may take a .js file for an ES module by what is
// written in it: nodejs22.x and those before 20 do not.
// https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/138
func detects(fn Function) bool {
	major := nodeMajor(fn.Runtime)
	return fn.NodeOptions || major == 20 || major > 22
}

// read reads the files, but for those that are too large to be somebody's own, and
// those in which nothing was found before.
func (l *jsLook) read(known *before) error {
	for _, p := range l.files {
		body, err := p.c.body(p.module.file)
		if err != nil {
			return err
		}
		if len(body) > maxParsed {
			continue
		}
		p.sum = knownSum(p.method, path.Ext(p.module.file), fmt.Sprint(p.module.esm, p.module.sure, p.module.asked, p.quiet), string(body))
		if !known.known[p.sum] {
			p.source = body
		}
	}
	return nil
}

// parse parses the files, all those of one method at once: a call of esbuild takes a
// millisecond, a file less than that.
func (l *jsLook) parse(g *errgroup.Group) {
	groups := map[string][]*parsedFile{}
	for _, p := range l.files {
		if p.source == nil {
			continue
		}
		groups[p.method] = append(groups[p.method], p)
	}
	for method, files := range groups {
		g.Go(func() error {
			for some := range slices.Chunk(files, parsedAtOnce) {
				wrong, err := parseAll(method, some)
				if err == nil && wrong { // then esbuild tells nothing of the others
					_, err = parseAll(method, slices.DeleteFunc(slices.Clone(some), func(p *parsedFile) bool { return len(p.mistakes) > 0 }))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// parsedAtOnce bounds what esbuild holds: 1,000 files would take 170 MB.
const parsedAtOnce = 200

// parseAll has esbuild read files, and reports whether any has mistakes.
func parseAll(method string, files []*parsedFile) (wrong bool, err error) {
	if len(files) == 0 {
		return false, nil
	}
	options := api.BuildOptions{
		Outdir:   "/", // nothing is written
		Platform: api.PlatformNeutral,
		Charset:  api.CharsetUTF8,
		Metafile: true,
		LogLevel: api.LogLevelSilent,
		// What the project's tsconfig.json says is no matter of the grammar.
		TsconfigRaw: "{}",
	}
	const space = "own"
	for i := range files {
		options.EntryPointsAdvanced = append(options.EntryPointsAdvanced, api.EntryPoint{InputPath: strconv.Itoa(i), OutputPath: strconv.Itoa(i)})
	}
	named := func(name string) *parsedFile {
		i, err := strconv.Atoi(strings.TrimPrefix(name, space+":"))
		if err != nil || i < 0 || i >= len(files) {
			return nil
		}
		return files[i]
	}
	options.Plugins = []api.Plugin{{Name: "arc", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: `.*`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: args.Path, Namespace: space}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: space}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			p := named(args.Path)
			text := string(p.source)
			return api.OnLoadResult{Contents: &text, Loader: loaderOf(p.module.file)}, nil
		})
	}}}
	if method != "" {
		options.Define = map[string]string{"exports": markExports, "module": markModule, "module.exports": markOwn, "this": markThis,
			"require.main": markModule, "require.cache": markModule}
		options.MangleProps, options.MangleQuoted = "^"+regexp.QuoteMeta(method)+"$", api.MangleQuotedTrue
		options.MangleCache = map[string]any{method: markMethod}
	}
	result := api.Build(options)
	for _, m := range result.Errors {
		if m.Location == nil || named(m.Location.File) == nil {
			return false, fmt.Errorf("esbuild cannot read the handlers: %s", m.Text)
		}
		p := named(m.Location.File)
		p.mistakes = append(p.mistakes, m)
	}
	if len(result.Errors) > 0 {
		return true, nil
	}
	var meta struct {
		Inputs  map[string]struct{ Format string }
		Outputs map[string]struct {
			EntryPoint string
			Exports    []string
		}
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return false, fmt.Errorf("esbuild's own account of handlers: %w", err)
	}
	for name, in := range meta.Inputs {
		if p := named(name); p != nil {
			p.format = in.Format
		}
	}
	for _, out := range meta.Outputs {
		if p := named(out.EntryPoint); p != nil {
			p.exports = out.Exports
		}
	}
	for _, out := range result.OutputFiles {
		if p := named(strings.TrimSuffix(path.Base(filepath.ToSlash(out.Path)), ".js")); p != nil {
			p.text = string(out.Contents)
		}
	}
	return false, nil
}

func loaderOf(file string) api.Loader {
	switch path.Ext(file) {
	case ".ts", ".mts", ".cts":
		return api.LoaderTS
	case ".tsx":
		return api.LoaderTSX
	}
	return api.LoaderJS
}

// tell adds the findings, once Node agrees with esbuild's.
func (l *jsLook) tell(known *before) error {
	refused, err := l.refused()
	if err != nil {
		return err
	}
	wrong := map[*parsedFile]bool{}
	for _, p := range l.files {
		for _, f := range p.findings(refused) {
			wrong[p] = true
			for _, b := range p.bundles {
				b.Findings = append(b.Findings, f)
			}
		}
	}
	defined := false
	for _, p := range l.files {
		if globalRequire().Match(p.source) {
			wrong[p], defined = true, true // nothing is, but it is to be read again
		}
	}
	for _, p := range l.files {
		f := p.requires()
		if f == nil {
			continue
		}
		wrong[p] = true
		for _, b := range p.bundles {
			if !defined {
				b.Findings = append(b.Findings, *f)
			}
		}
	}
	for _, h := range l.of {
		if f := h.finding(); f != nil {
			wrong[h.file] = true
			h.bundle.Findings = append(h.bundle.Findings, *f)
		}
	}
	for _, p := range l.files {
		if p.source != nil && !wrong[p] {
			known.fine(p.sum)
		}
	}
	return nil
}

// refused tells of files that esbuild does not read whether their runtime refuses them
// as well; one whose runtime is not on this machine is not among them.
func (l *jsLook) refused() (map[*parsedFile]bool, error) {
	refused := map[*parsedFile]bool{}
	for _, p := range l.files {
		if len(p.mistakes) == 0 || p.runtime != "deno" {
			continue
		}
		if err := p.askDeno(refused); err != nil {
			return nil, err
		}
	}
	return refused, l.askNode(refused)
}

// askDeno has Deno's formatter read a file: it has the grammar of its runtime, and runs
// nothing. https://docs.deno.com/runtime/reference/cli/fmt/
func (p *parsedFile) askDeno(refused map[*parsedFile]bool) error {
	found, err := p.build.machine().Find(context.Background(), p.runtime)
	if err != nil {
		return nil
	}
	ctx := p.build.Context
	if ctx == nil {
		ctx = context.Background()
	}
	cmd := exec.Command(found.Program, "fmt", "--no-config", "--quiet", "--ext="+strings.TrimPrefix(path.Ext(p.module.file), "."), "-")
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "DENO_NO_UPDATE_CHECK=1")
	cmd.Stdin = bytes.NewReader(p.source)
	err = child.Run(ctx, cmd)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ended := errors.AsType[*exec.ExitError](err); err == nil || ended {
		refused[p] = err != nil
	}
	return nil
}

// askNode has Node read the files of its functions.
func (l *jsLook) askNode(refused map[*parsedFile]bool) error {
	type ask struct {
		Text   string `json:"text"`
		Module bool   `json:"module"`
	}
	var asks []ask
	var of []*parsedFile
	for _, p := range l.files {
		if len(p.mistakes) > 0 && !p.quiet && p.runtime != "deno" {
			asks, of = append(asks, ask{string(p.source), p.module.esm}), append(of, p)
			if !p.module.sure { // either will do
				asks, of = append(asks, ask{string(p.source), true}), append(of, p)
			}
		}
	}
	if len(asks) == 0 {
		return nil
	}
	build := of[0].build
	found, err := build.machine().Find(context.Background(), of[0].runtime)
	if err != nil {
		return nil
	}
	var reads []bool
	err = build.ask(found.Program, "node.cjs", []string{"--no-warnings", "--experimental-vm-modules", "-e"}, asks, &reads)
	if ctx := build.Context; ctx != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || len(reads) != len(of) {
		return nil
	}
	for _, p := range of {
		refused[p] = true
	}
	for i, p := range of {
		refused[p] = refused[p] && !reads[i]
	}
	return nil
}

// findings are the mistakes of the file itself.
func (p *parsedFile) findings(refused map[*parsedFile]bool) []Finding {
	refuses, asked := refused[p]
	file := p.c.show(p.module.file)
	switch {
	case p.quiet || p.source == nil:
		return nil
	case len(p.mistakes) == 0:
		if p.format == "esm" && p.module.sure && !p.module.esm {
			line, col, end := p.moduleSyntax()
			stem := strings.TrimSuffix(path.Base(file), path.Ext(file))
			hint := fmt.Sprintf(`rename it to %s.mjs, or write {"type": "module"} into a package.json beside it`, stem)
			if nodeMajor(p.runtime) == 22 && path.Ext(file) == ".js" {
				hint += "; where a stage's NODE_OPTIONS have Node find it out, set them for testing as well"
			}
			if path.Ext(file) == ".cjs" {
				hint = "rename it to " + stem + ".mjs"
			}
			return []Finding{{File: file, Line: line, Col: col, EndCol: end, Code: "code-syntax", Text: "is written as an ES module, and Lambda takes " + path.Base(file) + " for CommonJS", Hint: hint}}
		}
		return nil
	case asked && !refuses:
		return nil
	}
	var list []Finding
	for _, m := range p.mistakes {
		f := Finding{File: file, Line: 1, Col: 1, Code: "code-syntax", Text: "does not parse: " + lowerFirst(m.Text), Hint: "correct it: Lambda cannot load the function"}
		if strings.HasPrefix(m.Text, "The JSX syntax") && p.runtime != "deno" {
			f.Text, f.Hint = "does not parse: Node knows no JSX", "name it "+strings.TrimSuffix(path.Base(file), path.Ext(file))+".tsx, which arc compiles"
		}
		if at := m.Location; at != nil {
			f.Line, f.Col, f.EndCol = at.Line, at.Column+1, at.Column+1+max(at.Length, 1)
			if text := bytes.TrimRight(p.source, " \t\r\n"); strings.HasSuffix(m.Text, "end of file") && len(text) > 0 {
				f.Line, f.Col = position(p.source, len(text)-1) // where there is a line to show
				f.EndCol = f.Col + 1
			}
		}
		if !asked {
			f.Severity = Warning // Node, or Deno, is not here to agree
		}
		list = append(list, f)
	}
	return list
}
