package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
	"arc/cfn/registry"
	"arc/deploy"
	"arc/deploy/plan"
	"arc/manifest/syntax"

	"github.com/urfave/cli/v2"
)

// planned is what the user asked of the plan that arc diff -o makes.
type planned struct {
	file      string
	stage     cfn.Options
	local     bool
	prune     bool
	adopt     bool
	tags      map[string]string
	allowLoss []string
}

// planOrder reads the flags of a plan; nil when none is asked for.
func planOrder(ctx *cli.Context) (*planned, error) {
	if !ctx.IsSet("output") {
		for _, name := range []string{"allow-loss", "prune", "adopt", "tag"} {
			if ctx.IsSet(name) {
				return nil, withHint(fmt.Errorf("--%s says what goes into a plan", name), "name the plan with -o, or give --%s to arc deploy", name)
			}
		}
		return nil, nil
	}
	for _, name := range []string{"base", "template"} {
		if ctx.IsSet(name) {
			return nil, withHint(fmt.Errorf("-o with --%s: a plan changes what is deployed", name), "leave --%s out", name)
		}
	}
	file := ctx.String("output")
	if err := mayWritePlan(file); err != nil {
		return nil, err
	}
	tags, err := tagValues(ctx.StringSlice("tag"))
	if err != nil {
		return nil, err
	}
	return &planned{
		file: file, stage: stageOptions(ctx), local: ctx.Bool("local"), prune: ctx.Bool("prune"), adopt: ctx.Bool("adopt"),
		tags: tags, allowLoss: ctx.StringSlice("allow-loss"),
	}, nil
}

// mayWritePlan refuses to write over anything but another plan.
func mayWritePlan(file string) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if filepath.Ext(file) != planSuffix {
			return withHint(fmt.Errorf("-o %s: the name of a plan ends in %s", file, planSuffix), "write -o %s%s", strings.TrimSuffix(file, filepath.Ext(file)), planSuffix)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("-o: %w", err)
	}
	if _, _, err := plan.Open(data); errors.Is(err, plan.ErrNoPlan) && len(data) > 0 {
		return withHint(fmt.Errorf("-o %s: there is a file of that name that is not a plan", file), "name another one")
	}
	return nil
}

// planSuffix tells a plan from a stray word on the command line.
const planSuffix = ".arcplan"

// isPlan recognises the words of arc deploy PLAN.
func isPlan(words []string) bool {
	return len(words) == 1 && filepath.Ext(words[0]) == planSuffix
}

// writePlan seals what was reviewed in a file.
func (s *session) writePlan(ctx context.Context, order planned, review *diff.Review, before, after side) error {
	p, err := after.project.plan(after.build, order.stage, order.prune)
	if err != nil {
		return err
	}
	if err := s.mayPlan(ctx, order, before, after); err != nil {
		return err
	}
	p.Local, p.Adopt, p.Tags, p.State = order.local, order.adopt, order.tags, before.deployed.state
	p.Region = before.deployed.clients.Region
	if p.Account, err = before.deployed.clients.Account(ctx); err != nil {
		return err
	}
	maps.Copy(p.Variables, before.deployed.variables)
	p.Losses, p.Goes = losses(review), goes(review, before.deployed.root, after.build.template)
	if p.AllowLoss, err = allowed(order.allowLoss, p.Losses, p.Stack); err != nil {
		return err
	}
	p.Dangers = dangers(review, p.AllowLoss)
	data, id, err := p.Seal()
	if err != nil {
		return err
	}
	if err := writeWhole(order.file, data); err != nil {
		return err
	}
	s.note("wrote %s: plan %s of stack %s, account %s, %s", order.file, id, p.Stack, p.Account, p.Region)
	if left := p.Unallowed(); len(left) > 0 {
		s.note("it will not be deployed: data of %s would be lost, and --allow-loss does not name it", strings.Join(firstOf(left), ", "))
	} else if why := p.Approvals(); len(why) > 0 {
		s.note("%s; when that is meant: arc deploy --approve %s %s", strings.Join(why, ", "), id, order.file)
	}
	return nil
}

// mayPlan refuses to plan the change of a stack that is not the app's. What it
// would be has been shown by then.
func (s *session) mayPlan(ctx context.Context, order planned, before, after side) error {
	mark := order.stage.Mark(after.project.app.Name)
	err := before.deployed.clients.Owned(ctx, after.build.stack.Name, mark)
	foreign, ok := errors.AsType[*deploy.ForeignError](err)
	switch {
	case !ok:
		if err == nil && order.adopt {
			err = withHint(fmt.Errorf("--adopt: stack %s is the app's own, or not there", after.build.stack.Name), "leave --adopt out")
		}
		return err
	case foreign.Unmarked() && order.adopt:
		return nil
	case foreign.Unmarked():
		return withHint(foreign, "when the stack is to become the app's: arc diff … --adopt -o %s", order.file)
	}
	return notOurs(foreign)
}

// maxListed bounds how many things a message lists.
const maxListed = 12

// firstOf cuts a list that is too long to be read.
func firstOf(list []string) []string {
	if more := len(list) - maxListed; more > 0 {
		return append(list[:maxListed:maxListed], fmt.Sprintf("and %d more", more))
	}
	return list
}

// writeWhole writes a file so that it is there whole or not at all.
func writeWhole(file string, data []byte) error {
	dir, name := filepath.Split(file)
	f, err := os.CreateTemp(filepath.Clean(dir), name+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer os.Remove(f.Name()) // does nothing once it is renamed
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// plan is the part of a plan that the working tree makes.
func (p *project) plan(b *build, stage cfn.Options, prune bool) (*plan.Plan, error) {
	made := &plan.Plan{
		Arc: versionText(), App: p.app.Name, Stage: stage.Stage, Name: stage.Name, Stack: b.stack.Name, Bucket: p.app.AWS.Bucket,
		Dangers: []plan.Danger{}, Losses: []string{}, AllowLoss: []string{}, Goes: []string{},
		Variables: map[string]string{}, Artifacts: []plan.Artifact{}, Template: string(b.template),
	}
	var err error
	if made.Plugins, err = p.pluginVersions(); err != nil {
		return nil, err
	}
	for _, a := range b.artifacts() {
		made.Artifacts = append(made.Artifacts, plan.Artifact{Key: a.Key, Label: a.Label})
	}
	static := p.publication(b.assets, stage.Stage, prune)
	if static == nil {
		return made, nil
	}
	made.Static = &plan.Static{Bucket: static.Bucket, Prefix: static.Prefix, Prune: static.Prune, Ignore: append([]string{}, static.Ignore...), Files: []plan.File{}}
	for _, f := range static.Files {
		sum, err := digest(f)
		if err != nil {
			return nil, fmt.Errorf("static folder: %s: %w", f.Path, err)
		}
		made.Static.Files = append(made.Static.Files, plan.File{Path: f.Path, SHA256: sum})
	}
	return made, nil
}

func digest(f deploy.StaticFile) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// losses lists what a deploy refuses to lose unless it is named.
func losses(review *diff.Review) []string {
	ids := []string{}
	for _, c := range review.Changes {
		if c.Loses() {
			ids = append(ids, c.LogicalID)
		}
	}
	return ids
}

// goes lists the resources that the change removes or may replace; to which
// belong those that move from the root stack to a nested one.
func goes(review *diff.Review, before *cfn.Document, template []byte) []string {
	ids := []string{}
	for _, c := range review.Changes {
		if c.Action == compare.Remove || c.Action == compare.Modify && c.Update >= registry.MayReplace {
			ids = append(ids, c.LogicalID)
		}
	}
	after, err := cfn.Parse(template)
	if before != nil && err == nil {
		for id := range before.Resources {
			if _, stays := after.Resources[id]; !stays {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// allowed checks that what is given up would be lost: another name is a
// mistake.
func allowed(names, losses []string, stack string) ([]string, error) {
	list := append([]string{}, names...)
	slices.Sort(list)
	for _, id := range list {
		if slices.Contains(losses, id) {
			continue
		}
		err := fmt.Errorf("--allow-loss %s: the change of %s loses nothing of that", id, stack)
		if near := syntax.Near(id, losses); near != "" {
			return nil, withHint(err, "did you mean %s?", near)
		}
		return nil, withHint(err, "leave it out")
	}
	return slices.Compact(list), nil
}

// dangers lists why a review is dangerous, but for losses that were given up
// by name.
func dangers(review *diff.Review, allowLoss []string) []plan.Danger {
	list := []plan.Danger{}
	for _, g := range review.Groups {
		for _, it := range g.Items {
			for _, risk := range it.Risks {
				named := func(id string) bool { return slices.Contains(allowLoss, id) }
				lost := risk.Class == diff.DataLoss || risk.Class == diff.Replaced
				if slices.Contains(diff.DangerousClasses(), risk.Class) && !(lost && slices.ContainsFunc(it.Resources, named)) {
					list = append(list, plan.Danger{Class: string(risk.Class), Text: risk.Text})
				}
			}
		}
	}
	return list
}
