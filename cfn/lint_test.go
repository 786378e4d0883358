package cfn

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestLint runs cfn-lint over all golden templates in one process. It finds
// what is wrong by the public resource schemas; rules_test.go has what it does
// not find.
func TestLint(t *testing.T) {
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("cfn-lint is missing; install it with pip")
		}
		t.Skip("cfn-lint is not installed")
	}
	args := []string{"--regions", "us-east-1", "--format", "parseable"}
	templates := goldenTemplates(t)
	maps.Copy(templates, splitTemplates(t))
	for name, template := range templates {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, template, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	if out, err := exec.Command(lint, args...).CombinedOutput(); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
}

// splitTemplates gives the root and the parts of an app that is split.
func splitTemplates(t *testing.T) map[string][]byte {
	t.Helper()
	stack, ds := Compile(fullApp(160), Options{Stage: "production", Env: []string{"SECRET_KEY"}})
	if stack == nil || len(stack.Parts) == 0 {
		t.Fatalf("not split: %v", ds)
	}
	root, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	templates := map[string][]byte{"split.json": root}
	for _, part := range stack.Parts {
		templates["split-"+part.LogicalID+".json"] = part.Body
	}
	return templates
}

// goldenTemplates gives every golden template by a file name.
func goldenTemplates(t *testing.T) map[string][]byte {
	t.Helper()
	templates := map[string][]byte{}
	for _, file := range caseFiles(t) {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if stage, ok := strings.CutPrefix(f.Name, "want/"); ok && strings.HasSuffix(stage, ".json") {
				templates[strings.TrimSuffix(filepath.Base(file), ".txtar")+"-"+strings.ReplaceAll(stage, "/", "-")] = f.Data
			}
		}
	}
	return templates
}
