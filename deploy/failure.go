package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"arc/deploy/why"
)

// FailedError tells that an operation on a stack failed, and which resource was the first to.
type FailedError struct {
	StackName string
	Status    string // of the stack afterwards
	LogicalID string // "" when no resource was to blame
	Type      string
	Reason    string
	Origin    string     // "app.arc:7:1", or ""
	Cause     *why.Cause // what is known of the reason; nil = it was not asked for
}

// Error says which resource failed first, where it comes from, why, and what
// state the stack is in.
func (e *FailedError) Error() string {
	text := ""
	if e.Origin != "" {
		text = e.Origin + ": "
	}
	said := e.Reason
	if e.Cause != nil && e.Cause.Code != "" {
		said = e.Cause.Says
		if e.Reason != "" {
			said += fmt.Sprintf(" (%q)", e.Reason)
		}
	}
	switch {
	case e.LogicalID != "":
		text += fmt.Sprintf("%s (%s) failed: %s; ", e.LogicalID, e.Type, said)
	case said != "":
		text += said + "; "
	}
	if e.Cause != nil && e.Cause.Blocked != nil {
		b := e.Cause.Blocked
		text += fmt.Sprintf("on the way back %s (%s) failed: %s; ", b.LogicalID(), b.Type, b.Says)
	}
	return text + fmt.Sprintf("stack %s is now in %s", e.StackName, e.Status) + afterwards(e.Status)
}

// Remedy says what to do about the cause; "" when nobody knows.
func (e *FailedError) Remedy() string {
	if e.Cause == nil {
		return ""
	}
	return e.Cause.Remedy
}

// afterwards says what a failed status means and what to do about it.
func afterwards(status string) string {
	switch types.StackStatus(status) {
	case types.StackStatusUpdateRollbackComplete:
		return ": everything is as it was before; correct the cause and deploy again"
	case types.StackStatusRollbackComplete:
		return ": nothing was made; correct the cause and deploy again"
	case types.StackStatusUpdateRollbackFailed:
		return ": correct the cause, then run aws cloudformation continue-update-rollback"
	case types.StackStatusRollbackFailed, types.StackStatusCreateFailed, types.StackStatusDeleteFailed:
		return ": delete the stack, then deploy again"
	case types.StackStatusUpdateFailed:
		return ": correct the cause and deploy again"
	}
	return ""
}

// failure gives the error for a stack that ended in status.
func (f *follower) failure(ctx context.Context, status string) error {
	failed := &FailedError{StackName: f.r.d.StackName, Status: status}
	cause, _ := why.First(f.r.withNested(ctx, f.seen, f.since))
	if cause == nil {
		return failed
	}
	failed.Cause, failed.LogicalID, failed.Reason = cause, cause.LogicalID(), cause.Reason
	if failed.LogicalID != "" {
		failed.Type, failed.Origin = cause.Type, f.r.origin(failed.LogicalID)
	}
	return failed
}

// withNested adds the events of nested stacks that failed; those of the parent
// only tell that something in them did. What cannot be read is left out.
func (c Clients) withNested(ctx context.Context, events []why.Event, since time.Time) []why.Event {
	asked := map[string]bool{}
	for i := 0; i < len(events); i++ { // what is added may hold more
		e := events[i]
		if e.Type != nestedStack || e.PhysicalID == "" || e.PhysicalID == e.StackID || !strings.HasSuffix(e.Status, "_FAILED") || asked[e.PhysicalID] {
			continue
		}
		asked[e.PhysicalID] = true
		inner, err := c.eventsAfter(ctx, e.PhysicalID, func(e types.StackEvent) bool { return aws.ToTime(e.Timestamp).Before(since) })
		if err != nil {
			continue
		}
		for _, one := range inner {
			events = append(events, whyEvent(one))
		}
	}
	return events
}

// whyEvent is an event as package why reads it.
func whyEvent(e types.StackEvent) why.Event {
	return why.Event{
		EventID: aws.ToString(e.EventId), StackID: aws.ToString(e.StackId), StackName: aws.ToString(e.StackName),
		LogicalID: aws.ToString(e.LogicalResourceId), PhysicalID: aws.ToString(e.PhysicalResourceId), Type: aws.ToString(e.ResourceType),
		Status: string(e.ResourceStatus), Reason: aws.ToString(e.ResourceStatusReason), Timestamp: aws.ToTime(e.Timestamp),
		HookType: aws.ToString(e.HookType), HookStatus: string(e.HookStatus), HookReason: aws.ToString(e.HookStatusReason),
	}
}

// LastOperation gives the events of a stack's last operation, and of the nested
// stacks that failed in it. nameOrID of a stack that is gone is its ID.
func (c Clients) LastOperation(ctx context.Context, nameOrID string) ([]why.Event, error) {
	began, since := false, time.Time{}
	events, err := c.eventsAfter(ctx, nameOrID, func(e types.StackEvent) bool {
		if began {
			return true
		}
		if began = isOwn(e) && isBeginning(e.ResourceStatus); began {
			since = aws.ToTime(e.Timestamp)
		}
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("read the events of stack %s: %w", nameOrID, err)
	}
	var list []why.Event
	for _, e := range events {
		list = append(list, whyEvent(e))
	}
	return c.withNested(ctx, list, since), nil
}

// IsMissingStack tells that CloudFormation knows no such stack.
func IsMissingStack(err error) bool { return isMissingStack(err) }

// isMissingStack recognises CloudFormation's way to say that there is no such stack.
func isMissingStack(err error) bool {
	return isRefusal(err, "ValidationError", "does not exist") || isCode(err, "StackNotFoundException")
}

// isRefusal tells whether err is AWS's answer of that code with that text in
// its message: CloudFormation has one code for many refusals.
func isRefusal(err error, code, text string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code && strings.Contains(api.ErrorMessage(), text)
}

// isCode tells whether err is one of these answers of AWS. S3's answers to
// HEAD requests have the HTTP status for a code.
func isCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// Why says in a few words why a call failed: without the names of requests,
// accounts and hosts that AWS adds.
func Why(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err.Error()
	}
	switch code := api.ErrorCode(); code {
	case "AccessDenied", "AccessDeniedException", "Forbidden":
		return "access is denied"
	case "NoSuchKey", "NotFound":
		return "no longer in the bucket"
	case "NoSuchBucket":
		return "the bucket is gone"
	default:
		return code
	}
}

// joinSorted is errors.Join with a fixed order.
func joinSorted(errs []error) error {
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
