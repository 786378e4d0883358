package stack

import (
	"context"
	"fmt"
	"strings"
)

// makeStack is a creation from its first event to its last.
func (e *Engine) makeStack(ctx context.Context, st *state, t *template) {
	r := &run{e: e, st: st, t: t, old: map[string]*resource{}}
	e.event(st, nil, CreateInProgress, userInitiated)
	ok, reason := r.forward(ctx)
	if ok {
		e.settle(st, r)
		e.event(st, nil, CreateComplete, "")
		return
	}
	switch {
	case ctx.Err() != nil || st.onFailure == "DO_NOTHING":
		e.event(st, nil, CreateFailed, reason)
	case st.onFailure == "DELETE":
		e.event(st, nil, CreateFailed, reason)
		e.removeStack(ctx, st, nil)
	default:
		e.event(st, nil, RollbackInProgress, reason+" Rollback requested by user.")
		e.unmake(ctx, r)
	}
}

// unmake deletes what a failed creation made.
func (e *Engine) unmake(ctx context.Context, r *run) {
	doomed := map[string]*resource{}
	for _, s := range r.done {
		doomed[s.after.logicalID] = s.after
	}
	if failed := e.deleteAll(ctx, r.st, doomed, r.t.deps, true); len(failed) > 0 {
		e.event(r.st, nil, RollbackFailed, failedToDelete(failed))
		return
	}
	e.event(r.st, nil, RollbackComplete, "")
}

// changeStack is an update from its first event to its last.
func (e *Engine) changeStack(ctx context.Context, st *state, t *template) {
	e.mu.Lock()
	before := st.current
	st.previous, st.current = before, t
	at := now()
	st.updated = &at
	old := make(map[string]*resource, len(st.resources))
	for id, res := range st.resources {
		copied := *res
		old[id] = &copied
	}
	e.mu.Unlock()
	r := &run{e: e, st: st, t: t, old: old}
	e.event(st, nil, UpdateInProgress, userInitiated)
	ok, reason := r.forward(ctx)
	if !ok {
		if ctx.Err() != nil || st.disableRollback {
			e.event(st, nil, UpdateFailed, reason)
			return
		}
		e.event(st, nil, UpdateRollback, reason)
		e.unchange(ctx, r, before)
		return
	}
	e.event(st, nil, UpdateCompleteCleanup, "")
	e.cleanUp(ctx, r, before)
	e.settle(st, r)
	e.event(st, nil, UpdateComplete, "")
}

// cleanUp deletes what an update left without a place: resources that are no
// longer in the template, and those that were replaced. What cannot be deleted
// is left behind with a DELETE_FAILED event, as on AWS.
func (e *Engine) cleanUp(ctx context.Context, r *run, before *template) {
	doomed := map[string]*resource{}
	for _, s := range r.done {
		if s.replaced() {
			old := *s.before
			old.deletionPolicy = old.replacePolicy
			doomed[old.logicalID] = &old
		}
	}
	for id, res := range r.old {
		if _, stays := r.t.deps[id]; !stays {
			doomed[id] = res
		}
	}
	e.deleteAll(ctx, r.st, doomed, before.deps, false)
}

// unchange returns a stack to what it was before a failed update.
func (e *Engine) unchange(ctx context.Context, r *run, before *template) {
	undo := map[string]step{}
	for _, s := range r.done {
		undo[s.after.logicalID] = s
	}
	steps := map[string][]string{}
	for id, s := range undo {
		if s.before != nil {
			steps[id] = s.before.deps
		}
	}
	ok := walk(ctx, steps, e.options.Parallel, false, func(id string) error { return e.restore(ctx, r.st, undo[id]) })
	// Resources that were kept, or never reached, get their old description back.
	e.mu.Lock()
	for id, res := range r.old {
		if _, undone := undo[id]; !undone {
			kept := *res
			r.st.resources[id] = &kept
		}
	}
	r.st.previous, r.st.current = r.st.current, before
	e.mu.Unlock()
	if !ok {
		e.event(r.st, nil, UpdateRollbackFailed, "The following resource(s) failed to update: see the events above.")
		return
	}
	e.event(r.st, nil, UpdateRollbackCleanup, "")
	doomed := map[string]*resource{}
	for id, s := range undo {
		if s.before == nil || s.replaced() {
			doomed[id] = s.after
		}
	}
	e.deleteAll(ctx, r.st, doomed, r.t.deps, true)
	e.event(r.st, nil, UpdateRollbackComplete, "")
}

// restore undoes one step on a resource that existed before.
func (e *Engine) restore(ctx context.Context, st *state, s step) error {
	back := *s.before
	e.mu.Lock()
	st.resources[back.logicalID] = &back
	e.mu.Unlock()
	e.event(st, &back, UpdateInProgress, "")
	if !s.replaced() {
		made, err := e.provide(ctx, "Update", &back, st, s.after.properties)
		if err != nil {
			e.event(st, &back, UpdateFailed, err.Error())
			return err
		}
		e.mu.Lock()
		back.physicalID, back.attributes = made.PhysicalID, made.Attributes
		e.mu.Unlock()
	}
	e.event(st, &back, UpdateComplete, "")
	return nil
}

// settle records what only holds once a run has ended well.
func (e *Engine) settle(st *state, r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st.imports = r.exports
}

func failedToDelete(ids []string) string {
	return fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", strings.Join(ids, ", "))
}
