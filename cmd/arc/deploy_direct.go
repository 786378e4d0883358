package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"arc/cfn"
	"arc/deploy"

	"github.com/urfave/cli/v2"
)

// deployDirect gives named functions their code and configuration past
// CloudFormation.
func (s *session) deployDirect(ctx *cli.Context) error {
	if ctx.NArg() == 0 {
		return withHint(errors.New("--direct: which functions?"), "name them: arc deploy --direct \"get /\" src/ws/default")
	}
	return s.deployOther(ctx, func(p *project, clients deploy.Clients, opts cfn.Options) error {
		began := time.Now()
		variables, err := clients.Env(ctx.Context, scope(p, opts))
		if err != nil {
			return err
		}
		opts.Env, opts.EnvVersions = names(variables), versions(variables)
		b, err := s.compile(p, opts)
		if err != nil {
			return err
		}
		if err := s.diagnose(p, b.unpackedPreloads(p.app, variables)); err != nil {
			return err
		}
		var ids []string
		for _, word := range ctx.Args().Slice() {
			fn, err := findFunction(b.stack.Functions, word)
			if err != nil {
				return err
			}
			ids = append(ids, fn.LogicalID)
		}
		d := s.deployment(p, b, variables, deployOrder{options: opts})
		shown := s.follow()
		outcome, err := (&deploy.Deployer{Clients: clients, Progress: shown.step}).Direct(ctx.Context, d, ids)
		shown.close()
		if foreign, ok := errors.AsType[*deploy.ForeignError](err); ok {
			return notOurs(foreign)
		}
		if err != nil {
			return err
		}
		if ctx.Bool("json") {
			return s.done(outcome)
		}
		if len(outcome.Direct) == 0 {
			s.note("%s: what was named is as it was packaged already", outcome.StackName)
		} else {
			s.note("%s %s in %s, past CloudFormation: the next arc deploy makes it right", s.paint(green, "changed"), strings.Join(outcome.Direct, ", "), duration(time.Since(began)))
		}
		return s.printURLs(outcome.Outputs)
	})
}

// deployStatic publishes the static files alone.
func (s *session) deployStatic(ctx *cli.Context) error {
	return s.deployOther(ctx, func(p *project, clients deploy.Clients, opts cfn.Options) error {
		began := time.Now()
		b, err := s.compile(p, opts)
		if err != nil {
			return err
		}
		d := s.deployment(p, b, nil, deployOrder{options: opts, prune: ctx.Bool("prune")})
		if d.Static == nil {
			return withHint(errors.New("the app publishes no files"), "write @static into the manifest")
		}
		shown := s.follow()
		outcome, err := (&deploy.Deployer{Clients: clients, Progress: shown.step}).Publish(ctx.Context, d)
		shown.close()
		if foreign, ok := errors.AsType[*deploy.ForeignError](err); ok {
			return notOurs(foreign)
		}
		if err != nil {
			return err
		}
		if ctx.Bool("json") {
			return s.done(outcome)
		}
		s.note("%s to %s: %s, %s", s.paint(green, "published"), outcome.StackName, count(outcome.Published, "file"), duration(time.Since(began)))
		if b.assets != nil && b.assets.manifest != nil {
			s.note("functions have the fingerprints of the last deploy: arc deploy brings them the new ones")
		}
		return s.printURLs(outcome.Outputs)
	})
}

// deployOther runs what is no deploy of the whole.
func (s *session) deployOther(ctx *cli.Context, do func(*project, deploy.Clients, cfn.Options) error) error {
	p, err := s.openManifest()
	if err != nil {
		return err
	}
	defer p.close()
	clients, err := s.connect(ctx, p)
	if err != nil {
		return err
	}
	return do(p, clients, stageOptions(ctx))
}

// driftNote says which functions of a stack were changed past CloudFormation.
func driftNote(direct []string) string {
	if len(direct) == 0 {
		return ""
	}
	runs := "runs"
	if len(direct) > 1 {
		runs = "run"
	}
	return fmt.Sprintf("%s %s what arc deploy --direct gave, and not what the stack's template says: the next arc deploy puts it right", strings.Join(direct, ", "), runs)
}
