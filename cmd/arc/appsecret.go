package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"arc/cfn"
	"arc/deploy"
	"arc/manifest"
)

// usesAppSecret reports whether any function of the app sees the user's
// variables, and so the key of its sessions.
func usesAppSecret(app *manifest.App) bool {
	for _, fn := range app.Functions() {
		if !fn.Asset && fn.Config.Env {
			return true
		}
	}
	return false
}

// scope is whose variables a stack of the app gets.
func scope(p *project, opts cfn.Options) deploy.Scope {
	return deploy.Scope{App: p.app.Name, Stage: opts.Stage, Stack: opts.Name}
}

// readVariables reads the user's variables of a stage. The key of sessions is
// among them, also if it is only made when the stack is deployed.
func readVariables(ctx context.Context, p *project, clients deploy.Clients, opts cfn.Options) (map[string]deploy.Variable, error) {
	variables, err := clients.Env(ctx, scope(p, opts))
	if err != nil {
		return nil, err
	}
	expectAppSecret(p, variables, deploy.Variable{Version: deploy.Unmade})
	return variables, addSet(p, opts, variables, func(v manifest.EnvVar) deploy.Variable {
		return deploy.Variable{Value: v.Value, Version: setVersion(v)}
	})
}

// addSet adds what plugins set to the variables of a stage. One that is there
// already would have two values.
func addSet[V any](p *project, opts cfn.Options, variables map[string]V, as func(manifest.EnvVar) V) error {
	for _, v := range p.app.Set[opts.Environment()] {
		if _, both := variables[v.Name]; both {
			return withHint(fmt.Errorf("%s: a plugin sets the variable %s, and arc env has it for this stage as well", v.Pos, v.Name),
				"remove it from one of the two: arc env --remove --env %s %s", opts.Stage, v.Name)
		}
		variables[v.Name] = as(v)
	}
	return nil
}

// setVersion tells one value that a plugin set from another, and too little of it
// to find it out.
func setVersion(v manifest.EnvVar) string {
	sum := sha256.Sum256([]byte(v.Name + "\x00" + v.Value))
	return "plugin-" + hex.EncodeToString(sum[:3])
}

// expectAppSecret adds the key of sessions to variables that lack it, as the
// deploy will.
func expectAppSecret[V any](p *project, variables map[string]V, unmade V) {
	if _, ok := variables[deploy.AppSecret]; !ok && usesAppSecret(p.app) {
		variables[deploy.AppSecret] = unmade
	}
}

// settleAppSecret makes the key of sessions if there is none, and says where it
// is, and whose.
func (s *session) settleAppSecret(ctx context.Context, p *project, clients deploy.Clients, stage string, variables map[string]deploy.Variable) error {
	key, ok := variables[deploy.AppSecret]
	place := deploy.EnvFolder(p.app.Name, stage) + "/" + deploy.AppSecret
	switch {
	case !ok:
		return nil
	case key.Version == deploy.Unmade:
		made, err := clients.MakeAppSecret(ctx, p.app.Name, stage)
		if err != nil {
			return err
		}
		variables[deploy.AppSecret] = made
		s.note("made the key of sessions, %s in SSM", place)
	case len(key.Value) < deploy.MinAppSecret:
		return withHint(fmt.Errorf("%s in SSM has %d characters, and @architect/functions 8 wants %d", place, len(key.Value), deploy.MinAppSecret),
			"set a longer one, or delete it and deploy: arc makes one")
	case stage != "production":
	case deploy.MadeHere(key.Value):
		s.note("sessions are encrypted with %s in SSM, made by arc", place)
	default:
		s.note("sessions are encrypted with %s in SSM, set by you", place)
	}
	return nil
}

// localAppSecret is the key of the sandbox's sessions: one a project, kept in
// the user's state folder so that sessions survive a restart.
func (s *session) localAppSecret(p *project) string {
	dir, err := s.stateDir()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return s.passingAppSecret(err)
	}
	sum := sha256.Sum256([]byte(p.dir))
	file := filepath.Join(dir, "sessions-"+hex.EncodeToString(sum[:8])+".key")
	key, err := keepAppSecret(file)
	if err != nil {
		return s.passingAppSecret(err)
	}
	return key
}

// keepAppSecret gives the key that a file holds, and makes one where there is
// none. Of several at once each gets the same: a key has its name only when it is
// whole, and the first to get it keeps it. What is no key gives way to one.
func keepAppSecret(file string) (string, error) {
	if key, err := os.ReadFile(file); err == nil && deploy.MadeHere(string(key)) {
		return string(key), nil
	} else if err == nil {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	made, err := os.CreateTemp(filepath.Dir(file), "sessions-*.new") // for this user alone
	if err != nil {
		return "", err
	}
	defer os.Remove(made.Name())
	_, err = made.WriteString(deploy.NewAppSecret())
	if err := errors.Join(err, made.Close()); err != nil {
		return "", err
	}
	if err := os.Link(made.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(made.Name(), file); err != nil { // a file system without links
			return "", err
		}
	}
	key, err := os.ReadFile(file)
	if err == nil && !deploy.MadeHere(string(key)) {
		err = fmt.Errorf("%s holds no key", file)
	}
	return string(key), err
}

// passingAppSecret is a key that ends with the sandbox.
func (s *session) passingAppSecret(why error) string {
	s.note("sessions end with the sandbox, as their key cannot be kept: %v", why)
	return deploy.NewAppSecret()
}

// stateDir is arc's folder for what is to stay, unlike a cache: in
// $XDG_STATE_HOME, or where that is when it is not set.
// https://specifications.freedesktop.org/basedir-spec/latest/
func (s *session) stateDir() (string, error) {
	dir := s.env("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // the specification has a relative one ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(home) {
			return "", withHint(fmt.Errorf("the user's state folder: HOME=%s is not an absolute path", home), "write the whole path")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "arc"), nil
}
