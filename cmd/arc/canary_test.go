package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"arc/manifest/syntax"
)

// canaries are values that no command may tell: of the folder's .env, of the
// preferences, of SSM for each stage and a named stack, and the user's own key.
func canaries() map[string]string {
	return map[string]string{
		".env":               "canary-dotenv-7b1f",
		"preferences":        "canary-prefs-20ad",
		"staging":            "canary-staging-91c4",
		"staging, before":    "canary-before-5e00",
		"production":         "canary-production-e3d2",
		"named stack":        "canary-named-44aa",
		"the user's AWS key": "canary-user-key-0c9b",
	}
}

const canaryApp = `
-- app.arc --
@app
canary
@http
get /
@events
paid
@tables
notes
  id *String
@queues
jobs
@static
-- preferences.arc --
@env
testing
  PREFERRED canary-prefs-20ad
-- .env --
DOTENV=canary-dotenv-7b1f
-- public/index.html --
page
-- src/http/get-index/index.mjs --
export const handler = async () => ({ statusCode: 200, body: String(Object.keys(process.env).length) })
-- src/events/paid/index.mjs --
export const handler = async () => { throw new Error('on purpose') }
-- src/queues/jobs/index.mjs --
export const handler = async () => {}
-- row.jsonl --
{"Item":{"id":{"S":"1"}}}
-- .gitignore --
.env
`

// spoken are the command lines with which each command is tried, in this order. "~" in
// front of one: it may fail. A command without any is a failure of TestCanaries,
// and so is one that has --json and is not tried with it.
func spoken() []spokenLines {
	return []spokenLines{
		{"init", []string{"init"}},
		{"check", []string{"check", "check --json", "check --strict"}},
		{"fmt", []string{"fmt", "fmt --check"}},
		{"inventory", []string{"inventory", "inventory --json"}},
		{"graph", []string{"graph", "graph --format mermaid", "graph --format svg"}},
		{"package", []string{"package", "package --production", "package --sizes", "package --sizes --json"}},
		{"env", []string{
			"env --local", "env --local --json", "env -e testing", "env --local -e staging", "env --local -e staging --json", "~env --local -e nowhere",
			"env --local --diff", "env --local --diff --json", "~env --local -a -e staging AWS_REGION canary-staging-91c4", "~env --local -a -e staging MY-KEY canary-staging-91c4",
		}},
		{"create", []string{"create --local", "create --local --json"}},
		{"deploy", []string{
			"deploy --local", "deploy --local --json", "deploy --local --name feat", "deploy --local --production --json",
			"deploy --local --direct paid", "deploy --local --direct --json paid", "deploy --local --static", "deploy --local --static --json",
			"deploy --dry-run", "deploy --dry-run --json", "deploy --eject out/plain", "deploy --eject --json out/json", "~deploy --json", "~deploy",
		}},
		{"diff", []string{
			"diff --local", "diff --local --json", "diff --local --format markdown", "diff --local --format html", "diff --local --format sarif", "diff --local --cost --resources",
			"diff --base HEAD", "diff --local --production -o out/release.arcplan", "diff --local --name feat --json", "~diff --local --explain 1",
		}},
		{"invoke", []string{"invoke get /", "~invoke paid", "~invoke nothing"}},
		{"logs", []string{"logs --local", "logs --local --raw", "logs --local --json", "logs --stage testing --json", "logs --local --destroy paid"}},
		{"status", []string{"status --local", "status --local --json", "status --local --drift"}},
		{"why", []string{"~why --local", "~why --local --json", "~why --local --production"}},
		{"data", []string{"data", "data --stage staging --local"}},
		{"data import", []string{"data import canarytesting-notes row.jsonl"}},
		{"data show", []string{"data show canarytesting-notes"}},
		{"data export", []string{"data export canarytesting-notes"}},
		{"data reset", []string{"data reset canarytesting-notes"}},
		{"data redrive", []string{"~data redrive jobs"}},
		{"ci github", []string{"~ci github", "ci github --repo a/b --account 111122223333 --force", "ci github --repo a/b --account 111122223333 --force --json"}},
		{"destroy", []string{"~destroy --local --app canary", "destroy --local --app canary --name feat --force", "destroy --local --app canary --force --json", "destroy --local --app canary --production --force"}},
		{"version", []string{"version", "--version"}},
		{"help", []string{"help", "help deploy"}},
		{"sandbox", []string{"~sandbox", "~sandbox --json", "sandbox --stop"}},
	}
}

// spokenLines are those of one command.
type spokenLines struct {
	command string
	lines   []string
}

// TestCanaries runs every command in every format on an app with secrets of every
// kind. None is in what is printed, in a file that is written, or in a zip. What is for
// people is printed in a terminal of 80 columns, and fits.
func TestCanaries(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	lookTool(t, "git")
	spokenOfAll(t)
	arc, dir := buildArc(t), t.TempDir()
	writeArchive(t, dir, canaryApp)
	environ := append(arcEnv(dir), "AWS_ENDPOINT_URL=", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=canary-user-key-0c9b", "AWS_EC2_METADATA_DISABLED=true")
	outside := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = dir, environ
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
	}
	outside("git", "init", "-q", ".")
	outside("git", "add", "-A")
	outside("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "one")

	cloud := exec.Command(arc, "sandbox", "--json", "--port", fmt.Sprint(freePort(t)))
	var said transcript
	cloud.Dir, cloud.Env, cloud.Stdout, cloud.Stderr = dir, environ, &said, &said
	if err := cloud.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cloud.Wait(); close(ended) }()
	t.Cleanup(func() { cloud.Process.Kill(); <-ended })
	for deadline := time.Now().Add(time.Minute); !strings.Contains(said.String(), `"event":"ready"`); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(said.String())
		}
	}
	try := func(line string) {
		t.Helper()
		mayFail := strings.HasPrefix(line, "~")
		args := wordsOf(strings.TrimPrefix(line, "~"))
		cmd := exec.Command(arc, args...)
		cmd.Dir, cmd.Env = dir, environ
		var out []byte
		var err error
		if forPeople(args) {
			out, err = inTerminal(cmd, 80)
			fits(t, "arc "+line, string(out))
		} else {
			out, err = cmd.CombinedOutput()
		}
		if code := cmd.ProcessState.ExitCode(); err != nil && !mayFail && !(args[0] == "diff" && (code == 2 || code == 3)) {
			t.Errorf("arc %s: %v\n%s", line, err, out)
		}
		silent(t, "arc "+line, out)
	}
	for _, set := range []string{"staging NAMED canary-named-44aa --name feat", "staging SAID canary-before-5e00", "production SAID canary-production-e3d2"} {
		try("env --local --add --env " + set)
	}
	try("deploy --local")
	try("env --local --add --env staging SAID canary-staging-91c4")
	// What is asked for by name is told, and would be noticed.
	shown := exec.Command(arc, wordsOf("env --local -e staging --show")...)
	shown.Dir, shown.Env = dir, environ
	if out, err := shown.Output(); err != nil || !bytes.Contains(out, []byte(canaries()["staging"])) {
		t.Errorf("arc env --show: %v\n%s", err, out)
	}
	for _, c := range spoken() {
		for _, line := range c.lines {
			try(line)
		}
	}
	<-ended
	silent(t, "arc sandbox --json", []byte(said.String()))
	written(t, dir)
}

// forPeople tells a command line whose output is read in a terminal and is arc's own: no
// JSON, no document, and not what functions print.
func forPeople(args []string) bool {
	for _, arg := range args {
		if arg == "--json" || arg == "--format" || arg == "--raw" {
			return false
		}
	}
	switch args[0] {
	case "graph", "invoke", "logs":
		return false
	case "package":
		return slices.Contains(args, "--sizes")
	}
	return true
}

// fits fails for lines that are wider than a terminal of 80 columns and could be broken
// between words.
func fits(t *testing.T, what, said string) {
	t.Helper()
	for line := range strings.SplitSeq(said, "\n") {
		for part := range strings.SplitSeq(line, clearLine) { // of the line that is written anew
			if strings.HasSuffix(part, "\\") || strings.HasPrefix(part, "    '[{") {
				continue // commands to copy
			}
			if syntax.Fold(part, 80) != part {
				t.Errorf("%s is wider than a terminal of 80 columns:\n%s", what, part)
			}
		}
	}
}

// wordsOf splits a command line; what follows "get" is the rest of a route.
func wordsOf(line string) []string {
	args := strings.Fields(line)
	if n := len(args); n > 1 && args[n-2] == "get" {
		args = append(args[:n-2], "get /")
	}
	return args
}

// silent fails when a text holds a canary.
func silent(t *testing.T, what string, text []byte) {
	t.Helper()
	for of, canary := range canaries() {
		if bytes.Contains(text, []byte(canary)) {
			t.Errorf("%s tells the value of %s", what, of)
		}
	}
}

// written looks into every file below a folder, and into every zip.
func written(t *testing.T, dir string) {
	t.Helper()
	zips := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || slices.Contains([]string{".env", "preferences.arc"}, d.Name()) || strings.Contains(path, ".git"+string(filepath.Separator)) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		silent(t, path, data)
		if filepath.Ext(path) != ".zip" {
			return nil
		}
		zips++
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return err
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				return err
			}
			text, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			silent(t, path+": "+f.Name, text)
		}
		return nil
	})
	if err != nil || zips == 0 {
		t.Errorf("%d zips were looked into: %v", zips, err)
	}
}

// spokenOfAll fails on a command, or a --json, that is not tried.
func spokenOfAll(t *testing.T) {
	t.Helper()
	tried := map[string][]string{}
	for _, c := range spoken() {
		tried[c.command] = c.lines
	}
	var walk func(within string, commands []*cli.Command)
	walk = func(within string, commands []*cli.Command) {
		for _, c := range commands {
			name := within + c.Name
			walk(name+" ", c.Subcommands)
			lines := tried[name]
			if name == "ci" {
				continue // it only says which platforms there are
			}
			if len(lines) == 0 {
				t.Errorf("arc %s may tell secrets: no line of it is tried", name)
			}
			for _, f := range c.Flags {
				if flag := f.Names()[0]; (flag == "json" || flag == "format" || flag == "raw") && !strings.Contains(strings.Join(lines, "\n"), "--"+flag) {
					t.Errorf("arc %s --%s may tell secrets: it is not tried", name, flag)
				}
			}
		}
	}
	walk("", (&session{env: func(string) string { return "" }}).app().Commands)
}
