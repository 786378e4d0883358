package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/deploy/code"
	"arc/manifest"
	"arc/manifest/syntax"
	"arc/plugin"
	"arc/source/lockfile"
	"arc/source/revision"
)

// bothSides compiles the project as a git revision has it, and the working tree
// at the same time: the one waits for git where the other computes. What is said
// of the working tree is said when the revision is found to be sound, as if
// they had come one after the other.
func (s *session) bothSides(ctx context.Context, p *project, opts cfn.Options, ref string) (before, after side, err error) {
	var said bytes.Buffer
	tree := *s
	tree.stderr = &said
	var treeErr error
	var both sync.WaitGroup
	both.Go(func() { after, treeErr = tree.treeSide(p, opts, nil) })
	before, err = s.baseSide(ctx, p, opts, ref)
	both.Wait()
	if err != nil {
		return before, after, err
	}
	if _, err := said.WriteTo(s.stderr); err != nil {
		return before, after, err
	}
	return before, after, treeErr
}

// baseSide compiles the project as a git revision has it.
func (s *session) baseSide(ctx context.Context, p *project, opts cfn.Options, ref string) (side, error) {
	tree, err := revision.Open(ctx, p.dir, ref, p.files())
	if err != nil {
		return side{}, noRevision(ref, err)
	}
	defer tree.Close()
	// Its mistakes are of another time: they are told only when they stop the
	// comparison.
	var said bytes.Buffer
	quiet := *s
	quiet.stderr = &said
	base := &project{dir: p.dir, root: p.root, tree: tree, compared: true, pluginsOff: p.pluginsOff}
	defer base.closeDisk()
	defer func() { base.plugins.close() }()
	if !p.pluginsOff && len(p.app.Plugins) > 0 {
		dir, remove, err := laidOut(tree, p.dir)
		if err != nil {
			return side{}, err
		}
		defer remove()
		base.pluginDir = dir
	}
	before, err := quiet.compileBase(ctx, tree, base, p, opts, ref)
	if _, stopped := errors.AsType[exitCode](err); stopped {
		return before, withHint(fmt.Errorf("the project at %s cannot be compared with:\n%s", ref, indent(said.String())), "name a revision that arc check has no mistakes in")
	}
	if err != nil {
		return before, fmt.Errorf("--base %s: %w", ref, err)
	}
	if before.build == nil {
		s.note("%s has no manifest: everything would be added", ref)
		return before, nil
	}
	// What a bundle holds is asked for later, when the revision is closed.
	before.contents = map[string]diff.Code{}
	reader := &code.Reader{LocksFirst: true}
	for key, bundle := range before.build.bundles {
		contents, err := reader.Contents(bundle)
		if err != nil {
			return before, fmt.Errorf("--base %s: %w", ref, err)
		}
		before.contents[key] = diff.Code(contents)
	}
	before.packages = lockedPackages(tree)
	before.accepted, err = readAccepted(tree)
	return before, err
}

// noRevision says what to do when a revision cannot be read.
func noRevision(ref string, err error) error {
	named := fmt.Errorf("--base %s: %w", ref, err)
	switch {
	case errors.Is(err, revision.ErrNotInstalled):
		return withHint(fmt.Errorf("%w, and --base reads a revision with it", named), "install git, or compare with --template")
	case errors.Is(err, revision.ErrNoRepository):
		return withHint(named, "compare with a template instead: arc diff --template before.json")
	case errors.Is(err, revision.ErrNoCommit):
		return withHint(named, "name a branch, a tag or a commit; in CI fetch it first: git fetch origin main")
	}
	return named
}

func (s *session) compileBase(ctx context.Context, tree *revision.Tree, base, now *project, opts cfn.Options, ref string) (side, error) {
	if err := s.read(base); err != nil {
		return side{}, err
	}
	if base.app.File == "" && now.app.File != "" {
		return side{label: ref}, nil // the project begins after it
	}
	if err := tree.ReadAhead(ctx, base.dir, codeFolders(base.app)); err != nil {
		return side{}, err
	}
	b, err := s.compile(base, opts)
	if err != nil {
		return side{}, err
	}
	return s.builtSide(ref, base, b, nil)
}

// codeFolders are where the code of the app's functions is.
func codeFolders(app *manifest.App) []string {
	var folders []string
	for _, fn := range app.Functions() {
		folders = append(folders, fn.Dir)
	}
	if app.Shared != nil {
		folders = append(folders, app.Shared.Dir)
	}
	if app.Views != nil {
		folders = append(folders, app.Views.Dir)
	}
	return folders
}

// packagesBeside gives the working tree's packages where the other side's are
// known.
func (a side) packagesBeside(before side) map[string]string {
	if before.packages == nil {
		return nil
	}
	return lockedPackages(a.project.files())
}

// lockedPackages reads the versions that the project's own lock files pin.
// Packages of other languages are told apart from npm's by their file.
func lockedPackages(files fs.FS) map[string]string {
	versions := map[string]string{}
	for _, file := range lockfile.Names() {
		data, err := fs.ReadFile(files, file)
		if err != nil {
			continue
		}
		suffix := ""
		if file == "requirements.txt" || file == "Gemfile.lock" {
			suffix = " in " + file
		}
		for name, version := range lockfile.Versions(file, data) {
			versions[name+suffix] = version
		}
	}
	return versions
}

// origins finds the manifest line of a resource, and the plugin that it names,
// where one brought it.
func origins(app *manifest.App, stack *cfn.Stack) func(string) (diff.Position, bool) {
	names := map[syntax.Pos]string{}
	for _, ref := range plugin.Refs(app) {
		names[ref.Pos] = ref.Kind() + " " + ref.Name
	}
	return func(id string) (diff.Position, bool) {
		pos, ok := stack.Origins[path.Base(id)]
		return diff.Position{File: pos.File, Line: pos.Line, Column: pos.Col, Plugin: names[pos]}, ok && pos.Line > 0
	}
}

// functionNames tells what the manifest calls the function of a logical ID.
func functionNames(stack *cfn.Stack) func(string) string {
	names := map[string]string{}
	for _, fn := range stack.Functions {
		names[fn.LogicalID] = "@" + fn.Pragma + " " + fn.Name
	}
	return func(id string) string { return names[path.Base(id)] }
}
