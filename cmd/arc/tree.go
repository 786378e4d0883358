package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"arc/manifest"
	"arc/manifest/syntax"
	"arc/source"
)

// codeTree is where the project's code is found: its own folder, and around it
// all of the disk, as Node looks for packages in every folder above.
func (p *project) codeTree() (source.Tree, error) {
	if p.disk == nil {
		root, err := os.OpenRoot(diskOf(p.dir))
		if err != nil {
			return source.Tree{}, fmt.Errorf("folders above the project: %w", err)
		}
		p.disk = root
	}
	disk := diskOf(p.dir)
	tree := source.Tree{
		Project: slashBelow(disk, p.dir),
		Top:     slashBelow(disk, repositoryOf(p.dir)),
		Disk:    disk,
	}
	tree.Files = overlay{around: p.disk.FS(), at: tree.Project, inner: p.files()}
	if p.tree != nil {
		tree.Disk = ""
	}
	return tree, nil
}

// diskOf is the root of the file system that a folder is in: / or C:\.
func diskOf(dir string) string { return filepath.VolumeName(dir) + string(filepath.Separator) }

// slashBelow is a folder's slash path below another one.
func slashBelow(above, dir string) string {
	rel, err := filepath.Rel(above, dir)
	if err != nil {
		return "."
	}
	return filepath.ToSlash(rel)
}

// repositoryOf is the folder that holds all of the project's own code: that of
// its git repository, else that of the workspace it is a package of, else its own.
func repositoryOf(dir string) string {
	top := dir
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if isWorkspace(at) {
			top = at
		}
		if at == filepath.Dir(at) {
			return top
		}
	}
}

// isWorkspace reports whether packages below a folder belong together.
func isWorkspace(dir string) bool {
	for _, name := range []string{"pnpm-workspace.yaml", "lerna.json"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "package.json"))
	var pkg struct{ Workspaces json.RawMessage }
	return err == nil && json.Unmarshal(withoutMark(data), &pkg) == nil && pkg.Workspaces != nil
}

// withoutMark is the text of a package.json without the byte order mark that some
// editors of Windows put in front, and that Node and npm pass over.
func withoutMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) }

// overlay is a file system with another one in place of one of its folders.
type overlay struct {
	around fs.FS
	at     string
	inner  fs.FS
}

func (o overlay) split(name string) (fs.FS, string) {
	if o.at == "." {
		return o.inner, name
	}
	if name == o.at {
		return o.inner, "."
	}
	if rest, ok := strings.CutPrefix(name, o.at+"/"); ok {
		return o.inner, rest
	}
	return o.around, name
}

func (o overlay) Open(name string) (fs.File, error) {
	files, name := o.split(name)
	return files.Open(name)
}

func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	files, name := o.split(name)
	return fs.ReadDir(files, name)
}

func (o overlay) ReadFile(name string) ([]byte, error) {
	files, name := o.split(name)
	return fs.ReadFile(files, name)
}

func (o overlay) Stat(name string) (fs.FileInfo, error) {
	files, name := o.split(name)
	return fs.Stat(files, name)
}

func (o overlay) Lstat(name string) (fs.FileInfo, error) {
	files, name := o.split(name)
	return fs.Lstat(files, name)
}

func (o overlay) ReadLink(name string) (string, error) {
	files, name := o.split(name)
	return fs.ReadLink(files, name)
}

// checkCode tells what is wrong with the code of the functions that have any.
func (s *session) checkCode(p *project) (syntax.Diagnostics, error) {
	tree, err := p.codeTree()
	if err != nil {
		return nil, err
	}
	copies, err := s.pluginCopies(p)
	if err != nil {
		return nil, err
	}
	published, err := p.staticManifest()
	if err != nil {
		return nil, err
	}
	build := s.builder(p)
	var wanted []source.Function
	var functions []*manifest.Function
	for _, fn := range p.app.Functions() {
		if !fn.Asset && fn.Config.HandlerExists {
			f := sourceFunction(p.app, fn).With(copies)
			f.Build = build
			if fn.Config.Shared {
				f.StaticManifest = published
			}
			wanted, functions = append(wanted, f), append(functions, fn)
		}
	}
	for _, f := range p.broughtCode() {
		f = f.With(copies)
		f.Build = build
		wanted = append(wanted, f)
	}
	bundles, err := tree.CollectAll(wanted)
	ds, notes := p.codeMistakes(tree, bundles)
	for _, note := range notes {
		s.note("%s", note)
	}
	ds = append(ds, keylessSessions(functions, bundles)...)
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			ds = append(ds, syntax.Diagnostic{Code: "code-unfit", Message: strings.TrimSuffix(line, "\n")})
		}
	}
	return ds, nil
}

// codeMistakes words what was found in functions' code, each thing once: what
// fails for one function need not be warned of for another.
func (p *project) codeMistakes(tree source.Tree, bundles []*source.Bundle) (ds syntax.Diagnostics, notes []string) {
	worst := map[source.Finding]source.Severity{}
	var order []source.Finding
	for _, b := range bundles {
		if b == nil {
			continue
		}
		for _, f := range b.Findings {
			severity := f.Severity
			f.Severity = 0
			was, known := worst[f]
			if !known {
				order = append(order, f)
			}
			if !known || severity < was {
				worst[f] = severity
			}
		}
	}
	for _, f := range order {
		d := syntax.Diagnostic{
			Pos:  syntax.Pos{File: f.File, Line: f.Line, Col: f.Col},
			Code: f.Code, Message: f.Text, Hint: f.Hint,
		}
		if f.EndCol > 0 {
			d.End = syntax.Pos{File: f.File, Line: f.Line, Col: f.EndCol}
		}
		switch worst[f] {
		case source.Note:
			notes = append(notes, f.String())
			continue
		case source.Warning:
			d.Severity = syntax.Warning
		}
		if p.sources[f.File] == nil && f.Line > 0 {
			if text, err := fs.ReadFile(tree.Files, path.Join(tree.Project, f.File)); err == nil {
				p.sources[f.File] = text
			}
		}
		ds = append(ds, d)
	}
	ds.Sort()
	return ds, notes
}
