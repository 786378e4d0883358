package deploy

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/manifest"
)

// beyond are the cases that cannot be shown so, and why.
var beyond = map[string]string{
	"condition-same":        "the stack knows the condition's parameter; a template has its default only, so diff takes no chance",
	"condition-region":      "the stack knows its region, which diff does not",
	"name-of-one-level":     "the stack has its parameter's default, and the name that changes is that of another value",
	"condition-of-ssm":      "the template reads a parameter of SSM that is not there",
	"condition-unknown-new": "the stack knows its region, which diff does not",
	"snapshot-policy":       "the engine has no databases, of which CloudFormation takes a snapshot by itself",
	"stack-removed":         "the nested template is nowhere to be had",
	"first-deploy-open":     "nothing is deployed",
	"include-macro":         "only CloudFormation runs macros",
	"cdk-code":              "the template reads a parameter of SSM that CDK makes",
	"cdk-metadata":          "the template reads a parameter of SSM that CDK makes",
	"cdk-construct-moved":   "the template reads a parameter of SSM that CDK makes",
	"role-name":             "arc gives no deploy the capability to name roles",
	"role-path-named":       "arc gives no deploy the capability to name roles",
}

// TestRefusesWhatDiffCallsDataLoss reads arc diff's corpus of verdicts. Each
// case is deployed to the local cloud's stack engine, and what the deployment
// refuses must be what the review says of data: what is lost, or replaced by
// an empty one. What CloudFormation would refuse anyway is left out: the engine
// knows nothing of it.
func TestRefusesWhatDiffCallsDataLoss(t *testing.T) {
	files, err := filepath.Glob("../cfn/diff/testdata/verdicts/*.txtar")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	templates, err := filepath.Glob("../cfn/diff/testdata/templates/*.txtar")
	if err != nil || len(templates) < 100 {
		t.Fatalf("%d cases of templates: %v", len(templates), err)
	}
	files = append(files, templates...)
	for _, file := range files {
		if beyond[strings.TrimSuffix(filepath.Base(file), ".txtar")] != "" {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, after := templateOf(t, ar, "before"), templateOf(t, ar, "after")
			if before == nil {
				return // nothing is deployed, so nothing can be lost
			}
			old, new := parseOrEmpty(before), parseOrEmpty(after)
			if old.Transform != nil || new.Transform != nil {
				return // only CloudFormation itself runs macros
			}
			lost, refused := dataChanges(old, new)
			cloud := engineFor(t, old, new)
			if _, err := cloud.deploy(t, deploymentOf(before)); err != nil {
				t.Fatal(err)
			}
			var got []string
			var loss *LossError
			_, err = cloud.deploy(t, deploymentOf(after))
			if errors.As(err, &loss) {
				for _, l := range loss.Losses {
					got = append(got, l.LogicalID)
				}
			} else if err != nil && len(refused) == 0 {
				t.Fatal(err)
			}
			got = slices.DeleteFunc(got, func(id string) bool { return slices.Contains(refused, id) })
			if d := cmp.Diff(lost, got); !slices.Equal(lost, got) {
				t.Errorf("-what diff says +what deploy refuses\n%s", d)
			}
		})
	}
}

// dataChanges lists the resources whose data a review says to be in danger,
// and those that it says CloudFormation will refuse to change.
func dataChanges(before, after *cfn.Document) (lost, refused []string) {
	for _, c := range diff.Compose(before, after, diff.Options{}).Changes {
		switch {
		case c.Refused != "":
			refused = append(refused, c.LogicalID)
		case c.Loses():
			lost = append(lost, c.LogicalID)
		}
	}
	return lost, refused
}

func deploymentOf(template []byte) Deployment {
	const mark = `{"arc": {"app": "verdict", "stage": "staging"}}`
	switch text := bytes.TrimSpace(template); {
	case bytes.Contains(text, []byte("Metadata\": {\n    \"arc")):
	case text[0] == '{':
		template = append([]byte(`{"Metadata": `+mark+`,`), text[1:]...)
	default:
		template = append([]byte("Metadata: "+mark+"\n"), template...)
	}
	d := Deployment{App: "verdict", Stage: "staging", StackName: "VerdictStaging", Template: template, Parameters: map[string]string{}}
	for name, def := range parseOrEmpty(template).Parameters {
		if def.Default == nil && name != cfn.ArtifactBucketParameter {
			d.Parameters[name] = "x"
		}
	}
	return d
}

// templateOf gives one side of a case: its template, or that of its project.
func templateOf(t *testing.T, ar *txtar.Archive, side string) []byte {
	t.Helper()
	files := fstest.MapFS{}
	for _, f := range ar.Files {
		if f.Name == side+".yaml" || f.Name == side+".json" {
			return f.Data
		}
		if name, ok := strings.CutPrefix(f.Name, side+"/"); ok {
			files[name] = &fstest.MapFile{Data: f.Data}
		}
	}
	if len(files) == 0 {
		return nil
	}
	stage := "staging"
	if _, name, ok := strings.Cut(string(ar.Comment), "\nstage "); ok {
		stage, _, _ = strings.Cut(name, "\n")
	}
	result := manifest.Load(files, manifest.Options{Region: "us-east-1"})
	compiled, ds := cfn.Compile(result.App, cfn.Options{Stage: stage, Code: func(fn *manifest.Function) string { return "code.zip" }})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	body, err := compiled.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// engineFor is a local cloud that pretends to make all that two templates hold.
func engineFor(t *testing.T, documents ...*cfn.Document) *localCloud {
	t.Helper()
	var types []string
	for _, doc := range documents {
		for _, def := range doc.Resources {
			types = append(types, def.Type)
		}
	}
	cloud := newLocalCloud(t, types...)
	cloud.anyCode, cloud.resourceTime = true, 0
	return cloud
}
