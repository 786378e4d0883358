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

// nestedStack is the resource type of a stack within a stack, and of the
// events about a stack itself.
const nestedStack = "AWS::CloudFormation::Stack"

// follower reads the events of one operation on a stack. An operation is what
// lies between the stack's own first event and its own last one; the status
// that DescribeStacks gives may still be that of the operation before.
type follower struct {
	r       *run
	stackID string
	mark    string // ID of the last event before the operation
	started bool
	status  string       // of the stack, by its events
	failure *FailedError // first resource that failed
}

// newFollower is called before the operation begins.
func (r *run) newFollower(ctx context.Context, stackID string) (*follower, error) {
	f := &follower{r: r, stackID: stackID}
	page, err := r.Stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(stackID)})
	if err != nil && !isMissingStack(err) {
		return nil, fmt.Errorf("read the events of stack %s: %w", r.d.StackName, err)
	}
	if err == nil && len(page.StackEvents) > 0 {
		f.mark = aws.ToString(page.StackEvents[0].EventId)
	}
	return f, nil
}

// toEnd reports events until the operation is over, and gives the stack's
// status then: DELETE_COMPLETE when it is gone.
func (f *follower) toEnd(ctx context.Context) (string, error) {
	for pace := f.r.newPace(); ; {
		events, err := f.fresh(ctx)
		if isMissingStack(err) {
			return string(types.StackStatusDeleteComplete), nil
		}
		if err != nil {
			return "", fmt.Errorf("read the events of stack %s: %w", f.r.d.StackName, err)
		}
		for _, e := range events {
			f.take(e)
		}
		if f.started && !strings.HasSuffix(f.status, "_IN_PROGRESS") {
			return f.status, nil
		}
		if err := pace.wait(ctx); err != nil {
			return "", err
		}
	}
}

// fresh gives the events after the mark, oldest first, and moves the mark on.
func (f *follower) fresh(ctx context.Context) ([]types.StackEvent, error) {
	in := &cloudformation.DescribeStackEventsInput{StackName: aws.String(f.stackID)}
	var events []types.StackEvent
	for {
		page, err := f.r.Stacks.DescribeStackEvents(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, e := range page.StackEvents {
			if aws.ToString(e.EventId) == f.mark {
				return f.advance(events), nil
			}
			events = append(events, e)
		}
		if page.NextToken == nil {
			return f.advance(events), nil
		}
		in.NextToken = page.NextToken
	}
}

func (f *follower) advance(events []types.StackEvent) []types.StackEvent {
	if len(events) > 0 {
		f.mark = aws.ToString(events[0].EventId)
	}
	slices.Reverse(events)
	return events
}

func (f *follower) take(e types.StackEvent) {
	status, reason := string(e.ResourceStatus), aws.ToString(e.ResourceStatusReason)
	own := aws.ToString(e.ResourceType) == nestedStack && aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId)
	f.r.progress(Step{
		Kind: "event", LogicalID: aws.ToString(e.LogicalResourceId), Type: aws.ToString(e.ResourceType),
		Status: status, Reason: reason,
	})
	if own {
		f.status = status
		f.started = f.started || strings.HasSuffix(status, "_IN_PROGRESS") && status != string(types.StackStatusReviewInProgress)
		return
	}
	if f.failure == nil && isFirstCause(status, reason) {
		f.failure = f.r.newFailure(e)
	}
}

// isFirstCause leaves out the resources that were only called off because
// another one failed.
func isFirstCause(status, reason string) bool {
	return strings.HasSuffix(status, "_FAILED") && !strings.Contains(reason, "cancelled")
}

// attach follows an operation that something else began.
func (r *run) attach(ctx context.Context, stack Stack) error {
	r.note("stack %s is in %s; following that operation", stack.Name, stack.Status)
	f := &follower{r: r, stackID: stack.ID}
	mark, err := r.operationStart(ctx, stack.ID)
	if err != nil {
		return err
	}
	f.mark = mark
	status, err := f.toEnd(ctx)
	if err != nil {
		return err
	}
	r.note("that operation ended with %s", status)
	return nil
}

// operationStart gives the ID of the last event before the operation that is
// under way, "" when it is the stack's first.
func (r *run) operationStart(ctx context.Context, stackID string) (string, error) {
	in := &cloudformation.DescribeStackEventsInput{StackName: aws.String(stackID)}
	begun := false
	for {
		page, err := r.Stacks.DescribeStackEvents(ctx, in)
		if isMissingStack(err) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("read the events of stack %s: %w", r.d.StackName, err)
		}
		for _, e := range page.StackEvents {
			if begun {
				return aws.ToString(e.EventId), nil
			}
			begun = aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId) && isBeginning(e.ResourceStatus)
		}
		if page.NextToken == nil {
			return "", nil
		}
		in.NextToken = page.NextToken
	}
}

func isBeginning(status types.ResourceStatus) bool {
	switch status {
	case types.ResourceStatusCreateInProgress, types.ResourceStatusUpdateInProgress, types.ResourceStatusDeleteInProgress, types.ResourceStatusImportInProgress:
		return true
	}
	return false
}
