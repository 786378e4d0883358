package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"arc/deploy"
	"arc/manifest/syntax"
	"arc/sandbox/lambda/opt"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// Exit codes, the same for every command; each command's help names those it uses.
const (
	exitOK        = 0 // done
	exitError     = 1 // a mistake in the project, in the command line, or in the world
	exitChanges   = 2 // arc diff: there are changes, all of them safe
	exitDangerous = 3 // arc diff: something that holds data would be replaced or removed
	exitGoesOn    = 4 // AWS goes on with the stack, and nobody here follows it any more: arc deploy does
)

// session is what one run of the program was given: its only way to the
// outside. Results go to stdout, everything else to stderr.
type session struct {
	ctx            context.Context // ends with the program
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string
	color          bool          // stderr is a terminal and NO_COLOR is not set
	notRun         string        // what tellRecorded has said
	credentials    string        // whose rights are used with AWS; "" = none yet
	signIn         string        // how to get new ones
	muted          bool          // --quiet, ARC_QUIET: warnings and errors only
	deployStage    string        // that plugins are told of while the app is read; "" = nothing is deployed
	words          []string      // of the command line, that plugins are shown
	pluginTimeout  time.Duration // of every hook of plugins; 0 = the usual ones
	events         *eventWriter  // --json of a command that tells events: they go to stdout; nil = as text to stderr
	noteEvents     bool          // all that is noted is an event, too
	live           *live         // the status line at the bottom of stderr; nil = it is no terminal
	keys           *keyboard     // of an app that runs, for plugins; nil = nobody types
	processors     *processors   // of the machine, while an app runs; nil = all
	screens        []*screen     // between us and stdout and stderr while an app runs
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string) int {
	if code, mine := opt.Enter(args); mine { // a function's process, on its way to its layers
		return code
	}
	s := &session{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, env: env, color: wantsColor(stderr, env), muted: wantsQuiet(env), live: newLive(stderr, env), words: shownArgs(args)}
	if wantsEvents(args) {
		s.events = &eventWriter{to: stdout}
		if args[1] != "sandbox" { // which is watched while it is programmed against
			s.noteEvents, s.color = true, false
		}
	}
	err := s.app().RunContext(ctx, flagsFirst(args))
	code := s.report(err)
	s.flush()
	return code
}

func wantsColor(w io.Writer, env func(string) string) bool {
	f, ok := w.(*os.File)
	return ok && env("NO_COLOR") == "" && env("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// wantsQuiet reports whether a variable asks for no more than warnings and
// errors: ARC_QUIET or, as Architect has it too, QUIET.
func wantsQuiet(env func(string) string) bool {
	for _, name := range []string{"ARC_QUIET", "QUIET"} {
		if v := strings.ToLower(env(name)); v != "" && v != "0" && v != "false" {
			return true
		}
	}
	return false
}

// hinted is an error with its remedy, which is printed on a line of its own.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// withHint adds the remedy to an error.
func withHint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}

// exitCode ends a run with a code and without a message of its own: what there
// is to say has been printed.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// report prints an error and turns it into an exit code.
func (s *session) report(err error) int {
	var code exitCode
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		if s.events != nil {
			s.emitError(code, int(code))
		}
		return int(code)
	}
	if none, ok := errors.AsType[*deploy.UnreachableError](err); ok {
		// What was being asked for, and by which call, is of no interest then.
		hint := "is there a network? arc deploy --local and arc sandbox need none"
		if none.Gone {
			hint = s.goneHint()
		} else if from := s.env("AWS_ENDPOINT_URL"); from != "" {
			hint = "AWS_ENDPOINT_URL=" + from + " says so; is something running there?"
		}
		err = withHint(none, "%s", hint)
	}
	err = s.plainly(err)
	if failed, ok := errors.AsType[*deploy.FailedError](err); ok && failed.Remedy() != "" {
		err = withHint(err, "%s", failed.Remedy())
	}
	if _, told := errors.AsType[hinted](err); !told {
		if hint := s.diskHint(err); hint != "" {
			err = withHint(err, "%s", hint)
		}
	}
	exit := exitError
	if goesOn(err) {
		exit = exitGoesOn
	}
	s.emitError(err, exit)
	fmt.Fprint(s.stderr, syntax.Fold(fmt.Sprintf("%s %v\n", s.paint(red, "error:"), err), s.live.columns()))
	var h hinted
	if errors.As(err, &h) && h.hint != "" {
		for _, line := range strings.Split(h.hint, "\n") {
			fmt.Fprint(s.stderr, syntax.Fold(fmt.Sprintf("  %s %s\n", s.paint(cyan, "hint:"), line), s.live.columns()))
		}
	}
	return exit
}

// The few colours there are, as SGR codes.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	dim    = "2"
	bold   = "1"
)

// paint colours text where colour is wanted.
func (s *session) paint(color, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// note tells the user what is going on, on stderr. Who asked for quiet hears
// warnings alone.
func (s *session) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.noteEvents {
		kind := "notice"
		if rest, ok := strings.CutPrefix(text, "warning: "); ok { // there is no colour in an event
			kind, text = "warning", rest
		}
		s.emit(event{Kind: kind, Text: strings.TrimSpace(text)})
		return
	}
	if s.muted && !strings.HasPrefix(text, s.paint(yellow, "warning:")) {
		return
	}
	s.live.print(s.stderr, syntax.Fold(text, s.live.columns())+"\n")
}

// app is the command line: every command in the order of its help.
//
// urfave/cli has four habits that a tool with destructive commands cannot
// afford; each is switched off here or in command: flags after a positional
// are ignored (noStrayFlags), cli.Exit ends the process (ExitErrHandler), usage
// errors print the help to stdout (OnUsageError), and an unknown command is
// taken as an argument of the root (unknownCommand).
func (s *session) app() *cli.App {
	app := &cli.App{
		Name:                  "arc",
		Usage:                 "turn app.arc into a running cloud app, on AWS or on this machine",
		HideHelpCommand:       true,
		HideVersion:           true,
		Reader:                s.stdin,
		Writer:                s.stdout,
		ErrWriter:             s.stderr,
		ExitErrHandler:        func(*cli.Context, error) {},
		OnUsageError:          usageError,
		Flags:                 []cli.Flag{&cli.BoolFlag{Name: "version", Aliases: []string{"v"}}},
		CustomAppHelpTemplate: overview,
		Action:                s.root,
		Commands: []*cli.Command{
			s.initCommand(),
			s.createCommand(),
			s.sandboxCommand(),
			s.dataCommand(),
			s.invokeCommand(),
			s.checkCommand(),
			s.fmtCommand(),
			s.inventoryCommand(),
			s.graphCommand(),
			s.packageCommand(),
			s.diffCommand(),
			s.deployCommand(),
			s.whyCommand(),
			s.envCommand(),
			s.logsCommand(),
			s.statusCommand(),
			s.destroyCommand(),
			s.ciCommand(),
			s.versionCommand(),
			s.helpCommand(),
		},
	}
	for _, c := range app.Commands {
		s.harden(c)
	}
	return app
}

// harden closes urfave/cli's traps on one command.
func (s *session) harden(c *cli.Command) {
	c.OnUsageError = usageError
	c.HideHelpCommand = true
	c.CustomHelpTemplate = commandHelp
	for _, sub := range c.Subcommands {
		s.harden(sub)
	}
	action := c.Action
	c.Action = func(ctx *cli.Context) error {
		if err := noStrayFlags(ctx); err != nil {
			return err
		}
		if slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return f.Names()[0] == "production" }) {
			s.deployStage = pluginStage(stageOptions(ctx).Stage)
		} else if stage := ctx.String("stage"); stage != "" && stage != stageTesting {
			s.deployStage = pluginStage(stage)
		}
		return action(ctx)
	}
}

// usageError gives a flag mistake as an ordinary error.
func usageError(ctx *cli.Context, err error, _ bool) error {
	if errors.Is(err, flag.ErrHelp) {
		// With a help command of our own, urfave/cli gives the root no help flag.
		return cli.ShowAppHelp(ctx)
	}
	text := strings.TrimPrefix(err.Error(), "flag provided but not defined: ")
	if text != err.Error() {
		err = fmt.Errorf("unknown flag %s", dashes(text))
		if instead := otherFlag(ctx, strings.TrimLeft(text, "-")); instead != "" {
			return withHint(err, "%s", instead)
		}
		if near := nearFlag(strings.TrimLeft(text, "-"), flagNames(ctx)); near != "" {
			return withHint(err, "did you mean --%s?", near)
		}
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: "); ok {
		name = strings.TrimLeft(name, "-")
		err = fmt.Errorf("%s needs a value", dashes(name))
		if usage := wants(ctx, name); usage != "" {
			return withHint(err, "write %s", usage)
		}
	}
	if rest, ok := strings.CutPrefix(err.Error(), `invalid value "`); ok {
		value, rest, _ := strings.Cut(rest, `" for flag -`)
		name, why, _ := strings.Cut(rest, ": ")
		if why == "parse error" {
			why = "not a number" // the only values that are parsed
		}
		err = fmt.Errorf("%s %s: %s", dashes(name), value, why)
	}
	return withHint(err, "%s", helpHint(ctx))
}

// dashes spells a flag the way a user writes it.
func dashes(flag string) string {
	name := strings.TrimLeft(flag, "-")
	if len(name) > 1 {
		return "--" + name
	}
	return "-" + name
}

func flagNames(ctx *cli.Context) []string {
	var names []string
	flags := ctx.App.Flags
	if ctx.Command != nil {
		flags = append(flags, ctx.Command.Flags...)
	}
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}

// nearFlag is the flag that a word most likely means: the only one that begins
// with it, as --prod does, or the one spelled almost so; "" when there is none.
func nearFlag(word string, names []string) string {
	found := slices.Compact(slices.Sorted(slices.Values(slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !strings.HasPrefix(name, strings.ToLower(word))
	}))))
	if len(word) > 2 && len(found) == 1 {
		return found[0]
	}
	return syntax.Near(word, names)
}

func helpHint(ctx *cli.Context) string {
	if ctx.Command != nil && ctx.Command.Name != "" && ctx.Command.Name != ctx.App.Name {
		return ctx.Command.HelpName + " --help shows all flags"
	}
	return "arc help shows all commands"
}

// noStrayFlags refuses what urfave/cli would ignore: a flag behind a word.
func noStrayFlags(ctx *cli.Context) error {
	args := ctx.Args().Slice()
	if ctx.Command.Name == "env" {
		return nil // flagsFirst has found them, and a value may look like one
	}
	for i, a := range args {
		if strings.HasPrefix(a, "-") && a != "-" {
			return withHint(fmt.Errorf("%s stands after %q, where it would be ignored", a, args[max(i-1, 0)]),
				"flags come first: %s", inOrder(ctx, args))
		}
	}
	return nil
}

// inOrder spells a command line whose flags stand between its words so that it
// works: the flags first, then the words as they came.
func inOrder(ctx *cli.Context, args []string) string {
	line := []string{ctx.Command.HelpName}
	for _, f := range ctx.Command.Flags {
		name := f.Names()[0]
		switch v := ctx.Value(name).(type) {
		case bool:
			if ctx.IsSet(name) {
				line = append(line, dashes(name))
			}
		case cli.StringSlice:
			for _, one := range v.Value() {
				line = append(line, dashes(name), quoted(one))
			}
		default:
			if ctx.IsSet(name) {
				line = append(line, dashes(name), quoted(fmt.Sprint(v)))
			}
		}
	}
	var words []string
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") || args[i] == "-" {
			words = append(words, quoted(args[i]))
			continue
		}
		line = append(line, quoted(args[i]))
		if !strings.Contains(args[i], "=") && takesValue(ctx.Command.Flags, strings.TrimLeft(args[i], "-")) && i+1 < len(args) {
			i++
			line = append(line, quoted(args[i]))
		}
	}
	return strings.Join(append(line, words...), " ")
}

// takesValue reports whether a flag of that name wants a word after it.
func takesValue(flags []cli.Flag, name string) bool {
	for _, f := range flags {
		if _, is := f.(*cli.BoolFlag); !is && slices.Contains(f.Names(), name) {
			return true
		}
	}
	return false
}

// noWords refuses arguments for commands that take none: a stray word such as
// "production" must never be ignored.
func noWords(ctx *cli.Context) error {
	if ctx.NArg() == 0 {
		return nil
	}
	word := ctx.Args().First()
	err := fmt.Errorf("%s takes no argument, but got %q", ctx.Command.HelpName, word)
	if near := nearFlag(word, flagNames(ctx)); near != "" {
		return withHint(err, "did you mean --%s?", near)
	}
	return withHint(err, "%s", helpHint(ctx))
}

// root runs when no command was recognised.
func (s *session) root(ctx *cli.Context) error {
	if ctx.Bool("version") {
		return s.printVersion()
	}
	if ctx.NArg() == 0 {
		return cli.ShowAppHelp(ctx)
	}
	word := ctx.Args().First()
	var names []string
	for _, c := range ctx.App.Commands {
		names = append(names, c.Name)
	}
	err := fmt.Errorf("there is no command arc %s", word)
	if word == "" {
		err = errors.New("the command is empty")
	}
	if instead := otherCommands[word]; instead != "" {
		return withHint(err, "%s", instead)
	}
	if near := syntax.Near(word, names); near != "" {
		return withHint(err, "did you mean arc %s?", near)
	}
	return withHint(err, "arc help shows all commands")
}
