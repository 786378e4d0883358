package main

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/registry"
	"arc/deploy"
	"arc/manifest"
	"arc/source/revision"
)

// identityOf is which stack an app's manifest brings a template to.
func identityOf(app *manifest.App, stack string) diff.Identity {
	is := diff.Identity{App: app.Name, Stack: stack, Region: app.AWS.Region, Profile: app.AWS.Profile}
	if is.Profile == "" {
		is.Profile = "default"
	}
	if app.Pos.IsValid() {
		is.At = &diff.Position{File: app.Pos.File, Line: app.Pos.Line, Column: app.Pos.Col}
	}
	return is
}

// markedIdentity is what a template of arc's says of itself. Others say nothing.
func markedIdentity(doc *cfn.Document) diff.Identity {
	metadata, err := json.Marshal(doc.Metadata)
	if err != nil {
		return diff.Identity{}
	}
	mark, err := cfn.ReadMark(string(metadata))
	if err != nil || mark == nil {
		return diff.Identity{}
	}
	return diff.Identity{App: mark.App, Stack: cfn.StackName(mark.App, mark.Stage, mark.Name)}
}

// formerRevisions bounds how many changes of the manifest are looked back at.
const formerRevisions = 20

// formerIdentity is which stack the manifest of an app that is not deployed named
// before: as it is committed last, or as it was in an earlier commit whose stack
// is there. Without git, or where it never named another one, it is empty.
func (s *session) formerIdentity(ctx context.Context, clients deploy.Clients, p *project, opts cfn.Options) diff.Identity {
	is := identityOf(p.app, "")
	log, err := revision.Git(ctx, p.dir, "log", "--format=%H", "-n", "20", "--", p.app.File)
	if err != nil {
		return diff.Identity{}
	}
	for i, commit := range append([]string{"HEAD"}, strings.Fields(log)...) {
		if i > formerRevisions {
			break
		}
		app := s.appAt(ctx, p, commit)
		if app == nil {
			continue
		}
		was := identityOf(app, cfn.StackName(app.Name, opts.Stage, opts.Name))
		was.At = nil
		if was.App == is.App && was.Region == is.Region && was.Profile == is.Profile {
			continue
		}
		if was.Region == is.Region && was.Profile == is.Profile {
			was.Holds = holdings(ctx, clients, was.Stack)
		}
		if i == 0 || len(was.Holds) > 0 {
			return was
		}
	}
	return diff.Identity{}
}

// appAt reads the manifest of a commit; nil when there is none that can be read.
func (s *session) appAt(ctx context.Context, p *project, commit string) *manifest.App {
	tree, err := revision.Open(ctx, p.dir, commit, p.files())
	if err != nil {
		return nil
	}
	defer tree.Close()
	r := manifest.Load(tree, manifest.Options{Region: s.region(), Home: s.home()})
	if r.App == nil || r.App.File == "" {
		return nil
	}
	return r.App
}

// holdings names what holds data in a stack, as far as it is there and can be
// read.
func holdings(ctx context.Context, clients deploy.Clients, name string) []string {
	stack, err := clients.Describe(ctx, name)
	if err != nil || stack.Absent() {
		return nil
	}
	templates, err := clients.Templates(ctx, stack)
	if err != nil || templates.Root == nil {
		return nil
	}
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(templates.Root.Resources)) {
		if registry.Holds(templates.Root.Resources[id].Type, templates.Root.Resources[id].Properties) {
			ids = append(ids, id)
		}
	}
	return ids
}
