package main

import (
	"fmt"
	"strings"

	"arc/cfn"

	"github.com/urfave/cli/v2"
)

// stageFlags choose the stack; every command that has a stage takes them.
func stageFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "production", Aliases: []string{"p"}},
		&cli.StringFlag{Name: "stage", Action: stageName},
		&cli.StringFlag{Name: "name", Aliases: []string{"n"}, Action: stackName},
		&cli.StringFlag{Name: "preview", Action: previewName},
	}
}

// stageName refuses a stage that there is not, and two that contradict each other.
func stageName(ctx *cli.Context, stage string) error {
	switch {
	case stage != "staging" && stage != "production":
		return withHint(fmt.Errorf("--stage %s: there is no such stage", stage),
			"the stages are staging and production; --name NAME gives one of them a further stack")
	case stage == "staging" && ctx.Bool("production"), ctx.IsSet("preview"):
		return withHint(fmt.Errorf("--stage %s contradicts another flag", stage), "leave one of them out")
	}
	return nil
}

// previewName refuses what cannot be the name of a preview's stack.
func previewName(ctx *cli.Context, name string) error {
	for _, other := range []string{"production", "name"} {
		if ctx.IsSet(other) {
			return withHint(fmt.Errorf("--preview with --%s: a preview is a stack of its own", other), "leave --%s out", other)
		}
	}
	return namesStack("preview", name, "7")
}

// stackName refuses a name that would leave nothing of itself in the stack's:
// an empty shell variable must not deploy to the stage instead. It refuses as
// well what the stack's name cannot show, so that nobody who gives the branch
// a/b deletes the stack of a.b.
func stackName(_ *cli.Context, name string) error { return namesStack("name", name, "try-out") }

func namesStack(flag, name, example string) error {
	var plain strings.Builder
	for _, r := range name {
		if isLetterOrDigit(r) || r == '-' {
			plain.WriteRune(r)
		} else {
			plain.WriteRune('-')
		}
	}
	suggested := strings.Trim(plain.String(), "-")
	if suggested == "" {
		return withHint(fmt.Errorf("--%s %q: not a name", flag, name), "write letters, digits and hyphens: --%s %s", flag, example)
	}
	if suggested != name {
		return withHint(fmt.Errorf("--%s %q: only letters, digits and hyphens between them", flag, name), "--%s %s", flag, suggested)
	}
	return nil
}

func isLetterOrDigit(r rune) bool {
	return 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9'
}

// stageOptions reads stageFlags.
func stageOptions(ctx *cli.Context) cfn.Options {
	opts := cfn.Options{Stage: "staging", Name: ctx.String("name")}
	switch {
	case ctx.Bool("production"), ctx.String("stage") == "production":
		opts.Stage = "production"
	case ctx.IsSet("preview"):
		opts.Stage, opts.Name = cfn.StagePreview, ctx.String("preview")
	}
	return opts
}

func (s *session) packageCommand() *cli.Command {
	return &cli.Command{
		Name:  "package",
		Usage: "print the CloudFormation template",
		Flags: append(append(stageFlags(), s.pluginFlags()...), &cli.BoolFlag{Name: "sizes"}, &cli.BoolFlag{Name: "json"}),
		Description: `Usage: arc package [--production] [--name NAME | --preview NAME]

Prints the stack's template on stdout: plain CloudFormation JSON, the same
bytes on every run and machine. Nothing is uploaded and no account is needed.

Flags:
  -p, --production  the production stack (default: staging)
      --stage STAGE the same in words: staging or production
  -n, --name NAME   a further stack of the stage
      --sizes       print what is in each function's zip instead, and why: its
                    largest packages, who asks for them, and what Lambda's
                    runtime has
      --json        with --sizes: the same as JSON, all packages of each zip
      --preview NAME  the stack of a pull request, apart from all others
      --plugin-timeout N  seconds that each hook of a plugin may take (120)

Examples:
  arc package > template.json
  arc package --production | cfn-lint

Exit codes: 0 printed, 1 the project has mistakes.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			p, err := s.open()
			if err != nil {
				return err
			}
			defer p.close()
			b, err := s.compile(p, stageOptions(ctx))
			if err != nil {
				return err
			}
			if ctx.Bool("sizes") {
				return s.printSizes(b, ctx.Bool("json"))
			}
			_, err = s.stdout.Write(b.template)
			return err
		},
	}
}
