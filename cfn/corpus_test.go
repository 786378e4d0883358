package cfn

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"arc/manifest"
	"arc/manifest/syntax"
)

const corpusDir = "../../shared/corpus"

// TestCorpus compiles the real manifests of the corpus, and finds in our
// template each resource that Architect's had and that a stack may not lose,
// under its logical ID.
func TestCorpus(t *testing.T) {
	facts, err := os.Open(filepath.Join(corpusDir, "facts.jsonl"))
	if err != nil {
		t.Skip("the corpus is not there: ../shared/corpus")
	}
	defer facts.Close()
	lines := bufio.NewScanner(facts)
	lines.Buffer(nil, 16<<20)
	compiled, refused, resources := 0, 0, 0
	for lines.Scan() {
		var c struct {
			File string
			Kind string
			Bare struct {
				OK    bool
				Facts struct{ CFNResources map[string]string }
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Kind != "manifest" || !c.Bare.OK {
			continue
		}
		src, err := os.ReadFile(filepath.Join(corpusDir, c.File))
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(filepath.Base(c.File), "__")
		result := manifest.Load(fstest.MapFS{name: {Data: src}}, manifest.Options{})
		if result.App == nil || !pluginsAside(result.Diagnostics) {
			refused++ // a TRAP: the manifest's own test counts them
			continue
		}
		stack, ds := Compile(result.App, Options{Stage: "staging"})
		if stack == nil {
			t.Errorf("%s: %v", c.File, ds)
			continue
		}
		if _, err := stack.Template.JSON(); err != nil {
			t.Errorf("%s: %v", c.File, err)
		}
		compiled++
		for id, theirs := range c.Bare.Facts.CFNResources {
			want := plainType(theirs)
			if want == "" {
				continue
			}
			resources++
			if got := stack.Template.Resources[id]; got == nil || got.AWSCloudFormationType() != want {
				t.Errorf("%s: %s %s is not there", c.File, theirs, id)
			}
		}
	}
	t.Logf("%d manifests compiled, %d refused, %d resources found under their logical IDs", compiled, refused, resources)
}

// pluginsAside reports whether nothing is wrong but runtimes that
// come from plugins: the corpus was made with plugins that do nothing.
func pluginsAside(ds syntax.Diagnostics) bool {
	return !slices.ContainsFunc(ds, func(d syntax.Diagnostic) bool {
		return d.Severity == syntax.Error && d.Code != "runtime"
	})
}

// kept are the types of which an existing stack may lose none.
var kept = []string{"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue"}

// plainType is what SAM makes of a type; "" for types that a stack may lose.
func plainType(sam string) string {
	switch sam {
	case "AWS::Serverless::Function":
		return "AWS::Lambda::Function"
	case "AWS::Serverless::HttpApi":
		return "AWS::ApiGatewayV2::Api"
	}
	for _, typ := range append(kept, "AWS::SSM::Parameter", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration") {
		if typ == sam {
			return typ
		}
	}
	return ""
}
