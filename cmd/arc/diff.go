package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/face"
	"arc/deploy"
	"arc/manifest"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

func (s *session) diffCommand() *cli.Command {
	return &cli.Command{
		Name:  "diff",
		Usage: "show what a deploy would change, or how two templates differ",
		Flags: append(append(stageFlags(), s.pluginFlags()...),
			&cli.BoolFlag{Name: "run-plugins"},
			&cli.StringFlag{Name: "base"},
			&cli.StringFlag{Name: "template"},
			&cli.BoolFlag{Name: "local"},
			&cli.StringFlag{Name: "format", Value: "text"},
			&cli.BoolFlag{Name: "json"},
			&cli.BoolFlag{Name: "resources"},
			&cli.BoolFlag{Name: "cost"},
			&cli.StringFlag{Name: "fail-on"},
			&cli.StringFlag{Name: "explain"},
			&cli.StringFlag{Name: "accepted"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}},
			&cli.StringSliceFlag{Name: "allow-loss"},
			&cli.BoolFlag{Name: "prune"},
			&cli.BoolFlag{Name: "adopt"},
			&cli.StringSliceFlag{Name: "tag", Aliases: []string{"t"}},
		),
		Description: `Usage: arc diff [--production] [--name NAME | --preview NAME]
                [--base REF | --template FILE | --local] [--format FORMAT]
                [--resources] [--cost] [--fail-on CLASSES]
       arc diff [--format FORMAT] [--resources] [--cost] [--fail-on CLASSES]
                [--local] OLD NEW
       arc diff --explain RULE
       arc diff [--production] [--name NAME | --preview NAME] [--local]
                -o PLAN [--allow-loss ID]... [--prune] [--adopt]
                 [--tag KEY=VALUE]...

Compares the stack that a deploy would make with the one that is deployed, in
the words of the manifest: routes, code, tables, schedules, rights, what is open
to the public; and says how dangerous the change is. Values of environment
variables are never shown.

OLD and NEW are two CloudFormation templates of whatever tool, and no project is
needed: a file, "-" for standard input, git:REVISION:PATH (a path below this
folder), stack:NAME (deployed; this alone needs an account, or --local), or a
folder that cdk synth wrote. Nested templates are read where they lie beside.

Flags:
  -p, --production   the production stack (default: staging)
      --stage STAGE  the same in words: staging or production
  -n, --name NAME    a further stack of the stage
      --preview NAME the stack of a pull request
      --base REF     compare with the project at a git revision; no account
      --run-plugins  with --base: run the plugins of both sides, each its own
                     (else of neither: they are code of whoever wrote them)
      --template F   compare with the template in file F ("-": standard input),
                     by whatever tool; needs no account
      --local        compare with what is deployed in the local cloud
      --format F     text, markdown (a comment on a pull request), json, sarif
                     (annotations at manifest lines) or html (one page)
      --json         the same as --format json
      --resources    each CloudFormation resource and property as well
      --cost         estimate what it costs: a month, and a million calls
      --fail-on C    which classes give exit code 3, with commas between them:
                     data-loss, replacement, rights, exposure, refused, unknown
                     (these six unless told otherwise), protection,
                     interruption, removal, public; or changes (any), or none
      --accepted F   take dangers that are accepted from file F; with --base and
                     git: it is arc-accepted.txt as the revision has it
      --explain RULE what a danger's rule means (in brackets behind it): what
                     happens in order, and how to do it without; all lists them
  -o, --output PLAN  seal this change in a file; arc deploy PLAN deploys it,
                     or refuses when the tree or the stack has moved on
      --allow-loss ID  in the plan: let the data of this resource be lost
      --prune, --tag, --adopt
                     in the plan: as for arc deploy
      --plugin-timeout N  seconds that each hook of a plugin may take (120)

Examples:
  arc diff
  arc diff --base main --format markdown > comment.md
  arc package > before.json && edit app.arc && arc diff --template before.json
  arc diff --production -o release.arcplan
  arc diff git:main:template.yaml template.yaml
  arc diff stack:shop-prod cdk.out/shop-prod.template.json

Exit codes: 0 no changes, 1 an error, 2 changes, 3 dangerous or unknown changes.`,
		Action: func(ctx *cli.Context) error {
			return s.diff(ctx)
		},
	}
}

// formats are the faces of a review.
var formats = []string{"text", "markdown", "json", "sarif", "html"}

// side is one of the two things that are compared.
type side struct {
	label    string
	doc      *cfn.Document     // nil when nothing is deployed
	identity diff.Identity     // of the stack that it is
	unread   []string          // nested stacks without a template
	why      map[string]string // why one of them could not be read
	project  *project          // nil when there is only a template
	build    *build            // the same
	packages map[string]string
	name     string                   // what the review is headed with, where no project says so
	file     string                   // the template, where it is a file of its own
	lines    map[string]diff.Position // of its resources
	limits   []string                 // what of it is not compared
	accepted []diff.Acceptance        // dangers that it accepts of what comes after it
	deployed *deployedStack           // nil when the side is not what is deployed
	contents map[string]diff.Code     // of code that cannot be read any more, by artifact key
}

func (s *session) diff(ctx *cli.Context) error {
	if ctx.IsSet("explain") {
		return s.explain(ctx)
	}
	format := ctx.String("format")
	if ctx.Bool("json") {
		format = "json"
	}
	if !slices.Contains(formats, format) {
		return withHint(fmt.Errorf("--format %q: no such format", format), "write one of %s", strings.Join(formats, ", "))
	}
	failOn, err := failOn(ctx.String("fail-on"))
	if err != nil {
		return err
	}
	if err := oneOf(ctx, "base", "template", "local"); err != nil {
		return err
	}
	order, err := planOrder(ctx)
	if err != nil {
		return err
	}
	given, err := isGiven(ctx)
	if err != nil {
		return err
	}
	if given {
		return s.diffGiven(ctx, format, failOn)
	}
	p, err := s.openWith(&project{explicit: true, pluginsOff: ctx.IsSet("base") && !ctx.Bool("run-plugins")})
	if errors.Is(err, errNoManifest) {
		return withHint(err, "go to the folder that holds app.arc, or name two templates: arc diff OLD NEW")
	}
	if err != nil {
		return err
	}
	defer p.close()
	p.compared = true
	opts := stageOptions(ctx)
	var before, after side
	switch {
	case ctx.IsSet("base"):
		s.tellPluginsOff(p)
		before, after, err = s.bothSides(ctx.Context, p, opts, ctx.String("base"))
	case ctx.IsSet("template"):
		before, err = s.templateSide(ctx.String("template"))
	default:
		var clients deploy.Clients
		if clients, err = s.connect(ctx, p); err == nil {
			before, err = s.deployed(ctx.Context, clients, p, opts, order != nil)
			opts.Env, opts.EnvVersions = before.variables(), before.deployed.variables
		}
	}
	if err != nil {
		return err
	}
	if after.build == nil {
		if after, err = s.treeSide(p, opts, before.unread); err != nil {
			return err
		}
	}
	region := ""
	if ctx.Bool("cost") {
		region = p.app.AWS.Region
	}
	if err := acceptedBy(ctx, &before); err != nil {
		return err
	}
	review, err := compose(ctx.Context, &before, &after, region)
	if err != nil {
		return err
	}
	if err := s.printReview(review, format, ctx.Bool("resources"), before, after); err != nil {
		return err
	}
	if order != nil {
		if err := s.writePlan(ctx.Context, *order, review, before, after); err != nil {
			return err
		}
	}
	return verdictCode(review, failOn)
}

// verdictCode is the exit code of a review.
func verdictCode(review *diff.Review, failOn func(*diff.Review) bool) error {
	switch {
	case review.Verdict == diff.NoChanges:
		return nil
	case failOn(review):
		return exitCode(exitDangerous)
	}
	return exitCode(exitChanges)
}

// diffGiven compares two templates, of whatever tool: there is no project.
func (s *session) diffGiven(ctx *cli.Context, format string, failOn func(*diff.Review) bool) error {
	before, after, err := s.givenSides(ctx)
	if err != nil {
		return err
	}
	region := ""
	if ctx.Bool("cost") {
		if region = cmp.Or(after.identity.Region, s.region()); region == "" {
			return withHint(errors.New("--cost: prices depend on the region, and no template names it"), "AWS_REGION=us-east-1 arc diff --cost %s %s", quoted(ctx.Args().Get(0)), quoted(ctx.Args().Get(1)))
		}
	}
	if err := acceptedBy(ctx, &before); err != nil {
		return err
	}
	review, err := compose(ctx.Context, &before, &after, region)
	if err != nil {
		return err
	}
	if err := s.printReview(review, format, ctx.Bool("resources"), before, after); err != nil {
		return err
	}
	return verdictCode(review, failOn)
}

// compose reviews the change from before to after, and what it costs in a region,
// "" = no costs.
func compose(ctx context.Context, before, after *side, region string) (*diff.Review, error) {
	values, limits, err := lookDeeper(ctx, before, after)
	if err != nil {
		return nil, err
	}
	opts := diff.Options{
		Was: before.identity, Is: after.identity, Cost: region,
		Before: before.label, After: after.label,
		Retired: retiredRuntimes(time.Now().UTC().Format(time.DateOnly)),
		Code:    codeIn(*before, *after), Now: time.Now().UTC(), Unread: notAtHand(*before, *after),
		Limits: slices.Concat(before.limits, after.limits, limits), Values: values, Accepted: before.accepted,
		PackagesBefore: before.packages, PackagesAfter: after.packagesBeside(*before),
	}
	if after.build == nil {
		opts.Stack, opts.Region = cmp.Or(after.name, before.name), after.identity.Region
		opts.Origin = func(id string) (diff.Position, bool) { at, ok := after.lines[id]; return at, ok }
	} else {
		opts.Stack, opts.Region = after.build.stack.Name, after.project.app.AWS.Region
		opts.Origin, opts.Name = origins(after.project.app, after.build.stack), functionNames(after.build.stack)
	}
	return diff.Compose(before.doc, after.doc, opts), nil
}

// oneOf refuses flags that exclude each other.
func oneOf(ctx *cli.Context, names ...string) error {
	var set []string
	for _, name := range names {
		if ctx.IsSet(name) {
			set = append(set, "--"+name)
		}
	}
	if len(set) > 1 {
		return withHint(fmt.Errorf("%s: a diff has one other side", strings.Join(set, " and ")), "write one of them")
	}
	return nil
}

// failOn reads --fail-on: which reviews end in exit code 3.
func failOn(list string) (func(*diff.Review) bool, error) {
	classes := diff.DangerousClasses()
	switch list {
	case "":
	case "none":
		classes = nil
	case "changes":
		return func(*diff.Review) bool { return true }, nil
	default:
		classes = nil
		for _, name := range strings.Split(list, ",") {
			class := diff.Class(strings.TrimSpace(name))
			if !slices.Contains(diff.AllClasses(), class) {
				return nil, withHint(fmt.Errorf("--fail-on %q: no such class", name), "arc diff --help lists the classes")
			}
			classes = append(classes, class)
		}
	}
	return func(r *diff.Review) bool { return r.Has(classes) }, nil
}

// treeSide compiles the working tree. Nested stacks that cannot be read on the
// other side are not looked into: they would seem to be full of new resources.
func (s *session) treeSide(p *project, opts cfn.Options, unread []string) (side, error) {
	b, err := s.compile(p, opts)
	if err != nil {
		return side{}, err
	}
	return s.builtSide("working tree", p, b, unread)
}

func (s *session) builtSide(label string, p *project, b *build, closed []string) (side, error) {
	root, err := cfn.Parse(b.template)
	if err != nil {
		return side{}, err
	}
	parts := map[string]*cfn.Document{}
	for _, part := range b.stack.Parts {
		if slices.Contains(closed, part.LogicalID) {
			continue
		}
		if parts[part.LogicalID], err = cfn.Parse(part.Body); err != nil {
			return side{}, fmt.Errorf("nested stack %s: %w", part.LogicalID, err)
		}
	}
	doc, unread, err := readThrough(root, parts)
	return side{label: label, doc: doc, unread: unread, project: p, build: b, identity: identityOf(p.app, b.stack.Name)}, err
}

// notAtHand names the nested stacks of both sides that are not looked into.
func notAtHand(before, after side) []string {
	var list []string
	for _, path := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(before.unread, after.unread)))) {
		if why := before.why[path]; why != "" {
			path += " (" + why + ")"
		}
		list = append(list, path)
	}
	return list
}

// readThrough makes one document of a template and its nested ones.
func readThrough(root *cfn.Document, nested map[string]*cfn.Document) (*cfn.Document, []string, error) {
	return compare.Flatten(root, func(path string, _ cfn.ResourceDef) (*cfn.Document, error) { return nested[path], nil })
}

func (s *session) templateSide(file string) (side, error) {
	before := side{label: file}
	var data []byte
	var err error
	if file == "-" {
		before.label = "standard input"
		data, err = io.ReadAll(s.stdin)
	} else {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return before, withHint(fmt.Errorf("template to compare with: %w", err), "arc package prints one")
	}
	if file == os.DevNull {
		return before, nil // nothing is deployed, and who writes this knows it
	}
	root, err := cfn.ParseGiven(data)
	if errors.Is(err, cfn.ErrNoResources) {
		err = withHint(fmt.Errorf("%s: %w", file, err), "arc package prints one; --template %s compares with nothing at all", os.DevNull)
		return before, err
	}
	if err != nil {
		return before, fmt.Errorf("%s: %w", file, err)
	}
	if root.Aliases {
		s.note("%s %s has YAML aliases, which CloudFormation refuses; they are read as aws cloudformation package expands them", s.paint(yellow, "warning:"), file)
	}
	before.identity = markedIdentity(root)
	before.doc, before.unread, err = readThrough(root, nil)
	return before, err
}

// printReview prints a review on stdout.
func (s *session) printReview(review *diff.Review, format string, resources bool, before, after side) error {
	switch format {
	case "markdown":
		return face.Markdown(s.stdout, review, resources)
	case "json":
		return face.JSON(s.stdout, review)
	case "sarif":
		file := after.file
		if after.project != nil {
			file = after.project.app.File
		}
		return face.SARIF(s.stdout, review, file)
	case "html":
		return face.HTML(s.stdout, review, face.Pictures(before.doc, after.doc, review, folders(after.build, before.build)))
	}
	return face.Text(s.stdout, review, face.TextOptions{Paint: s.paintSign, Resources: resources, Width: columns(s.stdout)})
}

// folders names functions by their folders, as far as either side knows them.
func folders(builds ...*build) func(logicalID string) string {
	dirs := map[string]string{}
	for _, b := range builds {
		if b == nil {
			continue
		}
		for _, fn := range b.stack.Functions {
			if dirs[fn.LogicalID] == "" {
				dirs[fn.LogicalID] = fn.Dir
			}
			if fn.Asset {
				dirs[fn.LogicalID] = "asset function"
			}
		}
	}
	return func(id string) string { return dirs[path.Base(id)] }
}

// columns is how wide a terminal is; 0 when it is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func (s *session) paintSign(sign, text string) string {
	if !wantsColor(s.stdout, s.env) {
		return text
	}
	color := map[string]string{"+": green, "~": yellow, "-": red, "!": red, "#": bold}[sign]
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// retiredRuntimes tells what AWS does no more, on a day, for functions with a
// runtime.
func retiredRuntimes(today string) func(runtime string, create bool) (refused, warning string) {
	return func(runtime string, create bool) (refused, warning string) {
		return manifest.Refused(runtime, today, create), manifest.Retired(runtime, today)
	}
}
