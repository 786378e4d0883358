package cfn

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestEval reads testdata/eval/*.txtar: a template (template.json or
// template.yaml) whose resources' properties are evaluated, and the result.
func TestEval(t *testing.T) {
	files, err := filepath.Glob("testdata/eval/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := evalTemplate(ar.Files[0].Data)
			if *update {
				ar.Files = append(ar.Files[:1], txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(ar.Files[1].Data), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func evalTemplate(data []byte) string {
	doc, err := Parse(data)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	scope := Scope{
		Mappings:   doc.Mappings,
		Conditions: doc.Conditions,
		Ref: func(name string) (any, error) {
			if p, ok := doc.Parameters[name]; ok {
				return p.Default, nil
			}
			if name == "AWS::Region" {
				return "us-west-2", nil
			}
			if _, ok := doc.Resources[name]; ok {
				return "physical-" + name, nil
			}
			return nil, errors.New("there is no " + name)
		},
		GetAtt: func(id, attr string) (any, error) { return id + "/" + attr, nil },
		Import: func(name string) (any, error) { return "imported-" + name, nil },
	}
	out := map[string]any{}
	for id, r := range doc.Resources {
		v, err := Eval(r.Properties, scope)
		if err != nil {
			v = "error: " + err.Error()
		}
		out[id] = map[string]any{"properties": v, "references": References(r.Properties)}
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text) + "\n"
}

// FuzzDocument feeds arbitrary text to the reader and the evaluator: neither
// may panic or run away.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"Resources":{"A":{"Type":"T","Properties":{"x":{"Fn::Sub":"${A.b}-${!c}"}}}}}`))
	f.Add([]byte("Resources:\n  A:\n    Type: T\n    Properties: {x: !GetAtt A.B, y: !Join ['', [a, !Ref B]]}\n"))
	f.Add([]byte("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		evalTemplate(data)
	})
}
