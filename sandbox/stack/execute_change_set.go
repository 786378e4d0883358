package stack

import (
	"context"
	"slices"
)

// ExecuteChangeSetInput is the request of ExecuteChangeSet.
type ExecuteChangeSetInput struct {
	ChangeSetName      string
	StackName          string
	ClientRequestToken string
	DisableRollback    bool
}

// ExecuteChangeSet starts the creation or update that a change set describes.
// The stack's other change sets are gone then: they compare with a stack that
// no longer is.
func (e *Engine) ExecuteChangeSet(ctx context.Context, in ExecuteChangeSetInput) (Empty, error) {
	if err := e.fault("ExecuteChangeSet", ""); err != nil {
		return Empty{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st, cs, err := e.findChangeSet(ctx, in.ChangeSetName, in.StackName)
	if err != nil {
		return Empty{}, err
	}
	if in.ClientRequestToken != "" && cs.executedBy == in.ClientRequestToken {
		return Empty{}, nil
	}
	if err := e.mayExecute(st, cs); err != nil {
		return Empty{}, err
	}
	st.caller = context.WithoutCancel(ctx)
	st.changes = slices.DeleteFunc(st.changes, func(c *changeSet) bool { return c != cs })
	cs.executedBy = in.ClientRequestToken
	st.executed = cs.id
	opts := cs.options
	opts.token, opts.disableRollback = in.ClientRequestToken, in.DisableRollback
	if cs.kind == "IMPORT" {
		e.executeImport(st, cs, opts)
		cs.execution = executionInProgress
		return Empty{}, nil
	}
	if cs.kind == "CREATE" {
		e.executeCreate(st, cs, opts)
		cs.execution = executionInProgress
		return Empty{}, nil
	}
	if cs.onFailure == "DO_NOTHING" {
		opts.disableRollback = true
	}
	e.beginUpdate(st, cs.template, opts)
	cs.execution = executionInProgress
	return Empty{}, nil
}

// mayExecute refuses what cannot be executed. The caller holds the lock.
func (e *Engine) mayExecute(st *state, cs *changeSet) error {
	if e.closed {
		return errStopping
	}
	if cs.status != CreateComplete {
		return &Error{Code: "InvalidChangeSetStatus", Message: "ChangeSet [" + cs.id + "] cannot be executed in its current status of [" + cs.status + "]"}
	}
	if cs.execution != executionAvailable {
		return &Error{Code: "InvalidChangeSetStatus", Message: "ChangeSet [" + cs.id + "] cannot be executed in its current execution status of [" + cs.execution + "]"}
	}
	if cs.kind == "CREATE" {
		if st.status != ReviewInProgress {
			return invalid("Stack:%s is in %s state and can not be created.", st.ref.ID, st.status)
		}
		return nil
	}
	if cs.kind == "IMPORT" && st.status == ReviewInProgress {
		return nil
	}
	return st.mayUpdate()
}

// executeImport begins an import, into a stack that was only reviewed so far or into one
// that is there. The caller holds the lock.
func (e *Engine) executeImport(st *state, cs *changeSet, opts updateOptions) {
	st.token, st.disableRollback = opts.token, opts.disableRollback
	if st.current == nil {
		st.tags, st.capabilities, st.notifications, st.role = opts.tags, opts.capabilities, opts.notifications, opts.role
	}
	st.status, st.reason = ImportInProgress, userInitiated
	e.begin(st, func(ctx context.Context) { e.importInto(ctx, st, cs.template, cs.imports) })
}

// executeCreate begins the creation of a stack that was only reviewed so far.
// The caller holds the lock.
func (e *Engine) executeCreate(st *state, cs *changeSet, opts updateOptions) {
	st.tags, st.capabilities, st.notifications, st.role = opts.tags, opts.capabilities, opts.notifications, opts.role
	st.token, st.onFailure = opts.token, cs.onFailure
	st.disableRollback = opts.disableRollback
	if st.disableRollback {
		st.onFailure = "DO_NOTHING"
	}
	st.current = cs.template
	st.status, st.reason = CreateInProgress, userInitiated
	e.begin(st, func(ctx context.Context) { e.makeStack(ctx, st, cs.template) })
}

// concludeChangeSets gives executed change sets their last status once the
// operation has ended. It is called whenever they are looked at, so that a
// client that sees the stack's last status sees theirs too. The caller holds
// the lock.
func (st *state) concludeChangeSets() {
	for _, cs := range st.changes {
		if cs.execution != executionInProgress || underWay(st.status) {
			continue
		}
		cs.execution = executionFailed
		if st.status == CreateComplete || st.status == UpdateComplete || st.status == ImportComplete {
			cs.execution = executionComplete
		}
	}
}

// DeleteChangeSetInput is the request of DeleteChangeSet.
type DeleteChangeSetInput struct {
	ChangeSetName string
	StackName     string
}

// DeleteChangeSet removes a change set. That there is none is no error.
func (e *Engine) DeleteChangeSet(ctx context.Context, in DeleteChangeSetInput) (Empty, error) {
	if err := e.fault("DeleteChangeSet", ""); err != nil {
		return Empty{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st, cs, err := e.findChangeSet(ctx, in.ChangeSetName, in.StackName)
	if err != nil {
		if apiError, ok := err.(*Error); ok && apiError.Code == "ChangeSetNotFound" {
			return Empty{}, nil
		}
		return Empty{}, err
	}
	if cs.execution == executionInProgress {
		return Empty{}, &Error{Code: "InvalidChangeSetStatus", Message: "ChangeSet [" + cs.id + "] cannot be deleted in its current execution status of [" + cs.execution + "]"}
	}
	st.changes = slices.DeleteFunc(st.changes, func(c *changeSet) bool { return c == cs })
	return Empty{}, nil
}
