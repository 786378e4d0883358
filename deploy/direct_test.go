package deploy

import (
	"archive/zip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"arc/sandbox"
	"arc/sandbox/activity"
)

// wholeCloud is the endpoint of a local cloud, as arc runs it.
func wholeCloud(t *testing.T) string {
	t.Helper()
	c, err := sandbox.Start(sandbox.Options{
		Project: t.TempDir(), Registry: sandbox.Registry{Dir: filepath.Join(t.TempDir(), "arc", "local")}, Region: DefaultRegion,
		Path: os.Getenv("PATH"), Tell: func(activity.Event) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.Running().Endpoint
}

// directDemo has a function of which everything can be changed directly, one
// behind an alias, and their zips.
func directDemo(code string, change func(resources)) Deployment {
	alone := map[string]any{
		"Code": map[string]any{"S3Bucket": map[string]any{"Ref": "ArtifactBucket"}, "S3Key": code + ".zip"}, "Handler": "index.handler",
		"Runtime": "nodejs22.x", "MemorySize": 128, "Timeout": 5, "Role": map[string]any{"Fn::GetAtt": []any{"Role", "Arn"}},
		"EphemeralStorage": map[string]any{"Size": 512}, "Description": "as the template says",
		"Environment": map[string]any{"Variables": map[string]any{"SECRET": map[string]any{"Ref": "EnvSecret"}, "PLAIN": "one", "BUCKET": map[string]any{"Ref": "StaticBucket"}}},
	}
	behind := maps.Clone(alone)
	delete(behind, "Description")
	d := motoDemo("demo", code)
	role := map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": map[string]any{
		"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}}},
	}}}
	d.Template = demo(code, "s3cr3t", func(r resources) {
		delete(r, "AccountsTable")
		delete(r, "GetIndexHTTPLambda")
		r["Role"], r["Other"] = role, maps.Clone(role)
		r["Alone"] = map[string]any{"Type": "AWS::Lambda::Function", "Properties": alone}
		r["Behind"] = map[string]any{"Type": "AWS::Lambda::Function", "Properties": behind}
		r["Version"] = map[string]any{"Type": "AWS::Lambda::Version", "Properties": map[string]any{"FunctionName": map[string]any{"Ref": "Behind"}}}
		r["Alias"] = map[string]any{"Type": "AWS::Lambda::Alias", "Properties": map[string]any{
			"FunctionName": map[string]any{"Ref": "Behind"}, "Name": "live", "FunctionVersion": map[string]any{"Fn::GetAtt": []any{"Version", "Version"}},
		}}
		if change != nil {
			change(r)
		}
	}).Template
	d.Static = nil
	d.Artifacts = []Artifact{zipped(code)}
	return d
}

// zipped is a zip that Lambda takes.
func zipped(code string) Artifact {
	return Artifact{Key: code + ".zip", Label: "src/http/" + code, Write: func(w io.Writer) error {
		z := zip.NewWriter(w)
		f, err := z.Create("index.mjs")
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(f, "export const handler = async () => %q", code); err != nil {
			return err
		}
		return z.Close()
	}}
}

func set(id, property string, value any) func(resources) {
	return func(r resources) {
		p := maps.Clone(properties(r, id))
		if p[property] = value; value == nil {
			delete(p, property)
		}
		r[id]["Properties"] = p
	}
}

func variables(id string, change func(map[string]any)) func(resources) {
	return func(r resources) {
		p := maps.Clone(properties(r, id))
		v := maps.Clone(variablesOf(p))
		change(v)
		p["Environment"] = map[string]any{"Variables": v}
		r[id]["Properties"] = p
	}
}

// TestDirect changes one thing at a time of a function past CloudFormation, and
// has the next whole deploy put it back.
func TestDirect(t *testing.T) {
	proxy := &faultProxy{target: wholeCloud(t)}
	clients := connectTo(t, proxy.start(t))
	var said []string
	dp := &Deployer{Clients: clients, Progress: func(s Step) { said = append(said, s.Message) }}
	if _, err := dp.Deploy(t.Context(), directDemo("one", nil)); err != nil {
		t.Fatal(err)
	}
	stack, err := clients.Describe(t.Context(), "DemoStaging")
	if err != nil {
		t.Fatal(err)
	}
	state := func(id string) functionState {
		t.Helper()
		names, err := clients.functionNames(t.Context(), stack.ID)
		if err != nil {
			t.Fatal(err)
		}
		for name, of := range names {
			if of == id {
				var is functionState
				if err := clients.Functions.Send(t.Context(), http.MethodGet, "GetFunctionConfiguration", name, "configuration", nil, &is); err != nil {
					t.Fatal(err)
				}
				return is
			}
		}
		t.Fatalf("no function %s in %v", id, names)
		return functionState{}
	}
	before := map[string]functionState{"Alone": state("Alone"), "Behind": state("Behind")}
	if before["Alone"].Description != "as the template says" {
		t.Fatalf("as deployed: %+v", before)
	}

	cases := []struct {
		name   string
		code   string
		change func(resources)
		is     func(functionState) any
		want   any
	}{
		{"code", "two", nil, func(f functionState) any { return f.CodeSHA256 != before["Alone"].CodeSHA256 }, true},
		{"handler", "one", set("Alone", "Handler", "other.handler"), func(f functionState) any { return f.Handler }, "other.handler"},
		{"runtime", "one", set("Alone", "Runtime", "nodejs20.x"), func(f functionState) any { return f.Runtime }, "nodejs20.x"},
		{"memory", "one", set("Alone", "MemorySize", 256), func(f functionState) any { return f.MemorySize }, 256},
		{"timeout", "one", set("Alone", "Timeout", 7), func(f functionState) any { return f.Timeout }, 7},
		{"variable", "one", variables("Alone", func(v map[string]any) { v["PLAIN"] = "two" }), func(f functionState) any { return f.Environment.Variables["PLAIN"] }, "two"},
		{"new variable", "one", variables("Alone", func(v map[string]any) { v["NEW"] = "new" }), func(f functionState) any { return len(f.Environment.Variables) }, 4},
		{"no variable", "one", variables("Alone", func(v map[string]any) { delete(v, "PLAIN") }), func(f functionState) any { return len(f.Environment.Variables) }, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			said = nil
			out, err := dp.Direct(t.Context(), directDemo(c.code, c.change), []string{"Alone"})
			if err != nil || !slices.Equal(out.Direct, []string{"Alone"}) {
				t.Fatalf("%+v %v", out, err)
			}
			is := state("Alone")
			if got := c.is(is); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if !ChangedDirectly(is.Description) || is.Environment.Variables["BUCKET"] == "" || is.Environment.Variables["SECRET"] != "s3cr3t" {
				t.Errorf("%+v", is)
			}
			if marked, err := clients.Direct(t.Context(), stack); err != nil || !slices.Equal(marked, []string{"Alone"}) {
				t.Errorf("marked: %q %v", marked, err)
			}
			// What it is already is not changed again, and nobody else was touched.
			out, err = dp.Direct(t.Context(), directDemo(c.code, c.change), []string{"Alone"})
			if err != nil || len(out.Direct) != 0 || !slices.ContainsFunc(said, func(s string) bool { return s == "Alone is as it was packaged" }) {
				t.Errorf("again: %+v %v %q", out, err, said)
			}
			if got := state("Behind"); !reflect.DeepEqual(got, before["Behind"]) {
				t.Errorf("another function: %+v", got)
			}
			if _, err := dp.Deploy(t.Context(), directDemo("one", nil)); err != nil {
				t.Fatal(err)
			}
			if got := state("Alone"); !reflect.DeepEqual(got, before["Alone"]) {
				t.Errorf("put back: %+v\nwant %+v", got, before["Alone"])
			}
		})
	}

	t.Run("parameter", func(t *testing.T) {
		d := directDemo("one", nil)
		d.Parameters["EnvSecret"] = "an0ther"
		if _, err := dp.Direct(t.Context(), d, []string{"Alone", "Behind"}); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"Alone", "Behind"} {
			if got := state(id).Environment.Variables["SECRET"]; got != "an0ther" {
				t.Errorf("%s: %q", id, got)
			}
		}
		if _, err := dp.Deploy(t.Context(), directDemo("one", nil)); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"Alone", "Behind"} {
			if got := state(id); !reflect.DeepEqual(got, before[id]) {
				t.Errorf("put back: %+v", got)
			}
		}
	})

	// The local cloud runs the same for every version, so the calls are looked at.
	t.Run("alias", func(t *testing.T) {
		aliases := func() (calls []string) {
			for _, call := range proxy.calls() {
				if strings.HasSuffix(call, "/versions") || strings.HasSuffix(call, "/aliases/live") {
					calls = append(calls, call[:strings.IndexByte(call, ' ')]+call[strings.LastIndexByte(call, '/'):])
				}
			}
			proxy.forget()
			return calls
		}
		aliases()
		if _, err := dp.Direct(t.Context(), directDemo("two", nil), []string{"Alone", "Behind"}); err != nil {
			t.Fatal(err)
		}
		if got := aliases(); !slices.Equal(got, []string{"POST/versions", "PUT/live"}) {
			t.Errorf("given: %q", got)
		}
		if _, err := dp.Deploy(t.Context(), directDemo("one", nil)); err != nil {
			t.Fatal(err)
		}
		if got := aliases(); !slices.Equal(got, []string{"PUT/live"}) { // to the stack's version
			t.Errorf("put back: %q", got)
		}
		if _, err := dp.Direct(t.Context(), directDemo("one", nil), []string{"Alone", "Behind"}); err != nil {
			t.Fatal(err)
		}
		if got := aliases(); len(got) != 0 {
			t.Errorf("nothing has changed: %q", got)
		}
	})

	t.Run("concurrency", func(t *testing.T) {
		for _, n := range []any{5, 7, nil} {
			out, err := dp.Direct(t.Context(), directDemo("one", set("Alone", "ReservedConcurrentExecutions", n)), []string{"Alone"})
			if err != nil || (len(out.Direct) == 0) != (n == nil) {
				t.Errorf("%v: %+v %v", n, out, err)
			}
		}
		if _, err := dp.Deploy(t.Context(), directDemo("one", set("Alone", "ReservedConcurrentExecutions", 5))); err != nil {
			t.Fatal(err)
		}
		if out, err := dp.Direct(t.Context(), directDemo("one", nil), []string{"Alone"}); err != nil || len(out.Direct) != 1 {
			t.Errorf("taken away: %+v %v", out, err)
		}
	})

	for name, c := range map[string]struct {
		d    Deployment
		id   string
		want string
	}{
		"role":              {directDemo("one", set("Alone", "Role", map[string]any{"Fn::GetAtt": []any{"Other", "Arn"}})), "Alone", "its Role changed too"},
		"other resource":    {directDemo("one", variables("Alone", func(v map[string]any) { v["BUCKET"] = map[string]any{"Ref": "Role"} })), "Alone", "its variable BUCKET comes of another resource"},
		"new resource":      {directDemo("one", variables("Alone", func(v map[string]any) { v["ROLE"] = map[string]any{"Ref": "Role"} })), "Alone", "its variable ROLE comes of another resource"},
		"layer of a stack":  {directDemo("one", set("Alone", "Layers", []any{map[string]any{"Ref": "Layer"}})), "Alone", "its Layers come of another resource"},
		"code of elsewhere": {directDemo("one", set("Alone", "Code", map[string]any{"ZipFile": "x"})), "Alone", "its code is none that was packaged"},
		"not there":         {directDemo("one", func(r resources) { r["New"] = r["Alone"] }), "New", "the stack does not have it yet"},
		"no such function":  {directDemo("one", nil), "None", "the stack does not have it yet"},
	} {
		t.Run(name, func(t *testing.T) {
			was := state("Alone")
			_, err := dp.Direct(t.Context(), c.d, []string{c.id})
			if err == nil || !strings.Contains(err.Error(), c.id+": "+c.want) || !strings.Contains(err.Error(), "deploy in full") {
				t.Errorf("%v, want %q", err, c.want)
			}
			if got := state("Alone"); !reflect.DeepEqual(got, was) {
				t.Errorf("it was changed: %+v", got)
			}
		})
	}
	absent := directDemo("one", nil)
	absent.StackName = "DemoProduction"
	if _, err := dp.Direct(t.Context(), absent, []string{"Alone"}); err == nil || !strings.Contains(err.Error(), "stack DemoProduction is not there yet") {
		t.Errorf("%v", err)
	}
}

// TestDirectInNested changes a function of a nested stack, whose parameters have
// names of their own.
func TestDirectInNested(t *testing.T) {
	nested := func(code string, pass any) Deployment {
		d := directDemo(code, nil)
		inner := `{"Parameters": {"Bucket": {"Type": "String"}, "Inner": {"Type": "String", "NoEcho": true}, "Role": {"Type": "String"}}, "Resources": {"Deep": {"Type": "AWS::Lambda::Function", "Properties": {
			"Code": {"S3Bucket": {"Ref": "Bucket"}, "S3Key": "` + code + `.zip"}, "Handler": "index.handler", "Runtime": "nodejs22.x", "Role": {"Ref": "Role"},
			"Environment": {"Variables": {"SECRET": {"Ref": "Inner"}}}}}}}`
		key := "part" + code + ".json"
		d.Artifacts = append(d.Artifacts, Artifact{Key: key, Label: "nested template", Write: func(w io.Writer) error {
			_, err := io.WriteString(w, inner)
			return err
		}})
		d.Template = directDemo(code, func(r resources) {
			r["Part"] = map[string]any{"Type": "AWS::CloudFormation::Stack", "Properties": map[string]any{
				"TemplateURL": map[string]any{"Fn::Sub": "https://s3.us-west-2.amazonaws.com/${ArtifactBucket}/" + key},
				"Parameters":  map[string]any{"Bucket": map[string]any{"Ref": "ArtifactBucket"}, "Inner": pass, "Role": map[string]any{"Fn::GetAtt": []any{"Role", "Arn"}}},
			}}
		}).Template
		return d
	}
	clients := connectTo(t, wholeCloud(t))
	dp := &Deployer{Clients: clients}
	secret := map[string]any{"Ref": "EnvSecret"}
	if _, err := dp.Deploy(t.Context(), nested("one", secret)); err != nil {
		t.Fatal(err)
	}
	stack, err := clients.Describe(t.Context(), "DemoStaging")
	if err != nil {
		t.Fatal(err)
	}
	names, err := clients.functionNames(t.Context(), stack.ID)
	if err != nil {
		t.Fatal(err)
	}
	state := func() (is functionState) {
		t.Helper()
		for name, id := range names {
			if id == "Part/Deep" {
				if err := clients.Functions.Send(t.Context(), http.MethodGet, "GetFunctionConfiguration", name, "configuration", nil, &is); err != nil {
					t.Fatal(err)
				}
			}
		}
		return is
	}
	before := state()
	next := nested("two", secret)
	next.Parameters["EnvSecret"] = "an0ther"
	if out, err := dp.Direct(t.Context(), next, []string{"Deep"}); err != nil || !slices.Equal(out.Direct, []string{"Deep"}) {
		t.Fatalf("%+v %v", out, err)
	}
	if got := state(); got.CodeSHA256 == before.CodeSHA256 || got.Environment.Variables["SECRET"] != "an0ther" || !ChangedDirectly(got.Description) {
		t.Errorf("%+v", got)
	}
	if marked, err := clients.Direct(t.Context(), stack); err != nil || !slices.Equal(marked, []string{"Part/Deep"}) {
		t.Errorf("marked: %q %v", marked, err)
	}
	if _, err := dp.Direct(t.Context(), nested("two", "plain"), []string{"Deep"}); err == nil || !strings.Contains(err.Error(), "Deep: its variable SECRET comes of another resource") {
		t.Errorf("passed something else: %v", err)
	}
	if _, err := dp.Deploy(t.Context(), nested("one", secret)); err != nil {
		t.Fatal(err)
	}
	if got := state(); !reflect.DeepEqual(got, before) {
		t.Errorf("put back: %+v", got)
	}
}
