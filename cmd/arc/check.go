package main

import (
	"fmt"
	"os"

	"arc/cfn"
	"arc/manifest/syntax"

	"github.com/urfave/cli/v2"
)

func (s *session) checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "tell every mistake of the project",
		Flags: append(s.pluginFlags(),
			&cli.BoolFlag{Name: "strict"},
			&cli.BoolFlag{Name: "json"},
		),
		Description: `Usage: arc check [--strict] [--json]

Reads the manifest and everything beside it, compiles the staging and the
production stack, and tells every mistake at once: those of the text, those that
CloudFormation or AWS would only find during a deploy, and those of code that
Lambda cannot load: imports that lead nowhere, what does not parse, handlers
that are not exported. Changes nothing, runs none of it and needs no account.

Flags:
      --strict  a warning fails too: for CI, where nobody reads one
      --json    print an array of {file, line, col, endLine, endCol, severity,
                code, message, hint} on stdout; lines and columns count from 1,
                0 stands for "nowhere in particular"
      --plugin-timeout N  seconds that each hook of a plugin may take (120)

Examples:
  arc check
  arc check --strict --json > mistakes.json

Exit codes: 0 no mistakes, or warnings only; 1 mistakes.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			return s.check(ctx.Bool("strict"), ctx.Bool("json"))
		},
	}
}

func (s *session) check(strict, asJSON bool) error {
	dir, err := projectDir()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("project folder: %w", err)
	}
	s.deployStage = "staging"
	p := &project{dir: dir, root: root}
	defer p.close()
	result, err := s.load(p)
	if err != nil {
		return err
	}
	p.app, p.sources = result.App, result.Sources
	ds := result.Diagnostics
	if !ds.HasErrors() {
		stacks, err := s.stackMistakes(p)
		if err != nil {
			return err
		}
		ds = append(ds, stacks...)
		code, err := s.checkCode(p)
		if err != nil {
			return err
		}
		static, err := staticMistakes(p)
		if err != nil {
			return err
		}
		ds = append(append(ds, code...), static...)
		ds.Sort()
	}
	s.listPlugins(p)
	if asJSON {
		err = s.printJSON(mistakes(ds))
	} else {
		err = ds.RenderIn(s.stderr, result.Sources, s.live.columns())
	}
	switch {
	case err != nil:
		return err
	case ds.HasErrors(), strict && len(ds) > 0:
		return exitCode(exitError)
	case len(ds) == 0:
		s.note("no mistakes")
		if usesAppSecret(p.app) {
			s.note("sessions are encrypted with SSM's /%s/<stage>/ARC_APP_SECRET; deploy makes it where there is none", p.app.Name)
		}
	}
	return nil
}

// stackMistakes is what both stages' stacks have wrong, each mistake once.
func (s *session) stackMistakes(p *project) (syntax.Diagnostics, error) {
	var all syntax.Diagnostics
	said := map[syntax.Diagnostic]bool{}
	for _, stage := range []string{"staging", "production"} {
		ds, err := s.forStage(p, stage)
		if err != nil {
			return nil, err
		}
		ds = append(ds, p.missingHandlers()...)
		opts := s.withPlugins(p, cfn.Options{Stage: stage})
		opts.Env = withSet(p, opts)
		_, wrong := cfn.Compile(p.app, opts)
		for _, d := range append(ds, wrong...) {
			if !said[d] {
				said[d] = true
				all = append(all, d)
			}
		}
	}
	if _, err := s.forStage(p, "staging"); err != nil { // which the code of is looked at
		return nil, err
	}
	return append(all, s.unsteady(p, cfn.Options{Stage: "staging"})...), nil
}

// mistake is a diagnostic as --json prints it.
type mistake struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Col      int    `json:"col"`
	EndLine  int    `json:"endLine"`
	EndCol   int    `json:"endCol"` // one past the last character
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
}

func mistakes(ds syntax.Diagnostics) []mistake {
	list := make([]mistake, 0, len(ds)) // [] when there are none, not null
	for _, d := range ds {
		m := mistake{
			File: d.Pos.File, Line: d.Pos.Line, Col: d.Pos.Col, EndLine: d.End.Line, EndCol: d.End.Col,
			Severity: "error", Code: d.Code, Message: d.Message, Hint: d.Hint,
		}
		if d.Severity == syntax.Warning {
			m.Severity = "warning"
		}
		if d.Pos.IsValid() && !d.End.IsValid() {
			m.EndLine, m.EndCol = m.Line, m.Col+1
		}
		list = append(list, m)
	}
	return list
}
