package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
	"arc/manifest"
	"arc/manifest/syntax"
	"arc/source/revision"

	"github.com/urfave/cli/v2"
)

// isGiven reports whether both sides are named: arc diff OLD NEW needs no
// project, and makes templates of any tool comparable.
func isGiven(ctx *cli.Context) (bool, error) {
	words := ctx.Args().Slice()
	switch len(words) {
	case 0:
		return false, nil
	case 1:
		if near := syntax.Near(words[0], flagNames(ctx)); near != "" {
			return false, withHint(fmt.Errorf("arc diff wants two templates, OLD and NEW, but got %q alone", words[0]), "did you mean --%s?", near)
		}
		if _, err := os.Stat(manifestHere()); err == nil {
			return false, withHint(fmt.Errorf("arc diff wants two templates, OLD and NEW, but got %q alone", words[0]), "arc diff --template %s compares the project with it", quoted(words[0]))
		}
		return false, withHint(fmt.Errorf("arc diff wants two templates, OLD and NEW, but got %q alone", words[0]), "arc diff git:HEAD:%s %s compares it with the last commit", quoted(words[0]), quoted(words[0]))
	case 2:
	default:
		return false, withHint(fmt.Errorf("arc diff wants two templates, OLD and NEW, but got %d words", len(words)), "arc diff %s %s", quoted(words[0]), quoted(words[1]))
	}
	for _, name := range []string{"production", "stage", "name", "preview", "base", "template", "output"} {
		if ctx.IsSet(name) {
			return false, withHint(fmt.Errorf("--%s is about the project in this folder, and OLD and NEW are templates", name), "arc diff %s %s", quoted(words[0]), quoted(words[1]))
		}
	}
	if words[0] == "-" && words[1] == "-" {
		return false, withHint(errors.New("standard input can be one side only"), "write one of the templates to a file")
	}
	return true, nil
}

// manifestHere is a manifest of this folder; one that does not exist when there
// is none.
func manifestHere() string {
	for _, name := range []string{"app.arc", "arc.json", "arc.yaml", "arc.yml"} {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return "app.arc"
}

// quoted spells a word so that a shell takes it for one.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=,^~") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// givenSides reads what the two words of arc diff OLD NEW stand for.
func (s *session) givenSides(ctx *cli.Context) (before, after side, err error) {
	var both [2]*given
	for i := range both {
		if both[i], err = s.openGiven(ctx, ctx.Args().Get(i)); err != nil {
			return before, after, err
		}
		defer both[i].close()
	}
	var alone []string
	if both[0].stacks != nil || both[1].stacks != nil {
		if alone, err = pairStacks(both[0], both[1]); err != nil {
			return before, after, err
		}
	}
	was, is, unread, err := compare.FlattenBoth(both[0].tree(), both[1].tree())
	if err != nil {
		return before, after, err
	}
	before, after = both[0].side(was, unread), both[1].side(is, nil)
	for _, name := range alone {
		after.limits = append(after.limits, "the stack "+name+" is in OLD alone, and no deploy of NEW touches it: it stays as it is, and nothing updates it any more")
	}
	for _, g := range both {
		if g.aliases {
			s.note("%s %s has YAML aliases, which CloudFormation refuses; they are read as aws cloudformation package expands them", s.paint(yellow, "warning:"), g.label)
		}
	}
	return before, after, nil
}

// given is one side of arc diff OLD NEW while it is read.
type given struct {
	word     string
	label    string
	files    fs.FS  // where nested templates are; nil = nowhere
	file     string // in files
	root     *cfn.Document
	stacks   []assemblyStack          // of a folder that cdk synth wrote
	nested   map[string]*cfn.Document // of a stack that is deployed
	is       diff.Identity
	name     string // what the review is headed with
	lines    map[string]diff.Position
	aliases  bool
	accepted []diff.Acceptance // by the revision that it is of
	closers  []io.Closer
}

func (g *given) close() {
	for _, c := range slices.Backward(g.closers) {
		c.Close()
	}
}

// openGiven finds what a word stands for. Only stack: asks AWS.
func (s *session) openGiven(ctx *cli.Context, word string) (*given, error) {
	g := &given{word: word, label: word}
	if word == "-" {
		g.label = "standard input"
		data, err := io.ReadAll(s.stdin)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return g, g.parse(data)
	}
	if name, ok := strings.CutPrefix(word, "stack:"); ok {
		return g, s.openStack(ctx, g, name)
	}
	if rest, ok := strings.CutPrefix(word, "git:"); ok {
		return g, s.openRevision(ctx.Context, g, rest)
	}
	if word == os.DevNull {
		return g, nil // nothing is deployed, and who writes this knows it
	}
	dir, file := filepath.Split(filepath.Clean(word))
	if filepath.IsLocal(word) { // nested templates may lie beside its folder
		dir, file = ".", filepath.Clean(word)
	}
	root, err := os.OpenRoot(filepath.Clean("./" + dir))
	if filepath.IsAbs(word) {
		root, err = os.OpenRoot(dir)
	}
	if err != nil {
		return nil, withHint(fmt.Errorf("template to compare: %w", err), "%s", givenForms)
	}
	g.closers = append(g.closers, root)
	g.files, g.file, g.name = root.FS(), filepath.ToSlash(file), filepath.ToSlash(word)
	return g, g.open()
}

// givenForms says what OLD and NEW may be.
const givenForms = "OLD and NEW are files, -, stack:NAME, git:REVISION:PATH, or folders that cdk synth wrote"

// openRevision reads REVISION:PATH. The path is one below the current folder.
func (s *session) openRevision(ctx context.Context, g *given, text string) error {
	ref, file, ok := strings.Cut(text, ":")
	if !ok || ref == "" || file == "" {
		return withHint(fmt.Errorf("%s: not a revision and a path in it", g.word), "git:main:%s", cmp.Or(file, ref, "template.yaml"))
	}
	dir, err := projectDir()
	if err != nil {
		return err
	}
	tree, err := revision.Open(ctx, dir, ref, os.DirFS(dir))
	switch {
	case errors.Is(err, revision.ErrNotInstalled):
		return withHint(fmt.Errorf("%s: %w, and git: reads a revision with it", g.word, err), "install git, or name two files")
	case errors.Is(err, revision.ErrNoRepository):
		return withHint(fmt.Errorf("%s: this folder is in no git repository", g.word), "name two files: arc diff OLD NEW")
	case errors.Is(err, revision.ErrNoCommit):
		return withHint(fmt.Errorf("%s: %w", g.word, err), "name a branch, a tag or a commit; in CI fetch it first: git fetch origin main")
	case err != nil:
		return fmt.Errorf("%s: %w", g.word, err)
	}
	g.closers = append(g.closers, closeFunc(tree.Close))
	g.files, g.file, g.name = tree, path.Clean(file), path.Clean(file)
	g.label = ref + ":" + g.file
	if g.accepted, err = readAccepted(tree); err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	return g.open()
}

type closeFunc func()

func (c closeFunc) Close() error { c(); return nil }

// openStack reads a deployed stack, with its nested ones.
func (s *session) openStack(ctx *cli.Context, g *given, name string) error {
	if name == "" {
		return withHint(fmt.Errorf("%s: there is no stack without a name", g.word), "stack:NAME")
	}
	dir, err := projectDir()
	if err != nil {
		return err
	}
	clients, err := s.connect(ctx, &project{dir: dir, app: &manifest.App{}})
	if err != nil {
		return err
	}
	stack, err := clients.Describe(ctx.Context, name)
	if err != nil {
		return err
	}
	if stack.Absent() {
		return withHint(fmt.Errorf("%s: there is no such stack in %s", g.word, clients.Region), "AWS_REGION=REGION and AWS_PROFILE=NAME say where to look; %s stands for nothing at all", os.DevNull)
	}
	templates, err := clients.Templates(ctx.Context, stack)
	if err != nil {
		return err
	}
	g.root, g.nested, g.name = templates.Root, templates.Nested, name
	g.is = diff.Identity{Stack: name, Region: clients.Region}
	return nil
}

// open reads the file or the folder.
func (g *given) open() error {
	info, err := fs.Stat(g.files, g.file)
	if err != nil {
		return withHint(fmt.Errorf("%s: %w", g.word, plainly(err)), "%s", givenForms)
	}
	if info.IsDir() {
		return g.openAssembly()
	}
	data, err := fs.ReadFile(g.files, g.file)
	if err != nil {
		return fmt.Errorf("%s: %w", g.word, plainly(err))
	}
	return g.parse(data)
}

// plainly is an error without the path, which the sentence has already.
func plainly(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

func (g *given) parse(data []byte) error {
	root, err := cfn.ParseGiven(data)
	if errors.Is(err, cfn.ErrNoResources) {
		return withHint(fmt.Errorf("%s: %w", g.word, err), "%s stands for nothing at all", os.DevNull)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", g.word, err)
	}
	g.root, g.aliases = root, root.Aliases
	if g.is = markedIdentity(root); g.is.Stack != "" {
		g.name = g.is.Stack
	}
	g.note("", g.file, data)
	return nil
}

// note keeps the lines of a template's resources. path is of the nested stack.
func (g *given) note(at, file string, data []byte) {
	if file == "" {
		return
	}
	if g.lines == nil {
		g.lines = map[string]diff.Position{}
	}
	for id, line := range cfn.ResourceLines(data) {
		p := diff.Position{File: file, Line: line.Line, Column: line.Col}
		g.lines[strings.TrimPrefix(at+"/"+id, "/")] = p
		if bare, taken := g.lines[id]; !taken {
			g.lines[id] = p
		} else if bare.File != file {
			delete(g.lines, id) // then it is named with its path
		}
	}
}

// side is what is known once nested templates are read in.
func (g *given) side(doc *cfn.Document, unread []string) side {
	return side{label: g.label, name: g.name, identity: g.is, file: g.file, lines: g.lines, doc: doc, unread: unread, accepted: g.accepted}
}

// tree is the template with the way to its nested ones.
func (g *given) tree() compare.Tree {
	found := map[string]string{"": g.file} // by path of a nested stack, its template
	return compare.Tree{Root: g.root, Part: func(at string, def cfn.ResourceDef) (*cfn.Document, error) {
		if g.nested != nil {
			return g.nested[at], nil
		}
		doc, err := g.part(at, def, found)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.word, err)
		}
		return doc, nil
	}}
}

// part reads a nested template that lies beside: nil when it does not, since
// then its address is one that only CloudFormation can read.
func (g *given) part(at string, def cfn.ResourceDef, found map[string]string) (*cfn.Document, error) {
	if stack := g.stackOf(at); stack != nil {
		found[at] = stack.file
		return g.read(at, stack.file)
	}
	parent := path.Dir(at)
	if parent == "." {
		parent = ""
	}
	if g.files == nil {
		return nil, nil
	}
	file, _ := def.Properties["TemplateURL"].(string)
	if file == "" || strings.Contains(file, "://") {
		if file = g.asset(found[parent], def.Properties["TemplateURL"]); file == "" {
			return nil, nil
		}
	}
	file = path.Join(path.Dir(found[parent]), filepath.ToSlash(file))
	if !fs.ValidPath(file) {
		return nil, nil
	}
	if _, err := fs.Stat(g.files, file); err != nil {
		return nil, nil
	}
	found[at] = file
	return g.read(at, file)
}

func (g *given) read(at, file string) (*cfn.Document, error) {
	data, err := fs.ReadFile(g.files, file)
	if err != nil {
		return nil, err
	}
	doc, err := cfn.ParseGiven(data)
	if errors.Is(err, cfn.ErrNoResources) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	g.aliases = g.aliases || doc.Aliases
	g.note(at, file, data)
	return doc, nil
}
