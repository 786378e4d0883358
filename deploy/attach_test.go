package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// told is a stack that tells its events, the newest first, a few at a time.
type told struct {
	Stacks
	events []types.StackEvent
}

const appID = "arn:aws:cloudformation:us-west-2:123456789012:stack/App/1"

// telling is the stack App with events, "LOGICALID STATUS", the oldest first.
func telling(lines ...string) told {
	stack := told{}
	for i, line := range lines {
		logical, status, _ := strings.Cut(line, " ")
		physical := logical + "-1"
		if logical == "App" {
			physical = appID
		}
		stack.events = append(stack.events, types.StackEvent{
			StackId: aws.String(appID), EventId: aws.String(fmt.Sprint(i)), LogicalResourceId: &logical, PhysicalResourceId: &physical,
			ResourceStatus: types.ResourceStatus(status), Timestamp: aws.Time(time.Unix(int64(i), 0)),
		})
	}
	slices.Reverse(stack.events)
	return stack
}

func (s told) DescribeStackEvents(_ context.Context, in *cloudformation.DescribeStackEventsInput, _ ...func(*cloudformation.Options)) (*cloudformation.DescribeStackEventsOutput, error) {
	from := 0
	fmt.Sscan(aws.ToString(in.NextToken), &from)
	out := &cloudformation.DescribeStackEventsOutput{StackEvents: s.events[from:min(from+2, len(s.events))]}
	if from+2 < len(s.events) {
		out.NextToken = aws.String(fmt.Sprint(from + 2))
	}
	return out, nil
}

// DescribeStacks gives the status that the newest event of the stack tells.
func (s told) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	newest := s.events[slices.IndexFunc(s.events, isOwn)]
	return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{StackId: newest.StackId, StackName: newest.LogicalResourceId, StackStatus: types.StackStatus(newest.ResourceStatus), CreationTime: aws.Time(time.Unix(0, 0))}}}, nil
}

// TestAttachedFromItsBeginning: an operation that something else began, and that is on
// its way back when it is found, is told from its first event on, with what failed first
// and who began it, and nothing of what was before.
func TestAttachedFromItsBeginning(t *testing.T) {
	stack := telling(
		"App CREATE_IN_PROGRESS", "A CREATE_IN_PROGRESS", "A CREATE_COMPLETE", "App CREATE_COMPLETE",
		"App UPDATE_IN_PROGRESS", "A UPDATE_IN_PROGRESS", "B CREATE_IN_PROGRESS", "A UPDATE_FAILED", "B CREATE_FAILED",
		"App UPDATE_ROLLBACK_IN_PROGRESS", "A UPDATE_IN_PROGRESS", "A UPDATE_COMPLETE", "App UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
		"B DELETE_IN_PROGRESS", "B DELETE_COMPLETE", "App UPDATE_ROLLBACK_COMPLETE",
	)
	var events []string
	var notes []string
	r := &run{Clients: Clients{Stacks: stack, Local: true}, d: Deployment{StackName: "App"}, progress: func(s Step) {
		if s.Kind == "event" {
			events = append(events, s.LogicalID+" "+s.Status)
		} else {
			notes = append(notes, s.Message)
		}
	}}
	if err := r.attach(t.Context(), Stack{ID: appID, Name: "App", Status: "UPDATE_ROLLBACK_IN_PROGRESS"}); err != nil {
		t.Fatal(err)
	}
	if len(events) != 12 || events[0] != "App UPDATE_IN_PROGRESS" || events[3] != "A UPDATE_FAILED" || events[11] != "App UPDATE_ROLLBACK_COMPLETE" {
		t.Errorf("told: %q", events)
	}
	if len(notes) != 2 || notes[1] != "that operation ended with UPDATE_ROLLBACK_COMPLETE" {
		t.Errorf("notes: %q", notes)
	}
}

// TestAttachedToWhatGoesOn: an operation that goes on with what had failed is told
// from there, and not to the end of what had.
func TestAttachedToWhatGoesOn(t *testing.T) {
	stack := telling(
		"App UPDATE_IN_PROGRESS", "A UPDATE_FAILED", "App UPDATE_ROLLBACK_IN_PROGRESS", "App UPDATE_ROLLBACK_FAILED",
		"App UPDATE_ROLLBACK_IN_PROGRESS", "A UPDATE_COMPLETE", "App UPDATE_ROLLBACK_COMPLETE",
	)
	var events []string
	r := &run{Clients: Clients{Stacks: stack, Local: true}, d: Deployment{StackName: "App"}, progress: func(s Step) {
		if s.Kind == "event" {
			events = append(events, s.LogicalID+" "+s.Status)
		}
	}}
	if err := r.attach(t.Context(), Stack{ID: appID, Name: "App", Status: "UPDATE_ROLLBACK_IN_PROGRESS"}); err != nil {
		t.Fatal(err)
	}
	if len(events) != 3 || events[0] != "App UPDATE_ROLLBACK_IN_PROGRESS" || events[2] != "App UPDATE_ROLLBACK_COMPLETE" {
		t.Errorf("told: %q", events)
	}
}
