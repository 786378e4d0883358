package main

import (
	"context"
	"errors"

	"arc/cfn"
	"arc/cfn/diff/face"
	"arc/deploy"
)

// adoption looks whose a stack is before it is changed. One that bears no mark
// and that nothing shows arc or Architect to have made is changed only with
// --adopt, and not before what would change in it was shown.
func (s *session) adoption(ctx context.Context, p *project, clients deploy.Clients, b *build, opts cfn.Options, adopt bool) error {
	err := clients.Owned(ctx, b.stack.Name, opts.Mark(p.app.Name))
	foreign, ok := errors.AsType[*deploy.ForeignError](err)
	switch {
	case err == nil && adopt:
		s.note("--adopt: stack %s is the app's own, or not there; there is nothing to adopt", b.stack.Name)
		return nil
	case !ok:
		return err
	case foreign.Unmarked():
		if err := s.showForeign(ctx, p, clients, b, opts); err != nil {
			return err
		}
		if adopt {
			return nil
		}
	}
	return notOurs(foreign)
}

// showForeign prints on stderr what a deploy would change in a stack.
func (s *session) showForeign(ctx context.Context, p *project, clients deploy.Clients, b *build, opts cfn.Options) error {
	before, err := s.deployed(ctx, clients, p, opts, false)
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
	s.note("stack %s was made by something else; a deploy would change it so:", b.stack.Name)
	return face.Text(s.stderr, review, face.TextOptions{Resources: true, Width: columns(s.stderr)})
}

// notOurs tells what to do about a stack that a command leaves alone.
func notOurs(foreign *deploy.ForeignError) error {
	if foreign.Unmarked() {
		return withHint(foreign, "when the stack is to become the app's: arc deploy --adopt\nwhen it is not: give the app or the stack another name; aws cloudformation delete-stack deletes what arc did not make")
	}
	return withHint(foreign, "two apps, or two stages of one, have one stack name; give one of them another (@app, --name)")
}
