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
)

// FailedError tells that an operation on a stack failed, and which resource was the first to.
type FailedError struct {
	StackName string
	Status    string // of the stack afterwards
	LogicalID string // "" when no resource was to blame
	Type      string
	Reason    string
	Origin    string // "app.arc:7:1", or ""
}

// Error says which resource failed first, where it comes from, why, and what
// state the stack is in.
func (e *FailedError) Error() string {
	text := ""
	if e.Origin != "" {
		text = e.Origin + ": "
	}
	if e.LogicalID != "" {
		text += fmt.Sprintf("%s (%s) failed: %s; ", e.LogicalID, e.Type, e.Reason)
	}
	return text + fmt.Sprintf("stack %s is now in %s", e.StackName, e.Status) + afterwards(e.Status)
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
	e := f.cause
	if e == nil {
		return failed
	}
	if nested := f.r.nestedCause(ctx, *e, f.since); nested != nil {
		e = nested
	}
	failed.LogicalID, failed.Type = aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceType)
	failed.Reason, failed.Origin = aws.ToString(e.ResourceStatusReason), f.r.origin(failed.LogicalID)
	return failed
}

// nestedCause looks for the first cause inside the nested stack that failed;
// the parent's events only tell that something in it did. nil when there is none.
func (r *run) nestedCause(ctx context.Context, e types.StackEvent, since time.Time) *types.StackEvent {
	if aws.ToString(e.ResourceType) != nestedStack || aws.ToString(e.PhysicalResourceId) == "" {
		return nil
	}
	events, err := r.eventsAfter(ctx, *e.PhysicalResourceId, func(e types.StackEvent) bool { return aws.ToTime(e.Timestamp).Before(since) })
	if err != nil {
		return nil // the parent's event has to do
	}
	for _, inner := range events {
		if isOwn(inner) || !isFirstCause(inner) {
			continue
		}
		if deeper := r.nestedCause(ctx, inner, since); deeper != nil {
			return deeper
		}
		return &inner
	}
	return nil
}

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
