package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"arc/deploy"
	"arc/deploy/ssm"
	"arc/sandbox"
	"arc/sandbox/activity"

	"github.com/rogpeppe/go-internal/txtar"
)

// shopFiles is the app that the workflow deploys. A package's script that runs
// would show in what is deployed.
const shopFiles = `
-- app.arc --
@app
shopper
@aws
boundary shopper-github
@http
get /
@tables
accounts
  id *String
-- package.json --
{"name": "shopper", "version": "1.0.0", "scripts": {"postinstall": "echo owned > public/owned.txt"}}
-- package-lock.json --
{"name": "shopper", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {"": {"name": "shopper", "version": "1.0.0", "hasInstallScript": true}}}
-- public/hello.txt --
hello
-- src/http/get-index/index.mjs --
export const handler = async () => ({ statusCode: 200, body: 'first ' + process.env.ARC_ENV })
`

// newGitHub makes a repository of the app with the workflow that arc writes,
// and a local cloud in the place of AWS.
func newGitHub(t *testing.T) *github {
	t.Helper()
	lookTool(t, "jq")
	lookTool(t, "curl")
	lookTool(t, "npm")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	g := &github{t: t, origin: filepath.Join(dir, "origin.git"), clone: filepath.Join(dir, "clone"), arc: filepath.Join(dir, "arc"), tokens: map[string]string{}}
	g.serve()
	cloud, err := sandbox.Start(sandbox.Options{
		Project: dir, Registry: sandbox.Registry{Dir: filepath.Join(dir, "registry")}, Region: deploy.DefaultRegion, Path: os.Getenv("PATH"), Tell: func(e activity.Event) { t.Log(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	cloud.Ready()
	g.endpoint = cloud.Running().Endpoint
	built, err := os.ReadFile(buildArc(t))
	if err == nil {
		err = os.Mkdir(g.arc, 0o777)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(g.arc, "arc"), built, 0o755)
	}
	if err == nil {
		err = git(dir, io.Discard, "init --quiet --bare origin.git", "clone --quiet origin.git clone", "-C origin.git config uploadpack.allowAnySHA1InWant true")
	}
	if err != nil {
		t.Fatal(err)
	}
	g.write(shopFiles)
	g.arcIn(g.clone, "ci", "github", "--repo", "acme@12/shop@34", "--account", "123456789012")
	g.commit("The shop")
	g.git("push --quiet origin HEAD:refs/heads/main")
	return g
}

// arcIn runs arc in a folder.
func (g *github) arcIn(dir string, args ...string) {
	g.t.Helper()
	cmd := exec.Command(filepath.Join(g.arc, "arc"), args...)
	cmd.Dir, cmd.Env = dir, gitEnv()
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("arc %q: %v\n%s", args, err, out)
	}
}

func (g *github) write(archive string) {
	g.t.Helper()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		file := filepath.Join(g.clone, f.Name)
		err := os.MkdirAll(filepath.Dir(file), 0o777)
		if err == nil {
			err = os.WriteFile(file, f.Data, 0o666)
		}
		if err != nil {
			g.t.Fatal(err)
		}
	}
}

func (g *github) git(commands ...string) {
	g.t.Helper()
	var log strings.Builder
	if err := git(g.clone, &log, commands...); err != nil {
		g.t.Fatalf("%v\n%s", err, log.String())
	}
}

func (g *github) commit(message string) {
	g.t.Helper()
	g.git("add --all", "commit --quiet --allow-empty --message "+strings.ReplaceAll(message, " ", "-"))
}

// pullRequest changes files on a branch and makes of it what GitHub makes of a
// pull request: the branch merged into main, at a ref of its own.
func (g *github) pullRequest(archive string) {
	g.t.Helper()
	g.git("checkout --quiet -B change")
	g.write(archive)
	g.commit("A change")
	g.git("fetch --quiet origin main", "checkout --quiet --detach FETCH_HEAD", "merge --quiet --no-ff --no-edit change",
		"push --quiet --force origin HEAD:refs/pull/7/merge", "checkout --quiet change")
}

// head is the commit that a ref of the repository names.
func (g *github) head(ref string) string {
	g.t.Helper()
	out, err := exec.Command("git", "-C", g.origin, "rev-parse", ref).Output()
	if err != nil {
		g.t.Fatalf("%s: %v", ref, err)
	}
	return strings.TrimSpace(string(out))
}

// push merges the branch.
func (g *github) push(archive string) happening {
	g.t.Helper()
	g.git("checkout --quiet -B main")
	g.write(archive)
	g.commit("On main")
	g.git("push --quiet --force origin HEAD:refs/heads/main")
	return happening{name: "push", ref: "refs/heads/main", sha: g.head("refs/heads/main")}
}

// pull is an event of the pull request, of a branch in repository head.
func (g *github) pull(action, head string) happening {
	g.t.Helper()
	event := happening{name: "pull_request", action: action, number: 7, head: head, ref: "refs/pull/7/merge"}
	if action != "closed" {
		event.sha = g.head(event.ref)
	}
	return event
}

// keep keeps a secret in SSM.
func (g *github) keep(name, value string) {
	g.t.Helper()
	clients, err := deploy.Connect(g.t.Context(), deploy.ConnectOptions{Endpoint: g.endpoint})
	if err == nil {
		_, err = clients.Parameters.PutParameter(g.t.Context(), &ssm.PutParameterInput{Name: name, Value: value, Type: ssm.SecureString})
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// listen stands before the cloud and tells which of its JSON calls each role
// made.
func (g *github) listen() func(role string) []string {
	g.t.Helper()
	target, err := url.Parse(g.endpoint)
	if err != nil {
		g.t.Fatal(err)
	}
	var mu sync.Mutex
	calls := map[string][]string{}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		_, credential, _ := strings.Cut(r.In.Header.Get("Authorization"), "Credential=ASIA")
		role, _, _ := strings.Cut(credential, "/")
		mu.Lock()
		defer mu.Unlock()
		calls[role] = append(calls[role], r.In.Header.Get("X-Amz-Target"))
	}})
	g.t.Cleanup(proxy.Close)
	g.endpoint = proxy.URL
	return func(role string) []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(calls[role])
	}
}

// answers fetches the page of an app.
func answers(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return "nothing"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// address finds where a comment or a summary says that the app answers.
func address(t *testing.T, text string) string {
	t.Helper()
	found := regexp.MustCompile(`HTTP:? +(http://\S+)`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no address in\n%s", text)
	}
	return found[1]
}

func handler(text string) string {
	return "-- src/http/get-index/index.mjs --\nexport const handler = async () => ({ statusCode: 200, body: '" + text + " ' + process.env.ARC_ENV })\n"
}

// mine are the comments of the workflow.
func (g *github) mine() []*comment {
	return slices.DeleteFunc(slices.Clone(g.comments), func(c *comment) bool { return c.User.Login != actions })
}

func TestPullRequest(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	// The comment is to be found among others, beyond the first page.
	for i := range 120 {
		g.say("somebody", fmt.Sprintf("comment %d", i))
	}
	g.say("mallory", "<!-- arc-diff: ShopperStaging -->\nnot the workflow's")
	g.say(actions, "another workflow's")

	// Staging's values stay staging's: any branch can print what it gets.
	g.keep("/shopper/staging/API_KEY", "staging's")
	g.keep("/shopper/preview/GREETING", "hello")
	g.pullRequest("-- src/http/get-index/index.mjs --\nexport const handler = async () => ({ statusCode: 200, body: ['second', process.env.ARC_ENV, process.env.GREETING, process.env.API_KEY].join(' ') })\n")
	opened := g.happens(g.pull("opened", "acme/shop"))
	opened.want(map[string]string{"arc": "success", "review": "success", "preview": "success", "comment": "success"})
	if len(g.mine()) != 2 || !strings.HasPrefix(g.mine()[1].Body, "<!-- arc-diff: ShopperStaging -->\n") {
		t.Fatalf("comments: %+v", g.mine())
	}
	first := g.mine()[1].Body
	if got := answers(address(t, first)); got != "second staging hello " {
		t.Errorf("the preview answers %q", got)
	}
	if got := answers(address(t, first) + "/_static/owned.txt"); strings.Contains(got, "owned") {
		t.Error("a script of the app's package ran")
	}
	if !strings.Contains(opened.summaries["review"], "@http get /") || !strings.Contains(first, "@http get /") {
		t.Errorf("the review does not name the change:\n%s", first)
	}
	if got := strings.Join(g.taken, " "); got != "preview" {
		t.Errorf("roles: %s", got)
	}

	g.pullRequest(handler("third"))
	g.happens(g.pull("synchronize", "acme/shop")).want(map[string]string{"arc": "success", "review": "success", "preview": "success", "comment": "success"})
	if len(g.mine()) != 2 || address(t, g.mine()[1].Body) != address(t, first) {
		t.Fatalf("comments: %+v", g.mine())
	}
	if got := answers(address(t, first)); got != "third staging" {
		t.Errorf("the preview answers %q", got)
	}

	// A preview keeps its data like any stack; the review says what is in the way.
	g.pullRequest("-- app.arc --\n@app\nshopper\n@aws\nboundary shopper-github\n@http\nget /\n@tables\naccounts\n  key *String\n")
	g.happens(g.pull("synchronize", "acme/shop")).want(map[string]string{"arc": "success", "review": "success", "preview": "failure", "comment": "success"})
	if body := g.mine()[1].Body; !strings.Contains(body, "**The preview was not deployed**: [see why](https://github.com/acme/shop/actions/runs/42)") || !strings.Contains(body, "🔴") {
		t.Errorf("comment:\n%s", body)
	}

	// The branch is gone when a pull request is closed.
	g.git("push --quiet --delete origin refs/pull/7/merge")
	g.happens(g.pull("closed", "acme/shop")).want(map[string]string{"arc": "success", "destroy": "success"})
	if got := answers(address(t, first)); got != "nothing" {
		t.Errorf("the preview still answers %q", got)
	}
	g.happens(g.pull("closed", "acme/shop")).want(map[string]string{"arc": "success", "destroy": "success"})
}

// TestReviewOfTemplates: the workflow of arc ci github --diff-only reviews the
// templates of a repository that arc knows nothing of, also one that comes and
// one that goes, and comments once.
func TestReviewOfTemplates(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	const rows = "Resources:\n  Rows:\n    Type: AWS::DynamoDB::Table\n"
	g.write("-- infra/app.yaml --\n" + rows + "-- old.yaml --\nResources:\n  Old: {Type: AWS::SNS::Topic}\n")
	g.arcIn(g.clone, "ci", "github", "--diff-only", "--template", "infra/app.yaml", "--template", "old.yaml", "--template", "new.yaml", "--template", "never.yaml")
	g.commit("Templates")
	g.git("push --quiet origin HEAD:refs/heads/main")
	g.workflow = "arc-diff.yml"

	g.say("somebody", "a comment")
	g.pullRequest("-- infra/app.yaml --\nResources:\n  Jobs: {Type: AWS::SQS::Queue}\n-- new.yaml --\nResources:\n  New: {Type: AWS::SNS::Topic}\n")
	r := g.happens(g.pull("opened", "acme/shop"))
	r.want(map[string]string{"review": "success", "comment": "success"})
	if len(g.mine()) != 1 || len(g.taken) > 0 {
		t.Fatalf("comments %+v, roles %q", g.mine(), g.taken)
	}
	body := g.mine()[0].Body
	for _, want := range []string{"<!-- arc diff: templates -->\n", "table Rows: its data is deleted with it", "`infra/app.yaml`", "topic New", "`old.yaml`: no changes"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	if !strings.Contains(r.logs["review"], "::warning title=arc::dangerous") || strings.Contains(body, "never.yaml") {
		t.Errorf("%s\n%s", r.logs["review"], body)
	}
	g.git("rm --quiet old.yaml")
	g.pullRequest("-- infra/app.yaml --\n" + rows)
	g.happens(g.pull("synchronize", "acme/shop")).want(map[string]string{"review": "success", "comment": "success"})
	if body := g.mine()[0].Body; len(g.mine()) != 1 || !strings.Contains(body, "topic Old is gone") || strings.Contains(body, "Rows: its data") {
		t.Errorf("%d comments:\n%s", len(g.mine()), body)
	}
	g.happens(g.pull("opened", "mallory/shop")).want(map[string]string{"review": "success"})
}

// TestReviewOfSynthesized: what a command writes is written for both sides.
func TestReviewOfSynthesized(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	synth := func(kind string) string {
		return "-- synth.sh --\nmkdir -p cdk.out\necho '{\"artifacts\": {\"Shop\": {\"type\": \"aws:cloudformation:stack\", \"properties\": {\"templateFile\": \"Shop.template.json\"}}}}' > cdk.out/manifest.json\necho '{\"Resources\": {\"" + kind + "\": {\"Type\": \"AWS::SNS::Topic\"}}}' > cdk.out/Shop.template.json\n"
	}
	g.write(synth("First") + "-- .gitignore --\ncdk.out\n")
	g.arcIn(g.clone, "ci", "github", "--diff-only", "--template", "cdk.out", "--synth", "sh synth.sh")
	g.commit("Synthesized")
	g.git("push --quiet origin HEAD:refs/heads/main")
	g.workflow = "arc-diff.yml"
	g.say("somebody", "a comment")
	g.pullRequest(synth("Second"))
	g.happens(g.pull("opened", "acme/shop")).want(map[string]string{"review": "success", "comment": "success"})
	if body := g.mine()[0].Body; !strings.Contains(body, "topic Second") || !strings.Contains(body, "`Shop`") {
		t.Error(body)
	}
}

// A fork has no rights, and its pull requests are reviewed all the same.
func TestPullRequestOfAFork(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	g.pullRequest("-- app.arc --\n@app\nshopper\n@aws\nboundary shopper-github\n@http\nget /\nget /admin\n" + strings.ReplaceAll(handler("admin"), "get-index", "get-admin"))
	r := g.happens(g.pull("opened", "mallory/shop"))
	r.want(map[string]string{"arc": "success", "review": "success"})
	if !strings.Contains(r.summaries["review"], "get /admin") || !strings.Contains(r.logs["review"], "::warning title=arc::dangerous changes") {
		t.Errorf("summary:\n%s\nlog:\n%s", r.summaries["review"], r.logs["review"])
	}
	if len(g.comments) > 0 || len(g.taken) > 0 {
		t.Errorf("comments %v, roles %q", g.comments, g.taken)
	}
	g.happens(g.pull("closed", "mallory/shop")).want(nil)
}

func TestPullRequestThatCannotBeReviewed(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	g.pullRequest("-- app.arc --\n@app\nshopper\n@aws\nboundary shopper-github\n@htpp\nget /\n@tables\naccounts\n  id *Strnig\n")
	r := g.happens(g.pull("opened", "acme/shop"))
	r.want(map[string]string{"arc": "success", "review": "failure"})
	if !strings.Contains(r.logs["review"], "app.arc:9:") || len(g.comments) > 0 {
		t.Errorf("%s\n%v", r.logs["review"], g.comments)
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	secret := "s3cr3t-of-production"
	asked := g.listen()
	g.keep("/shopper/production/API_KEY", secret)

	// A plan that is safe by its template may run other code: nobody has approved
	// it, and the role is not taken.
	r := g.happens(g.push(handler("first")))
	r.want(map[string]string{"arc": "success", "staging": "success", "plan": "success", "production": "failure"})
	if log := r.logs["production"]; !strings.Contains(log, "::error title=arc::nobody has approved plan "+r.values["needs.plan.outputs.id"]) {
		t.Errorf("%s", log)
	}
	if got := strings.Join(g.taken, " "); got != "staging plan" {
		t.Errorf("roles: %s", got)
	}
	g.taken, g.reviewers = nil, true
	r = g.happens(g.push(handler("first")))
	all := map[string]string{"arc": "success", "staging": "success", "plan": "success", "production": "success"}
	r.want(all)
	if got := strings.Join(g.taken, " "); got != "staging plan production" {
		t.Errorf("roles: %s", got)
	}
	staging, production := address(t, r.summaries["staging"]), address(t, r.summaries["production"])
	if got := answers(staging) + ", " + answers(production); got != "first staging, first production" || staging == production {
		t.Errorf("%s and %s answer %q", staging, production, got)
	}
	if got := answers(production + "/_static/hello.txt"); got != "hello\n" {
		t.Errorf("a file of production: %q", got)
	}

	// More rights are dangerous, and approved all the same.
	g.push("-- src/http/get-index/config.arc --\n@aws\npolicies AmazonS3FullAccess\n")
	g.happens(g.push(handler("second"))).want(all)
	if got := answers(staging) + ", " + answers(production); got != "second staging, second production" {
		t.Errorf("they answer %q", got)
	}

	// The plan is made without reading a value.
	if calls := asked("plan"); !slices.Contains(calls, "AmazonSSM.DescribeParameters") || slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "AmazonSSM.GetParameter") }) {
		t.Errorf("the plan role called %q", calls)
	}

	// Each run deploys what it planned; what production is by then must be what
	// it was planned for.
	older := g.happens(g.push(handler("third")))
	older.want(all)
	r = g.happens(g.push(handler("fourth")))
	r.want(all)
	if got := older.job("production", older.file.Jobs["production"]); got != "failure" || !strings.Contains(older.logs["production"], "no longer fits stack ShopperProduction") {
		t.Errorf("an older plan: %s\n%s", got, older.logs["production"])
	}
	if got := answers(production); got != "fourth production" {
		t.Errorf("production answers %q", got)
	}
	for job, log := range r.logs {
		if strings.Contains(log+r.summaries[job], secret) {
			t.Errorf("the secret is in the log of %s", job)
		}
	}
	if data, err := os.ReadFile(filepath.Join(r.dir, "plan/production.arcplan")); err != nil || strings.Contains(string(data), secret) {
		t.Errorf("the secret is in the plan, or there is none: %v", err)
	}
}

// Where an environment cannot have reviewers, a person reads the plan and types
// its ID.
func TestPlanIsTyped(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	g.plain = true
	push := g.push(handler("first"))
	r := g.happens(push)
	refused := map[string]string{"arc": "success", "staging": "success", "plan": "success", "production": "failure"}
	r.want(refused)
	id := r.values["needs.plan.outputs.id"]
	if log := r.logs["production"]; len(id) < 8 || !strings.Contains(log, "Run workflow) with plan "+id) {
		t.Errorf("%s", log)
	}
	push.name, push.sender, push.inputs = "workflow_dispatch", "User", map[string]string{"plan": id[:len(id)-1] + "0"}
	if strings.HasSuffix(id, "0") {
		push.inputs["plan"] = id[:len(id)-1] + "1"
	}
	g.happens(push).want(refused)
	// A workflow of some branch may start this one, as a bot.
	push.inputs["plan"], push.sender = id, "Bot"
	g.happens(push).want(refused)
	if strings.Contains(strings.Join(g.taken, " "), "production") {
		t.Fatalf("roles: %v", g.taken)
	}
	push.sender = "User"
	r = g.happens(push)
	r.want(map[string]string{"arc": "success", "staging": "success", "plan": "success", "production": "success"})
	if got := answers(address(t, r.summaries["production"])); got != "first production" {
		t.Errorf("production answers %q", got)
	}
	// It was approved for what production was then.
	g.happens(push).want(refused)
}

// TestOtherBranchsWorkflow: who may push a branch may push a workflow there that
// names the environment. It gets no role but that of previews.
func TestOtherBranchsWorkflow(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	g.reviewers = true
	file := filepath.Join(g.clone, ".github/workflows/arc.yml")
	steps := func(role string) string {
		return "    runs-on: ubuntu-latest\n    permissions:\n      id-token: write\n    steps:\n      - name: Take it\n        uses: aws-actions/configure-aws-credentials@v6\n        with:\n          role-to-assume: arn:aws:iam::123456789012:role/shopper-github-" + role + "\n          aws-region: us-west-2\n"
	}
	mine := "name: mine\non: [push, pull_request]\njobs:\n"
	for _, role := range []string{"preview", "staging", "plan", "production"} {
		mine += "  " + role + ":\n" + steps(role)
		mine += "  " + role + "-environment:\n    environment: production\n" + steps(role)
	}
	if err := os.WriteFile(file, []byte(mine), 0o666); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, role := range []string{"preview", "staging", "plan", "production"} {
		want[role], want[role+"-environment"] = "failure", "failure"
	}
	sha := g.head("refs/heads/main")
	g.happens(happening{name: "push", ref: "refs/heads/mine", sha: sha}).want(want)
	g.happens(happening{name: "push", ref: "refs/tags/main", sha: sha}).want(want)
	want["preview"] = "success"
	g.happens(happening{name: "pull_request", action: "opened", number: 7, head: "acme/shop", ref: "refs/pull/7/merge", sha: sha}).want(want)
	if got := strings.Join(g.taken, " "); got != "preview" {
		t.Errorf("roles: %s", got)
	}
}

// TestToolIsWhatWasBuilt: no job runs an arc that another one has put into the
// place of the one that was built.
func TestToolIsWhatWasBuilt(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	g.reviewers = true
	g.tamper = func(r *workflowRun) {
		if err := os.WriteFile(filepath.Join(r.dir, "arc/arc"), []byte("#!/bin/sh\necho mine\n"), 0o755); err != nil {
			t.Error(err)
		}
	}
	r := g.happens(g.push(handler("first")))
	r.want(map[string]string{"arc": "success", "staging": "failure"})
	if len(g.taken) > 0 || strings.Contains(r.logs["staging"], "mine") {
		t.Errorf("roles: %v\n%s", g.taken, r.logs["staging"])
	}
}

// TestToolIsACommit: a branch in the place of the commit builds nothing.
func TestToolIsACommit(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	file := filepath.Join(g.clone, ".github/workflows/arc.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	moved := regexp.MustCompile(`ARC_SOURCE: .*\n  ARC_REVISION: .*`).ReplaceAllString(string(text), "ARC_SOURCE: \"file://"+g.origin+"\"\n  ARC_REVISION: \"main\"")
	if err := os.WriteFile(file, []byte(moved), 0o666); err != nil {
		t.Fatal(err)
	}
	g.arc = ""
	r := g.happens(g.push(handler("first")))
	r.want(map[string]string{"arc": "failure"})
	if !strings.Contains(r.logs["arc"], "ARC_REVISION is main, and not a commit") {
		t.Errorf("%s", r.logs["arc"])
	}
}

// Data goes only when it is named, by whoever starts the workflow by hand.
func TestLossIsNamedByHand(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	g.reviewers = true
	g.happens(g.push(handler("first"))).want(map[string]string{"arc": "success", "staging": "success", "plan": "success", "production": "success"})
	push := g.push("-- app.arc --\n@app\nshopper\n@aws\nboundary shopper-github\n@http\nget /\n@tables\naccounts\n  key *String\n")
	r := g.happens(push)
	r.want(map[string]string{"arc": "success", "staging": "failure"})
	if !strings.Contains(r.logs["staging"], "--allow-loss AccountsTable") {
		t.Errorf("%s", r.logs["staging"])
	}
	push.name, push.inputs = "workflow_dispatch", map[string]string{"allow-loss": "* $(false)"}
	r = g.happens(push)
	r.want(map[string]string{"arc": "success", "staging": "failure"})
	push.inputs["allow-loss"] = "AccountsTable"
	g.happens(push).want(map[string]string{"arc": "success", "staging": "success", "plan": "success", "production": "success"})
}

// The job that makes arc makes it of this repository's own commit.
func TestWorkflowBuildsArc(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds arc")
	}
	here, err := os.Getwd() // of a test: its package's folder
	if err != nil {
		t.Fatal(err)
	}
	repository := filepath.Join(here, "../..")
	revision, err := exec.Command("git", "-C", repository, "rev-parse", "HEAD").Output()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no repository at %s: %v", repository, err)
		}
		t.Skipf("no repository at %s", repository)
	}
	g := newGitHub(t)
	g.arcIn(g.clone, "ci", "github", "--repo", "acme/shop", "--force", "--source", "file://"+repository+"#"+strings.TrimSpace(string(revision)))
	// A runner has caches of Go's, too.
	g.machine = map[string]string{}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOSUMDB"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		g.machine[name] = strings.TrimSpace(string(value))
	}
	g.arc = ""
	r := g.happens(g.pull("closed", "acme/shop"))
	r.want(map[string]string{"arc": "success", "destroy": "success"})
	if !strings.Contains(r.logs["destroy"], "there is no stack Preview-Shopper-7") {
		t.Errorf("%s", r.logs["destroy"])
	}
}
