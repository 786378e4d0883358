package diff_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/face"
)

// hostile is in every text that a template gives.
const hostile = "\x1b[31m</pre><script>alert(1)</script>`@octocat` #1 [x](https://example.com) --> \u202e"

func hostileReview(t *testing.T) *diff.Review {
	t.Helper()
	template := func(key, route string) *cfn.Document {
		raw, err := json.Marshal(map[string]any{"Resources": map[string]any{
			"T" + hostile: map[string]any{"Type": "AWS::DynamoDB::Table", "Properties": map[string]any{"KeySchema": []any{map[string]any{"AttributeName": key + hostile, "KeyType": "HASH"}}}},
			"F":           map[string]any{"Type": "AWS::Lambda::Function", "Properties": map[string]any{"Environment": map[string]any{"Variables": map[string]any{"V" + key + hostile: "secret-value"}}}},
			"X" + key:     map[string]any{"Type": hostile},
			"Api": map[string]any{"Type": "AWS::ApiGatewayV2::Api", "Properties": map[string]any{"Body": map[string]any{"paths": map[string]any{
				route + hostile: map[string]any{"get": map[string]any{"x-amazon-apigateway-integration": map[string]any{"uri": hostile}}}}}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := cfn.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	return diff.Compose(template("a", "/a"), template("b", "/b"), diff.Options{Stack: hostile, Before: hostile, After: hostile, Cost: hostile,
		Origin: func(string) (diff.Position, bool) { return diff.Position{hostile, 1, 1, hostile}, true }})
}

// TestEscaped: no face lets a text of a template out of its place.
func TestEscaped(t *testing.T) {
	review := hostileReview(t)
	for ext, print := range faces {
		var b bytes.Buffer
		if err := print(&b, review); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if strings.Contains(text, "secret-value") {
			t.Errorf("%s shows a value of a variable", ext)
		}
		if ext != ".json" && strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%s lets control characters through", ext)
		}
		if ext == ".json" && strings.Contains(text, "\x1b") {
			t.Errorf("%s lets an escape through", ext)
		}
		switch ext {
		case ".html":
			if strings.Contains(text, "<script") || strings.Count(text, "</pre>") != strings.Count(text, "<pre>") {
				t.Errorf("%s lets markup through:\n%s", ext, text)
			}
		case ".md":
			if outsideCode := withoutCode(text); strings.Contains(outsideCode, "<script") || strings.Contains(outsideCode, "@octocat") || strings.Contains(outsideCode, "](") {
				t.Errorf("%s lets markup through:\n%s", ext, outsideCode)
			}
			if first, _, _ := strings.Cut(text, "\n"); strings.Count(first, "-->") != 1 || !strings.HasSuffix(first, " -->") {
				t.Errorf("the marker is broken: %s", first)
			}
		}
	}
}

// withoutCode drops the code spans of Markdown and the marker.
func withoutCode(text string) string {
	_, text, _ = strings.Cut(text, "\n")
	var out strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "`")
		out.WriteString(before)
		if !found {
			break
		}
		fence := "`"
		for strings.HasPrefix(rest, "`") {
			fence, rest = fence+"`", rest[1:]
		}
		for { // the same number of backticks ends it
			at := strings.Index(rest, fence)
			if at < 0 {
				return out.String() + rest
			}
			end := at + len(fence)
			if strings.HasPrefix(rest[end:], "`") {
				rest = strings.TrimLeft(rest[end:], "`")
				continue
			}
			text = rest[end:]
			break
		}
	}
	return out.String()
}

// TestMarkdownLength: however much changes, a comment fits.
func TestMarkdownLength(t *testing.T) {
	for _, n := range []int{10, 300, 3000, 20_000} {
		resources := map[string]cfn.ResourceDef{}
		for i := range n {
			resources[fmt.Sprintf("Table%d%s", i, strings.Repeat("x", 40))] = cfn.ResourceDef{Type: "AWS::DynamoDB::Table"}
			resources[fmt.Sprintf("Thing%d%s", i, strings.Repeat("<", 40))] = cfn.ResourceDef{Type: "AWS::EC2::VPC"}
			resources[fmt.Sprintf("Odd%d", i)] = cfn.ResourceDef{Type: "Acme::Odd"}
		}
		review := diff.Compose(&cfn.Document{Resources: resources}, nil, diff.Options{Stack: "big", Before: "a", After: "b", Cost: "us-east-1"})
		var b bytes.Buffer
		if err := face.Markdown(&b, review, true); err != nil {
			t.Fatal(err)
		}
		if b.Len() >= face.MaxMarkdown {
			t.Errorf("%d resources make %d bytes", 3*n, b.Len())
		}
		if !strings.HasPrefix(b.String(), "<!-- arc-diff: big -->\n") || strings.Count(b.String(), "<details>") != strings.Count(b.String(), "</details>") {
			t.Errorf("%d resources: the comment is not whole", 3*n)
		}
	}
}

// TestMarkdownOfManyRoutes: three thousand routes less and three thousand more,
// each with a name that says it in the worst way, are told with their counts: those
// that go as one item.
func TestMarkdownOfManyRoutes(t *testing.T) {
	api := func(name string) *cfn.Document {
		resources := map[string]cfn.ResourceDef{"Api": {Type: "AWS::ApiGatewayV2::Api", Properties: map[string]any{"ProtocolType": "HTTP"}}}
		for i := range 3000 {
			resources[fmt.Sprintf("%s%d", name, i)] = cfn.ResourceDef{Type: "AWS::ApiGatewayV2::Route", Properties: map[string]any{
				"ApiId": map[string]any{"Ref": "Api"}, "RouteKey": fmt.Sprintf("GET /%s%d%s", name, i, "</details>\n<!-- | ` **x** @all https://a.b"),
			}}
		}
		return &cfn.Document{Resources: resources}
	}
	before := api("old")
	before.Resources["Rows"] = cfn.ResourceDef{Type: "AWS::DynamoDB::Table"}
	var limits []string
	for i := range 2000 {
		limits = append(limits, fmt.Sprintf("part %d%s", i, strings.Repeat("é", 600)))
	}
	review := diff.Compose(before, api("new"), diff.Options{Stack: strings.Repeat("S", 3000), Before: "a", After: "b", Limits: limits})
	var b bytes.Buffer
	if err := face.Markdown(&b, review, true); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if len(text) >= face.MaxMarkdown {
		t.Errorf("%d bytes", len(text))
	}
	for _, want := range []string{"dangerous: 1 data-loss, 1 removal, 3000 public", "Routes (3001)", "3000 routes", "table Rows: its data is deleted", "resources: 3000 to add, 0 to change, 3001 to remove"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q:\n%.3000s", want, text)
		}
	}
	open := 0
	for _, line := range strings.Split(withoutCode(text), "\n") {
		open += strings.Count(line, "<details>") - strings.Count(line, "</details>")
		if open < 0 || open > 1 {
			t.Fatalf("<details> is not closed in turn: %s", line)
		}
	}
	if open != 0 || strings.Index(text, "dangerous") > strings.Index(text, "<details>") {
		t.Error("the verdict is not first, or something stays open")
	}
}

// FuzzCompose: whatever two templates hold, a review of them can be printed,
// and a template does not differ from itself.
func FuzzCompose(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		parts := strings.Split(string(data), "\n-- ")
		f.Add(strings.SplitAfterN(parts[1], "\n", 2)[1], strings.SplitAfterN(parts[2], "\n", 2)[1])
	}
	f.Add(`{"Resources":{"A":{"Type":"AWS::IAM::Role","Properties":{"Policies":[{"PolicyDocument":{"Statement":{"Effect":"Allow","Action":"*","Resource":{"Fn::Sub":"${A}${"}}}}]}}}}`,
		`{"Resources":{"A":{"Type":"AWS::CloudFormation::Stack","Properties":{"Parameters":{"X":{"Fn::GetAtt":["A","Outputs.Y"]}}}}},"Outputs":{"Y":{"Value":{"Ref":"X"}}}}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		before, errA := cfn.Parse([]byte(a))
		after, errB := cfn.Parse([]byte(b))
		if errA != nil || errB != nil {
			return
		}
		flat, _, err := compare.Flatten(after, func(path string, _ cfn.ResourceDef) (*cfn.Document, error) { return before, nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range []*cfn.Document{after, flat} {
			review := diff.Compose(before, doc, diff.Options{Now: time.Unix(0, 0).UTC(), Cost: "us-east-1"})
			for _, print := range faces {
				if err := print(&bytes.Buffer{}, review); err != nil {
					t.Fatal(err)
				}
			}
		}
		if same := diff.Compose(before, before, diff.Options{}); same.Verdict != diff.NoChanges {
			t.Fatalf("a template differs from itself: %v", same.Groups)
		}
	})
}
