package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime/debug"
	"strings"

	"arc/ci"
	"arc/deploy"
	"arc/source/revision"

	"github.com/urfave/cli/v2"
)

// ciHelp is the help of arc ci and of arc ci github: there is no other.
const ciHelp = `Usage: arc ci github [--repo OWNER/NAME] [--account ID] [--branch NAME]
                     [--production-account ID] [--role NAME] [--source URL#REV]

Writes a GitHub Actions workflow, and the IAM policies that let it in: a pull
request is reviewed in a comment and gets a stack of its own until it is closed;
a push to the branch is deployed to staging and, once a person has approved the
plan, to production. Nobody's AWS keys are stored anywhere.

  .github/workflows/arc.yml           the workflow
  .github/arc/ROLE-trust.json         who may take each of its four roles:
  .github/arc/ROLE-permissions.json   preview, staging, plan, production

A file that somebody has changed is left alone, and nothing is written then.
docs/ci.md tells how to make the roles from the policies.

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
                         and a commit, tag or branch (default: this arc's own)
      --force            write over files that somebody has changed
      --json             print what was done as JSON

Examples:
  arc ci github --account 123456789012
  arc ci github --repo acme/shop --account 111111111111 \
    --production-account 222222222222

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
	done, err := writeFiles(p.root, files, ctx.Bool("force"))
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
	for _, gap := range setup.Gaps() {
		s.note("%s %s", s.paint(yellow, "to fill in:"), gap)
	}
	for _, caution := range setup.Cautions() {
		s.note("%s %s", s.paint(yellow, "note:"), strings.ReplaceAll(caution, "\n", "\n  "))
	}
	return err
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
	setup.Source, setup.Revision, _ = strings.Cut(ctx.String("source"), "#")
	if setup.Revision == "" {
		setup.Revision = ownRevision()
	}
	if st := p.app.Static; st != nil {
		setup.StagingFiles, setup.ProductionFiles = st.Staging, st.Production
	}
	for _, t := range p.app.Tables {
		if strings.HasPrefix(t.KMSKey, "arn:") {
			setup.Keys = append(setup.Keys, t.KMSKey)
		}
	}
	var err error
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

// ownRevision is the commit that this arc was built from, so that the workflow
// does what it did here; the branch main where the Go tool recorded none.
func ownRevision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return "main"
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
		if err == nil {
			err = root.WriteFile(f.Path, f.Content, 0o666)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	return done, nil
}
