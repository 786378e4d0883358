package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Planned binds a deployment to the state that its stack had when the change
// was reviewed, and to what the review foresaw.
type Planned struct {
	ID    string // letters and digits; the change set carries it in its name
	State State
	// Goes has the logical IDs of the resources that are removed or may be
	// replaced; nested stacks and what is in them may be left out.
	Goes map[string]bool
	// Unjudged says that what the plan tells of its dangers could not be worked out
	// anew, as the stack was not found in the state that the plan tells: nothing is
	// begun then, and only what an earlier run of the plan began is followed.
	Unjudged bool
}

// State tells whether anything has happened to a stack. The zero value is that
// of a stack which does not exist.
type State struct {
	StackID   string `json:"stackId,omitempty"`
	LastEvent string `json:"lastEvent,omitempty"` // its ID; every operation on a stack adds events
}

// State reads the state of a stack at rest. What a failed creation or a mere
// review has left behind is no stack.
func (c Clients) State(ctx context.Context, stackName string) (State, error) {
	// The event comes first: an operation that begins in between is then
	// noticed by the event that it adds.
	event, err := c.lastEvent(ctx, stackName)
	if err != nil {
		return State{}, err
	}
	stack, err := c.describeStack(ctx, stackName)
	switch {
	case err != nil:
		return State{}, err
	case stack.inProgress():
		return State{}, fmt.Errorf("stack %s is in %s; plan the change when that is over", stackName, stack.Status)
	case isStuck(stack.Status):
		return State{}, &FailedError{StackName: stackName, Status: stack.Status}
	case stack.Absent():
		return State{}, nil
	}
	return State{stack.ID, event}, nil
}

// Absent tells a stack that has no resources: it was never made, or what was
// made of it has been rolled back.
func (s Stack) Absent() bool {
	return !s.Exists || s.Status == string(types.StackStatusRollbackComplete)
}

// lastEvent gives the ID of a stack's newest event, "" when there is none.
func (c Clients) lastEvent(ctx context.Context, stackName string) (string, error) {
	page, err := c.Stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(stackName)})
	switch {
	case isMissingStack(err), err == nil && len(page.StackEvents) == 0:
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the events of stack %s: %w", stackName, err)
	}
	return aws.ToString(page.StackEvents[0].EventId), nil
}

// MovedError refuses a plan that is not about the stack as it is now. Nothing
// was changed.
type MovedError struct {
	StackName string
	Plan      string
	Why       string
}

// Error says which plan no longer fits, and what moved.
func (e *MovedError) Error() string {
	return fmt.Sprintf("plan %s no longer fits stack %s: %s", e.Plan, e.StackName, e.Why)
}

func (r *run) moved(format string, args ...any) error {
	return &MovedError{StackName: r.d.StackName, Plan: r.d.Plan.ID, Why: fmt.Sprintf(format, args...)}
}

// stillAsPlanned fails with a MovedError unless the stack is as the plan found
// it, or is what an earlier run of this plan has made of it.
func (r *run) stillAsPlanned(ctx context.Context, stack Stack) error {
	if r.d.Plan == nil {
		return nil
	}
	want := r.d.Plan.State
	same := want.StackID == "" && stack.Absent()
	if want.StackID != "" && stack.ID == want.StackID && !stack.inProgress() {
		event, err := r.lastEvent(ctx, stack.ID)
		if err != nil {
			return err
		}
		same = event == want.LastEvent
	}
	if same && r.d.Plan.Unjudged {
		return r.moved("it tells a state that the stack was not found in")
	}
	if same {
		return nil
	}
	return r.ownWork(stack)
}

// ownWork recognises a stack that an earlier run of the plan was at: it is
// followed to its end, or was brought to it. CloudFormation tells which change
// set a stack executed last, and the plan is in that one's name.
func (r *run) ownWork(stack Stack) error {
	status := types.StackStatus(stack.Status)
	ours := strings.Contains(stack.changeSetID, ":changeSet/"+r.changeSetPrefix())
	switch {
	case ours && (stack.inProgress() || status == types.StackStatusCreateComplete || status == types.StackStatusUpdateComplete):
		r.resumed = true
		return nil
	case ours:
		return r.moved("it was carried out before and is undone (%s)", stack.Status)
	case stack.inProgress():
		return r.moved("something else is changing it (%s)", stack.Status)
	case stack.Status == "":
		return r.moved("the stack is not there any more")
	case r.d.Plan.State.StackID == "":
		return r.moved("it was created since (%s)", stack.Status)
	case r.d.Plan.State.StackID != stack.ID:
		return r.moved("it was deleted and created again since")
	}
	return r.moved("it was changed since (%s)", stack.Status)
}

func (r *run) changeSetPrefix() string {
	if r.d.Plan == nil {
		return "arc-"
	}
	return "arc-plan-" + r.d.Plan.ID + "-"
}

// confirm looks at the stack once more when the change set is there, which
// CloudFormation will not execute if the stack changes after this. It refuses
// a change set in which more goes than the plan foresaw.
func (r *run) confirm(ctx context.Context, set *changeSet) error {
	if r.d.Plan == nil {
		return nil
	}
	if r.resumed {
		return r.moved("it was carried out before, and the stack was changed since")
	}
	stack, err := r.describeStack(ctx, r.d.StackName)
	if err != nil {
		return err
	}
	if err := r.stillAsPlanned(ctx, stack); err != nil {
		return err
	}
	var more []string
	for _, c := range set.changes {
		rc := c.ResourceChange
		// What a nested stack holds is looked at by refuseLoss.
		if rc == nil || aws.ToString(rc.ResourceType) == nestedStack || r.d.Plan.Goes[aws.ToString(rc.LogicalResourceId)] {
			continue
		}
		what := aws.ToString(rc.LogicalResourceId) + " (" + aws.ToString(rc.ResourceType) + ")"
		switch {
		case rc.Action == types.ChangeActionRemove:
			more = append(more, what+" would be removed")
		case rc.Replacement == types.ReplacementTrue:
			more = append(more, what+" would be replaced")
		}
	}
	if len(more) > 0 {
		slices.Sort(more)
		return r.moved("CloudFormation would do more than was reviewed: %s", strings.Join(more, ", "))
	}
	return nil
}
