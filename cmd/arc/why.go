package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"arc/cfn"
	"arc/deploy"
	"arc/deploy/why"

	"github.com/urfave/cli/v2"
)

func (s *session) whyCommand() *cli.Command {
	return &cli.Command{
		Name:  "why",
		Usage: "say why the last operation on a stack failed",
		Flags: append(stageFlags(), &cli.BoolFlag{Name: "local"}, &cli.BoolFlag{Name: "json"}),
		Description: `Usage: arc why [--production] [--name NAME | --preview NAME] [--local]
       arc why STACK
       arc why EVENTS.json

Says what made the last operation on a stack fail: the first cause and not what
came of it, in plain words, with what to do and the line of the manifest that
the resource comes from. Nested stacks are looked into. Without an argument it
is the app's stack; STACK is the name or the ARN of any other, and a stack that
is gone is found by its ARN. EVENTS.json is a saved answer of
aws cloudformation describe-stack-events, and needs no account.

Flags:
  -p, --production    the production stack (default: staging)
      --stage STAGE   the same in words: staging or production
  -n, --name NAME     a further stack of the stage
      --preview NAME  the stack of a pull request
      --local         a stack in the local cloud of this project
      --json          print the cause as JSON

Examples:
  arc why --production
  arc why events.json

Exit codes: 0 told, or nothing failed; 1 an error.`,
		Action: s.whyAction,
	}
}

// whyAnswer is what arc why --json prints.
type whyAnswer struct {
	Stack  string     `json:"stack,omitempty"`
	Failed bool       `json:"failed"`
	Origin string     `json:"origin,omitempty"` // "app.arc:7:1"
	Cause  *why.Cause `json:"cause,omitempty"`
}

func (s *session) whyAction(ctx *cli.Context) error {
	if ctx.NArg() > 1 {
		return withHint(fmt.Errorf("arc why takes one stack or file, but got %q as well", ctx.Args().Get(1)), "%s", helpHint(ctx))
	}
	given := ctx.Args().First()
	events, err := savedEvents(given)
	if err != nil {
		return err
	}
	p, err := s.openOrBare("")
	if err != nil {
		return err
	}
	defer p.close()
	opts := stageOptions(ctx)
	answer := whyAnswer{Stack: given}
	if given == "" {
		if p.app.Name == "" {
			return withHint(errors.New("there is no manifest in this folder"), "name a stack, or a file with its events: arc why STACK")
		}
		answer.Stack = cfn.StackName(p.app.Name, opts.Stage, opts.Name)
	}
	if events == nil {
		clients, err := s.connect(ctx, p)
		if err != nil {
			return err
		}
		if events, err = clients.LastOperation(ctx.Context, answer.Stack); err != nil {
			return noSuchStack(err, answer.Stack)
		}
	} else if len(events) > 0 {
		answer.Stack = events[0].StackName
	}
	answer.Cause, answer.Failed = why.First(events)
	if answer.Cause != nil && p.app.Name != "" {
		if origin := places(p.app, opts); origin != nil {
			answer.Origin = origin(answer.Cause.LogicalID())
		}
	}
	if ctx.Bool("json") {
		return s.printJSON(answer)
	}
	return s.printWhy(answer)
}

// noSuchStack says how to name a stack that is gone.
func noSuchStack(err error, name string) error {
	if deploy.IsMissingStack(err) {
		return withHint(fmt.Errorf("there is no stack %s", name), "one that is gone is found by its ARN: aws cloudformation list-stacks --stack-status-filter DELETE_COMPLETE")
	}
	return err
}

// savedEvents reads a file of events; nil when it is a stack that was named.
func savedEvents(given string) ([]why.Event, error) {
	if given == "" || strings.HasPrefix(given, "arn:") {
		return nil, nil
	}
	data, err := os.ReadFile(given)
	if filepath.Ext(given) == "" && (errors.Is(err, fs.ErrNotExist) || isFolder(given)) {
		return nil, nil // a folder may be called as its stack is
	}
	if err != nil {
		return nil, fmt.Errorf("saved events: %w", err)
	}
	events, err := why.Read(data)
	if err != nil {
		return nil, withHint(fmt.Errorf("%s: %w", given, err), "aws cloudformation describe-stack-events --stack-name STACK > events.json saves them")
	}
	return events, nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// printWhy prints the cause on stdout.
func (s *session) printWhy(a whyAnswer) error {
	c := a.Cause
	switch {
	case c == nil && a.Failed:
		s.note("%s: its last operation failed, and no event says why", a.Stack)
		return nil
	case c == nil:
		s.note("%s: nothing failed in its last operation", a.Stack)
		return nil
	}
	if _, err := fmt.Fprintf(s.stdout, "%s: %s\n", a.Stack, c.Ended); err != nil {
		return err
	}
	if err := s.printCause(a.Origin, c); err != nil || c.Blocked == nil {
		return err
	}
	if _, err := fmt.Fprintln(s.stdout, "On the way back:"); err != nil {
		return err
	}
	return s.printCause("", c.Blocked)
}

func (s *session) printCause(origin string, c *why.Cause) error {
	what := ""
	if c.Path != "" {
		what = fmt.Sprintf("%s (%s) ", c.Path, c.Type)
	}
	if origin != "" {
		what = origin + ": " + what
	}
	text := strings.TrimSpace(what+c.Status) + "\n"
	for _, line := range wrap("  "+c.Says, tableWidth) {
		text += line + "\n"
	}
	if c.Code != "" && c.Reason != "" {
		for _, line := range wrap("  AWS says: "+printable(c.Reason), tableWidth) {
			text += line + "\n"
		}
	}
	for _, line := range wrap("  hint: "+c.Remedy, tableWidth) {
		text += line + "\n"
	}
	if c.Page != "" {
		text += "  see:  " + c.Page + "\n" // whole, to be clicked
	}
	_, err := io.WriteString(s.stdout, text)
	return err
}
