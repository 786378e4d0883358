package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// overview is the help of the program, written by hand: it is read more often
// than any generated list would deserve.
const overview = `arc turns a small manifest (app.arc) into a running cloud app.

Usage:
  arc <command> [flags]

Start:
  init       write the handlers that the manifest names and that are missing
  sandbox    run the app on this machine: http and ws on localhost:3333
  data       look at the tables of the local cloud, fill or empty them
  invoke     run a function, schedule, event or queue now
  create     init, then create the stacks of both stages

Manifest:
  check      tell every mistake of the project
  fmt        rewrite the manifest in canonical form
  inventory  list everything the app consists of
  graph      draw what triggers what, as Mermaid or SVG

Ship:
  package    print the CloudFormation template
  diff       show what a deploy would change
  deploy     deploy to staging; --production for production; --local for the
             local cloud on this machine
  why        say why the last operation on a stack failed
  env        list, set and remove environment variables; compare stages
  status     what is deployed, since when, by whom, and how it does
  logs       what functions have printed, here or deployed
  destroy    delete a stack of the app, data only when told so
  ci         write a workflow that reviews pull requests and deploys

More:
  version    print the version
  help       this overview; arc help <command> for one command

Exit codes: 0 done, 1 an error, 2 and 3 see arc help diff.
With ARC_QUIET=1 in the environment, warnings and errors only.
`

// commandHelp prints a command's hand-written description as its help.
const commandHelp = `{{.Description}}
`

func (s *session) helpCommand() *cli.Command {
	return &cli.Command{
		Name:        "help",
		Usage:       "show help",
		Description: overview,
		Action: func(ctx *cli.Context) error {
			if ctx.NArg() == 0 {
				_, err := fmt.Fprint(s.stdout, overview)
				return err
			}
			topic := ctx.Args().First()
			for _, c := range ctx.App.Commands {
				if c.Name == topic {
					_, err := fmt.Fprintln(s.stdout, c.Description)
					return err
				}
			}
			return s.root(ctx)
		},
	}
}
