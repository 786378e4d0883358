package diff_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/face"
	"arc/cfn/registry"
	"arc/manifest"
)

// largeApp compiles an app of so many routes and tables, reading nested stacks
// through. What an HTTP API would not take are schedules.
func largeApp(t testing.TB, routes int, more string) *cfn.Document {
	t.Helper()
	var b strings.Builder
	b.WriteString("@app\nlarge\n@http\nget /\n")
	for i := range min(routes, 280) {
		fmt.Fprintf(&b, "get /r%d\n", i)
	}
	b.WriteString(more)
	b.WriteString("@scheduled\n")
	for i := 280; i < routes; i++ {
		fmt.Fprintf(&b, "job%d rate(1 day)\n", i)
	}
	b.WriteString("@tables\n")
	for i := range routes/50 + 1 {
		fmt.Fprintf(&b, "table%d\n  id *String\n", i)
	}
	result := manifest.Load(fstest.MapFS{"app.arc": {Data: []byte(b.String())}}, manifest.Options{Region: "us-east-1"})
	if result.App == nil || result.Diagnostics.HasErrors() {
		t.Fatal(result.Diagnostics)
	}
	stack, ds := cfn.Compile(result.App, cfn.Options{Stage: "staging"})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	body, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := cfn.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, p := range stack.Parts {
		parts[p.LogicalID] = p.Body
	}
	flat, unread, err := compare.Flatten(doc, func(path string, _ cfn.ResourceDef) (*cfn.Document, error) { return cfn.Parse(parts[path]) })
	if err != nil || len(unread) > 0 {
		t.Fatal(unread, err)
	}
	return flat
}

// TestNested: of two split stacks of which one has a route more, only that
// route differs, as if they were whole.
func TestNested(t *testing.T) {
	before, after := largeApp(t, 250, ""), largeApp(t, 250, "get /more\n")
	if len(before.Resources) < 450 {
		t.Fatalf("%d resources are not split", len(before.Resources))
	}
	for id, def := range before.Resources {
		if def.Type == registry.CloudFormationStack {
			t.Errorf("%s was not read through", id)
		}
	}
	review := diff.Compose(before, after, diff.Options{})
	var b strings.Builder
	if err := face.Text(&b, review, face.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	const want = `Routes
  + get /more: to the function GetMoreHTTPLambda

Functions
  + @http get /more
      nodejs22.x, 1152 MB, 5 s

Exposure
  + get /more: is public and asks nobody who they are

resources: 3 to add, 1 to change, 0 to remove
safe: 1 public
`
	if b.String() != want {
		t.Error(b.String())
	}
}

// TestMoved: what goes to another nested stack is made anew there.
func TestMoved(t *testing.T) {
	parse := func(text string) *cfn.Document {
		doc, err := cfn.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	flat := func(root, part string) *cfn.Document {
		doc, _, err := compare.Flatten(parse(root), func(string, cfn.ResourceDef) (*cfn.Document, error) { return parse(part), nil })
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	table := `{Type: AWS::DynamoDB::Table, Properties: {KeySchema: [{AttributeName: id, KeyType: HASH}], TableName: !Ref Name}}`
	before := flat("Resources: {Users: "+strings.Replace(table, "!Ref Name", "!Sub '${AWS::StackName}-u'", 1)+"}", "")
	after := flat("Resources: {Part: {Type: AWS::CloudFormation::Stack, Properties: {Parameters: {Name: !Sub '${AWS::StackName}-u'}}}}",
		"Resources: {Users: "+table+"}")
	review := diff.Compose(before, after, diff.Options{})
	if got, want := verdictOf(review), "dangerous: data-loss, refused\nUsers: replacement, loss, refused"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func BenchmarkReview(b *testing.B) {
	for _, routes := range []int{60, 600} { // about 200 and 2,000 resources
		before, after := largeApp(b, routes, ""), largeApp(b, routes, "get /more\n@events\nping\n")
		for name, region := range map[string]string{"": "", "-cost": "us-east-1"} {
			b.Run(fmt.Sprintf("%d-resources%s", len(after.Resources)/100*100, name), func(b *testing.B) {
				for b.Loop() {
					review := diff.Compose(before, after, diff.Options{Cost: region})
					if err := face.Text(io.Discard, review, face.TextOptions{}); err != nil || review.Verdict != diff.Safe {
						b.Fatal(review.Headline(), err)
					}
				}
			})
		}
	}
}
