package main

import (
	"context"
	"errors"
	"fmt"

	"arc/cfn"
	"arc/deploy"

	"github.com/urfave/cli/v2"
)

func (s *session) createCommand() *cli.Command {
	return &cli.Command{
		Name:  "create",
		Usage: "write missing handlers and create both stages",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "local"},
			&cli.BoolFlag{Name: "detach"},
			&cli.BoolFlag{Name: "json"},
		},
		Description: `Usage: arc create [--local [--detach]]

Does what arc init does, then creates whichever of the two stages' stacks
(staging and production) does not exist yet, and prints the URLs of both. A
stack that exists is left as it is: arc deploy updates it.

Flags:
      --local    create them in the local cloud of this project
      --detach   with --local: leave the local cloud running and return
      --json     print what happens as JSON, an event a line: see
                 docs/events.schema.json

Examples:
  arc create
  arc create --local --detach

Exit codes: 0 both stages exist, 1 an error. Without credentials the files are
written, no stack is created, and the exit code is 1.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			if ctx.Bool("detach") && !ctx.Bool("local") {
				return withHint(errors.New("--detach is for the local cloud"), "arc create --local --detach")
			}
			if err := s.initialize(".", "", ""); err != nil {
				return err
			}
			return s.create(ctx)
		},
	}
}

// stageState is one stage after create, for --json.
type stageState struct {
	Stage     string
	StackName string
	Created   bool
	Outputs   map[string]string
}

func (s *session) create(ctx *cli.Context) error {
	p, err := s.openManifest()
	if err != nil {
		return err
	}
	defer p.close()
	cloud, err := s.cloudFor(ctx, p)
	if errors.Is(err, deploy.ErrNoCredentials) {
		return withHint(fmt.Errorf("the handlers are there, but no stack was created: %w", deploy.ErrNoCredentials),
			"arc sandbox runs the app on this machine; arc create --local makes both stages there\nwith an account: set AWS_PROFILE, or sign in with aws configure or aws sso login, then arc create")
	}
	if err != nil {
		return err
	}
	defer cloud.close()
	var states []stageState
	for _, stage := range []string{"staging", "production"} {
		state, err := s.createStage(ctx.Context, p, cloud.clients, stage)
		if err != nil {
			return err
		}
		states = append(states, state)
	}
	if err := s.printStages(states, ctx.Bool("json")); err != nil {
		return err
	}
	return cloud.stay(ctx.Context)
}

// createStage deploys a stage whose stack does not exist and looks at one that does.
func (s *session) createStage(ctx context.Context, p *project, clients deploy.Clients, stage string) (stageState, error) {
	name := cfn.StackName(p.app.Name, stage, "")
	found, err := clients.Describe(ctx, name)
	if err != nil {
		return stageState{}, err
	}
	if found.Exists {
		s.note("%s exists", name)
		return stageState{Stage: stage, StackName: name, Outputs: found.Outputs}, nil
	}
	ds, err := s.forStage(p, stage)
	if err == nil {
		err = s.diagnose(p, ds)
	}
	if err != nil {
		return stageState{}, err
	}
	outcome, err := s.deploy(ctx, p, clients, deployOrder{options: cfn.Options{Stage: stage}})
	return stageState{Stage: stage, StackName: name, Created: true, Outputs: outcome.Outputs}, err
}

func (s *session) printStages(states []stageState, asJSON bool) error {
	if asJSON {
		return s.done(states)
	}
	for _, st := range states {
		if _, err := fmt.Fprintln(s.stdout, st.Stage); err != nil {
			return err
		}
		if err := s.printURLs(st.Outputs); err != nil {
			return err
		}
	}
	return nil
}
