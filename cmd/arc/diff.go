package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"arc/cfn"
	"arc/cfn/diff"

	"github.com/urfave/cli/v2"
)

func (s *session) diffCommand() *cli.Command {
	return &cli.Command{
		Name:  "diff",
		Usage: "show what a deploy would change",
		Flags: append(stageFlags(),
			&cli.StringFlag{Name: "template"},
			&cli.BoolFlag{Name: "local"},
			&cli.BoolFlag{Name: "json"},
			&cli.BoolFlag{Name: "resources"},
		),
		Description: `Usage: arc diff [--production] [--name NAME] [--template FILE] [--local]

Compares the stack that a deploy would make with the one that is deployed:
resources added, changed and removed, and each property that differs. Values of
environment variables are never shown.

Flags:
  -p, --production   the production stack (default: staging)
  -n, --name NAME    a further stack of the stage
      --template F   compare with the template in file F ("-": standard input)
                     instead of what is deployed; needs no account
      --local        compare with what is deployed in the local cloud
      --json         print the changes as JSON

Examples:
  arc diff
  arc package > before.json && edit app.arc && arc diff --template before.json

Exit codes: 0 no changes, 1 an error, 2 changes, 3 changes that delete data.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			return s.diff(ctx)
		},
	}
}

func (s *session) diff(ctx *cli.Context) error {
	p, err := s.open()
	if err != nil {
		return err
	}
	defer p.close()
	opts := stageOptions(ctx)
	var before *cfn.Document
	if file := ctx.String("template"); file != "" {
		before, err = s.readTemplate(file)
	} else {
		before, opts.Env, err = s.deployed(ctx, p, opts)
	}
	if err != nil {
		return err
	}
	b, err := s.compile(p, opts)
	if err != nil {
		return err
	}
	after, err := cfn.Parse(b.template)
	if err != nil {
		return err
	}
	review := diff.Compose(before, after, diff.Options{Stack: b.stack.Name, Origin: origins(b.stack), Name: functionNames(b.stack), Now: time.Now().UTC()})
	return s.printDiff(review, ctx.Bool("json"), ctx.Bool("resources"))
}

// deployed reads the stack's template, and the names of the user's variables
// that a deploy would give it.
func (s *session) deployed(ctx *cli.Context, p *project, opts cfn.Options) (*cfn.Document, []string, error) {
	clients, err := s.connect(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	variables, err := clients.Env(ctx.Context, p.app.Name, opts.Stage)
	if err != nil {
		return nil, nil, err
	}
	name := cfn.StackName(p.app.Name, opts.Stage, opts.Name)
	state, err := clients.Describe(ctx.Context, name)
	if err != nil {
		return nil, nil, err
	}
	if !state.Exists {
		s.note("%s is not deployed yet: everything would be added", name)
		return nil, names(variables), nil
	}
	doc, err := cfn.Parse(state.Template)
	if err != nil {
		return nil, nil, fmt.Errorf("deployed stack %s: %w", name, err)
	}
	return doc, names(variables), nil
}

func (s *session) readTemplate(file string) (*cfn.Document, error) {
	var data []byte
	var err error
	if file == "-" {
		data, err = io.ReadAll(s.stdin)
	} else {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, withHint(fmt.Errorf("template to compare with: %w", err), "arc package prints one")
	}
	doc, err := cfn.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return doc, nil
}

// origins finds the manifest line of a resource.
func origins(stack *cfn.Stack) func(string) (diff.Position, bool) {
	return func(id string) (diff.Position, bool) {
		pos, ok := stack.Origins[id]
		return diff.Position{File: pos.File, Line: pos.Line, Column: pos.Col}, ok && pos.Line > 0
	}
}

// functionNames tells what the manifest calls the function of a logical ID.
func functionNames(stack *cfn.Stack) func(string) string {
	names := map[string]string{}
	for _, fn := range stack.Functions {
		names[fn.LogicalID] = "@" + fn.Pragma + " " + fn.Name
	}
	return func(id string) string { return names[id] }
}

// printDiff prints a review on stdout and ends the command with the code that
// says how dangerous it is.
func (s *session) printDiff(review *diff.Review, asJSON, resources bool) error {
	var err error
	if asJSON {
		enc := json.NewEncoder(s.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(review)
	} else {
		err = diff.Text(s.stdout, review, diff.TextOptions{Paint: s.paintSign, Resources: resources})
	}
	switch {
	case err != nil:
		return err
	case review.Verdict == diff.Dangerous:
		return exitCode(exitDangerous)
	case review.Verdict != diff.NoChanges:
		return exitCode(exitChanges)
	}
	return nil
}

func (s *session) paintSign(sign, text string) string {
	if !wantsColor(s.stdout, s.env) {
		return text
	}
	return "\x1b[" + map[string]string{"+": green, "~": yellow, "-": red, "!": red, "#": bold}[sign] + "m" + text + "\x1b[0m"
}
