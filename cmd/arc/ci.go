package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"arc/ci"
	"arc/deploy"
	"arc/source/revision"

	"github.com/urfave/cli/v2"
)

// ciHelp is the help of arc ci and of arc ci github: there is no other.
const ciHelp = `Usage: arc ci github [--repo OWNER/NAME] [--account ID] [--branch NAME]
                     [--production-account ID] [--role NAME] [--source URL#REV]
       arc ci github --diff-only [--template PATH]... [--synth COMMAND]
                     [--source URL#REV]

Writes a GitHub Actions workflow, and the IAM policies that let it in: a pull
request is reviewed in a comment and gets a stack of its own until it is closed;
a push to the branch is deployed to staging and, once a person has approved the
plan, to production. Nobody's AWS keys are stored anywhere.

  .github/workflows/arc.yml           the workflow
  .github/arc/ROLE-trust.json         who may take each of its four roles:
  .github/arc/ROLE-permissions.json   preview, staging, plan, production
  .github/arc/ROLE-boundary.json      what roles that it makes may do at most

A file that somebody has changed is left alone, and nothing is written then.
docs/ci.md tells how to make the roles from the policies.

With --diff-only the workflow, .github/workflows/arc-diff.yml, reviews the
CloudFormation, SAM or CDK of any repository in a comment, and deploys nothing:
it needs no manifest, no account and no role.

Flags:
      --repo OWNER/NAME  the repository (default: git's remote origin); with its
                         numbers as OWNER@1234/NAME@5678 when it was made,
                         renamed or moved since 15 July 2026
      --account ID       the AWS account
      --production-account ID
                         production's, when it has one of its own, as it should
      --branch NAME      what is deployed when it is pushed to (default: main)
      --role NAME        begins the roles' names (default: <app>-github)
      --source URL#REV   the git repository that the workflow builds arc from,
                         and a commit of it (default: this arc's own); a tag or
                         branch is looked up, and its commit written down
      --diff-only        a workflow that reviews templates and nothing else
      --template PATH    with --diff-only: a template, or cdk.out (the default
                         beside a cdk.json; else template.yaml, .yml or .json)
      --synth COMMAND    with --diff-only: what writes the templates, run for
                         both sides (beside a cdk.json: npx cdk synth --quiet)
      --force            write over files that somebody has changed
      --json             print what was done as JSON

Examples:
  arc ci github --account 123456789012
  arc ci github --repo acme/shop --account 111111111111 \
    --production-account 222222222222
  arc ci github --diff-only --template infra/network.yaml

Exit codes: 0 the files are there, 1 an error.`

func (s *session) ciCommand() *cli.Command {
	return &cli.Command{
		Name:        "ci",
		Usage:       "write a workflow that reviews and deploys",
		Description: ciHelp,
		Subcommands: []*cli.Command{{
			Name:  "github",
			Usage: "GitHub Actions",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "repo"},
				&cli.StringFlag{Name: "account"},
				&cli.StringFlag{Name: "production-account"},
				&cli.StringFlag{Name: "branch", Value: "main"},
				&cli.StringFlag{Name: "role"},
				&cli.StringFlag{Name: "source"},
				&cli.BoolFlag{Name: "diff-only"},
				&cli.StringSliceFlag{Name: "template"},
				&cli.StringFlag{Name: "synth"},
				&cli.BoolFlag{Name: "force"},
				&cli.BoolFlag{Name: "json"},
			},
			Description: ciHelp,
			Action: func(ctx *cli.Context) error {
				if err := noWords(ctx); err != nil {
					return err
				}
				return s.ciGitHub(ctx)
			},
		}},
		Action: func(ctx *cli.Context) error {
			if ctx.NArg() == 0 {
				return withHint(errors.New("arc ci wants to know for whom"), "arc ci github")
			}
			return withHint(fmt.Errorf("arc ci %s: not a place that arc writes workflows for", ctx.Args().First()), "arc ci github")
		},
	}
}

// writtenFile is one file after arc ci, for --json.
type writtenFile struct {
	Path string
	Did  string // "written", "overwritten" or "unchanged"
}

func (s *session) ciGitHub(ctx *cli.Context) error {
	if ctx.Bool("diff-only") {
		return s.ciReview(ctx)
	}
	for _, name := range []string{"template", "synth"} {
		if ctx.IsSet(name) {
			values := ctx.StringSlice(name)
			if values == nil {
				values = []string{ctx.String(name)}
			}
			words := ""
			for _, value := range values {
				words += " --" + name + " " + quoted(value)
			}
			return withHint(fmt.Errorf("--%s says what is reviewed without a manifest", name), "arc ci github --diff-only%s", words)
		}
	}
	p, err := s.openManifest()
	if err != nil {
		return err
	}
	defer p.close()
	setup, err := s.ciSetup(ctx, p)
	if err != nil {
		return err
	}
	files, err := ci.GitHub(setup)
	if err != nil {
		return withHint(err, "arc ci github --help shows all flags")
	}
	if err := s.writeWorkflow(ctx, p.root, files, setup.Gaps()); err != nil {
		return err
	}
	for _, caution := range setup.Cautions() {
		s.note("%s %s", s.paint(yellow, "note:"), strings.ReplaceAll(caution, "\n", "\n  "))
	}
	return nil
}

// writeWorkflow writes the files, and tells what was done and what is still to be
// filled in.
func (s *session) writeWorkflow(ctx *cli.Context, root *os.Root, files []ci.File, gaps []string) error {
	done, err := writeFiles(root, files, ctx.Bool("force"))
	if err != nil {
		return err
	}
	if ctx.Bool("json") {
		err = s.printJSON(done)
	} else {
		for _, f := range done {
			if _, err = fmt.Fprintf(s.stdout, "%-11s %s\n", f.Did, f.Path); err != nil {
				return err
			}
		}
	}
	for _, gap := range gaps {
		s.note("%s %s", s.paint(yellow, "to fill in:"), gap)
	}
	return err
}

// ciReview writes the workflow that reviews templates of any tool: there need be
// no project.
func (s *session) ciReview(ctx *cli.Context) error {
	for _, name := range []string{"repo", "account", "production-account", "branch", "role"} {
		if ctx.IsSet(name) {
			return withHint(fmt.Errorf("--%s is about a deploy, and --diff-only deploys nothing", name), "leave it out")
		}
	}
	dir, err := projectDir()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("current folder: %w", err)
	}
	defer root.Close()
	if prefix, err := revision.Git(ctx.Context, dir, "rev-parse", "--show-prefix"); err == nil && strings.TrimSpace(prefix) != "" {
		return withHint(fmt.Errorf("this is the folder %s of its repository, and GitHub reads workflows at the root only", strings.TrimSpace(prefix)), "go to the root, and name the template: --template %s", strings.TrimSpace(prefix)+"template.yaml")
	}
	r := ci.Review{Templates: ctx.StringSlice("template"), Synth: ctx.String("synth")}
	if _, err := root.Stat("cdk.json"); err == nil && len(r.Templates) == 0 {
		r.Templates, r.Synth = []string{"cdk.out"}, cmp.Or(r.Synth, "npx cdk synth --quiet")
	}
	for _, name := range []string{"template.yaml", "template.yml", "template.json"} {
		if _, err := root.Stat(name); err == nil && len(r.Templates) == 0 {
			r.Templates = []string{name}
		}
	}
	if len(r.Templates) == 0 {
		return withHint(errors.New("there is no cdk.json and no template.yaml here"), "arc ci github --diff-only --template PATH")
	}
	var named string
	r.Source, named, _ = strings.Cut(ctx.String("source"), "#")
	if r.Revision, err = s.pinned(ctx.Context, dir, r.Source, named); err != nil {
		return err
	}
	files, err := ci.GitHubReview(r)
	if err != nil {
		return withHint(err, "arc ci github --diff-only --template template.yaml")
	}
	return s.writeWorkflow(ctx, root, files, r.Gaps())
}

// ciSetup puts together what the flags, git and the manifest say.
func (s *session) ciSetup(ctx *cli.Context, p *project) (ci.Setup, error) {
	if p.app.File == "" {
		return ci.Setup{}, withHint(errors.New("there is no manifest here to deploy"), "arc init writes one")
	}
	setup := ci.Setup{
		App: p.app.Name, Region: p.app.AWS.Region, Branch: ctx.String("branch"),
		Account: ctx.String("account"), Production: ctx.String("production-account"),
		Role: ctx.String("role"), ArtifactBucket: p.app.AWS.Bucket, Boundary: p.app.AWS.Boundary,
	}
	if setup.Region == "" {
		setup.Region = deploy.DefaultRegion
	}
	if setup.Role == "" {
		setup.Role = p.app.Name + "-github"
	}
	var named string
	var err error
	setup.Source, named, _ = strings.Cut(ctx.String("source"), "#")
	if setup.Revision, err = s.pinned(ctx.Context, p.dir, setup.Source, named); err != nil {
		return setup, err
	}
	if st := p.app.Static; st != nil {
		setup.StagingFiles, setup.ProductionFiles = st.Staging, st.Production
	}
	for _, t := range p.app.Tables {
		if strings.HasPrefix(t.KMSKey, "arn:") {
			setup.Keys = append(setup.Keys, t.KMSKey)
		}
	}
	setup.Repository, err = repository(ctx.Context, p.dir, ctx.String("repo"))
	return setup, err
}

// repository is the one that is named, else that of git's remote origin.
// GitHub reads workflows at a repository's root only, and so this one expects
// the project there.
func repository(ctx context.Context, dir, named string) (ci.Repository, error) {
	if prefix, err := revision.Git(ctx, dir, "rev-parse", "--show-prefix"); err == nil && strings.TrimSpace(prefix) != "" {
		return ci.Repository{}, withHint(fmt.Errorf("the project is in the folder %s of its repository, and GitHub reads workflows at the root only", strings.TrimSpace(prefix)),
			"give the app a repository of its own, or write the workflow by hand after docs/ci.md")
	}
	if named != "" {
		r, err := ci.ParseRepository(named)
		if err != nil {
			return r, fmt.Errorf("--repo: %w", err)
		}
		return r, nil
	}
	remote, err := revision.Git(ctx, dir, "config", "--get", "remote.origin.url")
	if err != nil {
		return ci.Repository{}, withHint(errors.New("git knows no remote origin here"), "arc ci github --repo OWNER/NAME")
	}
	r, err := ci.ParseRemote(strings.TrimSpace(remote))
	if err != nil {
		return r, withHint(err, "arc ci github --repo OWNER/NAME")
	}
	return r, nil
}

// pinned gives the commit that the workflow builds arc from: what a name of it
// stands for now, since a tag or a branch can be moved to something that then
// gets production's role; without a name, the commit that this arc was built
// from, so that the workflow does what it did here. "" = it is not known.
func (s *session) pinned(ctx context.Context, dir, source, name string) (string, error) {
	if name == "" {
		commit, modified := ownRevision()
		if modified {
			s.note("%s this arc was built of more than commit %s, which the workflow will build", s.paint(yellow, "note:"), commit)
		}
		return commit, nil
	}
	if commitForm().MatchString(name) {
		return name, nil
	}
	if strings.HasPrefix(source, "-") || strings.HasPrefix(name, "-") {
		return "", withHint(fmt.Errorf("--source %s#%s: not a git repository and a commit of it", source, name), "--source https://github.com/OWNER/arc#COMMIT")
	}
	out, err := listRemote(ctx, dir, source, "refs/tags/"+name+"^{}", "refs/tags/"+name, "refs/heads/"+name)
	if err != nil {
		return "", withHint(fmt.Errorf("--source: which commit is %s of %s: %w", name, source, err), "name the commit itself, with all 40 digits")
	}
	found := map[string]string{}
	for line := range strings.Lines(out) {
		commit, ref, _ := strings.Cut(strings.TrimSpace(line), "\t")
		found[ref] = commit
	}
	tag := cmp.Or(found["refs/tags/"+name+"^{}"], found["refs/tags/"+name])
	branch := found["refs/heads/"+name]
	commit := cmp.Or(tag, branch)
	switch {
	case commit == "":
		return "", withHint(fmt.Errorf("--source: %s has no tag or branch %s", source, name), "name the commit, with all 40 digits")
	case tag != "" && branch != "" && tag != branch:
		return "", withHint(fmt.Errorf("--source: %s is a tag and another branch of %s", name, source), "name the commit, with all 40 digits: the tag's is %s", tag)
	}
	s.note("%s is commit %s now, and that is what the workflow will build", name, commit)
	return commit, nil
}

// listRemote asks another repository for commits, a line each with its ref. It
// is the only place where arc lets git leave the machine.
func listRemote(ctx context.Context, dir, source string, refs ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"ls-remote", "--", source}, refs...)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:ssh:file", "LC_ALL=C")
	cmd.WaitDelay = time.Second // what git has started for the network may have its output open
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git ls-remote: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

var commitForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`) })

// ownRevision is the commit that this arc was built from, "" where the Go tool
// recorded none, and whether files were changed since.
func ownRevision() (commit string, modified bool) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", false
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			commit = setting.Value
		case "vcs.modified":
			modified = setting.Value == "true"
		}
	}
	return commit, modified
}

// writeFiles writes all files or, where one has been changed by somebody and
// force is not given, none.
func writeFiles(root *os.Root, files []ci.File, force bool) ([]writtenFile, error) {
	var done []writtenFile
	var changed []string
	for _, f := range files {
		did := "written"
		switch there, err := root.ReadFile(f.Path); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", f.Path, err)
		case bytes.Equal(there, f.Content):
			did = "unchanged"
		default:
			did = "overwritten"
			changed = append(changed, f.Path)
		}
		done = append(done, writtenFile{f.Path, did})
	}
	if len(changed) > 0 && !force {
		return nil, withHint(fmt.Errorf("not what arc ci would write, and left as it is:\n  %s", strings.Join(changed, "\n  ")),
			"--force writes over it; git diff then shows what was lost")
	}
	for i, f := range files {
		if done[i].Did == "unchanged" {
			continue
		}
		err := root.MkdirAll(path.Dir(f.Path), 0o777)
		switch {
		case err != nil:
		case done[i].Did == "written":
			err = writeWholeNew(root, filepath.FromSlash(f.Path), f.Content)
		default:
			err = rewriteOwn(root, f.Path, f.Content)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	return done, nil
}
