package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// workflowFile is the part of a workflow that the runner acts on.
type workflowFile struct {
	Env         map[string]string
	Permissions map[string]string
	Jobs        map[string]*workflowJob
}

type workflowJob struct {
	If          string
	Needs       oneOrMore
	Permissions map[string]string
	Environment string
	Outputs     map[string]string
	Steps       []workflowStep
}

type workflowStep struct {
	ID, Name, If, Uses, Run string
	With, Env               map[string]string
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*o = oneOrMore{n.Value}
		return nil
	}
	return n.Decode((*[]string)(o))
}

// workflowRun is one run of the workflow.
type workflowRun struct {
	*github
	event     happening
	file      workflowFile
	dir       string            // what the run leaves behind, an artifact a folder
	results   map[string]string // of jobs: success, failure, skipped
	values    map[string]string // needs.plan.outputs.id …
	summaries map[string]string
	logs      map[string]string
}

// happens runs the workflow for an event.
func (g *github) happens(event happening) *workflowRun {
	g.t.Helper()
	data, err := os.ReadFile(filepath.Join(g.clone, ".github/workflows", cmp.Or(g.workflow, "arc.yml")))
	if err != nil {
		g.t.Fatal(err)
	}
	r := &workflowRun{github: g, event: event, dir: g.t.TempDir(), results: map[string]string{}, values: map[string]string{}, summaries: map[string]string{}, logs: map[string]string{}}
	if err := yaml.Unmarshal(data, &r.file); err != nil {
		g.t.Fatal(err)
	}
	for len(r.results) < len(r.file.Jobs) {
		before := len(r.results)
		for _, id := range slices.Sorted(maps.Keys(r.file.Jobs)) {
			if job := r.file.Jobs[id]; r.results[id] == "" && !slices.ContainsFunc(job.Needs, func(need string) bool { return r.results[need] == "" }) {
				r.results[id] = r.job(id, job)
				r.values["needs."+id+".result"] = r.results[id]
			}
		}
		if len(r.results) == before {
			g.t.Fatal("jobs wait for each other")
		}
	}
	return r
}

// want compares the jobs' results; jobs that are not named are to be skipped.
func (r *workflowRun) want(results map[string]string) {
	r.t.Helper()
	for id, got := range r.results {
		want := results[id]
		if want == "" {
			want = "skipped"
		}
		if got != want {
			r.t.Fatalf("job %s: %s, want %s\n%s", id, got, want, r.logs[id])
		}
	}
}

// lookup finds what an expression names, outside the job's own steps.
func (r *workflowRun) lookup(name string) string {
	switch name {
	case "github.event_name":
		return r.event.name
	case "github.event.action":
		return r.event.action
	case "github.event.sender.type":
		return r.event.sender
	case "github.event.number":
		return fmt.Sprint(r.event.number)
	case "github.event.pull_request.head.repo.full_name":
		return r.event.head
	case "github.repository":
		return "acme/shop"
	case "github.ref":
		return r.event.ref
	case "cancelled()":
		return "false"
	}
	if input, ok := strings.CutPrefix(name, "inputs."); ok {
		return r.event.inputs[input]
	}
	if variable, ok := strings.CutPrefix(name, "env."); ok {
		return r.file.Env[variable]
	}
	return r.values[name]
}

// subject is what GitHub vouches for: https://docs.github.com/en/actions/reference/security/oidc
func (r *workflowRun) subject(job *workflowJob) string {
	switch {
	case job.Environment != "":
		return "repo:acme/shop:environment:" + job.Environment
	case r.event.name == "pull_request":
		return "repo:acme/shop:pull_request"
	}
	return "repo:acme/shop:ref:" + r.event.ref
}

func (r *workflowRun) fork() bool {
	return r.event.name == "pull_request" && r.event.head != "acme/shop"
}

// job runs one job, or skips it.
func (r *workflowRun) job(id string, job *workflowJob) string {
	met := true
	for _, need := range job.Needs {
		met = met && r.results[need] == "success"
	}
	if job.If != "" {
		value, err := expand(job.If, r.lookup)
		if err != nil {
			r.t.Fatal(err)
		}
		// A condition that asks for the status itself replaces the usual one.
		met = isTrue(value) && (met || strings.Contains(job.If, "cancelled()"))
	}
	if !met {
		return "skipped"
	}
	if id == "arc" && r.arc != "" {
		if err := os.CopyFS(filepath.Join(r.dir, "arc"), os.DirFS(r.arc)); err != nil {
			r.t.Fatal(err)
		}
		binary, err := os.ReadFile(filepath.Join(r.arc, "arc"))
		if err != nil {
			r.t.Fatal(err)
		}
		r.values["needs.arc.outputs.sha256"] = fmt.Sprintf("%x", sha256.Sum256(binary))
		if r.tamper != nil {
			r.tamper(r)
		}
		return "success"
	}
	j := newJobRun(r, id, job)
	for _, step := range job.Steps {
		if err := j.step(step); err != nil {
			r.logs[id] = j.log.String() + err.Error()
			return "failure"
		}
	}
	r.logs[id] = j.log.String()
	for name, value := range job.Outputs {
		text, err := expand(value, j.lookup)
		if err != nil {
			r.t.Fatal(err)
		}
		r.values["needs."+id+".outputs."+name] = text
	}
	return "success"
}

// jobRun is a job on its runner.
type jobRun struct {
	*workflowRun
	id              string
	job             *workflowJob
	workspace, temp string
	path            []string // added to PATH
	env             map[string]string
	outputs         map[string]string
	log             bytes.Buffer
}

func newJobRun(r *workflowRun, id string, job *workflowJob) *jobRun {
	machine := r.t.TempDir()
	j := &jobRun{workflowRun: r, id: id, job: job, workspace: filepath.Join(machine, "work"), temp: filepath.Join(machine, "temp"), env: map[string]string{}, outputs: map[string]string{}}
	for _, dir := range []string{j.workspace, j.temp, filepath.Join(machine, "home")} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			r.t.Fatal(err)
		}
	}
	// A fork's run has no more than the right to read.
	rights := "contents: read"
	if !r.fork() {
		for name, right := range job.Permissions {
			rights += ", " + name + ": " + right
		}
	}
	token := fmt.Sprintf("ghs_%s_%d", id, len(r.tokens))
	r.tokens[token] = rights
	maps.Copy(j.env, r.machine)
	maps.Copy(j.env, r.file.Env)
	maps.Copy(j.env, map[string]string{
		"HOME": filepath.Join(machine, "home"), "RUNNER_TEMP": j.temp, "CI": "true", "GITHUB_ACTIONS": "true",
		"GITHUB_API_URL": r.api.URL, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_RUN_ID": "42",
		"AWS_ENDPOINT_URL": r.endpoint, "AWS_EC2_METADATA_DISABLED": "true",
	})
	j.values["github.token"] = token
	return j
}

func (j *jobRun) lookup(name string) string {
	if name == "runner.temp" {
		return j.temp
	}
	if value, ok := j.outputs[name]; ok {
		return value
	}
	return j.workflowRun.lookup(name)
}

func (j *jobRun) expand(text string) string {
	value, err := expand(text, j.lookup)
	if err != nil {
		j.t.Fatal(err)
	}
	return value
}

func (j *jobRun) step(step workflowStep) error {
	if step.If != "" && !isTrue(j.expand(step.If)) {
		return nil
	}
	fmt.Fprintf(&j.log, "--- %s\n", step.Name)
	if j.workflow == "arc-diff.yml" && j.arc != "" { // it builds arc in the job itself
		switch step.Name {
		case "Build arc":
			j.path = append(j.path, j.arc)
			return nil
		case "Fetch arc", "Set up Go":
			return nil
		}
	}
	if step.Uses == "" {
		return j.command(step)
	}
	with := map[string]string{}
	for name, value := range step.With {
		with[name] = j.expand(value)
	}
	action, _, _ := strings.Cut(step.Uses, "@")
	switch action {
	case "actions/checkout":
		return j.checkout(with["fetch-depth"])
	case "actions/setup-go":
		_, err := os.Stat(with["go-version-file"])
		return err
	case "actions/upload-artifact":
		dir := filepath.Join(j.dir, with["name"])
		if err := os.Mkdir(dir, 0o777); err != nil {
			return err // a run's artifacts are written once
		}
		data, err := os.ReadFile(with["path"])
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, filepath.Base(with["path"])), data, 0o644)
	case "actions/download-artifact":
		to := j.workspace
		if with["path"] != "" {
			to = with["path"]
		}
		return os.CopyFS(to, os.DirFS(filepath.Join(j.dir, with["name"])))
	case "aws-actions/configure-aws-credentials":
		return j.takeRole(with["role-to-assume"], with["aws-region"])
	}
	return fmt.Errorf("the test does not know the action %s", step.Uses)
}

// checkout does what the action does: for a pull request it gets the merge of
// it that GitHub makes.
func (j *jobRun) checkout(depth string) error {
	if j.job.Permissions["contents"] != "read" {
		return fmt.Errorf("job %s may not read the repository", j.id)
	}
	if depth == "" {
		depth = "1"
	}
	return git(j.workspace, &j.log,
		"init --quiet .",
		"fetch --quiet --depth "+depth+" file://"+j.origin+" "+j.event.sha,
		"checkout --quiet --detach FETCH_HEAD")
}

// git runs git commands in a folder, one a line.
func git(dir string, log io.Writer, commands ...string) error {
	for _, command := range commands {
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"}, strings.Fields(command)...)...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, gitEnv(), log, log
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("git %s: %w", command, err)
		}
	}
	return nil
}

// gitEnv is an environment in which git knows no more than a repository's own
// settings.
func gitEnv() []string {
	return append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
}

// takeRole lets the job in when the role's own policy does.
func (j *jobRun) takeRole(role, region string) error {
	if j.job.Permissions["id-token"] != "write" || j.fork() {
		return fmt.Errorf("job %s gets no token from GitHub", j.id)
	}
	_, name, _ := strings.Cut(role, ":role/shopper-github-")
	data, err := os.ReadFile(filepath.Join(j.clone, ".github/arc", name+"-trust.json"))
	if err != nil {
		return err
	}
	var trust struct {
		Statement []struct {
			Condition struct{ StringEquals map[string][]string }
		}
	}
	if err := json.Unmarshal(data, &trust); err != nil {
		return err
	}
	claims := map[string]string{"sub": j.subject(j.job), "aud": "sts.amazonaws.com", "ref": j.event.ref, "repository": "acme/shop", "repository_id": "34"}
	conditions := trust.Statement[0].Condition.StringEquals
	if len(conditions) < 3 {
		return fmt.Errorf("role %s asks for no more than %v", name, conditions)
	}
	for key, allowed := range conditions {
		claim := claims[strings.TrimPrefix(key, "token.actions.githubusercontent.com:")]
		if claim == "" || !slices.Contains(allowed, claim) {
			return fmt.Errorf("role %s wants %s to be %q, and it is %s", name, key, allowed, claim)
		}
	}
	j.taken = append(j.taken, name)
	maps.Copy(j.env, map[string]string{"AWS_ACCESS_KEY_ID": "ASIA" + name, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token", "AWS_REGION": region})
	return nil
}

// command runs a step's commands as the runner does.
func (j *jobRun) command(step workflowStep) error {
	if strings.Contains(step.Run, "${{") {
		j.t.Errorf("job %s, %s: a value goes into a script unquoted", j.id, step.Name)
	}
	script := filepath.Join(j.temp, "step.sh")
	files := map[string]string{}
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		files[name] = filepath.Join(j.temp, strings.ToLower(name))
		if err := os.WriteFile(files[name], nil, 0o666); err != nil {
			return err
		}
	}
	if err := os.WriteFile(script, []byte(step.Run), 0o666); err != nil {
		return err
	}
	// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax: shell: bash
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = j.workspace, &j.log, &j.log
	cmd.Env = []string{"PATH=" + strings.Join(append(slices.Clone(j.path), cleanPath(j.t)), ":")}
	for _, env := range []map[string]string{j.env, files} {
		for name, value := range env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	for name, value := range step.Env {
		cmd.Env = append(cmd.Env, name+"="+j.expand(value))
	}
	err := cmd.Run()
	for _, line := range linesOf(j.t, files["GITHUB_OUTPUT"]) {
		name, value, _ := strings.Cut(line, "=")
		j.outputs["steps."+step.ID+".outputs."+name] = value
	}
	j.path = append(linesOf(j.t, files["GITHUB_PATH"]), j.path...)
	j.summaries[j.id] += strings.Join(linesOf(j.t, files["GITHUB_STEP_SUMMARY"]), "\n") + "\n"
	return err
}

func linesOf(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// cleanPath is PATH without the arc that scripts run: a job must fetch its own.
func cleanPath(t *testing.T) string {
	t.Helper()
	return strings.Join(slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "arc"))
		return err == nil
	}), ":")
}
