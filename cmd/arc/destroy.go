package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"arc/cfn"
	"arc/cfn/registry"
	"arc/deploy"
	"arc/manifest"

	"github.com/urfave/cli/v2"
)

func (s *session) destroyCommand() *cli.Command {
	return &cli.Command{
		Name:  "destroy",
		Usage: "delete a stack of the app",
		Flags: append(stageFlags(),
			&cli.StringFlag{Name: "app"},
			&cli.BoolFlag{Name: "local"},
			&cli.StringSliceFlag{Name: "allow-loss"},
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}},
			&cli.BoolFlag{Name: "json"},
		),
		Description: `Usage: arc destroy --app APP [--production] [--name NAME | --preview NAME]
                   [--local] [--allow-loss ID]... [--force]

Deletes a stack: staging's, or production's. Nothing is deleted while the stack
holds data that was not given up: tables, buckets, queues. Production's tables
and files outlive their stack, and so does what several stacks share: the
environment variables, and the bucket with the functions' code.

--app repeats the app's name, so that no stack goes by mistake. In a folder
without a manifest it is also where the name comes from, and AWS_REGION says
where the stack is: a stack can be deleted when its branch is gone.

Flags:
      --app APP        the app's name, as @app has it
  -p, --production     the production stack (default: staging)
      --stage STAGE    the same in words: staging or production
  -n, --name NAME      a further stack of the stage
      --preview NAME   the stack of a pull request
      --local          the stack in the local cloud of this project
      --allow-loss ID  let the data of this resource be lost
  -f, --force          let all data in the stack be lost
      --json           print what happens as JSON, an event a line: see
                       docs/events.schema.json

Examples:
  arc destroy --app my-app --allow-loss AccountsTable
  arc destroy --app my-app --preview 7 --force
  arc destroy --app my-app --local --force

Exit codes: 0 deleted, or there is no such stack; 1 an error; 4 AWS goes on
with the deletion, and arc destroy follows it.`,
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			return s.destroy(ctx)
		},
	}
}

func (s *session) destroy(ctx *cli.Context) error {
	p, err := s.openConfirmed(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	clients, err := s.connect(ctx, p)
	if err != nil {
		return err
	}
	by, err := s.where(ctx.Context, clients)
	if err != nil {
		return err
	}
	opts := stageOptions(ctx)
	order := deploy.Destruction{
		App:       p.app.Name,
		Mark:      opts.Mark(p.app.Name),
		StackName: cfn.StackName(p.app.Name, opts.Stage, opts.Name),
		AllowLoss: ctx.StringSlice("allow-loss"),
		Force:     ctx.Bool("force"),
		By:        by,
		Origin:    places(p.app, opts),
	}
	if opts.Name == "" {
		order.Stage = opts.Stage // a named stack shares its stage's variables with others
	}
	started := time.Now()
	shown := s.follow()
	done, err := (&deploy.Deployer{Clients: clients, Progress: shown.step}).Destroy(ctx.Context, order)
	shown.close()
	if foreign, ok := errors.AsType[*deploy.ForeignError](err); ok {
		return notOurs(foreign)
	}
	if _, ok := errors.AsType[*deploy.LossError](err); ok {
		return withHint(err, "--force lets everything in the stack be lost")
	}
	if err != nil {
		return err
	}
	if done.Missing {
		s.note("there is no stack %s in %s", done.StackName, clients.Region)
	} else {
		s.note("%s %s: %s", s.paint(green, "destroyed"), done.StackName, duration(time.Since(started)))
	}
	if ctx.Bool("json") {
		return s.done(done)
	}
	return s.printKept(ctx, p, clients.Region, done.StackName, done.Kept)
}

// openConfirmed reads the project and checks that --app names it. Without a
// manifest the project is the name alone.
func (s *session) openConfirmed(ctx *cli.Context) (*project, error) {
	name := ctx.String("app")
	p, err := s.openOrBare(name)
	if err != nil {
		return nil, err
	}
	switch {
	case name == p.app.Name && manifest.ValidAppName(name):
		return p, nil
	case name == "" && p.app.File == "":
		err = withHint(errors.New("arc destroy wants the name of the app, and there is no manifest here"), "%s", destroyHint(ctx, "my-app"))
	case name == "":
		err = withHint(errors.New("arc destroy wants the name of the app, so that no stack goes by mistake"), "%s", destroyHint(ctx, p.app.Name))
	case p.app.File == "":
		err = withHint(fmt.Errorf("--app %q: not the name of an app", name), "write it as @app in the manifest has it: my-app")
	default:
		err = withHint(fmt.Errorf("--app %s: the app of this folder is %s (%s)", name, p.app.Name, p.app.Pos), "%s", destroyHint(ctx, p.app.Name))
	}
	p.close()
	return nil, err
}

// openOrBare opens the project of the current folder, or one of which there is
// no more than the name.
func (s *session) openOrBare(name string) (*project, error) {
	dir, err := projectDir()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("project folder: %w", err)
	}
	p := &project{dir: dir, root: root}
	// Plugins do not run: they may be gone, and the app is to go as well.
	result := manifest.Load(p.files(), manifest.Options{Region: s.region(), Home: s.home()})
	if p.app = result.App; p.app != nil && p.app.File == "" {
		p.app = &manifest.App{Name: name}
		return p, nil
	}
	// Its warnings are about an app that is to go.
	if result.Diagnostics.HasErrors() && (p.app == nil || len(p.app.Plugins) == 0) {
		p.sources = result.Sources
		err := s.diagnose(p, result.Diagnostics)
		root.Close()
		return nil, err
	}
	return p, nil
}

// destroyHint is the command that was meant, with the flags that were given.
func destroyHint(ctx *cli.Context, app string) string {
	words := "arc destroy --app " + app + stackFlags(ctx)
	if ctx.Bool("local") {
		words += " --local"
	}
	return words
}

// stackFlags are the flags that name a command's stack, a space before each.
func stackFlags(ctx *cli.Context) string {
	words := ""
	if stageOptions(ctx).Stage == "production" {
		words = " --production"
	}
	for _, flag := range []string{"name", "preview"} {
		if name := ctx.String(flag); name != "" {
			words += " --" + flag + " " + name
		}
	}
	return words
}

// places finds the manifest lines of the stack's resources; nil when the app
// as it stands makes no stack, which does not keep the old one from going.
func places(app *manifest.App, opts cfn.Options) func(logicalID string) string {
	stack, ds := cfn.Compile(app, opts)
	if ds.HasErrors() {
		return nil
	}
	return lines(stack)
}

// printKept tells by which names to find what outlives the stack, and how what is
// in it gets into the stack again.
func (s *session) printKept(ctx *cli.Context, p *project, region, stack string, kept []deploy.Kept) error {
	for _, k := range kept {
		what := "kept"
		if k.Snapshot {
			what = "kept a snapshot of"
		}
		if _, err := fmt.Fprintf(s.stdout, "%s %s (%s): %s\n", what, k.LogicalID, k.Type, k.PhysicalID); err != nil {
			return err
		}
	}
	if len(kept) == 0 {
		return nil
	}
	s.note("what the stack left behind costs on; delete it by hand when it is of no use.")
	flags := stackFlags(ctx)
	if ctx.Bool("local") {
		flags += " --local"
	}
	back := backInto(flags, region, stack, kept)
	if len(back) > 0 && p.endpoint != "" {
		s.note("aws talks to the local cloud with AWS_ENDPOINT_URL=%s and any keys.", p.endpoint)
	}
	for _, one := range back {
		s.note("%s", one)
	}
	return nil
}

// backInto says how to have kept resources, or what is in them, in the stack again:
// tables all at once, by an import before the stack is deployed, of a template with
// nothing else in it; files by copying them, afterwards. A resource is imported by a
// property that identifies it. flags are those of arc that name the stack. Nothing
// is said of what there is no one way for.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
func backInto(flags, region, stack string, kept []deploy.Kept) (all []string) {
	var tables, identified, files []string
	for _, k := range kept {
		switch {
		case k.Snapshot || strings.Contains(k.LogicalID, "/"): // an import reaches no nested stack
		case k.Type == registry.DynamoDBTable:
			tables = append(tables, k.LogicalID)
			identified = append(identified, fmt.Sprintf("{\"ResourceType\":\"%s\",\"LogicalResourceId\":\"%s\",\"ResourceIdentifier\":{\"TableName\":\"%s\"}}", k.Type, k.LogicalID, k.PhysicalID))
		case k.Type == registry.S3Bucket:
			files = append(files, fmt.Sprintf("the files of %s, once the stack is deployed again:\n  aws s3 sync --region %s s3://%s \\\n    s3://$(aws cloudformation describe-stack-resource --stack-name %s \\\n    --region %s --logical-resource-id %s --output text \\\n    --query StackResourceDetail.PhysicalResourceId)",
				k.LogicalID, region, k.PhysicalID, stack, region, k.LogicalID))
		}
	}
	if len(tables) > 0 {
		what := "the table " + tables[0] + " with its items"
		if len(tables) > 1 {
			what = "the tables " + strings.Join(tables, ", ") + " with their items"
		}
		of := "--region " + region + " --stack-name " + stack
		all = append(all, strings.Join([]string{
			what + ", before the stack is deployed again:",
			"  arc package" + strings.TrimSuffix(flags, " --local") + " |",
			"    jq '{Resources: .Resources | {" + strings.Join(tables, ", ") + "}}' >kept.json",
			"  aws cloudformation create-change-set " + of + " \\",
			"    --change-set-name kept --change-set-type IMPORT \\",
			"    --template-body file://kept.json --resources-to-import \\",
			"    '[" + strings.Join(identified, ",\n      ") + "]'",
			"  aws cloudformation wait change-set-create-complete \\",
			"    " + of + " --change-set-name kept",
			"  aws cloudformation execute-change-set \\",
			"    " + of + " --change-set-name kept",
			"  aws cloudformation wait stack-import-complete \\",
			"    " + of,
			"  arc deploy" + flags + " --adopt",
		}, "\n"))
	}
	return append(all, files...)
}
