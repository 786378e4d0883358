package iam

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// asked is a line of testdata/requests.txt with the policies above it.
type asked struct {
	Line                int
	Want                string
	Request             Request `json:"-"`
	Action, Resource    string
	Account, Principal  string
	Context             map[string]any
	Identity            []any
	Boundary            []any
	Session, ResourceOf []any
}

const (
	sessionARN = "arn:aws:sts::111111111111:assumed-role/app/fn"
	roleARN    = "arn:aws:iam::111111111111:role/app"
)

func readRequests(t *testing.T) []asked {
	t.Helper()
	data, err := os.ReadFile("testdata/requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []asked
	layers := map[string][]any{}
	open := false // policies are being read
	for i, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		text, isRequest := strings.CutPrefix(line, "\t")
		switch {
		case isRequest:
			open = false
			list = append(list, readRequest(t, i+1, text, layers))
		case line == "" || strings.HasPrefix(line, "#"):
			if !open {
				layers = map[string][]any{}
			}
		default:
			if !open {
				layers, open = map[string][]any{}, true
			}
			layer, text, _ := strings.Cut(line, " ")
			var statement any
			if err := json.Unmarshal([]byte(text), &statement); err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			layers[layer] = append(layers[layer], statement)
		}
	}
	return list
}

func readRequest(t *testing.T, number int, text string, layers map[string][]any) asked {
	t.Helper()
	fields := strings.Fields(text)
	q := asked{Line: number, Want: fields[0], Action: fields[1], Resource: fields[2], Principal: sessionARN, Context: map[string]any{},
		Identity: layers["identity"], Boundary: layers["boundary"], Session: layers["session"], ResourceOf: layers["resource"]}
	r := Request{Action: q.Action, Resource: q.Resource, Role: roleARN, Context: map[string][]string{}, Whole: true}
	for _, f := range fields[3:] {
		key, value, _ := strings.Cut(f, "=")
		if key == "principal" {
			q.Principal, r.Role = value, ""
			continue
		}
		values := strings.Split(strings.TrimSuffix(value, ","), ",")
		r.Context[strings.ToLower(key)] = values
		q.Context[key] = values[0]
		if strings.Contains(value, ",") {
			q.Context[key] = values
		}
	}
	q.Account = Field(q.Resource, 4)
	if q.Account == "" {
		q.Account = "111111111111"
	}
	r.Account, r.Principal = q.Account, q.Principal
	q.Request = r
	return q
}

func documentOf(statements []any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}

func (q asked) policies() Policies {
	one := func(statements []any) *Policy {
		if statements == nil {
			return nil
		}
		p := Parse(documentOf(statements))
		return &p
	}
	p := Policies{Boundary: one(q.Boundary), Session: one(q.Session), Resource: one(q.ResourceOf)}
	if identity := one(q.Identity); identity != nil {
		p.Identity = []Policy{*identity}
	}
	return p
}

// TestDecide decides every request of testdata/requests.txt.
func TestDecide(t *testing.T) {
	list := readRequests(t)
	if len(list) < 150 {
		t.Errorf("only %d requests", len(list))
	}
	for _, q := range list {
		d := Decide(q.Request, q.policies())
		got := map[Effect]string{Allowed: "allowed", Unknown: "unknown", Denied: "implicit"}[d.Effect]
		if d.Explicit {
			got = "explicit"
		}
		if got != q.Want {
			t.Errorf("line %d: %s on %s %v: %s %v, want %s", q.Line, q.Action, q.Resource, q.Context, got, d.Unknown, q.Want)
		}
	}
}

// simulator is a second opinion. It is a test's tool, fetched when the test runs,
// and under a licence (AGPL) that keeps it out of here.
const simulator = "@cloud-copilot/iam-simulate@0.1.173"

const ask = `import { runSimulation } from '@cloud-copilot/iam-simulate'
import { readFileSync } from 'node:fs'
const answers = []
const policy = statements => ({ Version: '2012-10-17', Statement: statements })
for (const q of JSON.parse(readFileSync(0))) {
  const response = await runSimulation({
    identityPolicies: q.Identity ? [{ name: 'identity', policy: policy(q.Identity) }] : [],
    permissionBoundaryPolicies: q.Boundary ? [{ name: 'boundary', policy: policy(q.Boundary) }] : undefined,
    sessionPolicy: q.Session ? policy(q.Session) : undefined,
    resourcePolicy: q.ResourceOf ? policy(q.ResourceOf) : undefined,
    serviceControlPolicies: [], resourceControlPolicies: [],
    request: { action: q.Action, principal: q.Principal, resource: { resource: q.Resource, accountId: q.Account }, contextVariables: q.Context }
  }, {})
  const ignored = response.result?.ignoredContextKeys ?? []
  answers.push(response.resultType === 'error' ? JSON.stringify(response.errors) : ignored.length ? 'ignores ' + ignored : response.overallResult)
}
console.log(JSON.stringify(answers))
`

// TestSimulatorDecidesAlike puts the same requests to the simulator.
func TestSimulatorDecidesAlike(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("%s is missing", tool)
		}
	}
	dir := t.TempDir()
	install := exec.Command("npm", "install", "--silent", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--prefix", dir, simulator)
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s: %v\n%s", install, err, out)
		}
		t.Skipf("%s: %v", install, err)
	}
	script := filepath.Join(dir, "ask.mjs")
	if err := os.WriteFile(script, []byte(ask), 0o600); err != nil {
		t.Fatal(err)
	}
	list := readRequests(t)
	in, err := json.Marshal(list)
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
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(list) {
		t.Fatalf("%d answers to %d questions: %v\n%s", len(answers), len(list), err, out)
	}
	words := map[string]string{"Allowed": "allowed", "ImplicitlyDenied": "implicit", "ExplicitlyDenied": "explicit"}
	for i, q := range list {
		if words[answers[i]] != q.Want {
			t.Errorf("line %d: %s on %s %v: the simulator says %s, want %s", q.Line, q.Action, q.Resource, q.Context, answers[i], q.Want)
		}
	}
}

// What is not known denies nothing and is named, unless it makes no difference.
func TestUnknown(t *testing.T) {
	read := func(text string) Policy { return Read(`{"Version":"2012-10-17","Statement":` + text + `}`) }
	request := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::shop/a", Account: "111111111111", Principal: sessionARN, Role: roleARN, Context: map[string][]string{"aws:username": nil}}
	const (
		allow   = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
		ifVPC   = `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`
		denyVPC = `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`
	)
	for _, c := range []struct {
		name     string
		policies Policies
		want     Effect
		unknown  string
	}{
		{"allowed if", Policies{Identity: []Policy{read(ifVPC)}}, Unknown, "aws:sourcevpc"},
		{"allowed anyway", Policies{Identity: []Policy{read("[" + ifVPC + "," + allow + "]")}}, Allowed, ""},
		{"denied if", Policies{Identity: []Policy{read("[" + denyVPC + "," + allow + "]")}}, Unknown, "aws:sourcevpc"},
		{"denied if, and never allowed", Policies{Identity: []Policy{read(denyVPC)}}, Denied, ""},
		{"bounded if", Policies{Identity: []Policy{read(allow)}, Boundary: new(read(ifVPC))}, Unknown, "aws:sourcevpc"},
		{"a policy of AWS's", Policies{Identity: []Policy{Named("arn:aws:iam::aws:policy/AmazonS3FullAccess")}}, Unknown, "AmazonS3FullAccess"},
		{"the administrator", Policies{Identity: []Policy{Named("arn:aws:iam::aws:policy/AdministratorAccess")}}, Allowed, ""},
		{"no JSON", Policies{Identity: []Policy{Read("nonsense")}}, Unknown, "no JSON"},
		{"an operator nobody knows", Policies{Identity: []Policy{read(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNearly":{"aws:username":"x"}}}`)}}, Unknown, "StringNearly"},
		{"a reference that nobody resolved", Policies{Identity: []Policy{Parse(map[string]any{"Statement": []any{map[string]any{"Effect": "Allow", "Action": "*", "Resource": map[string]any{"Ref": "Bucket"}}}})}}, Unknown, "Bucket"},
		{"a name that the session has not", Policies{Identity: []Policy{read(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::shop/${aws:username}"}`)}}, Denied, ""},
		{"a variable of a policy of 2008", Policies{Identity: []Policy{Read(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::shop/${aws:SourceVpc}"}}`)}}, Denied, ""},
	} {
		d := Decide(request, c.policies)
		if d.Effect != c.want || !slices.ContainsFunc(append(d.Unknown, c.unknown), func(s string) bool { return strings.Contains(s, c.unknown) }) {
			t.Errorf("%s: %+v, want %s", c.name, d, c.want)
		}
		if (len(d.Unknown) > 0) != (d.Effect == Unknown) {
			t.Errorf("%s: %s, and unknown is %v", c.name, d.Effect, d.Unknown)
		}
		if c.unknown != "" && !strings.Contains(strings.Join(d.Unknown, "\n"), c.unknown) {
			t.Errorf("%s: unknown is %v, want %s", c.name, d.Unknown, c.unknown)
		}
	}
}

// A star and a question mark that are meant as such. The simulator takes those of
// a request for wildcards, so that it is not asked.
func TestLiteralWildcards(t *testing.T) {
	p := Read(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::shop/${*}/a${?}${$}"}}`)
	for resource, want := range map[string]Effect{"arn:aws:s3:::shop/*/a?$": Allowed, "arn:aws:s3:::shop/x/a?$": Denied, "arn:aws:s3:::shop/*/ab$": Denied} {
		if d := Decide(Request{Action: "s3:GetObject", Resource: resource, Principal: sessionARN}, Policies{Identity: []Policy{p}}); d.Effect != want {
			t.Errorf("%s: %+v", resource, d)
		}
	}
}

// The words are AWS's.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestBecause(t *testing.T) {
	for d, want := range map[*Decision]string{
		{Layer: IdentityLayer}:                 "because no identity-based policy allows the s3:GetObject action",
		{Layer: BoundaryLayer}:                 "because no permissions boundary allows the s3:GetObject action",
		{Layer: SessionLayer}:                  "because no session policy allows the s3:GetObject action",
		{Layer: ResourceLayer}:                 "because no resource-based policy allows the s3:GetObject action",
		{Layer: IdentityLayer, Explicit: true}: "with an explicit deny in an identity-based policy",
		{Layer: BoundaryLayer, Explicit: true}: "with an explicit deny in a permissions boundary",
	} {
		if got := d.Because("s3:GetObject"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A role's and a key's own policy must let the account in, or the caller itself.
func TestExplicitTrust(t *testing.T) {
	request := Request{Action: "sts:AssumeRole", Resource: "arn:aws:iam::111111111111:role/other", Account: "111111111111", Principal: sessionARN, Role: roleARN, Whole: true}
	may := Read(`{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`)
	trust := func(principal string) *Policy {
		return new(Read(`{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + principal + `"}}}`))
	}
	for _, c := range []struct {
		name     string
		policies Policies
		want     Effect
	}{
		{"nobody is trusted", Policies{Identity: []Policy{may}, Explicit: true, Resource: new(Read(`{"Statement":[]}`))}, Denied},
		{"the account is", Policies{Identity: []Policy{may}, Explicit: true, Resource: trust("111111111111")}, Allowed},
		{"the account is, and the caller may not", Policies{Explicit: true, Resource: trust("arn:aws:iam::111111111111:root")}, Denied},
		{"the role is", Policies{Explicit: true, Resource: trust(roleARN)}, Allowed},
		{"another is", Policies{Identity: []Policy{may}, Explicit: true, Resource: trust(roleARN + "2")}, Denied},
	} {
		if d := Decide(request, c.policies); d.Effect != c.want {
			t.Errorf("%s: %+v, want %s", c.name, d, c.want)
		}
	}
}

// FuzzDecide: whatever a policy says, it is read and asked without an end in
// sight, and more statements that allow deny nothing.
func FuzzDecide(f *testing.F) {
	for _, line := range strings.Split(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}
{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:::${aws:username}/*","Condition":{"ForAllValues:StringLike":{"aws:TagKeys":["a*",1,true]}}}]}
{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:Get?bject","Resource":"arn:aws:s3"}]}
{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:*","Condition":{"DateLessThan":{"aws:CurrentTime":"2026"},"IpAddress":{"aws:SourceIp":"::/0"}}}]}`, "\n") {
		f.Add(line, "s3:GetObject", "arn:aws:s3:::shop/a", "x")
	}
	f.Fuzz(func(t *testing.T, text, action, resource, value string) {
		p := Read(text)
		r := Request{Action: action, Resource: resource, Account: "111111111111", Principal: sessionARN, Role: roleARN,
			Context: map[string][]string{"aws:username": {value}, "aws:tagkeys": {value, "b"}, "aws:currenttime": {value}, "aws:sourceip": {value}}}
		d := Decide(r, Policies{Identity: []Policy{p}})
		Decide(r, Policies{Resource: &p, Explicit: true})
		if (d.Effect == Unknown) != (len(d.Unknown) > 0) {
			t.Errorf("%+v", d)
		}
		everything := Read(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
		more := Decide(r, Policies{Identity: []Policy{p, everything}})
		if d.Effect == Allowed && more.Effect != Allowed || more.Effect == Denied && !more.Explicit {
			t.Errorf("%+v, and with everything allowed %+v", d, more)
		}
	})
}

// BenchmarkDecide asks a role like that of an app with many tables.
func BenchmarkDecide(b *testing.B) {
	var statements []any
	for i := range 40 {
		statements = append(statements, map[string]any{"Effect": "Allow",
			"Action":   []any{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem"},
			"Resource": []any{"arn:aws:dynamodb:eu-central-1:111111111111:table/Table" + strings.Repeat("x", i), "arn:aws:dynamodb:eu-central-1:111111111111:table/Table" + strings.Repeat("x", i) + "/index/*"}})
	}
	policies := Policies{Identity: []Policy{Parse(documentOf(statements))}}
	r := Request{Action: "dynamodb:PutItem", Resource: "arn:aws:dynamodb:eu-central-1:111111111111:table/Table" + strings.Repeat("x", 39), Account: "111111111111", Principal: sessionARN, Role: roleARN}
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(r, policies); d.Effect != Allowed {
			b.Fatal(d)
		}
	}
}
