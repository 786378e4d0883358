package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"arc/manifest"
	"arc/manifest/syntax"

	"github.com/urfave/cli/v2"
)

func (s *session) fmtCommand() *cli.Command {
	return &cli.Command{
		Name:  "fmt",
		Usage: "rewrite the manifest in canonical form",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "check"}},
		Description: `Usage: arc fmt [--check]

Rewrites app.arc (or .arc) and the config.arc of every function in the one
canonical form: two blanks for each level, one between words, an empty line
between pragmas, quotes only where they are needed. Comments stay, and so does
the meaning. Prints the files it rewrites. While one of them has mistakes of
syntax, none is rewritten. JSON and YAML files are never touched.

Flags:
      --check  write nothing; print the files that would change, and exit 1 if
               there are any

Examples:
  arc fmt
  arc fmt --check

Exit codes: 0 formatted; 1 a mistake, or with --check a file that would change.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			return s.format(ctx.Bool("check"))
		},
	}
}

// formatted is a file with its text in canonical form.
type formatted struct {
	name string
	mode fs.FileMode
	text []byte
}

func (s *session) format(check bool) error {
	root, err := os.OpenRoot(".")
	if err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	defer root.Close()
	changed, err := s.unformatted(root)
	if err != nil {
		return err
	}
	for _, f := range changed {
		if !check {
			if err := replaceFile(root, f); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
		if _, err := fmt.Fprintln(s.stdout, f.name); err != nil {
			return err
		}
	}
	switch {
	case len(changed) == 0:
		s.note("nothing to change")
	case check:
		return exitCode(exitError)
	}
	return nil
}

// unformatted reads the project's .arc files and gives those that are not in
// canonical form.
func (s *session) unformatted(root *os.Root) ([]formatted, error) {
	// What the manifest means, and whether that is right, is for arc check.
	files := (&project{root: root}).files()
	result := manifest.Load(files, manifest.Options{Region: s.region(), Home: s.home()})
	if result.File() == "" {
		return nil, withHint(errors.New("there is no manifest here"), "arc init writes one")
	}
	var changed []formatted
	var ds syntax.Diagnostics
	for _, name := range manifestAndConfigs(result) {
		info, err := root.Lstat(filepath.FromSlash(name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if ext := path.Ext(name); ext == ".json" || ext == ".yaml" || ext == ".yml" {
			s.note("%s is not touched: arc fmt rewrites .arc files only", name)
			continue
		}
		if !info.Mode().IsRegular() {
			s.note("%s is not touched: it is not a plain file", name)
			continue
		}
		src, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		file, mistakes := syntax.Parse(name, src)
		ds = append(ds, mistakes...)
		if text := syntax.Format(file); !bytes.Equal(text, src) {
			changed = append(changed, formatted{name, info.Mode().Perm(), text})
		}
	}
	return changed, s.diagnose(&project{sources: result.Sources}, ds)
}

// manifestAndConfigs names the files that are formatted: the manifest, then the
// config file of each function.
func manifestAndConfigs(result manifest.Result) []string {
	names := []string{result.File()}
	if result.App == nil {
		return names
	}
	for _, fn := range result.App.Functions() {
		if file := fn.Config.Pos.File; file != "" && !slices.Contains(names, file) {
			names = append(names, file)
		}
	}
	slices.Sort(names[1:])
	return names
}
