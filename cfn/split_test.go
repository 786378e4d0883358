package cfn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/awslabs/goformation/v7/cloudformation/logs"

	"arc/manifest"
)

// stacksOf compiles an app and reads its templates back: the root's under "",
// a nested stack's under its logical ID.
func stacksOf(t *testing.T, app *manifest.App) map[string]*Document {
	t.Helper()
	stack, ds := Compile(app, Options{Stage: "staging", Env: []string{"SECRET_KEY"}})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	bodies := map[string][]byte{}
	root, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	bodies[""] = root
	for _, part := range stack.Parts {
		bodies[part.LogicalID] = part.Body
	}
	docs := map[string]*Document{}
	for name, body := range bodies {
		if docs[name], err = Parse(body); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkStackLimits(t, name, body, docs[name])
	}
	checkWiring(t, docs)
	return docs
}

func checkStackLimits(t *testing.T, name string, body []byte, doc *Document) {
	t.Helper()
	for _, limit := range []struct {
		what    string
		n, most int
	}{
		{"resources", len(doc.Resources), 500},
		{"parameters", len(doc.Parameters), 200},
		{"outputs", len(doc.Outputs), 200},
		{"bytes", len(body), MaxTemplate},
	} {
		if limit.n > limit.most {
			t.Errorf("%q has %d %s; CloudFormation takes %d", name, limit.n, limit.what, limit.most)
		}
	}
}

// checkWiring checks that nested stacks are given exactly their parameters,
// that outputs which are asked for exist, and that no circle arises.
func checkWiring(t *testing.T, docs map[string]*Document) {
	t.Helper()
	root := docs[""]
	for name, doc := range docs {
		for id, r := range doc.Resources {
			for _, ref := range References(r.Properties) {
				resource, _, _ := strings.Cut(ref, ".")
				if _, ok := doc.Resources[resource]; !ok {
					if _, ok := doc.Parameters[resource]; !ok {
						t.Errorf("%q: %s refers to %s, which is not there", name, id, ref)
					}
				}
			}
		}
		if name == "" {
			continue
		}
		given, _ := root.Resources[name].Properties["Parameters"].(map[string]any)
		for p := range doc.Parameters {
			if _, ok := given[p]; !ok {
				t.Errorf("the nested stack %s is not given %s", name, p)
			}
		}
		for p := range given {
			if _, ok := doc.Parameters[p]; !ok {
				t.Errorf("the nested stack %s is given %s, which it does not take", name, p)
			}
		}
	}
	text, _ := json.Marshal(root.Resources)
	for _, m := range regexp.MustCompile(`"([A-Za-z0-9]+)","Outputs\.([A-Za-z0-9]+)"|\$\{([A-Za-z0-9]+)\.Outputs\.([A-Za-z0-9]+)\}`).FindAllSubmatch(text, -1) {
		part, output := string(m[1])+string(m[3]), string(m[2])+string(m[4])
		if _, ok := docs[part].Outputs[output]; !ok {
			t.Errorf("the nested stack %s has no output %s", part, output)
		}
	}
	state := map[string]int{}
	var visit func(id string)
	visit = func(id string) {
		if state[id] == 1 {
			t.Fatalf("a circle of dependencies through %s", id)
		}
		if state[id] == 0 {
			state[id] = 1
			r := root.Resources[id]
			for _, ref := range slices.Concat(References(r.Properties), r.DependsOn) {
				if _, ok := root.Resources[ref]; ok {
					visit(ref)
				}
			}
			state[id] = 2
		}
	}
	for id := range root.Resources {
		visit(id)
	}
}

// homes tells in which stack each resource is.
func homes(docs map[string]*Document) map[string]string {
	at := map[string]string{}
	for name, doc := range docs {
		for id := range doc.Resources {
			at[id] = name
		}
	}
	return at
}

// TestSplitStable adds a random route at a random place of apps that are
// split, and sees every other resource stay in its stack.
func TestSplitStable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{155, 380, 500, 600} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			app := largeApp(n)
			before := homes(stacksOf(t, app))
			for range 2 {
				at := random.IntN(len(app.HTTP) + 1)
				more := route("post", fmt.Sprintf("/new-%d/:x", random.Int()), at+5)
				app.HTTP = slices.Insert(app.HTTP, at, more)
				for i := range app.HTTP {
					app.HTTP[i].Pos.Line = i + 5
				}
				after := homes(stacksOf(t, app))
				for id, home := range before {
					if now, ok := after[id]; !ok || now != home {
						t.Fatalf("%s was in %q and is in %q (there: %v)", id, home, now, ok)
					}
				}
				before = after
			}
		})
	}
}

// TestSplitKeeps sees what has an address or holds data stay in the root at
// every size, and functions with it as long as an Architect app can be.
func TestSplitKeeps(t *testing.T) {
	for _, n := range []int{1, 120, 160, 240, 400, 600} {
		docs := stacksOf(t, fullApp(n))
		if split := len(docs) > 1; split != (n > 120) {
			t.Errorf("%d routes: split is %v", n, split)
		}
		for name, doc := range docs {
			for id, r := range doc.Resources {
				if name == "" {
					continue
				}
				switch r.Type {
				case "AWS::ApiGatewayV2::Api", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue":
					t.Errorf("%d routes: %s left the root", n, id)
				case "AWS::SSM::Parameter", "AWS::ApiGatewayV2::Route", "AWS::Lambda::EventSourceMapping", "AWS::SNS::Subscription", "AWS::SQS::QueuePolicy":
					t.Errorf("%d routes: %s left the root, where its double would have to be made while it is still there", n, id)
				case "AWS::Lambda::Function":
					if n <= 240 {
						t.Errorf("%d routes: %s left the root", n, id)
					}
				}
			}
		}
	}
}

// TestSplitBound gives an app more actions than the root holds.
func TestSplitBound(t *testing.T) {
	app := fullApp(200)
	for i := range 260 {
		fn := *app.WS[0].Function
		fn.Name = fmt.Sprintf("action-%d", i)
		app.WS = append(app.WS, manifest.Action{Name: fn.Name, Function: &fn})
	}
	routes := 0
	for name, doc := range stacksOf(t, app) {
		for _, r := range doc.Resources {
			if r.Type == "AWS::ApiGatewayV2::Route" && name != "" {
				routes++
			}
		}
	}
	if routes != 264 {
		t.Errorf("%d routes of 264 left the root", routes)
	}
}

// fullApp has n routes and something of everything else.
func fullApp(n int) *manifest.App {
	app := largeApp(n)
	own := func(pragma, name string) *manifest.Function {
		fn := *route("get", "/"+name, 1).Function
		fn.Pragma, fn.Name = pragma, name
		return &fn
	}
	app.HTTP[0].Function.Config.ProvisionedConcurrency = 1
	app.HTTP[len(app.HTTP)-1].Function.Config.Uses = []manifest.Use{{Kind: "tables", Name: "accounts", Action: "read"}, {Kind: "ws", Action: "send"}}
	for _, name := range []string{"connect", "default", "disconnect", "publish"} {
		app.WS = append(app.WS, manifest.Action{Name: name, Function: own("ws", name)})
	}
	app.Events = []manifest.Event{{Name: "saved", Function: own("events", "saved")}}
	app.Queues = []manifest.Queue{{Name: "jobs", Fifo: true, Function: own("queues", "jobs")}}
	app.Schedules = append(app.Schedules, manifest.Schedule{Name: "daily", Expression: "rate(1 day)", Function: own("scheduled", "daily")})
	app.Tables = []manifest.Table{{Name: "accounts", PartitionKey: manifest.Key{Name: "id", Type: "String"}}}
	app.Streams = []manifest.Stream{{Name: "accounts", Table: "accounts", Function: own("tables-streams", "accounts")}}
	app.CDN = &manifest.CDN{Enabled: true}
	return app
}

// TestSplitAbove: 450 resources are one stack, and one more is several.
func TestSplitAbove(t *testing.T) {
	for n, split := range map[int]bool{450: false, 451: true} {
		c := newCompiler(&manifest.App{Name: "app"}, Options{Stage: "staging"})
		c.t.Resources = map[string]Resource{}
		for i := range n {
			c.t.Resources[c.place(logsPart, fmt.Sprint("F", i), fmt.Sprint("F", i, "LogGroup"))] = &logs.LogGroup{}
		}
		c.split()
		if got := len(c.stack.Parts) > 0; got != split {
			t.Errorf("%d resources: split is %t", n, got)
		}
	}
}

// TestSplitSize: the root's template may have a million bytes.
func TestSplitSize(t *testing.T) {
	warning := func(padding int) string {
		c := newCompiler(&manifest.App{Name: "app"}, Options{Stage: "staging"})
		c.t.Resources = map[string]Resource{}
		c.t.Description, c.t.Parameters = strings.Repeat("x", padding), map[string]Parameter{ArtifactBucketParameter: {Type: "String"}}
		for i := range 451 {
			c.t.Resources[c.place(logsPart, fmt.Sprint("F", i), fmt.Sprint("F", i, "LogGroup"))] = &logs.LogGroup{}
		}
		c.split()
		for _, d := range c.ds {
			if d.Code == "template-size" {
				return d.Message
			}
		}
		return ""
	}
	const padding = 1_000_000
	var size int
	if _, err := fmt.Sscanf(warning(padding), "the template of the stack has %d bytes", &size); err != nil {
		t.Fatalf("no size in %q: %v", warning(padding), err)
	}
	for more, want := range []bool{false, true} {
		if got := warning(padding - (size - 1_000_000) + more); (got != "") != want {
			t.Errorf("a template of %d bytes: %q", 1_000_000+more, got)
		}
	}
}

// TestSplitDeterministic compiles the same large app twice.
func TestSplitDeterministic(t *testing.T) {
	var first []byte
	for range 3 {
		stack, _ := Compile(fullApp(600), Options{Stage: "production"})
		got, err := stack.Template.JSON()
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range stack.Parts {
			got = append(got, part.Body...)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Fatal("two runs differ")
		}
	}
}
