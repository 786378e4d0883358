package cfn

import (
	"fmt"
	"strings"
	"testing"
)

// TestAliasesAreBounded: aliases of aliases that would come to more than any template
// are refused, quickly, and a few are what they stand for.
func TestAliasesAreBounded(t *testing.T) {
	bomb := func(levels int) string {
		var b strings.Builder
		b.WriteString("Metadata:\n  L0: &L0 [a, a, a, a, a, a, a, a, a, a]\n")
		for i := 1; i <= levels; i++ {
			fmt.Fprintf(&b, "  L%d: &L%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*L%d, ", i-1), 10), ", "))
		}
		return b.String() + "Resources: {T: {Type: AWS::SNS::Topic}}\n"
	}
	if _, err := Parse([]byte(bomb(12))); err == nil || !strings.Contains(err.Error(), "once its aliases are expanded") {
		t.Errorf("%v", err)
	}
	if doc, err := Parse([]byte(bomb(3))); err != nil || !doc.Aliases {
		t.Errorf("%v", err)
	}
	if _, err := Parse([]byte("Metadata: &m [*m]\nResources: {T: {Type: AWS::SNS::Topic}}\n")); err == nil {
		t.Error("an alias of itself is taken")
	}
}
