package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"arc/cfn"
	"arc/deploy"
	"arc/manifest"
	"arc/manifest/syntax"

	"github.com/urfave/cli/v2"
)

func (s *session) invokeCommand() *cli.Command {
	return &cli.Command{
		Name:  "invoke",
		Usage: "run a function, schedule, event or queue now",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "event"},
			&cli.StringFlag{Name: "stage"},
			&cli.StringFlag{Name: "name"},
			&cli.BoolFlag{Name: "local"},
		},
		Description: `Usage: arc invoke NAME [flags]

Runs a function of the app once, waits for it, and prints its result on stdout
and what it printed on stderr. NAME is the function's name in the manifest, with
its pragma in front where two have that name: cleanup, scheduled/cleanup,
"http/get /notes", or its folder, or its logical ID.

The function gets what its pragma gives it: a schedule's event, a topic's or a
queue's record, a request of the route. FILE holds JSON: the message of an event
or a queue, else the whole event; with Records in it, it is the whole event of
these two as well. No topic and no queue is passed through.

Flags:
      --event FILE  JSON to give the function; - reads stdin
      --stage STAGE run the deployed function of staging or production
                    (default testing, the sandbox that runs)
      --name NAME   of a further stack of the stage
      --local       with --stage: as arc deploy --local deployed it

Examples:
  arc invoke cleanup
  arc invoke signup --event test/signup.json
  arc invoke scheduled/cleanup --stage staging

Exit codes: 0 done, 1 the function failed, or an error.`,
		Action: func(ctx *cli.Context) error { return s.invoke(ctx) },
	}
}

func (s *session) invoke(ctx *cli.Context) error {
	stage := ctx.String("stage")
	switch stage {
	case "", "testing":
		stage = "testing"
		if ctx.String("name") != "" || ctx.Bool("local") {
			return withHint(errors.New("--name and --local go with --stage"), "arc invoke --stage staging --local NAME")
		}
	case "staging", "production":
	default:
		return withHint(fmt.Errorf("--stage %s: no such stage", stage), "testing, staging or production")
	}
	p, err := s.openWith(&project{looking: true})
	if err != nil {
		return err
	}
	defer p.close()
	opts := cfn.Options{Stage: stage, Name: ctx.String("name")}
	compiled, ds := cfn.Compile(p.app, opts)
	if err := s.diagnose(p, onlyErrors(ds)); err != nil {
		return err
	}
	fn, err := findFunction(compiled.Functions, strings.Join(ctx.Args().Slice(), " "))
	if err != nil {
		return err
	}
	var given []byte
	if file := ctx.String("event"); file != "" {
		if given, err = s.readEvent(file); err != nil {
			return err
		}
	}
	event, err := eventFor(fn.Function, given)
	if err != nil {
		return fmt.Errorf("--event %s: %w", ctx.String("event"), err)
	}
	clients, err := s.connectLocal(ctx.Context, p, stage == "testing" || ctx.Bool("local"))
	if err != nil {
		return err
	}
	name, err := clients.FindFunction(ctx.Context, compiled.Name, fn.LogicalID)
	if err == nil && name == "" {
		err = withHint(fmt.Errorf("%s is not in the stack %s", describeFunction(fn), compiled.Name), "%s", deployHint(stage))
	}
	if err != nil {
		return err
	}
	return s.invokeFunction(ctx.Context, clients, fn, name, event)
}

// deployHint is how a function gets into a stage's stack.
func deployHint(stage string) string {
	switch stage {
	case "testing":
		return "arc sandbox runs it, from a manifest without mistakes; for what arc deploy --local deployed: arc invoke --stage staging --local NAME"
	case "production":
		return "arc deploy --production deploys it"
	}
	return "arc deploy deploys it"
}

func (s *session) invokeFunction(ctx context.Context, clients deploy.Clients, fn cfn.Function, name string, event []byte) error {
	done, err := clients.Invoker.Invoke(ctx, name, event)
	if err != nil {
		return fmt.Errorf("%s: %w", describeFunction(fn), err)
	}
	if log := strings.TrimRight(done.Log, "\n"); log != "" {
		fmt.Fprintln(s.stderr, log)
	}
	if _, err := fmt.Fprintf(s.stdout, "%s\n", strings.TrimRight(string(done.Payload), "\n")); err != nil {
		return err
	}
	if done.Failed != "" {
		return fmt.Errorf("%s failed (%s)", describeFunction(fn), done.Failed)
	}
	return nil
}

// onlyErrors leaves warnings out: arc check and every deploy tell them.
func onlyErrors(ds []syntax.Diagnostic) []syntax.Diagnostic {
	return slices.DeleteFunc(slices.Clone(ds), func(d syntax.Diagnostic) bool { return d.Severity == syntax.Warning })
}

// readEvent reads a file, or stdin.
func (s *session) readEvent(file string) ([]byte, error) {
	if file == "-" {
		data, err := io.ReadAll(s.stdin)
		if err != nil {
			return nil, fmt.Errorf("--event -: %w", err)
		}
		return data, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--event: %w", err)
	}
	return data, nil
}

func describeFunction(fn cfn.Function) string { return "@" + fn.Pragma + " " + fn.Name }

// findFunction finds the one function that a word means.
func findFunction(functions []cfn.Function, word string) (cfn.Function, error) {
	functions = slices.DeleteFunc(slices.Clone(functions), func(fn cfn.Function) bool { return fn.Asset })
	var every []string
	for _, fn := range functions {
		every = append(every, fn.Pragma+"/"+fn.Name)
	}
	if word == "" {
		return cfn.Function{}, withHint(errors.New("arc invoke: the name of the function is missing"), "one of %s", strings.Join(every, ", "))
	}
	word = strings.TrimSuffix(strings.TrimPrefix(word, "./"), "/")
	var found []cfn.Function
	for _, fn := range functions {
		names := []string{fn.Name, fn.Dir, path.Base(fn.Dir), fn.LogicalID}
		for _, front := range []string{"@" + fn.Pragma + " ", fn.Pragma + " ", fn.Pragma + "/", strings.TrimSuffix(fn.Pragma, "s") + " "} {
			names = append(names, front+fn.Name)
		}
		// The slash of a path is the last character of "get /".
		if slices.Contains(names, word) || slices.Contains(names, word+"/") {
			found = append(found, fn)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		err := fmt.Errorf("the app has no function %s", word)
		if near := syntax.Near(word, append(every, namesOf(functions)...)); near != "" {
			return cfn.Function{}, withHint(err, "did you mean %s?", near)
		}
		return cfn.Function{}, withHint(err, "one of %s", strings.Join(every, ", "))
	}
	var several []string
	for _, fn := range found {
		several = append(several, fn.Pragma+"/"+fn.Name)
	}
	return cfn.Function{}, withHint(fmt.Errorf("%s is the name of %d functions", word, len(found)), "one of %s", strings.Join(several, ", "))
}

func namesOf(functions []cfn.Function) (names []string) {
	for _, fn := range functions {
		names = append(names, fn.Name)
	}
	return names
}

// isMessage tells that a function gets the messages of a topic or a queue.
func isMessage(fn *manifest.Function) bool { return fn.Pragma == "events" || fn.Pragma == "queues" }

// valueFlags are the flags with a value of the commands whose flags may stand
// behind the words, where people write them.
func valueFlags(command string) []string {
	switch command {
	case "invoke":
		return []string{"event", "stage", "name"}
	case "data":
		return []string{"stage", "name"}
	case "logs":
		return []string{"stage", "name", "n", "preview", "since", "filter"}
	case "env":
		return []string{"env", "e", "stage", "name", "n", "preview", "file"}
	}
	return nil
}

// ofData tells that a flag is one of arc data itself, and of none of its parts.
func ofData(flag string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
	return slices.Contains([]string{"stage", "name", "local"}, name)
}

// flagsFirst lets the flags of some commands stand behind the words.
func flagsFirst(args []string) []string {
	if len(args) < 2 || valueFlags(args[1]) == nil {
		return args
	}
	flags, words := args[:2:2], []string(nil)
	for i := 2; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			return append(append(flags, arg), append(words, args[i+1:]...)...)
		case len(arg) < 2 || arg[0] != '-', args[1] == "env" && len(words) == 1 && !isEnvFlag(arg), args[1] == "data" && !ofData(arg):
			words = append(words, arg) // a value may begin with -, and other flags of arc data are its parts'
		default:
			flags = append(flags, arg)
			takes := slices.Contains(valueFlags(args[1]), strings.TrimLeft(arg, "-"))
			if takes && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		}
	}
	if args[1] == "env" {
		flags = append(flags, "--")
	}
	return append(flags, words...)
}
