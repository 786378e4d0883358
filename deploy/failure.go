package deploy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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

func (r *run) newFailure(e types.StackEvent) *FailedError {
	id := aws.ToString(e.LogicalResourceId)
	return &FailedError{
		StackName: r.d.StackName, LogicalID: id, Type: aws.ToString(e.ResourceType),
		Reason: aws.ToString(e.ResourceStatusReason), Origin: r.origin(id),
	}
}

// asFailure gives the error for a stack that ended in status.
func (f *follower) asFailure(status string) error {
	if f.failure == nil {
		f.failure = &FailedError{StackName: f.r.d.StackName}
	}
	f.failure.Status = status
	return f.failure
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

// joinSorted is errors.Join with a fixed order.
func joinSorted(errs []error) error {
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
