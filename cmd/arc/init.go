package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"arc/manifest"
	"arc/source"
	"arc/source/revision"

	"github.com/urfave/cli/v2"
)

func (s *session) initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "write the handlers that are missing",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Aliases: []string{"n"}},
			&cli.StringFlag{Name: "runtime", Aliases: []string{"r"}},
			&cli.StringFlag{Name: "plugin"},
		},
		Description: `Usage: arc init [--name NAME] [--runtime RUNTIME] [FOLDER]
       arc init --plugin NAME

Writes a small handler for every function of the manifest that has none. A
file that exists is never touched, and nothing is written where git ignores
it. Without a manifest, app.arc is written first. FOLDER (made when missing)
is the project; default: the current one.

Flags:
  -n, --name NAME        name of a new app (default: the folder's name)
  -r, --runtime RUNTIME  runtime of a new app: node, python, ruby, deno
      --plugin NAME      write src/plugins/NAME.js, a plugin to start from

Examples:
  arc init
  arc init --runtime python my-app

Exit codes: 0 written or nothing to do, 1 an error.`,
		Action: func(ctx *cli.Context) error {
			if ctx.NArg() > 1 {
				return withHint(fmt.Errorf("arc init takes one folder, but got %q as well", ctx.Args().Get(1)), "%s", helpHint(ctx))
			}
			dir := "."
			if ctx.NArg() == 1 {
				dir = ctx.Args().First()
			}
			if ctx.IsSet("plugin") {
				if ctx.NArg() > 0 || ctx.IsSet("name") || ctx.IsSet("runtime") {
					return withHint(errors.New("--plugin goes alone"), "arc init --plugin %s writes it in the project of this folder", ctx.String("plugin"))
				}
				return s.initPlugin(ctx.String("plugin"))
			}
			if err := s.initialize(dir, ctx.String("name"), ctx.String("runtime")); err != nil {
				return err
			}
			if ctx.NArg() == 1 && filepath.Clean(dir) != "." {
				s.note("next:\n  cd %s\n  arc sandbox", shellWord(dir))
			}
			return nil
		},
	}
}

// shellWord is a word as a shell takes it.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return isLetterOrDigit(r) || strings.ContainsRune("-_./~", r) || r > 0x7f
	}
	if strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// initialize writes what is missing in a project folder, and a manifest when
// there is none.
func (s *session) initialize(dir, name, runtime string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	if _, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) {
		// It is made only when something can be written to it.
		if _, err := newManifest(abs, name, runtime); err != nil {
			return err
		}
		if err := ignoredFolder(abs); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(abs, 0o777); err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	p := &project{dir: abs, root: root}
	defer p.close()
	if !hasManifest(p.files()) {
		if err := ignoredFolder(abs); err != nil {
			return err
		}
		above := manifestAbove(p.dir)
		text, err := newManifest(p.dir, name, runtime)
		if err != nil {
			return err
		}
		if err := s.writeNew(p, "app.arc", text); err != nil && !madeMeanwhile(p, "app.arc", err) {
			return err
		}
		if above != "" {
			s.note("%s this is an app of its own, below that of %s", s.paint(yellow, "warning:"), above)
		}
		if base := filepath.Base(p.dir); name == "" && !manifest.ValidAppName(base) {
			s.note("%s cannot be the name of an app, so it is called %s; --name, or @app in app.arc, names it otherwise", base, manifest.SuggestAppName(base))
		}
	} else if name != "" || runtime != "" {
		return withHint(errors.New("--name and --runtime are for a new app, and this folder has a manifest"),
			"edit @app, or @aws runtime, in the manifest")
	}
	if err := s.read(p); err != nil {
		return err
	}
	return s.writeHandlers(p)
}

// ignoredFolder refuses a folder for a new app, there or not, that git ignores.
func ignoredFolder(abs string) error {
	at, file := abs, "app.arc"
	for {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		at, file = filepath.Dir(at), path.Join(filepath.Base(at), file)
	}
	if !revision.Ignored(context.Background(), at, file)[file] {
		return nil
	}
	return withHint(fmt.Errorf("git ignores %s, and what is written there", abs), "choose another folder, take it out of .gitignore, or run git init in it")
}

// hasManifest asks whether any manifest stands in the folder. package.json
// counts only when it holds one, which manifest.Load tells.
func hasManifest(files fs.FS) bool {
	r := manifest.Load(files, manifest.Options{})
	return r.App == nil || r.App.File != ""
}

// newManifest is the manifest of a new app in a folder.
func newManifest(dir, name, runtime string) ([]byte, error) {
	if name == "" {
		name = manifest.SuggestAppName(filepath.Base(dir))
	}
	if !manifest.ValidAppName(name) {
		return nil, withHint(fmt.Errorf("%q cannot be the name of an app", name),
			"choose one with --name: two or more letters, digits, - or _, and a lower-case letter first")
	}
	text := "@app\n" + name + "\n\n@http\nget /\n"
	if runtime != "" {
		if problem, hint := manifest.RuntimeProblem(runtime); problem != "" {
			return nil, withHint(errors.New(problem), "%s", hint)
		}
		text += "\n@aws\nruntime " + runtime + "\n"
	}
	return []byte(text), nil
}

// writeHandlers writes a boilerplate for every function without a handler, and
// a first page when the app serves static files at / and has none.
func (s *session) writeHandlers(p *project) error {
	wrote, left := false, false
	write := func(name string, body []byte) error {
		wrote = true
		if err := s.writeNew(p, name, body); err != nil && !madeMeanwhile(p, name, err) {
			return err
		}
		return nil
	}
	ignored := map[string]bool{}
	// refuse tells what is not written, as git ignores it: it is made by something
	// else, and nobody would ever commit it.
	refuse := func(file, pos, what string) bool {
		if ignored[file] {
			s.note("%s%s: git ignores %s, and nothing is written there: %s", pos, what, file, cmp.Or(p.buildRemedy(file, true, false), "take it out of .gitignore"))
			left = true
		}
		return ignored[file]
	}
	type handler struct {
		fn   *manifest.Function
		file string
		body []byte
	}
	var handlers []handler
	var at []string
	for _, fn := range p.app.Functions() {
		if fn.Asset || fn.Config.HandlerExists {
			continue
		}
		written, ok, err := s.handlersByPlugins(p, fn)
		if err != nil {
			return err
		}
		for _, one := range written {
			handlers = append(handlers, handler{fn, path.Join(fn.Dir, one.Name), []byte(one.Body)})
			at = append(at, path.Join(fn.Dir, one.Name))
		}
		if ok {
			continue
		}
		file, body, err := source.Boilerplate(fn.Pragma, fn.Name, fn.Config.Runtime, len(p.app.WS) > 0)
		if err != nil {
			s.note("%s: @%s %s has no handler: %s", fn.Pos, fn.Pragma, fn.Name, handlerRemedy(fn))
			left = true
			continue
		}
		if named := fn.Config.HandlerFile; named != "" && named != file {
			file = named
			if body, err = source.BoilerplateFile(named, fn.Pragma, fn.Name, fn.Config.Runtime, len(p.app.WS) > 0); err != nil {
				return err
			}
		}
		handlers = append(handlers, handler{fn, path.Join(fn.Dir, file), body})
		at = append(at, path.Join(fn.Dir, file))
	}
	page := ""
	if servesFolder(p.app) && !exists(p.root, p.app.Static.Folder) {
		page = path.Join(p.app.Static.Folder, "index.html")
		at = append(at, page)
	}
	if len(at) > 0 {
		ignored = p.ignoredByGit(at...)
	}
	for _, h := range handlers {
		// Two functions may share one folder; the first one has written the file.
		if refuse(h.file, h.fn.Pos.String()+": ", fmt.Sprintf("@%s %s", h.fn.Pragma, h.fn.Name)) || exists(p.root, h.file) {
			continue
		}
		if err := write(h.file, h.body); err != nil {
			return err
		}
	}
	if page != "" && !refuse(page, "", "@static") {
		if err := write(page, source.IndexPage(p.app.Name)); err != nil {
			return err
		}
	}
	if !wrote && !left {
		s.note("nothing to write: every function has its handler")
	}
	return nil
}

// servesFolder reports whether / is answered from the static folder.
func servesFolder(app *manifest.App) bool {
	if app.Static == nil {
		return false
	}
	for _, r := range app.HTTP {
		if r.Function.Asset {
			return true
		}
	}
	return len(app.HTTP) == 0 && app.Proxy == nil
}

func exists(root *os.Root, name string) bool {
	_, err := root.Stat(filepath.FromSlash(name))
	return err == nil
}

// madeMeanwhile tells that a file could not be made as somebody else has made it since it
// was looked for, as a second arc init at the same time: it is left as it is, as any is.
func madeMeanwhile(p *project, name string, err error) bool {
	if !errors.Is(err, fs.ErrExist) {
		return false
	}
	info, err := p.root.Stat(filepath.FromSlash(name))
	return err == nil && info.Mode().IsRegular()
}

// writeNew writes a file that must not exist, with the folders above it.
func (s *session) writeNew(p *project, name string, body []byte) error {
	file := filepath.FromSlash(name)
	if err := p.root.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := writeWholeNew(p.root, file, body); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err := fmt.Fprintln(s.stdout, name)
	return err
}
