package main

import (
	"fmt"

	"arc/graph"

	"github.com/urfave/cli/v2"
)

func (s *session) graphCommand() *cli.Command {
	return &cli.Command{
		Name:  "graph",
		Usage: "draw what triggers what",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "mermaid"},
		},
		Description: `Usage: arc graph [--format mermaid|svg]

Draws the app on stdout: routes, actions, schedules, topics, queues and table
streams, the functions they trigger, and what those use, as far as @uses in
config.arc tells. The same app gives the same bytes. Changes nothing and needs
no account.

Flags:
      --format F  mermaid (default): a flowchart that GitHub and many editors
                  show; svg: a picture in one file, light or dark as its viewer

Examples:
  arc graph > app.mmd
  arc graph --format svg > app.svg

Exit codes: 0 drawn, 1 the project has mistakes.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			var draw func(*graph.Graph) []byte
			switch format := ctx.String("format"); format {
			case "mermaid":
				draw = (*graph.Graph).Mermaid
			case "svg":
				draw = (*graph.Graph).SVG
			default:
				return withHint(fmt.Errorf("there is no format %q", format), "write --format mermaid, or --format svg")
			}
			p, err := s.open()
			if err != nil {
				return err
			}
			defer p.close()
			_, err = s.stdout.Write(draw(graph.Of(p.app)))
			return err
		},
	}
}
