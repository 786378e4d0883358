package stack

import (
	"context"
	"slices"
)

// stuck is an update rollback that failed, with what it takes to go on.
type stuck struct {
	run    *run
	before *template
}

// ContinueUpdateRollbackInput is the request of ContinueUpdateRollback.
type ContinueUpdateRollbackInput struct {
	StackName          string
	ResourcesToSkip    []string
	ClientRequestToken string
}

// ContinueUpdateRollback tries a failed update rollback again. Resources to
// skip are taken for rolled back, whatever they are.
func (e *Engine) ContinueUpdateRollback(ctx context.Context, in ContinueUpdateRollbackInput) (Empty, error) {
	if err := e.fault("ContinueUpdateRollback", ""); err != nil {
		return Empty{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil {
		return Empty{}, err
	}
	if st.status != UpdateRollbackFailed || st.stuck == nil {
		return Empty{}, invalid("Stack:%s is in %s state and can not continue update rollback.", st.ref.ID, st.status)
	}
	if e.closed {
		return Empty{}, errStopping
	}
	again := st.stuck
	again.run.done = slices.DeleteFunc(again.run.done, func(s step) bool { return slices.Contains(in.ResourcesToSkip, s.after.logicalID) })
	st.token = in.ClientRequestToken
	st.status = UpdateRollback
	e.begin(st, func(ctx context.Context) {
		e.event(st, nil, UpdateRollback, userInitiated)
		e.unchange(ctx, again.run, again.before)
	})
	return Empty{}, nil
}
