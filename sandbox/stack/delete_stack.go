package stack

import (
	"context"
	"slices"
)

// DeleteStackInput is the request of DeleteStack.
type DeleteStackInput struct {
	StackName          string
	RetainResources    []string
	RoleARN            string
	ClientRequestToken string
	DeletionMode       string // FORCE_DELETE_STACK is taken for STANDARD
}

// DeleteStack starts the deletion of a stack. That there is none of the name
// is no error.
func (e *Engine) DeleteStack(ctx context.Context, in DeleteStackInput) (Empty, error) {
	if err := e.fault("DeleteStack", ""); err != nil {
		return Empty{}, err
	}
	_, err := e.startDelete(ctx, in)
	return Empty{}, err
}

// startDelete begins a deletion. done is closed when it has ended; nil when
// there is nothing to delete.
func (e *Engine) startDelete(ctx context.Context, in DeleteStackInput) (done <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil || st.status == DeleteComplete {
		return nil, nil
	}
	switch {
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
	retain := slices.Clone(in.RetainResources)
	st.token = in.ClientRequestToken
	st.status, st.reason = DeleteInProgress, userInitiated
	e.begin(st, func(ctx context.Context) { e.removeStack(ctx, st, retain) })
	return st.done, nil
}
