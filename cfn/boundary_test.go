package cfn

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"arc/manifest"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestEveryRoleIsBounded: with a boundary, no role of any template is without
// it, in nested stacks neither, and none stands outside of its stack's folder.
func TestEveryRoleIsBounded(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:policy/limits"
	roles, policies, nested := 0, 0, 0
	check := func(name string, app *manifest.App, stage string) {
		app.AWS.Boundary = arn
		stack, ds := Compile(app, Options{Stage: stage, Name: "seven"})
		if ds.HasErrors() {
			return // the case is about mistakes
		}
		root, err := stack.Template.JSON()
		if err != nil {
			t.Fatal(err)
		}
		for i, body := range append([][]byte{root}, bodies(stack.Parts)...) {
			doc, err := Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			for id, r := range doc.Resources {
				if r.Type != "AWS::IAM::Role" && r.Type != "AWS::IAM::ManagedPolicy" {
					continue
				}
				if path := fmt.Sprint(r.Properties["Path"]); path != "map[Fn::Sub:/arc/${AWS::StackName}/]" && path != "map[Fn::Sub:/arc/${RootStackName}/]" {
					t.Errorf("%s, %s: %s stands in %s", name, stage, id, path)
				}
				if r.Type == "AWS::IAM::ManagedPolicy" {
					policies++
					continue
				}
				roles++
				if i > 0 {
					nested++
				}
				if got := r.Properties["PermissionsBoundary"]; got != arn {
					t.Errorf("%s, %s: %s has the boundary %v", name, stage, id, got)
				}
			}
		}
	}
	for _, file := range caseFiles(t) {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, stage := range []string{"preview", "staging", "production"} {
			app, _ := loadCase(t, ar)
			check(filepath.Base(file), app, stage)
		}
	}
	var large strings.Builder
	large.WriteString("@app\nlarge\n@http\n")
	files := fstest.MapFS{}
	for i := range 280 {
		fmt.Fprintf(&large, "get /route%d\n", i)
		files[fmt.Sprintf("src/http/get-route%d/config.arc", i)] = &fstest.MapFile{Data: []byte("@uses\n")}
	}
	large.WriteString("@scheduled\n")
	for i := range 220 {
		fmt.Fprintf(&large, "job%d rate(1 day)\n", i)
		files[fmt.Sprintf("src/scheduled/job%d/config.arc", i)] = &fstest.MapFile{Data: []byte("@uses\n")}
	}
	files["app.arc"] = &fstest.MapFile{Data: []byte(large.String())}
	check("a large app", manifest.Load(files, manifest.Options{}).App, "staging")
	if roles < 100 || policies == 0 || nested == 0 {
		t.Errorf("%d roles (%d of them in nested stacks) and %d policies were looked at", roles, nested, policies)
	}
}

func bodies(parts []Part) [][]byte {
	var list [][]byte
	for _, p := range parts {
		list = append(list, p.Body)
	}
	return list
}
