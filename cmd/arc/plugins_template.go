package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/sam"
	"arc/manifest"
	"arc/manifest/syntax"
	"arc/plugin"
	"arc/source"
)

// withPlugins has plugins change the template that is compiled with options. They
// are asked once a command and stack: how the template differs that is compiled
// again, they have no say in.
func (s *session) withPlugins(p *project, opts cfn.Options) cfn.Options {
	host := p.plugins.hosted()
	if host == nil || !host.ChangesTemplates() {
		return opts
	}
	d := p.deploymentFor(opts)
	opts.Change = func(template []byte, functions []cfn.Function) (cfn.Changed, syntax.Diagnostics) {
		e := p.plugins.edits[d.StackName]
		if e == nil {
			view, err := sam.View(template, functions)
			if err == nil {
				e = &edit{before: view}
				e.Edited, err = host.Edit(s.context(), p.plugins.project.For(d), d, view)
			}
			if err != nil {
				return cfn.Changed{Template: template}, pluginErrors(p, err)
			}
			p.plugins.edits[d.StackName] = e
		}
		return p.carry(e, template, opts)
	}
	return opts
}

// askPlugins has plugins change the template of a stack, before the code of its
// functions is looked at: some build it while they are asked.
func (s *session) askPlugins(p *project, opts cfn.Options) (cfn.Options, error) {
	opts = s.withPlugins(p, opts)
	if opts.Change == nil {
		return opts, nil
	}
	_, ds := cfn.Compile(p.app, opts)
	if !ds.HasErrors() {
		ds = nil // who compiles with the code tells
		if e := p.edit(opts); e != nil {
			e.told = false
		}
	}
	return opts, s.diagnose(p, ds)
}

// edit is what plugins have made of the template of a stack; nil = nothing.
func (p *project) edit(opts cfn.Options) *edit {
	if p.plugins == nil {
		return nil
	}
	return p.plugins.edits[p.deploymentFor(opts).StackName]
}

// broughtFunction is a function that a plugin has put into the template.
type broughtFunction struct {
	id     string
	source source.Function
}

// broughtFunctions are those whose code is in the project, sorted by logical ID.
func (p *project) broughtFunctions(opts cfn.Options) []broughtFunction {
	e := p.edit(opts)
	if e == nil {
		return nil
	}
	var list []broughtFunction
	for _, id := range slices.Sorted(maps.Keys(e.code)) {
		list = append(list, broughtFunction{id, e.code[id]})
	}
	return list
}

// broughtCode is the code of all that plugins have put into the templates that were
// compiled so far, once where stages share it.
func (p *project) broughtCode() (list []source.Function) {
	if p.plugins == nil {
		return nil
	}
	said := map[[3]string]bool{}
	for _, stack := range slices.Sorted(maps.Keys(p.plugins.edits)) {
		e := p.plugins.edits[stack]
		for _, id := range slices.Sorted(maps.Keys(e.code)) {
			f := e.code[id]
			if key := [3]string{f.Dir, f.Handler, f.Runtime}; !said[key] {
				said[key] = true
				list = append(list, f)
			}
		}
	}
	return list
}

// codeFor is the code of a function that a plugin has put into the template, by
// its properties there.
func codeFor(dir string, files fs.FS, properties map[string]any) source.Function {
	text := func(name string) string { s, _ := properties[name].(string); return s }
	f := source.Function{Dir: dir, Runtime: text("Runtime"), Handler: text("Handler"), Arch: "x86_64"}
	if list, _ := properties["Architectures"].([]any); len(list) == 1 {
		f.Arch, _ = list[0].(string)
	}
	file, _, _ := strings.Cut(f.Handler, ".")
	for _, ext := range []string{"", ".js", ".mjs", ".cjs", ".ts", ".mts", ".py", ".rb"} {
		if info, err := fs.Stat(files, path.Join(dir, file+ext)); err == nil && !info.IsDir() {
			f.HandlerFile = file + ext
			break
		}
	}
	return f
}

// withSet names the variables that plugins set among the user's.
func withSet(p *project, opts cfn.Options) []string {
	names := slices.Clone(opts.Env)
	for _, v := range p.app.Set[opts.Environment()] {
		names = append(names, v.Name)
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// pluginCopies are files that plugins put into every function.
func (s *session) pluginCopies(p *project) ([]source.Copy, error) {
	host := p.plugins.hosted()
	if len(host.With("hydrate.copy")) == 0 {
		return nil, nil
	}
	copies, err := host.Copies(s.context(), p.plugins.project)
	if err != nil {
		return nil, s.diagnose(p, pluginErrors(p, err))
	}
	var list []source.Copy
	for _, c := range copies {
		copied := source.Copy{From: c.Source, To: c.Target}
		if st := p.app.Static; st != nil && c.Source == path.Join(st.Folder, "static.json") {
			// Architect writes it there before it asks, and arc writes into no project.
			if copied.Body, err = p.staticManifest(); err != nil {
				return nil, err
			}
		}
		list = append(list, copied)
	}
	return list, nil
}

// pluginErrors are errors of plugins, and of what they made, as diagnostics.
func pluginErrors(p *project, err error) syntax.Diagnostics {
	ds, rest := pluginMistakes(err)
	if rest != nil {
		ds = append(ds, syntax.Diagnostic{Pos: p.app.Pos, Code: "plugin-template", Message: rest.Error(), Hint: "does it happen without the plugins?"})
	}
	return ds
}

// carry takes what plugins made of the view over into the template itself.
func (p *project) carry(e *edit, template []byte, opts cfn.Options) (cfn.Changed, syntax.Diagnostics) {
	changed := cfn.Changed{Template: template, Origin: func(id string) syntax.Pos { return p.pluginOrigin(e, id) }}
	var ds syntax.Diagnostics
	for _, failed := range e.Failed {
		d := failed.Diagnostic()
		d.Severity, d.Hint = syntax.Warning, "the sandbox goes on without what it changes in the template; a deploy ends here"
		ds = append(ds, d)
	}
	if bytes.Equal(e.before, e.Template) {
		if e.told {
			ds = nil
		}
		e.told = true
		return changed, ds
	}
	carried, problems, err := sam.Carry(template, e.before, e.Template)
	if err != nil {
		return changed, pluginErrors(p, err)
	}
	for _, problem := range problems {
		ds = append(ds, p.carryProblem(e, problem))
	}
	changed.Template = carried.Template
	for id, key := range e.keys {
		changed.Template = bytes.ReplaceAll(changed.Template, quoteJSON(opts.ArtifactKey(id+".zip")), quoteJSON(opts.ArtifactKey(key)))
	}
	if e.code == nil {
		ds = append(ds, p.findCode(e, carried)...)
	}
	if e.told {
		return changed, slices.DeleteFunc(ds, func(d syntax.Diagnostic) bool { return d.Severity == syntax.Warning })
	}
	e.told = true
	for _, id := range slices.Sorted(maps.Keys(e.code)) {
		if why := manifest.Retired(e.code[id].Runtime, today()); why != "" {
			ds = append(ds, p.retiredOf(e, id, why))
		}
	}
	return changed, ds
}

// findCode notes the code of functions that plugins have put into the template.
func (p *project) findCode(e *edit, carried sam.Carried) (ds syntax.Diagnostics) {
	e.code, e.keys = map[string]source.Function{}, map[string]string{}
	doc, err := cfn.Parse(carried.Template)
	if err != nil {
		return pluginErrors(p, err)
	}
	for _, id := range slices.Sorted(maps.Keys(carried.Code)) {
		dir, ok := p.codeOf(carried.Code[id])
		if !ok {
			ds = append(ds, syntax.Diagnostic{
				Pos: p.pluginOrigin(e, id), Code: "plugin-code",
				Message: fmt.Sprintf("the code of %s is at %s, which is outside the project", id, carried.Code[id]),
				Hint:    "keep it in the project, or install its package in the project's own node_modules",
			})
			continue
		}
		e.code[id] = codeFor(dir, p.files(), doc.Resources[id].Properties)
	}
	return ds
}

// retiredOf warns of the runtime of a function that a plugin has put into the template.
func (p *project) retiredOf(e *edit, id, why string) syntax.Diagnostic {
	d := syntax.Diagnostic{Pos: p.app.Pos, Severity: syntax.Warning, Code: "runtime-retired", Message: id + ": " + why, Hint: "have the plugin name another runtime"}
	if by := e.Bringer("Resources." + id); by != nil {
		d.Pos, d.End = by.Pos, by.Pos
		d.End.Col += len(by.Name)
		d.Hint = fmt.Sprintf("the %s %s names it: update it, or write another runtime there", by.Kind(), by.Name)
	}
	return d
}

func quoteJSON(text string) []byte {
	quoted, _ := json.Marshal(text) // text always encodes
	return quoted
}

// carryProblem is a change that could not be taken over, where the manifest names
// the plugin that made it.
func (p *project) carryProblem(e *edit, problem sam.Problem) syntax.Diagnostic {
	by := e.Whose(problem.Path)
	d := syntax.Diagnostic{Pos: p.app.Pos, Code: "plugin-template", Message: problem.Path + ": " + problem.Message, Hint: problem.Hint}
	if by == nil && len(e.Steps) > 0 {
		by = e.Steps[0].Plugin
	}
	if by != nil {
		d.Pos, d.End = by.Pos, by.Pos
		d.End.Col += len(by.Name)
		d.Message = by.Kind() + " " + by.Name + ": " + d.Message
	}
	if d.Hint == "" {
		d.Hint = "write it as plain CloudFormation"
	}
	if problem.Warning {
		d.Severity = syntax.Warning
	}
	return d
}

// codeOf is a path that a plugin gives for code, relative to the project.
func (p *project) codeOf(text string) (string, bool) {
	clean := path.Clean(filepath.ToSlash(text))
	if filepath.IsAbs(text) {
		rel, err := filepath.Rel(p.pluginFolder(), text)
		if err != nil {
			return "", false
		}
		clean = filepath.ToSlash(rel)
	}
	return clean, clean != ".." && !strings.HasPrefix(clean, "../")
}

// unsteady names plugins that make another template of the same one when they are
// asked again: what is reviewed is then not what is deployed.
func (s *session) unsteady(p *project, opts cfn.Options) syntax.Diagnostics {
	host := p.plugins.hosted()
	if host == nil || !host.ChangesTemplates() {
		return nil
	}
	d := p.deploymentFor(opts)
	e := p.plugins.edits[d.StackName]
	if e == nil {
		return nil
	}
	again, err := host.Edit(s.context(), p.plugins.project.For(d), d, e.before)
	if err != nil {
		return pluginErrors(p, err)
	}
	var ds syntax.Diagnostics
	for i, step := range e.Steps {
		if i < len(again.Steps) && !plugin.Same(step.Template, again.Steps[i].Template) {
			end := step.Plugin.Pos
			end.Col += len(step.Plugin.Name)
			ds = append(ds, syntax.Diagnostic{
				Pos: step.Plugin.Pos, End: end, Severity: syntax.Warning, Code: "plugin-unsteady",
				Message: fmt.Sprintf("%s %s, %s, makes another template each time it runs", step.Plugin.Kind(), step.Plugin.Name, step.Hook),
				Hint:    "what differs each time, such as a date or a random name, cannot be reviewed: take it out of the plugin",
			})
			break // those after it were given another template
		}
	}
	return ds
}
