package deploy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn/registry"
)

// RuntimeError refuses a deployment that AWS would fail half-way, because of a
// runtime that it has retired. Nothing was changed.
type RuntimeError struct {
	StackName string
	Reasons   []string // a sentence for each function, in the order of the manifest's lines
}

// Error lists the functions, a line each.
func (e *RuntimeError) Error() string {
	return fmt.Sprintf("stack %s is left as it is, because AWS would refuse it:\n  %s\nchange their runtime in the manifest, or in config.arc",
		e.StackName, strings.Join(e.Reasons, "\n  "))
}

// refuseRuntimes fails with a RuntimeError when the change set creates or
// updates a function whose runtime AWS takes for that no more. What lies in
// nested stacks, AWS itself refuses.
func (r *run) refuseRuntimes(set *changeSet) error {
	if r.d.Refused == nil {
		return nil
	}
	var reasons []string
	for _, c := range set.changes {
		rc := c.ResourceChange
		if rc == nil || aws.ToString(rc.ResourceType) != registry.LambdaFunction || rc.Action == types.ChangeActionRemove {
			continue
		}
		id := aws.ToString(rc.LogicalResourceId)
		runtime, _ := r.template.Resources[id].Properties["Runtime"].(string)
		create := rc.Action == types.ChangeActionAdd || rc.Replacement == types.ReplacementTrue
		if why := r.d.Refused(runtime, create); why != "" {
			line := id + ": " + why
			if at := r.origin(id); at != "" {
				line = at + ": " + line
			}
			reasons = append(reasons, line)
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	slices.SortFunc(reasons, byPlace)
	return &RuntimeError{StackName: r.d.StackName, Reasons: reasons}
}

// byPlace orders sentences that begin with a place, "app.arc:7:1: …", as it stands in the
// file: line 10 after line 9.
func byPlace(a, b string) int {
	line := func(text string) (file string, line int) {
		file, rest, _ := strings.Cut(text, ":")
		digits, _, _ := strings.Cut(rest, ":")
		line, _ = strconv.Atoi(digits) // 0 where there is none
		return file, line
	}
	fileA, lineA := line(a)
	fileB, lineB := line(b)
	return cmp.Or(cmp.Compare(fileA, fileB), cmp.Compare(lineA, lineB), cmp.Compare(a, b))
}
