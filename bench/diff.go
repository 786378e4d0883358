package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// cdkVersion is the peer's: cdk diff --template compares two files offline, as
// arc diff --template does. It does not look into nested stacks.
const cdkVersion = "2.1148.1"

// review times arc diff on projects in git repositories of which some routes
// changed, whole process. The floor is git diff of the same working tree.
func (b *bencher) review() ([]row, error) {
	cdk := b.installCDK()
	var rows []row
	for _, size := range []struct {
		resources string
		routes    int
		goal      string
	}{{"200", 40, "50 ms"}, {"3,000", 960, "500 ms"}} {
		dir := filepath.Join(b.dir, "review-"+size.resources)
		before, after, err := b.reviewed(dir, size.routes)
		if err != nil {
			return nil, err
		}
		peer := "cdk: not installed"
		if cdk != "" {
			took, _, err := b.sample(7, func() *exec.Cmd {
				cmd := exec.Command(cdk, "diff", "--app", after, "--template", before, "--no-change-set")
				cmd.Dir, cmd.Env = b.dir, append(os.Environ(), "AWS_EC2_METADATA_DISABLED=true", "CI=true")
				return cmd
			})
			if err != nil {
				return nil, err
			}
			peer = "cdk diff --template " + took.median()
			if size.routes > 150 {
				peer += " (root stack alone)"
			}
		}
		floor, _, err := b.sample(9, func() *exec.Cmd {
			cmd := exec.Command("git", "diff", "--stat", "HEAD")
			cmd.Dir = dir
			return cmd
		})
		if err != nil {
			return nil, err
		}
		for _, args := range [][]string{{"--template", before}, {"--base", "HEAD"}} {
			ours, peak, err := b.sample(11, func() *exec.Cmd {
				cmd := b.command("diff", args[0], args[1])
				cmd.Dir = dir
				return cmd
			})
			if err != nil {
				return nil, err
			}
			rows = append(rows, row{fmt.Sprintf("arc diff %s, %s resources", args[0], size.resources), fmt.Sprintf("%s, %d MB", ours.median(), peak>>20),
				floor.median() + " (git diff)", peer, size.goal})
			peer = ""
		}
	}
	return rows, nil
}

// sample times a command n times, after two that warm the disk's cache. Exit
// codes 2 and 3 are answers of arc diff.
func (b *bencher) sample(n int, command func() *exec.Cmd) (all durations, peak int64, err error) {
	for i := range n + 2 {
		cmd := command()
		began := time.Now()
		out, err := cmd.Output()
		took := time.Since(began)
		var exit *exec.ExitError
		if err != nil && !(errors.As(err, &exit) && exit.ExitCode() >= 2) {
			return nil, 0, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		}
		if i >= 2 {
			all = append(all, took)
		}
		peak = max(peak, maxRSS(cmd))
	}
	return all, peak, nil
}

// reviewed makes a project of every kind of resource, commits it, changes it,
// and gives the template before and, as cdk wants it, a cloud assembly of the
// one after.
func (b *bencher) reviewed(dir string, routes int) (before, after string, err error) {
	const others = "@ws\nsend\n@events\nsaved\n@queues\nmails\n@scheduled\nnightly rate(1 day)\n@static\n" +
		"@tables\nnotes\n  id *String\nusers\n  id *String\n@tables-indexes\nusers\n  mail *String\n"
	if err := manyRoutes(dir, routes); err != nil {
		return "", "", err
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "app.arc"))
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "app.arc"), append(manifest, others...), 0o666); err != nil {
		return "", "", err
	}
	run := func(cmd *exec.Cmd) ([]byte, error) {
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		}
		return out, nil
	}
	git := func(args ...string) *exec.Cmd {
		return exec.Command("git", append([]string{"-c", "user.name=bench", "-c", "user.email=bench@example.com"}, args...)...)
	}
	for _, cmd := range []*exec.Cmd{b.command("init"), git("init", "-q"), git("add", "-A"), git("commit", "-q", "-m", "before"), git("gc", "-q")} {
		if _, err := run(cmd); err != nil {
			return "", "", err
		}
	}
	before, after = dir+"-before.json", dir+"-cdk.out"
	template, err := run(b.command("package"))
	if err == nil {
		err = os.WriteFile(before, template, 0o666)
	}
	if err != nil {
		return "", "", err
	}
	// A route is another one, a table gets an index, and three handlers change.
	text := strings.Replace(string(manifest), "get /r7/items/:id", "post /r7/items/:id", 1)
	text += others + "notes\n  owner *String\n"
	if err := os.WriteFile(filepath.Join(dir, "app.arc"), []byte(text), 0o666); err != nil {
		return "", "", err
	}
	for _, i := range []int{3, 11, 30} {
		file := filepath.Join(dir, "src", "http", fmt.Sprintf("get-r%d-items-000id", i), "index.mjs")
		if err := os.WriteFile(file, []byte("export const handler = async () => ({ statusCode: 204 })\n"), 0o666); err != nil {
			return "", "", err
		}
	}
	if _, err := run(b.command("init")); err != nil {
		return "", "", err
	}
	if template, err = run(b.command("package")); err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(after, 0o777); err != nil {
		return "", "", err
	}
	assembly := `{"version":"38.0.1","artifacts":{"App":{"type":"aws:cloudformation:stack","environment":"aws://unknown-account/unknown-region","properties":{"templateFile":"App.json"},"displayName":"App"}}}`
	if err := os.WriteFile(filepath.Join(after, "manifest.json"), []byte(assembly), 0o666); err != nil {
		return "", "", err
	}
	return before, after, os.WriteFile(filepath.Join(after, "App.json"), template, 0o666)
}

// installCDK gives the path of cdk, "" where npm cannot install it.
func (b *bencher) installCDK() string {
	dir := filepath.Join(b.dir, "cdk")
	if _, err := b.install(dir, "aws-cdk@"+cdkVersion); err != nil {
		return ""
	}
	return filepath.Join(dir, "node_modules", ".bin", "cdk")
}
