package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/cfn"
	"arc/deploy"
	"arc/deploy/logs"

	"github.com/urfave/cli/v2"
)

// logsSince is how far arc logs looks back unless it is told.
const logsSince = 10 * time.Minute

func (s *session) logsCommand() *cli.Command {
	return &cli.Command{
		Name:  "logs",
		Usage: "what functions have printed",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "production", Aliases: []string{"p"}},
			&cli.StringFlag{Name: "stage"},
			&cli.StringFlag{Name: "name", Aliases: []string{"n"}, Action: stackName},
			&cli.StringFlag{Name: "preview", Action: previewName},
			&cli.BoolFlag{Name: "local"},
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}},
			&cli.StringFlag{Name: "since"},
			&cli.StringFlag{Name: "filter"},
			&cli.BoolFlag{Name: "raw"},
			&cli.BoolFlag{Name: "json"},
			&cli.BoolFlag{Name: "destroy"},
		},
		Description: `Usage: arc logs [FUNCTION] [flags]

Prints what the functions of a deployed stage have printed, the oldest first:
all of them, or FUNCTION, named as for arc invoke: by its route, its name, its
folder or its logical ID. A line has its time, its function and the beginning of
its request's ID. Logs in JSON are unfolded; of Lambda's own lines the last of
each request remains, as what it took.

Flags:
  -p, --production   the logs of production (default staging)
      --stage STAGE  testing (the sandbox that runs), staging or production
  -n, --name NAME    of a further stack of the stage
      --preview NAME of the stack of a pull request
      --local        of the project's local cloud: of the sandbox, or else as
                     arc deploy --local deployed it
  -f, --follow       go on with what comes, until Ctrl-C
      --since TIME   how far to look back: 90s, 10m, 2h, 3d, a date, or a time
                     such as 2026-11-29T10:00:00Z (default 10m)
      --filter TEXT  only lines that contain TEXT; one that begins with {, [, %,
                     ? or - is a filter pattern of CloudWatch Logs
      --raw          the lines as they are in the log
      --json         a JSON object a line: time, function, logicalId, stream,
                     requestId, kind, level, message, fields, report
      --destroy      delete what FUNCTION has printed so far, for good

Examples:
  arc logs
  arc logs get /notes --follow
  arc logs --production --since 2h --filter TypeError
  arc logs scheduled/cleanup --json | jq .message

Exit codes: 0 done, 1 an error.`,
		Action: func(ctx *cli.Context) error { return s.logs(ctx) },
	}
}

func (s *session) logs(ctx *cli.Context) error {
	since, err := sinceTime(ctx.String("since"), time.Now())
	if err != nil {
		return err
	}
	word := strings.Join(ctx.Args().Slice(), " ")
	switch {
	case ctx.Bool("destroy") && word == "":
		return withHint(errors.New("--destroy deletes the logs of one function, and none is named"), "arc logs --destroy FUNCTION")
	case ctx.Bool("destroy") && (ctx.Bool("follow") || ctx.IsSet("since") || ctx.IsSet("filter")):
		return withHint(errors.New("--destroy deletes everything that the function has printed"), "leave out --follow, --since and --filter")
	case ctx.Bool("json") && ctx.Bool("raw"):
		return withHint(errors.New("--json and --raw are two forms"), "leave one of them out")
	}
	opts, local, err := logsStage(ctx)
	if err != nil {
		return err
	}
	p, err := s.openWith(&project{looking: true})
	if err != nil {
		return err
	}
	defer p.close()
	clients, err := s.connectLocal(ctx.Context, p, local)
	if err != nil {
		return err
	}
	all, compiled, err := s.functionLogs(ctx.Context, p, clients, opts)
	if err != nil {
		return err
	}
	chosen, err := chooseLogs(all, compiled, word)
	if err != nil {
		return err
	}
	if ctx.Bool("destroy") {
		return s.destroyLogs(ctx.Context, clients, chosen)
	}
	view := &logView{s: s, of: map[string]functionLog{}, raw: ctx.Bool("raw"), json: ctx.Bool("json"), zone: time.Local}
	for _, f := range chosen {
		view.of[f.Group] = f
		view.width = min(max(view.width, len([]rune(f.label))), widestLabel)
	}
	pattern := filterPattern(ctx.String("filter"))
	if ctx.Bool("follow") {
		return s.followLogs(ctx.Context, clients, view, since, pattern)
	}
	for e, err := range logs.Read(ctx.Context, clients.Logs, view.groups(), since.UnixMilli(), time.Now().Add(time.Minute).UnixMilli(), pattern) {
		if ctx.Context.Err() != nil {
			return ctx.Context.Err()
		}
		if err != nil {
			return fmt.Errorf("read the logs of %s: %w", compiled.Name, err)
		}
		if err := view.print([]logs.Event{e}); err != nil {
			return err
		}
	}
	if view.printed == 0 {
		s.note("nothing was printed since %s; --since 1d looks further back", since.In(view.zone).Format("2006-01-02 15:04:05"))
	}
	return nil
}

func (s *session) followLogs(ctx context.Context, clients deploy.Clients, view *logView, since time.Time, pattern string) error {
	account, err := clients.Account(ctx)
	if err != nil {
		return err
	}
	f := logs.Follower{API: clients.Logs, Groups: view.groups(), Pattern: pattern, Tell: view.print, Note: s.note}
	for _, group := range f.Groups {
		f.ARNs = append(f.ARNs, clients.Logs.ARN(account, group))
	}
	s.note("following %s; Ctrl-C ends", count(len(view.of), "function"))
	err = f.Follow(ctx, since)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// logsStage is the stage that the flags name, and whether it is in the local
// cloud. Its stage is "" when the local cloud is to tell which one it has.
func logsStage(ctx *cli.Context) (opts cfn.Options, local bool, err error) {
	opts = cfn.Options{Stage: ctx.String("stage"), Name: ctx.String("name")}
	local = ctx.Bool("local")
	if count1(ctx.Bool("production"), ctx.IsSet("stage"), ctx.IsSet("preview")) > 1 {
		return opts, local, withHint(errors.New("--production, --stage and --preview name a stage each"), "leave out all but one")
	}
	switch {
	case ctx.Bool("production"):
		opts.Stage = "production"
	case ctx.IsSet("preview"):
		opts.Stage, opts.Name = cfn.StagePreview, ctx.String("preview")
	case opts.Stage == "" && !local:
		opts.Stage = "staging"
	}
	switch opts.Stage {
	case stageTesting:
		local = true
	case "", cfn.StagePreview, "staging", "production":
	default:
		return opts, local, withHint(fmt.Errorf("--stage %s: there is no such stage", opts.Stage), "testing, staging or production")
	}
	return opts, local, nil
}

// functionLog is a function's log with the function's name for people.
type functionLog struct {
	deploy.FunctionLog
	label string
}

// functionLogs finds the deployed stack and the logs of its functions.
func (s *session) functionLogs(ctx context.Context, p *project, clients deploy.Clients, opts cfn.Options) ([]functionLog, *cfn.Stack, error) {
	stages := []string{opts.Stage}
	if opts.Stage == "" {
		stages = []string{stageTesting, "staging"}
	}
	var compiled *cfn.Stack
	for _, stage := range stages {
		opts.Stage = stage
		next, ds := cfn.Compile(p.app, opts)
		if err := s.diagnose(p, onlyErrors(ds)); err != nil {
			return nil, nil, err
		}
		compiled = next
		stack, err := clients.Describe(ctx, compiled.Name)
		if err != nil {
			return nil, nil, err
		}
		if !stack.Exists {
			continue
		}
		found, err := clients.FunctionLogs(ctx, compiled.Name)
		if err != nil {
			return nil, nil, err
		}
		return labelled(found, compiled.Functions), compiled, nil
	}
	return nil, nil, withHint(fmt.Errorf("there is no stack %s", compiled.Name), "%s", deployHint(opts.Stage))
}

// labelled names functions as the manifest does, and those that it does not
// have by their logical ID.
func labelled(found []deploy.FunctionLog, functions []cfn.Function) []functionLog {
	names := map[string]string{}
	for _, fn := range functions {
		names[fn.LogicalID] = fn.Pragma + "/" + fn.Name
		if fn.Pragma == "http" {
			names[fn.LogicalID] = fn.Name
		}
		if fn.Asset {
			names[fn.LogicalID] = "static"
		}
	}
	var all []functionLog
	for _, f := range found {
		label := names[f.LogicalID]
		if label == "" {
			label = f.LogicalID
		}
		all = append(all, functionLog{f, label})
	}
	return all
}

// chooseLogs finds the functions that a word means; "" = all.
func chooseLogs(all []functionLog, compiled *cfn.Stack, word string) ([]functionLog, error) {
	if word == "" {
		if len(all) == 0 {
			return nil, fmt.Errorf("the stack %s has no function", compiled.Name)
		}
		return all, nil
	}
	byID := func(id string) []functionLog {
		return slices.DeleteFunc(slices.Clone(all), func(f functionLog) bool { return f.LogicalID != id })
	}
	if found := byID(word); len(found) > 0 {
		return found, nil
	}
	fn, err := findFunction(compiled.Functions, word)
	switch {
	case err != nil && (word == "production" || word == "staging"):
		return nil, withHint(fmt.Errorf("the app has no function %s", word), "arc logs %s", map[string]string{"production": "--production", "staging": "--stage staging"}[word])
	case err != nil:
		return nil, err
	}
	found := byID(fn.LogicalID)
	if len(found) == 0 {
		return nil, withHint(fmt.Errorf("%s is not in the stack %s", describeFunction(fn), compiled.Name), "deploy it first")
	}
	return found, nil
}

// destroyLogs deletes the streams of functions; the groups stay, as they belong
// to the stack.
func (s *session) destroyLogs(ctx context.Context, clients deploy.Clients, chosen []functionLog) error {
	for _, f := range chosen {
		count := 0
		for {
			// What was listed is deleted before more is listed, so each page is the first.
			names, _, err := clients.Logs.Streams(ctx, f.Group, "")
			if err != nil {
				return fmt.Errorf("list the log streams of %s: %w", f.label, err)
			}
			if len(names) == 0 {
				break
			}
			for _, name := range names {
				if err := clients.Logs.DeleteStream(ctx, f.Group, name); err != nil {
					return fmt.Errorf("delete the log stream %s of %s: %w", name, f.label, err)
				}
				count++
			}
		}
		s.note("%s: log streams deleted: %d", f.label, count)
	}
	return nil
}

// sinceTime reads how far to look back.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now.Add(-logsSince), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if days, ok := strings.CutSuffix(text, unit); ok {
			if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 36500 {
				return now.Add(-time.Duration(n * float64(length))), nil
			}
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return now, withHint(fmt.Errorf("--since %s: that is no time", text), "90s, 10m, 2h, 3d, 2026-11-29, or 2026-11-29T10:00:00Z")
}

// filterPattern is the pattern that finds a text.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func filterPattern(text string) string {
	if text == "" || strings.Contains(`{[%?-"`, text[:1]) {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
