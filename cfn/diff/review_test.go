package diff_test

import (
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/face"
)

// TestPackages: a lock file's versions that come, go and change.
func TestPackages(t *testing.T) {
	review := diff.Compose(nil, nil, diff.Options{
		PackagesBefore: map[string]string{"gone": "1.0.0", "same": "2.0.0", "up": "3.0.0"},
		PackagesAfter:  map[string]string{"new": "0.1.0", "same": "2.0.0", "up": "3.1.0"},
	})
	says(t, review, "+ new: 0.1.0\n- gone: 1.0.0\n~ up: 3.0.0 → 3.1.0")
}

// TestCostOfASchedule: one that is off costs nothing by the month.
func TestCostOfASchedule(t *testing.T) {
	schedule := func(state string) *cfn.Document {
		return parse(t, []byte(`Resources:
  F: {Type: AWS::Lambda::Function, Properties: {MemorySize: 1024}}
  S: {Type: AWS::Scheduler::Schedule, Properties: {State: `+state+`, ScheduleExpression: rate(1 minute), Target: {Arn: !GetAtt F.Arn}}}`))
	}
	for state, costs := range map[string]bool{"ENABLED": true, "DISABLED": false} {
		var b strings.Builder
		if err := face.Text(&b, diff.Compose(nil, schedule(state), diff.Options{Cost: "us-east-1"}), face.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "firings"); got != costs {
			t.Errorf("%s: costs is %t\n%s", state, got, b.String())
		}
	}
}
