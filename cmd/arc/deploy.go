package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/cfn"
	"arc/deploy"
	"arc/manifest"

	"github.com/urfave/cli/v2"
)

func (s *session) deployCommand() *cli.Command {
	return &cli.Command{
		Name:  "deploy",
		Usage: "deploy the app",
		Flags: append(append(stageFlags(), s.pluginFlags()...),
			&cli.BoolFlag{Name: "local"},
			&cli.BoolFlag{Name: "detach"},
			&cli.BoolFlag{Name: "fresh"},
			&cli.BoolFlag{Name: "no-iam"},
			&cli.BoolFlag{Name: "prune"},
			&cli.BoolFlag{Name: "adopt"},
			&cli.BoolFlag{Name: "no-wait"},
			&cli.BoolFlag{Name: "dry-run"},
			&cli.BoolFlag{Name: "eject"},
			&cli.BoolFlag{Name: "static"},
			&cli.BoolFlag{Name: "direct"},
			&cli.StringSliceFlag{Name: "allow-loss"},
			&cli.StringSliceFlag{Name: "tag", Aliases: []string{"t"}},
			&cli.StringFlag{Name: "approve"},
			&cli.BoolFlag{Name: "json"},
		),
		Description: `Usage: arc deploy [--production] [--name NAME | --preview NAME]
                  [--local [--detach] [--fresh] [--no-iam]]
       arc deploy [--approve ID] PLAN
       arc deploy --no-wait, and later: arc deploy HANDLE
       arc deploy --direct FUNCTION...
       arc deploy --static | --dry-run | --eject [FOLDER]

Packages the app and brings it to its stack: staging, or production. Uploads
only code that is not there yet, goes by a change set, follows it to the end,
publishes static files, and prints the URLs. When nothing has changed, nothing
is called that would change anything.

With a PLAN that arc diff -o made, deploys exactly what was reviewed, to the
stack that was reviewed, or refuses when the tree or the stack has moved on.

With --direct, gives the named functions their code and configuration past
CloudFormation, in about a second. Each is marked: arc diff says so, and the
next arc deploy puts back what is not as it was packaged.

Flags:
  -p, --production       the production stack (default: staging)
      --stage STAGE      the same in words: staging or production
  -n, --name NAME        a further stack of the stage
      --preview NAME     the stack of a pull request: values of its own from
                         SSM (/APP/preview), and none of staging's buckets
      --local            deploy to the local cloud of this project; start one
                         when none is running and stay until Ctrl-C
      --detach           with --local: leave the local cloud running and return
                         (arc sandbox --stop ends it)
      --fresh            with --local: forget stacks and data of earlier runs
      --no-iam           with --local: ask nobody for rights, neither roles nor
                         the policies of functions, queues and the like
      --prune            delete published files that the folder no longer has
      --adopt            take over a stack that neither arc nor Architect made,
                         after showing what changes in it
      --allow-loss ID    let the deploy delete the data of this resource
  -t, --tag KEY=VALUE    tag the stack (may be repeated)
      --direct           the named functions alone: by route, action, folder or
                         logical ID
      --static           the static files alone, to a stack that is there
      --dry-run          say what a deploy would send, and what changes since
                         the last commit; no account is needed, nothing is sent
      --eject            write the template and the zips to FOLDER, for who
                         deploys them by other means
      --no-wait          return as soon as AWS is told to go ahead, and print a
                         handle: arc deploy HANDLE follows that to its end, and
                         a plain arc deploy does what comes after it as well
      --approve ID       approve the dangers of the plan with this ID
      --plugin-timeout N  seconds that each hook of a plugin may take (120)
      --json             print what happens as JSON, an event a line: see
                         docs/events.schema.json

AWS_ENDPOINT_URL points a plain arc deploy at any other endpoint. Region and
credentials are those of the AWS SDK: variables, profiles, SSO.

Examples:
  arc deploy
  arc deploy --production
  arc deploy --local --detach
  arc deploy --direct "get /" src/ws/default
  arc diff --production -o release.arcplan && arc deploy release.arcplan

Exit codes: 0 deployed or unchanged; 1 an error; 4 AWS goes on with the stack,
and arc deploy follows it.`,
		Action: func(ctx *cli.Context) error {
			switch other, err := otherDeploy(ctx); {
			case err != nil:
				return err
			case other == "direct":
				return s.deployDirect(ctx)
			case other == "eject":
				return s.eject(ctx)
			case other != "" && ctx.NArg() > 0:
				return noWords(ctx)
			case other == "dry-run":
				return s.dryRun(ctx)
			case other == "static":
				return s.deployStatic(ctx)
			}
			if isHandle(ctx.Args().Slice()) {
				return s.followHandle(ctx, ctx.Args().First())
			}
			if isPlan(ctx.Args().Slice()) {
				return s.deployPlan(ctx, ctx.Args().First())
			}
			if err := noWords(ctx); err != nil {
				return err
			}
			if ctx.IsSet("approve") {
				return withHint(errors.New("--approve is for a plan"), "arc deploy --approve %s release.arcplan", ctx.String("approve"))
			}
			return s.deployFlags(ctx)
		},
	}
}

func (s *session) deployFlags(ctx *cli.Context) error {
	if ctx.Bool("detach") && !ctx.Bool("local") {
		return withHint(errors.New("--detach is for the local cloud"), "arc deploy --local --detach")
	}
	if ctx.Bool("fresh") && !ctx.Bool("local") {
		return withHint(errors.New("--fresh is for the local cloud"), "arc deploy --local --fresh; arc destroy deletes a stack on AWS")
	}
	if ctx.Bool("no-iam") && !ctx.Bool("local") {
		return withHint(errors.New("--no-iam is for the local cloud"), "arc deploy --local --no-iam; on AWS roles are always asked")
	}
	tags, err := tagValues(ctx.StringSlice("tag"))
	if err != nil {
		return err
	}
	p, err := s.openWith(&project{explicit: true, deploys: !ctx.Bool("local"), local: ctx.Bool("local")})
	if err != nil {
		return err
	}
	defer p.close()
	cloud, err := s.cloudFor(ctx, p)
	if err != nil {
		return err
	}
	defer cloud.close()
	order := deployOrder{options: stageOptions(ctx), tags: tags, prune: ctx.Bool("prune"), allowLoss: ctx.StringSlice("allow-loss"), adopt: ctx.Bool("adopt"), noWait: ctx.Bool("no-wait")}
	return s.finish(ctx, cloud, func() (deploy.Outcome, error) { return s.deploy(ctx.Context, p, cloud.clients, order) })
}

// finish deploys, prints the outcome, and stays as long as the local cloud runs
// in this process.
func (s *session) finish(ctx *cli.Context, cloud *cloud, deploy func() (deploy.Outcome, error)) error {
	started := time.Now()
	outcome, err := deploy()
	if err != nil {
		return err
	}
	if ctx.Bool("json") {
		if err := s.done(outcome); err != nil {
			return err
		}
	} else if err := s.printOutcome(outcome, time.Since(started)); err != nil {
		return err
	}
	s.tellDeadLetters(outcome.Outputs, dataFlags(stageOptions(ctx), ctx.Bool("local")))
	return cloud.stay(ctx.Context)
}

// tagValues reads KEY=VALUE flags; the value may hold further "=".
func tagValues(flags []string) (map[string]string, error) {
	tags := map[string]string{}
	for _, f := range flags {
		key, value, ok := strings.Cut(f, "=")
		if !ok || key == "" {
			return nil, withHint(fmt.Errorf("--tag %s: not a tag", f), "write --tag KEY=VALUE")
		}
		tags[key] = value
	}
	return tags, nil
}

// deployOrder is what the user asked of one deploy.
type deployOrder struct {
	options   cfn.Options
	tags      map[string]string
	prune     bool
	noWait    bool
	by        string // who deploys
	adopt     bool   // take over a stack that bears no mark
	allowLoss []string
	plan      *deploy.Planned // nil: deploy whatever there is to deploy
}

// deploy compiles the app and brings it to one stack.
func (s *session) deploy(ctx context.Context, p *project, clients deploy.Clients, order deployOrder) (deploy.Outcome, error) {
	opts := order.options
	var err error
	if order.by, err = s.where(ctx, clients); err != nil {
		return deploy.Outcome{}, err
	}
	variables, err := readVariables(ctx, p, clients, opts)
	if err != nil {
		return deploy.Outcome{}, err
	}
	opts.Env, opts.EnvVersions = names(variables), versions(variables)
	b, err := s.compile(p, opts)
	if err != nil {
		return deploy.Outcome{}, err
	}
	if err := s.diagnose(p, b.unpackedPreloads(p.app, variables)); err != nil {
		return deploy.Outcome{}, err
	}
	if order.adopt {
		if err := s.adoption(ctx, p, clients, b, opts, true); err != nil {
			return deploy.Outcome{}, err
		}
	}
	unmade := variables[deploy.AppSecret].Version == deploy.Unmade
	if err := s.settleAppSecret(ctx, p, clients, opts.Stage, variables); err != nil {
		return deploy.Outcome{}, err
	}
	if unmade { // or the next deploy would find another setting of it
		if err := b.withVersions(p.app, versions(variables)); err != nil {
			return deploy.Outcome{}, err
		}
	}
	return s.bring(ctx, p, clients, b, variables, order)
}

// bring brings what was built to its stack.
func (s *session) bring(ctx context.Context, p *project, clients deploy.Clients, b *build, variables map[string]deploy.Variable, order deployOrder) (deploy.Outcome, error) {
	d := s.deployment(p, b, variables, order)
	d.Source = sourceOf(ctx, p.dir)
	if targets := p.targets(); len(targets) > 0 && p.local {
		s.note("%s deploys in arc's place, but not to the local cloud: arc does", targets[0].Name)
	} else if len(targets) > 0 {
		outcome, err := s.deployByPlugins(ctx, p, b)
		if err == nil {
			err = s.deployHook(ctx, p, b, "deploy.end")
		}
		return outcome, err
	}
	s.note("deploying %s to %s", p.app.Name, b.stack.Name)
	shown := s.follow()
	outcome, err := (&deploy.Deployer{Clients: clients, Progress: shown.step, Sums: s.zipSums()}).Deploy(ctx, d)
	shown.close()
	if foreign, ok := errors.AsType[*deploy.ForeignError](err); ok {
		if foreign.Unmarked() && order.plan == nil {
			if err := s.showForeign(ctx, p, clients, b, order.options); err != nil {
				return outcome, err
			}
		}
		err = notOurs(foreign)
	}
	if err == nil && !outcome.Running {
		err = s.deployHook(ctx, p, b, "deploy.end")
	}
	return outcome, err
}

// deployment is what was built, as it goes to its stack.
func (s *session) deployment(p *project, b *build, variables map[string]deploy.Variable, order deployOrder) deploy.Deployment {
	return deploy.Deployment{
		App:        p.app.Name,
		Stage:      order.options.Stage,
		StackName:  b.stack.Name,
		Template:   b.template,
		Parameters: parameters(variables),
		Versions:   versions(variables),
		Tags:       order.tags,
		Artifacts:  b.artifacts(),
		Bucket:     p.app.AWS.Bucket,
		Static:     p.publication(b.assets, order.options.Stage, order.prune),
		AllowLoss:  order.allowLoss,
		Adopt:      order.adopt,
		NoWait:     order.noWait,
		By:         order.by,
		Plan:       order.plan,
		Origin:     lines(b.stack),
		Refused:    func(runtime string, create bool) string { return manifest.Refused(runtime, today(), create) },
	}
}

// lines finds the manifest line of a resource, as text; "" when it has none.
func lines(stack *cfn.Stack) func(logicalID string) string {
	return func(id string) string {
		if pos := stack.Origins[id]; pos.IsValid() {
			return pos.String()
		}
		return ""
	}
}

// parameters hands the user's variables to the template.
func parameters(variables map[string]deploy.Variable) map[string]string {
	values := map[string]string{}
	for name, v := range variables {
		values[cfn.EnvParameter(name)] = v.Value
	}
	return values
}

// versions are those of the user's variables.
func versions(variables map[string]deploy.Variable) map[string]string {
	list := map[string]string{}
	for name, v := range variables {
		list[name] = v.Version
	}
	return list
}

// artifacts lists what the template refers to by key: zips, and the templates
// of nested stacks.
func (b *build) artifacts() []deploy.Artifact {
	var list []deploy.Artifact
	for _, key := range slices.Sorted(maps.Keys(b.bundles)) {
		list = append(list, deploy.Artifact{
			Key:   key,
			Label: b.labels[key],
			Write: func(w io.Writer) error { return b.bundles[key].WriteZip(w) },
		})
	}
	for _, part := range b.stack.Parts {
		list = append(list, deploy.Artifact{
			Key:   part.Key,
			Label: "template of " + part.LogicalID,
			Write: func(w io.Writer) error { _, err := w.Write(part.Body); return err },
		})
	}
	return list
}

// names lists variable names in order.
func names[V any](variables map[string]V) []string {
	return slices.Sorted(maps.Keys(variables))
}

// printOutcome prints the URLs on stdout, and what was done on stderr.
func (s *session) printOutcome(o deploy.Outcome, took time.Duration) error {
	switch {
	case o.Running:
		s.note("%s is being changed; arc deploy HANDLE follows it, arc deploy also verifies it and publishes files", o.StackName)
		_, err := fmt.Fprintln(s.stdout, o.StackID)
		return err
	case o.Unchanged:
		s.note("%s: nothing has changed", o.StackName)
	default:
		s.note("%s %s: %s uploaded, %s published, %s", s.paint(green, "deployed"), o.StackName, count(o.Uploaded, "zip"), count(o.Published, "file"), duration(took))
	}
	return s.printURLs(o.Outputs)
}

// count is a number of things in words: 1 zip, 2 zips.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// duration is a time as people say it: milliseconds below a second.
func duration(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// printURLs prints where the app answers.
func (s *session) printURLs(outputs map[string]string) error {
	for _, line := range []struct{ label, key string }{{"HTTP", "API"}, {"WS  ", "WSS"}, {"Files", "BucketURL"}} {
		if url := outputs[line.key]; url != "" && (line.key != "BucketURL" || outputs["API"] == "") {
			if _, err := fmt.Fprintf(s.stdout, "%s  %s\n", line.label, url); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellDeadLetters says where a stack keeps what could not be handled.
func (s *session) tellDeadLetters(outputs map[string]string, flags string) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		if strings.Contains(name, "DeadLetterQueue") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	const most = 2
	list := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	s.note("dead letters are kept in %s; arc data%s lists them", list, flags)
}

// dataFlags has arc data look at what was deployed.
func dataFlags(o cfn.Options, local bool) string {
	flags := " --stage " + o.Stage
	if o.Name != "" {
		flags += " --name " + o.Name
	}
	if local {
		flags += " --local"
	}
	return flags
}

func (s *session) printJSON(v any) error {
	enc := json.NewEncoder(s.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
