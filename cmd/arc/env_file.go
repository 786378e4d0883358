package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"

	"arc/manifest"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// maxValue bounds what is read as the value of a variable: far more than any
// function takes.
const maxValue = 1 << 20

// envValue is the value that a variable is to get: an argument, stdin or a file.
func (s *session) envValue(ctx *cli.Context, name string, words []string, usage string) (string, error) {
	file := ctx.String("file")
	switch {
	case len(words) > 1:
		return "", withHint(errors.New("a value is one word, but there are more behind it"), "put it in quotes")
	case ctx.IsSet("file") && len(words) > 0:
		return "", withHint(errors.New("--file and a value: which of them?"), "leave one of them out")
	case ctx.IsSet("file"):
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("--file: %w", err)
		}
		return wholeValue(name, data)
	case len(words) == 1 && words[0] != "-":
		return wholeValue(name, []byte(words[0]+"\n"))
	case len(words) == 0:
		if typed, ok, err := s.typeValue(name); ok || err != nil {
			return typed, err
		}
		return "", withHint(fmt.Errorf("%s has no value", name), "%s", usage)
	}
	data, err := io.ReadAll(io.LimitReader(s.stdin, maxValue))
	if err != nil {
		return "", fmt.Errorf("read the value from stdin: %w", err)
	}
	return wholeValue(name, data)
}

// wholeValue is a value without the end of its last line.
func wholeValue(name string, data []byte) (string, error) {
	data = bytes.TrimSuffix(data, []byte("\n"))
	data = bytes.TrimSuffix(data, []byte("\r"))
	if bytes.IndexByte(data, 0) >= 0 {
		return "", withHint(fmt.Errorf("the value of %s holds a NUL byte, and no environment can", name), "encode it, as base64 for one")
	}
	return string(data), nil
}

// typeValue lets a person type a value that is not shown. Where nobody sits
// there, nothing is asked.
func (s *session) typeValue(name string) (value string, typed bool, err error) {
	in, ok := s.stdin.(*os.File)
	if !ok || s.env("CI") != "" || !term.IsTerminal(int(in.Fd())) {
		return "", false, nil
	}
	fmt.Fprintf(s.stderr, "value of %s (it is not shown): ", name)
	data, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(s.stderr)
	if err != nil {
		return "", false, fmt.Errorf("read the value: %w", err)
	}
	value, err = wholeValue(name, data)
	return value, true, err
}

// envTesting changes a variable of the sandbox, in the project's own file.
func (s *session) envTesting(ctx *cli.Context, p *project, name, value string, add bool) error {
	// Who reads it before another has written it would write over what that one set.
	registry, err := s.registry()
	if err != nil {
		return err
	}
	release, err := registry.Edit(ctx.Context, p.dir)
	if err != nil {
		return err
	}
	defer release()
	file, edit := ".env", func(src []byte, value *string) ([]byte, error) { return manifest.EditDotenv(src, name, value) }
	if _, err := p.root.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if file = p.app.Prefs.File; file == "" {
			file = "preferences.arc"
		}
		edit = func(src []byte, value *string) ([]byte, error) {
			return manifest.EditPreferences(src, stageTesting, name, value)
		}
	}
	before, err := p.root.ReadFile(file)
	made := errors.Is(err, fs.ErrNotExist)
	if err != nil && !made {
		return fmt.Errorf("read %s: %w", file, err)
	}
	to := &value
	if !add {
		to = nil
	}
	after, err := edit(before, to)
	if err != nil {
		return withHint(fmt.Errorf("%s: %w", file, err), "encode the value, as base64 for one, or edit the file yourself")
	}
	done := envChanged{Stage: stageTesting, Name: name, From: file, Changed: !bytes.Equal(before, after)}
	if done.Changed {
		if err := rewriteOwn(p.root, file, after); err != nil {
			return err
		}
	}
	if ctx.Bool("json") {
		return s.printJSON(done)
	}
	switch {
	case add && !done.Changed:
		s.note("%s has that value already, in %s", name, file)
	case add:
		s.note("set %s for testing in %s; arc sandbox has it at once", name, file)
		s.note("who may read it: whoever reads the project's files")
	case !done.Changed:
		s.note("there is no %s for testing in %s", name, file)
	default:
		s.note("removed %s from %s", name, file)
	}
	if add && done.Changed && isTracked(ctx.Context, p, file) {
		s.note("%s git would commit %s, and with it the value: add it to .gitignore", s.paint(yellow, "warning:"), file)
	}
	return nil
}

// rewriteOwn gives a file of the project new text in one step; its rights stay,
// and a new one is for this user alone, as it holds secrets.
func rewriteOwn(root *os.Root, name string, text []byte) error {
	f := formatted{name: name, mode: 0o600, text: text}
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case !info.Mode().IsRegular():
		return withHint(fmt.Errorf("%s is not a plain file", name), "edit what it leads to yourself")
	default:
		f.mode = info.Mode().Perm()
	}
	if err := replaceFile(root, f); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// isTracked tells whether git would commit a file of the project.
func isTracked(ctx context.Context, p *project, file string) bool {
	cmd := exec.CommandContext(ctx, "git", "check-ignore", "--quiet", "--", file)
	cmd.Dir = p.dir
	err := cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() == 1 // 128: no repository
}
