package ci

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// simulator is what the policies are asked by. It is a test's tool, fetched
// when the test runs, and under a licence (AGPL) that keeps it out of here.
const simulator = "@cloud-copilot/iam-simulate@0.1.173"

// ask has node put requests to the simulator. A context key that AWS does not
// know for the action is a mistake of ours, so the condition would never hold.
const ask = `import { runSimulation } from '@cloud-copilot/iam-simulate'
import { readFileSync } from 'node:fs'
const answers = []
for (const q of JSON.parse(readFileSync(0))) {
  const response = await runSimulation({
    identityPolicies: q.Policies.map((policy, i) => ({ name: 'policy' + i, policy })),
    serviceControlPolicies: [], resourceControlPolicies: [],
    permissionBoundaryPolicies: q.Boundary ? [{ name: 'boundary', policy: q.Boundary }] : undefined,
    request: { action: q.Action, principal: q.Principal, resource: { resource: q.Resource, accountId: q.Account }, contextVariables: q.Context ?? {} }
  }, {})
  const ignored = response.result?.ignoredContextKeys ?? []
  answers.push(response.resultType === 'error' ? JSON.stringify(response.errors) : ignored.length && !q.Spare ? 'ignores ' + ignored : response.overallResult)
}
console.log(JSON.stringify(answers))
`

// question is one request to AWS.
type question struct {
	Principal, Action, Resource, Account string
	Context                              map[string]string
	Spare                                bool // the context may hold what AWS does not know of the action
	Policies                             []document
	Boundary                             *document
}

// simulate asks the simulator: Allowed, ExplicitlyDenied, ImplicitlyDenied, or
// what is wrong with the question.
func simulate(t *testing.T, questions []question) []string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("%s is missing", tool)
		}
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(installedSimulator(t), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "ask.mjs")
	if err := os.WriteFile(script, []byte(ask), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", script)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var answers []string
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions: %v\n%s", len(answers), len(questions), err, out)
	}
	return answers
}

// installedSimulator is a folder of the user's cache with the simulator, which is
// installed once. It gets its name when it is whole: who installs it at the same time
// is in nobody's way.
func installedSimulator(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "arc-ci", filepath.FromSlash(simulator))
	whole := func() bool {
		_, err := os.Stat(dir)
		return err == nil
	}
	if whole() {
		return dir
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	begun, err := os.MkdirTemp(filepath.Dir(dir), "begun-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(begun)
	install := exec.Command("npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", begun, simulator)
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s: %v\n%s", install, err, out)
		}
		t.Skipf("%s: %v", install, err)
	}
	if err := os.Rename(begun, dir); err != nil && !whole() {
		t.Fatal(err)
	}
	return dir
}

// stackOf is a stack that a role deploys.
func stackOf(r role) string {
	if r.stacks.open {
		return r.stacks.name + "7"
	}
	return r.stacks.name
}

// requests reads one of the lists of what is not to be.
func (s Setup) requests(t *testing.T, file string, r role, from question) []question {
	t.Helper()
	other := "ShopperProduction"
	if r.production {
		other = "ShopperStaging"
	}
	words := strings.NewReplacer("ACCOUNT", s.account(r), "STAGE", r.stage, "STACK", stackOf(r), "BOUNDARY", s.boundary(r), "OTHER", other, "STRANGER", "ShopperStagingProduction")
	var list []question
	for _, line := range linesOf(t, file) {
		text, isRequest := strings.CutPrefix(line, "\t")
		if !isRequest {
			continue
		}
		fields := strings.Fields(words.Replace(text))
		q := from
		q.Action, q.Resource, q.Account, q.Context = fields[0], fields[1], s.account(r), map[string]string{}
		for _, f := range fields[2:] {
			key, value, _ := strings.Cut(f, "=")
			q.Context[key] = value
		}
		list = append(list, q)
	}
	return list
}

// TestEscapes: no role of the workflow, and no function that it deploys,
// whatever its policies say, gets to more than was meant for it. The staging and
// production of one account are the hard case.
func TestEscapes(t *testing.T) {
	s := shop()
	s.Production = ""
	s.Keys = []string{"arn:aws:kms:eu-central-1:111111111111:key/1234"}
	var questions []question
	var denied int
	everything := document{Version: "2012-10-17", Statement: []statement{{Effect: "Allow", Action: []string{"*"}, Resource: []string{"*"}}}}
	for _, r := range s.roles() {
		own := question{Principal: s.roleARN(r), Policies: []document{s.permissions(r)}}
		questions = append(questions, s.requests(t, "testdata/escapes.txt", r, own)...)
		// What was once attached by mistake does not unlock the boundary.
		careless := question{Principal: s.roleARN(r), Policies: []document{s.permissions(r), {Version: "2012-10-17", Statement: []statement{{Effect: "Allow", Action: []string{"iam:*"}, Resource: []string{"*"}}}}}}
		if r.reads {
			continue
		}
		for _, action := range []string{"iam:CreatePolicyVersion", "iam:DeletePolicy"} {
			careless.Action, careless.Resource, careless.Account = action, s.boundary(r), s.account(r)
			questions = append(questions, careless)
		}
		for _, action := range []string{"iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"} {
			careless.Action, careless.Resource = action, s.roleARN(r)
			questions = append(questions, careless)
		}
		if r.stage == "preview" {
			// Where all other deploys take code from.
			q := own
			q.Action, q.Resource, q.Account = "ssm:PutParameter", "arn:aws:ssm:eu-central-1:"+s.account(r)+":parameter/shopper/deploy/bucket", s.account(r)
			q.Context = map[string]string{"ssm:Overwrite": "true"}
			questions = append(questions, q)
		}
		bounds := s.bounds(r)
		function := question{Principal: "arn:aws:iam::" + s.account(r) + ":role/arc/" + stackOf(r) + "/x", Policies: []document{everything}, Boundary: &bounds}
		questions = append(questions, s.requests(t, "testdata/beyond.txt", r, function)...)
	}
	for i, answer := range simulate(t, questions) {
		q := questions[i]
		if answer != "ImplicitlyDenied" && answer != "ExplicitlyDenied" {
			t.Errorf("%s: %s on %s (%v): %s", q.Principal, q.Action, q.Resource, q.Context, answer)
		} else {
			denied++
		}
		if q.Policies[0].allows(request{q.Action, q.Resource, q.Context}) && q.Boundary == nil {
			t.Errorf("%s: %s on %s (%v): the test's own evaluation allows it", q.Principal, q.Action, q.Resource, q.Context)
		}
	}
	if denied < 400 {
		t.Errorf("only %d requests were denied", denied)
	}
}

// TestSimulatorAllowsWhatIsNeeded is the other half: what CloudFormation does
// for the templates is not refused by what keeps attackers out.
func TestSimulatorAllowsWhatIsNeeded(t *testing.T) {
	s := shop()
	needed := handling(t)
	var questions []question
	for _, name := range []string{"preview", "staging", "production"} {
		r := roleNamed(t, s, name)
		resources := made(stackOf(r), s.account(r))
		for typ, actions := range needed {
			for _, action := range actions {
				if strings.HasPrefix(action, "apigateway:") || strings.HasPrefix(action, "s3:") || strings.HasPrefix(action, "cloudfront:") {
					continue // the simulator asks for more of the resource than AWS
				}
				if strings.HasSuffix(action, "ProvisionedConcurrencyConfig") || action == "dynamodb:DescribeImport" {
					continue // it cannot tell an alias from a version; and there are no imports
				}
				questions = append(questions, question{
					Principal: s.roleARN(r), Action: action, Resource: resourceOf(resources, typ, action, s.App), Account: s.account(r),
					Context: circumstances(resources, typ, s.boundary(r)), Spare: true, Policies: []document{s.permissions(r)},
				})
			}
		}
	}
	for i, answer := range simulate(t, questions) {
		if q := questions[i]; answer != "Allowed" {
			t.Errorf("%s: %s on %s: %s", q.Principal, q.Action, q.Resource, answer)
		}
	}
	if len(questions) < 300 {
		t.Errorf("only %d requests were made", len(questions))
	}
}
