package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn/registry"
	"arc/deploy/why"
)

// nestedStack is the resource type of a stack within a stack, and of the
// events about a stack itself.
const nestedStack = registry.CloudFormationStack

// follower reads the events of one operation on a stack. An operation is what
// lies between the stack's own first event and its own last one; the status
// that DescribeStacks gives may still be that of the operation before.
type follower struct {
	r       *run
	stackID string
	mark    string // ID of the last event before the operation
	started bool
	since   time.Time // when the operation began
	status  string    // of the stack, by its events
	seen    []why.Event
	idle    int                  // looks in a row that gave nothing, before anything began
	silent  bool                 // it was said that the events cannot be read
	denied  bool                 // they may not be
	looked  int                  // how often the stack's status was asked for in their place
	others  *meanwhile           // who else waits for it; nil = it is not looked for
	begun   map[string]time.Time // when each resource at work began, by logical ID
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
			if err := f.unread(ctx, err); err != nil {
				return "", err
			}
			if status, done, err := f.blindly(ctx, err); err != nil || done {
				return status, err
			}
			if err := pace.wait(ctx); err != nil {
				return "", err
			}
			continue
		}
		if f.silent && !f.denied {
			f.silent = false
			f.r.note("the progress of stack %s can be read again", f.r.d.StackName)
		}
		over := false
		for _, e := range events {
			f.take(e)
			// What comes after that is somebody else's.
			if over = f.started && !strings.HasSuffix(f.status, "_IN_PROGRESS"); over {
				break
			}
		}
		f.others.look(ctx, over)
		if over {
			return f.status, nil
		}
		// Somebody else may have deleted the stack between our look and our order,
		// which then does nothing and adds no event.
		if f.idle++; f.started || len(events) > 0 {
			f.idle = 0
		} else if f.idle%idleLooks == 0 {
			if stack, err := f.r.describeStack(ctx, f.stackID); err == nil && (stack.Status == "" || stack.Status == string(types.StackStatusDeleteComplete)) {
				return string(types.StackStatusDeleteComplete), nil
			}
		}
		if err := pace.wait(ctx); err != nil {
			return "", err
		}
	}
}

// idleLooks is after how many looks without any event the stack itself is asked for.
const idleLooks = 5

// unread is called when the events cannot be read. CloudFormation goes on all the
// same, so that is no failure of the operation: it is tried again for as long as
// the credentials are good, and said once. What no second try mends ends it.
func (f *follower) unread(ctx context.Context, err error) error {
	told := fmt.Errorf("read the events of stack %s: %w", f.r.d.StackName, err)
	switch {
	case ctx.Err() != nil, isUnreachableLocal(err):
		return told
	case isExpired(err), strings.Contains(err.Error(), "failed to refresh cached credentials"):
		return told
	}
	if !f.silent {
		f.silent = true
		f.r.note("the progress of stack %s cannot be read (%s); AWS goes on with it, and it is asked again", f.r.d.StackName, Why(err))
	}
	return nil
}

// blindly follows by the stack's status alone, where its events may not be read.
func (f *follower) blindly(ctx context.Context, err error) (status string, done bool, _ error) {
	if !isCode(err, "AccessDenied", "AccessDeniedException") {
		return "", false, nil
	}
	f.denied = true
	stack, err := f.r.describeStack(ctx, f.stackID)
	switch {
	case err != nil && isCode(err, "AccessDenied", "AccessDeniedException"):
		return "", false, err
	case err != nil:
		return "", false, f.unread(ctx, err)
	case stack.ID == "" && !stack.Exists && stack.Status == "":
		return string(types.StackStatusDeleteComplete), true, nil
	case stack.inProgress():
		f.started = true
	case f.started:
		return stack.Status, true, nil
	case f.looked > maxBlindLooks: // it was over before the first look
		return stack.Status, true, nil
	}
	f.looked++
	return "", false, nil
}

// maxBlindLooks is how often a stack may seem to be at rest before it is believed
// that the operation is over.
const maxBlindLooks = 8

// fresh gives the events after the mark, oldest first, and moves the mark on.
func (f *follower) fresh(ctx context.Context) ([]types.StackEvent, error) {
	events, err := f.r.eventsAfter(ctx, f.stackID, func(e types.StackEvent) bool { return aws.ToString(e.EventId) == f.mark })
	if err != nil {
		return nil, err
	}
	if len(events) > 0 {
		f.mark = aws.ToString(events[len(events)-1].EventId)
	}
	return events, nil
}

// eventsAfter gives the events of a stack that came after the one at which
// stop says so, oldest first; CloudFormation tells them newest first, in pages.
func (c Clients) eventsAfter(ctx context.Context, stackID string, stop func(types.StackEvent) bool) ([]types.StackEvent, error) {
	in := &cloudformation.DescribeStackEventsInput{StackName: aws.String(stackID)}
	var events []types.StackEvent
	for {
		page, err := c.Stacks.DescribeStackEvents(ctx, in)
		if err != nil {
			return nil, err
		}
		end := slices.IndexFunc(page.StackEvents, stop)
		if end >= 0 {
			page.StackEvents, page.NextToken = page.StackEvents[:end], nil
		}
		events = append(events, page.StackEvents...)
		if page.NextToken == nil {
			slices.Reverse(events)
			return events, nil
		}
		in.NextToken = page.NextToken
	}
}

func (f *follower) take(e types.StackEvent) {
	status := string(e.ResourceStatus)
	step := Step{
		Kind: "event", LogicalID: aws.ToString(e.LogicalResourceId), Type: aws.ToString(e.ResourceType),
		Status: status, Reason: aws.ToString(e.ResourceStatusReason), Time: aws.ToTime(e.Timestamp),
	}
	step.Took = f.took(e)
	step.Message = fmt.Sprintf("%s %s (%s)", status, step.LogicalID, step.Type)
	if step.Reason != "" {
		step.Message += ": " + step.Reason
	}
	f.seen = append(f.seen, whyEvent(e))
	f.r.progress(step)
	if isOwn(e) {
		f.status = status
		if !f.started && strings.HasSuffix(status, "_IN_PROGRESS") && status != string(types.StackStatusReviewInProgress) {
			f.started, f.since = true, aws.ToTime(e.Timestamp)
		}
	}
}

// took is how long a resource was at work when an event tells the end of it; 0 when
// it tells something else, or the beginning was not seen. A replacement has one
// logical ID with what it replaces, which goes later.
func (f *follower) took(e types.StackEvent) time.Duration {
	if f.begun == nil {
		f.begun = map[string]time.Time{}
	}
	id, at := aws.ToString(e.LogicalResourceId), aws.ToTime(e.Timestamp)
	if strings.HasSuffix(string(e.ResourceStatus), "_IN_PROGRESS") {
		if _, ok := f.begun[id]; !ok {
			f.begun[id] = at
		}
		return 0
	}
	since, ok := f.begun[id]
	delete(f.begun, id)
	if !ok {
		return 0
	}
	return max(0, at.Sub(since))
}

// isOwn tells the events about the stack itself from those about its resources.
func isOwn(e types.StackEvent) bool {
	return aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId)
}

// attach follows an operation that something else began.
func (r *run) attach(ctx context.Context, stack Stack) error {
	f := &follower{r: r, stackID: stack.ID}
	begun, by := false, ""
	own, rest := false, "" // rest is the newest event of the stack itself, if that ends an operation
	earlier := func(e types.StackEvent) bool {
		if begun {
			f.mark = aws.ToString(e.EventId)
			return true
		}
		if !isOwn(e) {
			return false
		}
		switch ended := !strings.HasSuffix(string(e.ResourceStatus), "_IN_PROGRESS"); {
		case ended && own: // this one was begun by going on with what had failed
			f.mark = aws.ToString(e.EventId)
			return true
		case ended:
			rest = aws.ToString(e.EventId)
		}
		own = true
		if begun = isBeginning(e.ResourceStatus); begun {
			by = signer(aws.ToString(e.ClientRequestToken))
		}
		return false
	}
	for pace := r.newPace(); ; {
		_, err := r.eventsAfter(ctx, stack.ID, earlier)
		if err == nil || isMissingStack(err) || isCode(err, "AccessDenied", "AccessDeniedException") {
			break // what may not be read is followed by the stack's status
		}
		if err := f.unread(ctx, err); err != nil {
			return r.goesOn(ctx, err)
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
	// What its events end with is this operation, which ended meanwhile, or the one
	// before it: then it has told none yet.
	if rest != "" {
		if now, err := r.describeStack(ctx, stack.ID); err == nil && now.inProgress() {
			f.mark, begun = rest, false
		}
	}
	if !begun {
		by = stack.begunBy()
	}
	r.note("stack %s is in %s%s; following that operation", stack.Name, stack.Status, whoBegan(by, "began"))
	r.leaveWord(ctx, stack, r.destroys)
	status, err := f.toEnd(ctx)
	if err != nil {
		return r.goesOn(ctx, err)
	}
	r.note("that operation ended with %s", status)
	return nil
}

// goesOn is what kept an operation from being followed, which goes on all the same.
func (r *run) goesOn(ctx context.Context, err error) error {
	if ctx.Err() != nil || isUnreachableLocal(err) {
		return err
	}
	return &GoesOnError{StackName: r.d.StackName, Deleting: r.destroys, Err: err}
}

// isBeginning tells the first event of an operation.
func isBeginning(status types.ResourceStatus) bool {
	switch status {
	case types.ResourceStatusCreateInProgress, types.ResourceStatusUpdateInProgress, types.ResourceStatusDeleteInProgress, types.ResourceStatusImportInProgress:
		return true
	}
	return false
}
