package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"arc/cfn"
	"arc/deploy"
	"arc/sandbox"

	"github.com/urfave/cli/v2"
)

// sandboxDetached starts the sandbox in the background and waits for it.
func (s *session) sandboxDetached(ctx *cli.Context, registry sandbox.Registry, p *project, inspect *inspectFlag) error {
	if running, err := registry.Answer(ctx.Context, p.dir); err != nil || running != nil {
		if err == nil {
			err = s.alreadyRunning(ctx.Context, sandbox.ErrRunning, p, running)
		}
		return notAnswering(err)
	}
	open, _, err := s.openings(p, cloudFlags{open: openFlags(ctx)})
	if err != nil {
		return err
	}
	if _, err := keySets(ctx.StringSlice("jwks")); err != nil {
		return err
	}
	var flags []string
	if port := ctx.Int("port"); port != 0 {
		flags = append(flags, "--port", strconv.Itoa(port))
	}
	if workers := ctx.Int("max-workers"); workers != 0 {
		flags = append(flags, "--max-workers", strconv.Itoa(workers))
	}
	if inspect.on {
		flags = append(flags, "--inspect="+cmp.Or(inspect.name, "true"))
	}
	if db := ctx.String("db"); db != "" {
		flags = append(flags, "--db", db)
	}
	if ctx.Bool("fresh") {
		flags = append(flags, "--fresh")
	}
	for _, name := range []string{"aws", "allow-origin", "allow-host"} {
		if ctx.String(name) != "" {
			flags = append(flags, "--"+name, ctx.String(name))
		}
	}
	for _, set := range ctx.StringSlice("jwks") {
		flags = append(flags, "--jwks", set)
	}
	if file := ctx.String("as"); file != "" {
		file, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		flags = append(flags, "--as", file)
	}
	for _, name := range []string{"cloud-only", "no-schedules", "no-iam"} {
		if ctx.Bool(name) {
			flags = append(flags, "--"+name)
		}
	}
	running, err := s.startDetached(ctx.Context, registry, p.dir, flags...)
	if err != nil {
		return err
	}
	file, err := registry.LogFile(p.dir)
	if err != nil {
		return err
	}
	for _, line := range saidAtStart(file) {
		s.note("%s", line)
	}
	s.note("local cloud at %s, in the background; arc sandbox --stop ends it", running.Endpoint)
	s.note("what it says is in %s", file)
	s.tellOpenings(open)
	if ctx.Bool("cloud-only") {
		return nil
	}
	outputs, err := liveOutputs(ctx.Context, p, running)
	if err != nil {
		return err
	}
	if err := s.printURLs(outputs); err != nil {
		return err
	}
	s.tellDeadLetters(outputs, "")
	return nil
}

// saidAtStart are the lines of a log that a cloud in the background wrote after what
// this process has said itself: what of the app does not run as it would in the
// foreground, where everybody reads it.
func saidAtStart(log string) (lines []string) {
	text, err := os.ReadFile(log)
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(text), "local cloud at ")
	_, rest, _ = strings.Cut(rest, "\n")
	for line := range strings.Lines(rest) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "HTTP ") || strings.HasPrefix(line, "WS ") {
			break // it runs, and what follows are calls
		}
		lines = append(lines, line)
	}
	return lines
}

// liveOutputs asks a running local cloud where the app answers.
func liveOutputs(ctx context.Context, p *project, running *sandbox.Running) (map[string]string, error) {
	clients, err := deploy.Connect(ctx, deploy.ConnectOptions{Region: p.app.AWS.Region, Endpoint: running.Endpoint, Cloud: running.ID()})
	if err != nil {
		return nil, err
	}
	live, err := clients.Describe(ctx, cfn.StackName(p.app.Name, "testing", ""))
	return live.Outputs, err
}

// alreadyRunning says where the app is that runs already, as far as its cloud
// tells; running is that cloud, nil when it has not said yet that it is there.
func (s *session) alreadyRunning(ctx context.Context, err error, p *project, running *sandbox.Running) error {
	if !errors.Is(err, sandbox.ErrRunning) {
		return err
	}
	if running != nil {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		for _, key := range []string{"API", "WSS"} {
			// Whatever goes wrong here, the hint is only shorter.
			if outputs, _ := liveOutputs(ctx, p, running); outputs[key] != "" {
				return withHint(err, "the app is at %s; arc sandbox --stop ends it", outputs[key])
			}
		}
	}
	return withHint(err, "arc sandbox --stop ends it")
}
