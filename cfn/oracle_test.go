package cfn

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"arc/cfn/registry"
	"arc/manifest"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/sync/errgroup"
)

const (
	oracleDir       = "../../shared/oracle"
	originalRelease = "@architect/architect@11.3.0"
)

// TestOriginal compares our templates with those of Architect itself, expanded
// to plain CloudFormation by AWS's own translator. What differs must be a line
// of docs/differences.md. It runs where ARC_ORACLE is set: to a folder that has
// Architect in node_modules, or to 1 to have npm install it.
func TestOriginal(t *testing.T) {
	peer := originalArchitect(t)
	allowed := allowedDifferences(t)
	cases := originalCases(t)
	templates := originalTemplates(t, peer, cases)
	tally := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		theirs := templates[name]
		if theirs == nil {
			t.Logf("%s: Architect refuses it", name)
			tally["refused by Architect"]++
			continue
		}
		tally["compared"]++
		ours := ourTemplate(t, cases[name])
		if ours == nil {
			tally["refused by arc"]++
			continue
		}
		for _, line := range replaced(theirs, ours) {
			t.Errorf("%s: %s", name, line)
		}
		for _, line := range differences(factsOf(theirs), factsOf(ours)) {
			if pattern := allowed.match(line); pattern != "" {
				tally["allowed: "+pattern]++
				continue
			}
			tally["not allowed"]++
			t.Errorf("%s: not in docs/differences.md: %s", name, line)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("%5d %s", tally[what], what)
	}
	for _, pattern := range allowed {
		if tally["allowed: "+pattern.text] == 0 {
			t.Errorf("docs/differences.md allows %q, which nothing needs", pattern.text)
		}
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

// originalCases gives the files of every project that is compared.
func originalCases(t *testing.T) map[string]fstest.MapFS {
	cases := map[string]fstest.MapFS{}
	for _, file := range caseFiles(t) {
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

// expand is Python that expands SAM templates in place, all in one process.
const expand = `
import json, sys
sys.path.insert(0, sys.argv[1])
import sam2cfn
for path in sys.argv[2:]:
    template = sam2cfn.expand(sam2cfn.load(path))
    with open(path, "w") as f:
        json.dump(template, f)
`

// originalTemplates gives Architect's plain template of each case; nil where
// it refuses the manifest.
func originalTemplates(t *testing.T, peer string, cases map[string]fstest.MapFS) map[string]*Document {
	dir := t.TempDir()
	paths := map[string]string{}
	var group errgroup.Group
	group.SetLimit(2)
	for name, files := range cases {
		project := filepath.Join(dir, name)
		paths[name] = project + ".json"
		group.Go(func() error {
			if err := os.CopyFS(project, files); err != nil {
				return err
			}
			cmd := exec.Command("node", filepath.Join(oracleDir, "archpkg.js"), project, "--peer", peer, "--region", "us-east-1")
			out, err := cmd.Output()
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == 3 {
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: archpkg: %w", name, err)
			}
			return os.WriteFile(project+".json", out, 0o644)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", expand, oracleDir}
	for name, path := range paths {
		if _, err := os.Stat(path); err != nil {
			delete(paths, name)
			continue
		}
		args = append(args, path)
	}
	if out, err := exec.Command("python3", args...).CombinedOutput(); err != nil {
		t.Fatalf("sam2cfn: %v\n%s", err, out)
	}
	templates := map[string]*Document{}
	for name, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if templates[name], err = Parse(body); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return templates
}

func ourTemplate(t *testing.T, files fstest.MapFS) *Document {
	result := manifest.Load(files, manifest.Options{Region: "us-east-1"})
	if result.Diagnostics.HasErrors() {
		t.Fatal(result.Diagnostics)
	}
	stack, ds := Compile(result.App, Options{Stage: "staging", Code: func(f *manifest.Function) string { return f.Dir + ".zip" }})
	if stack == nil {
		t.Log(ds) // an error of a case that is about errors
		return nil
	}
	body, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// kept are the types of which an existing stack may lose none.
var kept = []string{"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue"}

// replaced lists what an update from one template to the other would remove or
// replace of the kept types.
func replaced(from, to *Document) []string {
	var lines []string
	for id, old := range from.Resources {
		if !slices.Contains(kept, old.Type) {
			continue
		}
		now, ok := to.Resources[id]
		if !ok || now.Type != old.Type {
			lines = append(lines, fmt.Sprintf("%s %s is removed", old.Type, id))
			continue
		}
		for property := range allKeys(old.Properties, now.Properties) {
			a, b := plain(old.Properties[property]), plain(now.Properties[property])
			if a != b && registry.UpdateOf(old.Type, property) == registry.Replacement {
				lines = append(lines, fmt.Sprintf("%s %s is replaced: %s %s → %s", old.Type, id, property, a, b))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func allKeys(a, b map[string]any) map[string]bool {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return keys
}

// plain writes a value with its intrinsics resolved alike for both templates.
func plain(v any) string {
	if v == nil {
		return ""
	}
	resolved, err := Eval(v, Scope{
		Ref: func(name string) (any, error) {
			if known, ok := map[string]string{"AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT", "AWS::Partition": "aws", "AWS::StackName": "STACK", "AWS::URLSuffix": "amazonaws.com"}[name]; ok {
				return known, nil
			}
			if fn, ok := strings.CutSuffix(name, "Aliaslive"); ok {
				return "<" + fn + ".Arn>:live", nil
			}
			return "<" + name + ">", nil
		},
		GetAtt: func(resource, attribute string) (any, error) {
			switch {
			case resource == "HTTP" && attribute == "ApiEndpoint":
				return "https://<HTTP>.execute-api.REGION.amazonaws.com", nil
			case resource == "WS" && attribute == "ApiEndpoint":
				return "wss://<WS>.execute-api.REGION.amazonaws.com", nil
			}
			return "<" + resource + "." + attribute + ">", nil
		},
	})
	if err != nil {
		return err.Error()
	}
	if s, ok := resolved.(string); ok {
		return s
	}
	return string(encode(resolved))
}

// differences lists the facts that are not the same, one line each.
func differences(theirs, ours map[string]string) []string {
	var lines []string
	for key := range theirs {
		if ours[key] != theirs[key] {
			lines = append(lines, fmt.Sprintf("%s: %s → %s", key, theirs[key], ours[key]))
		}
	}
	for key := range ours {
		if _, ok := theirs[key]; !ok {
			lines = append(lines, fmt.Sprintf("%s:  → %s", key, ours[key]))
		}
	}
	slices.Sort(lines)
	return lines
}

// factsOf writes down what a template says that a user of the app can notice.
func factsOf(doc *Document) map[string]string {
	facts := map[string]string{}
	for id, r := range doc.Resources {
		switch r.Type {
		case "AWS::Lambda::Function":
			functionFacts(facts, id, r)
		case "AWS::ApiGatewayV2::Api":
			apiFacts(facts, id, r)
		case "AWS::SSM::Parameter":
			facts["parameter "+plain(r.Properties["Name"])] = plain(r.Properties["Value"])
		case "AWS::Lambda::Permission":
			facts["invoke "+plain(r.Properties["FunctionName"])+" by "+plain(r.Properties["Principal"])] = plain(r.Properties["SourceArn"])
		case "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::Logs::LogGroup":
			facts[r.Type+" "+id] = "there" // least privilege is tested by itself
		default:
			for property := range r.Properties {
				facts[r.Type+" "+id+" "+property] = plain(r.Properties[property])
			}
			if len(r.Properties) == 0 {
				facts[r.Type+" "+id] = "there"
			}
		}
	}
	for name, out := range doc.Outputs {
		facts["output "+name] = plain(out.Value)
	}
	return facts
}

func functionFacts(facts map[string]string, id string, r ResourceDef) {
	for property, v := range r.Properties {
		key := "function " + id + " " + property
		switch property {
		case "Environment":
			variables, _ := v.(map[string]any)["Variables"].(map[string]any)
			for name, value := range variables {
				facts["function "+id+" variable "+name] = strings.Trim(plain(value), `"`)
			}
		case "Code":
			// Ours lies below the stage's folder, which no fact of the code's is.
			facts[key] = strings.TrimPrefix(plain(v.(map[string]any)["S3Key"]), "staging/")
		case "Role":
			facts[key] = "its own"
			if text := plain(v); strings.Contains(text, "<Role>") || text == "<Role.Arn>" {
				facts[key] = "the shared one"
			}
		case "Tags":
		default:
			facts[key] = plain(v)
		}
	}
}

func apiFacts(facts map[string]string, id string, r ResourceDef) {
	for property, v := range r.Properties {
		if property != "Body" {
			facts["api "+id+" "+property] = plain(v)
		}
	}
	body, _ := r.Properties["Body"].(map[string]any)
	paths, _ := body["paths"].(map[string]any)
	for path, methods := range paths {
		for method, operation := range methods.(map[string]any) {
			i, _ := operation.(map[string]any)["x-amazon-apigateway-integration"].(map[string]any)
			for property, v := range i {
				facts["route "+strings.TrimPrefix(method, "x-amazon-apigateway-")+" "+path+" "+property] = plain(v)
			}
		}
	}
}

// allowance is one pattern of docs/differences.md: a line of differences, with
// * for any text.
type allowance struct {
	text string
	*regexp.Regexp
}

type allowances []allowance

func (as allowances) match(line string) string {
	for _, a := range as {
		if a.MatchString(line) {
			return a.text
		}
	}
	return ""
}

// allowedDifferences reads the comments <!-- allow: … --> of docs/differences.md.
func allowedDifferences(t *testing.T) allowances {
	doc, err := os.ReadFile("../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	var list allowances
	for _, m := range regexp.MustCompile(`<!-- allow: (.*?) -->`).FindAllSubmatch(doc, -1) {
		text := string(m[1])
		if text == "none" { // shows in no template's facts
			continue
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`)
		list = append(list, allowance{text, regexp.MustCompile("(?s)^" + pattern + "$")})
	}
	return list
}
