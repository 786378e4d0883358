package diff_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"arc/cfn"
	"arc/cfn/diff"
)

// TestRisksOfFunctions: a function that gets its name from a resource that is
// replaced is replaced as well. It is told by itself, and never among others that
// change alike, be anything of its own different or not.
func TestRisksOfFunctions(t *testing.T) {
	of := func(group, memory string) *cfn.Document {
		function := func(more string) string {
			return `{"Type":"AWS::Lambda::Function","Properties":{"MemorySize":` + memory + `,"Code":{"ZipFile":"x"}` + more + `}}`
		}
		named := function(`,"FunctionName":{"Ref":"Named"}`)
		doc, err := cfn.Parse([]byte(`{"Resources":{"A":` + function("") + `,"B":` + named + `,"C":` + function("") + `,"D":` + named +
			`,"Named":{"Type":"AWS::Logs::LogGroup","Properties":{"LogGroupName":"` + group + `"}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	for memory, want := range map[string]map[string]int{
		"128": {"B": 1, "D": 1}, // nothing of their own
		"256": {"A": 0, "B": 1, "C": 0, "D": 1},
	} {
		review := diff.Compose(of("a", "128"), of("b", memory), diff.Options{Now: time.Unix(0, 0).UTC()})
		got := map[string]int{}
		for _, group := range review.Groups {
			for _, item := range group.Items {
				if group.Name == "Functions" {
					got[strings.Join(item.Resources, " ")] = len(item.Risks)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("memory %s: risks by functions (-want +got):\n%s", memory, diff)
		}
	}
}
