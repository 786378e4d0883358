package stack

import (
	"context"
	"errors"
	"slices"
)

// DeleteStackInput is the request of DeleteStack.
type DeleteStackInput struct {
	StackName          string
	RetainResources    []string
	RoleARN            string
	ClientRequestToken string
	DeletionMode       string // STANDARD or FORCE_DELETE_STACK; "" is STANDARD
}

// DeleteStack starts the deletion of a stack. That there is none of the name
// is no error.
func (e *Engine) DeleteStack(ctx context.Context, in DeleteStackInput) (Empty, error) {
	if err := e.fault("DeleteStack", ""); err != nil {
		return Empty{}, err
	}
	_, err := e.startDelete(ctx, in)
	var used *exportsUsed
	if errors.As(err, &used) {
		e.event(used.of, nil, used.status, used.reason)
		err = nil
	}
	return Empty{}, err
}

// exportsUsed says that a stack stays as it is, since others use what it exports.
// The call itself succeeds: an event and the stack's reason tell.
type exportsUsed struct {
	of     *state
	status string // that it keeps
	reason string
}

// Error is the reason.
func (u *exportsUsed) Error() string { return u.reason }

// startDelete begins a deletion. A stack whose exports others use stays as it is,
// with an error that says who; as on AWS nothing is deleted then.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
//
// By force, a stack goes that would not: what cannot be deleted stays behind, and
// the stack is gone.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html done is closed when it has ended; nil when
// there is nothing to delete.
func (e *Engine) startDelete(ctx context.Context, in DeleteStackInput) (done <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil || st.status == DeleteComplete {
		return nil, nil
	}
	force := in.DeletionMode == "FORCE_DELETE_STACK"
	switch {
	case in.DeletionMode != "" && in.DeletionMode != "STANDARD" && !force:
		return nil, invalid("1 validation error detected: Value '%s' at 'deletionMode' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, FORCE_DELETE_STACK]", in.DeletionMode)
	case force && st.status != DeleteFailed:
		return nil, invalid("Invalid operation on stack [%s]. FORCE_DELETE_STACK is for stacks in the DELETE_FAILED state", st.ref.ID)
	case st.status == DeleteInProgress:
		return st.done, nil
	case underWay(st.status):
		return nil, invalid("Stack [%s] cannot be deleted while in status %s", st.ref.Name, st.status)
	case st.protected:
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.ref.Name)
	case len(in.RetainResources) > 0 && st.status != DeleteFailed:
		return nil, invalid("Invalid operation on stack [%s]. When specifying RetainResources during a delete operation, the stack must be in the DELETE_FAILED state", st.ref.ID)
	case e.closed:
		return nil, errStopping
	}
	st.caller = context.WithoutCancel(ctx)
	for _, id := range in.RetainResources {
		if st.resources[id] == nil {
			return nil, invalid("The specified resource [%s] to retain does not exist in the stack", id)
		}
	}
	if reason := e.inUse(st, nil); reason != "" {
		return nil, &exportsUsed{st, st.status, reason}
	}
	retain := slices.Clone(in.RetainResources)
	st.token = in.ClientRequestToken
	st.status, st.reason = DeleteInProgress, userInitiated
	e.begin(st, func(ctx context.Context) { e.removeStack(ctx, st, retain, force) })
	return st.done, nil
}
