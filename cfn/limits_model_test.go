package cfn

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"arc/manifest"

	"github.com/google/go-cmp/cmp"
)

// modelFact is what a service's API model says of one value.
type modelFact struct {
	Min, Max int
	Pattern  string
}

// modelQuestion asks the model at api whether it takes each of the values.
type modelQuestion struct {
	API    string `json:"api"`
	Values []any  `json:"values"`
}

// modelAnswer is what it says: its facts, and for each value whether it is refused.
type modelAnswer struct {
	modelFact
	Refused []bool
}

// askModels asks botocore: its own parameter validation, which knows of least
// lengths and of types, and the longest and the pattern of the same shape, which
// it has from the service and leaves to the service to refuse.
func askModels(t *testing.T, questions []modelQuestion) []modelAnswer {
	t.Helper()
	if err := exec.Command("python3", "-c", "import botocore").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("botocore is missing: .ci/run installs it")
		}
		t.Skip("botocore is not installed")
	}
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-c", askBotocore)
	cmd.Stdin = strings.NewReader(string(in))
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, problem.String())
	}
	var answers []modelAnswer
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

const askBotocore = `
import json, re, sys, botocore.session
from botocore.validate import ParamValidator
session, validator, answers = botocore.session.get_session(), ParamValidator(), []
for q in json.load(sys.stdin):
    service, operation, path = q['api'].split()
    shape = session.get_service_model(service).operation_model(operation).input_shape
    for part in path.split('.'):
        shape = shape.member if part == '[]' else shape.members[part]
    m = shape.metadata
    pattern = m.get('pattern', '')
    refused = []
    for v in q['values'] or []:
        n = v if shape.type_name in ('integer', 'long') else len(v)
        bad = validator.validate(v, shape).has_errors() or 'max' in m and n > m['max']
        if pattern and not re.fullmatch(pattern, v):
            bad = True
        refused.append(bool(bad))
    answers.append({'Min': m.get('min', 0), 'Max': m.get('max', 0), 'Pattern': pattern, 'Refused': refused})
print(json.dumps(answers))
`

// TestLimitsAreTheModels: every figure of the table that a service's model has
// is the model's.
func TestLimitsAreTheModels(t *testing.T) {
	var questions []modelQuestion
	var rows []Limit
	for _, l := range Limits() {
		if l.Page == "" || (l.Type != "") != (l.Code != "" && l.Hint != "") && l.Type != "" {
			t.Errorf("%s %s has no page, code or hint", l.Type, l.Property)
		}
		if l.API != "" {
			questions, rows = append(questions, modelQuestion{API: l.API}), append(rows, l)
		}
	}
	for i, answer := range askModels(t, questions) {
		got := modelFact{rows[i].Min, rows[i].Max, strings.NewReplacer(`\x{`, `\u`, `}`, ``).Replace(rows[i].Pattern)}
		if !strings.Contains(rows[i].Pattern, `\x{`) {
			got.Pattern = rows[i].Pattern
		}
		if got != answer.modelFact {
			t.Errorf("%s: the table has %+v, the model %+v", rows[i].API, got, answer.modelFact)
		}
	}
}

// TestLimitsAgree compiles random apps whose names and settings are about as
// long as AWS takes them, and asks the models for the same values of the
// template: what they refuse is refused before a deploy, and nothing else.
func TestLimitsAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	type value struct {
		app      int
		property string
		id       string
	}
	var questions []modelQuestion
	at := map[string]int{}      // API → question
	values := map[int][]value{} // question → of which each value is
	said := map[value]bool{}
	for n := range 150 {
		c := newCompiler(randomApp(random), Options{Stage: "staging"})
		c.compile()
		known := c.pseudo()
		for id, r := range c.t.Resources {
			for _, l := range limitsByType()[r.AWSCloudFormationType()] {
				if l.API == "" {
					continue
				}
				if _, ok := at[l.API]; !ok {
					at[l.API] = len(questions)
					questions = append(questions, modelQuestion{API: l.API})
				}
				walk(reflect.ValueOf(r), l.path, func(v reflect.Value) {
					given := v.Interface()
					if text, ok := given.(string); ok {
						if given, ok = resolved(text, known); !ok {
							return
						}
					}
					q := at[l.API]
					questions[q].Values = append(questions[q].Values, given)
					values[q] = append(values[q], value{n, l.Property, id})
				})
			}
		}
		c.checkValues()
		for _, d := range c.ds {
			property, rest, _ := strings.Cut(d.Message, " of ")
			id, _, _ := strings.Cut(rest, " ")
			said[value{n, property, id}] = true
		}
	}
	wanted := map[value]bool{}
	counts := map[string]int{}
	for q, answer := range askModels(t, questions) {
		for i, refused := range answer.Refused {
			if refused {
				wanted[values[q][i]] = true
				counts[questions[q].API]++
			}
			if v := values[q][i]; refused && !said[v] {
				t.Errorf("%s: the model refuses %q, and we do not", questions[q].API, questions[q].Values[i])
			}
		}
	}
	for v := range said {
		if !wanted[v] && slices.ContainsFunc(Limits(), func(l Limit) bool { return l.Property == v.property && l.API != "" }) {
			t.Errorf("%+v is refused, and the model takes it", v)
		}
	}
	if len(counts) < 8 {
		t.Errorf("the apps reached the limits of too few properties: %v", counts)
	}
}

// randomApp is an app whose names and settings are as often good as not.
func randomApp(random *rand.Rand) *manifest.App {
	text := func(around int, letters string) string {
		n := max(0, around-2+random.IntN(5))
		if random.IntN(3) == 0 {
			n = 1 + random.IntN(20)
		}
		var b strings.Builder
		for range n {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	const word = "abcXYZ019"
	fn := func(pragma, name string) *manifest.Function {
		f := *route("get", "/"+name, 1+random.IntN(50)).Function
		f.Pragma, f.Name = pragma, name
		if random.IntN(2) == 0 {
			f.Config.Handler = text(128, word+"./ _")
		}
		if random.IntN(2) == 0 {
			f.Config.Layers = []string{"arn:aws:lambda:eu-west-1:123456789012:layer:" + text(140-46, word+"-_") + ":1", text(20, word+":")}
		}
		f.Config.Timeout, f.Config.Storage, f.Config.Memory = random.IntN(3), 510+random.IntN(4), 126+random.IntN(4)
		return &f
	}
	app := largeApp(1)
	app.Name = text(90, "abcxyz")
	app.Schedules = []manifest.Schedule{{Name: "a", Expression: "cron(" + text(250, "1,") + " * * * ? *)", Timezone: text(50, word+"/"), Function: fn("scheduled", "a")}}
	app.Queues = []manifest.Queue{{Name: "jobs", BatchSize: random.IntN(3) * 5000, BatchWindow: 299 + random.IntN(3), Function: fn("queues", "jobs")}}
	app.Events = []manifest.Event{{Name: text(246, word+"-_."), Function: fn("events", "e")}}
	app.WS = []manifest.Action{{Name: text(128, word), Function: fn("ws", "w")}}
	app.Tables = []manifest.Table{{Name: "t" + text(200, word), TTL: text(255, word), PartitionKey: manifest.Key{Name: text(255, word), Type: "String"}}}
	app.Tables[0].Indexes = []manifest.Index{{Name: text(random.IntN(2)*255, word+"-_.#"), PartitionKey: manifest.Key{Name: text(255, word), Type: "String"}}}
	return app
}

// TestLogicalIDsFit: names as long as a manifest takes them give logical IDs
// and names of outputs and parameters that CloudFormation takes.
func TestLogicalIDsFit(t *testing.T) {
	for _, n := range []int{100, 113, 114, 115, 116, 200, 246} {
		app := largeApp(1)
		app.Events = []manifest.Event{{Name: strings.Repeat("e", n), Function: route("get", "/e", 2).Function}}
		app.Queues = []manifest.Queue{{Name: strings.Repeat("q", n), Function: route("get", "/q", 3).Function}}
		app.WS = []manifest.Action{{Name: strings.Repeat("w", n), Function: route("get", "/w", 4).Function}}
		app.Tables = []manifest.Table{{Name: strings.Repeat("t", n), PartitionKey: manifest.Key{Name: "id", Type: "String"}}}
		app.Streams = []manifest.Stream{{Name: strings.Repeat("t", n), Table: strings.Repeat("t", n), Function: route("get", "/s", 5).Function}}
		stack, ds := Compile(app, Options{Stage: "staging", Env: []string{strings.Repeat("A_", n)}})
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		if _, err := stack.Template.JSON(); err != nil {
			t.Error(err)
		}
		for what, names := range map[string][]string{"resource": keysOf(stack.Template.Resources), "output": keysOf(stack.Template.Outputs), "parameter": keysOf(stack.Template.Parameters)} {
			for _, name := range names {
				if len(name) > 255 {
					t.Errorf("a name of %d characters gives a %s one of %d: %s", n, what, len(name), name)
				}
			}
		}
	}
}

func keysOf[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// TestLimitsPage: docs/limits.md is the table; -update writes it.
func TestLimitsPage(t *testing.T) {
	const file = "../docs/limits.md"
	var b strings.Builder
	b.WriteString(`# Limits

What AWS takes, and arc check, package, diff, deploy and sandbox therefore hold
every app to before anything is uploaded. The figures of properties are those
of the services' own API models; a line in Code is what ` + "`arc check --json`" + ` calls
a value that passes one ("–": arc never writes one).

| what | least | most | form | code | source |
|---|---|---|---|---|---|
`)
	for _, l := range Limits() {
		what := l.Property
		if l.Type != "" {
			what = fmt.Sprintf("%s `%s`", strings.TrimPrefix(l.Type, "AWS::"), l.Property)
		}
		if l.Unit != "" {
			what += ", " + l.Unit
		}
		most, form, code := "", "", "–"
		if l.Max > 0 {
			most = fmt.Sprint(l.Max)
		}
		if l.Pattern != "" {
			form = "`" + strings.ReplaceAll(l.Pattern, "|", `\|`) + "`"
		}
		if l.Code != "" {
			code = "`" + l.Code + "`"
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | [AWS](%s) |\n", what, l.Min, most, form, code, l.Page)
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("docs/limits.md is not what the table says: run go test ./cfn -run TestLimitsPage -update\n%s", d)
	}
}
