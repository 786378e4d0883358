package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"arc/cfn"
	"arc/deploy"
	"arc/manifest"

	"github.com/urfave/cli/v2"
)

// stageTesting is the stage of the sandbox, whose variables are in the project.
const stageTesting = "testing"

// envStages are the stages that have variables, in the order in which they are shown.
func envStages() []string {
	return []string{stageTesting, cfn.StagePreview, "staging", "production"}
}

func (s *session) envCommand() *cli.Command {
	return &cli.Command{
		Name:  "env",
		Usage: "list, set and remove environment variables",
		Flags: append(stageFlags(),
			&cli.StringFlag{Name: "env", Aliases: []string{"e"}},
			&cli.BoolFlag{Name: "add", Aliases: []string{"a"}},
			&cli.BoolFlag{Name: "remove", Aliases: []string{"r"}},
			&cli.StringFlag{Name: "file"},
			&cli.BoolFlag{Name: "show"},
			&cli.BoolFlag{Name: "diff"},
			&cli.BoolFlag{Name: "local"},
			&cli.BoolFlag{Name: "json"},
		),
		Description: `Usage: arc env [--env STAGE] [--name NAME | --preview NAME] [--show]
       arc env --add --env STAGE [--name NAME | --preview NAME]
               VARIABLE (VALUE | - | --file FILE)
       arc env --remove --env STAGE [--name NAME | --preview NAME] VARIABLE
       arc env --diff

Keeps the environment variables of functions. Those of testing, which is the
sandbox, are in the project: in .env, or else below @env in preferences.arc.
Those of preview, staging and production are in SSM, encrypted, and reach the
functions with the next deploy. A further stack (--name, --preview) gets those
of its stage, and its own over them. Values are printed with --show alone.

A VALUE on the command line stays in the shell's history; - reads it from
stdin, --file from a file, each without the end of its last line.

Flags:
  -a, --add           set a variable
  -r, --remove        remove one
  -e, --env STAGE     testing, preview, staging or production; list them all
                      without it
  -p, --production    the same as --env production
      --stage STAGE   the same as --env, for staging and production
  -n, --name NAME     a further stack of the stage
      --preview NAME  the stack of a pull request
      --file FILE     set the variable to what FILE holds
      --show          print the values, too
      --diff          which variables the stages have, and which have the same
                      value; no value is printed
      --local         the SSM of the project's local cloud
      --json          print the outcome as JSON

Examples:
  arc env --add --env testing GREETING hello
  pass show stripe | arc env --add --env production STRIPE_KEY -
  arc env --add --env staging --file cert.pem TLS_CERT
  arc env --diff

Exit codes: 0 done, 1 an error.`,
		Action: s.envAction,
	}
}

func (s *session) envAction(ctx *cli.Context) error {
	add, remove := ctx.Bool("add"), ctx.Bool("remove")
	if ones := count1(add, remove, ctx.Bool("diff")); ones > 1 {
		return withHint(errors.New("--add, --remove and --diff do different things"), "give one of them")
	}
	if !add && ctx.IsSet("file") {
		return withHint(errors.New("--file is the value of a variable to set"), "arc env --add --env STAGE --file FILE NAME")
	}
	stage, err := envStage(ctx)
	if err != nil {
		return err
	}
	if add || remove {
		return s.envChange(ctx, stage, add)
	}
	if ctx.NArg() > 0 {
		return withHint(fmt.Errorf("%s takes no argument without --add or --remove, but got %q", ctx.Command.HelpName, ctx.Args().First()),
			"arc env --add --env STAGE NAME VALUE sets a variable")
	}
	if ctx.Bool("diff") && ctx.Bool("show") {
		return withHint(errors.New("--diff prints no values"), "leave out --show, or --diff")
	}
	p, err := s.openWith(&project{looking: true})
	if err != nil {
		return err
	}
	defer p.close()
	kept, err := s.envRead(ctx, p, stage, ctx.Bool("show") || ctx.Bool("diff"))
	if err != nil {
		return err
	}
	if ctx.Bool("diff") {
		return s.envDiff(kept, ctx.Bool("json"))
	}
	return s.envList(ctx, p, kept)
}

// isEnvFlag tells a flag of arc env from a value that begins with -.
func isEnvFlag(arg string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return slices.Contains([]string{"production", "p", "stage", "name", "n", "preview", "env", "e", "add", "a", "remove", "r",
		"file", "show", "diff", "local", "json", "help", "h"}, name)
}

// count1 counts what is true.
func count1(all ...bool) int {
	n := 0
	for _, one := range all {
		if one {
			n++
		}
	}
	return n
}

// envStage is the stage that the flags name; "" when they name none.
func envStage(ctx *cli.Context) (string, error) {
	named := ctx.String("env")
	if ctx.IsSet("env") && !slices.Contains(envStages(), named) {
		return "", withHint(fmt.Errorf("--env %s: there is no such stage", named), "the stages are %s", strings.Join(envStages(), ", "))
	}
	other := ""
	switch {
	case ctx.Bool("production"):
		other = "production"
	case ctx.IsSet("preview"):
		other = cfn.StagePreview
	default:
		other = ctx.String("stage")
	}
	if named != "" && other != "" && named != other {
		return "", withHint(fmt.Errorf("--env %s contradicts another flag", named), "leave one of them out")
	}
	stage := named
	if stage == "" {
		stage = other
	}
	if ctx.IsSet("name") && (stage == stageTesting || stage == cfn.StagePreview) {
		return "", withHint(fmt.Errorf("--name with %s: it is a stack of staging or production", stage), "name the stage of the stack: --env staging; or --preview NAME")
	}
	return stage, nil
}

// stackFlag is the further stack that the flags name.
func stackFlag(ctx *cli.Context) string {
	if ctx.IsSet("preview") {
		return ctx.String("preview")
	}
	return ctx.String("name")
}

// envSetting is a variable as arc env knows it.
type envSetting struct {
	Stage string `json:"stage"`
	Stack string `json:"stack,omitempty"`
	Name  string `json:"name"`
	// From is where it is: "/app/staging/NAME" in SSM, or file:line.
	From  string     `json:"from"`
	Set   *time.Time `json:"set,omitempty"`
	Clear bool       `json:"clear,omitempty"` // in SSM, and not encrypted
	Value *string    `json:"value,omitempty"` // with --show
}

// place is the stage or stack that has the variable.
func (e envSetting) place() string {
	if e.Stack == "" {
		return e.Stage
	}
	return e.Stage + " " + e.Stack
}

// envRead collects the variables of a stage, or of all of them.
func (s *session) envRead(ctx *cli.Context, p *project, stage string, values bool) ([]envSetting, error) {
	var kept []envSetting
	if stage == "" || stage == stageTesting {
		for _, v := range p.app.Env[stageTesting] {
			e := envSetting{Stage: stageTesting, Name: v.Name, From: fmt.Sprintf("%s:%d", v.Pos.File, v.Pos.Line)}
			if values {
				e.Value = new(v.Value)
			}
			kept = append(kept, e)
		}
	}
	if stage == stageTesting {
		return kept, nil
	}
	clients, err := s.connect(ctx, p)
	if err != nil {
		return nil, err
	}
	stages := envStages()[1:]
	if stage != "" {
		stages = []string{stage}
	}
	settings, err := clients.Settings(ctx.Context, p.app.Name, stages)
	if err != nil {
		return nil, err
	}
	read := map[deploy.Scope]map[string]deploy.Variable{}
	for _, v := range settings {
		if only := stackFlag(ctx); only != "" && v.Stack != "" && v.Stack != only {
			continue
		}
		e := envSetting{Stage: v.Stage, Stack: v.Stack, Name: v.Name, From: v.Folder() + "/" + v.Name, Set: &v.Set, Clear: v.Clear}
		if values {
			if read[v.Scope] == nil {
				if read[v.Scope], err = clients.EnvOf(ctx.Context, v.Scope); err != nil {
					return nil, err
				}
			}
			e.Value = new(read[v.Scope][v.Name].Value)
		}
		kept = append(kept, e)
	}
	return kept, nil
}

// envList prints the variables, stage by stage.
func (s *session) envList(ctx *cli.Context, p *project, kept []envSetting) error {
	if ctx.Bool("json") {
		if kept == nil {
			kept = []envSetting{}
		}
		return s.printJSON(kept)
	}
	if len(kept) == 0 {
		s.note("there are no variables; arc env --add --env STAGE NAME VALUE sets one")
		return nil
	}
	width, place := 0, ""
	for _, e := range kept {
		width = max(width, len(e.Name))
	}
	var clear []string
	for _, e := range kept {
		text := ""
		if e.place() != place {
			place = e.place()
			text = s.paint(bold, place) + "\n"
		}
		switch {
		case e.Value != nil:
			text += fmt.Sprintf("  %s=%s\n", e.Name, plainOrQuoted(*e.Value))
		case e.Set != nil:
			text += fmt.Sprintf("  %-*s  set %s\n", width, e.Name, e.Set.UTC().Format("2006-01-02 15:04 UTC"))
		default:
			text += fmt.Sprintf("  %-*s  %s\n", width, e.Name, e.From)
		}
		if e.Clear {
			clear = append(clear, e.From)
		}
		if _, err := fmt.Fprint(s.stdout, text); err != nil {
			return err
		}
	}
	if !ctx.Bool("show") {
		s.note("values are printed with --show alone")
	}
	if len(clear) > 0 {
		s.note("%s not encrypted in SSM: %s; arc env --add sets them encrypted once they are removed", s.paint(yellow, "warning:"), strings.Join(clear, ", "))
	}
	if slices.ContainsFunc(kept, func(e envSetting) bool { return e.Set != nil }) {
		s.tellReaders(p.app.Name, "<stage>")
	}
	return nil
}

// plainOrQuoted is a value on one line.
func plainOrQuoted(value string) string {
	if strings.TrimSpace(value) != value || value == "" || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(value)
	}
	return value
}

// tellReaders says who else can read the values.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
func (s *session) tellReaders(app, stage string) {
	s.note("who may read them: in SSM, whoever may ssm:GetParameter* on %s/*;\nonce deployed, whoever may lambda:GetFunction* on a function that gets them", deploy.EnvFolder(app, stage))
}

// envChange sets or removes a variable.
func (s *session) envChange(ctx *cli.Context, stage string, add bool) error {
	words := ctx.Args().Slice()
	usage := "arc env --remove --env STAGE NAME"
	if add {
		usage = "arc env --add --env STAGE NAME VALUE, or - in place of VALUE to read it from stdin, or --file FILE"
	}
	if stage == "" {
		return withHint(errors.New("for which stage?"), "add --env %s", strings.Join(envStages(), ", or "))
	}
	if ctx.Bool("show") {
		return withHint(errors.New("--show is for the list"), "%s", usage)
	}
	if len(words) == 0 {
		return withHint(errors.New("which variable?"), "%s", usage)
	}
	name := words[0]
	if add {
		if problem := manifest.EnvNameProblem(name); problem != "" {
			return withHint(fmt.Errorf("%s cannot be the name of a variable: %s", name, problem), "choose another name")
		}
	}
	var value string
	switch {
	case add:
		var err error
		if value, err = s.envValue(ctx, name, words[1:], usage); err != nil {
			return err
		}
	case len(words) > 1:
		return withHint(errors.New("--remove takes one name, and no value"), "%s", usage)
	}
	p, err := s.openWith(&project{explicit: true, looking: true})
	if err != nil {
		return err
	}
	defer p.close()
	if stage == stageTesting {
		return s.envTesting(ctx, p, name, value, add)
	}
	return s.envSSM(ctx, p, deploy.Scope{App: p.app.Name, Stage: stage, Stack: stackFlag(ctx)}, name, value, add)
}

// envChanged is what arc env --add and --remove print as JSON.
type envChanged struct {
	Stage   string `json:"stage"`
	Stack   string `json:"stack,omitempty"`
	Name    string `json:"name"`
	From    string `json:"from"`
	Changed bool   `json:"changed"`
	// Over are the parameter's versions that others set at the same time and
	// that this one is over.
	Over []int64 `json:"over,omitempty"`
}

// tellOthers says what others did to a variable while it was being set.
func (s *session) tellOthers(done envChanged, set deploy.SetOutcome) {
	if set.Removed {
		s.note("%s %s was removed from elsewhere at the same time; it is there again, with the value that you gave", s.paint(yellow, "warning:"), done.From)
	}
	if len(set.Lost) == 0 {
		return
	}
	s.note("%s %s was set from elsewhere at the same time, and the value that you gave, version %d, is the one that counts;\nthe other's is version %d: aws ssm get-parameter --with-decryption --name %[2]s:%[4]d",
		s.paint(yellow, "warning:"), done.From, set.Version, set.Lost[len(set.Lost)-1])
}

// maxParameterName is how long SSM takes a parameter's name, counted as part of
// its ARN. https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
const maxParameterName = 1011

// envSSM changes a variable of a stage that is deployed.
func (s *session) envSSM(ctx *cli.Context, p *project, scope deploy.Scope, name, value string, add bool) error {
	path := scope.Folder() + "/" + name
	if add && len("arn:aws-us-gov:ssm:ap-southeast-1:123456789012:parameter"+path) > maxParameterName {
		return withHint(fmt.Errorf("the name has %d characters, too many for SSM", len(name)), "choose a shorter one")
	}
	if add && value == "" {
		return withHint(fmt.Errorf("%s has no value, and SSM takes none without", name), "remove it instead: arc env --remove --env %s %s", scope.Stage, name)
	}
	if size := len(name) + len(value); add && size > manifest.MaxEnvBytes {
		return withHint(fmt.Errorf("%s and its value have %d bytes, and Lambda takes %d for all variables of a function", name, size, manifest.MaxEnvBytes),
			"keep large values in a file or in SSM, and read them from there")
	}
	if add && strings.Contains(value, "{{") {
		return withHint(fmt.Errorf("the value of %s holds {{, and SSM refuses that as a reference to another parameter", name), "encode it, as base64 for one")
	}
	if size := len(value); add && name == deploy.AppSecret && size < deploy.MinAppSecret {
		return withHint(fmt.Errorf("%s has %d characters, and @architect/functions 8 wants %d", name, size, deploy.MinAppSecret), "give a longer one, or none: the next deploy makes one")
	}
	clients, err := s.connect(ctx, p)
	if err != nil {
		return err
	}
	done := envChanged{Stage: scope.Stage, Stack: scope.Stack, Name: name, From: path}
	if add {
		var set deploy.SetOutcome
		set, err = clients.SetEnv(ctx.Context, scope, name, value)
		done.Changed, done.Over = set.Changed, set.Lost
		s.tellOthers(done, set)
	} else {
		done.Changed, err = clients.RemoveEnv(ctx.Context, scope, name)
	}
	if err != nil {
		return err
	}
	if ctx.Bool("json") {
		return s.printJSON(done)
	}
	switch {
	case add && !done.Changed:
		s.note("%s has that value already: %s", name, path)
		return nil
	case add:
		s.note("set %s for %s: %s in SSM, encrypted with the account's key for it", name, envSetting{Stage: scope.Stage, Stack: scope.Stack}.place(), path)
		s.tellReaders(scope.App, scope.Stage)
	case !done.Changed:
		s.note("there is no %s in SSM", path)
		return nil
	default:
		s.note("removed %s from SSM", path)
	}
	s.note("functions get it with the next deploy: arc deploy%s", deployFlagsOf(scope, ctx.Bool("local")))
	return s.tooLarge(ctx.Context, clients, scope)
}

// deployFlagsOf are the flags of a deploy to a stack.
func deployFlagsOf(scope deploy.Scope, local bool) string {
	flags := ""
	switch {
	case scope.Stage == "production":
		flags = " --production"
	case scope.Stage == cfn.StagePreview && scope.Stack == "":
		flags = " --preview NAME"
	case scope.Stage == cfn.StagePreview:
		flags = " --preview " + scope.Stack
	}
	if scope.Stack != "" && scope.Stage != cfn.StagePreview {
		flags += " --name " + scope.Stack
	}
	if local {
		flags += " --local"
	}
	return flags
}

// tooLarge warns when the variables together are more than a function can have.
func (s *session) tooLarge(ctx context.Context, clients deploy.Clients, scope deploy.Scope) error {
	env, err := clients.Env(ctx, scope)
	if err != nil {
		return nil // who may set variables need not be able to read them
	}
	size := 0
	for name, v := range env {
		size += len(name) + len(v.Value)
	}
	if size > manifest.MaxEnvBytes {
		s.note("%s the variables of %s have %d bytes together, and Lambda takes %d a function:\nsay with @uses env which of them a function gets, or keep large ones elsewhere",
			s.paint(yellow, "warning:"), envSetting{Stage: scope.Stage, Stack: scope.Stack}.place(), size, manifest.MaxEnvBytes)
	}
	return nil
}
