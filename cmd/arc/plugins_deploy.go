package main

import (
	"context"
	"slices"
	"strings"

	"arc/cfn/sam"
	"arc/deploy"
	"arc/deploy/plan"
	"arc/plugin"
)

// shown is a stack's template as plugins have left it, for those of their hooks
// that only look at it.
func (p *project) shown(b *build) ([]byte, error) {
	if e := p.edit(b.options); e != nil {
		return e.Template, nil
	}
	return sam.View(b.template, b.stack.Functions)
}

// targets are the plugins that deploy in arc's place.
func (p *project) targets() []*plugin.Plugin { return p.plugins.hosted().With("deploy.target") }

// deployByPlugins hands a stack to the plugins that deploy it in arc's place.
func (s *session) deployByPlugins(ctx context.Context, p *project, b *build) (deploy.Outcome, error) {
	outcome := deploy.Outcome{StackName: b.stack.Name}
	var names []string
	for _, target := range p.targets() {
		names = append(names, target.Name)
	}
	s.note("deploying %s with %s, which deploys in arc's place", p.app.Name, strings.Join(names, ", "))
	return outcome, s.deployHook(ctx, p, b, "deploy.target")
}

// deployHook runs deploy.target or deploy.end.
func (s *session) deployHook(ctx context.Context, p *project, b *build, hook string) error {
	host := p.plugins.hosted()
	if len(host.With(hook)) == 0 {
		return nil
	}
	template, err := p.shown(b)
	if err != nil {
		return err
	}
	d := p.deploymentFor(b.options)
	if err := host.After(ctx, p.plugins.project.For(d), d, hook, template); err != nil {
		return s.diagnose(p, pluginErrors(p, err))
	}
	return nil
}

// pluginVersions are what a plan binds a deploy to: the plugins that run, and the
// state of their code.
func (p *project) pluginVersions() ([]plan.Plugin, error) {
	list := []plan.Plugin{}
	host := p.plugins.hosted()
	if host == nil {
		return list, nil
	}
	return versionsOf(host.Plugins, p.pluginFolder())
}

func versionsOf(plugins []*plugin.Plugin, folder string) ([]plan.Plugin, error) {
	list := []plan.Plugin{}
	for _, one := range plugins {
		digest, err := one.Digest(folder)
		if err != nil {
			return nil, err
		}
		list = append(list, plan.Plugin{Name: one.Name, Version: digest})
	}
	return list, nil
}

// samePlugins refuses to load other plugins than a plan was made with.
func (s *session) samePlugins(p *project, id string, planned []plan.Plugin) func([]*plugin.Plugin) error {
	return func(found []*plugin.Plugin) error {
		now, err := versionsOf(found, p.pluginFolder())
		if err != nil || slices.Equal(now, planned) {
			return err
		}
		return s.planMoved(id, "the plugins", plan.MovedPlugins(planned, now), "install what it was made with (npm ci), or make a new plan")
	}
}
