package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"arc/cfn"
	"arc/manifest"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/sync/errgroup"
)

const (
	oracleDir       = "../../../shared/oracle"
	originalRelease = "@architect/architect@11.3.0"
)

// TestOriginal compares our templates with those of Architect itself, expanded
// to plain CloudFormation by AWS's own translator. What differs must be a line
// of docs/differences.md. It runs where ARC_ORACLE is set: to a folder that has
// Architect in node_modules, or to 1 to have npm install it.
func TestOriginal(t *testing.T) {
	peer := originalArchitect(t)
	c := comparison{allowed: allowedDifferences(t), tally: map[string]int{}}
	cases := originalCases(t)
	packager := []string{filepath.Join(oracleDir, "archpkg.js")}
	templates := originalTemplates(t, projects(t, cases), packager, "--peer", peer, "--region", "us-east-1")
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c.compare(t, name, parsed(t, templates[name]), ourTemplate(t, cases[name]))
	}
	plugged := pluginCases(t)
	renewOriginals(t, peer, plugged)
	for _, name := range slices.Sorted(maps.Keys(plugged)) {
		c.compare(t, name, plugged[name].original(t), plugged[name].ours(t))
	}
	for _, what := range slices.Sorted(maps.Keys(c.tally)) {
		t.Logf("%5d %s", c.tally[what], what)
	}
	for _, pattern := range c.allowed {
		if c.tally["allowed: "+pattern.text] == 0 {
			t.Errorf("docs/differences.md allows %q, which nothing needs", pattern.text)
		}
	}
}

// comparison counts what differs between templates of Architect and ours.
type comparison struct {
	allowed allowances
	tally   map[string]int
}

// compare reports what differs and no line of docs/differences.md allows. A
// template is nil where its maker refuses the manifest.
func (c comparison) compare(t *testing.T, name string, theirs, ours *cfn.Document) {
	switch {
	case theirs == nil:
		t.Logf("%s: Architect refuses it", name)
		c.tally["refused by Architect"]++
		return
	case ours == nil:
		c.tally["compared"]++
		c.tally["refused by arc"]++
		return
	}
	c.tally["compared"]++
	for _, line := range replaced(theirs, ours) {
		t.Errorf("%s: %s", name, line)
	}
	for _, line := range differences(factsOf(theirs), factsOf(ours)) {
		if pattern := c.allowed.match(line); pattern != "" {
			c.tally["allowed: "+pattern]++
			continue
		}
		c.tally["not allowed"]++
		t.Errorf("%s: not in docs/differences.md: %s", name, line)
	}
}

// originalArchitect gives a folder that has Architect in node_modules.
func originalArchitect(t *testing.T) string {
	peer := os.Getenv("ARC_ORACLE")
	if peer == "" {
		t.Skip("ARC_ORACLE is not set; make oracle sets it")
	}
	if _, err := os.Stat(oracleDir); err != nil {
		t.Skip("the oracle's scripts are not there: ../shared/oracle")
	}
	for _, tool := range []string{"node", "npm", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing", tool)
		}
	}
	if peer != "1" {
		return peer
	}
	peer = t.TempDir()
	cmd := exec.Command("npm", "install", "--prefix", peer, "--no-audit", "--no-fund", originalRelease)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm install %s: %v\n%s", originalRelease, err, out)
	}
	return peer
}

// originalCases gives the files of every project without plugins that is
// compared: those of the compiler's own tests.
func originalCases(t *testing.T) map[string]fstest.MapFS {
	cases := map[string]fstest.MapFS{}
	var files []string
	for _, pattern := range []string{"templates", "apps"} {
		found, err := filepath.Glob("../../cfn/testdata/" + pattern + "/*.txtar")
		if err != nil || len(found) == 0 {
			t.Fatalf("no cases: %v", err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The packager has no --name, and the original compared is 11.
		if bytes.Contains(ar.Comment, []byte("\nname ")) || bytes.Contains(ar.Comment, []byte("Architect 12")) {
			continue
		}
		project := fstest.MapFS{}
		for _, f := range ar.Files {
			if !strings.HasPrefix(f.Name, "want/") {
				project[f.Name] = &fstest.MapFile{Data: f.Data}
			}
		}
		cases[strings.TrimSuffix(filepath.Base(file), ".txtar")] = project
	}
	return cases
}

// expandSAM is Python that expands SAM templates in place, all in one process.
const expandSAM = `
import json, sys
sys.path.insert(0, sys.argv[1])
import sam2cfn
for path in sys.argv[2:]:
    template = sam2cfn.expand(sam2cfn.load(path))
    with open(path, "w") as f:
        json.dump(template, f)
`

// projects lays the files of cases out, and gives the folder of each.
func projects(t *testing.T, cases map[string]fstest.MapFS) map[string]string {
	dir := t.TempDir()
	folders := map[string]string{}
	for name, files := range cases {
		folders[name] = filepath.Join(dir, name)
		if err := os.CopyFS(folders[name], files); err != nil {
			t.Fatal(err)
		}
	}
	return folders
}

// originalTemplates gives Architect's plain template of the project in each
// folder; none where it refuses the manifest. script prints its SAM template, and
// gets the folder with arguments after it.
func originalTemplates(t *testing.T, folders map[string]string, script []string, arguments ...string) map[string][]byte {
	dir := t.TempDir()
	var group errgroup.Group
	group.SetLimit(2)
	for name, project := range folders {
		group.Go(func() error {
			cmd := exec.Command("node", slices.Concat(script, []string{project}, arguments)...)
			out, err := cmd.Output()
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == 3 {
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: Architect's package: %w", name, err)
			}
			return os.WriteFile(filepath.Join(dir, name+".json"), out, 0o644)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	made, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("python3", append([]string{"-c", expandSAM, oracleDir}, made...)...).CombinedOutput(); err != nil {
		t.Fatalf("sam2cfn: %v\n%s", err, out)
	}
	templates := map[string][]byte{}
	for _, file := range made {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		templates[strings.TrimSuffix(filepath.Base(file), ".json")] = body
	}
	return templates
}

func ourTemplate(t *testing.T, files fstest.MapFS) *cfn.Document {
	result := manifest.Load(files, manifest.Options{Region: "us-east-1"})
	if result.Diagnostics.HasErrors() {
		t.Fatal(result.Diagnostics)
	}
	stack, ds := cfn.Compile(result.App, cfn.Options{Stage: "staging", Code: func(f *manifest.Function) string { return f.Dir + ".zip" }})
	if stack == nil {
		t.Log(ds) // an error of a case that is about errors
		return nil
	}
	return ofStack(t, stack)
}

// ofStack is the template of a stack, read back.
func ofStack(t *testing.T, stack *cfn.Stack) *cfn.Document {
	t.Helper()
	body, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, body)
}

// parsed is a template that was made; nil = none was.
func parsed(t *testing.T, body []byte) *cfn.Document {
	t.Helper()
	if body == nil {
		return nil
	}
	doc, err := cfn.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
