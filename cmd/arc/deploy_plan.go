package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"arc/cfn"
	"arc/deploy"
	"arc/deploy/plan"

	"github.com/urfave/cli/v2"
)

// deployPlan deploys what a plan has sealed, or refuses and changes nothing.
func (s *session) deployPlan(ctx *cli.Context, file string) error {
	for _, name := range []string{"production", "name", "preview", "prune", "adopt", "allow-loss", "tag", "no-wait"} {
		if ctx.IsSet(name) {
			return withHint(fmt.Errorf("--%s with a plan: the plan says what is deployed where", name), "make another plan: arc diff --%s … -o %s", name, file)
		}
	}
	sealed, id, err := readPlan(file)
	if err != nil {
		return err
	}
	if err := approved(ctx, s.env("CI") == "true", sealed, id, file); err != nil {
		return err
	}
	if ctx.Bool("local") && !sealed.Local {
		return withHint(fmt.Errorf("%s is a plan for AWS account %s", file, sealed.Account), "arc diff --local -o %s plans for the local cloud", file)
	}
	if ctx.Bool("detach") {
		return errors.New("--detach with a plan: its local cloud runs already")
	}
	s.deployStage = pluginStage(sealed.Stage)
	p := &project{explicit: true, deploys: !sealed.Local, local: sealed.Local}
	p.planned = s.samePlugins(p, id, sealed.Plugins)
	if _, err = s.openWith(p); err != nil {
		return err
	}
	defer p.close()
	order := deployOrder{
		options: cfn.Options{Stage: sealed.Stage, Name: sealed.Name, Env: slices.Sorted(maps.Keys(sealed.Variables)), EnvVersions: sealed.Variables},
		tags:    sealed.Tags, allowLoss: sealed.AllowLoss, adopt: sealed.Adopt, plan: &deploy.Planned{ID: id, State: sealed.State, Goes: map[string]bool{}},
	}
	// What was pruned by a flag is pruned again; what the manifest says now is
	// compared with what it said.
	order.prune = sealed.Static != nil && sealed.Static.Prune
	b, err := s.planBuild(p, sealed, id, order)
	if err != nil {
		return err
	}
	clients, err := s.connectLocal(ctx.Context, p, sealed.Local)
	if err != nil {
		return err
	}
	account, err := clients.Account(ctx.Context)
	if err != nil {
		return err
	}
	if account != sealed.Account || clients.Region != sealed.Region {
		return withHint(fmt.Errorf("plan %s is for account %s in %s, and you are in account %s in %s", id, sealed.Account, sealed.Region, account, clients.Region),
			"set AWS_PROFILE and AWS_REGION to what it was made with")
	}
	variables, err := readVariables(ctx.Context, p, clients, order.options)
	if err != nil {
		return err
	}
	if moved := movedVariables(sealed.Variables, variables); len(moved) > 0 {
		return s.planMoved(id, "the environment variables", moved, "make a new plan")
	}
	if err := s.judgeAnew(ctx.Context, p, clients, b, sealed, id, order); err != nil {
		return err
	}
	if err := s.settleAppSecret(ctx.Context, p, clients, sealed.Stage, variables); err != nil {
		return err
	}
	s.note("plan %s", id)
	cloud := &cloud{clients: clients, note: s.note}
	err = s.finish(ctx, cloud, func() (deploy.Outcome, error) { return s.bring(ctx.Context, p, clients, b, variables, order) })
	if _, moved := errors.AsType[*deploy.MovedError](err); moved {
		return withHint(err, "nothing was changed; review it anew: arc diff … -o %s", file)
	}
	return err
}

// readPlan reads a plan file.
func readPlan(file string) (*plan.Plan, string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, "", withHint(fmt.Errorf("plan: %w", err), "arc diff -o %s makes one", file)
	}
	sealed, id, err := plan.Open(data)
	if err != nil {
		return nil, "", fmt.Errorf("plan %s: %w", file, err)
	}
	return sealed, id, nil
}

// judgeAnew works out from the templates what a plan says to be dangerous, to be
// lost and to go, and refuses a plan that says something else: whoever can write
// the file can write all of that, and seal it. When the stack is not as the plan
// found it there is nothing to compare with: Deploy refuses it, or finds that the
// plan was carried out.
func (s *session) judgeAnew(ctx context.Context, p *project, clients deploy.Clients, b *build, sealed *plan.Plan, id string, order deployOrder) error {
	state, err := clients.State(ctx, b.stack.Name)
	if err != nil || state != sealed.State {
		order.plan.Unjudged = true
		return nil
	}
	before, err := s.deployed(ctx, clients, p, order.options, false)
	if err != nil {
		return err
	}
	after, err := s.builtSide("working tree", p, b, before.unread)
	if err != nil {
		return err
	}
	review, err := compose(ctx, &before, &after, "")
	if err != nil {
		return err
	}
	anew := &plan.Plan{Losses: losses(review), Goes: goes(review, before.deployed.root, b.template), Dangers: dangers(review, sealed.AllowLoss)}
	if wrong := sealed.Differs(anew); len(wrong) > 0 {
		return withHint(fmt.Errorf("plan %s is not what arc diff makes of this change:\n%s", id, indent(strings.Join(firstOf(wrong), "\n"))),
			"somebody has edited it, or another arc made it; review the change anew: arc diff … -o PLAN")
	}
	for _, gone := range anew.Goes {
		order.plan.Goes[gone] = true
	}
	return nil
}

// approved refuses a plan that nobody has approved: one that needs it, and in
// continuous integration, where nobody looks at what the file says, any.
func approved(ctx *cli.Context, unattended bool, sealed *plan.Plan, id, file string) error {
	if given := ctx.String("approve"); ctx.IsSet("approve") && given != id {
		return withHint(fmt.Errorf("--approve %s: that is another plan; %s is %s", given, file, id), "review this one before you approve it")
	}
	var lines []string
	for _, d := range sealed.Dangers {
		lines = append(lines, fmt.Sprintf("%s: %s", d.Class, d.Text))
	}
	text := ""
	if len(lines) > 0 {
		text = ":\n" + indent(strings.Join(firstOf(lines), "\n"))
	}
	if left := sealed.Unallowed(); len(left) > 0 {
		return withHint(fmt.Errorf("plan %s would lose data that nobody has given up by name%s", id, text),
			"when that is meant, make the plan again with --allow-loss ID for each of: %s", strings.Join(firstOf(left), ", "))
	}
	if ctx.IsSet("approve") {
		return nil
	}
	const hint = "when that is meant: arc deploy --approve %s %s"
	if why := sealed.Approvals(); len(lines) > 0 {
		return withHint(fmt.Errorf("plan %s is dangerous, and not approved%s", id, text), hint, id, file)
	} else if len(why) > 0 {
		return withHint(fmt.Errorf("plan %s is not approved: %s", id, strings.Join(why, ", ")), hint, id, file)
	}
	if unattended {
		return withHint(fmt.Errorf("plan %s is not approved, and with CI=true every plan has to be", id),
			"pass on the ID that was reviewed, by another way than the file: arc deploy --approve ID %s", file)
	}
	return nil
}

// planBuild compiles the working tree and checks that it is what the plan was
// made of.
func (s *session) planBuild(p *project, sealed *plan.Plan, id string, order deployOrder) (*build, error) {
	if p.app.Name != sealed.App {
		return nil, withHint(fmt.Errorf("plan %s is of the app %s, and this is %s", id, sealed.App, p.app.Name), "change to the folder of %s", sealed.App)
	}
	b, err := s.compile(p, order.options)
	if err != nil {
		return nil, err
	}
	now, err := p.plan(b, order.options, order.prune)
	if err != nil {
		return nil, err
	}
	moved := sealed.Moved(now)
	if len(moved) == 0 {
		return b, nil
	}
	hint := "check out what it was made of, or make a new plan"
	if sealed.Arc != now.Arc {
		hint += fmt.Sprintf("\nit was made with arc %s, and this is %s", sealed.Arc, now.Arc)
	}
	return nil, s.planMoved(id, "the working tree", moved, hint)
}

// planMoved tells what a plan no longer fits.
func (s *session) planMoved(id, what string, moved []string, hint string) error {
	return withHint(fmt.Errorf("plan %s no longer fits %s:\n%s", id, what, indent(strings.Join(firstOf(moved), "\n"))), "%s", hint)
}

// movedVariables compares by version, so that no value is told.
func movedVariables(before map[string]string, now map[string]deploy.Variable) []string {
	var moved []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if v, ok := now[name]; !ok {
			moved = append(moved, name+": gone")
		} else if before[name] == deploy.Unmade && deploy.MadeHere(v.Value) {
			// An earlier run of the plan made it.
		} else if v.Version != before[name] {
			moved = append(moved, name+": another value")
		}
	}
	for _, name := range names(now) {
		if _, ok := before[name]; !ok {
			moved = append(moved, name+": new")
		}
	}
	return moved
}
