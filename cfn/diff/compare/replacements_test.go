package compare

import (
	"fmt"
	"testing"

	"arc/cfn/registry"
)

// TestFollowsTheGraver: a property that refers to one resource that is replaced
// and one that may be is as grave as the first, in whatever order they come.
func TestFollowsTheGraver(t *testing.T) {
	for _, names := range [][2]string{{"A", "B"}, {"B", "A"}} {
		template := func(fifo, bus string) string {
			return fmt.Sprintf(`Resources:
  %s: {Type: AWS::SNS::Topic, Properties: {FifoTopic: %s}}
  %s: {Type: AWS::Events::Rule, Properties: {EventBusName: %s}}
  P: {Type: AWS::Lambda::Permission, Properties: {SourceArn: !Sub "${A.Arn}${B.Arn}"}}`, names[0], fifo, names[1], bus)
		}
		found := false
		for _, c := range Templates(parse(t, template("false", "x")), parse(t, template("true", "y"))) {
			if c.LogicalID != "P" {
				continue
			}
			found = true
			if c.Update != registry.Replacement || len(c.Properties) != 1 || c.Properties[0].Update != registry.Replacement || c.Properties[0].Because == "" {
				t.Errorf("%v: %+v", names, c)
			}
		}
		if !found {
			t.Errorf("%v: nothing follows", names)
		}
	}
}
