package cfn

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/apigatewayv2"
	"github.com/awslabs/goformation/v7/cloudformation/dynamodb"
	"github.com/awslabs/goformation/v7/cloudformation/lambda"
)

// TestLimits: each of CloudFormation's limits may be reached, and not passed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
func TestLimits(t *testing.T) {
	for _, limit := range []struct {
		code string
		most int
		fill func(c *compiler, n int)
	}{
		{"resource-count", 500, func(c *compiler, n int) {
			for i := range n {
				c.t.Resources[fmt.Sprint("R", i)] = function()
			}
		}},
		{"output-count", 200, func(c *compiler, n int) {
			c.t.Outputs = map[string]Output{}
			for i := range n {
				c.t.Outputs[fmt.Sprint("O", i)] = Output{Value: "v"}
			}
		}},
		{"env-count", 199, func(c *compiler, n int) { // the bucket of the artifacts is a parameter as well
			for i := range n {
				c.env = append(c.env, fmt.Sprint("V", i))
			}
		}},
		{"stack-name", 128, func(c *compiler, n int) { c.stack.Name = strings.Repeat("a", n) }},
		{"env-size", 4096, func(c *compiler, n int) {
			f := function()
			f.Environment = &lambda.Function_Environment{Variables: map[string]string{"ARC_STACK_NAME": Ref("AWS::StackName"), "V": strings.Repeat("a", n-15-len(c.stack.Name))}}
			c.t.Resources["F"] = f
		}},
		{"action-count", 300, func(c *compiler, n int) {
			for i := range n {
				c.t.Resources[fmt.Sprint("R", i)] = &apigatewayv2.Route{RouteKey: "a", OperationName: new("a")}
			}
		}},
		{"index-count", 20, func(c *compiler, n int) {
			c.t.Resources["T"] = &dynamodb.Table{GlobalSecondaryIndexes: slices.Repeat([]dynamodb.Table_GlobalSecondaryIndex{{IndexName: "abc"}}, n)}
		}},
		{"integration-count", 300, func(c *compiler, n int) {
			body := openAPI{Paths: map[string]map[string]operation{}}
			for i := range n {
				body.add(route("get", fmt.Sprint("/", i), i), integration{})
			}
			c.t.Resources["HTTP"] = &apigatewayv2.Api{Body: body}
		}},
	} {
		for n, want := range map[int]bool{limit.most: false, limit.most + 1: true} {
			c := newCompiler(&manifest.App{Name: "app"}, Options{Stage: "staging"})
			c.t.Resources = map[string]Resource{}
			limit.fill(c, n)
			c.checkValues()
			c.checkLimits()
			var codes []string
			for _, d := range c.ds {
				codes = append(codes, d.Code)
			}
			if got := slices.Contains(codes, limit.code); got != want {
				t.Errorf("%d for %s: refused is %t (%v)", n, limit.code, got, codes)
			}
		}
	}
}

// TestPartLimits: a nested stack has the same limits.
func TestPartLimits(t *testing.T) {
	many := func(n int) []string {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprint("N", i)
		}
		return names
	}
	for what, fill := range map[string]func(p *section, more int){
		"resources": func(p *section, more int) {
			for _, name := range many(500 + more) {
				p.resources[name] = function()
			}
		},
		"parameters": func(p *section, more int) {
			for _, name := range many(200 + more) {
				p.parameters[name] = Parameter{}
			}
		},
		"outputs": func(p *section, more int) {
			for _, name := range many(200 + more) {
				p.outputs[name] = Output{}
			}
		},
	} {
		for more, want := range []bool{false, true} {
			c := newCompiler(&manifest.App{Name: "app"}, Options{Stage: "staging"})
			p := &section{resources: map[string]Resource{}, parameters: map[string]Parameter{}, outputs: map[string]Output{}}
			fill(p, more)
			c.t.layout = &layout{parts: map[string]*section{"Functions1": p}}
			c.checkParts()
			if got := len(c.ds) > 0; got != want {
				t.Errorf("%d more %s than the limit: refused is %t", more, what, got)
			}
		}
	}
}

// TestLogicalNames: names of the manifest as Architect turns them into logical IDs.
func TestLogicalNames(t *testing.T) {
	for in, want := range map[string]string{
		"my-app": "MyApp", "fooBar": "FooBar", "a": "A", "get": "GetIndex", "Get": "GetIndex", "get-index": "GetIndex", "post": "Post",
		"x9y": "X9y", "a--b": "AB", "9": "9", "az-AZ-09": "AzAZ09",
	} {
		if got := logicalName(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	for in, want := range map[[2]string]string{
		{"get", "/"}: "GetIndex", {"post", "/"}: "PostIndex", {"get", "/foo/:bar"}: "GetFooBar", {"any", "/a/*"}: "AnyACatchall", {"get", "/a.b"}: "GetAB",
	} {
		if got := routeName(in[0], in[1]); got != want {
			t.Errorf("%v becomes %s, want %s", in, got, want)
		}
	}
}

// TestKeeps: what a policy leaves in the world.
func TestKeeps(t *testing.T) {
	for policy, want := range map[string]bool{"": false, "Delete": false, "Retain": true, "RetainExceptOnCreate": true, "Snapshot": true} {
		if Keeps(policy) != want {
			t.Errorf("%q keeps: %t", policy, !want)
		}
	}
	for _, c := range []struct {
		def  ResourceDef
		want bool
	}{
		{ResourceDef{Type: "AWS::S3::Bucket"}, false},
		{ResourceDef{Type: "AWS::S3::Bucket", DeletionPolicy: "RetainExceptOnCreate"}, true},
		{ResourceDef{Type: "AWS::RDS::DBCluster"}, true},
		{ResourceDef{Type: "AWS::RDS::DBCluster", DeletionPolicy: "Delete"}, false},
		{ResourceDef{Type: "AWS::RDS::DBInstance"}, true},
		{ResourceDef{Type: "AWS::RDS::DBInstance", Properties: map[string]any{"DBClusterIdentifier": "c"}}, false},
	} {
		if got := c.def.OutlivesRemoval(); got != c.want {
			t.Errorf("%+v outlives its removal: %t", c.def, got)
		}
	}
}

// TestDeadLettersAreOutputs: where dead letters go is an output, unless a stack
// has no room for all of these.
func TestDeadLettersAreOutputs(t *testing.T) {
	for n, want := range map[int]int{50: 200, 51: 102} { // of two kinds, with two outputs each
		app := &manifest.App{Name: "app"}
		for i := range n {
			name := fmt.Sprint("n", i)
			fn := func(pragma string) *manifest.Function {
				return &manifest.Function{Pragma: pragma, Name: name, Config: manifest.Config{Runtime: "nodejs22.x", Handler: "index.handler", Memory: 128, Timeout: 5, Storage: 512}}
			}
			app.Events = append(app.Events, manifest.Event{Name: name, Function: fn("events")})
			app.Queues = append(app.Queues, manifest.Queue{Name: name, Function: fn("queues")})
		}
		stack, ds := Compile(app, Options{Stage: "staging"})
		if ds.HasErrors() {
			t.Fatal(ds[0])
		}
		if got := len(stack.Template.Outputs); got != want || len(stack.DeadLetters) != 2*n {
			t.Errorf("%d events and as many queues: %d outputs, want %d; %d dead-letter queues", n, got, want, len(stack.DeadLetters))
		}
	}
}

// TestRefuses: what is said of a value that AWS does not take, by what it is and
// which ends the limit has.
func TestRefuses(t *testing.T) {
	form := func() *regexp.Regexp { return regexp.MustCompile("^[a-z]*$") }
	for _, c := range []struct {
		limit Limit
		value any
		want  string
	}{
		{Limit{Min: 1, Max: 3}, 4, "is 4, but AWS takes 1 to 3"},
		{Limit{Min: 1, Max: 3}, 0, "is 0, but AWS takes 1 to 3"},
		{Limit{Min: 1, Max: 3}, json.Number("4"), "is 4, but AWS takes 1 to 3"},
		{Limit{Min: 1, Max: 3}, json.Number("1e99"), ""},
		{Limit{Min: 2}, 1, "is 1, but AWS takes 2 or more"},
		{Limit{Min: 2}, 1_000_000, ""},
		{Limit{Max: 3}, 4, "is 4, but AWS takes 3 at most"},
		{Limit{Max: 3}, 0, ""},
		{Limit{Max: 3, Unit: "items"}, []string{"a", "b", "c", "d"}, "has 4 items, but AWS takes 3 at most"},
		{Limit{Max: 3, Unit: "items"}, []string{"a", "b", "c"}, ""},
		{Limit{Min: 3, Max: 5, Unit: "characters"}, "äö", `"äö" has 2 characters, but AWS takes 3 to 5`},
		{Limit{Min: 3, Max: 5, Unit: "characters"}, "abcdef", `"abcdef" has 6 characters, but AWS takes 3 to 5`},
		{Limit{Max: 5, Unit: "characters", Pattern: "letters"}, "ab1", `"ab1" is not of the form letters`},
		{Limit{Max: 2, Unit: "characters", Pattern: "letters"}, "ab1", `"ab1" has 3 characters, but AWS takes 2 at most`},
		{Limit{Unit: "characters", Pattern: "letters"}, strings.Repeat("1", 50), `"` + strings.Repeat("1", 37) + `..." is not of the form letters`},
		{Limit{Max: 2, Unit: "levels"}, "/a/b/c", `"/a/b/c" has 3 levels, but AWS takes 2 at most`},
		{Limit{Max: 2, Unit: "levels"}, "/a/b", ""},
		{Limit{Max: 2}, true, ""},
	} {
		l := propertyLimit{Limit: c.limit}
		if c.limit.Pattern != "" {
			l.pattern = form
		}
		if got := l.refuses(reflect.ValueOf(c.value)); got != c.want {
			t.Errorf("%+v of %v: %s\nwant %s", c.limit, c.value, got, c.want)
		}
	}
}

// TestNoMarks: a NUL character, which marks intrinsics, is refused in every text
// that the manifest is free in.
func TestNoMarks(t *testing.T) {
	for name, set := range map[string]func(*manifest.App){
		"staging":             func(a *manifest.App) { a.Static = &manifest.Static{Staging: "a\x00"} },
		"production":          func(a *manifest.App) { a.Static = &manifest.Static{Production: "a\x00"} },
		"prefix":              func(a *manifest.App) { a.Static = &manifest.Static{Prefix: "a\x00"} },
		"proxy":               func(a *manifest.App) { a.Proxy = &manifest.Proxy{Testing: "a\x00"} },
		"proxy of staging":    func(a *manifest.App) { a.Proxy = &manifest.Proxy{Staging: "a\x00"} },
		"proxy of production": func(a *manifest.App) { a.Proxy = &manifest.Proxy{Production: "a\x00"} },
		"key":                 func(a *manifest.App) { a.Tables = []manifest.Table{{KMSKey: "a\x00"}} },
		"ttl":                 func(a *manifest.App) { a.Tables = []manifest.Table{{TTL: "a\x00"}} },
	} {
		app := &manifest.App{Name: "a"}
		c := &compiler{app: app}
		if c.checkMarks(); len(c.ds) != 0 {
			t.Fatal(c.ds)
		}
		set(app)
		if c.checkMarks(); len(c.ds) != 1 || c.ds[0].Code != "nul-character" {
			t.Errorf("%s: %v", name, c.ds)
		}
	}
}
