package main

import (
	"strings"

	"arc/deploy"

	"github.com/urfave/cli/v2"
)

// isHandle tells what arc deploy --no-wait has printed: the ARN of a stack.
func isHandle(words []string) bool {
	return len(words) == 1 && strings.HasPrefix(words[0], "arn:") && strings.Contains(words[0], ":cloudformation:")
}

// followHandle follows what was begun without waiting to its end.
func (s *session) followHandle(ctx *cli.Context, handle string) error {
	p, err := s.openOrBare("")
	if err != nil {
		return err
	}
	defer p.close()
	// The stack is where its ARN says.
	if parts := strings.Split(handle, ":"); len(parts) > 3 {
		p.app.AWS.Region = parts[3]
	}
	clients, err := s.connect(ctx, p)
	if err != nil {
		return err
	}
	shown := s.follow()
	outcome, err := (&deploy.Deployer{Clients: clients, Progress: shown.step}).Follow(ctx.Context, handle)
	shown.close()
	if err != nil {
		return err
	}
	if ctx.Bool("json") {
		return s.done(outcome)
	}
	s.note("%s is there", outcome.StackName)
	return s.printURLs(outcome.Outputs)
}
